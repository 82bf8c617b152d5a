/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/posix/keys.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/posix/openssl.h"

#define MIN_RSA_BITS 2048
#define MAX_RSA_BITS 16384

/* Every entry takes back what it leaves in OpenSSL's list of errors, which the host may be reading. */
static void enter(void)
{
    ERR_set_mark();
}

/* The same for those that make the first key. */
static int32_t enter_first(wc_error **err)
{
    int32_t rc = wci_openssl_prepare(err);
    if (!rc)
        enter();
    return rc;
}

static void leave(void)
{
    ERR_pop_to_mark();
}

/* ---- Which keys ------------------------------------------------------------------------------------- */

static int is_rsa(const EVP_PKEY *pkey)
{
    int id = EVP_PKEY_get_base_id(pkey);
    return id == EVP_PKEY_RSA || id == EVP_PKEY_RSA_PSS;
}

/* A curve that is spelt out may be another than it looks like. */
static int is_known_curve(const EVP_PKEY *pkey)
{
    static const char *const known[] = {"prime256v1", "P-256", "secp384r1", "P-384", "secp521r1", "P-521"};
    char name[64];
    size_t size;
    int is_explicit = 0;
    EVP_PKEY_get_int_param(pkey, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS, &is_explicit);
    if (is_explicit || !EVP_PKEY_get_group_name(pkey, name, sizeof name, &size))
        return 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(name, known[i]))
            return 1;
    return 0;
}

static int32_t check_kind(const EVP_PKEY *pkey, wc_error **err)
{
    int id = EVP_PKEY_get_base_id(pkey), bits = EVP_PKEY_get_bits(pkey);
    if (id == EVP_PKEY_ED25519 || (id == EVP_PKEY_EC && is_known_curve(pkey)))
        return WC_OK;
    if (is_rsa(pkey) && bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS)
        return WC_OK;
    return wci_err(err, WC_E_UNSUPPORTED,
                   "a key of %d bits of a kind that is not accepted; use ECDSA on P-256, P-384 or P-521, RSA of %d "
                   "bits or more, or Ed25519",
                   bits, MIN_RSA_BITS);
}

int32_t wci_key_adopt(EVP_PKEY *pkey, wci_key **out, wc_error **err)
{
    int32_t code = check_kind(pkey, err);
    wci_key *key = code ? NULL : wci_calloc(1, sizeof *key);
    if (!code && !key)
        code = wci_err_nomem(err);
    if (code) {
        EVP_PKEY_free(pkey);
        return code;
    }
    key->pkey = pkey;
    *out = key;
    return WC_OK;
}

void wci_key_free(wci_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->pkey);
    wci_free(key);
}

wci_key_kind wci_key_kind_of(const wci_key *key)
{
    int id = EVP_PKEY_get_base_id(key->pkey);
    return id == EVP_PKEY_EC ? WCI_KEY_EC : id == EVP_PKEY_ED25519 ? WCI_KEY_ED25519 : WCI_KEY_RSA;
}

int wci_key_bits(const wci_key *key)
{
    return EVP_PKEY_get_bits(key->pkey);
}

/* ---- Reading ---------------------------------------------------------------------------------------- */

static int32_t adopt_whole(EVP_PKEY *pkey, const unsigned char *at, const unsigned char *end, const char *what,
                           wci_key **out, wc_error **err)
{
    if (pkey && at == end)
        return wci_key_adopt(pkey, out, err);
    EVP_PKEY_free(pkey);
    return wci_err(err, WC_E_FORMAT, "not a %s key", what);
}

int32_t wci_key_read_public(const void *der, size_t size, wci_key **out, wc_error **err)
{
    const unsigned char *at = der, *end = at + size;
    int32_t code = enter_first(err);
    if (code)
        return code;
    EVP_PKEY *pkey = d2i_PUBKEY(NULL, &at, (long)size);
    code = adopt_whole(pkey, at, end, "public", out, err);
    leave();
    return code;
}

static EVP_PKEY *of_pkcs8(PKCS8_PRIV_KEY_INFO *info)
{
    EVP_PKEY *pkey = info ? EVP_PKCS82PKEY(info) : NULL;
    PKCS8_PRIV_KEY_INFO_free(info);
    return pkey;
}

static int32_t read_encrypted(const unsigned char *at, size_t size, const char *passphrase, wci_key **out,
                              wc_error **err)
{
    const unsigned char *end = at + size;
    X509_SIG *box = d2i_X509_SIG(NULL, &at, (long)size);
    if (!box || at != end) {
        X509_SIG_free(box);
        return wci_err(err, WC_E_FORMAT, "not an encrypted private key");
    }
    PKCS8_PRIV_KEY_INFO *info = PKCS8_decrypt(box, passphrase, (int)strlen(passphrase));
    X509_SIG_free(box);
    if (!info)
        return wci_err(err, WC_E_AUTH, "the passphrase does not open it");
    return adopt_whole(of_pkcs8(info), at, end, "private", out, err);
}

static EVP_PKEY *read_plain(wci_key_form form, const unsigned char **at, size_t size)
{
    if (form == WCI_KEY_PKCS8)
        return of_pkcs8(d2i_PKCS8_PRIV_KEY_INFO(NULL, at, (long)size));
    return d2i_PrivateKey(form == WCI_KEY_SEC1 ? EVP_PKEY_EC : EVP_PKEY_RSA, NULL, at, (long)size);
}

int32_t wci_key_read_private(wci_key_form form, const void *der, size_t size, const char *passphrase,
                             wci_key **out, wc_error **err)
{
    const unsigned char *at = der, *end = at + size;
    int32_t code = enter_first(err);
    if (code)
        return code;
    if (form == WCI_KEY_PKCS8_ENCRYPTED) {
        code = read_encrypted(at, size, passphrase, out, err);
    } else {
        EVP_PKEY *pkey = read_plain(form, &at, size);
        code = adopt_whole(pkey, at, end, "private", out, err);
    }
    leave();
    return code;
}

/* ---- Making and writing ----------------------------------------------------------------------------- */

static int32_t failed(const char *what, wc_error **err)
{
    return wci_err(err, WC_E_INTERNAL, "%s: the system's OpenSSL failed", what);
}

int32_t wci_key_generate(wci_key **out, wc_error **err)
{
    int32_t code = enter_first(err);
    if (code)
        return code;
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    code = pkey ? wci_key_adopt(pkey, out, err) : failed("making a key", err);
    leave();
    return code;
}

int32_t wci_key_write_public(const wci_key *key, wc_buf **out, wc_error **err)
{
    unsigned char *der = NULL;
    enter();
    int size = i2d_PUBKEY(key->pkey, &der);
    int32_t code = size > 0 ? wci_buf_new(der, (size_t)size, out, err) : failed("writing a public key", err);
    OPENSSL_free(der);
    leave();
    return code;
}

int32_t wci_key_write_private(const wci_key *key, wci_secret *out, wc_error **err)
{
    unsigned char *der = NULL;
    enter();
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key->pkey);
    int size = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : 0;
    int32_t code = size > 0 ? wci_secret_make((size_t)size, out, err) : failed("writing a private key", err);
    if (!code)
        memcpy(out->data, der, (size_t)size);
    OPENSSL_clear_free(der, size > 0 ? (size_t)size : 0);
    PKCS8_PRIV_KEY_INFO_free(info);
    leave();
    return code;
}

/* ---- Numbers of ECDSA in full length (RFC 7518, 3.4) ------------------------------------------------ */

static size_t number_size(const EVP_PKEY *pkey)
{
    return ((size_t)EVP_PKEY_get_bits(pkey) + 7) / 8;
}

/* The DER form, to be released with OPENSSL_free(); NULL when it is not two numbers. */
static unsigned char *der_of_raw(const EVP_PKEY *pkey, const unsigned char *raw, size_t size, size_t *out_size)
{
    size_t n = number_size(pkey);
    unsigned char *der = NULL;
    ECDSA_SIG *pair = size == 2 * n ? ECDSA_SIG_new() : NULL;
    BIGNUM *r = pair ? BN_bin2bn(raw, (int)n, NULL) : NULL, *s = pair ? BN_bin2bn(raw + n, (int)n, NULL) : NULL;
    if (r && s && ECDSA_SIG_set0(pair, r, s)) {
        int length = i2d_ECDSA_SIG(pair, &der);
        *out_size = length > 0 ? (size_t)length : 0;
    } else {
        BN_free(r);
        BN_free(s);
    }
    ECDSA_SIG_free(pair);
    return der;
}

static int32_t raw_of_der(const EVP_PKEY *pkey, const unsigned char *der, size_t size, wc_buf **out, wc_error **err)
{
    unsigned char raw[2 * 66];
    size_t n = number_size(pkey);
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)size);
    int ok = pair && 2 * n <= sizeof raw && BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, (int)n) > 0 &&
             BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + n, (int)n) > 0;
    ECDSA_SIG_free(pair);
    return ok ? wci_buf_new(raw, 2 * n, out, err) : failed("signing", err);
}

/* ---- Signing and verifying -------------------------------------------------------------------------- */

static const EVP_MD *hash_for(const wci_key *key, const wci_scheme *scheme)
{
    if (EVP_PKEY_get_base_id(key->pkey) == EVP_PKEY_ED25519)
        return NULL;
    return scheme->bits == 512 ? EVP_sha512() : scheme->bits == 384 ? EVP_sha384() : EVP_sha256();
}

static int set_padding(EVP_PKEY_CTX *ctx, const wci_key *key, const wci_scheme *scheme)
{
    if (!is_rsa(key->pkey))
        return 1;
    if (!scheme->pss)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
}

static int uses_raw(const wci_key *key, const wci_scheme *scheme)
{
    return scheme->raw && wci_key_kind_of(key) == WCI_KEY_EC;
}

static int verify_der(const wci_key *key, const wci_scheme *scheme, const void *data, size_t size,
                      const unsigned char *signature, size_t signature_size)
{
    EVP_PKEY_CTX *options = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int good = ctx && EVP_DigestVerifyInit(ctx, &options, hash_for(key, scheme), NULL, key->pkey) == 1 &&
               set_padding(options, key, scheme) &&
               EVP_DigestVerify(ctx, signature, signature_size, data, size) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

int wci_key_verify(const wci_key *key, const wci_scheme *scheme, const void *data, size_t size,
                   const void *signature, size_t signature_size)
{
    enter();
    int good = 0;
    if (uses_raw(key, scheme)) {
        size_t der_size = 0;
        unsigned char *der = der_of_raw(key->pkey, signature, signature_size, &der_size);
        good = der && verify_der(key, scheme, data, size, der, der_size);
        OPENSSL_free(der);
    } else {
        good = verify_der(key, scheme, data, size, signature, signature_size);
    }
    leave();
    return good;
}

/* To be released with OPENSSL_free(). */
static unsigned char *sign_der(const wci_key *key, const wci_scheme *scheme, const void *data, size_t size,
                               size_t *out_size)
{
    EVP_PKEY_CTX *options = NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char *signature = NULL;
    int good = ctx && EVP_DigestSignInit(ctx, &options, hash_for(key, scheme), NULL, key->pkey) == 1 &&
               set_padding(options, key, scheme) && EVP_DigestSign(ctx, NULL, out_size, data, size) == 1 &&
               (signature = OPENSSL_malloc(*out_size)) != NULL &&
               EVP_DigestSign(ctx, signature, out_size, data, size) == 1;
    EVP_MD_CTX_free(ctx);
    if (good)
        return signature;
    OPENSSL_free(signature);
    return NULL;
}

int32_t wci_key_sign(const wci_key *key, const wci_scheme *scheme, const void *data, size_t size, wc_buf **out,
                     wc_error **err)
{
    size_t der_size = 0;
    enter();
    unsigned char *der = sign_der(key, scheme, data, size, &der_size);
    int32_t code = !der                     ? failed("signing", err)
                   : uses_raw(key, scheme) ? raw_of_der(key->pkey, der, der_size, out, err)
                                            : wci_buf_new(der, der_size, out, err);
    OPENSSL_free(der);
    leave();
    return code;
}
