/* SPDX-License-Identifier: Apache-2.0 */
/* Names and networks. */
#include "container/config.h"

#include "core/alloc.h"
#include "core/error.h"

static const wci_field endpoint[] = {
    WCI_FIELD("network", TEXT, wci_endpoint_wish, network),
    WCI_FIELD("aliases", TEXTS, wci_endpoint_wish, aliases),
    WCI_FIELD("ipv4", TEXT, wci_endpoint_wish, ipv4),
    WCI_FIELD("ipv6", TEXT, wci_endpoint_wish, ipv6),
    WCI_FIELD("mac", TEXT, wci_endpoint_wish, mac),
};
const wci_fields wci_endpoint_wish_fields = WCI_FIELDS(endpoint, wci_endpoint_wish);

static const wci_field port[] = {
    WCI_FIELD("hostIp", TEXT, wci_port_wish, host_ip),
    WCI_FIELD("protocol", TEXT, wci_port_wish, protocol),
    WCI_FIELD("hostPort", NUMBER, wci_port_wish, host_port),
    WCI_FIELD("containerPort", NUMBER, wci_port_wish, container_port),
    WCI_FIELD("count", NUMBER, wci_port_wish, count),
};
static const wci_fields port_fields = WCI_FIELDS(port, wci_port_wish);

static const wci_field fields[] = {
    WCI_FIELD("hostname", TEXT, wci_config, hostname),
    WCI_FIELD("network", TEXT, wci_config, network),
    WCI_FIELD("ports", TEXTS, wci_config, ports),
    WCI_FIELD_LIST("networks", wci_config, endpoints, endpoint_count, endpoint_cap, &wci_endpoint_wish_fields),
    WCI_FIELD_LIST("publish", wci_config, publish, publish_count, publish_cap, &port_fields),
    WCI_FIELD("publishAll", FLAG, wci_config, publish_all),
    WCI_FIELD("dns", TEXTS, wci_config, dns),
    WCI_FIELD("dnsSearch", TEXTS, wci_config, dns_search),
    WCI_FIELD("dnsOptions", TEXTS, wci_config, dns_options),
    WCI_FIELD("extraHosts", TEXTS, wci_config, extra_hosts),
};
const wci_fields wci_config_network = WCI_FIELDS(fields, wci_config);

static int32_t copy_wish(const wci_endpoint_wish *from, const char *network, wci_endpoint_wish *out, wc_error **err)
{
    int failed = wci_replace(&out->network, network);
    if (from)
        failed = failed || wci_strv_copy(&out->aliases, &from->aliases) || wci_replace(&out->ipv4, from->ipv4) ||
                 wci_replace(&out->ipv6, from->ipv6) || wci_replace(&out->mac, from->mac);
    if (failed)
        wci_fields_free(&wci_endpoint_wish_fields, out);
    return failed ? wci_err_nomem(err) : WC_OK;
}

int32_t wci_config_add_endpoint(wci_config *c, const char *network, const wci_endpoint_wish *wish, wc_error **err)
{
    wci_endpoint_wish copy = {0};
    if (!wci_grow(&c->endpoints, &c->endpoint_cap, c->endpoint_count + 1, sizeof *c->endpoints))
        return wci_err_nomem(err);
    int32_t rc = copy_wish(wish, network, &copy, err);
    if (!rc)
        c->endpoints[c->endpoint_count++] = copy;
    return rc;
}
