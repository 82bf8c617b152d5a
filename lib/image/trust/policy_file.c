/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/trust/policy.h"
#include "image/trust/strict.h"
#include "image/trust/subject.h"
#include "platform/file.h"
#include "platform/host.h"
#include "core/base64.h"

#define MAX_FILE ((size_t)4 << 20)
#define MAX_REQUIREMENTS 100

static void clear_requirement(wci_requirement *r)
{
    wci_strv_free(&r->paths);
    wci_strv_free(&r->data);
    wci_strv_free(&r->signers);
    wci_identity_free(&r->identity);
}

void wci_policy_free(wci_policy *policy)
{
    if (!policy)
        return;
    for (size_t i = 0; i < policy->count; i++) {
        wci_scope *scope = &policy->scopes[i];
        for (size_t k = 0; k < scope->count; k++)
            clear_requirement(&scope->items[k]);
        wci_free(scope->items);
        wci_free(scope->transport);
        wci_free(scope->name);
    }
    wci_free(policy->scopes);
    wci_free(policy->origin);
    wci_free(policy);
}

/* ---- Where keys are --------------------------------------------------------------------------------- */

static int32_t add_data(wci_strv *list, const char *text, const char *key, const char *what, wc_error **err)
{
    size_t size = 0;
    char *data = wci_base64_decode(text, &size);
    wci_free(data);
    if (!data || !size)
        return wci_err(err, WC_E_FORMAT, "%s: '%s' is not base64", what, key);
    return wci_strv_add(list, text) ? wci_err_nomem(err) : WC_OK;
}

static int32_t add_source(wci_strv *list, const char *text, int is_data, const char *key, const char *what,
                          wc_error **err)
{
    if (!*text)
        return wci_err(err, WC_E_FORMAT, "%s: '%s' is empty", what, key);
    if (is_data)
        return add_data(list, text, key, what, err);
    return wci_strv_add(list, text) ? wci_err_nomem(err) : WC_OK;
}

static int32_t add_sources(json_t *value, int is_data, const char *key, const char *what, wci_strv *list,
                           wc_error **err)
{
    size_t i;
    json_t *item;
    int32_t code = WC_OK;
    if (json_is_string(value))
        return add_source(list, json_string_value(value), is_data, key, what, err);
    json_array_foreach (value, i, item) {
        if (!code && !json_is_string(item))
            code = wci_err(err, WC_E_FORMAT, "%s: '%s' must be a list of texts", what, key);
        if (!code)
            code = add_source(list, json_string_value(item), is_data, key, what, err);
    }
    return code;
}

/* How the sources of a requirement may be given; exactly one of them must be. */
typedef struct source {
    const char *key;
    int is_list, is_data;
} source;

static int32_t read_source(json_t *json, const source *s, const char *what, wci_requirement *r, wc_error **err)
{
    json_t *value = json_object_get(json, s->key);
    if (s->is_list ? !json_is_array(value) || !json_array_size(value) : !json_is_string(value))
        return wci_err(err, WC_E_FORMAT, "%s: '%s' must be %s", what, s->key,
                       s->is_list ? "a list of texts that is not empty" : "a text");
    return add_sources(value, s->is_data, s->key, what, s->is_data ? &r->data : &r->paths, err);
}

static int32_t read_sources(json_t *json, const source *sources, const char *what, wci_requirement *r, wc_error **err)
{
    const source *found = NULL;
    wci_str names = WCI_STR_INIT;
    size_t given = 0;
    for (const source *s = sources; s->key; s++) {
        wci_str_printf(&names, "%s'%s'", s == sources ? "" : s[1].key ? ", " : " and ", s->key);
        if (!json_object_get(json, s->key))
            continue;
        found = s;
        given++;
    }
    int32_t code = given == 1 ? read_source(json, found, what, r, err)
                              : wci_err(err, WC_E_FORMAT, "%s: exactly one of %s must be there", what,
                                        names.data ? names.data : "");
    wci_str_free(&names);
    return code;
}

/* ---- Requirements ----------------------------------------------------------------------------------- */

static int32_t read_identity(json_t *json, const char *key, const char *what, wci_requirement *r, wc_error **err)
{
    json_t *identity = json_object_get(json, key);
    return identity ? wci_identity_parse(identity, what, &r->identity, err) : WC_OK;
}

static int32_t read_nothing(json_t *json, const char *what, wci_requirement *r, wc_error **err)
{
    (void)json;
    (void)what;
    (void)r;
    (void)err;
    return WC_OK;
}

static int32_t read_simple(json_t *json, const char *what, wci_requirement *r, wc_error **err)
{
    static const source sources[] = {
        {"keyPath", 0, 0}, {"keyPaths", 1, 0}, {"keyData", 0, 1}, {NULL, 0, 0}};
    static const char *const others[] = {"signedByGPGKeys", "X509Certificates", "signedByX509CAs"};
    const char *type = NULL;
    int32_t code = wci_strict_text(json, "keyType", what, &type, err);
    for (size_t i = 0; !code && i < sizeof others / sizeof *others; i++)
        if (!strcmp(type, others[i]))
            r->beyond = "a 'keyType' other than 'GPGKeys'";
    if (!code && !r->beyond && strcmp(type, "GPGKeys"))
        code = wci_err(err, WC_E_FORMAT, "%s: 'keyType' must be 'GPGKeys'", what);
    if (!code)
        code = read_sources(json, sources, what, r, err);
    return code ? code : read_identity(json, "signedIdentity", what, r, err);
}

static int32_t read_sigstore(json_t *json, const char *what, wci_requirement *r, wc_error **err)
{
    static const source sources[] = {{"keyPath", 0, 0},  {"keyPaths", 1, 0}, {"keyData", 0, 1},
                                     {"keyDatas", 1, 1}, {NULL, 0, 0}};
    static const char *const rekor[] = {"rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData",
                                        "rekorPublicKeyDatas"};
    int without_key = 0;
    for (size_t i = 0; i < sizeof rekor / sizeof *rekor; i++)
        if (json_object_get(json, rekor[i]))
            r->beyond = "an entry in Rekor's log";
    if (json_object_get(json, "fulcio") || json_object_get(json, "pki")) {
        r->beyond = "a certificate instead of a key ('fulcio', 'pki')";
        without_key = 1;
    }
    int32_t code = without_key ? WC_OK : read_sources(json, sources, what, r, err);
    return code ? code : read_identity(json, "signedIdentity", what, r, err);
}

static int32_t read_base_layer(json_t *json, const char *what, wci_requirement *r, wc_error **err)
{
    r->beyond = "a signed base layer";
    if (!json_object_get(json, "baseLayerIdentity"))
        return wci_err(err, WC_E_FORMAT, "%s: 'baseLayerIdentity' is missing", what);
    return read_identity(json, "baseLayerIdentity", what, r, err);
}

static int32_t add_signer(const char *text, const char *what, wci_requirement *r, wc_error **err)
{
    static const char prefix[] = "x509.subject:";
    if (strcmp(text, "*") && !wci_starts_with(text, prefix))
        return wci_err(err, WC_E_FORMAT, "%s: 'trustedIdentities' must be \"*\" or begin with '%s'", what, prefix);
    const char *subject = strcmp(text, "*") ? text + strlen(prefix) : text;
    subject += strspn(subject, " ");
    wci_strv parts = WCI_STRV_INIT;
    int32_t code = strcmp(subject, "*") ? wci_subject_parse(subject, &parts, err) : WC_OK;
    wci_strv_free(&parts);
    if (code)
        return wci_err_wrap(err, code, "%s: 'trustedIdentities'", what);
    return wci_strv_add(&r->signers, subject) ? wci_err_nomem(err) : WC_OK;
}

static int32_t read_notation(json_t *json, const char *what, wci_requirement *r, wc_error **err)
{
    static const source sources[] = {{"caPath", 0, 0}, {"caPaths", 1, 0}, {"caData", 0, 1}, {NULL, 0, 0}};
    json_t *signers = json_object_get(json, "trustedIdentities"), *item;
    size_t i;
    int32_t code = read_sources(json, sources, what, r, err);
    if (!code && (!json_is_array(signers) || !json_array_size(signers)))
        code = wci_err(err, WC_E_FORMAT, "%s: 'trustedIdentities' must be a list that is not empty", what);
    json_array_foreach (signers, i, item) {
        const char *text = json_string_value(item);
        if (!code)
            code = add_signer(text ? text : "", what, r, err);
    }
    return code;
}

static const struct {
    const char *type;
    wci_requirement_kind kind;
    int32_t (*read)(json_t *json, const char *what, wci_requirement *r, wc_error **err);
    const char *keys[14];
} types[] = {
    {"insecureAcceptAnything", WCI_REQUIRE_NOTHING, read_nothing, {"type"}},
    {"reject", WCI_REQUIRE_REJECT, read_nothing, {"type"}},
    {"signedBy", WCI_REQUIRE_SIMPLE, read_simple,
     {"type", "keyType", "keyPath", "keyPaths", "keyData", "signedIdentity"}},
    {"sigstoreSigned", WCI_REQUIRE_SIGSTORE, read_sigstore,
     {"type", "keyPath", "keyPaths", "keyData", "keyDatas", "signedIdentity", "fulcio", "pki", "rekorPublicKeyPath",
      "rekorPublicKeyPaths", "rekorPublicKeyData", "rekorPublicKeyDatas"}},
    {"signedBaseLayer", WCI_REQUIRE_REJECT, read_base_layer, {"type", "baseLayerIdentity"}},
    {"notationSigned", WCI_REQUIRE_NOTATION, read_notation,
     {"type", "caPath", "caPaths", "caData", "trustedIdentities"}},
};

static int32_t read_requirement(json_t *json, const char *what, wci_requirement *r, wc_error **err)
{
    const char *type = json_string_value(json_object_get(json, "type"));
    char shown[WCI_SHOWN_SIZE];
    for (size_t i = 0; type && i < sizeof types / sizeof *types; i++) {
        if (strcmp(type, types[i].type))
            continue;
        int32_t code = wci_strict_keys(json, types[i].keys, what, err);
        r->kind = types[i].kind;
        return code ? code : types[i].read(json, what, r, err);
    }
    wci_show(type ? type : "", shown);
    return wci_err(err, WC_E_FORMAT, "%s: unknown type of requirement '%s'", what, shown);
}

static int32_t read_requirements(json_t *list, const char *what, wci_scope *scope, wc_error **err)
{
    size_t i, count = json_array_size(list);
    json_t *item;
    if (!count || count > MAX_REQUIREMENTS)
        return wci_err(err, WC_E_FORMAT, "%s: must be a list of one to %d requirements", what, MAX_REQUIREMENTS);
    scope->items = wci_calloc(count, sizeof *scope->items);
    if (!scope->items)
        return wci_err_nomem(err);
    int32_t code = WC_OK;
    json_array_foreach (list, i, item) {
        if (code)
            break;
        char *where = wci_asprintf("%s: requirement %zu", what, i + 1);
        code = where ? read_requirement(item, where, &scope->items[scope->count++], err) : wci_err_nomem(err);
        wci_free(where);
    }
    return code;
}

/* ---- The whole file --------------------------------------------------------------------------------- */

static int32_t read_scope(wci_policy *policy, const char *transport, const char *name, json_t *list, wc_error **err)
{
    if (!wci_grow(&policy->scopes, &policy->cap, policy->count + 1, sizeof *policy->scopes))
        return wci_err_nomem(err);
    wci_scope *scope = &policy->scopes[policy->count++];
    *scope = (wci_scope){NULL, NULL, NULL, 0};
    char *what = transport ? wci_asprintf("%s: transport '%s', scope '%s'", policy->origin, transport, name)
                           : wci_asprintf("%s: default", policy->origin);
    int32_t code = what ? WC_OK : wci_err_nomem(err);
    if (!code && (wci_replace(&scope->transport, transport) || wci_replace(&scope->name, name)))
        code = wci_err_nomem(err);
    if (!code && transport && *name)
        code = wci_policy_check_scope(transport, name, what, err);
    if (!code)
        code = read_requirements(list, what, scope, err);
    wci_free(what);
    return code;
}

static int32_t read_transport(wci_policy *policy, const char *transport, json_t *scopes, wc_error **err)
{
    const char *name;
    json_t *list;
    if (!json_is_object(scopes))
        return wci_err(err, WC_E_FORMAT, "%s: transport '%s': must be an object", policy->origin, transport);
    json_object_foreach (scopes, name, list) {
        int32_t code = read_scope(policy, transport, name, list, err);
        if (code)
            return code;
    }
    return WC_OK;
}

static int32_t read_policy(wci_policy *policy, json_t *root, wc_error **err)
{
    static const char *const keys[] = {"default", "transports", NULL};
    const char *name;
    json_t *transports = json_object_get(root, "transports"), *scopes;
    int32_t code = wci_strict_keys(root, keys, policy->origin, err);
    if (!code && !json_object_get(root, "default"))
        code = wci_err(err, WC_E_FORMAT, "%s: 'default' is missing", policy->origin);
    if (!code && transports && !json_is_object(transports))
        code = wci_err(err, WC_E_FORMAT, "%s: 'transports' must be an object", policy->origin);
    if (!code)
        code = read_scope(policy, NULL, "", json_object_get(root, "default"), err);
    json_object_foreach (transports, name, scopes) {
        if (!code)
            code = read_transport(policy, name, scopes, err);
    }
    return code;
}

int32_t wci_policy_parse(const char *text, size_t size, const char *path, wci_policy **out, wc_error **err)
{
    json_t *root = NULL;
    wci_policy *policy = wci_calloc(1, sizeof *policy);
    if (!policy)
        return wci_err_nomem(err);
    policy->origin = wci_asprintf("policy '%s'", path);
    int32_t code = policy->origin ? wci_json_parse(text, size, MAX_FILE, policy->origin, &root, err)
                                  : wci_err_nomem(err);
    if (!code)
        code = read_policy(policy, root, err);
    json_decref(root);
    if (code)
        wci_policy_free(policy);
    else
        *out = policy;
    return code;
}

static int32_t load_file(const char *path, wci_policy **out, wc_error **err)
{
    wc_buf *bytes = NULL;
    int32_t code = wci_file_read_all(path, MAX_FILE, &bytes, err);
    if (code)
        return wci_err_wrap(err, code, "policy '%s': cannot be read", path);
    code = wci_policy_parse(wc_buf_data(bytes), wc_buf_size(bytes), path, out, err);
    wc_buf_unref(bytes);
    return code;
}

int32_t wci_policy_load(const char *path, wci_policy **out, wc_error **err)
{
    wci_strv usual = WCI_STRV_INIT;
    *out = NULL;
    if (path)
        return load_file(path, out, err);
    int32_t code = wci_host_container_files("policy.json", &usual) ? wci_err_nomem(err) : WC_OK;
    for (size_t i = 0; i < usual.count && !code && !*out; i++)
        if (wci_file_exists(usual.items[i]))
            code = load_file(usual.items[i], out, err);
    wci_strv_free(&usual);
    return code;
}

static int32_t fill_of_key(wci_policy *policy, const char *key_path, wc_error **err)
{
    wci_scope *scope = wci_calloc(1, sizeof *scope);
    policy->origin = wci_asprintf("key '%s'", key_path);
    policy->scopes = scope;
    if (!scope || !policy->origin)
        return wci_err_nomem(err);
    policy->count = policy->cap = 1;
    scope->name = wci_strdup("");
    scope->items = wci_calloc(1, sizeof *scope->items);
    if (!scope->name || !scope->items)
        return wci_err_nomem(err);
    scope->count = 1;
    scope->items[0].kind = WCI_REQUIRE_SIGSTORE;
    scope->items[0].identity.kind = WCI_IDENTITY_ANY;
    return wci_strv_add(&scope->items[0].paths, key_path) ? wci_err_nomem(err) : WC_OK;
}

int32_t wci_policy_of_key(const char *key_path, wci_policy **out, wc_error **err)
{
    wci_policy *policy = wci_calloc(1, sizeof *policy);
    if (!policy)
        return wci_err_nomem(err);
    int32_t code = fill_of_key(policy, key_path, err);
    if (code)
        wci_policy_free(policy);
    else
        *out = policy;
    return code;
}
