/* SPDX-License-Identifier: Apache-2.0 */
/* Link headers of a hostile registry. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "registry/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *header = malloc(size + 1), *next = NULL;
    wc_error *err = NULL;
    if (!header)
        return 0;
    if (size)
        memcpy(header, data, size);
    header[size] = '\0';
    int32_t code = wci_link_next(header, &next, &err);
    if ((code != 0) != (err != NULL) || (code && next) || (next && strchr(next, '>')))
        abort();
    wc_error_unref(err);
    wci_free(next);
    free(header);
    return 0;
}
