/* SPDX-License-Identifier: Apache-2.0 */
/* Image references, "docker.io/library/alpine:3.19@sha256:…", with Docker's grammar
 * (distribution/reference) and Docker's short forms. */
#ifndef WCI_IMAGE_REFERENCE_H
#define WCI_IMAGE_REFERENCE_H

#include <wincontainer/error.h>

#include "core/digest.h"

typedef struct wci_reference {
    char *host;        /* "docker.io", "localhost:5000", "[::1]:5000" */
    char *repository;  /* "library/alpine" */
    char *tag;         /* NULL when none was given */
    wci_digest digest; /* unset when none was given; decides when both are there */
} wci_reference;

#define WCI_REFERENCE_INIT {NULL, NULL, NULL, {""}}

/* Short names are completed: "alpine" is "docker.io/library/alpine", "a/b" is "docker.io/a/b". The
 * first component is a host when it holds '.', ':' or a capital, or is "localhost". WC_E_INVALID
 * with what is wrong otherwise. */
int32_t wci_reference_parse(const char *text, wci_reference *out, wc_error **err);
void wci_reference_free(wci_reference *ref);

/* The whole normalised text: host/repository[:tag][@digest], with the tag "latest" when there is
 * neither tag nor digest. Owned; NULL: out of memory. */
char *wci_reference_format(const wci_reference *ref);
/* The short form that Docker prints: what the user would have to type. Owned. */
char *wci_reference_familiar(const wci_reference *ref);
/* What to ask the registry for: the digest, else the tag, else "latest". Lent. */
const char *wci_reference_target(const wci_reference *ref);

int wci_tag_is_valid(const char *tag);

#endif
