/* SPDX-License-Identifier: Apache-2.0 */
#include "container/info.h"

#include "core/json.h"

/* Those of the image and --expose, and those that are published. */
static json_t *exposed(const wci_config *c)
{
    json_t *object = json_object();
    for (size_t i = 0; i < c->ports.count; i++)
        (void)json_object_set_new(object, c->ports.items[i], json_object());
    for (size_t i = 0; i < c->publish_count; i++)
        for (int64_t k = 0; k < c->publish[i].count; k++) {
            json_t *key = json_sprintf("%d/%s", (int)(c->publish[i].container_port + k), c->publish[i].protocol);
            (void)json_object_set_new(object, json_string_value(key), json_object());
            json_decref(key);
        }
    return object;
}

/* Ranges one by one, as Docker shows them. */
static int add_bindings(json_t *object, const wci_port_wish *wish)
{
    int failed = 0;
    for (int64_t i = 0; i < wish->count && !failed; i++) {
        json_t *key = json_sprintf("%d/%s", (int)(wish->container_port + i), wish->protocol);
        json_t *port = wish->host_port ? json_sprintf("%d", (int)(wish->host_port + i)) : json_string("");
        json_t *list = key ? json_object_get(object, json_string_value(key)) : NULL;
        json_t *one = json_pack("{s:s, s:o}", "HostIp", wish->host_ip, "HostPort", port);
        failed = !key || !one ||
                 (list ? json_array_append_new(list, one)
                       : json_object_set_new(object, json_string_value(key), json_pack("[o]", one)));
        json_decref(key);
    }
    return failed;
}

static json_t *bindings(const wci_config *c)
{
    json_t *object = json_object();
    for (size_t i = 0; i < c->publish_count; i++)
        if (add_bindings(object, &c->publish[i])) {
            json_decref(object);
            return NULL;
        }
    return object;
}

int wci_info_add_network(json_t *root, const wci_container_record *r, const wci_config *c)
{
    (void)r;
    return wci_info_put(root, "Config", json_pack("{s:s, s:o}", "Hostname", c->hostname, "ExposedPorts", exposed(c))) ||
           wci_info_put(root, "HostConfig", json_pack("{s:s, s:o, s:b, s:o, s:o, s:o, s:o}", "NetworkMode", c->network, "PortBindings", bindings(c),
                                  "PublishAllPorts", c->publish_all, "Dns", wci_json_from_strv(&c->dns), "DnsSearch",
                                  wci_json_from_strv(&c->dns_search), "DnsOptions", wci_json_from_strv(&c->dns_options),
                                  "ExtraHosts", wci_json_from_strv(&c->extra_hosts)));
}
