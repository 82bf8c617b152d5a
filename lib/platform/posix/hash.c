/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/hash.h"

#include <openssl/evp.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/posix/openssl.h"

struct wci_hash {
    EVP_MD_CTX *ctx;
};

int32_t wci_hash_new(int bits, wci_hash **out, wc_error **err)
{
    int32_t rc = wci_openssl_prepare(err);
    if (rc)
        return rc;
    wci_hash *hash = wci_calloc(1, sizeof *hash);
    if (!hash)
        return wci_err_nomem(err);
    hash->ctx = EVP_MD_CTX_new();
    if (!hash->ctx) {
        wci_free(hash);
        return wci_err_nomem(err);
    }
    if (!EVP_DigestInit_ex(hash->ctx, bits == 512 ? EVP_sha512() : EVP_sha256(), NULL)) {
        wci_hash_free(hash);
        return wci_err(err, WC_E_MISSING, "SHA-%d: the system's OpenSSL does not offer it", bits);
    }
    *out = hash;
    return WC_OK;
}

int wci_hash_update(wci_hash *hash, const void *data, size_t size)
{
    return EVP_DigestUpdate(hash->ctx, data, size) == 1;
}

int wci_hash_final(wci_hash *hash, unsigned char out[WCI_HASH_MAX_SIZE])
{
    return EVP_DigestFinal_ex(hash->ctx, out, NULL) == 1;
}

void wci_hash_free(wci_hash *hash)
{
    if (!hash)
        return;
    EVP_MD_CTX_free(hash->ctx);
    wci_free(hash);
}
