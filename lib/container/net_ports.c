/* SPDX-License-Identifier: Apache-2.0 */
/* Published ports: what was wished for becomes ports of the host. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "container/net_plan.h"
#include "core/error.h"
#include "platform/host.h"
#include "platform/net.h"

/* As Linux by itself gives ports to programs. */
#define RANDOM_FIRST 32768
#define RANDOM_COUNT 28232
#define ATTEMPTS 2000

static char every_address[] = "";

static int32_t lease(wci_store *store, const wci_container_record *record, wci_port_record *port, wc_error **err)
{
    return wci_port_add(store, port, record->id, record->generation, err);
}

/* From a random one upwards, so that two stores of one host seldom meet. */
static int32_t lease_random(wci_store *store, const wci_container_record *record, wci_port_record *port,
                            wc_error **err)
{
    uint16_t start = 0;
    int32_t rc = wci_random_bytes(&start, sizeof start, err);
    for (int i = 0; i < ATTEMPTS && !rc; i++) {
        int taken = 0;
        port->host_port = RANDOM_FIRST + (start + i) % RANDOM_COUNT;
        rc = wci_port_is_taken(store, port, &taken, err);
        if (!rc && !taken && wci_net_port_is_free(port->protocol, port->host_ip, port->host_port))
            return lease(store, record, port, err);
    }
    return rc ? rc
              : wci_err(err, WC_E_LIMIT, "port %d/%s: no port of this host is free", port->container_port,
                        port->protocol);
}

static int32_t lease_wish(wci_store *store, const wci_container_record *record, const wci_port_wish *wish,
                          wc_error **err)
{
    int32_t rc = WC_OK;
    for (int64_t i = 0; i < wish->count && !rc; i++) {
        wci_port_record port = {wish->protocol, wish->host_ip, (int32_t)(wish->host_port + i),
                                (int32_t)(wish->container_port + i)};
        rc = wish->host_port ? lease(store, record, &port, err) : lease_random(store, record, &port, err);
    }
    return rc;
}

/* ---- All that are exposed ------------------------------------------------------------------------- */

/* "80/tcp" or "8000-8010/udp". 0 when it is neither. */
static int parse_exposed(const char *text, wci_port_wish *out, char protocol[8])
{
    int first = 0, last = 0, used = 0;
    if (sscanf(text, "%d-%d%n", &first, &last, &used) != 2) {
        used = 0;
        if (sscanf(text, "%d%n", &first, &used) != 1)
            return 0;
        last = first;
    }
    if (text[used] && sscanf(text + used, "/%7[a-z]", protocol) != 1)
        return 0;
    if (!text[used])
        memcpy(protocol, "tcp", 4);
    *out = (wci_port_wish){.host_ip = every_address, .protocol = protocol, .container_port = first, .count = last - first + 1};
    return first > 0 && last >= first && last <= 65535;
}

static int is_wished(const wci_config *config, const char *protocol, int64_t port)
{
    for (size_t i = 0; i < config->publish_count; i++) {
        const wci_port_wish *w = &config->publish[i];
        if (!strcmp(w->protocol, protocol) && port >= w->container_port && port < w->container_port + w->count)
            return 1;
    }
    return 0;
}

static int32_t lease_exposed(wci_store *store, const wci_container_record *record, const wci_config *config,
                             wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; i < config->ports.count && !rc; i++) {
        char protocol[8];
        wci_port_wish all;
        if (!parse_exposed(config->ports.items[i], &all, protocol))
            continue; /* of an image that says nonsense */
        for (int64_t j = 0; j < all.count && !rc; j++) {
            wci_port_record port = {protocol, every_address, 0, (int32_t)(all.container_port + j)};
            if (!is_wished(config, protocol, port.container_port))
                rc = lease_random(store, record, &port, err);
        }
    }
    return rc;
}

int32_t wci_net_ports_lease(wci_store *store, const wci_container_record *record, const wci_config *config,
                            wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; i < config->publish_count && !rc; i++)
        rc = lease_wish(store, record, &config->publish[i], err);
    return !rc && config->publish_all ? lease_exposed(store, record, config, err) : rc;
}
