/* SPDX-License-Identifier: Apache-2.0 */
/* The networks of a container that it runs on, as `docker container inspect` shows them. */
#include <string.h>

#include "container/endpoint.h"
#include "container/info.h"
#include "core/error.h"
#include "core/json.h"

/* ---- Ports ---------------------------------------------------------------------------------------- */

static int add_binding(json_t *ports, const char *key, const char *host_ip, int host_port)
{
    json_t *list = json_object_get(ports, key);
    if (!list && (json_object_set_new(ports, key, json_array()) || !(list = json_object_get(ports, key))))
        return -1;
    return json_array_append_new(list, json_pack("{s:s, s:o}", "HostIp", host_ip, "HostPort",
                                                 json_sprintf("%d", host_port)));
}

static json_t *ports_json(const wci_port_record *ports, size_t count)
{
    json_t *object = json_object();
    int failed = !object;
    for (size_t i = 0; i < count; i++) {
        json_t *key = json_sprintf("%d/%s", ports[i].container_port, ports[i].protocol);
        failed |= !key || add_binding(object, json_string_value(key),
                                      *ports[i].host_ip ? ports[i].host_ip : "0.0.0.0", ports[i].host_port);
        json_decref(key);
    }
    if (!failed)
        return object;
    json_decref(object);
    return NULL;
}

static json_t *read_ports(wci_store *store, const char *id, wc_error **err)
{
    wci_port_record *ports = NULL;
    size_t count = 0;
    json_t *json = wci_port_list(store, id, &ports, &count, err) ? NULL : ports_json(ports, count);
    wci_ports_free(ports, count);
    return json;
}

int32_t wci_info_ports(wci_store *store, const char *id, wc_buf **out, wc_error **err)
{
    wc_error *why = NULL;
    json_t *json = read_ports(store, id, &why);
    int32_t rc = json ? wci_json_dump(json, out, err) : why ? wci_err_move(err, why) : wci_err_nomem(err);
    json_decref(json);
    return rc;
}

/* ---- Networks ------------------------------------------------------------------------------------- */

/* "10.1.0.5/16" after the slash. */
static int prefix_of(const char *cidr)
{
    const char *slash = strchr(cidr, '/');
    int bits = 0;
    for (const char *p = slash ? slash + 1 : ""; *p; p++)
        bits = bits * 10 + (*p - '0');
    return bits;
}

static json_t *endpoint_json(const wci_endpoint *e)
{
    const wci_endpoint_state *s = &e->state;
    json_t *aliases = e->wish.aliases.count ? wci_json_from_strv(&e->wish.aliases) : json_null();
    return json_pack("{s:{s:s, s:s}, s:o, s:s, s:s, s:s, s:i, s:s, s:s, s:i, s:s}", "IPAMConfig", "IPv4Address",
                     e->wish.ipv4, "IPv6Address", e->wish.ipv6, "Aliases", aliases, "NetworkID", e->network->id,
                     "Gateway", s->gateway, "IPAddress", s->address, "IPPrefixLen", prefix_of(s->cidr), "IPv6Gateway",
                     s->gateway6, "GlobalIPv6Address", s->address6, "GlobalIPv6PrefixLen", prefix_of(s->cidr6),
                     "MacAddress", s->mac);
}

static json_t *networks_json(wci_store *store, const wci_endpoint_record *records, size_t count,
                             wci_endpoint_state *first)
{
    json_t *object = json_object();
    for (size_t i = 0; i < count; i++) {
        wci_endpoint e;
        if (wci_endpoint_load(store, &records[i], &e, NULL)) /* the network is gone */
            continue;
        if (records[i].is_live)
            (void)wci_endpoint_state_read(records[i].state, &e.state);
        if (!i)
            *first = e.state;
        (void)json_object_set_new(object, e.network->name, endpoint_json(&e));
        wci_endpoint_free(&e);
    }
    return object;
}

/* Ports that it offers and that nobody published: known, and null. */
static void add_offered(json_t *ports, const wci_config *config)
{
    for (size_t i = 0; i < config->ports.count; i++)
        if (!json_object_get(ports, config->ports.items[i]))
            (void)json_object_set_new(ports, config->ports.items[i], json_null());
}

/* The fields on top are those of the first network, for readers who know of no more than one. */
json_t *wci_info_network(wci_store *store, const wci_container_record *record, const wci_config *config)
{
    wci_endpoint_record *endpoints = NULL;
    wci_endpoint_state first;
    size_t count = 0;
    memset(&first, 0, sizeof first);
    if (wci_endpoint_list(store, record->id, NULL, &endpoints, &count, NULL))
        return NULL;
    json_t *networks = networks_json(store, endpoints, count, &first);
    json_t *ports = count ? read_ports(store, record->id, NULL) : json_object();
    if (count && endpoints[0].is_live)
        add_offered(ports, config);
    wci_endpoints_free(endpoints, count);
    return json_pack("{s:o, s:o, s:s, s:s, s:i, s:s, s:s, s:i, s:s}", "Ports", ports, "Networks", networks, "Gateway",
                     first.gateway, "IPAddress", first.address, "IPPrefixLen", prefix_of(first.cidr), "IPv6Gateway",
                     first.gateway6, "GlobalIPv6Address", first.address6, "GlobalIPv6PrefixLen", prefix_of(first.cidr6),
                     "MacAddress", first.mac);
}
