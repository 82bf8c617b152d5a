/* SPDX-License-Identifier: Apache-2.0 */
/* What leads to a simple signature: registries.d, keyrings in armour, the status of gpgv, subjects. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "image/trust/gpg.h"
#include "image/trust/registries_d.h"
#include "image/trust/subject.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_registries(const char *text, size_t size)
{
    wci_registries_d all = WCI_REGISTRIES_D_INIT;
    wci_strv none = WCI_STRV_INIT;
    if (!wci_registries_d_parse(text, size, "f", &all, NULL) && all.scopes.count != all.lookaside.count)
        abort();
    (void)wci_registries_d_find(&all, &none);
    wci_registries_d_free(&all);
}

static void try_status(const char *text)
{
    char *fingerprint = NULL;
    if (!wci_gpg_read_status(text, &fingerprint, NULL) && !*fingerprint)
        abort();
    wci_free(fingerprint);
}

static void try_subject(const char *text)
{
    wci_strv parts = WCI_STRV_INIT;
    if (!wci_subject_parse(text, &parts, NULL) && !parts.count)
        abort();
    wci_strv_free(&parts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wc_buf *keyring = NULL;
    char *text = malloc(size + 1);
    if (!text)
        return 0;
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    try_registries((const char *)data, size);
    (void)wci_gpg_dearmor((const char *)data, size, "k", &keyring, NULL);
    wc_buf_unref(keyring);
    try_status(text);
    try_subject(text);
    free(text);
    return 0;
}
