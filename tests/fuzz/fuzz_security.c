/* SPDX-License-Identifier: Apache-2.0 */
/* Security descriptors of any bytes. What is accepted cannot be cut before the end of its last part. */
#include <stdlib.h>
#include <string.h>

#include "layer/security.h"
#include "support/support.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy of its own, so that sanitizers see what is read past the cut. */
static int32_t check_cut(const uint8_t *data, size_t size)
{
    wc_error *err = NULL;
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, data, size);
    int32_t rc = wci_security_check(copy, size, &err);
    if ((rc == WC_OK) != (err == NULL) || (rc != WC_OK && rc != WC_E_FORMAT))
        abort();
    wc_error_unref(err);
    free(copy);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int32_t whole = check_cut(data, size);
    for (size_t cut = 0; cut < size; cut += 1 + size / 40)
        if (check_cut(data, cut) == WC_OK && whole != WC_OK)
            abort(); /* further bytes behind it make nothing wrong */
    return 0;
}
