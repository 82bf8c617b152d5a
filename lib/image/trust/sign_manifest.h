/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest that holds the signatures of one image. */
#ifndef WCI_TRUST_SIGN_MANIFEST_H
#define WCI_TRUST_SIGN_MANIFEST_H

#include "image/origin.h"

typedef struct wci_new_signature {
    wc_buf *claim;
    char *signature; /* of it, as base64 */
} wci_new_signature;

/* Sends a signature to a repository and puts it, with those that are present (NULL: none), under the tag. */
int32_t wci_signature_put(wc_call *call, wci_remote *remote, const char *tag, const wci_raw *present,
                          const wci_new_signature *added, wc_error **err);

#endif
