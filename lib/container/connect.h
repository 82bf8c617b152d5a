/* SPDX-License-Identifier: Apache-2.0 */
/* Joining a container to a network after it was created, and parting them. */
#ifndef WCI_CONTAINER_CONNECT_H
#define WCI_CONTAINER_CONNECT_H

#include "container/container.h"
#include "container/network.h"

struct wc_endpoint_options {
    wci_endpoint_wish wish;
};

/* `options` may be NULL. */
int32_t wci_net_connect(wc_call *call, wc_network *network, wc_container *container,
                        const wc_endpoint_options *options, wc_error **err);
int32_t wci_net_disconnect(wc_call *call, wc_network *network, wc_container *container, wc_error **err);
/* The networks of a configuration for its record: names become ids. Free *out with wci_endpoints_free(). */
int32_t wci_net_wishes(wc_call *call, wci_engine *engine, const wci_config *config, wci_endpoint_record **out,
                       size_t *count, wc_error **err);

#endif
