/* SPDX-License-Identifier: Apache-2.0 */
#include "network/address.h"

#include <stdio.h>
#include <string.h>

#include "core/str.h"

/* ---- Addresses ---------------------------------------------------------------------------------- */

static unsigned group(const wci_ip *ip, int i)
{
    return (unsigned)ip->bytes[2 * i] << 8 | ip->bytes[2 * i + 1];
}

/* The longest run of two or more zero groups, the first of equals. */
static void longest_zeros(const wci_ip *ip, int *start, int *length)
{
    *start = -1, *length = 1;
    for (int i = 0; i < 8; i++) {
        int n = 0;
        while (i + n < 8 && !group(ip, i + n))
            n++;
        if (n > *length)
            *start = i, *length = n;
        i += n;
    }
}

static void format6(const wci_ip *ip, char out[WCI_ADDRESS_SIZE])
{
    int start, length;
    size_t n = 0;
    longest_zeros(ip, &start, &length);
    for (int i = 0; i < 8; i++) {
        if (i == start) {
            out[n++] = ':';
            i += length - 1;
            if (i == 7)
                out[n++] = ':';
            continue;
        }
        n += (size_t)snprintf(out + n, WCI_ADDRESS_SIZE - n, i ? ":%x" : "%x", group(ip, i));
    }
    out[n] = '\0';
}

void wci_address_format(const wci_ip *ip, char out[WCI_ADDRESS_SIZE])
{
    if (ip->size == 4)
        snprintf(out, WCI_ADDRESS_SIZE, "%u.%u.%u.%u", ip->bytes[0], ip->bytes[1], ip->bytes[2], ip->bytes[3]);
    else
        format6(ip, out);
}

int wci_address_compare(const wci_ip *a, const wci_ip *b)
{
    return a->size != b->size ? a->size - b->size : memcmp(a->bytes, b->bytes, (size_t)a->size);
}

int wci_address_next(wci_ip *ip)
{
    for (int i = ip->size - 1; i >= 0; i--)
        if (++ip->bytes[i])
            return 1;
    return 0;
}

/* ---- Subnets ------------------------------------------------------------------------------------ */

/* Which bits of byte `i` belong to the network. */
static uint8_t mask(int bits, int i)
{
    int left = bits - 8 * i;
    return left >= 8 ? 0xff : left <= 0 ? 0 : (uint8_t)(0xff << (8 - left));
}

int wci_subnet_parse(const char *text, wci_subnet *out)
{
    char address[WCI_ADDRESS_SIZE];
    const char *slash = strchr(text, '/');
    wci_subnet subnet;
    uint64_t bits;
    if (!slash || (size_t)(slash - text) >= sizeof address)
        return 0;
    memcpy(address, text, (size_t)(slash - text));
    address[slash - text] = '\0';
    if (!wci_ip_parse(address, &subnet.base) || !wci_parse_u64(slash + 1, 8 * (uint64_t)subnet.base.size, &bits))
        return 0;
    subnet.bits = (int)bits;
    for (int i = 0; i < subnet.base.size; i++)
        subnet.base.bytes[i] &= mask(subnet.bits, i);
    *out = subnet;
    return 1;
}

void wci_subnet_format(const wci_subnet *subnet, char out[WCI_SUBNET_SIZE])
{
    wci_address_format(&subnet->base, out);
    size_t n = strlen(out);
    snprintf(out + n, WCI_SUBNET_SIZE - n, "/%d", subnet->bits);
}

int wci_subnet_contains(const wci_subnet *subnet, const wci_ip *ip)
{
    if (subnet->base.size != ip->size)
        return 0;
    for (int i = 0; i < ip->size; i++)
        if ((ip->bytes[i] & mask(subnet->bits, i)) != subnet->base.bytes[i])
            return 0;
    return 1;
}

int wci_subnet_overlaps(const wci_subnet *a, const wci_subnet *b)
{
    return wci_subnet_contains(a, &b->base) || wci_subnet_contains(b, &a->base);
}

void wci_subnet_last(const wci_subnet *subnet, wci_ip *out)
{
    *out = subnet->base;
    for (int i = 0; i < out->size; i++)
        out->bytes[i] |= (uint8_t)~mask(subnet->bits, i);
}

/* Two addresses or one have no room for what they would be called. RFC 3021. */
static int has_ends(const wci_subnet *subnet)
{
    return 8 * subnet->base.size - subnet->bits >= 2;
}

int wci_subnet_is_usable(const wci_subnet *subnet, const wci_ip *ip)
{
    wci_ip last;
    wci_subnet_last(subnet, &last);
    if (!wci_subnet_contains(subnet, ip))
        return 0;
    return !has_ends(subnet) || (wci_address_compare(ip, &subnet->base) &&
                                 (ip->size == 16 || wci_address_compare(ip, &last)));
}

void wci_subnet_first_usable(const wci_subnet *subnet, wci_ip *out)
{
    *out = subnet->base;
    if (has_ends(subnet))
        wci_address_next(out);
}

/* ---- Choosing ----------------------------------------------------------------------------------- */

static int is_free(const wci_subnet *subnet, const wci_subnet *taken, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (taken[i].bits && wci_subnet_overlaps(subnet, &taken[i])) /* not the default route */
            return 0;
    return 1;
}

/* 172.17 to 172.31 as Docker's; of 10/8 what is above podman's first. */
int wci_subnet_choose(int is_large, const wci_subnet *taken, size_t count, wci_subnet *out)
{
    for (int i = 17; is_large && i < 32; i++) {
        wci_subnet s = {{{172, (uint8_t)i}, 4}, 16};
        if (is_free(&s, taken, count)) {
            *out = s;
            return 1;
        }
    }
    for (int i = 90 * 256; i < 256 * 256; i += is_large ? 256 : 1) {
        wci_subnet s = {{{10, (uint8_t)(i >> 8), (uint8_t)i}, 4}, is_large ? 16 : 24};
        if (is_free(&s, taken, count)) {
            *out = s;
            return 1;
        }
    }
    return 0;
}

void wci_subnet_local6(const uint8_t random[7], wci_subnet *out)
{
    memset(out, 0, sizeof *out);
    out->base.size = 16;
    out->base.bytes[0] = 0xfd;
    memcpy(out->base.bytes + 1, random, 7);
    out->bits = 64;
}
