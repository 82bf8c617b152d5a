/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "core/error.h"
#include "platform/keys.h"
#include "platform/posix/openssl.h"

#define MAX_MEMORY ((uint64_t)256 << 20)

static int derive(OSSL_PARAM *params, void *key, size_t key_size)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    int good = ctx && EVP_KDF_derive(ctx, key, key_size, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return good;
}

/* 128 N r bytes for the table and 128 r p beside it; OpenSSL needs some more for itself. */
static int is_affordable(uint64_t n, uint64_t r, uint64_t p)
{
    return n > 1 && r && p && r <= 1024 && p <= 1024 && n <= MAX_MEMORY / 128 / r && r * p <= MAX_MEMORY / 256;
}

int32_t wci_scrypt(const void *passphrase, size_t passphrase_size, const void *salt, size_t salt_size, uint64_t n,
                   uint64_t r, uint64_t p, void *key, size_t key_size, wc_error **err)
{
    if (!is_affordable(n, r, p))
        return wci_err(err, WC_E_LIMIT, "scrypt: N %llu, r %llu, p %llu are not acceptable", (unsigned long long)n,
                       (unsigned long long)r, (unsigned long long)p);
    int32_t rc = wci_openssl_prepare(err);
    if (rc)
        return rc;
    uint64_t most = 2 * MAX_MEMORY;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, (void *)passphrase, passphrase_size),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)salt, salt_size),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_R, &r),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_P, &p),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &most),
        OSSL_PARAM_construct_end(),
    };
    ERR_set_mark();
    int good = derive(params, key, key_size);
    ERR_pop_to_mark();
    return good ? WC_OK
                : wci_err(err, WC_E_UNSUPPORTED, "scrypt: the system's OpenSSL does not do it with N %llu, r %llu, p %llu",
                          (unsigned long long)n, (unsigned long long)r, (unsigned long long)p);
}

int32_t wci_poly1305(const void *key, const void *data, size_t size, unsigned char out[WCI_POLY1305_SIZE],
                     wc_error **err)
{
    size_t written = 0;
    int32_t rc = wci_openssl_prepare(err);
    if (rc)
        return rc;
    ERR_set_mark();
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "POLY1305", NULL);
    EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
    int good = ctx && EVP_MAC_init(ctx, key, 32, NULL) == 1 && EVP_MAC_update(ctx, data, size) == 1 &&
               EVP_MAC_final(ctx, out, &written, WCI_POLY1305_SIZE) == 1 && written == WCI_POLY1305_SIZE;
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(mac);
    ERR_pop_to_mark();
    return good ? WC_OK : wci_err(err, WC_E_UNSUPPORTED, "Poly1305: the system's OpenSSL does not offer it");
}
