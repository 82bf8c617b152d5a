/* SPDX-License-Identifier: Apache-2.0 */
#include "image/drop.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/layer_reader.h"
#include "image/refetch.h"
#include "layer/split.h"

/* ---- Where the records lie ------------------------------------------------------------------------ */

typedef struct paths {
    char *fs, *split;
} paths;

static void free_paths(paths *p)
{
    wci_free(p->fs);
    wci_free(p->split);
}

static int32_t find_paths(wci_store *store, const wci_digest *diff_id, paths *out, wc_error **err)
{
    char *dir = NULL;
    *out = (paths){NULL, NULL};
    int32_t code = wci_tree_path(store, WCI_TREE_LAYER, diff_id, &out->fs, err);
    if (!code)
        dir = wci_path_parent(out->fs);
    if (!code && (!dir || !(out->split = wci_path_join(dir, "split"))))
        code = wci_err_nomem(err);
    wci_free(dir);
    if (code)
        free_paths(out);
    return code;
}

int32_t wci_layer_join_dropped(wci_store *store, const wci_layer_record *layer, const wci_sink *to, wc_error **err)
{
    paths p;
    int32_t code = find_paths(store, &layer->diff_id, &p, err);
    if (code)
        return code;
    code = wci_layer_join(p.fs, p.split, &layer->diff_id, to, err);
    free_paths(&p);
    return code;
}

int wci_layer_can_be_joined(wci_store *store, const wci_digest *diff_id)
{
    paths p;
    if (find_paths(store, diff_id, &p, NULL))
        return 0;
    int can = wci_file_exists(p.split);
    free_paths(&p);
    return can;
}

static int32_t write_tar(void *self, const void *data, size_t size, wc_error **err)
{
    return wci_fd_write(*(const wci_fd *)self, data, size, err);
}

static int32_t join_to_file(wci_store *store, const wci_layer_record *layer, const char *path, wc_error **err)
{
    wci_fd file = WCI_FD_NONE;
    const wci_sink to = {write_tar, &file};
    int32_t code = wci_file_open(path, WCI_OPEN_WRITE | WCI_OPEN_CREATE, 0600, &file, err);
    if (!code)
        code = wci_layer_join_dropped(store, layer, &to, err);
    wci_fd_close(file);
    return code;
}

int32_t wci_layer_open_tar(wc_call *call, wci_store *store, const wci_layer_record *layer, wci_fd *out, wc_error **err)
{
    wci_again again = WCI_AGAIN_NOT;
    wci_scratch scratch;
    uint64_t size;
    int32_t code = wci_blob_again(call, store, &layer->digest, &again, err);
    if (code || !again)
        return code ? code : wci_blob_open(store, &layer->digest, out, &size, err);
    code = wci_scratch_new(store, &scratch, err);
    if (code)
        return code;
    char *path = wci_path_join(scratch.dir, "tar");
    code = path ? join_to_file(store, layer, path, err) : wci_err_nomem(err);
    if (!code)
        code = wci_file_open(path, WCI_OPEN_READ, 0, out, err);
    wci_free(path);
    wci_scratch_free(&scratch);
    return code;
}

/* ---- Splitting ------------------------------------------------------------------------------------ */

static int32_t split_blob(wci_store *store, const wci_layer_record *layer, const char *fs, const char *path,
                          wci_codec *codec, wc_error **err)
{
    wci_layer_reader reader;
    _Atomic uint64_t position;
    uint64_t kept;
    const wci_source source = {wci_layer_reader_read, &reader};
    int32_t code = wci_layer_reader_open(store, &layer->digest, NULL, &position, &reader, err);
    if (code)
        return code;
    code = wci_layer_reader_codec(&reader, codec, err);
    if (!code)
        code = wci_layer_split(&source, *codec, &layer->diff_id, fs, path, &kept, err);
    wci_layer_reader_close(&reader);
    return code;
}

/* The records are on disk before the blob goes. */
static int32_t make_split(wci_store *store, const wci_layer_record *layer, const paths *p, wci_codec *codec,
                          wc_error **err)
{
    wci_scratch scratch;
    int32_t code = wci_scratch_new(store, &scratch, err);
    if (code)
        return code;
    char *made = wci_path_join(scratch.dir, "split");
    code = made ? split_blob(store, layer, p->fs, made, codec, err) : wci_err_nomem(err);
    if (!code)
        code = wci_fs_sync(wci_store_root(store), err);
    if (!code)
        code = wci_file_rename(made, p->split, err);
    wci_free(made);
    wci_scratch_free(&scratch);
    return code;
}

/* ---- Our own compression -------------------------------------------------------------------------- */

typedef struct press {
    const wc_call *call;
    wci_encoder *encoder;
    wci_hasher *hasher; /* when only the digest is wanted */
    wci_ingest *ingest; /* else */
} press;

static int32_t take_packed(void *self, const void *data, size_t size, wc_error **err)
{
    press *p = self;
    if (p->ingest)
        return wci_ingest_write(p->ingest, data, size, err);
    wci_hasher_update(p->hasher, data, size);
    return WC_OK;
}

static int32_t take_plain(void *self, const void *data, size_t size, wc_error **err)
{
    press *p = self;
    int32_t code = wci_call_check(p->call, err);
    if (code)
        return code;
    return p->encoder ? wci_encoder_write(p->encoder, data, size, err) : take_packed(p, data, size, err);
}

static int32_t press_layer(press *p, wci_store *store, const wci_layer_record *layer, wci_codec codec, wc_error **err)
{
    const wci_sink packed = {take_packed, p}, plain = {take_plain, p};
    int32_t code = codec == WCI_CODEC_NONE ? WC_OK : wci_encoder_new(codec, &packed, &p->encoder, err);
    if (!code)
        code = wci_layer_join_dropped(store, layer, &plain, err);
    if (!code && p->encoder)
        code = wci_encoder_end(p->encoder, err);
    wci_encoder_free(p->encoder);
    p->encoder = NULL;
    return code;
}

static int32_t is_ours(const wc_call *call, wci_store *store, const wci_layer_record *layer, wci_codec codec,
                       int *ours, wc_error **err)
{
    press p = {.call = call};
    wci_digest found = {""};
    int32_t code = wci_hasher_new(wci_digest_algo(&layer->digest), &p.hasher, err);
    if (!code)
        code = press_layer(&p, store, layer, codec, err);
    if (!code)
        code = wci_hasher_final(p.hasher, &found, err);
    wci_hasher_free(p.hasher);
    *ours = !code && wci_digest_equal(&found, &layer->digest);
    return code;
}

/* ---- Dropping ------------------------------------------------------------------------------------- */

/* Fetching is cheaper than compressing, and finding out whether we could. */
static int32_t find_way(wc_call *call, wci_store *store, const wci_layer_record *layer, wci_codec codec,
                        wci_again *again, wc_error **err)
{
    wci_strv repositories = WCI_STRV_INIT;
    int ours = 0;
    *again = WCI_AGAIN_NOT;
    int32_t code = codec != WCI_CODEC_NONE ? wci_blob_sources(call, store, &layer->digest, &repositories, err) : WC_OK;
    int is_fetched = repositories.count > 0;
    wci_strv_free(&repositories);
    if (!code && is_fetched)
        *again = WCI_AGAIN_FETCH;
    if (code || is_fetched)
        return code;
    code = is_ours(call, store, layer, codec, &ours, err);
    if (!code && ours)
        *again = codec == WCI_CODEC_NONE   ? WCI_AGAIN_PLAIN
                 : codec == WCI_CODEC_GZIP ? WCI_AGAIN_GZIP
                                           : WCI_AGAIN_ZSTD;
    return code;
}

static int is_here(wci_store *store, const wci_layer_record *layer)
{
    uint64_t size;
    return wci_blob_stat(store, &layer->digest, &size, NULL) == WC_OK;
}

static int32_t drop_split(wc_call *call, wci_store *store, const wci_layer_record *layer, const paths *p, int *dropped,
                          wc_error **err)
{
    wci_codec codec = WCI_CODEC_NONE;
    wci_again again = WCI_AGAIN_NOT;
    int32_t code = make_split(store, layer, p, &codec, err);
    if (!code)
        code = find_way(call, store, layer, codec, &again, err);
    if (!code && again)
        code = wci_blob_drop(call, store, &layer->digest, again, dropped, err);
    return code;
}

/* Somebody else may have dropped it before, or may do so at any moment until we have it open. */
static int32_t drop_layer(wc_call *call, wci_store *store, const wci_layer_record *layer, uint64_t *bytes, wc_error **err)
{
    paths p;
    int dropped = 0;
    wc_error *why = NULL;
    if (!is_here(store, layer))
        return WC_OK;
    int32_t code = find_paths(store, &layer->diff_id, &p, err);
    if (code)
        return code;
    code = drop_split(call, store, layer, &p, &dropped, &why);
    if (dropped)
        *bytes += layer->size;
    free_paths(&p);
    if (code != WC_E_NOT_FOUND || is_here(store, layer))
        return code ? wci_err_move(err, why) : WC_OK;
    wc_error_unref(why);
    return WC_OK;
}

int32_t wci_image_drop_blobs(wc_call *call, wci_store *store, const wci_image_record *image, uint64_t *bytes,
                             wc_error **err)
{
    int32_t code = WC_OK;
    *bytes = 0;
    for (size_t i = 0; i < image->layer_count && !code; i++) {
        code = wci_call_check(call, err);
        if (!code)
            code = drop_layer(call, store, &image->layers[i], bytes, err);
    }
    return code;
}

/* ---- Bringing back -------------------------------------------------------------------------------- */

static wci_codec codec_of(wci_again again)
{
    return again == WCI_AGAIN_GZIP ? WCI_CODEC_GZIP : again == WCI_AGAIN_ZSTD ? WCI_CODEC_ZSTD : WCI_CODEC_NONE;
}

static int32_t make_blob(wc_call *call, wci_store *store, wci_hold *hold, const wci_layer_record *layer,
                         wci_again again, wc_error **err)
{
    press p = {.call = call};
    int32_t code = wci_ingest_begin(call, hold, &layer->digest, (int64_t)layer->size, &p.ingest, err);
    if (code || !p.ingest)
        return code; /* somebody else has made it */
    code = wci_ingest_restart(p.ingest, err);
    if (!code)
        code = press_layer(&p, store, layer, codec_of(again), err);
    if (!code)
        code = wci_ingest_commit(p.ingest, err);
    wci_ingest_unref(p.ingest);
    return code;
}

static int32_t make_blobs(wc_call *call, wci_store *store, wci_hold *hold, const wci_image_record *image,
                          int *must_fetch, wci_digest *back, size_t *count, wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; i < image->layer_count && !code; i++) {
        const wci_layer_record *layer = &image->layers[i];
        wci_again again = WCI_AGAIN_NOT;
        code = wci_blob_again(call, store, &layer->digest, &again, err);
        if (code || !again)
            continue;
        back[(*count)++] = layer->digest;
        if (again == WCI_AGAIN_FETCH)
            *must_fetch = 1;
        else
            code = make_blob(call, store, hold, layer, again, err);
    }
    return code;
}

int32_t wci_image_restore_blobs(wc_call *call, wci_store *store, wci_hold *hold, const wci_image_record *image,
                                const wci_transfer *transfer, const char *login_host, wc_error **err)
{
    int must_fetch = 0;
    size_t count = 0;
    wci_digest *back = wci_calloc(image->layer_count + 1, sizeof *back);
    int32_t code = back ? WC_OK : wci_err_nomem(err);
    if (!code)
        code = make_blobs(call, store, hold, image, &must_fetch, back, &count, err);
    if (!code && must_fetch)
        code = wci_layers_refetch(call, store, hold, image, transfer, login_host, err);
    if (!code && count)
        code = wci_blobs_came_back(call, store, back, count, err);
    wci_free(back);
    return code;
}
