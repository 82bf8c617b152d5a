/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/edit_layer.h"
#include "image/names.h"
#include "image/pack_work.h"
#include "layer/plain.h"
#include "layer/split.h"

/* ---- One layer ------------------------------------------------------------------------------------ */

typedef struct packing {
    wci_pack_work *work;
    wci_pack_layer *layer;
    wci_fd root, split, listing;
    wci_survey survey;
    int is_same;
} packing;

static int32_t open_layer(packing *p, size_t number, wc_error **err)
{
    char name[24];
    wci_fd layers = WCI_FD_NONE, dir = WCI_FD_NONE;
    snprintf(name, sizeof name, "%zu", number);
    int32_t code = wci_tree_open_dir(p->work->dir, WCI_UNPACKED_LAYERS, &layers, err);
    if (!code)
        code = wci_tree_open_dir(layers, name, &dir, err);
    if (!code)
        code = wci_tree_open_dir(dir, WCI_UNPACKED_TREE, &p->root, err);
    if (!code)
        code = wci_tree_open_file(dir, WCI_UNPACKED_SPLIT, &p->split, err);
    if (!code)
        code = wci_tree_open_file(dir, WCI_UNPACKED_LISTING, &p->listing, err);
    wci_fd_close(dir);
    wci_fd_close(layers);
    return code;
}

static int32_t check_record(const packing *p, wci_fd file, const wci_digest *wanted, const char *name, wc_error **err)
{
    wci_digest found;
    int32_t code = wci_unpacked_digest(p->work->call, file, &found, err);
    if (!code && !wci_digest_equal(&found, wanted))
        code = wci_err(err, WC_E_CORRUPT, "'%s': damaged; unpack the image again", name);
    return code;
}

static int32_t check_records(const packing *p, wc_error **err)
{
    int32_t code = check_record(p, p->split, &p->layer->split, WCI_UNPACKED_SPLIT, err);
    return code ? code : check_record(p, p->listing, &p->layer->listing, WCI_UNPACKED_LISTING, err);
}

static void close_layer(packing *p)
{
    wci_survey_free(&p->survey);
    wci_fd_close(p->root);
    wci_fd_close(p->split);
    wci_fd_close(p->listing);
}

static int is_windows(const wci_pack_work *w)
{
    return wci_streq(w->config->platform.os, "windows");
}

/* As it was, byte for byte, or with what has changed. */
static int32_t fill(void *self, wc_call *call, const wci_sink *to, wc_error **err)
{
    const packing *p = self;
    const wci_join_input input = {.root = p->root, .records = p->split, .what = WCI_UNPACKED_SPLIT};
    const wci_plain_layer layer = {.root = p->root, .records = p->split, .what = WCI_UNPACKED_SPLIT,
                                   .windows = is_windows(p->work), .latest_sec = p->work->latest_sec,
                                   .survey = (wci_survey *)(uintptr_t)&p->survey};
    return p->is_same ? wci_layer_join_files(&input, &p->layer->diff_id, to, err) : wci_plain_pack(call, &layer, to, err);
}

static int32_t drop_bytes(void *self, const void *data, size_t size, wc_error **err)
{
    (void)data;
    (void)size;
    return wci_call_check(((const packing *)self)->work->call, err);
}

/* The store has the blob: it is enough that tree and records give what it unpacks to. */
static int32_t check_same(packing *p, wc_error **err)
{
    const wci_sink to = {drop_bytes, p};
    return fill(p, p->work->call, &to, err);
}

static int32_t write_blob(packing *p, const char *media_type, wc_error **err)
{
    wci_pack_work *w = p->work;
    wci_pack_layer *layer = p->layer;
    const wci_layer_fill from = {fill, p};
    wci_new_layer made;
    wci_codec codec = WCI_CODEC_NONE;
    int32_t code = wci_codec_of_media_type(media_type, &codec, err);
    if (!code)
        code = wci_edit_layer_fill(w->call, &from, codec, w->layout.blobs, &made, err);
    if (code)
        return code;
    layer->is_other_blob = !wci_digest_equal(&layer->digest, &made.digest);
    layer->is_other_tar = !wci_digest_equal(&layer->diff_id, &made.diff_id);
    layer->digest = made.digest;
    layer->diff_id = made.diff_id;
    layer->size = made.size;
    return WC_OK;
}

static int32_t has_blob(const packing *p, int *has, wc_error **err)
{
    uint64_t size = 0;
    int32_t code = wci_hold_add(p->work->call, p->work->hold, &p->layer->digest, err);
    if (!code)
        *has = !wci_blob_stat(p->work->store, &p->layer->digest, &size, NULL) && size == p->layer->size;
    return code;
}

static int32_t make_blob(packing *p, const char *media_type, wc_error **err)
{
    int has = 0;
    int32_t code = p->is_same ? has_blob(p, &has, err) : WC_OK;
    if (code)
        return code;
    return has ? check_same(p, err) : write_blob(p, media_type, err);
}

/* ---- What has changed ----------------------------------------------------------------------------- */

enum { CHANGED = 0, ADDED = 1, DELETED = 2 }; /* as in wc_image_diff() */

static int32_t note(json_t *changes, size_t layer, const char *path, int kind, wc_error **err)
{
    wci_str text = WCI_STR_INIT;
    wci_str_append_utf8(&text, path);
    json_t *change = text.failed ? NULL
                                 : json_pack("{s:I, s:s, s:i}", "Layer", (json_int_t)layer, "Path", text.data, "Kind", kind);
    wci_str_free(&text);
    return change && !json_array_append_new(changes, change) ? WC_OK : wci_err_nomem(err);
}

static int32_t note_changes(const packing *p, size_t layer, wc_error **err)
{
    const wci_survey *s = &p->survey;
    json_t *changes = p->work->changes;
    int32_t code = WC_OK;
    for (size_t i = 0; i < s->listed_count && !code; i++)
        if (s->listed[i].state != WCI_ITEM_SAME)
            code = note(changes, layer, s->listed[i].path, s->listed[i].state == WCI_ITEM_GONE ? DELETED : CHANGED, err);
    for (size_t i = 0; i < s->added_count && !code; i++)
        code = note(changes, layer, s->added[i].path, ADDED, err);
    return code;
}

static int32_t pack_layer(wci_pack_work *w, size_t i, wc_error **err)
{
    packing p = {.work = w, .layer = &w->layers[i], .root = WCI_FD_NONE, .split = WCI_FD_NONE, .listing = WCI_FD_NONE};
    int32_t code = open_layer(&p, i + 1, err);
    if (!code)
        code = check_records(&p, err);
    if (!code)
        code = wci_survey_take(w->call, p.root, p.listing, WCI_UNPACKED_LISTING, is_windows(w), &p.survey, err);
    p.is_same = !code && wci_survey_is_same(&p.survey);
    if (!code)
        code = make_blob(&p, w->manifest->items[i].media_type, err);
    if (!code)
        code = note_changes(&p, i + 1, err);
    close_layer(&p);
    return code ? wci_err_wrap(err, code, "'" WCI_UNPACKED_LAYERS "/%zu'", i + 1) : WC_OK;
}

/* ---- The image ------------------------------------------------------------------------------------ */

static int32_t open_work(wci_pack_work *w, const char *path, wc_error **err)
{
    int32_t code = wci_source_date_epoch(&w->latest_sec, err);
    if (!code)
        code = wci_hold_new(w->store, &w->hold, err);
    if (!code)
        code = wci_tree_open_root(path, &w->dir, err);
    if (!code)
        code = wci_pack_documents_read(w, err);
    if (!code)
        code = wci_own_layout_open(w->store, &w->layout, err);
    if (!code && !(w->changes = json_array()))
        code = wci_err_nomem(err);
    return code;
}

static void close_work(wci_pack_work *w)
{
    wci_own_layout_close(&w->layout);
    if (w->hold)
        wci_hold_free(w->hold);
    wci_fd_close(w->dir);
    wc_buf_unref(w->manifest_bytes);
    wc_buf_unref(w->config_bytes);
    json_decref(w->manifest_json);
    json_decref(w->config_json);
    json_decref(w->changes);
    wci_document_free(w->manifest);
    wci_image_config_free(w->config);
    wci_free(w->layers);
}

static int32_t make(wci_pack_work *w, const char *path, const char *name, wci_image_record **out, wc_buf **changes,
                    wc_error **err)
{
    wc_buf *told = NULL;
    int32_t code = open_work(w, path, err);
    for (size_t i = 0; i < w->count && !code; i++)
        code = pack_layer(w, i, err);
    if (!code)
        code = wci_pack_documents_write(w, err);
    if (!code && changes)
        code = wci_json_dump(w->changes, &told, err);
    if (!code)
        code = wci_own_layout_bring_in(w->call, w->store, &w->layout, &w->config->platform, name, out, err);
    if (!code && changes)
        *changes = told;
    else
        wc_buf_unref(told);
    return code;
}

int32_t wci_image_pack(wc_call *call, wci_store *store, const char *path, const char *name, wci_image_record **out,
                       wc_buf **changes, wc_error **err)
{
    wci_pack_work w = {.call = call, .store = store, .dir = WCI_FD_NONE};
    char *whole = NULL;
    int32_t code = name ? wci_name_normalise_tag(name, &whole, err) : WC_OK;
    if (!code)
        code = make(&w, path, whole, out, changes, err);
    close_work(&w);
    wci_free(whole);
    return code ? wci_err_wrap(err, code, "directory '%s': cannot be packed", path) : WC_OK;
}
