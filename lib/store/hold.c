/* SPDX-License-Identifier: Apache-2.0 */
/* A hold is a file below holds/, locked by its owner, with one digest per line. Adding a digest and
 * collecting garbage exclude each other, so that whoever has added a digest and then finds it in
 * the store may rely on it. */
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "store/internal.h"

#define MAX_HOLD_FILE (64u << 20)

struct wci_hold {
    wci_store *store;
    wci_mutex mutex;
    wci_strv digests;
    wci_lock *lock; /* NULL until the first digest comes */
    wci_fd file;
};

int32_t wci_hold_new(wci_store *store, wci_hold **out, wc_error **err)
{
    int32_t rc = wci_store_check_fork(store, err);
    if (rc)
        return rc;
    wci_hold *hold = wci_calloc(1, sizeof *hold);
    if (!hold)
        return wci_err_nomem(err);
    hold->store = wci_store_ref(store);
    hold->file = WCI_FD_NONE;
    wci_mutex_init(&hold->mutex);
    *out = hold;
    return WC_OK;
}

static int32_t make_file(wci_hold *hold, wc_error **err)
{
    char name[33];
    int32_t rc = wci_random_hex(16, name, err);
    if (rc)
        return rc;
    char *path = wci_store_path(hold->store, WCI_DIR_HOLDS, name);
    if (!path)
        return wci_err_nomem(err);
    rc = wci_lock_try(path, WCI_LOCK_EXCLUSIVE, &hold->lock, err);
    if (!rc)
        rc = wci_file_open(path, WCI_OPEN_WRITE | WCI_OPEN_APPEND, 0, &hold->file, err);
    wci_free(path);
    return rc;
}

wci_store *wci_hold_store(const wci_hold *hold)
{
    return hold->store;
}

/* One write per digest: what a killed process tore apart belongs to nobody. */
static int32_t write_line(wci_hold *hold, const wci_digest *digest, wc_error **err)
{
    char line[WCI_DIGEST_TEXT_SIZE + 1];
    size_t size = strlen(digest->text);
    memcpy(line, digest->text, size);
    line[size] = '\n';
    return wci_fd_write(hold->file, line, size + 1, err);
}

static int32_t add_excluding_gc(wc_call *call, wci_hold *hold, const wci_digest *digest,
                                wc_error **err)
{
    char *path = wci_store_path(hold->store, WCI_DIR_LOCKS, "gc");
    if (!path)
        return wci_err_nomem(err);
    wci_lock *lock = NULL;
    int32_t rc = wci_lock_acquire(call, path, WCI_LOCK_SHARED, &lock, err);
    wci_free(path);
    if (rc)
        return rc;
    if (!hold->lock)
        rc = make_file(hold, err);
    if (!rc)
        rc = write_line(hold, digest, err);
    wci_lock_release(lock);
    return rc;
}

int32_t wci_hold_add(wc_call *call, wci_hold *hold, const wci_digest *digest, wc_error **err)
{
    int32_t rc = wci_store_check_fork(hold->store, err);
    if (rc)
        return rc;
    wci_mutex_lock(&hold->mutex);
    if (!wci_strv_contains(&hold->digests, digest->text)) {
        rc = add_excluding_gc(call, hold, digest, err);
        if (!rc && wci_strv_add(&hold->digests, digest->text))
            rc = wci_err_nomem(err);
    }
    wci_mutex_unlock(&hold->mutex);
    return rc;
}

int32_t wci_hold_image(wc_call *call, wci_hold *hold, const wci_image_record *image, wc_error **err)
{
    int32_t rc = wci_hold_add(call, hold, &image->manifest, err);
    if (!rc)
        rc = wci_hold_add(call, hold, &image->config, err);
    for (size_t i = 0; i < image->layer_count && !rc; i++) {
        rc = wci_hold_add(call, hold, &image->layers[i].digest, err);
        if (!rc)
            rc = wci_hold_add(call, hold, &image->layers[i].diff_id, err);
        if (!rc)
            rc = wci_hold_add(call, hold, &image->layers[i].chain_id, err);
    }
    return rc;
}

void wci_hold_free(wci_hold *hold)
{
    if (!hold)
        return;
    if (wci_store_is_ours(hold->store)) {
        wci_fd_close(hold->file);
        wci_lock_release_remove(hold->lock);
    }
    wci_mutex_destroy(&hold->mutex);
    wci_strv_free(&hold->digests);
    wci_store_unref(hold->store);
    wci_free(hold);
}

static int32_t add_lines(const char *text, wci_strv *out, wc_error **err)
{
    for (const char *end; (end = strchr(text, '\n')); text = end + 1)
        if (wci_strv_add_take(out, wci_strndup(text, (size_t)(end - text))))
            return wci_err_nomem(err);
    return WC_OK;
}

static int32_t read_file(const char *path, wci_strv *out, wc_error **err)
{
    wc_buf *text = NULL;
    wc_error *why = NULL;
    int32_t rc = wci_file_read_all(path, MAX_HOLD_FILE, &text, &why);
    if (rc == WC_E_NOT_FOUND) { /* released since */
        wc_error_unref(why);
        return WC_OK;
    }
    if (rc)
        return wci_err_move(err, why);
    rc = add_lines(wc_buf_data(text), out, err);
    wc_buf_unref(text);
    return rc;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int32_t wci_holds_read(wci_store *store, wci_strv *held, wc_error **err)
{
    char *dir = wci_path_join(store->root, WCI_DIR_HOLDS);
    if (!dir)
        return wci_err_nomem(err);
    wci_strv names = WCI_STRV_INIT;
    int32_t rc = wci_dir_list(dir, &names, err);
    for (size_t i = 0; i < names.count && !rc; i++) {
        char *path = wci_path_join(dir, names.items[i]);
        if (!path)
            rc = wci_err_nomem(err);
        else if (wci_lock_is_held(path))
            rc = read_file(path, held, err);
        wci_free(path);
    }
    wci_strv_free(&names);
    wci_free(dir);
    if (!rc && held->count)
        qsort(held->items, held->count, sizeof *held->items, compare);
    return rc;
}

int wci_holds_contain(const wci_strv *held, const char *digest)
{
    return held->count && bsearch(&digest, held->items, held->count, sizeof *held->items, compare);
}
