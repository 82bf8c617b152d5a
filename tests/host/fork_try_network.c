/* SPDX-License-Identifier: Apache-2.0 */
#include "host/fork_try.h"

TRY(wc_network_open, wc_network, wc_network_open(tried_context, "bridge", &out, err))
TRY(wc_network_list, wc_list, wc_network_list(tried_context, &out, err))
TRY(wc_network_inspect, wc_buf, wc_network_inspect(tried->network, &out, err))
TRY(wc_network_prune, wc_list, wc_network_prune(tried_context, NULL, &out, err))
TRY_PLAIN(wc_network_remove, wc_network_remove(tried->network, err))
TRY_PLAIN(wc_network_connect, wc_network_connect(tried->network, tried->container, NULL, NULL, err))
TRY_PLAIN(wc_network_disconnect, wc_network_disconnect(tried->network, tried->container, NULL, err))
TRY(wc_container_ports, wc_buf, wc_container_ports(tried->container, &out, err))

static int32_t try_wc_network_create(wc_error **err)
{
    wc_network_options *options = NULL;
    wc_network *network = NULL;
    if (wc_network_options_new("forked", &options, NULL))
        return WC_E_NOMEM;
    int32_t rc = wc_network_create(tried_context, options, NULL, &network, err);
    wc_network_options_unref(options);
    return network ? TOUCHED : rc;
}

const attempt fork_try_network[] = {
    ENTRY(wc_network_open),    ENTRY(wc_network_list),       ENTRY(wc_network_inspect),
    ENTRY(wc_network_prune),   ENTRY(wc_network_remove),     ENTRY(wc_network_connect),
    ENTRY(wc_network_disconnect), ENTRY(wc_container_ports), ENTRY(wc_network_create),
    {NULL, NULL, 0},
};
