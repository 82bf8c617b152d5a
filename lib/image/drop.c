/* SPDX-License-Identifier: Apache-2.0 */
#include "image/drop.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/config.h"
#include "image/layer_reader.h"
#include "image/refetch.h"
#include "layer/split.h"

#define CHUNK ((size_t)256 * 1024)

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
    int32_t (*take)(void *self, const void *data, size_t size, wc_error **err); /* what comes out */
    void *self;
} press;

static int32_t take_plain(void *self, const void *data, size_t size, wc_error **err)
{
    press *p = self;
    int32_t code = wci_call_check(p->call, err);
    if (code)
        return code;
    return p->encoder ? wci_encoder_write(p->encoder, data, size, err) : p->take(p->self, data, size, err);
}

static int32_t press_layer(press *p, wci_store *store, const wci_layer_record *layer, wci_codec codec, wc_error **err)
{
    const wci_sink packed = {p->take, p->self}, plain = {take_plain, p};
    int32_t code = codec == WCI_CODEC_NONE ? WC_OK : wci_encoder_new(codec, &packed, &p->encoder, err);
    if (!code)
        code = wci_layer_join_dropped(store, layer, &plain, err);
    if (!code && p->encoder)
        code = wci_encoder_end(p->encoder, err);
    wci_encoder_free(p->encoder);
    p->encoder = NULL;
    return code;
}

/* The blob, as far as what we make is the same. */
typedef struct likeness {
    wci_fd blob;
    uint64_t at;
    char *buffer;
    int differs;
} likeness;

static int32_t compare(likeness *l, const char *data, size_t size, wc_error **err)
{
    size_t got = 0;
    int32_t code = wci_fd_pread(l->blob, l->buffer, size, l->at, &got, err);
    if (code)
        return code;
    l->at += got;
    l->differs = got < size || memcmp(l->buffer, data, size) != 0;
    return l->differs ? wci_err(err, WC_E_DIGEST, "not our compression") : WC_OK;
}

static int32_t compare_all(void *self, const void *data, size_t size, wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t done = 0, part; done < size && !code; done += part) {
        part = size - done < CHUNK ? size - done : CHUNK;
        code = compare(self, (const char *)data + done, part, err);
    }
    return code;
}

/* Other people's compression shows within the first bytes, so that only what is ours is compressed whole. */
static int32_t is_ours(const wc_call *call, wci_store *store, const wci_layer_record *layer, wci_codec codec,
                       int *ours, wc_error **err)
{
    uint64_t size = 0;
    wc_error *why = NULL;
    likeness l = {.blob = WCI_FD_NONE, .buffer = wci_malloc(CHUNK)};
    press p = {.call = call, .take = compare_all, .self = &l};
    int32_t code = l.buffer ? wci_blob_open(store, &layer->digest, &l.blob, &size, &why) : wci_err_nomem(&why);
    if (!code)
        code = press_layer(&p, store, layer, codec, &why);
    *ours = !code && l.at == size;
    wci_fd_close(l.blob);
    wci_free(l.buffer);
    if (code && !l.differs)
        return wci_err_move(err, why);
    wc_error_unref(why);
    return WC_OK;
}

/* ---- Dropping ------------------------------------------------------------------------------------- */

static wci_again again_of(wci_codec codec)
{
    return codec == WCI_CODEC_NONE ? WCI_AGAIN_PLAIN : codec == WCI_CODEC_GZIP ? WCI_AGAIN_GZIP : WCI_AGAIN_ZSTD;
}

/* What we can make needs nobody else. */
static int32_t find_way(wc_call *call, wci_store *store, const wci_layer_record *layer, wci_codec codec,
                        wci_again *again, wc_error **err)
{
    wci_strv repositories = WCI_STRV_INIT;
    int ours = 0;
    *again = WCI_AGAIN_NOT;
    int32_t code = is_ours(call, store, layer, codec, &ours, err);
    if (code || ours) {
        *again = code ? WCI_AGAIN_NOT : again_of(codec);
        return code;
    }
    code = wci_blob_sources(call, store, &layer->digest, &repositories, err);
    if (!code && repositories.count)
        *again = WCI_AGAIN_FETCH;
    wci_strv_free(&repositories);
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

static int32_t take_made(void *self, const void *data, size_t size, wc_error **err)
{
    return wci_ingest_write(self, data, size, err);
}

static int32_t make_blob(wc_call *call, wci_store *store, wci_hold *hold, const wci_layer_record *layer,
                         wci_again again, wc_error **err)
{
    wci_ingest *ingest = NULL;
    int32_t code = wci_ingest_begin(call, hold, &layer->digest, (int64_t)layer->size, &ingest, err);
    if (code || !ingest)
        return code; /* somebody else has made it */
    press p = {.call = call, .take = take_made, .self = ingest};
    code = wci_ingest_restart(ingest, err);
    if (!code)
        code = press_layer(&p, store, layer, codec_of(again), err);
    if (!code)
        code = wci_ingest_commit(ingest, err);
    wci_ingest_unref(ingest);
    return code;
}

typedef struct restoring {
    wc_call *call;
    wci_store *store;
    const wci_restoring *how;
    const wci_descriptor **fetched; /* those that cannot be made */
    size_t fetched_count;
    wci_digest *back;
    size_t count;
} restoring;

static int32_t restore_one(restoring *r, const wci_descriptor *blob, wc_error **err)
{
    wci_again again = WCI_AGAIN_NOT;
    wci_layer_record layer = {.digest = blob->digest, .size = (uint64_t)blob->size};
    int32_t code = wci_blob_again(r->call, r->store, &blob->digest, &again, err);
    if (code || !again)
        return code;
    wc_error *why = NULL;
    code = wci_layer_of_blob(r->call, r->store, &blob->digest, &layer.diff_id, &why);
    if (!code && r->how->tar_suffices && wci_layer_can_be_joined(r->store, &layer.diff_id))
        return WC_OK;
    if (code && (code != WC_E_NOT_FOUND || again != WCI_AGAIN_FETCH))
        return wci_err_move(err, why);
    wc_error_unref(why);
    r->back[r->count++] = blob->digest;
    if (again != WCI_AGAIN_FETCH)
        return make_blob(r->call, r->store, r->how->hold, &layer, again, err);
    r->fetched[r->fetched_count++] = blob;
    return WC_OK;
}

static int32_t restore_all(restoring *r, const wci_descriptor *const *blobs, size_t count, wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; i < count && !code; i++)
        code = restore_one(r, blobs[i], err);
    if (!code && r->fetched_count)
        code = wci_layers_refetch(r->call, r->store, r->how->hold, r->fetched, r->fetched_count, r->how->transfer,
                                  r->how->login_host, err);
    if (!code && r->count)
        code = wci_blobs_came_back(r->call, r->store, r->back, r->count, err);
    return code;
}

int32_t wci_blobs_restore(wc_call *call, wci_store *store, const wci_restoring *how, const wci_descriptor *const *blobs,
                          size_t count, wc_error **err)
{
    restoring r = {.call = call, .store = store, .how = how};
    r.fetched = wci_calloc(count + 1, sizeof *r.fetched);
    r.back = wci_calloc(count + 1, sizeof *r.back);
    int32_t code = r.fetched && r.back ? restore_all(&r, blobs, count, err) : wci_err_nomem(err);
    wci_free(r.fetched);
    wci_free(r.back);
    return code;
}

int32_t wci_image_restore_blobs(wc_call *call, wci_store *store, const wci_restoring *how, const wci_image_record *image,
                                wc_error **err)
{
    wci_document *manifest = NULL;
    int32_t code = wci_image_manifest_load(store, image, &manifest, err);
    if (code)
        return code;
    const wci_descriptor **layers = wci_calloc(manifest->count + 1, sizeof *layers);
    for (size_t i = 0; layers && i < manifest->count; i++)
        layers[i] = &manifest->items[i];
    code = layers ? wci_blobs_restore(call, store, how, layers, manifest->count, err) : wci_err_nomem(err);
    wci_free(layers);
    wci_document_free(manifest);
    return code;
}
