/* SPDX-License-Identifier: Apache-2.0 */
#include "container/merge.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "network/mode.h"
#include "network/settings.h"
#include "platform/host.h"

/* "container:" takes the other's when it starts. */
static int32_t set_hostname(const char *id, wci_network_mode mode, wci_config *c, wc_error **err)
{
    char name[256];
    if (mode == WCI_NETWORK_CONTAINER && c->hostname && *c->hostname)
        return wci_err(err, WC_E_INVALID, "hostname: conflicting options: hostname and the network mode");
    if (mode == WCI_NETWORK_HOST)
        return wci_merge_default(&c->hostname, wci_host_name(name, sizeof name), err);
    memcpy(name, id, 12);
    name[12] = '\0';
    return wci_merge_default(&c->hostname, name, err);
}

static int is_named(const wci_config *c, const char *network)
{
    for (size_t i = 0; i < c->endpoint_count; i++)
        if (!strcmp(c->endpoints[i].network, network))
            return 1;
    return 0;
}

/* What makes no sense without an own network; where Docker only drops it, it is dropped when it starts. */
static int32_t check_others(const wci_config *c, wci_network_mode mode, wc_error **err)
{
    if (mode != WCI_NETWORK_CONTAINER)
        return WC_OK;
    if (c->publish_count || c->publish_all)
        return wci_err(err, WC_E_INVALID, "port: conflicting options: port publishing and the container type network mode");
    if (c->dns.count)
        return wci_err(err, WC_E_INVALID, "name server: conflicting options: dns and the network mode");
    if (c->extra_hosts.count)
        return wci_err(err, WC_E_INVALID,
                       "host: conflicting options: custom host-to-IP mapping and the network mode");
    return WC_OK;
}

static int32_t settle_networks(wci_config *c, wci_network_mode mode, wc_error **err)
{
    int32_t rc = check_others(c, mode, err);
    if (rc || mode != WCI_NETWORK_NAMED || is_named(c, c->network))
        return rc;
    return wci_config_add_endpoint(c, c->network, NULL, err);
}

static int32_t add_exposed(const wci_image_config *image, wci_config *c, wc_error **err)
{
    for (size_t i = 0; i < image->exposed_ports.count; i++)
        if (!wci_strv_contains(&c->ports, image->exposed_ports.items[i]) &&
            wci_strv_add(&c->ports, image->exposed_ports.items[i]))
            return wci_err_nomem(err);
    return WC_OK;
}

int32_t wci_merge_network(const wci_merge *in, wci_config *c, wc_error **err)
{
    wci_network_mode mode = WCI_NETWORK_NONE;
    int32_t rc = wci_merge_default(&c->network, WCI_NETWORK_DEFAULT, err);
    if (!rc && !strcmp(c->network, "default") && wci_replace(&c->network, WCI_NETWORK_DEFAULT))
        rc = wci_err_nomem(err);
    if (!rc)
        rc = wci_network_mode_parse(c->network, &mode, err);
    if (!rc)
        rc = set_hostname(in->id, mode, c, err);
    if (!rc)
        rc = settle_networks(c, mode, err);
    return rc ? rc : add_exposed(in->image, c, err);
}
