/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the name in a signature is the one that an image should have. Specification:
 * containers-policy.json(5), "signedIdentity". */
#ifndef WCI_TRUST_IDENTITY_H
#define WCI_TRUST_IDENTITY_H

#include <jansson.h>

#include "image/reference.h"

typedef enum wci_identity_kind {
    WCI_IDENTITY_REPO_DIGEST_OR_EXACT, /* the default */
    WCI_IDENTITY_EXACT,
    WCI_IDENTITY_REPOSITORY,
    WCI_IDENTITY_EXACT_REFERENCE,
    WCI_IDENTITY_EXACT_REPOSITORY,
    WCI_IDENTITY_REMAP,
    WCI_IDENTITY_ANY, /* of no policy file: whoever names one key for one image */
} wci_identity_kind;

typedef struct wci_identity {
    wci_identity_kind kind;
    char *name;        /* of WCI_IDENTITY_EXACT_…; the prefix of WCI_IDENTITY_REMAP */
    char *signed_name; /* the prefix that stands in its place */
} wci_identity;

#define WCI_IDENTITY_INIT {WCI_IDENTITY_REPO_DIGEST_OR_EXACT, NULL, NULL}

/* Of the object "signedIdentity". */
int32_t wci_identity_parse(json_t *json, const char *what, wci_identity *out, wc_error **err);
void wci_identity_free(wci_identity *identity);
/* `image` is the name that it is asked for by, NULL when its place gives none. */
int wci_identity_accepts(const wci_identity *identity, const wci_reference *image, const char *signed_reference);
/* Rules that need the name: what to do about an image without. */
int wci_identity_needs_name(const wci_identity *identity);

#endif
