/* SPDX-License-Identifier: Apache-2.0 */
#include "image/trust/trust.h"

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/trust/judge.h"

/* ---- For the judges --------------------------------------------------------------------------------- */

const wci_raw *wci_judged_find(const wci_judged *image, const wci_digest *digest)
{
    for (size_t i = 0; i < image->document_count; i++) {
        const wc_buf *body = image->documents[i]->body;
        wci_digest own;
        if (!wci_digest_of(wci_digest_algo(digest), wc_buf_data(body), wc_buf_size(body), &own, NULL) &&
            wci_digest_equal(&own, digest))
            return image->documents[i];
    }
    return NULL;
}

int32_t wci_judged_report(const wci_judged *image, const char *type, const char *who, const char *identity,
                          const wci_digest *digest, wc_error **err)
{
    if (!image->report)
        return WC_OK;
    json_t *entry = json_pack("{s:s, s:s, s:s, s:s*}", "Type", type, "Signer", who, "Digest", digest->text, "Identity",
                              identity);
    return json_array_append_new(image->report, entry) ? wci_err_nomem(err) : WC_OK;
}

/* ---- Requirements ----------------------------------------------------------------------------------- */

static int32_t judge(const wci_judged *image, const wci_requirement *r, wc_error **err)
{
    if (r->beyond)
        return wci_err(err, WC_E_UNTRUSTED, "it demands %s, which is not supported here", r->beyond);
    switch (r->kind) {
    case WCI_REQUIRE_NOTHING:
        return WC_OK;
    case WCI_REQUIRE_REJECT:
        return wci_err(err, WC_E_UNTRUSTED, "it rejects every image of this place");
    case WCI_REQUIRE_SIMPLE:
        return wci_judge_simple(image, r, err);
    case WCI_REQUIRE_SIGSTORE:
        return wci_judge_sigstore(image, r, err);
    case WCI_REQUIRE_NOTATION:
        return wci_judge_notation(image, r, err);
    }
    return wci_err(err, WC_E_INTERNAL, "a requirement of no kind");
}

static int32_t judge_all(const wci_judged *image, const wci_policy *policy, const wci_scope *scope, wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; i < scope->count && !code; i++)
        code = judge(image, &scope->items[i], err);
    if (!code)
        return WC_OK;
    return scope->transport ? wci_err_wrap(err, code, "%s: %s '%s'", policy->origin, scope->transport, scope->name)
                            : wci_err_wrap(err, code, "%s", policy->origin);
}

/* ---- The image -------------------------------------------------------------------------------------- */

/* Layouts have names of their own kind, which say nothing of a registry's. */
static int32_t read_name(const wci_place *place, wci_reference *name, int *has_name, wc_error **err)
{
    *has_name = place->ref && place->kind != WCI_PLACE_OCI && place->kind != WCI_PLACE_OCI_ARCHIVE;
    return *has_name ? wci_reference_parse(place->ref, name, err) : WC_OK;
}

/* A short name is judged as the name that it was found to stand for. */
static wci_place judged_place(const wci_origin *origin, const wci_place *place)
{
    wci_place judged = *place;
    if (place->kind == WCI_PLACE_REGISTRY)
        judged.ref = origin->names[0].items[0];
    return judged;
}

static int32_t check(wci_judged *image, const wci_policy *policy, const wci_place *place, wc_error **err)
{
    wci_reference name = WCI_REFERENCE_INIT;
    const wci_scope *scope = NULL;
    int has_name = 0;
    int32_t code = wci_policy_find(policy, place, &scope, err);
    if (!code)
        code = read_name(place, &name, &has_name, err);
    image->name = has_name ? &name : NULL;
    if (!code)
        code = judge_all(image, policy, scope, err);
    wci_reference_free(&name);
    return code;
}

static int32_t load_policy(const wci_transfer *transfer, wci_policy **out, wc_error **err)
{
    return transfer->policy_key ? wci_policy_of_key(transfer->policy_key, out, err)
                                : wci_policy_load(transfer->policy_file, out, err);
}

/* Without a policy *has_policy is 0 and everything is accepted. */
static int32_t ask_policy(wc_call *call, wci_store *store, wci_origin *origin, const wci_place *place,
                          const wci_transfer *transfer, const wci_resolved *resolved, json_t *report, int *has_policy,
                          wc_error **err)
{
    wci_policy *policy = NULL;
    const wci_place judged = judged_place(origin, place);
    wci_judged image = {.call = call, .store = store, .origin = origin, .registry = &transfer->registry,
                        .documents = {&resolved->manifest, &resolved->index},
                        .document_count = resolved->index.body ? 2 : 1, .report = report};
    int32_t code = load_policy(transfer, &policy, err);
    *has_policy = policy != NULL;
    if (!code && policy)
        code = check(&image, policy, &judged, err);
    wci_policy_free(policy);
    return code;
}

int32_t wci_trust_check(wc_call *call, wci_store *store, wci_origin *origin, const wci_place *place,
                        const wci_transfer *transfer, const wci_resolved *resolved, wc_error **err)
{
    int has_policy = 0;
    if (transfer->is_own_work)
        return WC_OK;
    return ask_policy(call, store, origin, place, transfer, resolved, NULL, &has_policy, err);
}

/* The index as it came counts, whatever of it is wanted. */
int32_t wci_trust_check_graph(wc_call *call, wci_store *store, wci_origin *origin, const wci_place *place,
                              const wci_transfer *transfer, const wci_graph *graph, wc_error **err)
{
    const wci_raw *root = graph->origin.body ? &graph->origin : &graph->nodes[graph->root].raw;
    int32_t code = WC_OK;
    for (size_t i = 0; i < graph->count && !code; i++) {
        const wci_node *node = &graph->nodes[i];
        if (node->document->kind != WCI_DOCUMENT_MANIFEST)
            continue;
        wci_resolved image = {node->raw, node->document, WCI_RAW_INIT};
        if (!wci_digest_equal(&root->digest, &node->raw.digest))
            image.index = *root;
        code = wci_trust_check(call, store, origin, place, transfer, &image, err);
    }
    return code;
}

/* ---- Reporting -------------------------------------------------------------------------------------- */

static int32_t write_report(const char *name, const wci_resolved *resolved, json_t *signatures, wc_buf **out,
                            wc_error **err)
{
    const char *index = resolved->index.body ? resolved->index.digest.text : NULL;
    json_t *json = json_pack("{s:s, s:s, s:s*, s:O}", "Name", name, "Digest", resolved->manifest.digest.text, "Index",
                             index, "Signatures", signatures);
    int32_t code = json ? wci_json_dump(json, out, err) : wci_err_nomem(err);
    json_decref(json);
    return code;
}

static int32_t report_on(wc_call *call, wci_store *store, const wci_place *place, const char *name,
                         const wci_transfer *transfer, wc_buf **out, wc_error **err)
{
    wci_origin *origin = NULL;
    wci_resolved resolved = WCI_RESOLVED_INIT;
    json_t *signatures = json_array();
    int has_policy = 0;
    int32_t code = signatures ? wci_origin_open(call, store, place, transfer, &origin, err) : wci_err_nomem(err);
    if (!code)
        code = wci_resolve(call, NULL, origin, 0, transfer, &resolved, err);
    if (!code)
        code = ask_policy(call, store, origin, place, transfer, &resolved, signatures, &has_policy, err);
    if (!code && !has_policy)
        code = wci_err(err, WC_E_MISSING, "there is no policy to ask; give a policy file or a key");
    if (!code)
        code = write_report(name, &resolved, signatures, out, err);
    json_decref(signatures);
    wci_resolved_clear(&resolved);
    wci_origin_close(origin);
    return code;
}

int32_t wci_trust_report(wc_call *call, wci_store *store, const wci_place *place, const wci_transfer *transfer,
                         wc_buf **out, wc_error **err)
{
    char *name = wci_place_format(place);
    int32_t code = name ? report_on(call, store, place, name, transfer, out, err) : wci_err_nomem(err);
    if (code && name)
        code = wci_err_wrap(err, code, "image '%s': not verified", name);
    wci_free(name);
    return code;
}
