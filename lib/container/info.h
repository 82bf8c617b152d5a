/* SPDX-License-Identifier: Apache-2.0 */
/* What a container was at one moment: the public wc_container_info. */
#ifndef WCI_CONTAINER_INFO_H
#define WCI_CONTAINER_INFO_H

#include <jansson.h>

#include "container/container.h"

struct wc_container_info {
    wci_ref refs;
    wci_container_record *record;
    wci_config config;
    char *command;
    json_t *kept; /* what the store said beside the record */
    char *ports;  /* of that, as JSON; NULL: none */
    char *json;   /* made when it is asked for */
};

/* Takes the record over, also on failure. */
int32_t wci_info_new(wci_store *store, wci_container_record *record, wc_container_info **out, wc_error **err);
void wci_info_free(wc_container_info *info);
/* All of it; lent, "{}" when there is no memory. Any thread. */
const char *wci_info_json(const wc_container_info *info);
/* NetworkSettings of `docker container inspect`; NULL: out of memory or the store fails. */
json_t *wci_info_network(wci_store *store, const wci_container_record *record, const wci_config *config);
/* NetworkSettings.Ports alone. */
int32_t wci_info_ports(wci_store *store, const char *id, wc_buf **out, wc_error **err);
const char *wci_status_text(wci_status status);
/* As wc_list of infos, reconciled. */
int32_t wci_info_list(wc_call *call, wci_engine *engine, wc_list **out, wc_error **err);

/* What each area adds to the JSON of `docker container inspect`; not 0 when memory ran out. */
int wci_info_add_life(json_t *root, const wci_container_record *r, const wci_config *c);
int wci_info_add_watch(json_t *root, const wci_container_record *r, const wci_config *c);
int wci_info_add_resources(json_t *root, const wci_container_record *r, const wci_config *c);
int wci_info_add_security(json_t *root, const wci_container_record *r, const wci_config *c);
int wci_info_add_network(json_t *root, const wci_container_record *r, const wci_config *c);
/* Without mounts no store is needed. */
int wci_info_add_storage(json_t *root, const wci_store *store, const wci_config *c);
/* Of one with a check: what it was, and what it said lately. */
int wci_info_add_health(json_t *root, wci_store *store, const wci_container_record *r, const wci_config *c);
/* Adds the members of `more` (taken over, NULL: memory ran out) to the object `section`, which is made when needed. */
int wci_info_put(json_t *root, const char *section, json_t *more);

#endif
