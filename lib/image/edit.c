/* SPDX-License-Identifier: Apache-2.0 */
/* The new image is written as an OCI layout, in which what it shares with its base is missing, and then
 * brought in like any other: verified, unpacked, published in one step. */
#include "image/edit.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/documents.h"
#include "image/edit_config.h"
#include "image/edit_layer.h"
#include "image/names.h"
#include "image/outlet.h"
#include "image/pull.h"
#include "platform/host.h"

#define NS_PER_S 1000000000LL

int32_t wci_edit_add_layer(wci_edit *edit, const char *path, int is_tar, wci_strv *skip, wc_error **err)
{
    char *copy = wci_strdup(path);
    if (!copy || !wci_grow(&edit->layers, &edit->layer_cap, edit->layer_count + 1, sizeof *edit->layers)) {
        wci_free(copy);
        if (skip)
            wci_strv_free(skip);
        return wci_err_nomem(err);
    }
    edit->layers[edit->layer_count++] = (wci_edit_layer){copy, is_tar, skip ? *skip : (wci_strv)WCI_STRV_INIT};
    if (skip)
        *skip = (wci_strv)WCI_STRV_INIT;
    return WC_OK;
}

void wci_edit_free(wci_edit *edit)
{
    wci_strv *lists[] = {&edit->env,     &edit->labels,     &edit->annotations, &edit->ports,
                         &edit->volumes, &edit->entrypoint, &edit->cmd};
    char *texts[] = {edit->base,     edit->user,   edit->workdir, edit->stop_signal,
                     edit->platform, edit->author, edit->comment, edit->created_by};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        wci_strv_free(lists[i]);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        wci_free(texts[i]);
    for (size_t i = 0; i < edit->layer_count; i++) {
        wci_free(edit->layers[i].path);
        wci_strv_free(&edit->layers[i].skip);
    }
    wci_free(edit->layers);
    *edit = (wci_edit)WCI_EDIT_INIT;
}

/* ---- The work --------------------------------------------------------------------------------------- */

typedef struct work {
    wc_call *call;
    wci_store *store;
    const wci_edit *edit;
    wci_hold *hold;
    wci_image_record *base; /* NULL: nothing below */
    json_t *base_config;
    wci_scratch scratch;
    char *blobs;
    wci_new_layer *layers;
    int64_t created_ns;
    int64_t latest_sec; /* of files, negative: any */
} work;

/* https://reproducible-builds.org/specs/source-date-epoch */
static int32_t read_epoch(work *w, wc_error **err)
{
    const char *epoch = wci_host_env("SOURCE_DATE_EPOCH");
    uint64_t seconds = 0;
    w->latest_sec = -1;
    w->created_ns = w->edit->created_ns >= 0 ? w->edit->created_ns : wci_now_ns();
    if (!epoch || !*epoch)
        return WC_OK;
    if (!wci_parse_u64(epoch, (uint64_t)(INT64_MAX / NS_PER_S), &seconds))
        return wci_err(err, WC_E_INVALID, "SOURCE_DATE_EPOCH '%.40s': is no number of seconds", epoch);
    w->latest_sec = (int64_t)seconds;
    if (w->edit->created_ns < 0)
        w->created_ns = (int64_t)seconds * NS_PER_S;
    return WC_OK;
}

static int32_t hold_base(work *w, wc_error **err)
{
    int32_t code = wci_hold_add(w->call, w->hold, &w->base->config, err);
    for (size_t i = 0; i < w->base->layer_count && !code; i++) {
        const wci_layer_record *layer = &w->base->layers[i];
        code = wci_hold_add(w->call, w->hold, &layer->digest, err);
        if (!code)
            code = wci_hold_add(w->call, w->hold, &layer->diff_id, err);
        if (!code)
            code = wci_hold_add(w->call, w->hold, &layer->chain_id, err);
    }
    return code;
}

static int32_t open_base(work *w, wc_error **err)
{
    wc_buf *bytes = NULL;
    if (!w->edit->base)
        return WC_OK;
    int32_t code = wci_image_lookup(w->store, w->edit->base, &w->base, NULL, err);
    if (!code)
        code = hold_base(w, err);
    if (!code)
        code = wci_blob_read(w->store, &w->base->config, WCI_CONFIG_MAX, &bytes, err);
    if (!code)
        code = wci_json_parse(wc_buf_data(bytes), wc_buf_size(bytes), WCI_CONFIG_MAX, "config of the base",
                              &w->base_config, err);
    wc_buf_unref(bytes);
    return code;
}

static int32_t write_layers(work *w, wc_error **err)
{
    int32_t code = WC_OK;
    w->layers = wci_calloc(w->edit->layer_count + 1, sizeof *w->layers);
    if (!w->layers)
        return wci_err_nomem(err);
    for (size_t i = 0; i < w->edit->layer_count && !code; i++)
        code = wci_edit_layer_write(w->call, &w->edit->layers[i], w->edit->codec, w->latest_sec, w->blobs,
                                    &w->layers[i], err);
    return code;
}

/* ---- Documents -------------------------------------------------------------------------------------- */

static const char *layer_type(wci_codec codec)
{
    return codec == WCI_CODEC_GZIP   ? WCI_TYPE_OCI_LAYER "+gzip"
           : codec == WCI_CODEC_ZSTD ? WCI_TYPE_OCI_LAYER "+zstd"
                                     : WCI_TYPE_OCI_LAYER;
}

/* Docker's names for the same things; foreign layers keep theirs. */
static const char *oci_type(const char *type)
{
    if (!strcmp(type, "application/vnd.docker.image.rootfs.diff.tar.gzip"))
        return WCI_TYPE_OCI_LAYER "+gzip";
    if (!strcmp(type, "application/vnd.docker.image.rootfs.diff.tar"))
        return WCI_TYPE_OCI_LAYER;
    return type;
}

static json_t *descriptor(const char *type, const wci_digest *digest, uint64_t size)
{
    return json_pack("{s:s, s:s, s:I}", "mediaType", type, "digest", digest->text, "size", (json_int_t)size);
}

static json_t *layer_list(const work *w)
{
    json_t *list = json_array();
    for (size_t i = 0; w->base && i < w->base->layer_count; i++) {
        const wci_layer_record *layer = &w->base->layers[i];
        json_array_append_new(list, descriptor(oci_type(layer->media_type), &layer->digest, layer->size));
    }
    for (size_t i = 0; i < w->edit->layer_count; i++)
        json_array_append_new(list, descriptor(layer_type(w->edit->codec), &w->layers[i].digest, w->layers[i].size));
    return list;
}

static json_t *annotation_object(const wci_strv *pairs)
{
    json_t *object = json_object();
    for (size_t i = 0; i < pairs->count; i++)
        wci_edit_set_pair(object, pairs->items[i]);
    return object;
}

/* Writes a document into the layout; takes it over. */
static int32_t put_document(const work *w, json_t *document, wci_digest *digest, uint64_t *size, wc_error **err)
{
    wc_buf *bytes = NULL;
    char *path = NULL;
    int32_t code = document ? wci_json_dump(document, &bytes, err) : wci_err_nomem(err);
    json_decref(document);
    if (!code)
        code = wci_digest_of(WCI_SHA256, wc_buf_data(bytes), wc_buf_size(bytes), digest, err);
    if (!code)
        path = wci_path_join(w->blobs, wci_digest_hex(digest));
    if (!code)
        code = path ? wci_file_write_atomic(path, wc_buf_data(bytes), wc_buf_size(bytes), 0644, 0, err)
                    : wci_err_nomem(err);
    *size = wc_buf_size(bytes);
    wc_buf_unref(bytes);
    wci_free(path);
    return code;
}

static json_t *manifest_json(const work *w, const wci_digest *config, uint64_t size)
{
    json_t *manifest = json_pack("{s:i, s:s, s:o, s:o}", "schemaVersion", 2, "mediaType", WCI_TYPE_OCI_MANIFEST,
                                 "config", descriptor(WCI_TYPE_OCI_CONFIG, config, size), "layers", layer_list(w));
    if (manifest && w->edit->annotations.count)
        json_object_set_new(manifest, "annotations", annotation_object(&w->edit->annotations));
    return manifest;
}

static int32_t write_text(const work *w, const char *name, const char *text, wc_error **err)
{
    char *path = wci_path_join(w->scratch.dir, name);
    int32_t code = path ? wci_file_write_atomic(path, text, strlen(text), 0644, 0, err) : wci_err_nomem(err);
    wci_free(path);
    return code;
}

static int32_t write_index(const work *w, const wci_digest *manifest, uint64_t size, wc_error **err)
{
    json_t *index = json_pack("{s:i, s:s, s:[o]}", "schemaVersion", 2, "mediaType", WCI_TYPE_OCI_INDEX, "manifests",
                              descriptor(WCI_TYPE_OCI_MANIFEST, manifest, size));
    char *text = index ? wci_json_dump_text(index) : NULL;
    int32_t code = text ? write_text(w, "oci-layout", WCI_LAYOUT_MARKER, err) : wci_err_nomem(err);
    if (!code)
        code = write_text(w, "index.json", text, err);
    json_decref(index);
    wci_free(text);
    return code;
}

static int32_t write_documents(work *w, wci_platform *platform, wc_error **err)
{
    wci_digest config = {""}, manifest = {""};
    uint64_t size = 0;
    json_t *document = NULL;
    int32_t code = wci_edit_config_make(w->edit, w->base_config, w->layers, w->created_ns, &document, err);
    if (!code)
        code = wci_platform_set(platform, json_string_value(json_object_get(document, "os")),
                                json_string_value(json_object_get(document, "architecture")),
                                wci_edit_config_text(document, "variant"),
                                wci_edit_config_text(document, "os.version"), err);
    if (code) {
        json_decref(document);
        return code;
    }
    code = put_document(w, document, &config, &size, err);
    if (!code)
        code = put_document(w, manifest_json(w, &config, size), &manifest, &size, err);
    return code ? code : write_index(w, &manifest, size, err);
}

/* ---- All together ----------------------------------------------------------------------------------- */

static int32_t bring_in(const work *w, const wci_platform *platform, const char *name, wci_image_record **out,
                        wc_error **err)
{
    wci_transfer transfer = WCI_TRANSFER_INIT;
    wci_place place = {.kind = WCI_PLACE_OCI, .path = w->scratch.dir};
    transfer.platform = *platform;
    transfer.has_platform = 1;
    transfer.is_own_work = 1;
    int32_t code = name && wci_strv_add(&transfer.names, name) ? wci_err_nomem(err) : WC_OK;
    if (!code)
        code = wci_image_pull(w->call, w->store, &place, &transfer, out, err);
    wci_strv_free(&transfer.names);
    return code;
}

static int32_t make(work *w, const char *name, wci_image_record **out, wc_error **err)
{
    wci_platform platform = {NULL, NULL, NULL, NULL};
    int32_t code = read_epoch(w, err);
    if (!code)
        code = open_base(w, err);
    if (!code)
        code = wci_scratch_new(w->store, &w->scratch, err);
    if (!code)
        w->blobs = wci_path_join3(w->scratch.dir, "blobs", "sha256");
    if (!code)
        code = w->blobs ? wci_dir_make(w->blobs, 0755, err) : wci_err_nomem(err);
    if (!code)
        code = write_layers(w, err);
    if (!code)
        code = write_documents(w, &platform, err);
    if (!code)
        code = bring_in(w, &platform, name, out, err);
    wci_platform_clear(&platform);
    return code;
}

int32_t wci_edit_apply(wc_call *call, wci_store *store, const wci_edit *edit, const char *name,
                       wci_image_record **out, wc_error **err)
{
    work w = {.call = call, .store = store, .edit = edit};
    char *whole = NULL;
    int32_t code = name ? wci_name_normalise_tag(name, &whole, err) : WC_OK;
    if (!code)
        code = wci_hold_new(store, &w.hold, err);
    if (!code)
        code = make(&w, whole, out, err);
    if (w.scratch.dir)
        wci_scratch_free(&w.scratch);
    if (w.hold)
        wci_hold_free(w.hold);
    wci_image_record_free(w.base);
    json_decref(w.base_config);
    wci_free(w.blobs);
    wci_free(w.layers);
    wci_free(whole);
    if (!code)
        return WC_OK;
    const char *called = name ? name : edit->base;
    return called ? wci_err_wrap(err, code, "image '%s': cannot be made", called)
                  : wci_err_wrap(err, code, "the image cannot be made");
}
