/* SPDX-License-Identifier: Apache-2.0 */
/* WWW-Authenticate values of a hostile registry. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "registry/registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Texts from a challenge go into URLs and errors: nothing may come out that steers a header. */
static void must_be_clean(const char *text)
{
    for (; text && *text; text++)
        if (*text == '\r' || *text == '\n')
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wci_challenge *list = NULL;
    size_t count = 0;
    wc_error *err = NULL;
    if (wci_challenges_parse((const char *)data, size, &list, &count, &err)) {
        if (!err || list)
            abort();
        wc_error_unref(err);
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (!list[i].scheme || !*list[i].scheme)
            abort();
        must_be_clean(list[i].realm);
        must_be_clean(list[i].service);
        must_be_clean(list[i].scope);
        must_be_clean(list[i].error);
    }
    wci_challenges_free(list, count);
    return 0;
}
