/* SPDX-License-Identifier: Apache-2.0 */
/* Simple signatures lie beside the registry, in a directory or on a web server. Specifications:
 * containers-registries.d(5), and what containers/image calls its signature access protocols. */
#ifndef WCI_TRUST_LOOKASIDE_H
#define WCI_TRUST_LOOKASIDE_H

#include "image/trust/judge.h"

/* Where those of an image lie, without its digest; owned. */
int32_t wci_lookaside_find(const wci_reference *image, char **base, wc_error **err);
/* The n-th (from 1) signature of a digest. WC_E_NOT_FOUND behind the last. */
int32_t wci_lookaside_read(const wci_judged *image, const char *base, const wci_digest *digest, size_t number,
                           wc_buf **out, wc_error **err);

#endif
