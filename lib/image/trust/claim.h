/* SPDX-License-Identifier: Apache-2.0 */
/* What a signature says: "the image with this digest goes by this name". Specifications:
 * containers-signature(5), "JSON data format", and cosign's SIGNATURE_SPEC.md. */
#ifndef WCI_TRUST_CLAIM_H
#define WCI_TRUST_CLAIM_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/memory.h>

#include "core/digest.h"

#define WCI_CLAIM_MAX ((size_t)1 << 20)

#define WCI_CLAIM_COSIGN "cosign container image signature"
#define WCI_CLAIM_ATOMIC "atomic container signature" /* simple signing, by GPG */

typedef struct wci_claim {
    char *reference;
    wci_digest digest;
} wci_claim;

#define WCI_CLAIM_INIT {NULL, {""}}

/* Read only what a trusted key has signed. Strict: nothing may be missing, and nothing unknown stand in it but
 * below "optional". */
int32_t wci_claim_parse(const char *data, size_t size, const char *type, wci_claim *out, wc_error **err);
void wci_claim_free(wci_claim *claim);
/* To be signed, in cosign's form. */
int32_t wci_claim_make(const char *reference, const wci_digest *digest, wc_buf **out, wc_error **err);

#endif
