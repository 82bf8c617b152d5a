/* SPDX-License-Identifier: Apache-2.0 */
#include "image/pull.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/archive.h"
#include "image/keep.h"
#include "image/layers.h"
#include "image/names.h"
#include "image/origin.h"
#include "image/reference.h"
#include "image/resolve.h"
#include "image/trust/trust.h"
#include "platform/host.h"

/* One image on its way in. */
typedef struct arrival {
    wc_call *call;
    wci_store *store;
    wci_hold *hold;
    wci_origin *origin;
    const wci_place *place;
    const wci_transfer *transfer;
    wci_resolved resolved;
    wci_image_config *config;
    wci_stagings trees;
    wci_graph graph; /* what comes with it: other platforms, signatures; may be empty */
    wci_kept_list kept;
} arrival;

/* ---- Documents ---------------------------------------------------------------------------------- */

/* The configuration on its way in. */
typedef struct config_fetch {
    wci_fetch fetch; /* first */
    wci_hold *hold;
    wci_ingest *ingest;
} config_fetch;

static uint64_t config_offset(wci_fetch *fetch)
{
    return wci_ingest_offset(((config_fetch *)fetch)->ingest);
}

/* An ingest that ended with the wrong digest has thrown its bytes away; another one begins. */
static int32_t config_restart(wci_fetch *fetch, wc_error **err)
{
    config_fetch *c = (config_fetch *)fetch;
    wci_ingest *fresh = NULL;
    if (!wci_ingest_restart(c->ingest, NULL))
        return WC_OK;
    int32_t code = wci_ingest_try(c->hold, &fetch->digest, fetch->size, &fresh, err);
    if (!code && !fresh)
        code = wci_err(err, WC_E_BUSY, "config '%s': another process brings it in; try again", fetch->digest.text);
    if (code)
        return code;
    wci_ingest_unref(c->ingest);
    c->ingest = fresh;
    return WC_OK;
}

static int32_t config_write(wci_fetch *fetch, const void *data, size_t size, wc_error **err)
{
    return wci_ingest_write(((config_fetch *)fetch)->ingest, data, size, err);
}

static int32_t config_done(wci_fetch *fetch, const wc_error *why, wc_error **err)
{
    return why ? WC_OK : wci_ingest_commit(((config_fetch *)fetch)->ingest, err);
}

static int32_t fetch_config(arrival *a, config_fetch *c, wc_error **err)
{
    wci_fetch *fetches[] = {&c->fetch};
    /* So small that resuming it is not worth the doubt. */
    int32_t code = wci_ingest_offset(c->ingest) ? wci_ingest_restart(c->ingest, err) : WC_OK;
    return code ? code : wci_origin_fetch(a->call, a->origin, fetches, 1, NULL, 0, err);
}

static int32_t bring_config(arrival *a, wc_error **err)
{
    const wci_descriptor *d = &a->resolved.document->config;
    config_fetch c = {.fetch = {.digest = d->digest, .size = d->size, .urls = NULL, .offset = config_offset,
                                .restart = config_restart, .write = config_write, .done = config_done},
                      .hold = a->hold};
    wc_buf *bytes = NULL;
    char what[WCI_DIGEST_TEXT_SIZE + 16];
    wci_document_name(what, "config", &d->digest);
    int32_t code = wci_ingest_begin(a->call, a->hold, &d->digest, d->size, &c.ingest, err);
    if (!code && c.ingest)
        code = fetch_config(a, &c, err);
    wci_ingest_unref(c.ingest);
    if (!code)
        code = wci_blob_read(a->store, &d->digest, WCI_CONFIG_MAX, &bytes, err);
    if (!code)
        code = wci_image_config_parse(wc_buf_data(bytes), wc_buf_size(bytes), what, &a->config, err);
    wc_buf_unref(bytes);
    return code ? code
                : wci_resolved_check_config(a->call, &a->resolved, a->config, a->transfer, err);
}

static int32_t keep_document(arrival *a, const wci_raw *raw, wc_error **err)
{
    if (!raw->body)
        return WC_OK;
    return wci_blob_put(a->call, a->hold, &raw->digest, wc_buf_data(raw->body),
                        wc_buf_size(raw->body), err);
}

/* ---- The record --------------------------------------------------------------------------------- */

static int32_t fill_layers(const arrival *a, wci_image_record *record, wc_error **err)
{
    const wci_document *manifest = a->resolved.document;
    wci_digest chain = {{0}};
    record->layers = wci_calloc(manifest->count + 1, sizeof *record->layers);
    if (!record->layers)
        return wci_err_nomem(err);
    record->layer_count = manifest->count;
    for (size_t i = 0; i < manifest->count; i++) {
        wci_layer_record *layer = &record->layers[i];
        int32_t code = wci_digest_chain(&chain, &a->config->diff_ids[i], err);
        if (code)
            return code;
        layer->digest = manifest->items[i].digest;
        layer->diff_id = a->config->diff_ids[i];
        layer->chain_id = chain;
        layer->size = (uint64_t)manifest->items[i].size;
        layer->media_type = wci_strdup(manifest->items[i].media_type);
        if (!layer->media_type)
            return wci_err_nomem(err);
    }
    return WC_OK;
}

static int32_t fill_record(const arrival *a, wci_image_record *record, wc_error **err)
{
    const wci_platform *platform = &a->config->platform;
    record->manifest = a->resolved.manifest.digest;
    record->config = a->resolved.document->config.digest;
    record->index = a->resolved.index.digest;
    record->created_ns = a->config->created_ns;
    record->added_ns = wci_now_ns();
    record->media_type = wci_strdup(a->resolved.document->media_type);
    record->os = wci_strdup(platform->os);
    record->arch = wci_strdup(platform->arch);
    record->variant = wci_strdup(platform->variant);
    record->os_version = wci_strdup(platform->os_version);
    if (!record->media_type || !record->os || !record->arch || !record->variant ||
        !record->os_version)
        return wci_err_nomem(err);
    int32_t code = wci_manifest_content_size(a->resolved.document, &record->size, err);
    record->size += wc_buf_size(a->resolved.manifest.body);
    return code ? code : fill_layers(a, record, err);
}

static int32_t publish(arrival *a, wci_image_record *record, const char *action, wc_error **err)
{
    int32_t code = wci_image_publish(a->call, a->store, record, action, a->trees.items,
                                     a->trees.count, err);
    if (!code)
        a->trees.count = 0; /* they went with it */
    return code;
}

/* ---- Which manifest, and what comes with it ------------------------------------------------------ */

static const wci_node *first_image(const wci_graph *graph)
{
    for (size_t i = 0; i < graph->root; i++)
        if (graph->nodes[i].document->kind == WCI_DOCUMENT_MANIFEST &&
            !wci_manifest_check_image(graph->nodes[i].document, "manifest", NULL))
            return &graph->nodes[i];
    return NULL;
}

/* Of a whole index without an image for the host: the first one stands for it, as in wci_index_create(). */
static int32_t take_first(arrival *a, wc_error **err)
{
    const wci_transfer any = WCI_TRANSFER_INIT;
    const wci_node *first = first_image(&a->graph);
    int32_t code = wci_resolve_from(a->call, a->store, a->origin, &first->raw, &any, &a->resolved, err);
    return code ? code : wci_raw_copy(&a->graph.nodes[a->graph.root].raw, &a->resolved.index, err);
}

/* The image of an index that runs: the host's, or that of the first of the chosen platforms. */
static int32_t choose_from_graph(arrival *a, wc_error **err)
{
    wci_transfer transfer = *a->transfer;
    if (transfer.platform_count) {
        transfer.platform = transfer.platforms[0];
        transfer.has_platform = 1;
    }
    wc_error *why = NULL;
    int32_t code = wci_resolve_from(a->call, a->store, a->origin, &a->graph.nodes[a->graph.root].raw, &transfer,
                                    &a->resolved, &why);
    if (code == WC_E_PLATFORM && !transfer.has_platform && first_image(&a->graph)) {
        wci_err_clear(&why);
        code = take_first(a, &why);
    }
    return code ? wci_err_move(err, why) : WC_OK;
}

static int32_t resolve_index(arrival *a, size_t image, wc_error **err)
{
    int32_t code = wci_graph_load(a->call, a->store, a->origin, image, a->transfer, &a->graph, err);
    if (!code)
        code = wci_trust_check_graph(a->call, a->store, a->origin, a->place, a->transfer, &a->graph, err);
    if (!code)
        code = wci_keep_documents(a->call, a->hold, &a->graph, err);
    return code ? code : choose_from_graph(a, err);
}

static int32_t resolve_image(arrival *a, size_t image, wc_error **err)
{
    int32_t code = wci_resolve(a->call, a->store, a->origin, image, a->transfer, &a->resolved, err);
    if (!code)
        code = wci_trust_check(a->call, a->store, a->origin, a->place, a->transfer, &a->resolved, err);
    if (!code && a->transfer->companions >= WCI_COMPANIONS_TRY)
        code = wci_graph_of(&a->resolved.manifest, &a->graph, err);
    return code;
}

static int32_t resolve(arrival *a, size_t image, wc_error **err)
{
    int is_index = wci_transfer_is_of_index(a->transfer);
    int32_t code = is_index ? resolve_index(a, image, err) : resolve_image(a, image, err);
    if (!code)
        code = wci_resolved_check_image(&a->resolved, err);
    if (!code)
        code = wci_graph_take_companions(a->call, a->store, a->origin, a->transfer, &a->graph, err);
    if (!code && !is_index && a->graph.count == 1)
        wci_graph_free(&a->graph); /* there is nothing but the image */
    return code ? code : wci_keep_documents(a->call, a->hold, &a->graph, err);
}

/* What the image does not consist of itself. */
static int32_t bring_rest(arrival *a, wci_image_record *record, wc_error **err)
{
    const wci_digest *own = &a->resolved.manifest.digest;
    if (!a->graph.count)
        return WC_OK;
    int32_t code = wci_keep_blobs(a->call, a->hold, a->origin, &a->graph, own, err);
    if (!code)
        code = wci_keep_list(&a->graph, own, &a->kept, err);
    record->kept = &a->kept;
    return code;
}

/* ---- Layers ------------------------------------------------------------------------------------- */

/* A layer without its blob needs somebody to bring that later: the registry of the image's name. */
static int32_t bring_layers(arrival *a, wci_image_record *record, wc_error **err)
{
    wci_strv in_part = WCI_STRV_INIT;
    int may_be_partial = a->transfer->partial && record->remote_names.count;
    int32_t code = wci_layers_bring(a->call, a->store, a->hold, a->origin, a->resolved.document, a->config,
                                    may_be_partial ? &in_part : NULL, &a->trees, err);
    for (size_t i = 0; i < record->layer_count && !code; i++)
        if (wci_strv_contains(&in_part, record->layers[i].digest.text))
            record->layers[i].again = WCI_AGAIN_FETCH;
    wci_strv_free(&in_part);
    return code;
}

/* ---- One image ---------------------------------------------------------------------------------- */

static int32_t bring_all(arrival *a, size_t image, wci_image_record *record, wc_error **err)
{
    int32_t code = resolve(a, image, err);
    if (!code)
        code = keep_document(a, &a->resolved.index, err);
    if (!code)
        code = keep_document(a, &a->resolved.manifest, err);
    if (!code)
        code = bring_config(a, err);
    if (!code)
        code = fill_record(a, record, err);
    if (!code)
        code = bring_layers(a, record, err);
    if (!code)
        code = wci_layers_link(a->call, a->store, a->hold, record->layers, record->layer_count,
                               &a->trees, err);
    return code ? code : bring_rest(a, record, err);
}

/* "HOST/NAME". */
static int32_t repository_of(const char *name, char **out, wc_error **err)
{
    wci_reference ref = WCI_REFERENCE_INIT;
    int32_t code = wci_reference_parse(name, &ref, err);
    if (code)
        return code;
    *out = wci_asprintf("%s/%s", ref.host, ref.repository);
    wci_reference_free(&ref);
    return *out ? WC_OK : wci_err_nomem(err);
}

/* Takes the names over. `remote_name`: of the registry that it comes from, which may be one of them; or NULL. */
static int32_t bring_image(wc_call *call, wci_store *store, wci_origin *origin, size_t image,
                           const wci_place *place, const wci_transfer *transfer, wci_strv *names,
                           const char *action, const char *remote_name, wci_image_record **out, wc_error **err)
{
    arrival a = {.call = call, .store = store, .origin = origin, .place = place, .transfer = transfer,
                 .resolved = WCI_RESOLVED_INIT, .trees = WCI_STAGINGS_INIT, .graph = WCI_GRAPH_INIT,
                 .kept = WCI_KEPT_INIT};
    wci_image_record *record = wci_calloc(1, sizeof *record);
    char *repository = NULL;
    int32_t code = record ? wci_hold_new(store, &a.hold, err) : wci_err_nomem(err);
    if (record) {
        record->names = *names;
        *names = (wci_strv)WCI_STRV_INIT;
    }
    if (!code && remote_name && wci_strv_add(&record->remote_names, remote_name))
        code = wci_err_nomem(err);
    if (!code && remote_name)
        code = repository_of(remote_name, &repository, err);
    if (!code) {
        record->repository = repository;
        code = bring_all(&a, image, record, err);
    }
    if (!code)
        code = publish(&a, record, action, err);
    if (!code)
        code = wci_image_find(store, record->manifest.text, out, err);
    if (!code && record->names.count)
        wci_names_put_first(*out, record->names.items[0]);
    wci_stagings_free(&a.trees);
    wci_image_config_free(a.config);
    wci_resolved_clear(&a.resolved);
    wci_graph_free(&a.graph);
    wci_kept_free(&a.kept);
    if (a.hold)
        wci_hold_free(a.hold);
    if (record)
        wci_image_record_free(record);
    wci_free(repository);
    return code;
}

int32_t wci_image_bring(wc_call *call, wci_store *store, wci_origin *origin, const wci_transfer *transfer,
                        wci_image_record **out, wc_error **err)
{
    const wci_place nowhere = WCI_PLACE_INIT;
    wci_strv no_names = WCI_STRV_INIT;
    return bring_image(call, store, origin, 0, &nowhere, transfer, &no_names, "pull", NULL, out, err);
}

/* What a place states is taken from a registry, which answers to a name, and from those who are trusted; of
 * other places the name that the caller has asked for counts, and no more. */
static int32_t collect_names(const wci_origin *origin, const wci_place *place, const wci_transfer *transfer,
                             wci_strv *out, wc_error **err)
{
    const wci_strv asked = {&(char *){place->ref}, place->ref != NULL && !transfer->is_renamed, 0};
    int trusted = transfer->trust_names || (place->kind == WCI_PLACE_REGISTRY && !transfer->is_renamed);
    return wci_names_collect(trusted ? &origin->names[0] : &asked, 1, &transfer->names, out, err);
}

static int32_t pull_from(wc_call *call, wci_store *store, wci_origin *origin,
                         const wci_place *place, const wci_transfer *transfer,
                         wci_image_record **out, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    int32_t code = collect_names(origin, place, transfer, &names, err);
    if (!code)
        code = bring_image(call, store, origin, 0, place, transfer, &names, "pull",
                           place->kind == WCI_PLACE_REGISTRY ? origin->names[0].items[0] : NULL, out, err);
    wci_strv_free(&names);
    return code;
}

int32_t wci_image_pull(wc_call *call, wci_store *store, const wci_place *place,
                       const wci_transfer *transfer, wci_image_record **out, wc_error **err)
{
    wci_origin *origin = NULL;
    char *shown = wci_place_format(place);
    int32_t code = shown ? wci_call_report(call, WC_PROGRESS_RESOLVE, shown, 0, -1, NULL, err)
                         : wci_err_nomem(err);
    if (!code)
        code = wci_origin_open(call, store, place, transfer, &origin, err);
    if (!code)
        code = pull_from(call, store, origin, place, transfer, out, err);
    wci_origin_close(origin);
    if (code && shown && !transfer->is_own_work) /* nobody knows where that lies */
        code = wci_err_wrap(err, code, "image '%s': cannot be pulled", shown);
    wci_free(shown);
    return code;
}

/* ---- Every image of an archive ------------------------------------------------------------------ */

static int32_t load_all(wc_call *call, wci_store *store, wci_origin *origin, const wci_place *place,
                        const wci_transfer *transfer, wci_image_record **records, wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; i < origin->image_count && !code; i++) {
        wci_strv names = WCI_STRV_INIT;
        code = wci_names_collect(&origin->names[i], transfer->trust_names, &transfer->names, &names,
                                 err);
        if (!code)
            code = bring_image(call, store, origin, i, place, transfer, &names, "load", NULL, &records[i], err);
        wci_strv_free(&names);
    }
    return code;
}

static int32_t load_origin(wc_call *call, wci_store *store, wci_origin *origin, const wci_place *place,
                           const wci_transfer *transfer, wci_image_record ***out, size_t *count,
                           wc_error **err)
{
    if (transfer->names.count && origin->image_count > 1)
        return wci_err(err, WC_E_INVALID,
                       "there are %zu images in it, and '%s' can be the name of one only",
                       origin->image_count, transfer->names.items[0]);
    wci_image_record **records = wci_calloc(origin->image_count + 1, sizeof *records);
    if (!records)
        return wci_err_nomem(err);
    int32_t code = load_all(call, store, origin, place, transfer, records, err);
    if (code) {
        wci_image_records_free(records, origin->image_count);
        return code;
    }
    *out = records;
    *count = origin->image_count;
    return WC_OK;
}

int32_t wci_image_load(wc_call *call, wci_store *store, const char *path,
                       const wci_transfer *transfer, wci_image_record ***out, size_t *count,
                       wc_error **err)
{
    wci_origin *origin = NULL;
    int32_t code = wci_origin_open_archive(call, store, path, transfer, &origin, err);
    if (!code) {
        const wci_place place = {.kind = origin->kind, .path = (char *)(uintptr_t)path};
        code = load_origin(call, store, origin, &place, transfer, out, count, err);
    }
    wci_origin_close(origin);
    return code ? wci_err_wrap(err, code, "archive '%s': cannot be loaded", path) : WC_OK;
}
