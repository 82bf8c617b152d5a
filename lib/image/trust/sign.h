/* SPDX-License-Identifier: Apache-2.0 */
/* Signing images in a registry as cosign does: a claim and its signature, under a tag that the image's digest
 * gives. Specification: cosign, SIGNATURE_SPEC.md. */
#ifndef WCI_TRUST_SIGN_H
#define WCI_TRUST_SIGN_H

#include "image/origin.h"
#include "image/reference.h"
#include "image/transfer.h"

typedef struct wci_signer wci_signer;
/* The transfer's key; *out is NULL when it has none. */
int32_t wci_signer_open(const wci_transfer *transfer, wci_signer **out, wc_error **err);
void wci_signer_free(wci_signer *signer); /* NULL accepted */

/* Adds a signature to the image with these bytes, which its repository has; one that this key has made of the same
 * name and digest before is enough. */
int32_t wci_sign(wc_call *call, const wci_registry_config *config, const wci_signer *signer,
                 const wci_reference *image, const wci_raw *document, wc_error **err);
/* What lies under a name. With `each`, for an index, also every manifest that it lists. */
int32_t wci_sign_reference(wc_call *call, const wci_transfer *transfer, const char *reference, int each,
                           wc_error **err);

#endif
