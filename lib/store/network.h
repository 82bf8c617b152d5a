/* SPDX-License-Identifier: Apache-2.0 */
/* Networks, which containers are joined to them, and what those have leased.
 *
 * A lease of an address or port belongs to one run of a container: container and generation. It is worth nothing any
 * more once that run is recorded as ended, so whoever was killed in between leaves nothing that would have to be
 * given back: every transaction of wci_leases_begin() starts by forgetting such rows. */
#ifndef WCI_STORE_NETWORK_H
#define WCI_STORE_NETWORK_H

#include "store/store.h"

typedef struct wci_network_record {
    char id[65];
    char *name;
    char *driver;
    char *device;    /* the bridge of the host or the parent, or NULL */
    char *config;    /* JSON, see network/settings.h */
    int64_t created_ns;
} wci_network_record;
void wci_network_record_free(wci_network_record *record); /* NULL accepted */
void wci_network_records_free(wci_network_record **records, size_t count);

/* Fills in what depends on the other networks; runs within the transaction that inserts it. */
typedef int32_t (*wci_network_settle)(void *payload, wci_network_record *const *others, size_t count,
                                      wci_network_record *record, wc_error **err);
/* Event "create". WC_E_EXISTS when the name or interface is taken. */
int32_t wci_network_insert(wc_call *call, wci_store *store, wci_network_record *record, wci_network_settle settle,
                           void *payload, wc_error **err);
/* By name, id, or unique prefix of the id. */
int32_t wci_network_find(wci_store *store, const char *id_or_name, wci_network_record **out, wc_error **err);
/* By name. */
int32_t wci_network_list(wci_store *store, wci_network_record ***out, size_t *count, wc_error **err);
/* Event "destroy". WC_E_IN_USE while a container that runs is joined to it. */
int32_t wci_network_delete(wci_store *store, const char *id, wc_error **err);

/* ---- Endpoints ---------------------------------------------------------------------------------- */

/* Of one container, in the order in which it was joined, or of one network, by name of the container; the other is
 * NULL. */
int32_t wci_endpoint_list(wci_store *store, const char *container, const char *network, wci_endpoint_record **out,
                          size_t *count, wc_error **err);
/* After the last of the container's; events "connect" and "disconnect". WC_E_EXISTS, WC_E_NOT_FOUND. */
int32_t wci_endpoint_insert(wci_store *store, const char *container, const char *network, const char *config,
                            wc_error **err);
/* With its leases. */
int32_t wci_endpoint_delete(wci_store *store, const char *container, const char *network, wc_error **err);

/* ---- Leases ------------------------------------------------------------------------------------- */

/* A transaction that gives out addresses and ports: everything until wci_leases_end() sees what is taken as one
 * moment shows it, across processes. */
int32_t wci_leases_begin(const wc_call *call, wci_store *store, wc_error **err);
int32_t wci_leases_end(wci_store *store, int32_t rc, wc_error **err);

/* In the transaction. Addresses that are taken, in no order. */
int32_t wci_lease_taken(wci_store *store, const char *network, wci_strv *out, wc_error **err);
/* WC_E_IN_USE naming the container that has it. */
int32_t wci_lease_add(wci_store *store, const char *network, const char *address, const char *container,
                      int64_t generation, int is_static, wc_error **err);

typedef struct wci_port_record {
    char *protocol, *host_ip; /* host_ip "": every address */
    int32_t host_port, container_port;
} wci_port_record;
void wci_ports_free(wci_port_record *ports, size_t count);
/* In the transaction. *taken 1 when a container has it. */
int32_t wci_port_is_taken(wci_store *store, const wci_port_record *port, int *taken, wc_error **err);
/* WC_E_IN_USE naming the container that has it. */
int32_t wci_port_add(wci_store *store, const wci_port_record *port, const char *container, int64_t generation,
                     wc_error **err);
int32_t wci_endpoint_set_state(wci_store *store, const char *container, const char *network, const char *state,
                               wc_error **err);

/* Outside of it: what the run that goes on has published, by container port. */
int32_t wci_port_list(wci_store *store, const char *container, wci_port_record **out, size_t *count, wc_error **err);

#endif
