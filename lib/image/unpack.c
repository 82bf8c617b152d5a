/* SPDX-License-Identifier: Apache-2.0 */
#include "image/unpacked.h"

#include <wincontainer/context.h>

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/config.h"
#include "image/drop.h"
#include "image/layer_reader.h"
#include "layer/plain.h"
#include "layer/split.h"

#define CHUNK ((size_t)256 * 1024)

/* ---- The place ------------------------------------------------------------------------------------ */

/* A directory beside the one that is wanted, which it becomes once it is whole. */
typedef struct workplace {
    char *path;      /* wanted */
    char *part;      /* where it is made */
    char *lock_path; /* lies there as long as what is in `part` is ours */
    wci_lock *lock;
    int is_made;
} workplace;

static int32_t check_free(const char *path, wc_error **err)
{
    wci_file_info info;
    wci_strv names = WCI_STRV_INIT;
    int32_t code = wci_file_info_of(path, &info, err);
    if (code == WC_E_NOT_FOUND) {
        wci_err_clear(err);
        return WC_OK;
    }
    if (!code && info.type != WCI_FILE_DIRECTORY)
        return wci_err(err, WC_E_EXISTS, "'%s': is there already; name a directory that is not there yet", path);
    if (!code)
        code = wci_dir_list(path, &names, err);
    if (!code && names.count)
        code = wci_err(err, WC_E_EXISTS, "directory '%s': is not empty; name one that is not there yet", path);
    wci_strv_free(&names);
    return code;
}

/* What a killed process left goes; what is not ours stays. */
static int32_t clear_part(const workplace *w, int is_ours, wc_error **err)
{
    if (is_ours)
        return wci_dir_remove_all(w->part, err);
    if (!wci_dir_remove_empty(w->part, NULL))
        return WC_OK;
    return wci_err(err, WC_E_EXISTS, "'%s': is in the way, and not ours; move it away", w->part);
}

static int32_t take_place(workplace *w, wc_error **err)
{
    int was_begun = wci_file_exists(w->lock_path);
    int32_t code = wci_lock_try(w->lock_path, WCI_LOCK_EXCLUSIVE, &w->lock, err);
    if (code == WC_E_BUSY)
        return wci_err_wrap(err, code, "directory '%s': somebody else is unpacking there", w->path);
    if (!code)
        code = check_free(w->path, err);
    if (!code && wci_file_exists(w->part))
        code = clear_part(w, was_begun, err);
    if (!code)
        code = wci_dir_make_new(w->part, 0700, err);
    w->is_made = !code;
    return code;
}

static int32_t open_place(workplace *w, const char *path, wc_error **err)
{
    int32_t code = wci_path_absolute(path, &w->path, err);
    if (code)
        return code;
    for (size_t size = strlen(w->path); size > 1 && w->path[size - 1] == '/';)
        w->path[--size] = '\0';
    w->part = wci_asprintf("%s.unpacking", w->path);
    w->lock_path = wci_asprintf("%s.unpacking.lock", w->path);
    return w->part && w->lock_path ? take_place(w, err) : wci_err_nomem(err);
}

static int32_t finish_place(workplace *w, wc_error **err)
{
    int32_t code = wci_fs_sync(w->part, err);
    if (!code && wci_file_exists(w->path))
        code = wci_dir_remove_empty(w->path, err);
    if (!code)
        code = wci_file_rename_new(w->part, w->path, err);
    w->is_made = code != WC_OK;
    return code;
}

static void close_place(workplace *w)
{
    if (w->is_made)
        (void)wci_dir_remove_all(w->part, NULL);
    if (w->lock)
        wci_lock_release_remove(w->lock);
    wci_free(w->path);
    wci_free(w->part);
    wci_free(w->lock_path);
}

/* ---- One layer ------------------------------------------------------------------------------------ */

/* Where it is made, and from what. */
typedef struct unpacking {
    wc_call *call;
    wci_store *store;
    const wci_layer_record *layer;
    const char *part;
    wci_limits limits;
    wci_fd from; /* the blob, or the tar where that was dropped */
    uint64_t size;
    char *fs, *split, *listing;
    json_t *facts; /* of each layer */
} unpacking;

typedef struct blob_source {
    unpacking *work;
    wci_layer_reader reader;
    _Atomic uint64_t position;
    int reports;
} blob_source;

static int32_t read_blob(void *self, void *data, size_t size, size_t *got, wc_error **err)
{
    blob_source *s = self;
    unpacking *u = s->work;
    int32_t code = wci_call_check(u->call, err);
    if (!code)
        code = wci_layer_reader_read(&s->reader, data, size, got, err);
    if (code || !s->reports)
        return code;
    return wci_call_report(u->call, WC_PROGRESS_UNPACK, u->layer->digest.text, (int64_t)s->reader.at,
                           (int64_t)u->size, NULL, err);
}

typedef int32_t (*blob_use)(unpacking *u, const wci_source *source, wci_codec codec, wc_error **err);

static int32_t with_blob(unpacking *u, int reports, blob_use use, wc_error **err)
{
    blob_source s = {.work = u, .reports = reports};
    const wci_source source = {read_blob, &s};
    wci_codec codec = WCI_CODEC_NONE;
    s.reader = (wci_layer_reader){NULL, u->from, 0, &s.position};
    int32_t code = wci_layer_reader_codec(&s.reader, &codec, err);
    return code ? code : use(u, &source, codec, err);
}

static void log_skipped(const unpacking *u, const wci_strv *skipped)
{
    for (size_t i = 0; i < skipped->count; i++)
        wci_log_printf(u->call->log, WC_LOG_WARN, "layer '%s': %s", u->layer->diff_id.text, skipped->items[i]);
}

static int32_t make_tree(unpacking *u, const wci_source *source, wci_codec codec, wc_error **err)
{
    wci_strv skipped = WCI_STRV_INIT;
    int32_t code = wci_plain_make(source, codec, &u->layer->diff_id, u->fs, &u->limits, &skipped, err);
    if (!code)
        log_skipped(u, &skipped);
    wci_strv_free(&skipped);
    return code;
}

static int32_t make_split(unpacking *u, const wci_source *source, wci_codec codec, wc_error **err)
{
    uint64_t kept;
    return wci_layer_split(source, codec, &u->layer->diff_id, u->fs, u->split, &kept, err);
}

static int32_t make_listing(const unpacking *u, wc_error **err)
{
    wci_fd root = WCI_FD_NONE;
    int32_t code = wci_tree_open_root(u->fs, &root, err);
    if (!code)
        code = wci_listing_write(u->call, root, u->listing, err);
    wci_fd_close(root);
    return code;
}

static int32_t hash_from(wc_call *call, wci_fd file, char *chunk, wci_hasher *hasher, wc_error **err)
{
    uint64_t at = 0;
    int32_t code = WC_OK;
    for (size_t got = 1; got && !code; at += got) {
        code = wci_call_check(call, err);
        if (!code)
            code = wci_fd_pread(file, chunk, CHUNK, at, &got, err);
        if (!code)
            wci_hasher_update(hasher, chunk, got);
    }
    return code;
}

int32_t wci_unpacked_digest(wc_call *call, wci_fd file, wci_digest *out, wc_error **err)
{
    wci_hasher *hasher = NULL;
    char *chunk = wci_malloc(CHUNK);
    int32_t code = chunk ? wci_hasher_new(WCI_SHA256, &hasher, err) : wci_err_nomem(err);
    if (!code)
        code = hash_from(call, file, chunk, hasher, err);
    if (!code)
        code = wci_hasher_final(hasher, out, err);
    wci_hasher_free(hasher);
    wci_free(chunk);
    return code;
}

static int32_t digest_at(const unpacking *u, const char *path, wci_digest *out, wc_error **err)
{
    wci_fd file = WCI_FD_NONE;
    int32_t code = wci_file_open(path, WCI_OPEN_READ, 0, &file, err);
    if (!code)
        code = wci_unpacked_digest(u->call, file, out, err);
    wci_fd_close(file);
    return code;
}

/* A record that is damaged later on is found out, also where nothing else would show it. */
static int32_t note_records(const unpacking *u, wc_error **err)
{
    wci_digest split, listing;
    int32_t code = digest_at(u, u->split, &split, err);
    if (!code)
        code = digest_at(u, u->listing, &listing, err);
    if (code)
        return code;
    json_t *facts = json_pack("{s:s, s:s, s:s}", "diffId", u->layer->diff_id.text, WCI_UNPACKED_SPLIT, split.text,
                              WCI_UNPACKED_LISTING, listing.text);
    return facts && !json_array_append_new(u->facts, facts) ? WC_OK : wci_err_nomem(err);
}

static int32_t open_layer(unpacking *u, wc_error **err)
{
    wci_file_info info;
    int32_t code = wci_layer_open_tar(u->call, u->store, u->layer, &u->from, err);
    if (!code)
        code = wci_fd_info(u->from, &info, err);
    if (!code)
        u->size = info.size;
    return code;
}

static int32_t fill_layer(unpacking *u, wc_error **err)
{
    int32_t code = open_layer(u, err);
    if (!code)
        code = with_blob(u, 1, make_tree, err);
    if (!code)
        code = with_blob(u, 0, make_split, err);
    if (!code)
        code = make_listing(u, err);
    if (!code)
        code = note_records(u, err);
    if (!code)
        code = wci_call_report(u->call, WC_PROGRESS_DONE, u->layer->digest.text, (int64_t)u->layer->size,
                               (int64_t)u->layer->size, NULL, err);
    return code;
}

static int32_t unpack_layer(unpacking *u, size_t number, wc_error **err)
{
    char *dir = wci_asprintf("%s/" WCI_UNPACKED_LAYERS "/%zu", u->part, number);
    u->fs = dir ? wci_path_join(dir, WCI_UNPACKED_TREE) : NULL;
    u->split = dir ? wci_path_join(dir, WCI_UNPACKED_SPLIT) : NULL;
    u->listing = dir ? wci_path_join(dir, WCI_UNPACKED_LISTING) : NULL;
    int32_t code = u->fs && u->split && u->listing ? wci_dir_make(dir, 0700, err) : wci_err_nomem(err);
    if (!code)
        code = fill_layer(u, err);
    wci_fd_close(u->from);
    u->from = WCI_FD_NONE;
    wci_free(dir);
    wci_free(u->fs);
    wci_free(u->split);
    wci_free(u->listing);
    return code ? wci_err_wrap(err, code, "layer %zu ('%s')", number, u->layer->digest.text) : WC_OK;
}

/* ---- Documents ------------------------------------------------------------------------------------ */

static int32_t write_bytes(const char *dir, const char *name, const char *data, size_t size, wc_error **err)
{
    char *path = wci_path_join(dir, name);
    int32_t code = path ? wci_file_write_atomic(path, data, size, 0644, 0, err) : wci_err_nomem(err);
    wci_free(path);
    return code;
}

static int32_t copy_document(wci_store *store, const wci_digest *digest, const char *dir, const char *name, wc_error **err)
{
    wc_buf *bytes = NULL;
    int32_t code = wci_blob_read(store, digest, WCI_CONFIG_MAX, &bytes, err);
    if (!code)
        code = write_bytes(dir, name, wc_buf_data(bytes), wc_buf_size(bytes), err);
    wc_buf_unref(bytes);
    return code;
}

/* What the manifest was, and the layers; whatever somebody makes of the other documents. */
static int32_t write_facts(const unpacking *u, const wci_image_record *image, wc_error **err)
{
    json_t *facts = json_pack("{s:s, s:i, s:s, s:s, s:O}", "format", WCI_UNPACKED_FORMAT, "version", 1, "mediaType",
                              image->media_type, "digest", image->manifest.text, "layers", u->facts);
    wc_buf *bytes = NULL;
    int32_t code = facts ? wci_json_dump(facts, &bytes, err) : wci_err_nomem(err);
    if (!code)
        code = write_bytes(u->part, WCI_UNPACKED_FILE, wc_buf_data(bytes), wc_buf_size(bytes), err);
    json_decref(facts);
    wc_buf_unref(bytes);
    return code;
}

static int32_t write_documents(wci_store *store, const wci_image_record *image, const char *dir, wc_error **err)
{
    int32_t code = copy_document(store, &image->manifest, dir, WCI_UNPACKED_MANIFEST, err);
    if (!code)
        code = copy_document(store, &image->config, dir, WCI_UNPACKED_CONFIG, err);
    return code;
}

/* ---- The image ------------------------------------------------------------------------------------ */

static int32_t fill_place(wc_call *call, wci_store *store, const wci_image_record *image, const char *part, wc_error **err)
{
    unpacking u = {.call = call, .store = store, .part = part, .from = WCI_FD_NONE,
                   .limits = wci_limits_default, .facts = json_array()};
    u.limits.target_windows = !strcmp(image->os, "windows");
    int32_t code = u.facts ? write_documents(store, image, part, err) : wci_err_nomem(err);
    for (size_t i = 0; i < image->layer_count && !code; i++) {
        u.layer = &image->layers[i];
        code = unpack_layer(&u, i + 1, err);
    }
    if (!code)
        code = write_facts(&u, image, err);
    json_decref(u.facts);
    return code;
}

static int32_t unpack_held(wc_call *call, wci_store *store, wci_hold *hold, const wci_image_record *image,
                           const char *path, const wci_transfer *transfer, wc_error **err)
{
    workplace w = {.path = NULL};
    const wci_restoring how = {hold, transfer, NULL, 1};
    int32_t code = wci_hold_image(call, hold, image, err);
    if (!code)
        code = open_place(&w, path, err);
    if (!code)
        code = wci_image_restore_blobs(call, store, &how, image, err);
    if (!code)
        code = fill_place(call, store, image, w.part, err);
    if (!code)
        code = finish_place(&w, err);
    close_place(&w);
    return code;
}

int32_t wci_image_unpack(wc_call *call, wci_store *store, const wci_image_record *image, const char *path,
                         const wci_transfer *transfer, wc_error **err)
{
    wci_hold *hold = NULL;
    int32_t code = wci_hold_new(store, &hold, err);
    if (!code)
        code = unpack_held(call, store, hold, image, path, transfer, err);
    if (hold)
        wci_hold_free(hold);
    return code ? wci_err_wrap(err, code, "image '%s': cannot be unpacked to '%s'",
                               image->names.count ? image->names.items[0] : image->config.text, path)
                : WC_OK;
}
