/* SPDX-License-Identifier: Apache-2.0 */
#include "image/trust/layout.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/trust/attached.h"

#define MAX_LOOKUPS 256 /* manifests read to find out what they refer to */
#define COSIGN_SIGNATURES "dev.cosignproject.cosign/sigs"

/* ---- By tag ----------------------------------------------------------------------------------------- */

static int has_tag(const wci_descriptor *entry, const char *tag)
{
    const char *name = entry->image_name, *colon = name ? strrchr(name, ':') : NULL;
    return wci_streq(entry->ref_name, tag) || (colon && !strcmp(colon + 1, tag));
}

int32_t wci_layout_tagged(wc_call *call, wci_origin *origin, const wci_document *index, const char *tag, wci_raw *out,
                          wc_error **err)
{
    for (size_t i = 0; i < index->count; i++) {
        const wci_descriptor *entry = &index->items[i];
        if (!has_tag(entry, tag))
            continue;
        wci_raw raw = {.digest = entry->digest, .media_type = wci_strdup(entry->media_type)};
        int32_t code = raw.media_type ? wci_origin_manifest(call, origin, entry, &raw.body, err) : wci_err_nomem(err);
        if (code)
            wci_raw_clear(&raw);
        else
            *out = raw;
        return code;
    }
    return wci_err(err, WC_E_NOT_FOUND, "tag '%s': not in the layout", tag);
}

/* ---- By subject ------------------------------------------------------------------------------------- */

static int refers_to(json_t *manifest, const wci_digest *subject)
{
    const char *digest = json_string_value(json_object_get(json_object_get(manifest, "subject"), "digest"));
    return digest && !strcmp(digest, subject->text);
}

static const char *artifact_type(json_t *manifest)
{
    const char *type = json_string_value(json_object_get(manifest, "artifactType"));
    return type ? type : json_string_value(json_object_get(json_object_get(manifest, "config"), "mediaType"));
}

static int32_t add(json_t *list, const wci_descriptor *entry, const char *type, wc_error **err)
{
    json_t *item = json_pack("{s:s, s:s, s:I, s:s}", "mediaType", entry->media_type, "digest", entry->digest.text,
                             "size", (json_int_t)entry->size, "artifactType", type);
    return json_array_append_new(list, item) ? wci_err_nomem(err) : WC_OK;
}

/* What cannot be read is no signature that counts. */
static int32_t add_if_referrer(wc_call *call, wci_origin *origin, const wci_descriptor *entry,
                               const wci_digest *subject, json_t *list, wc_error **err)
{
    wc_buf *body = NULL;
    json_t *manifest = NULL;
    int32_t code = wci_call_check(call, err);
    if (code || wci_origin_manifest(call, origin, entry, &body, NULL))
        return code;
    if (!wci_json_parse(wc_buf_data(body), wc_buf_size(body), WCI_MANIFEST_MAX, "manifest", &manifest, NULL) &&
        refers_to(manifest, subject) && artifact_type(manifest))
        code = add(list, entry, artifact_type(manifest), err);
    json_decref(manifest);
    wc_buf_unref(body);
    return code;
}

/* `cosign save` names neither tag nor subject; the signed claims tell whose they are. */
int wci_layout_is_signature(const wci_descriptor *entry)
{
    return wci_streq(entry->cosign_kind, COSIGN_SIGNATURES);
}

static int32_t list_referrers(wc_call *call, wci_origin *origin, const wci_document *index, const wci_digest *subject,
                              json_t *list, wc_error **err)
{
    int32_t code = WC_OK;
    for (size_t i = 0; i < index->count && i < MAX_LOOKUPS && !code; i++) {
        const wci_descriptor *entry = &index->items[i];
        if (wci_layout_is_signature(entry))
            code = add(list, entry, WCI_ARTIFACT_COSIGN, err);
        else if (!strcmp(entry->media_type, WCI_TYPE_OCI_MANIFEST))
            code = add_if_referrer(call, origin, entry, subject, list, err);
    }
    return code;
}

int32_t wci_layout_referrers(wc_call *call, wci_origin *origin, const wci_document *index,
                             const wci_digest *subject, wc_buf **out, wc_error **err)
{
    json_t *list = json_array();
    int32_t code = list ? list_referrers(call, origin, index, subject, list, err) : wci_err_nomem(err);
    json_t *answer = json_pack("{s:i, s:s, s:O}", "schemaVersion", 2, "mediaType", WCI_TYPE_OCI_INDEX, "manifests",
                               list);
    if (!code)
        code = answer ? wci_json_dump(answer, out, err) : wci_err_nomem(err);
    json_decref(answer);
    json_decref(list);
    return code;
}
