/* SPDX-License-Identifier: Apache-2.0 */
/* One container on one network: what it wished for and what it got. */
#ifndef WCI_CONTAINER_ENDPOINT_H
#define WCI_CONTAINER_ENDPOINT_H

#include <jansson.h>

#include "container/config.h"
#include "network/allocate.h"
#include "network/document.h"
#include "store/network.h"

/* What a run got; texts are "" where it has none. */
typedef struct wci_endpoint_state {
    char interface_name[16]; /* in the container */
    char mac[WCI_MAC_SIZE];
    char address[WCI_ADDRESS_SIZE], cidr[WCI_SUBNET_SIZE], gateway[WCI_ADDRESS_SIZE];
    char address6[WCI_ADDRESS_SIZE], cidr6[WCI_SUBNET_SIZE], gateway6[WCI_ADDRESS_SIZE];
} wci_endpoint_state;
/* 0, or -1 when `text` is no state. */
int wci_endpoint_state_read(const char *text, wci_endpoint_state *out);
char *wci_endpoint_state_write(const wci_endpoint_state *state); /* owned; NULL: out of memory */

char *wci_endpoint_wish_write(const wci_endpoint_wish *wish); /* owned; NULL: out of memory */
int32_t wci_endpoint_wish_read(const char *text, wci_endpoint_wish *out, wc_error **err);
void wci_endpoint_wish_free(wci_endpoint_wish *wish); /* the contents */

/* A network that a container is joined to, with all that belongs to it. */
typedef struct wci_endpoint {
    wci_network_record *network;
    wci_network_settings settings;
    wci_endpoint_wish wish;
    wci_endpoint_state state;
    char host_name[16];
} wci_endpoint;
void wci_endpoint_free(wci_endpoint *endpoint); /* the contents */
/* Without a state. WC_E_NOT_FOUND when the network is gone. */
int32_t wci_endpoint_load(wci_store *store, const wci_endpoint_record *record, wci_endpoint *out, wc_error **err);
/* In a transaction of wci_leases_begin(): addresses for this run of the container. */
int32_t wci_endpoint_lease(wci_store *store, const char *container, int64_t generation, wci_endpoint *e,
                           wc_error **err);
/* For netavark's document. 0 or WC_E_NOMEM; free with wci_attachment_free(). */
int wci_endpoint_attach(const wci_endpoint *e, const char *container, wci_attachment *out);
void wci_attachment_free(wci_attachment *attachment); /* the contents */

#endif
