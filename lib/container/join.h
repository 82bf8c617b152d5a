/* SPDX-License-Identifier: Apache-2.0 */
/* Containers whose namespaces another one uses. */
#ifndef WCI_CONTAINER_JOIN_H
#define WCI_CONTAINER_JOIN_H

#include "container/container.h"

/* The container `name`, which must run and be another one than `record`; `what` begins the error. */
int32_t wci_join_target(wc_call *call, wci_engine *engine, const wci_container_record *record, const char *name,
                        const char *what, wci_container_record **out, wc_error **err);
/* Looks up the targets of all namespaces but the network's. *out is what the helper has to join, an array of objects
 * `type` and `container` as owned text, NULL when there is nothing. `config` gets the host name of one whose uts
 * namespace is shared. */
int32_t wci_joins_resolve(wc_call *call, wci_engine *engine, const wci_container_record *record, wci_config *config,
                          char **out, wc_error **err);

#endif
