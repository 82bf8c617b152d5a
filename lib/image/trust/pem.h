/* SPDX-License-Identifier: Apache-2.0 */
/* PEM, RFC 7468: labelled blocks of base64. */
#ifndef WCI_TRUST_PEM_H
#define WCI_TRUST_PEM_H

#include <stddef.h>
#include <stdint.h>

#include "core/secret.h"
#include "core/str.h"

#define WCI_PEM_LABEL_SIZE 64

typedef struct wci_pem {
    char label[WCI_PEM_LABEL_SIZE]; /* "PUBLIC KEY" */
    wci_secret data;                /* what it holds, decoded */
} wci_pem;

#define WCI_PEM_INIT {"", WCI_SECRET_INIT}

/* The next block at or after *at, which is moved behind it; what stands between blocks is passed over.
 * WC_E_NOT_FOUND when there is none. */
int32_t wci_pem_next(const char **at, const char *end, wci_pem *out, wc_error **err);
void wci_pem_clear(wci_pem *block);
void wci_pem_write(wci_str *out, const char *label, const void *data, size_t size);

#endif
