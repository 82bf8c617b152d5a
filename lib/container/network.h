/* SPDX-License-Identifier: Apache-2.0 */
/* Networks as objects: made, listed, described, removed. How containers are joined: endpoint.h. */
#ifndef WCI_CONTAINER_NETWORK_H
#define WCI_CONTAINER_NETWORK_H

#include <wincontainer/network.h>

#include "container/engine.h"
#include "core/call.h"
#include "core/ref.h"
#include "network/settings.h"
#include "store/network.h"

struct wc_network {
    wci_ref refs;
    wci_engine *engine;
    wci_network_record *record;
};

struct wc_network_options {
    char *name;
    wci_network_settings settings;
};

int32_t wci_net_create(wc_call *call, wci_engine *engine, const wc_network_options *options, wc_network **out,
                       wc_error **err);
/* The default network is made when it is asked for. */
int32_t wci_net_open(wc_call *call, wci_engine *engine, const char *id_or_name, wc_network **out, wc_error **err);
int32_t wci_net_find(wc_call *call, wci_engine *engine, const char *id_or_name, wci_network_record **out,
                     wc_error **err);
int32_t wci_net_list(wc_call *call, wci_engine *engine, wc_list **out, wc_error **err);
int32_t wci_net_inspect(wc_network *network, wc_buf **out, wc_error **err);
int32_t wci_net_remove(wc_network *network, wc_error **err);
/* Those that no container is joined to; names into *removed. */
int32_t wci_net_prune(wc_call *call, wci_engine *engine, wci_strv *removed, wc_error **err);
void wci_net_free(wc_network *network);

/* What netavark calls it, and the bridge on the host where it was not named otherwise: "wc-" and 8 digits. Short
 * enough for an interface, and of its own in every store. */
#define WCI_NET_HOST_NAME_SIZE 12
void wci_net_host_name(const char *id, char out[WCI_NET_HOST_NAME_SIZE]);

#endif
