/* SPDX-License-Identifier: Apache-2.0 */
/* Claims: what is accepted has a name and a digest, in either form. */
#include <stdint.h>
#include <stdlib.h>

#include "image/trust/claim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_type(const uint8_t *data, size_t size, const char *type)
{
    wci_claim claim = WCI_CLAIM_INIT;
    wc_error *err = NULL;
    int32_t code = wci_claim_parse((const char *)data, size, type, &claim, &err);
    if (code ? !err : !claim.reference || !wci_digest_is_set(&claim.digest))
        abort();
    wc_error_unref(err);
    wci_claim_free(&claim);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_type(data, size, WCI_CLAIM_COSIGN);
    try_type(data, size, WCI_CLAIM_ATOMIC);
    return 0;
}
