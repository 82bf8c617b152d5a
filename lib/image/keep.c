/* SPDX-License-Identifier: Apache-2.0 */
#include "image/keep.h"

#include "core/alloc.h"
#include "core/error.h"

#define MAX_AT_ONCE 32 /* files that are open while they come */

/* One blob on its way in. */
typedef struct incoming {
    const wci_descriptor *descriptor;
    wci_fetch fetch;
    wci_hold *hold;
    wci_ingest *ingest;
} incoming;

/* Those that come together. */
typedef struct batch {
    wc_call *call;
    incoming items[MAX_AT_ONCE];
    size_t count;
} batch;

/* ---- Fetching ----------------------------------------------------------------------------------- */

static incoming *incoming_of(wci_fetch *fetch)
{
    return (incoming *)fetch->payload;
}

static uint64_t incoming_offset(wci_fetch *fetch)
{
    return wci_ingest_offset(incoming_of(fetch)->ingest);
}

/* An ingest that ended with the wrong digest has thrown its bytes away; another one begins. */
static int32_t incoming_restart(wci_fetch *fetch, wc_error **err)
{
    incoming *in = incoming_of(fetch);
    wci_ingest *fresh = NULL;
    if (!wci_ingest_restart(in->ingest, NULL))
        return WC_OK;
    int32_t code = wci_ingest_try(in->hold, &fetch->digest, fetch->size, &fresh, err);
    if (!code && !fresh)
        code = wci_err(err, WC_E_BUSY, "blob '%s': somebody else has brought it in meanwhile; try again",
                       fetch->digest.text);
    if (code)
        return code;
    wci_ingest_unref(in->ingest);
    in->ingest = fresh;
    return WC_OK;
}

static int32_t incoming_write(wci_fetch *fetch, const void *data, size_t size, wc_error **err)
{
    return wci_ingest_write(incoming_of(fetch)->ingest, data, size, err);
}

static int32_t incoming_done(wci_fetch *fetch, const wc_error *why, wc_error **err)
{
    incoming *in = incoming_of(fetch);
    if (!why)
        return wci_ingest_commit(in->ingest, err);
    wci_ingest_abort(in->ingest);
    return WC_OK;
}

static int32_t tick(uintptr_t payload, wc_error **err)
{
    const batch *b = (const batch *)payload;
    int32_t code = wci_call_check(b->call, err);
    for (size_t i = 0; i < b->count && !code; i++)
        code = wci_call_report(b->call, WC_PROGRESS_DOWNLOAD, b->items[i].fetch.digest.text,
                               (int64_t)wci_ingest_offset(b->items[i].ingest), b->items[i].fetch.size, NULL, err);
    return code;
}

static int32_t fetch_batch(batch *b, wci_origin *origin, wc_error **err)
{
    wci_fetch *fetches[MAX_AT_ONCE];
    for (size_t i = 0; i < b->count; i++)
        fetches[i] = &b->items[i].fetch;
    int32_t code = wci_origin_fetch(b->call, origin, fetches, b->count, tick, (uintptr_t)b, err);
    for (size_t i = 0; i < b->count && !code; i++)
        code = wci_call_report(b->call, WC_PROGRESS_DONE, fetches[i]->digest.text, fetches[i]->size, fetches[i]->size,
                               NULL, err);
    return code;
}

static void begin_batch(batch *b, wc_call *call)
{
    b->call = call;
    b->count = 0;
}

static void add_to_batch(batch *b, wci_hold *hold, const wci_descriptor *d, wci_ingest *ingest)
{
    incoming *in = &b->items[b->count++];
    *in = (incoming){.descriptor = d, .hold = hold, .ingest = ingest};
    in->fetch = (wci_fetch){.digest = d->digest, .size = d->size, .urls = d->urls.count ? &d->urls : NULL,
                            .offset = incoming_offset, .restart = incoming_restart, .write = incoming_write,
                            .done = incoming_done, .payload = (uintptr_t)in};
}

static void end_batch(batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        wci_ingest_unref(b->items[i].ingest);
    b->count = 0;
}

/* ---- Which ones --------------------------------------------------------------------------------- */

static int32_t report_existing(wc_call *call, const wci_descriptor *d, wc_error **err)
{
    return wci_call_report(call, WC_PROGRESS_EXISTS, d->digest.text, d->size, d->size, NULL, err);
}

/* Takes what is here, and what is going to be ours, off the list. */
static int32_t take_free(batch *b, wci_hold *hold, const wci_descriptor **list, size_t *count, wc_error **err)
{
    size_t left = 0, i = 0;
    int32_t code = WC_OK;
    for (; i < *count && b->count < MAX_AT_ONCE && !code; i++) {
        wci_ingest *ingest = NULL;
        wc_error *why = NULL;
        code = wci_ingest_try(hold, &list[i]->digest, list[i]->size, &ingest, &why);
        if (code == WC_E_BUSY) {
            list[left++] = list[i];
            code = WC_OK;
        } else if (code) {
            wci_err_move(err, wc_error_ref(why));
        } else if (ingest) {
            add_to_batch(b, hold, list[i], ingest);
        } else {
            code = report_existing(b->call, list[i], err);
        }
        wc_error_unref(why);
    }
    while (i < *count)
        list[left++] = list[i++];
    *count = left;
    return code;
}

/* Somebody else brings all of them in. We wait with nothing of ours in work, since he may wait for that. */
static int32_t wait_for_first(batch *b, wci_hold *hold, const wci_descriptor **list, size_t *count, wc_error **err)
{
    wci_ingest *ingest = NULL;
    const wci_descriptor *d = list[--*count];
    int32_t code = wci_ingest_begin(b->call, hold, &d->digest, d->size, &ingest, err);
    if (code)
        return code;
    if (!ingest)
        return report_existing(b->call, d, err);
    add_to_batch(b, hold, d, ingest);
    return WC_OK;
}

int32_t wci_keep_listed(wc_call *call, wci_hold *hold, wci_origin *origin, const wci_descriptor **list, size_t count,
                        wc_error **err)
{
    int32_t code = WC_OK;
    batch *b = wci_calloc(1, sizeof *b);
    if (!b)
        return wci_err_nomem(err);
    while (count && !code) {
        begin_batch(b, call);
        code = take_free(b, hold, list, &count, err);
        if (!code && !b->count && count)
            code = wait_for_first(b, hold, list, &count, err);
        if (!code && b->count)
            code = fetch_batch(b, origin, err);
        end_batch(b);
    }
    wci_free(b);
    return code;
}

/* ---- A graph ------------------------------------------------------------------------------------ */

int32_t wci_keep_documents(wc_call *call, wci_hold *hold, const wci_graph *graph, wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; i < graph->count && !code; i++) {
        const wci_raw *raw = &graph->nodes[i].raw;
        code = wci_blob_put(call, hold, &raw->digest, wc_buf_data(raw->body), wc_buf_size(raw->body), err);
    }
    return code;
}

int32_t wci_keep_blobs(wc_call *call, wci_hold *hold, wci_origin *origin, const wci_graph *graph,
                       const wci_digest *own, wc_error **err)
{
    const wci_descriptor **list = NULL;
    size_t count = 0;
    int32_t code = wci_graph_blobs(graph, own, &list, &count, err);
    if (!code)
        code = wci_keep_listed(call, hold, origin, list, count, err);
    wci_free(list);
    return code;
}

static const wci_node *node_of(const wci_graph *graph, const wci_digest *manifest)
{
    for (size_t i = 0; i < graph->count; i++)
        if (wci_digest_equal(&graph->nodes[i].raw.digest, manifest))
            return &graph->nodes[i];
    return NULL;
}

static int32_t list_document(const wci_node *node, wci_kept_list *out, wc_error **err)
{
    char *role = node->role == WCI_ROLE_TAGGED     ? wci_asprintf("tag %s", node->tag)
                 : node->role == WCI_ROLE_REFERRER ? wci_asprintf("subject %s", node->subject.text)
                                                   : wci_strdup("");
    int32_t code = role ? wci_kept_add(out, &node->raw.digest, role, err) : wci_err_nomem(err);
    wci_free(role);
    return code;
}

static int32_t list_all(const wci_graph *graph, const wci_digest *own, wci_kept_list *out, wc_error **err)
{
    const wci_descriptor **blobs = NULL;
    size_t count = 0;
    int32_t code = wci_graph_blobs(graph, own, &blobs, &count, err);
    for (size_t i = 0; i < graph->count && !code; i++)
        if (i != graph->root && !wci_digest_equal(&graph->nodes[i].raw.digest, own))
            code = list_document(&graph->nodes[i], out, err);
    for (size_t i = 0; i < count && !code; i++)
        code = wci_kept_add(out, &blobs[i]->digest, "", err);
    wci_free(blobs);
    return code;
}

/* The image that stands for an index is part of it, whichever image that is later on. */
static int32_t list_own(const wci_graph *graph, const wci_digest *own, wci_kept_list *out, wc_error **err)
{
    const wci_node *node = node_of(graph, own);
    if (!node || node == &graph->nodes[graph->root])
        return WC_OK;
    const wci_descriptor **blobs = wci_calloc(node->document->count + 1, sizeof *blobs);
    int32_t code = blobs ? wci_kept_add(out, own, WCI_KEPT_OWN, err) : wci_err_nomem(err);
    size_t count = blobs ? wci_manifest_blobs(node->document, blobs) : 0;
    for (size_t i = 0; i < count && !code; i++)
        code = wci_kept_add(out, &blobs[i]->digest, WCI_KEPT_OWN, err);
    wci_free(blobs);
    return code;
}

int32_t wci_keep_list(const wci_graph *graph, const wci_digest *own, wci_kept_list *out, wc_error **err)
{
    wci_kept_list list = WCI_KEPT_INIT;
    list.root = graph->nodes[graph->root].raw.digest;
    int32_t code = list_all(graph, own, &list, err);
    if (!code)
        code = list_own(graph, own, &list, err);
    if (code)
        wci_kept_free(&list);
    else
        *out = list;
    return code;
}
