/* SPDX-License-Identifier: Apache-2.0 */
#include <wincontainer/image.h>

#include <string.h>

#include "api/context.h"
#include "core/alloc.h"
#include "core/list.h"
#include "image/copy.h"
#include "image/documents.h"
#include "image/inspect.h"
#include "image/names.h"
#include "image/place.h"
#include "image/pull.h"

struct wc_transfer_options {
    wci_transfer transfer; /* its registry texts are those below */
    char *username, *password, *ca_file, *auth_file;
    wc_progress_cb progress;
    uintptr_t progress_payload;
};

/* A layer lives in its image: a reference to it is one to the image. */
struct wc_layer {
    wc_image *image;
    const wci_layer_record *record;
};

struct wc_image {
    wci_ref refs;
    wci_engine *engine;
    wci_image_record *record;
    wc_layer *layers;
};

/* ---- Options ------------------------------------------------------------------------------------ */

int32_t wc_transfer_options_new(wc_transfer_options **out, wc_error **err)
{
    WCI_REQUIRE(out, "out is NULL");
    wc_transfer_options *options = wci_calloc(1, sizeof *options);
    if (!options)
        return wci_err_nomem(err);
    options->transfer = (wci_transfer)WCI_TRANSFER_INIT;
    *out = options;
    return WC_OK;
}

static void wipe(char *secret)
{
    volatile char *p = secret;
    while (p && *p)
        *p++ = '\0';
    wci_free(secret);
}

void wc_transfer_options_unref(wc_transfer_options *options)
{
    if (!options)
        return;
    wci_platform_clear(&options->transfer.platform);
    wci_strv_free(&options->transfer.names);
    wipe(options->password);
    wci_free(options->username);
    wci_free(options->ca_file);
    wci_free(options->auth_file);
    wci_free(options);
}

int32_t wc_transfer_options_set_platform(wc_transfer_options *options, const char *platform, wc_error **err)
{
    WCI_REQUIRE(options && platform, "options or platform is NULL");
    wci_platform parsed = {NULL, NULL, NULL, NULL};
    int32_t rc = wci_platform_parse(platform, &parsed, err);
    if (rc)
        return rc;
    wci_platform_clear(&options->transfer.platform);
    options->transfer.platform = parsed;
    options->transfer.has_platform = 1;
    return WC_OK;
}

int32_t wc_transfer_options_set_tls_verify(wc_transfer_options *options, int32_t verify, wc_error **err)
{
    WCI_REQUIRE(options && (verify == 0 || verify == 1), "verify is neither 0 nor 1");
    options->transfer.registry.tls_verify = verify;
    return WC_OK;
}

static int32_t set_text(char **field, const char **used, const char *text, wc_error **err)
{
    if (wci_replace(field, text))
        return wci_err_nomem(err);
    *used = *field;
    return WC_OK;
}

int32_t wc_transfer_options_set_ca_file(wc_transfer_options *options, const char *path, wc_error **err)
{
    WCI_REQUIRE(options && path && *path, "options or path is empty");
    return set_text(&options->ca_file, &options->transfer.registry.ca_file, path, err);
}

int32_t wc_transfer_options_set_credentials(wc_transfer_options *options, const char *username,
                                            const char *password, wc_error **err)
{
    WCI_REQUIRE(options && username && password, "options, username or password is NULL");
    char *secret = wci_strdup(password);
    int32_t rc = secret ? set_text(&options->username, &options->transfer.registry.username, username, err)
                        : wci_err_nomem(err);
    if (rc) {
        wipe(secret);
        return rc;
    }
    wipe(options->password);
    options->transfer.registry.password = options->password = secret;
    return WC_OK;
}

int32_t wc_transfer_options_set_auth_file(wc_transfer_options *options, const char *path, wc_error **err)
{
    WCI_REQUIRE(options && path && *path, "options or path is empty");
    return set_text(&options->auth_file, &options->transfer.registry.auth_file, path, err);
}

int32_t wc_transfer_options_set_max_transfers(wc_transfer_options *options, uint32_t count, wc_error **err)
{
    WCI_REQUIRE(options && count >= 1 && count <= 64, "count is not between 1 and 64");
    options->transfer.registry.max_transfers = count;
    return WC_OK;
}

int32_t wc_transfer_options_set_trust_names(wc_transfer_options *options, int32_t trust, wc_error **err)
{
    WCI_REQUIRE(options && (trust == 0 || trust == 1), "trust is neither 0 nor 1");
    options->transfer.trust_names = trust;
    return WC_OK;
}

int32_t wc_transfer_options_add_name(wc_transfer_options *options, const char *name, wc_error **err)
{
    WCI_REQUIRE(options && name, "options or name is NULL");
    char *normal = NULL;
    int32_t rc = wci_name_normalise_tag(name, &normal, err);
    if (rc)
        return rc;
    wci_free(normal);
    return wci_strv_add(&options->transfer.names, name) ? wci_err_nomem(err) : WC_OK;
}

int32_t wc_transfer_options_set_progress(wc_transfer_options *options, wc_progress_cb progress, uintptr_t payload,
                                         wc_error **err)
{
    WCI_REQUIRE(options, "options is NULL");
    options->progress = progress;
    options->progress_payload = payload;
    return WC_OK;
}

/* ---- Moving ------------------------------------------------------------------------------------- */

static const wci_transfer *begin_transfer(const wc_transfer_options *options, wc_call *call)
{
    static const wci_transfer defaults = WCI_TRANSFER_INIT;
    if (!options)
        return &defaults;
    call->progress = options->progress;
    call->progress_payload = options->progress_payload;
    return &options->transfer;
}

/* Takes the record over, also on failure. */
static int32_t image_new(wci_engine *engine, wci_image_record *record, wc_image **out, wc_error **err)
{
    wc_image *image = wci_calloc(1, sizeof *image);
    wc_layer *layers = wci_calloc(record->layer_count + 1, sizeof *layers);
    if (!image || !layers) {
        wci_free(image);
        wci_free(layers);
        wci_image_record_free(record);
        return wci_err_nomem(err);
    }
    for (size_t i = 0; i < record->layer_count; i++)
        layers[i] = (wc_layer){image, &record->layers[i]};
    wci_ref_init(&image->refs);
    image->layers = layers;
    image->engine = wci_engine_ref(engine);
    image->record = record;
    *out = image;
    return WC_OK;
}

int32_t wc_image_pull(wc_context *context, const char *source, const wc_transfer_options *options,
                      wc_cancel *cancel, wc_image **out, wc_error **err)
{
    wc_call call;
    wci_place place;
    wci_image_record *record = NULL;
    int32_t rc = wci_api_begin(context, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(source && out, "source or out is NULL");
    const wci_transfer *transfer = begin_transfer(options, &call);
    rc = wci_place_parse(source, &place, err);
    if (rc)
        return rc;
    rc = wci_image_pull(&call, context->engine->store, &place, transfer, &record, err);
    wci_place_free(&place);
    return rc ? rc : image_new(context->engine, record, out, err);
}

static void release_image(void *image)
{
    wc_image_unref(image);
}

/* Takes the records over, also on failure. */
static int32_t image_list(wci_engine *engine, wci_image_record **records, size_t count, wc_list **out,
                          wc_error **err)
{
    wc_list *list = NULL;
    int32_t rc = wci_list_new(WCI_LIST_IMAGE, release_image, &list, err);
    for (size_t i = 0; i < count && !rc; i++) {
        wc_image *image = NULL;
        rc = image_new(engine, records[i], &image, err);
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

int32_t wc_image_load(wc_context *context, const char *path, const wc_transfer_options *options, wc_cancel *cancel,
                      wc_list **out, wc_error **err)
{
    wc_call call;
    wci_image_record **records = NULL;
    size_t count = 0;
    int32_t rc = wci_api_begin(context, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(path && *path && out, "path is empty or out is NULL");
    const wci_transfer *transfer = begin_transfer(options, &call);
    rc = wci_image_load(&call, context->engine->store, path, transfer, &records, &count, err);
    return rc ? rc : image_list(context->engine, records, count, out, err);
}

int32_t wc_image_save(wc_context *context, const char *const *names, size_t count, const char *target,
                      const wc_transfer_options *options, wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(names && count && target, "names or target is missing");
    for (size_t i = 0; i < count; i++)
        WCI_REQUIRE(names[i], "a name is NULL");
    const wci_transfer *transfer = begin_transfer(options, &call);
    return wci_image_save(&call, context->engine->store, names, count, target, transfer, err);
}

int32_t wc_image_copy(wc_context *context, const char *source, const char *target, const wc_transfer_options *options,
                      wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(source && target, "source or target is NULL");
    const wci_transfer *transfer = begin_transfer(options, &call);
    return wci_image_copy(&call, context->engine->store, source, target, transfer, err);
}

/* ---- The store's images ------------------------------------------------------------------------- */

int32_t wc_image_open(wc_context *context, const char *name_or_id, wc_image **out, wc_error **err)
{
    wc_call call;
    wci_image_record *record = NULL;
    int32_t rc = wci_api_begin(context, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(name_or_id && *name_or_id && out, "name_or_id is empty or out is NULL");
    rc = wci_image_lookup(context->engine->store, name_or_id, &record, NULL, err);
    return rc ? rc : image_new(context->engine, record, out, err);
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
    rc = wci_image_list(context->engine->store, &records, &count, err);
    return rc ? rc : image_list(context->engine, records, count, out, err);
}

static int32_t begin_image(wc_image *image, wc_error **err)
{
    wc_call call;
    WCI_REQUIRE(image, "image is NULL");
    return wci_api_begin_engine(image->engine, NULL, &call, err);
}

int32_t wc_image_tag(wc_image *image, const char *name, wc_error **err)
{
    char *normal = NULL;
    int32_t rc = begin_image(image, err);
    if (rc)
        return rc;
    WCI_REQUIRE(name, "name is NULL");
    rc = wci_name_normalise_tag(name, &normal, err);
    if (!rc)
        rc = wci_image_tag(image->engine->store, &image->record->manifest, normal, err);
    wci_free(normal);
    return rc;
}

/* Takes the texts over. */
static int32_t string_list(wci_strv *lines, wc_list **out, wc_error **err)
{
    wc_list *list = NULL;
    int32_t rc = wci_list_new(WCI_LIST_STRING, wci_free, &list, err);
    for (size_t i = 0; i < lines->count && !rc; i++)
        rc = wci_list_add(list, wci_strdup(lines->items[i]), err);
    if (rc)
        wc_list_unref(list);
    else
        *out = list;
    return rc;
}

int32_t wc_image_remove(wc_context *context, const char *name_or_id, uint64_t flags, wc_cancel *cancel,
                        wc_list **removed, wc_error **err)
{
    wc_call call;
    wci_strv lines = WCI_STRV_INIT;
    int32_t rc = wci_api_begin(context, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(name_or_id && *name_or_id, "name_or_id is empty");
    WCI_REQUIRE(!(flags & ~(uint64_t)WC_REMOVE_FORCE), "unknown flags");
    rc = wci_image_forget(&call, context->engine->store, name_or_id, flags & WC_REMOVE_FORCE, &lines, err);
    if (!rc && removed)
        rc = string_list(&lines, removed, err);
    wci_strv_free(&lines);
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
    wci_free(image->layers);
    wci_image_record_free(image->record);
    wci_engine_unref(image->engine);
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
    return image ? image->record->index.text : "";
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

static int32_t read_document(wc_image *image, const wci_digest *digest, wc_buf **out, wc_error **err)
{
    int32_t rc = begin_image(image, err);
    if (rc)
        return rc;
    WCI_REQUIRE(out, "out is NULL");
    return wci_blob_read(image->engine->store, digest, WCI_MANIFEST_MAX, out, err);
}

int32_t wc_image_manifest(wc_image *image, wc_buf **out, wc_error **err)
{
    return read_document(image, image ? &image->record->manifest : NULL, out, err);
}

int32_t wc_image_config(wc_image *image, wc_buf **out, wc_error **err)
{
    return read_document(image, image ? &image->record->config : NULL, out, err);
}

int32_t wc_image_inspect(wc_image *image, wc_buf **out, wc_error **err)
{
    int32_t rc = begin_image(image, err);
    if (rc)
        return rc;
    WCI_REQUIRE(out, "out is NULL");
    return wci_image_inspect(image->engine->store, image->record, out, err);
}

/* ---- Layers ------------------------------------------------------------------------------------- */

wc_layer *wc_image_layer(const wc_image *image, size_t index)
{
    return index < wc_image_layer_count(image) ? &image->layers[index] : NULL;
}

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
