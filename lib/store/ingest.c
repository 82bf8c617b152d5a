/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs on their way in: one maker per digest, chosen by a lock file; bytes collect in
 * ingest/<algo>-<hex> and move to blobs/ once they are whole. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "store/internal.h"

#define READ_SIZE (1u << 20)

typedef enum ingest_state {
    ACTIVE,
    DONE,
    FAILED,
} ingest_state;

struct wci_ingest {
    wci_ref refs;
    wci_store *store;
    wci_digest digest;
    int64_t size; /* -1: not known */
    char *path;
    wci_fd fd;
    wci_lock *lock;
    /* The writer's own. */
    wci_hasher *hasher; /* NULL until the bytes of an earlier ingest are hashed */
    uint64_t offset;
    /* Shared with readers. */
    wci_mutex mutex;
    wci_cond changed;
    uint64_t visible; /* bytes that the hasher has seen */
    ingest_state state;
    int32_t fail_code;
    char *fail_text;
};

/* ---- Beginning --------------------------------------------------------------------------------
 */

static void destroy(wci_ingest *in)
{
    wci_fd_close(in->fd);
    wci_lock_release_remove(in->lock);
    wci_hasher_free(in->hasher);
    wci_cond_destroy(&in->changed);
    wci_mutex_destroy(&in->mutex);
    wci_store_unref(in->store);
    wci_free(in->fail_text);
    wci_free(in->path);
    wci_free(in);
}

/* Looks at what an earlier ingest left; more bytes than there should be are worth nothing. */
static int32_t open_partial(wci_ingest *in, wc_error **err)
{
    int flags = WCI_OPEN_READ | WCI_OPEN_WRITE | WCI_OPEN_CREATE | WCI_OPEN_APPEND;
    int32_t rc = wci_file_open(in->path, flags, 0600, &in->fd, err);
    wci_file_info info = {.size = 0};
    if (!rc)
        rc = wci_fd_info(in->fd, &info, err);
    if (!rc && in->size >= 0 && info.size > (uint64_t)in->size) {
        info.size = 0;
        rc = wci_fd_truncate(in->fd, 0, err);
    }
    in->offset = info.size;
    return rc;
}

/* Takes the lock over, also on failure. */
static int32_t make_ingest(wci_store *store, const wci_digest *digest, int64_t size, wci_lock *lock,
                           wci_ingest **out, wc_error **err)
{
    wci_ingest *in = wci_calloc(1, sizeof *in);
    if (!in) {
        wci_lock_release_remove(lock);
        return wci_err_nomem(err);
    }
    wci_ref_init(&in->refs);
    wci_mutex_init(&in->mutex);
    wci_cond_init(&in->changed);
    in->store = wci_store_ref(store);
    in->digest = *digest;
    in->size = size;
    in->lock = lock;
    in->fd = WCI_FD_NONE;
    in->path = wci_asprintf("%s/" WCI_DIR_INGEST "/%s-%s", store->root,
                            wci_digest_algo_name(digest), wci_digest_hex(digest));
    int32_t rc = in->path ? open_partial(in, err) : wci_err_nomem(err);
    if (rc)
        destroy(in);
    else
        *out = in;
    return rc;
}

/* A blob without a row may be from before a power cut, which its bytes need not have survived: its
 * digest is looked at again, by the one who has its lock. */
static int32_t trust(const wc_call *call, wci_store *store, const wci_digest *digest,
                     const char *path, int *there, wc_error **err)
{
    int good = 0;
    int32_t rc = wci_blob_is_recorded(store, digest, &good, err);
    if (!rc && !good)
        rc = wci_blob_verify(call, path, digest, &good, err);
    if (!rc && !good)
        rc = wci_file_remove(path, err);
    if (!rc)
        *there = good;
    return rc;
}

static int32_t check_size(const wci_digest *digest, int64_t expected, uint64_t size, wc_error **err)
{
    if (expected < 0 || (uint64_t)expected == size)
        return WC_OK;
    return wci_err(err, WC_E_DIGEST,
                   "blob '%s': it has %llu bytes, but %lld were announced; the document that names "
                   "it is wrong",
                   digest->text, (unsigned long long)size, (long long)expected);
}

/* *there 1 when the blob is in the store and may be relied upon. Without the lock only what is
 * recorded counts. */
static int32_t look(const wc_call *call, wci_store *store, const wci_digest *digest, int64_t size,
                    int locked, int *there, wc_error **err)
{
    uint64_t found;
    wc_error *why = NULL;
    int present = 0;
    int32_t rc = wci_blob_stat(store, digest, &found, &why);
    if (rc == WC_E_NOT_FOUND) {
        wc_error_unref(why);
        *there = 0;
        return WC_OK;
    }
    if (rc)
        return wci_err_move(err, why);
    char *path = wci_blob_location(store, digest);
    if (!path)
        return wci_err_nomem(err);
    rc = locked ? trust(call, store, digest, path, &present, err)
                : wci_blob_is_recorded(store, digest, &present, err);
    wci_free(path);
    if (!rc && present)
        rc = check_size(digest, size, found, err);
    if (!rc)
        *there = present;
    return rc;
}

static int32_t begin(wc_call *call, wci_hold *hold, wci_store *store, const wci_digest *digest,
                     int64_t size, int wait, wci_ingest **out, wc_error **err)
{
    int there = 0;
    int32_t rc = wci_hold_add(call, hold, digest, err);
    if (!rc)
        rc = look(call, store, digest, size, 0, &there, err);
    if (rc || there) {
        if (!rc)
            *out = NULL;
        return rc;
    }
    char *path = wci_store_lock_path(store, "blob-", digest);
    if (!path)
        return wci_err_nomem(err);
    wci_lock *lock = NULL;
    rc = wait ? wci_lock_acquire(call, path, WCI_LOCK_EXCLUSIVE, &lock, err)
              : wci_lock_try(path, WCI_LOCK_EXCLUSIVE, &lock, err);
    wci_free(path);
    if (!rc)
        rc = look(call, store, digest, size, 1, &there, err);
    if (!rc && !there)
        return make_ingest(store, digest, size, lock, out, err);
    wci_lock_release_remove(lock);
    if (!rc)
        *out = NULL;
    return rc;
}

int32_t wci_ingest_begin(wc_call *call, wci_hold *hold, const wci_digest *digest, int64_t size,
                         wci_ingest **out, wc_error **err)
{
    return begin(call, hold, wci_hold_store(hold), digest, size, 1, out, err);
}

int32_t wci_ingest_try(wci_hold *hold, const wci_digest *digest, int64_t size, wci_ingest **out,
                       wc_error **err)
{
    WCI_CALL_NONE(call);
    return begin(&call, hold, wci_hold_store(hold), digest, size, 0, out, err);
}

uint64_t wci_ingest_offset(const wci_ingest *in)
{
    return in->offset;
}

wci_fd wci_ingest_fd(const wci_ingest *in)
{
    return in->fd;
}

wci_ingest *wci_ingest_ref(wci_ingest *in)
{
    if (in)
        wci_ref_take(&in->refs);
    return in;
}

/* ---- Writing ----------------------------------------------------------------------------------
 */

static void show(wci_ingest *in, uint64_t visible)
{
    wci_mutex_lock(&in->mutex);
    in->visible = visible;
    wci_cond_broadcast(&in->changed);
    wci_mutex_unlock(&in->mutex);
}

static void end(wci_ingest *in, ingest_state state, int32_t code, const char *text)
{
    wci_mutex_lock(&in->mutex);
    if (in->state == ACTIVE) {
        in->state = state;
        in->fail_code = code;
        if (text)
            wci_replace(&in->fail_text, text);
        wci_cond_broadcast(&in->changed);
    }
    wci_mutex_unlock(&in->mutex);
    wci_lock *lock = in->lock;
    in->lock = NULL;
    wci_lock_release_remove(lock);
}

/* Tells readers why, and lets others try. `why` is kept in *err. */
static int32_t give_up(wci_ingest *in, int32_t rc, wc_error *why, wc_error **err)
{
    end(in, FAILED, rc, why ? wc_error_message(why) : "out of memory");
    return why ? wci_err_move(err, why) : rc;
}

static int32_t hash_existing(wci_ingest *in, wc_error **err)
{
    char *buffer = wci_malloc(READ_SIZE);
    int32_t rc = buffer ? WC_OK : wci_err_nomem(err);
    for (uint64_t at = 0; !rc && at < in->offset;) {
        uint64_t left = in->offset - at;
        size_t want = left < READ_SIZE ? (size_t)left : READ_SIZE, got = 0;
        rc = wci_fd_pread(in->fd, buffer, want, at, &got, err);
        if (!rc && got != want)
            rc = wci_err(err, WC_E_IO, "blob '%s': its partial file '%s' became shorter",
                         in->digest.text, in->path);
        if (!rc)
            wci_hasher_update(in->hasher, buffer, got);
        at += got;
    }
    wci_free(buffer);
    return rc;
}

static int32_t start_hashing(wci_ingest *in, wc_error **err)
{
    if (in->hasher)
        return WC_OK;
    int32_t rc = wci_hasher_new(wci_digest_algo(&in->digest), &in->hasher, err);
    if (!rc && in->offset > 0)
        rc = hash_existing(in, err);
    if (!rc)
        show(in, in->offset);
    return rc;
}

/* Bytes that cannot become the blob must not be resumed. */
static void throw_away(wci_ingest *in)
{
    wci_file_remove(in->path, NULL);
}

static int32_t too_many(wci_ingest *in, wc_error **err)
{
    throw_away(in);
    return wci_err(err, WC_E_DIGEST, "blob '%s': more bytes came than the %lld announced",
                   in->digest.text, (long long)in->size);
}

static int32_t check_active(const wci_ingest *in, wc_error **err)
{
    if (in->lock)
        return wci_store_check_fork(in->store, err);
    return wci_err(err, WC_E_STATE, "blob '%s': its ingest has ended", in->digest.text);
}

static int32_t append(wci_ingest *in, const void *data, size_t size, wc_error **err)
{
    int32_t rc = start_hashing(in, err);
    if (!rc && in->size >= 0 && size > (uint64_t)in->size - in->offset)
        rc = too_many(in, err);
    if (!rc)
        rc = wci_fd_write(in->fd, data, size, err);
    if (rc)
        return rc;
    wci_hasher_update(in->hasher, data, size);
    in->offset += size;
    show(in, in->offset);
    return WC_OK;
}

int32_t wci_ingest_write(wci_ingest *in, const void *data, size_t size, wc_error **err)
{
    int32_t rc = check_active(in, err);
    if (rc)
        return rc;
    wc_error *why = NULL;
    rc = append(in, data, size, &why);
    return rc ? give_up(in, rc, why, err) : WC_OK;
}

int32_t wci_ingest_restart(wci_ingest *in, wc_error **err)
{
    int32_t rc = check_active(in, err);
    if (!rc)
        rc = wci_fd_truncate(in->fd, 0, err);
    if (rc)
        return rc;
    wci_hasher_free(in->hasher);
    in->hasher = NULL;
    in->offset = 0;
    show(in, 0);
    return WC_OK;
}

/* ---- Reading beside the writer ------------------------------------------------------------------
 */

int32_t wci_ingest_wait(wci_ingest *in, uint64_t have, uint64_t *total, int *ended, wc_error **err)
{
    int32_t rc = WC_OK;
    wci_mutex_lock(&in->mutex);
    while (in->state == ACTIVE && in->visible <= have)
        wci_cond_wait(&in->changed, &in->mutex);
    if (in->state == FAILED) {
        rc = wci_err(err, in->fail_code, "blob '%s': it did not come in: %s", in->digest.text,
                     in->fail_text ? in->fail_text : "out of memory");
    } else {
        *total = in->visible;
        *ended = in->state == DONE;
    }
    wci_mutex_unlock(&in->mutex);
    return rc;
}

/* ---- Ending -----------------------------------------------------------------------------------
 */

static int32_t check_digest(wci_ingest *in, wc_error **err)
{
    wci_digest found;
    int32_t rc = start_hashing(in, err);
    if (!rc && in->size >= 0 && in->offset != (uint64_t)in->size)
        return wci_err(err, WC_E_DIGEST, "blob '%s': only %llu of the %lld bytes announced came",
                       in->digest.text, (unsigned long long)in->offset, (long long)in->size);
    if (!rc)
        rc = wci_hasher_final(in->hasher, &found, err);
    if (!rc && !wci_digest_equal(&found, &in->digest))
        rc = wci_err(err, WC_E_DIGEST, "blob '%s': the bytes that came have the digest '%s'",
                     in->digest.text, found.text);
    return rc;
}

static int32_t move_into_place(wci_ingest *in, wc_error **err)
{
    char *place = wci_blob_location(in->store, &in->digest);
    if (!place)
        return wci_err_nomem(err);
    int32_t rc = wci_file_rename(in->path, place, err);
    wci_free(place);
    return rc;
}

int32_t wci_ingest_commit(wci_ingest *in, wc_error **err)
{
    int32_t rc = check_active(in, err);
    if (rc)
        return rc;
    wc_error *why = NULL;
    rc = check_digest(in, &why);
    if (rc == WC_E_DIGEST)
        throw_away(in);
    if (!rc)
        rc = move_into_place(in, &why);
    if (rc)
        return give_up(in, rc, why, err);
    end(in, DONE, WC_OK, NULL);
    return WC_OK;
}

void wci_ingest_abort(wci_ingest *in)
{
    if (in->lock && wci_store_is_ours(in->store))
        end(in, FAILED, WC_E_CANCELLED, "its download was broken off");
}

void wci_ingest_unref(wci_ingest *in)
{
    if (!in || !wci_ref_drop(&in->refs))
        return;
    if (wci_store_is_ours(in->store))
        destroy(in);
}

int32_t wci_blob_put(wc_call *call, wci_hold *hold, const wci_digest *digest, const void *data,
                     size_t size, wc_error **err)
{
    wci_ingest *in = NULL;
    int32_t rc = wci_ingest_begin(call, hold, digest, (int64_t)size, &in, err);
    if (rc || !in)
        return rc;
    if (wci_ingest_offset(in) > 0)
        rc = wci_ingest_restart(in, err);
    if (!rc)
        rc = wci_ingest_write(in, data, size, err);
    if (!rc)
        rc = wci_ingest_commit(in, err);
    wci_ingest_unref(in);
    return rc;
}
