/* SPDX-License-Identifier: Apache-2.0 */
#include "image/trust/claim.h"

#include <string.h>

#include <wincontainer/version.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/trust/strict.h"
#include "platform/host.h"

#define WHAT "signed claim"

void wci_claim_free(wci_claim *claim)
{
    wci_free(claim->reference);
    *claim = (wci_claim)WCI_CLAIM_INIT;
}

static int32_t check_optional(json_t *optional, const char *type, wc_error **err)
{
    const char *creator = NULL;
    int64_t timestamp = 0;
    if (json_is_null(optional) && !strcmp(type, WCI_CLAIM_COSIGN)) /* cosign without annotations */
        return WC_OK;
    if (!json_is_object(optional))
        return wci_err(err, WC_E_FORMAT, WHAT ": 'optional' must be an object");
    int32_t code = wci_json_get_string(optional, "creator", WHAT, &creator, err);
    return code ? code
                : wci_json_get_int(optional, "timestamp", WHAT, INT64_MIN, INT64_MAX, &timestamp, err);
}

static int32_t check_type(json_t *critical, const char *type, wc_error **err)
{
    const char *own = "";
    char shown[WCI_SHOWN_SIZE];
    int32_t code = wci_json_get_string(critical, "type", WHAT, &own, err);
    if (code || !strcmp(own, type))
        return code;
    wci_show(own, shown);
    return wci_err(err, WC_E_FORMAT, WHAT ": it is a '%s', not a '%s'", shown, type);
}

/* The one text below an object of this name. */
static int32_t read_only(json_t *critical, const char *name, const char *key, const char **out, wc_error **err)
{
    json_t *object = json_object_get(critical, name);
    const char *const keys[] = {key, NULL};
    int32_t code = wci_strict_exactly(object, keys, WHAT, err);
    return code ? code : wci_json_get_string(object, key, WHAT, out, err);
}

static int32_t read_critical(json_t *critical, const char *type, wci_claim *out, wc_error **err)
{
    static const char *const keys[] = {"identity", "image", "type", NULL};
    const char *reference = "", *digest = "";
    int32_t code = wci_strict_exactly(critical, keys, WHAT, err);
    if (!code)
        code = check_type(critical, type, err);
    if (!code)
        code = read_only(critical, "image", "docker-manifest-digest", &digest, err);
    if (!code)
        code = read_only(critical, "identity", "docker-reference", &reference, err);
    if (!code)
        code = wci_digest_parse(digest, &out->digest, err);
    if (!code && wci_replace(&out->reference, reference))
        code = wci_err_nomem(err);
    return code;
}

int32_t wci_claim_parse(const char *data, size_t size, const char *type, wci_claim *out, wc_error **err)
{
    static const char *const keys[] = {"critical", "optional", NULL};
    wci_claim claim = WCI_CLAIM_INIT;
    json_t *root = NULL;
    int32_t code = wci_json_parse(data, size, WCI_CLAIM_MAX, WHAT, &root, err);
    if (code)
        return code;
    code = wci_strict_keys(root, keys, WHAT, err);
    if (!code && (!json_object_get(root, "critical") || !json_object_get(root, "optional")))
        code = wci_err(err, WC_E_FORMAT, WHAT ": 'critical' or 'optional' is missing");
    if (!code)
        code = check_optional(json_object_get(root, "optional"), type, err);
    if (!code)
        code = read_critical(json_object_get(root, "critical"), type, &claim, err);
    json_decref(root);
    if (code)
        wci_claim_free(&claim);
    else
        *out = claim;
    return code;
}

int32_t wci_claim_make(const char *reference, const wci_digest *digest, wc_buf **out, wc_error **err)
{
    char *creator = wci_asprintf("libwincontainer %s", wc_version());
    json_t *json = creator ? json_pack("{s:{s:{s:s}, s:{s:s}, s:s}, s:{s:s, s:I}}", "critical", "identity",
                                       "docker-reference", reference, "image", "docker-manifest-digest", digest->text,
                                       "type", WCI_CLAIM_COSIGN, "optional", "creator", creator, "timestamp",
                                       (json_int_t)(wci_now_ns() / 1000000000))
                           : NULL;
    int32_t code = json ? wci_json_dump(json, out, err) : wci_err_nomem(err);
    json_decref(json);
    wci_free(creator);
    return code;
}
