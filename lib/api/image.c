/* SPDX-License-Identifier: Apache-2.0 */
#include "api/image.h"

#include <string.h>

#include "container/image_mount.h"
#include "core/alloc.h"
#include "core/list.h"
#include "image/assemble.h"
#include "image/choose.h"
#include "image/config.h"
#include "image/copy.h"
#include "image/diff.h"
#include "image/documents.h"
#include "image/export.h"
#include "image/inspect.h"
#include "image/drop.h"
#include "image/names.h"
#include "image/pull.h"
#include "image/unpacked.h"

/* A layer lives in its image, and holds it. */
struct wc_layer {
    wc_image *image;
    const wci_layer_record *record;
};

struct wc_image {
    wci_ref refs;
    wc_context *context;
    wci_image_record *record;
    wc_layer *layers;
};

static wci_store *store_of(const wc_context *context)
{
    return context->engine->store;
}

int32_t wci_api_image_new(wc_context *context, wci_image_record *record, wc_image **out, wc_error **err)
{
    wc_image *image = wci_calloc(1, sizeof *image);
    wc_layer *layers = wci_calloc(record->layer_count + 1, sizeof *layers);
    if (!image || !layers) {
        wci_free(image);
        wci_free(layers);
        wci_image_record_free(record);
        return wci_err_nomem(err);
    }
    wci_ref_init(&image->refs);
    image->context = wc_context_ref(context);
    image->record = record;
    image->layers = layers;
    for (size_t i = 0; i < record->layer_count; i++)
        layers[i] = (wc_layer){image, &record->layers[i]};
    *out = image;
    return WC_OK;
}

static void release_image(void *image)
{
    wc_image_unref(image);
}

/* Takes the records over, also on failure. */
static int32_t make_list(wc_context *context, wci_image_record **records, size_t count,
                         wc_list **out, wc_error **err)
{
    wc_list *list = NULL;
    int32_t rc = wci_list_new(WCI_LIST_IMAGE, release_image, &list, err);
    for (size_t i = 0; i < count && !rc; i++) {
        wc_image *image = NULL;
        rc = wci_api_image_new(context, records[i], &image, err);
        records[i] = NULL;
        if (!rc)
            rc = wci_list_add(list, image, err);
    }
    wci_image_records_free(records, count);
    if (rc)
        wc_list_unref(list);
    else
        *out = list;
    return rc;
}

/* ---- Moving images ------------------------------------------------------------------------------ */

static int32_t pull(wc_call *call, wci_store *store, const char *source, const wci_transfer *transfer,
                    wci_image_record **out, wc_error **err)
{
    const char *stored = wci_place_store_name(source);
    wci_place place = WCI_PLACE_INIT;
    if (stored)
        return wci_image_choose(call, store, stored, transfer, out, err);
    int32_t rc = wci_place_parse(source, &place, err);
    if (!rc)
        rc = wci_image_pull(call, store, &place, transfer, out, err);
    wci_place_free(&place);
    return rc;
}

int32_t wc_image_pull(wc_context *context, const char *source, const wc_transfer_options *options,
                      wc_cancel *cancel, wc_image **out, wc_error **err)
{
    wc_call call;
    const wci_transfer *transfer;
    wci_image_record *record = NULL;
    int32_t rc = wci_api_begin_transfer(context, options, cancel, &call, &transfer, err);
    if (rc)
        return rc;
    WCI_REQUIRE(source && *source, "source is empty");
    WCI_REQUIRE(out, "out is NULL");
    rc = pull(&call, store_of(context), source, transfer, &record, err);
    return rc ? rc : wci_api_image_new(context, record, out, err);
}

int32_t wc_image_load(wc_context *context, const char *path, const wc_transfer_options *options,
                      wc_cancel *cancel, wc_list **out, wc_error **err)
{
    wc_call call;
    const wci_transfer *transfer;
    wci_image_record **records = NULL;
    size_t count = 0;
    int32_t rc = wci_api_begin_transfer(context, options, cancel, &call, &transfer, err);
    if (rc)
        return rc;
    WCI_REQUIRE(path && *path, "path is empty");
    WCI_REQUIRE(out, "out is NULL");
    rc = wci_image_load(&call, store_of(context), path, transfer, &records, &count, err);
    return rc ? rc : make_list(context, records, count, out, err);
}

int32_t wc_image_save(wc_context *context, const char *const *names, size_t count,
                      const char *target, const wc_transfer_options *options, wc_cancel *cancel,
                      wc_error **err)
{
    wc_call call;
    const wci_transfer *transfer;
    int32_t rc = wci_api_begin_transfer(context, options, cancel, &call, &transfer, err);
    if (rc)
        return rc;
    WCI_REQUIRE(names && count, "there are no names");
    for (size_t i = 0; i < count; i++)
        WCI_REQUIRE(names[i] && *names[i], "a name is empty");
    WCI_REQUIRE(target && *target, "target is empty");
    return wci_image_save(&call, store_of(context), names, count, target, transfer, err);
}

int32_t wc_image_push(wc_context *context, const char *name_or_id, const char *target,
                      const wc_transfer_options *options, wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    const wci_transfer *transfer;
    int32_t rc = wci_api_begin_transfer(context, options, cancel, &call, &transfer, err);
    if (rc)
        return rc;
    WCI_REQUIRE(name_or_id && *name_or_id, "name_or_id is empty");
    WCI_REQUIRE(!target || *target, "target is empty");
    return wci_image_push(&call, store_of(context), name_or_id, target, transfer, err);
}

int32_t wc_image_copy(wc_context *context, const char *source, const char *target,
                      const wc_transfer_options *options, wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    const wci_transfer *transfer;
    int32_t rc = wci_api_begin_transfer(context, options, cancel, &call, &transfer, err);
    if (rc)
        return rc;
    WCI_REQUIRE(source && *source, "source is empty");
    WCI_REQUIRE(target && *target, "target is empty");
    return wci_image_copy(&call, store_of(context), source, target, transfer, err);
}

/* ---- Images of the store ------------------------------------------------------------------------ */

int32_t wc_image_open(wc_context *context, const char *name_or_id, wc_image **out, wc_error **err)
{
    wc_call call;
    wci_image_record *record = NULL;
    char *name = NULL;
    int32_t rc = wci_api_begin(context, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(name_or_id && *name_or_id, "name_or_id is empty");
    WCI_REQUIRE(out, "out is NULL");
    rc = wci_image_lookup(store_of(context), name_or_id, &record, &name, err);
    if (rc)
        return rc;
    if (name)
        wci_names_put_first(record, name);
    wci_free(name);
    return wci_api_image_new(context, record, out, err);
}

int32_t wc_image_list(wc_context *context, wc_list **out, wc_error **err)
{
    wc_call call;
    wci_image_record **records = NULL;
    size_t count = 0;
    int32_t rc = wci_api_begin(context, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(out, "out is NULL");
    rc = wci_image_list(store_of(context), &records, &count, err);
    return rc ? rc : make_list(context, records, count, out, err);
}

int32_t wc_image_tag(wc_image *image, const char *name, wc_error **err)
{
    wc_call call;
    char *whole = NULL;
    wci_digest index = {""};
    WCI_REQUIRE(image, "image is NULL");
    WCI_REQUIRE(name && *name, "name is empty");
    int32_t rc = wci_api_begin(image->context, NULL, &call, err);
    if (!rc)
        rc = wci_name_normalise_tag(name, &whole, err);
    if (!rc) {
        wci_index_of_name(image->record, wc_image_name(image, 0), &index);
        rc = wci_image_tag(store_of(image->context), &image->record->manifest, &index, whole, err);
    }
    wci_free(whole);
    return rc;
}

int32_t wc_image_index_create(wc_context *context, const char *name, const char *const *images, size_t count,
                              uint64_t flags, const wc_transfer_options *options, wc_cancel *cancel, wc_image **out,
                              wc_error **err)
{
    wc_call call;
    const wci_transfer *transfer;
    int32_t rc = wci_api_begin_transfer(context, options, cancel, &call, &transfer, err);
    if (rc)
        return rc;
    WCI_REQUIRE(name && *name, "name is empty");
    WCI_REQUIRE(images && count, "there are no images");
    for (size_t i = 0; i < count; i++)
        WCI_REQUIRE(images[i] && *images[i], "an image is empty");
    WCI_REQUIRE(!(flags & ~(uint64_t)WC_INDEX_AMEND), "unknown flags");
    rc = wci_index_create(&call, store_of(context), name, images, count, flags & WC_INDEX_AMEND, transfer, err);
    return rc || !out ? rc : wc_image_open(context, name, out, err);
}

int32_t wc_image_remove(wc_context *context, const char *name_or_id, uint64_t flags,
                        wc_cancel *cancel, wc_list **removed, wc_error **err)
{
    wc_call call;
    wci_strv lines = WCI_STRV_INIT;
    int32_t rc = wci_api_begin(context, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(name_or_id && *name_or_id, "name_or_id is empty");
    WCI_REQUIRE(!(flags & ~(uint64_t)WC_REMOVE_FORCE), "flags has unknown bits");
    rc = wci_image_forget(&call, store_of(context), name_or_id, (flags & WC_REMOVE_FORCE) != 0,
                          &lines, err);
    if (!rc && removed)
        rc = wci_list_of_strings(&lines, removed, err);
    wci_strv_free(&lines);
    return rc;
}

int32_t wc_image_drop_blobs(wc_image *image, wc_cancel *cancel, int64_t *freed, wc_error **err)
{
    wc_call call;
    wci_image_record *now = NULL;
    uint64_t bytes = 0;
    WCI_REQUIRE(image, "image is NULL");
    int32_t rc = wci_api_begin(image->context, cancel, &call, err);
    if (!rc)
        rc = wci_image_find(store_of(image->context), image->record->manifest.text, &now, err);
    if (!rc)
        rc = wci_image_drop_blobs(&call, store_of(image->context), now, &bytes, err);
    wci_image_record_free(now);
    if (!rc && freed)
        *freed = (int64_t)bytes;
    return rc;
}

/* ---- One image ---------------------------------------------------------------------------------- */

wc_image *wc_image_ref(wc_image *image)
{
    if (image)
        wci_ref_take(&image->refs);
    return image;
}

void wc_image_unref(wc_image *image)
{
    if (!image || !wci_ref_drop(&image->refs))
        return;
    wci_image_record_free(image->record);
    wc_context_unref(image->context);
    wci_free(image->layers);
    wci_free(image);
}

const char *wc_image_id(const wc_image *image)
{
    return image ? image->record->config.text : "";
}

const char *wc_image_digest(const wc_image *image)
{
    return image ? image->record->manifest.text : "";
}

const char *wc_image_index_digest(const wc_image *image)
{
    if (!image)
        return "";
    const wci_strv *own = &image->record->name_indexes;
    return own->count ? own->items[0] : image->record->index.text;
}

size_t wc_image_name_count(const wc_image *image)
{
    return image ? image->record->names.count : 0;
}

const char *wc_image_name(const wc_image *image, size_t index)
{
    return index < wc_image_name_count(image) ? image->record->names.items[index] : NULL;
}

const char *wc_image_os(const wc_image *image)
{
    return image ? image->record->os : "";
}

const char *wc_image_architecture(const wc_image *image)
{
    return image ? image->record->arch : "";
}

const char *wc_image_variant(const wc_image *image)
{
    return image ? image->record->variant : "";
}

int64_t wc_image_created(const wc_image *image)
{
    return image ? image->record->created_ns : 0;
}

int64_t wc_image_size(const wc_image *image)
{
    return image ? (int64_t)image->record->size : 0;
}

size_t wc_image_layer_count(const wc_image *image)
{
    return image ? image->record->layer_count : 0;
}

wc_layer *wc_image_layer(const wc_image *image, size_t index)
{
    return index < wc_image_layer_count(image) ? &image->layers[index] : NULL;
}

static int32_t read_document(const wc_image *image, const wci_digest *digest, const char *kind, size_t max, wc_buf **out,
                             wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(image->context, NULL, &call, err);
    return rc ? rc : wci_image_document_read(store_of(image->context), image->record, digest, kind, max, out, err);
}

int32_t wc_image_manifest(wc_image *image, wc_buf **out, wc_error **err)
{
    WCI_REQUIRE(image, "image is NULL");
    WCI_REQUIRE(out, "out is NULL");
    return read_document(image, &image->record->manifest, "manifest", WCI_MANIFEST_MAX, out, err);
}

int32_t wc_image_index(wc_image *image, wc_buf **out, wc_error **err)
{
    wc_call call;
    wci_digest digest;
    WCI_REQUIRE(image, "image is NULL");
    WCI_REQUIRE(out, "out is NULL");
    const char *text = wc_image_index_digest(image);
    int32_t rc = wci_api_begin(image->context, NULL, &call, err);
    if (rc)
        return rc;
    if (!*text)
        return wci_err(err, WC_E_NOT_FOUND, "image '%s': its name leads to no index",
                       image->record->names.count ? image->record->names.items[0] : wc_image_id(image));
    rc = wci_digest_parse(text, &digest, err);
    return rc ? rc : read_document(image, &digest, "index", WCI_MANIFEST_MAX, out, err);
}

int32_t wc_image_config(wc_image *image, wc_buf **out, wc_error **err)
{
    WCI_REQUIRE(image, "image is NULL");
    WCI_REQUIRE(out, "out is NULL");
    return read_document(image, &image->record->config, "config", WCI_CONFIG_MAX, out, err);
}

int32_t wc_image_inspect(wc_image *image, wc_buf **out, wc_error **err)
{
    wc_call call;
    WCI_REQUIRE(image, "image is NULL");
    WCI_REQUIRE(out, "out is NULL");
    int32_t rc = wci_api_begin(image->context, NULL, &call, err);
    return rc ? rc : wci_image_inspect(store_of(image->context), image->record, out, err);
}

static int32_t export_image(const wc_image *image, const char *path, wci_fd fd, wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(image->context, cancel, &call, err);
    return rc ? rc : wci_image_export(&call, store_of(image->context), image->record, path, fd, err);
}

int32_t wc_image_export(wc_image *image, const char *path, wc_cancel *cancel, wc_error **err)
{
    WCI_REQUIRE(image, "image is NULL");
    WCI_REQUIRE(path && *path, "path is empty");
    return export_image(image, path, WCI_FD_NONE, cancel, err);
}

int32_t wc_image_export_fd(wc_image *image, intptr_t fd, wc_cancel *cancel, wc_error **err)
{
    WCI_REQUIRE(image, "image is NULL");
    WCI_REQUIRE(fd >= 0, "fd is negative");
    return export_image(image, NULL, (wci_fd)fd, cancel, err);
}

int32_t wc_image_unpack(wc_image *image, const char *path, const wc_transfer_options *options, wc_cancel *cancel,
                        wc_error **err)
{
    wc_call call;
    const wci_transfer *transfer;
    WCI_REQUIRE(image, "image is NULL");
    WCI_REQUIRE(path && *path, "path is empty");
    int32_t rc = wci_api_begin_transfer(image->context, options, cancel, &call, &transfer, err);
    return rc ? rc : wci_image_unpack(&call, store_of(image->context), image->record, path, transfer, err);
}

int32_t wc_image_pack(wc_context *context, const char *path, const char *name, const wc_transfer_options *options,
                      wc_cancel *cancel, wc_image **out, wc_buf **changes, wc_error **err)
{
    wc_call call;
    const wci_transfer *transfer;
    wci_image_record *record = NULL;
    wc_buf *told = NULL;
    int32_t rc = wci_api_begin_transfer(context, options, cancel, &call, &transfer, err);
    if (rc)
        return rc;
    WCI_REQUIRE(path && *path, "path is empty");
    WCI_REQUIRE(!name || *name, "name is empty");
    WCI_REQUIRE(out, "out is NULL");
    rc = wci_image_pack(&call, store_of(context), path, name, &record, changes ? &told : NULL, err);
    if (!rc)
        rc = wci_api_image_new(context, record, out, err);
    if (!rc && changes)
        *changes = told;
    else
        wc_buf_unref(told);
    return rc;
}

int32_t wc_image_mount(wc_image *image, const char *path, wc_error **err)
{
    wc_call call;
    WCI_REQUIRE(image, "image is NULL");
    WCI_REQUIRE(path && *path, "path is empty");
    int32_t rc = wci_api_begin(image->context, NULL, &call, err);
    return rc ? rc : wci_image_mount(&call, store_of(image->context), image->record, path, err);
}

int32_t wc_image_unmount(wc_context *context, const char *path, uint64_t flags, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(path && *path, "path is empty");
    WCI_REQUIRE(!(flags & ~(uint64_t)WC_UNMOUNT_FORCE), "unknown flags");
    return wci_image_unmount(store_of(context), path, flags & WC_UNMOUNT_FORCE, err);
}

int32_t wc_image_mounts(wc_context *context, wc_buf **out, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(out, "out is NULL");
    return wci_image_mounts(store_of(context), out, err);
}

int32_t wc_image_diff(wc_image *from, wc_image *to, wc_cancel *cancel, wc_buf **out, wc_error **err)
{
    wc_call call;
    WCI_REQUIRE(from && to, "an image is NULL");
    WCI_REQUIRE(out, "out is NULL");
    int32_t rc = wci_api_begin(from->context, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(from->context->engine == to->context->engine, "the images belong to different contexts");
    return wci_image_diff(&call, store_of(from->context), from->record, to->record, out, err);
}

/* ---- One layer ---------------------------------------------------------------------------------- */

wc_layer *wc_layer_ref(wc_layer *layer)
{
    if (layer)
        wc_image_ref(layer->image);
    return layer;
}

void wc_layer_unref(wc_layer *layer)
{
    if (layer)
        wc_image_unref(layer->image);
}

const char *wc_layer_digest(const wc_layer *layer)
{
    return layer ? layer->record->digest.text : "";
}

const char *wc_layer_diff_id(const wc_layer *layer)
{
    return layer ? layer->record->diff_id.text : "";
}

const char *wc_layer_chain_id(const wc_layer *layer)
{
    return layer ? layer->record->chain_id.text : "";
}

const char *wc_layer_media_type(const wc_layer *layer)
{
    return layer ? layer->record->media_type : "";
}

int64_t wc_layer_size(const wc_layer *layer)
{
    return layer ? (int64_t)layer->record->size : 0;
}

int64_t wc_layer_unpacked_size(const wc_layer *layer)
{
    return layer ? layer->record->unpacked_size : -1;
}
