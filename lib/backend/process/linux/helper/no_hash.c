/* SPDX-License-Identifier: Apache-2.0 */
/* A monitor keeps records, it never hashes content. That these are here, and say so, keeps the
 * hashing library of the store out of the program: it would double a monitor's memory. */
#include "core/error.h"
#include "platform/hash.h"

int32_t wci_hash_new(int bits, wci_hash **out, wc_error **err)
{
    (void)bits, (void)out;
    return wci_err(err, WC_E_UNSUPPORTED, "wc-helper: does not hash");
}

int wci_hash_update(wci_hash *hash, const void *data, size_t size)
{
    (void)hash, (void)data, (void)size;
    return 0;
}

int wci_hash_final(wci_hash *hash, unsigned char out[WCI_HASH_MAX_SIZE])
{
    (void)hash, (void)out;
    return 0;
}

void wci_hash_free(wci_hash *hash)
{
    (void)hash;
}
