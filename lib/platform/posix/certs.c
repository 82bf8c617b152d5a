/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/posix/keys.h"
#include "platform/posix/openssl.h"

#define MAX_CERTS 1000

struct wci_certs {
    STACK_OF(X509) *list;
};

static int32_t untrusted(wc_error **err, const X509 *cert, const char *why)
{
    char name[WCI_SHOWN_SIZE], text[256] = "";
    X509_NAME_oneline(X509_get_subject_name(cert), text, sizeof text);
    wci_show(text, name);
    return wci_err(err, WC_E_UNTRUSTED, "certificate '%s': %s", name, why);
}

/* ---- Lists ------------------------------------------------------------------------------------------ */

int32_t wci_certs_new(wci_certs **out, wc_error **err)
{
    int32_t rc = wci_openssl_prepare(err);
    if (rc)
        return rc;
    wci_certs *certs = wci_calloc(1, sizeof *certs);
    if (certs && (certs->list = sk_X509_new_null()) != NULL) {
        *out = certs;
        return WC_OK;
    }
    wci_free(certs);
    return wci_err_nomem(err);
}

void wci_certs_free(wci_certs *certs)
{
    if (!certs)
        return;
    sk_X509_pop_free(certs->list, X509_free);
    wci_free(certs);
}

size_t wci_certs_count(const wci_certs *certs)
{
    return (size_t)sk_X509_num(certs->list);
}

int32_t wci_certs_add(wci_certs *certs, const void *der, size_t size, wc_error **err)
{
    const unsigned char *at = der, *end = at + size;
    if (wci_certs_count(certs) >= MAX_CERTS)
        return wci_err(err, WC_E_LIMIT, "over %d certificates", MAX_CERTS);
    ERR_set_mark();
    X509 *cert = d2i_X509(NULL, &at, (long)size);
    ERR_pop_to_mark();
    if (!cert || at != end) {
        X509_free(cert);
        return wci_err(err, WC_E_FORMAT, "not an X.509 certificate");
    }
    if (sk_X509_push(certs->list, cert) > 0)
        return WC_OK;
    X509_free(cert);
    return wci_err_nomem(err);
}

/* ---- What a chain must be ------------------------------------------------------------------------------ */

static int is_critical(const X509 *cert, int nid)
{
    int at = X509_get_ext_by_NID(cert, nid, -1);
    return at >= 0 && X509_EXTENSION_get_critical(X509_get_ext(cert, at));
}

/* Extended uses which say that the key is for something else. */
static int has_foreign_use(X509 *cert)
{
    uint32_t uses = X509_get_extended_key_usage(cert);
    return uses != UINT32_MAX &&
           (uses & (XKU_ANYEKU | XKU_SSL_SERVER | XKU_SSL_CLIENT | XKU_SMIME | XKU_TIMESTAMP));
}

static int32_t check_leaf(X509 *cert, wc_error **err)
{
    const uint32_t foreign = KU_KEY_ENCIPHERMENT | KU_DATA_ENCIPHERMENT | KU_KEY_AGREEMENT | KU_KEY_CERT_SIGN |
                             KU_ENCIPHER_ONLY | KU_DECIPHER_ONLY | KU_CRL_SIGN;
    uint32_t uses = X509_get_key_usage(cert);
    if (X509_get_extension_flags(cert) & EXFLAG_CA)
        return untrusted(err, cert, "it is an authority's, not a signer's");
    if (!is_critical(cert, NID_key_usage) || !(uses & KU_DIGITAL_SIGNATURE) || (uses & foreign))
        return untrusted(err, cert, "its key usage must be critical and digitalSignature alone");
    if (has_foreign_use(cert))
        return untrusted(err, cert, "its extended key usage is not that of signing code");
    return WC_OK;
}

static int32_t check_authority(X509 *cert, int below, wc_error **err)
{
    long most = X509_get_pathlen(cert);
    if (!(X509_get_extension_flags(cert) & EXFLAG_CA) || !is_critical(cert, NID_basic_constraints))
        return untrusted(err, cert, "it is not an authority's: no critical basic constraints that say so");
    if (!is_critical(cert, NID_key_usage) || !(X509_get_key_usage(cert) & KU_KEY_CERT_SIGN))
        return untrusted(err, cert, "its key usage must be critical and keyCertSign");
    if (most >= 0 && below > most)
        return untrusted(err, cert, "there are more authorities below it than it allows");
    return WC_OK;
}

static int32_t check_hash(const X509 *cert, wc_error **err)
{
    int hash = 0;
    if (!X509_get_signature_info((X509 *)cert, &hash, NULL, NULL, NULL) || hash == NID_sha1 || hash == NID_md5)
        return untrusted(err, cert, "it is signed with a hash that is not safe any more");
    return WC_OK;
}

/* Leaf first, root last, nothing else between. A root alone signs code itself, and need not be an authority. */
static int32_t check_order(STACK_OF(X509) *list, wc_error **err)
{
    int last = sk_X509_num(list) - 1;
    for (int i = 0; i < last; i++) {
        X509 *cert = sk_X509_value(list, i), *issuer = sk_X509_value(list, i + 1);
        if (X509_check_issued(issuer, cert) != X509_V_OK || X509_verify(cert, X509_get0_pubkey(issuer)) != 1)
            return untrusted(err, cert, "the next of the chain has not issued it");
    }
    X509 *root = sk_X509_value(list, last);
    return X509_self_signed(root, 1) == 1 ? WC_OK : untrusted(err, root, "the chain does not end with a root");
}

static int32_t check_chain(STACK_OF(X509) *list, wc_error **err)
{
    int count = sk_X509_num(list);
    int32_t code = check_leaf(sk_X509_value(list, 0), err);
    for (int i = 0; i < count && !code; i++)
        code = check_hash(sk_X509_value(list, i), err);
    for (int i = 1; i < count && !code; i++)
        code = check_authority(sk_X509_value(list, i), i - 1, err);
    return code ? code : check_order(list, err);
}

static int32_t check_times(STACK_OF(X509) *list, time_t now, wc_error **err)
{
    for (int i = 0; i < sk_X509_num(list); i++) {
        X509 *cert = sk_X509_value(list, i);
        if (X509_cmp_time(X509_get0_notBefore(cert), &now) >= 0)
            return untrusted(err, cert, "it is not valid yet");
        if (X509_cmp_time(X509_get0_notAfter(cert), &now) <= 0)
            return untrusted(err, cert, "it has expired; ask for a signature with a valid one");
    }
    return WC_OK;
}

/* ---- Whom it leads to -------------------------------------------------------------------------------- */

static X509_STORE *store_of(const wci_certs *anchors)
{
    X509_STORE *store = X509_STORE_new();
    for (int i = 0; store && i < sk_X509_num(anchors->list); i++) {
        if (!X509_STORE_add_cert(store, sk_X509_value(anchors->list, i))) {
            X509_STORE_free(store);
            return NULL;
        }
    }
    return store;
}

static int32_t check_anchor(const wci_certs *chain, const wci_certs *anchors, time_t now, wc_error **err)
{
    X509 *leaf = sk_X509_value(chain->list, 0);
    X509_STORE *store = store_of(anchors);
    X509_STORE_CTX *ctx = store ? X509_STORE_CTX_new() : NULL;
    int32_t code = ctx && X509_STORE_CTX_init(ctx, store, leaf, chain->list) ? WC_OK : wci_err_nomem(err);
    if (!code) {
        X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
        X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
        X509_VERIFY_PARAM_set_auth_level(param, 2); /* 112 bits of security: RSA from 2048 on */
        X509_VERIFY_PARAM_set_time(param, now);
        if (X509_verify_cert(ctx) != 1)
            code = untrusted(err, leaf, X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
    }
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return code;
}

int32_t wci_certs_check_signer(const wci_certs *chain, const wci_certs *anchors, int64_t now_ns, wc_error **err)
{
    time_t now = (time_t)(now_ns / 1000000000);
    if (!wci_certs_count(chain))
        return wci_err(err, WC_E_FORMAT, "a chain without certificates");
    ERR_set_mark();
    int32_t code = check_chain(chain->list, err);
    if (!code)
        code = check_times(chain->list, now, err);
    if (!code)
        code = check_anchor(chain, anchors, now, err);
    ERR_pop_to_mark();
    return code;
}

/* ---- The signer -------------------------------------------------------------------------------------- */

int32_t wci_certs_key(const wci_certs *chain, wci_key **out, wc_error **err)
{
    ERR_set_mark();
    EVP_PKEY *pkey = wci_certs_count(chain) ? X509_get_pubkey(sk_X509_value(chain->list, 0)) : NULL;
    int32_t code = pkey ? wci_key_adopt(pkey, out, err) : wci_err(err, WC_E_FORMAT, "a certificate without a key");
    ERR_pop_to_mark();
    return code;
}

static int32_t add_part(const X509_NAME_ENTRY *entry, wci_strv *out, wc_error **err)
{
    unsigned char *text = NULL;
    int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    int size = nid == NID_undef ? -1 : ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
    if (size < 0 || strlen((const char *)text) != (size_t)size) { /* nobody can have meant this one */
        OPENSSL_free(text);
        return WC_OK;
    }
    int failed = wci_strv_add_take(out, wci_asprintf("%s=%s", OBJ_nid2sn(nid), (const char *)text));
    OPENSSL_free(text);
    return failed ? wci_err_nomem(err) : WC_OK;
}

int32_t wci_certs_subject(const wci_certs *chain, wci_strv *out, wc_error **err)
{
    if (!wci_certs_count(chain))
        return wci_err(err, WC_E_FORMAT, "a chain without certificates");
    X509_NAME *name = X509_get_subject_name(sk_X509_value(chain->list, 0));
    int32_t code = WC_OK;
    ERR_set_mark();
    for (int i = 0; i < X509_NAME_entry_count(name) && !code; i++)
        code = add_part(X509_NAME_get_entry(name, i), out, err);
    ERR_pop_to_mark();
    return code;
}
