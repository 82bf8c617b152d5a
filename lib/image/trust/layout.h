/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures that lie in the same OCI layout as their image: under cosign's tag, with a subject (as oras and skopeo
 * copy them), or marked as cosign marks them. */
#ifndef WCI_TRUST_LAYOUT_H
#define WCI_TRUST_LAYOUT_H

#include "image/origin.h"

int32_t wci_layout_tagged(wc_call *call, wci_origin *origin, const wci_document *index, const char *tag, wci_raw *out,
                          wc_error **err);
int32_t wci_layout_referrers(wc_call *call, wci_origin *origin, const wci_document *index,
                             const wci_digest *subject, wc_buf **out, wc_error **err);

/* What `cosign save` has marked as signatures. */
int wci_layout_is_signature(const wci_descriptor *entry);

#endif
