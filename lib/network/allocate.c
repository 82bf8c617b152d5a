/* SPDX-License-Identifier: Apache-2.0 */
#include "network/allocate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"

static int compare(const void *a, const void *b)
{
    return wci_address_compare(a, b);
}

static int32_t sort(const wci_strv *taken, wci_ip **out, size_t *count, wc_error **err)
{
    wci_ip *items = wci_calloc(taken->count + 1, sizeof *items);
    if (!items)
        return wci_err_nomem(err);
    *count = 0;
    for (size_t i = 0; i < taken->count; i++)
        *count += (size_t)wci_ip_parse(taken->items[i], &items[*count]);
    qsort(items, *count, sizeof *items, compare);
    *out = items;
    return WC_OK;
}

/* Both go up together. */
static int find(const wci_network_subnet *s, const wci_ip *taken, size_t count, wci_ip *out)
{
    const wci_subnet *where = s->has_range ? &s->range : &s->subnet;
    wci_ip ip = where->base;
    size_t i = 0;
    for (int more = 1; more && wci_subnet_contains(where, &ip); more = wci_address_next(&ip)) {
        while (i < count && wci_address_compare(&taken[i], &ip) < 0)
            i++;
        int is_taken = i < count && !wci_address_compare(&taken[i], &ip);
        int is_gateway = s->has_gateway && !wci_address_compare(&s->gateway, &ip);
        if (!is_taken && !is_gateway && wci_subnet_is_usable(&s->subnet, &ip)) {
            *out = ip;
            return 1;
        }
    }
    return 0;
}

int32_t wci_network_choose_address(const wci_network_subnet *subnet, const wci_strv *taken, wci_ip *out,
                                   wc_error **err)
{
    wci_ip *sorted = NULL;
    size_t count = 0;
    int32_t rc = sort(taken, &sorted, &count, err);
    if (rc)
        return rc;
    if (!find(subnet, sorted, count, out)) {
        char text[WCI_SUBNET_SIZE];
        wci_subnet_format(subnet->has_range ? &subnet->range : &subnet->subnet, text);
        rc = wci_err(err, WC_E_LIMIT, "subnet %s: no address is free; stop a container or use a larger subnet", text);
    }
    wci_free(sorted);
    return rc;
}

int32_t wci_network_check_address(const wci_network_settings *s, const char *address, wci_ip *out,
                                  const wci_network_subnet **which, wc_error **err)
{
    if (!wci_ip_parse(address, out))
        return wci_err(err, WC_E_INVALID, "address '%.80s': it is no IP address", address);
    for (size_t i = 0; i < s->subnet_count; i++) {
        const wci_network_subnet *one = &s->subnets[i];
        if (!wci_subnet_contains(&one->subnet, out))
            continue;
        *which = one;
        if (wci_subnet_is_usable(&one->subnet, out) && !(one->has_gateway && !wci_address_compare(&one->gateway, out)))
            return WC_OK;
        return wci_err(err, WC_E_INVALID, "address '%s': it is the network's own; choose another", address);
    }
    return wci_err(err, WC_E_INVALID, "address '%s': it is in none of the network's subnets", address);
}

void wci_network_mac(const wci_ip *ip, char out[WCI_MAC_SIZE])
{
    const uint8_t *last = ip->bytes + ip->size - 4;
    snprintf(out, WCI_MAC_SIZE, "02:42:%02x:%02x:%02x:%02x", last[0], last[1], last[2], last[3]);
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int wci_network_is_mac(const char *text)
{
    for (int i = 0; i < 17; i++)
        if (i % 3 == 2 ? text[i] != ':' : digit(text[i]) < 0)
            return 0;
    return !text[17] && !(digit(text[1]) & 1);
}
