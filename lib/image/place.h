/* SPDX-License-Identifier: Apache-2.0 */
/* Where an image lies: skopeo's transports.
 *
 *   docker://REFERENCE, REFERENCE      a registry
 *   oci:DIR[:NAME]                     an OCI layout; NAME is its org.opencontainers.image.ref.name
 *   oci-archive:FILE[:NAME]            the same in a tar
 *   docker-archive:FILE[:REFERENCE]    what `docker save` writes
 *   docker-daemon:REFERENCE            an image of the Docker Engine on this machine
 *
 * As in skopeo the path ends at the first colon (on Windows after that of a drive), so it cannot
 * hold one itself; what follows may. */
#ifndef WCI_IMAGE_PLACE_H
#define WCI_IMAGE_PLACE_H

#include <wincontainer/error.h>

typedef enum wci_place_kind {
    WCI_PLACE_REGISTRY,
    WCI_PLACE_OCI,
    WCI_PLACE_OCI_ARCHIVE,
    WCI_PLACE_DOCKER_ARCHIVE,
    WCI_PLACE_DOCKER_DAEMON,
} wci_place_kind;

typedef struct wci_place {
    wci_place_kind kind;
    char *path; /* NULL for a registry and an engine */
    char *ref;  /* NULL when none was given; but for layouts normalised */
    char *short_name; /* as it was written, when that was without transport and registry; else NULL */
} wci_place;

#define WCI_PLACE_INIT {WCI_PLACE_REGISTRY, NULL, NULL, NULL}

/* WC_E_INVALID for what cannot be read, WC_E_UNSUPPORTED for transports that we do not have. */
int32_t wci_place_parse(const char *text, wci_place *out, wc_error **err);
void wci_place_free(wci_place *place);
/* NAME of "wc-store:NAME", which is an image of the store and none of these places; NULL for all else. Lent. */
const char *wci_place_store_name(const char *text);
/* As it would be typed; owned. NULL: out of memory. */
char *wci_place_format(const wci_place *place);

#endif
