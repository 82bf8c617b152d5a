/* SPDX-License-Identifier: Apache-2.0 */
/* What changes of a container beside its status. */
#ifndef WCI_STORE_LIFE_H
#define WCI_STORE_LIFE_H

#include "store/store.h"

/* A user has stopped it, or is about to: its restart policy does not start it again. WC_E_NOT_FOUND without it. */
int32_t wci_container_set_stopped(wci_store *store, const char *id, wc_error **err);
/* A new state of health of this run, with the event "health_status: …". Nothing happens when it is so already, or
 * when the run is over. */
int32_t wci_container_set_health(wci_store *store, const char *id, int64_t generation, wci_health health,
                                 wc_error **err);
/* Replaces the configuration when it is still `seen`, with the event "update"; *changed is 0 when it is not: read it
 * and decide anew. */
int32_t wci_container_set_config(wci_store *store, const char *id, const char *seen, const char *config, int *changed,
                                 wc_error **err);
/* "none", "starting", "healthy", "unhealthy". */
const char *wci_health_text(wci_health health);

#endif
