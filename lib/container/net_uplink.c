/* SPDX-License-Identifier: Apache-2.0 */
/* The default network of an ordinary user: each container has a connection of its own. */
#include <stdio.h>
#include <string.h>

#include "container/net_plan.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "network/uplink.h"
#include "platform/host.h"

int wci_net_is_uplink(const wci_net_plan *plan)
{
    return plan->endpoint_count == 1 && !wci_host_is_root() &&
           !strcmp(plan->endpoints[0].network->name, WCI_NETWORK_DEFAULT);
}

static int32_t check_drivers(const wci_net_plan *plan, wc_error **err)
{
    for (size_t i = 0; i < plan->endpoint_count && !wci_host_is_root(); i++)
        if (strcmp(plan->endpoints[i].settings.driver, "bridge"))
            return wci_err(err, WC_E_UNSUPPORTED,
                           "network '%s': its driver %s needs an interface of the host, which an ordinary user does not "
                           "have; use the driver bridge, or run as root",
                           plan->endpoints[i].network->name, plan->endpoints[i].settings.driver);
    return WC_OK;
}

int32_t wci_net_uplink_check(const wci_net_plan *plan, wc_error **err)
{
    int has_default = 0;
    for (size_t i = 0; i < plan->endpoint_count && !wci_host_is_root(); i++)
        has_default |= !strcmp(plan->endpoints[i].network->name, WCI_NETWORK_DEFAULT);
    if (has_default && plan->endpoint_count > 1)
        return wci_err(err, WC_E_UNSUPPORTED,
                       "network 'bridge': an ordinary user's container has it for itself, without others beside it; name "
                       "only networks that you have created, or run as root");
    if (has_default && *plan->endpoints[0].wish.mac)
        return wci_err(err, WC_E_UNSUPPORTED,
                       "network 'bridge': an ordinary user's container cannot choose its MAC address there; name a network "
                       "that you have created, or run as root");
    return check_drivers(plan, err);
}

int32_t wci_net_uplink_settle(wci_store *store, const char *container, wci_endpoint *e, wc_error **err)
{
    wci_endpoint_state *s = &e->state;
    snprintf(s->interface_name, sizeof s->interface_name, WCI_UPLINK_INTERFACE);
    snprintf(s->address, sizeof s->address, WCI_UPLINK_ADDRESS);
    snprintf(s->cidr, sizeof s->cidr, WCI_UPLINK_ADDRESS "/" WCI_UPLINK_BITS);
    snprintf(s->gateway, sizeof s->gateway, WCI_UPLINK_GATEWAY);
    char *text = wci_endpoint_state_write(s);
    int32_t rc = text ? wci_endpoint_set_state(store, container, e->network->id, text, err) : wci_err_nomem(err);
    wci_free(text);
    return rc;
}

static json_t *ports_json(const wci_port_record *ports, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(array, json_pack("{s:s, s:s, s:i, s:i}", "protocol", ports[i].protocol, "host_ip",
                                                   ports[i].host_ip, "host_port", (int)ports[i].host_port,
                                                   "container_port", (int)ports[i].container_port))) {
            json_decref(array);
            return NULL;
        }
    return array;
}

int32_t wci_net_uplink_text(wci_store *store, const char *container, const wci_net_plan *plan, char **out, wc_error **err)
{
    wci_port_record *ports = NULL;
    size_t count = 0;
    int is_own = wci_net_is_uplink(plan);
    int64_t wish = is_own ? plan->endpoints[0].settings.mtu : 0;
    int64_t mtu = wish && wish < WCI_UPLINK_MTU ? wish : WCI_UPLINK_MTU;
    int32_t rc = is_own ? wci_port_list(store, container, &ports, &count, err) : WC_OK;
    if (rc)
        return rc;
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:o}", "interface", WCI_UPLINK_INTERFACE,
                             "subnet", WCI_UPLINK_SUBNET, "address", WCI_UPLINK_ADDRESS, "bits", WCI_UPLINK_BITS,
                             "gateway", WCI_UPLINK_GATEWAY, "dns", WCI_UPLINK_DNS, "address6", WCI_UPLINK_ADDRESS6,
                             "gateway6", WCI_UPLINK_GATEWAY6, "mtu", (json_int_t)mtu, "ports", ports_json(ports, count));
    *out = json ? wci_json_dump_text(json) : NULL;
    json_decref(json);
    wci_ports_free(ports, count);
    return *out ? WC_OK : wci_err_nomem(err);
}
