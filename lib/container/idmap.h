/* SPDX-License-Identifier: Apache-2.0 */
/* Ranges of user and group ids of a container that has a user namespace of its own. */
#ifndef WCI_CONTAINER_IDMAP_H
#define WCI_CONTAINER_IDMAP_H

#include <jansson.h>

#include "container/config.h"

typedef struct wci_idmap {
    uint32_t container, host, size;
} wci_idmap;

/* "CONTAINER:HOST:SIZE", as podman writes it. WC_E_INVALID. */
int32_t wci_idmap_parse(const char *text, wci_idmap *out, wc_error **err);
/* Where an id of the container lies on the host; 0: nowhere. */
int wci_idmap_find(const wci_strv *maps, uint32_t id, uint32_t *host);
/* As the runtime's document has them; NULL when memory ran out. */
json_t *wci_idmap_json(const wci_strv *maps);

#endif
