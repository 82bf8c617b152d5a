/* SPDX-License-Identifier: Apache-2.0 */
#include "image/graph.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"

#define MAX_DEPTH 4                    /* of indexes in indexes */
#define MAX_NODES ((size_t)8192)
#define MAX_BYTES ((size_t)64 << 20)   /* of all documents together */

static void clear_node(wci_node *node)
{
    wci_raw_clear(&node->raw);
    wci_document_free(node->document);
    wci_free(node->tag);
}

void wci_graph_free(wci_graph *graph)
{
    for (size_t i = 0; i < graph->count; i++)
        clear_node(&graph->nodes[i]);
    wci_free(graph->nodes);
    wci_raw_clear(&graph->origin);
    *graph = (wci_graph)WCI_GRAPH_INIT;
}

void wci_graph_cut(wci_graph *graph, size_t count)
{
    while (graph->count > count) {
        wci_node *last = &graph->nodes[--graph->count];
        graph->bytes -= wc_buf_size(last->raw.body);
        clear_node(last);
    }
}

int wci_graph_has(const wci_graph *graph, const wci_digest *digest, wci_role role)
{
    for (size_t i = 0; i < graph->count; i++)
        if (graph->nodes[i].role == role && wci_digest_equal(&graph->nodes[i].raw.digest, digest))
            return 1;
    return 0;
}

wci_cargo wci_node_cargo(const wci_node *node, const wci_strv *names)
{
    return (wci_cargo){.raw = &node->raw, .media_type = node->document->media_type, .role = node->role,
                       .names = node->role == WCI_ROLE_ROOT ? names : NULL, .tag = node->tag,
                       .subject = node->role == WCI_ROLE_REFERRER ? &node->subject : NULL,
                       .artifact_type = node->role == WCI_ROLE_REFERRER ? wci_artifact_type(node->document) : NULL};
}

/* ---- Documents ---------------------------------------------------------------------------------- */

static int32_t parse(const wci_raw *raw, wci_document **out, wc_error **err)
{
    char what[WCI_DIGEST_TEXT_SIZE + 16];
    wci_document_name(what, "manifest", &raw->digest);
    return wci_document_parse(wc_buf_data(raw->body), wc_buf_size(raw->body), raw->media_type, what, out, err);
}

/* Takes both over, also on failure. */
static int32_t append(wci_graph *graph, wci_raw *raw, wci_document *document, wci_role role, wc_error **err)
{
    wci_node node = {.raw = *raw, .document = document, .role = role};
    *raw = (wci_raw)WCI_RAW_INIT;
    graph->bytes += wc_buf_size(node.raw.body);
    int32_t code = WC_OK;
    if (graph->count >= MAX_NODES || graph->bytes > MAX_BYTES)
        code = wci_err(err, WC_E_LIMIT, "over %zu manifests or %zu MiB of them belong to it", MAX_NODES,
                       MAX_BYTES >> 20);
    else if (!wci_grow(&graph->nodes, &graph->cap, graph->count + 1, sizeof *graph->nodes))
        code = wci_err_nomem(err);
    if (code)
        clear_node(&node);
    else
        graph->nodes[graph->count++] = node;
    return code;
}

static int is_document_type(const char *type)
{
    return !strcmp(type, WCI_TYPE_OCI_INDEX) || !strcmp(type, WCI_TYPE_DOCKER_LIST) ||
           !strcmp(type, WCI_TYPE_OCI_MANIFEST) || !strcmp(type, WCI_TYPE_DOCKER_MANIFEST);
}

static int32_t check_entry(const wci_descriptor *d, int depth, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    if (depth > MAX_DEPTH)
        return wci_err(err, WC_E_LIMIT, "index '%s': indexes are nested deeper than %d", d->digest.text, MAX_DEPTH);
    if (is_document_type(d->media_type))
        return WC_OK;
    wci_show(d->media_type, shown);
    return wci_err(err, WC_E_UNSUPPORTED,
                   "an index lists '%s', which is of type '%s' and neither manifest nor index; "
                   "choose the platforms that are wanted",
                   d->digest.text, shown);
}

static int32_t add_tree(const wci_graph_reader *r, wci_raw *raw, wci_role role, int depth, wc_error **err);

static int32_t add_entry(const wci_graph_reader *r, const wci_descriptor *d, int depth, wc_error **err)
{
    if (wci_graph_has(r->graph, &d->digest, WCI_ROLE_PART))
        return WC_OK;
    int32_t code = check_entry(d, depth, err);
    if (code)
        return code;
    wci_raw raw = {.media_type = wci_strdup(d->media_type), .digest = d->digest};
    code = raw.media_type ? wci_origin_document(r->call, r->store, r->origin, d, &raw.body, err) : wci_err_nomem(err);
    if (code) {
        wci_raw_clear(&raw);
        return code;
    }
    return add_tree(r, &raw, WCI_ROLE_PART, depth, err);
}

/* Takes `raw` over. */
static int32_t add_tree(const wci_graph_reader *r, wci_raw *raw, wci_role role, int depth, wc_error **err)
{
    wci_document *document = NULL;
    int32_t code = parse(raw, &document, err);
    for (size_t i = 0; !code && document->kind == WCI_DOCUMENT_INDEX && i < document->count; i++)
        code = add_entry(r, &document->items[i], depth + 1, err);
    if (!code)
        return append(r->graph, raw, document, role, err);
    wci_document_free(document);
    wci_raw_clear(raw);
    return code;
}

int32_t wci_graph_add(const wci_graph_reader *reader, wci_raw *raw, wci_role role, wc_error **err)
{
    if (role == WCI_ROLE_TAGGED || !wci_graph_has(reader->graph, &raw->digest, role))
        return add_tree(reader, raw, role, 1, err);
    wci_raw_clear(raw);
    return WC_OK;
}

/* ---- The root ----------------------------------------------------------------------------------- */

int wci_transfer_is_of_index(const wci_transfer *transfer)
{
    return transfer->all || transfer->platform_count;
}

/* Leaves in *root what the platforms leave of it, and the whole in the graph. */
static int32_t choose(const wci_transfer *transfer, wci_raw *root, wci_graph *graph, wc_error **err)
{
    wci_document *document = NULL;
    wci_raw rest = WCI_RAW_INIT;
    const wci_wanted wanted = {transfer->platforms, transfer->platform_count, transfer->isolation};
    int32_t code = parse(root, &document, err);
    if (!code && document->kind != WCI_DOCUMENT_INDEX)
        code = wci_err(err, WC_E_PLATFORM, "manifest '%s': is for one platform, there is none to choose; "
                       "leave the platforms out", root->digest.text);
    if (!code)
        code = wci_index_reduce(root, document, &wanted, &rest, err);
    wci_document_free(document);
    if (code)
        return code;
    graph->origin = *root;
    *root = rest;
    return WC_OK;
}

int32_t wci_graph_load(wc_call *call, wci_store *store, wci_origin *origin, size_t image, const wci_transfer *transfer,
                       wci_graph *out, wc_error **err)
{
    wci_graph graph = WCI_GRAPH_INIT;
    wci_raw root = WCI_RAW_INIT;
    const wci_graph_reader reader = {call, store, origin, &graph};
    int32_t code = origin->ops->root(call, origin, image, &root, err);
    if (!code && transfer->platform_count)
        code = choose(transfer, &root, &graph, err);
    if (!code)
        code = wci_graph_add(&reader, &root, WCI_ROLE_ROOT, err);
    wci_raw_clear(&root);
    if (code) {
        wci_graph_free(&graph);
        return code;
    }
    graph.root = graph.count - 1;
    *out = graph;
    return WC_OK;
}

int32_t wci_graph_of(const wci_raw *manifest, wci_graph *out, wc_error **err)
{
    wci_graph graph = WCI_GRAPH_INIT;
    wci_raw own = WCI_RAW_INIT;
    wci_document *document = NULL;
    int32_t code = wci_raw_copy(manifest, &own, err);
    if (!code)
        code = parse(&own, &document, err);
    if (!code)
        code = append(&graph, &own, document, WCI_ROLE_ROOT, err);
    wci_raw_clear(&own);
    if (code)
        wci_graph_free(&graph);
    else
        *out = graph;
    return code;
}

/* ---- Blobs -------------------------------------------------------------------------------------- */

static int compare_blobs(const void *a, const void *b)
{
    const wci_descriptor *x = *(const wci_descriptor *const *)a, *y = *(const wci_descriptor *const *)b;
    int order = strcmp(x->digest.text, y->digest.text);
    return order ? order : x->size < y->size ? -1 : x->size > y->size;
}

/* Two sizes of one digest stay two: one of them is wrong, and its copy fails. */
static size_t keep_each_once(const wci_descriptor **list, size_t count)
{
    size_t kept = 0;
    qsort(list, count, sizeof *list, compare_blobs);
    for (size_t i = 0; i < count; i++)
        if (!kept || compare_blobs(&list[kept - 1], &list[i]))
            list[kept++] = list[i];
    return kept;
}

static int counts(const wci_node *node, const wci_digest *without)
{
    return node->document->kind == WCI_DOCUMENT_MANIFEST && !(without && wci_digest_equal(&node->raw.digest, without));
}

int32_t wci_graph_blobs(const wci_graph *graph, const wci_digest *without, const wci_descriptor ***out, size_t *count,
                        wc_error **err)
{
    size_t room = 1, used = 0;
    for (size_t i = 0; i < graph->count; i++)
        room += graph->nodes[i].document->count + 1;
    const wci_descriptor **list = wci_calloc(room, sizeof *list);
    if (!list)
        return wci_err_nomem(err);
    for (size_t i = 0; i < graph->count; i++)
        if (counts(&graph->nodes[i], without))
            used += wci_manifest_blobs(graph->nodes[i].document, list + used);
    *count = graph->count > 1 ? keep_each_once(list, used) : used;
    *out = list;
    return WC_OK;
}

int32_t wci_graph_hold(wc_call *call, wci_hold *hold, const wci_graph *graph, const wci_descriptor *const *blobs,
                       size_t count, wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; i < graph->count && !code; i++)
        code = wci_hold_add(call, hold, &graph->nodes[i].raw.digest, err);
    for (size_t i = 0; i < count && !code; i++)
        code = wci_hold_add(call, hold, &blobs[i]->digest, err);
    return code;
}
