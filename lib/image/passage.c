/* SPDX-License-Identifier: Apache-2.0 */
#include "image/passage.h"

#include <wincontainer/context.h>

#include "core/alloc.h"
#include "core/error.h"
#include "image/graph.h"
#include "image/trust/trust.h"

/* What belongs to one passage. */
typedef struct passage {
    wci_ferry ferry;
    const wci_place *from;
    const wci_strv *names;
    const wci_transfer *transfer;
} passage;

/* The last report of a copy: callers learn from it which manifest it was. */
static int32_t report_root(const passage *p, const wci_digest *root, wc_error **err)
{
    return wci_call_report(p->ferry.call, WC_PROGRESS_DONE, root->text, 0, -1, NULL, err);
}

/* ---- All documents ------------------------------------------------------------------------------ */

static int32_t put_node(const passage *p, const wci_node *node, wc_error **err)
{
    const wci_cargo cargo = wci_node_cargo(node, p->names);
    int32_t code = p->ferry.outlet->ops->put_document(p->ferry.call, p->ferry.outlet, &cargo, err);
    return code ? wci_err_wrap(err, code, "manifest '%s'", node->raw.digest.text) : WC_OK;
}

/* A server that is there and finds the document wrong: some know no artifacts, some no list under a tag. */
static int is_refusal(const wc_error *why)
{
    while (wc_error_cause(why))
        why = wc_error_cause(why);
    int64_t status = why && wc_error_domain(why) == WC_DOMAIN_HTTP ? wc_error_native(why) : 0;
    return status >= 400 && status < 500 && status != 401 && status != 403 && status != 429;
}

static int32_t put_companion(const passage *p, const wci_node *node, wc_error **err)
{
    wc_error *why = NULL;
    int32_t code = put_node(p, node, &why);
    if (!code)
        return WC_OK;
    if (p->transfer->companions == WCI_COMPANIONS_ALL || !is_refusal(why))
        return wci_err_move(err, why);
    wci_log_error(p->ferry.call->log, WC_LOG_WARN, "refused by the target, and left out", why);
    wc_error_unref(why);
    return WC_OK;
}

/* The root last: whoever sees it finds everything that it needs, its signatures too. */
static int32_t put_nodes(const passage *p, const wci_graph *graph, wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; i < graph->root && !code; i++)
        code = put_node(p, &graph->nodes[i], err);
    for (size_t i = graph->root + 1; i < graph->count && !code; i++)
        code = put_companion(p, &graph->nodes[i], err);
    return code ? code : put_node(p, &graph->nodes[graph->root], err);
}

static int32_t pass_graph(const passage *p, wci_graph *graph, wc_error **err)
{
    const wci_descriptor **blobs = NULL;
    size_t count = 0;
    int32_t code = wci_graph_take_companions(p->ferry.call, p->ferry.store, p->ferry.origin, p->transfer, graph, err);
    if (!code)
        code = wci_graph_blobs(graph, NULL, &blobs, &count, err);
    if (!code && p->ferry.hold)
        code = wci_graph_hold(p->ferry.call, p->ferry.hold, graph, blobs, count, err);
    if (!code)
        code = wci_ferry_blobs(&p->ferry, blobs, count, err);
    if (!code)
        code = put_nodes(p, graph, err);
    if (!code)
        code = report_root(p, &graph->nodes[graph->root].raw.digest, err);
    wci_free(blobs);
    return code;
}

/* ---- An index ----------------------------------------------------------------------------------- */

static int32_t pass_index(const passage *p, wc_error **err)
{
    wci_graph graph = WCI_GRAPH_INIT;
    if (!p->ferry.outlet->ops->put_document)
        return wci_err(err, WC_E_UNSUPPORTED, "Docker's archives hold images for one platform each; take oci: or "
                       "oci-archive:, or choose one platform");
    int32_t code =
        wci_graph_load(p->ferry.call, p->ferry.store, p->ferry.origin, 0, p->transfer, &graph, err);
    if (!code && p->from)
        code = wci_trust_check_graph(p->ferry.call, p->ferry.store, p->ferry.origin, p->from, p->transfer, &graph, err);
    if (!code)
        code = pass_graph(p, &graph, err);
    wci_graph_free(&graph);
    return code;
}

/* ---- One image ---------------------------------------------------------------------------------- */

static int32_t read_config(const passage *p, const wci_resolved *resolved, wci_image_config **out, wc_error **err)
{
    const wci_descriptor *d = &resolved->document->config;
    wc_buf *bytes = NULL;
    char what[WCI_DIGEST_TEXT_SIZE + 16];
    wci_document_name(what, "config", &d->digest);
    int32_t code = wci_origin_read(p->ferry.call, p->ferry.origin, d, WCI_CONFIG_MAX, &bytes, err);
    if (!code)
        code = wci_image_config_parse(wc_buf_data(bytes), wc_buf_size(bytes), what, out, err);
    wc_buf_unref(bytes);
    if (code)
        return code;
    /* What goes out of the store need not run here. */
    return p->from || p->transfer->has_platform
               ? wci_resolved_check_config(p->ferry.call, resolved, *out, p->transfer, err)
               : wci_resolved_check_layers(resolved, *out, err);
}

/* For outlets that take images only as a whole, with all blobs at hand. */
static int32_t put_whole(const passage *p, const wci_resolved *resolved, const wci_image_config *config,
                         const wci_descriptor *const *blobs, size_t count, wc_error **err)
{
    wci_stage stage;
    int32_t code = wci_stage_open(&stage, &p->ferry, blobs, count, err);
    if (code)
        return code;
    wci_outgoing image = {resolved, config, p->names, stage.source};
    code = p->ferry.outlet->ops->put(p->ferry.call, p->ferry.outlet, &image, err);
    wci_stage_close(&stage);
    return code;
}

/* Of an index it may be another image than the one that is held. */
static int32_t hold_blobs(const passage *p, const wci_descriptor *const *blobs, size_t count, wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; p->ferry.hold && i < count && !code; i++)
        code = wci_hold_add(p->ferry.call, p->ferry.hold, &blobs[i]->digest, err);
    return code;
}

static int32_t pass_whole(const passage *p, const wci_resolved *resolved, const wci_image_config *config,
                          wc_error **err)
{
    if (p->transfer->companions == WCI_COMPANIONS_ALL)
        return wci_err(err, WC_E_UNSUPPORTED, "Docker's archives have no room for what refers to an image; take oci: or "
                       "oci-archive:");
    const wci_descriptor **blobs = wci_calloc(resolved->document->count + 1, sizeof *blobs);
    if (!blobs)
        return wci_err_nomem(err);
    size_t count = wci_manifest_blobs(resolved->document, blobs);
    int32_t code = hold_blobs(p, blobs, count, err);
    if (!code)
        code = put_whole(p, resolved, config, blobs, count, err);
    wci_free(blobs);
    return code ? code : report_root(p, &resolved->manifest.digest, err);
}

static int32_t pass_parts(const passage *p, const wci_resolved *resolved, wc_error **err)
{
    wci_graph graph = WCI_GRAPH_INIT;
    int32_t code = wci_graph_of(&resolved->manifest, &graph, err);
    if (!code)
        code = pass_graph(p, &graph, err);
    wci_graph_free(&graph);
    return code;
}

static int32_t pass_image(const passage *p, wc_error **err)
{
    wci_resolved resolved = WCI_RESOLVED_INIT;
    wci_image_config *config = NULL;
    const wci_outlet_ops *to = p->ferry.outlet->ops;
    int32_t code = wci_resolve(p->ferry.call, p->ferry.store, p->ferry.origin, 0, p->transfer, &resolved, err);
    if (!code && p->from)
        code = wci_trust_check(p->ferry.call, p->ferry.store, p->ferry.origin, p->from, p->transfer, &resolved, err);
    int has_image = code || to->put || !wci_manifest_is_artifact(resolved.document);
    if (!code && has_image)
        code = wci_resolved_check_image(&resolved, err);
    if (!code && has_image)
        code = read_config(p, &resolved, &config, err);
    if (!code)
        code = to->put ? pass_whole(p, &resolved, config, err) : pass_parts(p, &resolved, err);
    wci_image_config_free(config);
    wci_resolved_clear(&resolved);
    return code;
}

int32_t wci_pass(const wci_ferry *ferry, const wci_place *from, const wci_strv *names, const wci_transfer *transfer,
                 wc_error **err)
{
    const passage p = {*ferry, from, names, transfer};
    return wci_transfer_is_of_index(transfer) ? pass_index(&p, err) : pass_image(&p, err);
}
