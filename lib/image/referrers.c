/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures, attestations and lists of contents that go with an image: what refers to it (OCI distribution-spec 1.1,
 * "Listing Referrers"), and what cosign tags beside it. */
#include <string.h>

#include <wincontainer/context.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/graph.h"
#include "image/trust/attached.h"

static const char *const cosign_suffixes[] = {".sig", ".att", ".sbom"};

/* ---- By tag ----------------------------------------------------------------------------------------- */

/* Of the last one that was added, which is then tagged. */
static int32_t set_tag(wci_graph *graph, const char *tag, wc_error **err)
{
    return wci_replace(&graph->nodes[graph->count - 1].tag, tag) ? wci_err_nomem(err) : WC_OK;
}

static int has_tag(const wci_graph *graph, const char *tag)
{
    for (size_t i = 0; i < graph->count; i++)
        if (wci_streq(graph->nodes[i].tag, tag))
            return 1;
    return 0;
}

static int32_t add_tagged_as(const wci_graph_reader *r, wci_raw *raw, const char *tag, wc_error **err)
{
    if (has_tag(r->graph, tag)) {
        wci_raw_clear(raw);
        return WC_OK;
    }
    int32_t code = wci_graph_add(r, raw, WCI_ROLE_TAGGED, err);
    return code ? code : set_tag(r->graph, tag, err);
}

static int32_t add_tagged(const wci_graph_reader *r, const wci_digest *subject, const char *suffix, wc_error **err)
{
    wci_raw raw = WCI_RAW_INIT;
    wc_error *why = NULL;
    char *tag = wci_attached_tag(subject, suffix);
    if (!tag)
        return wci_err_nomem(err);
    int32_t code = r->origin->ops->tagged(r->call, r->origin, tag, &raw, &why);
    if (!code)
        code = add_tagged_as(r, &raw, tag, err);
    else if (code == WC_E_NOT_FOUND)
        code = WC_OK;
    else
        code = wci_err_move(err, wc_error_ref(why));
    wc_error_unref(why);
    wci_free(tag);
    return code;
}

/* ---- By subject ------------------------------------------------------------------------------------- */

/* `cosign save` leaves signatures in a layout with neither tag nor subject; they are the root's. */
static int32_t add_marked(const wci_graph_reader *r, const wci_digest *subject, wci_raw *raw, wc_error **err)
{
    char *tag = NULL;
    int32_t code = WC_OK;
    if (wci_digest_equal(subject, &r->graph->nodes[r->graph->root].raw.digest)) {
        tag = wci_attached_tag(subject, ".sig");
        code = tag ? add_tagged_as(r, raw, tag, err) : wci_err_nomem(err);
    }
    wci_free(tag);
    wci_raw_clear(raw);
    return code;
}

static int32_t refers_to(const wci_raw *raw, const wci_digest *subject, int *refers, wc_error **err)
{
    wci_document *document = NULL;
    int32_t code = wci_document_parse(wc_buf_data(raw->body), wc_buf_size(raw->body), raw->media_type, "referrer",
                                      &document, err);
    *refers = !code && wci_digest_equal(&document->subject, subject);
    wci_document_free(document);
    return code;
}

static int32_t add_referrer(const wci_graph_reader *r, const wci_digest *subject, const wci_descriptor *d,
                            wc_error **err)
{
    wci_raw raw = {.media_type = wci_strdup(d->media_type), .digest = d->digest};
    int refers = 0;
    int32_t code =
        raw.media_type ? wci_origin_document(r->call, r->store, r->origin, d, &raw.body, err) : wci_err_nomem(err);
    if (!code)
        code = refers_to(&raw, subject, &refers, err);
    if (code) {
        wci_raw_clear(&raw);
        return code;
    }
    if (!refers)
        return add_marked(r, subject, &raw, err);
    size_t had = r->graph->count;
    code = wci_graph_add(r, &raw, WCI_ROLE_REFERRER, err);
    if (!code && r->graph->count > had)
        r->graph->nodes[r->graph->count - 1].subject = *subject;
    return code;
}

static int32_t add_listed(const wci_graph_reader *r, const wci_digest *subject, const wc_buf *list, wc_error **err)
{
    wci_document *index = NULL;
    int32_t code = wci_document_parse(wc_buf_data(list), wc_buf_size(list), NULL, "list of referrers", &index, err);
    if (!code && index->kind != WCI_DOCUMENT_INDEX)
        code = wci_err(err, WC_E_FORMAT, "list of referrers: it is no index");
    for (size_t i = 0; !code && i < index->count; i++) {
        code = add_referrer(r, subject, &index->items[i], err);
        if (code)
            code = wci_err_wrap(err, code, "referrer '%s'", index->items[i].digest.text);
    }
    wci_document_free(index);
    return code;
}

static int32_t add_referrers(const wci_graph_reader *r, const wci_digest *subject, wc_error **err)
{
    wc_buf *list = NULL;
    int32_t code = r->origin->ops->referrers(r->call, r->origin, subject, &list, err);
    if (!code)
        code = add_listed(r, subject, list, err);
    wc_buf_unref(list);
    return code;
}

/* ---- Both ------------------------------------------------------------------------------------------- */

static int32_t add_of(const wci_graph_reader *r, const wci_digest *subject, wc_error **err)
{
    int32_t code = wci_call_check(r->call, err);
    for (size_t i = 0; i < sizeof cosign_suffixes / sizeof *cosign_suffixes && !code; i++)
        code = add_tagged(r, subject, cosign_suffixes[i], err);
    return code ? code : add_referrers(r, subject, err);
}

/* What is added may have companions, too, as a list of contents is signed like an image; but not signatures. */
static int may_have_companions(const wci_node *node)
{
    return node->role != WCI_ROLE_TAGGED || wci_ends_with(node->tag, ".sbom");
}

static int32_t add_companions(const wci_graph_reader *r, wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; i < r->graph->count && !code; i++) {
        const wci_digest subject = r->graph->nodes[i].raw.digest; /* the nodes move */
        if (!may_have_companions(&r->graph->nodes[i]))
            continue;
        code = add_of(r, &subject, err);
        if (code)
            code = wci_err_wrap(err, code, "manifest '%s': what refers to it cannot be read", subject.text);
    }
    return code;
}

/* Few will be there, so what a list of the tags has not need not be asked for. */
static int32_t try_companions(const wci_graph_reader *r, wc_error **err)
{
    size_t had = r->graph->count;
    wc_error *why = NULL;
    if (r->origin->ops->expect_tags)
        r->origin->ops->expect_tags(r->call, r->origin);
    int32_t code = add_companions(r, &why);
    if (!code)
        return WC_OK;
    if (code == WC_E_NOMEM || wci_call_check(r->call, NULL))
        return wci_err_move(err, why);
    wci_graph_cut(r->graph, had);
    wci_log_error(r->call->log, WC_LOG_WARN, "signatures and whatever else refers to the image stay behind", why);
    wc_error_unref(why);
    return WC_OK;
}

int32_t wci_graph_take_companions(wc_call *call, wci_store *store, wci_origin *origin, const wci_transfer *transfer,
                                  wci_graph *graph, wc_error **err)
{
    const wci_graph_reader reader = {call, store, origin, graph};
    if (!origin->ops->tagged || transfer->companions < WCI_COMPANIONS_TRY)
        return WC_OK;
    return transfer->companions == WCI_COMPANIONS_ALL ? add_companions(&reader, err) : try_companions(&reader, err);
}
