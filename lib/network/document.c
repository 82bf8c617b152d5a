/* SPDX-License-Identifier: Apache-2.0 */
#include "network/document.h"

#include <string.h>

#include "core/json.h"

static int set(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value);
}

static json_t *endpoint(const wci_attachment *a)
{
    json_t *o = json_pack("{s:s, s:o, s:o}", "interface_name", a->interface_name, "static_ips",
                          wci_json_from_strv(&a->addresses), "aliases", wci_json_from_strv(&a->aliases));
    if (o && *a->mac && set(o, "static_mac", json_string(a->mac))) {
        json_decref(o);
        return NULL;
    }
    return o;
}

static json_t *subnet(const wci_network_subnet *one)
{
    char text[WCI_SUBNET_SIZE];
    wci_subnet_format(&one->subnet, text);
    json_t *item = json_pack("{s:s}", "subnet", text);
    if (!item || !one->has_gateway)
        return item;
    wci_address_format(&one->gateway, text);
    if (!set(item, "gateway", json_string(text)))
        return item;
    json_decref(item);
    return NULL;
}

static const wci_network_subnet *subnet_of(const wci_network_settings *network, const char *address)
{
    wci_ip ip;
    for (size_t i = 0; wci_ip_parse(address, &ip) && i < network->subnet_count; i++)
        if (wci_subnet_contains(&network->subnets[i].subnet, &ip))
            return &network->subnets[i];
    return NULL;
}

/* netavark takes each address to be in the subnet at its place: those that the container has an address in, and in
 * this order. */
static json_t *subnets(const wci_attachment *a)
{
    json_t *array = json_array();
    for (size_t i = 0; i < a->addresses.count; i++) {
        const wci_network_subnet *one = subnet_of(a->network, a->addresses.items[i]);
        if (one && json_array_append_new(array, subnet(one))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *options(const wci_network_settings *network)
{
    json_t *o = json_object();
    int failed = !o;
    if (network->mtu)
        failed |= set(o, "mtu", json_sprintf("%lld", (long long)network->mtu));
    if (*network->mode)
        failed |= set(o, "mode", json_string(network->mode));
    if (!strcmp(network->driver, "bridge") && network->is_isolated)
        failed |= set(o, "isolate", json_string("true"));
    if (!failed)
        return o;
    json_decref(o);
    return NULL;
}

static json_t *network_info(const wci_attachment *a)
{
    const wci_network_settings *n = a->network;
    return json_pack("{s:s, s:s, s:s, s:s, s:o, s:b, s:b, s:b, s:{s:s}, s:o}", "name", a->name, "id", a->network_id,
                     "driver", n->driver, "network_interface", a->device, "subnets", subnets(a), "ipv6_enabled",
                     n->has_ipv6, "internal", n->is_internal, "dns_enabled", n->has_names, "ipam_options", "driver",
                     "host-local", "options", options(n));
}

static json_t *port_mapping(const wci_published *p)
{
    return json_pack("{s:i, s:i, s:s, s:s, s:i}", "container_port", p->container_port, "host_port", p->host_port,
                     "host_ip", p->host_ip, "protocol", p->protocol, "range", 1);
}

json_t *wci_netavark_document(const char *container_id, const char *container_name, const wci_attachment *attachments,
                              size_t attachment_count, const wci_published *ports, size_t port_count,
                              const wci_strv *dns)
{
    json_t *networks = json_object(), *infos = json_object(), *mappings = json_array();
    int failed = !networks || !infos || !mappings;
    for (size_t i = 0; i < attachment_count; i++) {
        failed |= set(networks, attachments[i].name, endpoint(&attachments[i]));
        failed |= set(infos, attachments[i].name, network_info(&attachments[i]));
    }
    for (size_t i = 0; i < port_count; i++)
        failed |= json_array_append_new(mappings, port_mapping(&ports[i]));
    json_t *document = json_pack("{s:s, s:s, s:o, s:o, s:o}", "container_id", container_id, "container_name",
                                 container_name, "networks", networks, "network_info", infos, "port_mappings",
                                 mappings);
    if (!failed && dns->count)
        failed |= set(document, "dns_servers", wci_json_from_strv(dns));
    if (!failed)
        return document;
    json_decref(document);
    return NULL;
}
