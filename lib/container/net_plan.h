/* SPDX-License-Identifier: Apache-2.0 */
/* What a run of a container has of networks: addresses and ports are leased, and what the backend and the files in
 * /etc need is made. */
#ifndef WCI_CONTAINER_NET_PLAN_H
#define WCI_CONTAINER_NET_PLAN_H

#include "container/container.h"
#include "container/endpoint.h"
#include "network/mode.h"

typedef struct wci_net_plan {
    wci_network_mode mode;
    char *target;      /* id of the container whose namespace is used, or NULL */
    char *etc_dir;     /* the directory with hosts, hostname and resolv.conf */
    char *document;    /* netavark's, or NULL */
    char *uplink;      /* of an ordinary user: what the backend makes the connection to the world of, JSON, or NULL */
    wci_endpoint *endpoints;
    size_t endpoint_count;
} wci_net_plan;
void wci_net_plan_free(wci_net_plan *plan); /* the contents */

/* For a record that is starting. */
int32_t wci_net_plan_make(wc_call *call, wci_engine *engine, const wci_container_record *record, wci_config *config,
                          wci_net_plan *out, wc_error **err);
/* For one that runs: the endpoints as they are, without new leases. */
int32_t wci_net_plan_load(wci_engine *engine, const wci_container_record *record, const wci_config *config,
                          wci_net_plan *out, wc_error **err);
/* The document for one endpoint of it. Owned. */
int32_t wci_net_plan_document(wci_engine *engine, const wci_container_record *record, const wci_config *config,
                              const wci_endpoint *endpoints, size_t count, char **out, wc_error **err);
/* A name for its interface that no other endpoint has. */
void wci_net_plan_name_interface(const wci_endpoint *others, size_t count, wci_endpoint *e);

/* ---- net_uplink.c ---- */

/* 1 when the container has a connection of its own instead of networks. */
int wci_net_is_uplink(const wci_net_plan *plan);
/* WC_E_UNSUPPORTED for what an ordinary user's container cannot have together. */
int32_t wci_net_uplink_check(const wci_net_plan *plan, wc_error **err);
/* Its addresses, which are the same for all. */
int32_t wci_net_uplink_settle(wci_store *store, const char *container, wci_endpoint *e, wc_error **err);
/* The connection: the container's own, with its ports, or that of all of the user's networks together. Owned. */
int32_t wci_net_uplink_text(wci_store *store, const char *container, const wci_net_plan *plan, char **out, wc_error **err);

/* Writes hosts, hostname and resolv.conf of a container into its own directory. With `in_place` those of one that
 * runs change before its eyes. */
int32_t wci_net_files_write(const wci_net_plan *plan, const wci_config *config, int in_place, wc_error **err);

/* What is to be published, in the transaction of the leases. */
int32_t wci_net_ports_lease(wci_store *store, const wci_container_record *record, const wci_config *config,
                            wc_error **err);

#endif
