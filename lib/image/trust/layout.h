/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures that lie in the same OCI layout as their image: under cosign's tag, with a subject (as oras and skopeo
 * copy them), or marked as cosign marks them. */
#ifndef WCI_TRUST_LAYOUT_H
#define WCI_TRUST_LAYOUT_H

#include "image/origin.h"

int32_t wci_layout_tagged(wc_call *call, wci_origin *origin, const wci_document *index, const char *tag, wci_raw *out,
                          wc_error **err);
/* `bytes` are those of the index. */
int32_t wci_layout_referrers(wc_call *call, wci_origin *origin, const wci_document *index, const wc_buf *bytes,
                             const wci_digest *subject, wc_buf **out, wc_error **err);

#endif
