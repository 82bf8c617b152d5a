/* SPDX-License-Identifier: Apache-2.0 */
#include <wincontainer/network.h>

#include "api/context.h"
#include "container/connect.h"
#include "container/info.h"
#include "container/network.h"
#include "core/list.h"

static int32_t begin(wc_network *network, wc_cancel *cancel, wc_call *call, wc_error **err)
{
    WCI_REQUIRE(network, "network is NULL");
    return wci_api_begin_engine(network->engine, cancel, call, err);
}

int32_t wc_network_create(wc_context *context, const wc_network_options *options, wc_cancel *cancel, wc_network **out,
                          wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(options && out, "options or out is NULL");
    return wci_net_create(&call, context->engine, options, out, err);
}

int32_t wc_network_open(wc_context *context, const char *id_or_name, wc_network **out, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(id_or_name && *id_or_name, "id_or_name is empty");
    WCI_REQUIRE(out, "out is NULL");
    return wci_net_open(&call, context->engine, id_or_name, out, err);
}

int32_t wc_network_list(wc_context *context, wc_list **out, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(out, "out is NULL");
    return wci_net_list(&call, context->engine, out, err);
}

wc_network *wc_list_network(const wc_list *list, size_t index)
{
    return wci_list_at(list, WCI_LIST_NETWORK, index);
}

wc_network *wc_network_ref(wc_network *network)
{
    if (network)
        wci_ref_take(&network->refs);
    return network;
}

void wc_network_unref(wc_network *network)
{
    if (network && wci_ref_drop(&network->refs))
        wci_net_free(network);
}

const char *wc_network_name(const wc_network *network)
{
    return network ? network->record->name : NULL;
}

const char *wc_network_id(const wc_network *network)
{
    return network ? network->record->id : NULL;
}

const char *wc_network_driver(const wc_network *network)
{
    return network ? network->record->driver : NULL;
}

int32_t wc_network_inspect(wc_network *network, wc_buf **out, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(network, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(out, "out is NULL");
    return wci_net_inspect(network, out, err);
}

int32_t wc_network_remove(wc_network *network, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(network, NULL, &call, err);
    return rc ? rc : wci_net_remove(network, err);
}

int32_t wc_network_prune(wc_context *context, wc_cancel *cancel, wc_list **removed, wc_error **err)
{
    wc_call call;
    wci_strv names = WCI_STRV_INIT;
    int32_t rc = wci_api_begin(context, cancel, &call, err);
    if (!rc)
        rc = wci_net_prune(&call, context->engine, &names, err);
    if (!rc && removed)
        rc = wci_list_of_strings(&names, removed, err);
    wci_strv_free(&names);
    return rc;
}

int32_t wc_network_connect(wc_network *network, wc_container *container, const wc_endpoint_options *options,
                           wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(network, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(container, "container is NULL");
    return wci_net_connect(&call, network, container, options, err);
}

int32_t wc_network_disconnect(wc_network *network, wc_container *container, wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(network, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(container, "container is NULL");
    return wci_net_disconnect(&call, network, container, err);
}

int32_t wc_container_ports(wc_container *container, wc_buf **out, wc_error **err)
{
    wc_call call;
    WCI_REQUIRE(container, "container is NULL");
    int32_t rc = wci_api_begin_engine(container->engine, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(out, "out is NULL");
    return wci_info_ports(container->engine->store, container->id, out, err);
}
