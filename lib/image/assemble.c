/* SPDX-License-Identifier: Apache-2.0 */
#include "image/assemble.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/drop.h"
#include "image/keep.h"
#include "image/names.h"

/* An index being made. */
typedef struct assembly {
    wc_call *call;
    wci_store *store;
    const wci_transfer *transfer;
    wci_hold *hold;
    wci_image_record **images; /* the first is not always that which stands for the index */
    size_t count;
    json_t *entries;
} assembly;

/* ---- Entries -------------------------------------------------------------------------------------- */

static int32_t add_entry(assembly *a, const wci_image_record *image, wc_error **err)
{
    uint64_t size = 0;
    int32_t code = wci_blob_stat(a->store, &image->manifest, &size, err);
    if (code)
        return code;
    json_t *platform = json_pack("{s:s, s:s}", "architecture", image->arch, "os", image->os);
    if (platform && *image->variant)
        json_object_set_new(platform, "variant", json_string(image->variant));
    if (platform && *image->os_version)
        json_object_set_new(platform, "os.version", json_string(image->os_version));
    json_t *entry = json_pack("{s:s, s:s, s:I, s:o}", "mediaType", image->media_type, "digest", image->manifest.text,
                              "size", (json_int_t)size, "platform", platform);
    return json_array_append_new(a->entries, entry) ? wci_err_nomem(err) : WC_OK;
}

static int is_same_platform(const wci_image_record *a, const wci_image_record *b)
{
    return !strcmp(a->os, b->os) && !strcmp(a->arch, b->arch) && !strcmp(a->variant, b->variant) &&
           !strcmp(a->os_version, b->os_version);
}

static int32_t check_platforms(const assembly *a, const char *const *names, wc_error **err)
{
    for (size_t i = 1; i < a->count; i++)
        for (size_t k = 0; k < i; k++)
            if (is_same_platform(a->images[i], a->images[k]))
                return wci_err(err, WC_E_INVALID, "'%s' and '%s' are both for %s/%s%s%s; one index can have one of them",
                               names[k], names[i], a->images[i]->os, a->images[i]->arch,
                               *a->images[i]->variant ? "/" : "", a->images[i]->variant);
    return WC_OK;
}

/* All blobs are there, and stay. */
static int32_t take_image(assembly *a, const char *name, wc_error **err)
{
    wci_image_record *image = NULL;
    int32_t code = wci_image_lookup(a->store, name, &image, NULL, err);
    if (code)
        return code;
    const wci_restoring how = {a->hold, a->transfer, NULL, 0};
    a->images[a->count++] = image;
    code = wci_hold_image(a->call, a->hold, image, err);
    if (!code)
        code = wci_image_restore_blobs(a->call, a->store, &how, image, err);
    return code ? wci_err_wrap(err, code, "image '%s'", name) : WC_OK;
}

static int32_t take_images(assembly *a, const char *const *names, size_t count, wc_error **err)
{
    int32_t code = WC_OK;
    a->images = wci_calloc(count + 1, sizeof *a->images);
    if (!a->images)
        return wci_err_nomem(err);
    for (size_t i = 0; i < count && !code; i++)
        code = take_image(a, names[i], err);
    if (!code)
        code = check_platforms(a, names, err);
    for (size_t i = 0; i < count && !code; i++)
        code = add_entry(a, a->images[i], err);
    return code;
}

/* ---- What was there ------------------------------------------------------------------------------- */

static int is_replaced(const assembly *a, const wci_descriptor *old)
{
    for (size_t i = 0; i < a->count && old->has_platform; i++) {
        const wci_image_record *image = a->images[i];
        if (!strcmp(image->os, old->platform.os) && !strcmp(image->arch, old->platform.arch) &&
            !strcmp(image->variant, old->platform.variant) && !strcmp(image->os_version, old->platform.os_version))
            return 1;
    }
    return 0;
}

/* Before the new ones, with whatever else is said of them. */
static int32_t insert_old(assembly *a, const wci_document *index, json_t *old, wc_error **err)
{
    size_t at = 0;
    for (size_t i = 0; i < index->count; i++)
        if (!is_replaced(a, &index->items[i]) && json_array_insert(a->entries, at++, json_array_get(old, i)))
            return wci_err_nomem(err);
    return WC_OK;
}

static int32_t amend(assembly *a, const char *name, wc_error **err)
{
    wci_image_record *image = NULL;
    wci_digest digest = {""};
    wci_document *index = NULL;
    wc_buf *bytes = NULL;
    json_t *json = NULL;
    int32_t code = wci_image_lookup(a->store, name, &image, NULL, err);
    if (code)
        return code;
    wci_index_of_name(image, name, &digest);
    if (!wci_digest_is_set(&digest))
        code = wci_err(err, WC_E_INVALID, "'%s' leads to no index; leave --amend out to make one", name);
    if (!code)
        code = wci_blob_read(a->store, &digest, WCI_MANIFEST_MAX, &bytes, err);
    if (!code)
        code = wci_document_parse(wc_buf_data(bytes), wc_buf_size(bytes), NULL, "index", &index, err);
    if (!code)
        code = wci_json_parse(wc_buf_data(bytes), wc_buf_size(bytes), WCI_MANIFEST_MAX, "index", &json, err);
    if (!code)
        code = insert_old(a, index, json_object_get(json, "manifests"), err);
    json_decref(json);
    wc_buf_unref(bytes);
    wci_document_free(index);
    wci_image_record_free(image);
    return code;
}

/* ---- The index ------------------------------------------------------------------------------------ */

/* A list of Docker's when there are only manifests of Docker's in it. */
static const char *index_type(const assembly *a)
{
    json_t *entry;
    size_t i;
    json_array_foreach(a->entries, i, entry)
        if (strcmp(json_string_value(json_object_get(entry, "mediaType")), WCI_TYPE_DOCKER_MANIFEST))
            return WCI_TYPE_OCI_INDEX;
    return WCI_TYPE_DOCKER_LIST;
}

static int32_t write_index(assembly *a, wci_raw *out, wc_error **err)
{
    wci_raw raw = {.media_type = wci_strdup(index_type(a))};
    json_t *index = json_pack("{s:i, s:s, s:O}", "schemaVersion", 2, "mediaType", index_type(a), "manifests",
                              a->entries);
    int32_t code = raw.media_type && index ? wci_json_dump(index, &raw.body, err) : wci_err_nomem(err);
    if (!code)
        code = wci_digest_of(WCI_SHA256, wc_buf_data(raw.body), wc_buf_size(raw.body), &raw.digest, err);
    if (!code)
        code = wci_blob_put(a->call, a->hold, &raw.digest, wc_buf_data(raw.body), wc_buf_size(raw.body), err);
    json_decref(index);
    if (code)
        wci_raw_clear(&raw);
    else
        *out = raw;
    return code;
}

static int32_t find_image(wci_store *store, const wci_digest *manifest, wci_digest *out)
{
    wci_image_record *image = NULL;
    int32_t code = wci_image_find(store, manifest->text, &image, NULL);
    if (!code)
        *out = image->manifest;
    wci_image_record_free(image);
    return code;
}

/* The image that the name stands for: the host's, else the first that is an image of the store. */
static int32_t choose_image(wc_call *call, wci_store *store, wci_origin *origin, const wci_graph *graph,
                            wci_digest *out, wc_error **err)
{
    const wci_transfer host = WCI_TRANSFER_INIT;
    wci_resolved resolved = WCI_RESOLVED_INIT;
    int32_t code = wci_resolve_from(call, store, origin, &graph->nodes[graph->root].raw, &host, &resolved, NULL);
    if (!code)
        code = find_image(store, &resolved.manifest.digest, out);
    wci_resolved_clear(&resolved);
    for (size_t i = 0; i < graph->count && code; i++)
        code = find_image(store, &graph->nodes[i].raw.digest, out);
    return code ? wci_err(err, WC_E_NOT_FOUND, "none of its images is one of the store that could run; pull one of them")
                : WC_OK;
}

/* The graph is held. */
static int32_t publish(wc_call *call, wci_store *store, wci_origin *origin, const wci_graph *graph, const char *name,
                       wc_error **err)
{
    wci_kept_list kept = WCI_KEPT_INIT;
    wci_digest manifest = {""};
    int32_t code = choose_image(call, store, origin, graph, &manifest, err);
    if (!code)
        code = wci_keep_list(graph, &manifest, &kept, err);
    if (!code)
        code = wci_index_publish(call, store, &kept, &manifest, name, err);
    if (!code)
        code = wci_call_report(call, WC_PROGRESS_DONE, kept.root.text, 0, -1, NULL, err);
    wci_kept_free(&kept);
    return code;
}

/* ---- Making one ----------------------------------------------------------------------------------- */

static int32_t hold_graph(wc_call *call, wci_hold *hold, const wci_graph *graph, wc_error **err)
{
    const wci_descriptor **blobs = NULL;
    size_t count = 0;
    int32_t code = wci_graph_blobs(graph, NULL, &blobs, &count, err);
    if (!code)
        code = wci_graph_hold(call, hold, graph, blobs, count, err);
    wci_free(blobs);
    return code;
}

/* `image` is any that the index stands for in the store; a part of the index becomes another one. */
static int32_t publish_index(wc_call *call, wci_store *store, wci_hold *hold, const wci_digest *image,
                             const wci_digest *index, const char *name, const wci_transfer *transfer, wc_error **err)
{
    wci_origin *origin = NULL;
    wci_graph graph = WCI_GRAPH_INIT;
    int32_t code = wci_origin_open_store(store, image, index, &origin, err);
    if (!code)
        code = wci_graph_load(call, store, origin, 0, transfer, &graph, err);
    if (!code)
        code = wci_graph_take_companions(call, store, origin, transfer, &graph, err);
    if (!code)
        code = hold_graph(call, hold, &graph, err);
    if (!code)
        code = wci_keep_documents(call, hold, &graph, err);
    if (!code)
        code = publish(call, store, origin, &graph, name, err);
    wci_graph_free(&graph);
    wci_origin_close(origin);
    return code;
}

static int32_t create(assembly *a, const char *name, const char *const *images, size_t count, int with_old,
                      wc_error **err)
{
    const wci_transfer whole = WCI_TRANSFER_INIT;
    wci_raw index = WCI_RAW_INIT;
    char *normal = NULL;
    int32_t code = wci_name_normalise_tag(name, &normal, err);
    if (!code)
        code = take_images(a, images, count, err);
    if (!code && with_old)
        code = amend(a, normal, err);
    if (!code)
        code = write_index(a, &index, err);
    if (!code)
        code = publish_index(a->call, a->store, a->hold, &a->images[0]->manifest, &index.digest, normal, &whole, err);
    wci_raw_clear(&index);
    wci_free(normal);
    return code;
}

int32_t wci_index_create(wc_call *call, wci_store *store, const char *name, const char *const *images, size_t count,
                         int with_old, const wci_transfer *transfer, wc_error **err)
{
    assembly a = {.call = call, .store = store, .transfer = transfer, .entries = json_array()};
    int32_t code = a.entries ? wci_hold_new(store, &a.hold, err) : wci_err_nomem(err);
    if (!code)
        code = create(&a, name, images, count, with_old, err);
    wci_image_records_free(a.images, a.count);
    json_decref(a.entries);
    wci_hold_free(a.hold);
    return code ? wci_err_wrap(err, code, "index '%s': cannot be made", name) : WC_OK;
}

int32_t wci_index_tag(wc_call *call, wci_store *store, const wci_image_record *image, const char *had,
                      const char *name, const wci_transfer *transfer, wc_error **err)
{
    wci_hold *hold = NULL;
    wci_digest index = {""};
    wci_index_of_name(image, had, &index);
    if (!wci_digest_is_set(&index))
        return wci_err(err, WC_E_INVALID, "it is for one platform and leads to no index; leave out what chooses platforms");
    int32_t code = wci_hold_new(store, &hold, err);
    if (!code)
        code = publish_index(call, store, hold, &image->manifest, &index, name, transfer, err);
    wci_hold_free(hold);
    return code;
}
