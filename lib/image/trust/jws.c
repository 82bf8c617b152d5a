/* SPDX-License-Identifier: Apache-2.0 */
#include "image/trust/jws.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "image/trust/strict.h"
#include "core/base64.h"

#define WHAT "notation signature"
#define PREFIX "io.cncf.notary."
#define SCHEME PREFIX "signingScheme"
#define EXPIRY PREFIX "expiry"
#define TYPE_PAYLOAD "application/vnd.cncf.notary.payload.v1+json"
#define MAX_CHAIN 10

static const struct {
    const char *name;
    wci_key_kind kind;
    int bits; /* of the key */
    wci_scheme scheme;
} algorithms[] = {
    {"PS256", WCI_KEY_RSA, 2048, {256, 1, 1}}, {"PS384", WCI_KEY_RSA, 3072, {384, 1, 1}},
    {"PS512", WCI_KEY_RSA, 4096, {512, 1, 1}}, {"ES256", WCI_KEY_EC, 256, {256, 0, 1}},
    {"ES384", WCI_KEY_EC, 384, {384, 0, 1}},   {"ES512", WCI_KEY_EC, 521, {512, 0, 1}},
};

void wci_jws_free(wci_jws *jws)
{
    if (!jws)
        return;
    wci_certs_free(jws->chain);
    wci_secret_clear(&jws->signature);
    wci_secret_clear(&jws->payload);
    wci_free(jws->input);
    wci_free(jws);
}

/* ---- base64url -------------------------------------------------------------------------------------- */

/* RFC 7515, 2: without padding, without anything else. */
static int32_t decode_url(const char *text, const char *key, wci_secret *out, wc_error **err)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t size = 0;
    char *plain = text[strspn(text, alphabet)] ? NULL : wci_strdup(text);
    for (char *p = plain; p && *p; p++)
        *p = *p == '-' ? '+' : *p == '_' ? '/' : *p;
    char *data = plain ? wci_base64_decode(plain, &size) : NULL;
    wci_free(plain);
    if (!data)
        return wci_err(err, WC_E_FORMAT, WHAT ": '%s' is not base64url", key);
    *out = (wci_secret){data, size};
    return WC_OK;
}

/* ---- The protected header --------------------------------------------------------------------------- */

static int32_t take_algorithm(json_t *header, wci_jws *jws, wc_error **err)
{
    const char *name = NULL;
    char shown[WCI_SHOWN_SIZE];
    int32_t code = wci_strict_text(header, "alg", WHAT, &name, err);
    for (size_t i = 0; !code && i < sizeof algorithms / sizeof *algorithms; i++) {
        if (strcmp(name, algorithms[i].name))
            continue;
        jws->kind = algorithms[i].kind;
        jws->bits = algorithms[i].bits;
        jws->scheme = algorithms[i].scheme;
        return WC_OK;
    }
    if (code)
        return code;
    wci_show(name, shown);
    return wci_err(err, WC_E_UNSUPPORTED, WHAT ": the algorithm '%s' is not accepted", shown);
}

static int32_t check_constant(json_t *header, const char *key, const char *wanted, wc_error **err)
{
    const char *value = NULL;
    char shown[WCI_SHOWN_SIZE];
    int32_t code = wci_strict_text(header, key, WHAT, &value, err);
    if (code || !strcmp(value, wanted))
        return code;
    wci_show(value, shown);
    return wci_err(err, WC_E_UNSUPPORTED, WHAT ": '%s' is '%s'; only '%s' is understood", key, shown, wanted);
}

/* What the signer says must be understood must be. */
static int32_t check_critical(json_t *header, wc_error **err)
{
    json_t *list = json_object_get(header, "crit"), *item;
    int has_scheme = 0, has_expiry = 0;
    char shown[WCI_SHOWN_SIZE];
    size_t i;
    json_array_foreach (list, i, item) {
        const char *name = json_string_value(item);
        int is_scheme = name && !strcmp(name, SCHEME), is_expiry = name && !strcmp(name, EXPIRY);
        wci_show(name ? name : "", shown);
        if (!is_scheme && !is_expiry)
            return wci_err(err, WC_E_UNSUPPORTED, WHAT ": it demands '%s', which is not understood here", shown);
        has_scheme |= is_scheme;
        has_expiry |= is_expiry;
    }
    if (!has_scheme || has_expiry != (json_object_get(header, EXPIRY) != NULL))
        return wci_err(err, WC_E_FORMAT, WHAT ": 'crit' does not name what it must");
    return WC_OK;
}

static int32_t take_expiry(json_t *header, wci_jws *jws, wc_error **err)
{
    const char *text = NULL;
    if (!json_object_get(header, EXPIRY))
        return WC_OK;
    int32_t code = wci_strict_text(header, EXPIRY, WHAT, &text, err);
    if (!code)
        code = wci_time_parse(text, &jws->expiry_ns, err);
    return code ? wci_err_wrap(err, code, WHAT ": '" EXPIRY "'") : WC_OK;
}

static int32_t read_protected(const char *coded, wci_jws *jws, wc_error **err)
{
    wci_secret text = WCI_SECRET_INIT;
    json_t *header = NULL;
    int32_t code = decode_url(coded, "protected", &text, err);
    if (!code)
        code = wci_json_parse(text.data, text.size, WCI_JWS_MAX, WHAT, &header, err);
    if (!code)
        code = take_algorithm(header, jws, err);
    if (!code)
        code = check_constant(header, "cty", TYPE_PAYLOAD, err);
    if (!code)
        code = check_constant(header, SCHEME, "notary.x509", err);
    if (!code)
        code = check_critical(header, err);
    if (!code)
        code = take_expiry(header, jws, err);
    json_decref(header);
    wci_secret_clear(&text);
    return code;
}

/* ---- The whole -------------------------------------------------------------------------------------- */

static int32_t add_cert(wci_certs *chain, const char *coded, wc_error **err)
{
    size_t size = 0;
    char *der = coded ? wci_base64_decode(coded, &size) : NULL;
    int32_t code = der ? wci_certs_add(chain, der, size, err)
                       : wci_err(err, WC_E_FORMAT, "a certificate that is not base64");
    wci_free(der);
    return code ? wci_err_wrap(err, code, WHAT ": 'x5c'") : WC_OK;
}

static int32_t read_chain(json_t *header, wci_jws *jws, wc_error **err)
{
    json_t *list = json_object_get(header, "x5c"), *item;
    size_t i, count = json_array_size(list);
    if (!count || count > MAX_CHAIN)
        return wci_err(err, WC_E_FORMAT, WHAT ": 'x5c' must have one to %d certificates", MAX_CHAIN);
    int32_t code = wci_certs_new(&jws->chain, err);
    json_array_foreach (list, i, item) {
        if (!code)
            code = add_cert(jws->chain, json_string_value(item), err);
    }
    return code;
}

static int32_t read_envelope(json_t *root, wci_jws *jws, wc_error **err)
{
    static const char *const keys[] = {"payload", "protected", "header", "signature", NULL};
    const char *payload = NULL, *protected = NULL, *signature = NULL;
    int32_t code = wci_strict_exactly(root, keys, WHAT, err);
    if (!code)
        code = wci_strict_text(root, "payload", WHAT, &payload, err);
    if (!code)
        code = wci_strict_text(root, "protected", WHAT, &protected, err);
    if (!code)
        code = wci_strict_text(root, "signature", WHAT, &signature, err);
    if (!code)
        code = decode_url(payload, "payload", &jws->payload, err);
    if (!code)
        code = decode_url(signature, "signature", &jws->signature, err);
    if (!code)
        code = read_protected(protected, jws, err);
    if (!code && !(jws->input = wci_asprintf("%s.%s", protected, payload)))
        code = wci_err_nomem(err);
    return code ? code : read_chain(json_object_get(root, "header"), jws, err);
}

int32_t wci_jws_parse(const char *data, size_t size, wci_jws **out, wc_error **err)
{
    json_t *root = NULL;
    wci_jws *jws = wci_calloc(1, sizeof *jws);
    int32_t code = jws ? wci_json_parse(data, size, WCI_JWS_MAX, WHAT, &root, err) : wci_err_nomem(err);
    if (!code)
        code = read_envelope(root, jws, err);
    json_decref(root);
    if (code)
        wci_jws_free(jws);
    else
        *out = jws;
    return code;
}

/* ---- Verifying -------------------------------------------------------------------------------------- */

/* The key says which algorithm it is for, whatever the header would rather have. */
static int32_t check_signature(const wci_jws *jws, wc_error **err)
{
    wci_key *key = NULL;
    int32_t code = wci_certs_key(jws->chain, &key, err);
    if (code)
        return code;
    if (wci_key_kind_of(key) != jws->kind || wci_key_bits(key) != jws->bits)
        code = wci_err(err, WC_E_UNTRUSTED, "its algorithm is not the one for its certificate's key");
    else if (!wci_key_verify(key, &jws->scheme, jws->input, strlen(jws->input), jws->signature.data,
                             jws->signature.size))
        code = wci_err(err, WC_E_UNTRUSTED, "it is not that of its certificate's key");
    wci_key_free(key);
    return code;
}

int32_t wci_jws_verify(const wci_jws *jws, const wci_certs *anchors, int64_t now_ns, wc_error **err)
{
    int32_t code = check_signature(jws, err);
    if (!code)
        code = wci_certs_check_signer(jws->chain, anchors, now_ns, err);
    if (!code && jws->expiry_ns && now_ns >= jws->expiry_ns)
        code = wci_err(err, WC_E_UNTRUSTED, "the signature has expired");
    return code ? wci_err_wrap(err, code, WHAT) : WC_OK;
}

int32_t wci_jws_target(const wci_jws *jws, wci_digest *digest, int64_t *size, wc_error **err)
{
    static const char *const keys[] = {"targetArtifact", NULL};
    json_t *root = NULL;
    const char *text = NULL;
    int32_t code = wci_json_parse(jws->payload.data, jws->payload.size, WCI_JWS_MAX, WHAT, &root, err);
    if (!code)
        code = wci_strict_exactly(root, keys, WHAT, err);
    json_t *target = json_object_get(root, "targetArtifact");
    *size = -1;
    if (!code)
        code = wci_strict_text(target, "digest", WHAT, &text, err);
    if (!code)
        code = wci_json_get_int(target, "size", WHAT, 0, INT64_MAX, size, err);
    if (!code)
        code = wci_digest_parse(text, digest, err);
    json_decref(root);
    return code;
}
