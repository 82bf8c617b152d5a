/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/address.h"

#include <string.h>

#include "core/str.h"

typedef struct range {
    uint8_t prefix[16];
    int bits;
    wci_address_class class;
} range;

/* IANA special-purpose address registries; the first match counts, the rest is public. */
static const range ranges4[] = {
    {{127}, 8, WCI_ADDRESS_LOOPBACK},
    {{10}, 8, WCI_ADDRESS_PRIVATE},
    {{172, 16}, 12, WCI_ADDRESS_PRIVATE},
    {{192, 168}, 16, WCI_ADDRESS_PRIVATE},
    {{100, 64}, 10, WCI_ADDRESS_PRIVATE},
    {{169, 254}, 16, WCI_ADDRESS_LINK_LOCAL},
    {{168, 63, 129, 16}, 32, WCI_ADDRESS_LINK_LOCAL}, /* Azure's host agent */
    {{0}, 8, WCI_ADDRESS_SPECIAL},
    {{192, 0, 0}, 24, WCI_ADDRESS_SPECIAL},
    {{198, 18}, 15, WCI_ADDRESS_SPECIAL},
    {{224}, 3, WCI_ADDRESS_SPECIAL}, /* multicast and everything above */
};

static const range ranges6[] = {
    {{[15] = 1}, 128, WCI_ADDRESS_LOOPBACK},
    {{0}, 128, WCI_ADDRESS_SPECIAL},
    {{0xfc}, 7, WCI_ADDRESS_PRIVATE},
    {{0xfe, 0xc0}, 10, WCI_ADDRESS_PRIVATE},
    {{0xfe, 0x80}, 10, WCI_ADDRESS_LINK_LOCAL},
    {{0xff}, 8, WCI_ADDRESS_SPECIAL},
    {{0x20, 0x01}, 23, WCI_ADDRESS_SPECIAL}, /* Teredo and other protocol assignments */
};

/* IPv6 addresses that reach an IPv4 one, and where it stands in them. */
static const struct {
    uint8_t prefix[16];
    int bits;
    int at;
} embeddings[] = {
    {{[10] = 0xff, [11] = 0xff}, 96, 12}, /* mapped */
    {{0}, 96, 12},                        /* "compatible", long dead */
    {{0x00, 0x64, 0xff, 0x9b}, 96, 12},   /* NAT64 */
    {{0x20, 0x02}, 16, 2},                /* 6to4 */
};

static int has_prefix(const uint8_t *address, const uint8_t *prefix, int bits)
{
    int whole = bits / 8, rest = bits % 8;
    if (memcmp(address, prefix, (size_t)whole))
        return 0;
    return !rest || (address[whole] >> (8 - rest)) == (prefix[whole] >> (8 - rest));
}

static wci_address_class find(const range *ranges, size_t count, const uint8_t *address)
{
    for (size_t i = 0; i < count; i++)
        if (has_prefix(address, ranges[i].prefix, ranges[i].bits))
            return ranges[i].class;
    return WCI_ADDRESS_PUBLIC;
}

static wci_address_class classify4(const uint8_t *address)
{
    return find(ranges4, sizeof ranges4 / sizeof *ranges4, address);
}

wci_address_class wci_address_classify(const wci_ip *ip)
{
    if (ip->size == 4)
        return classify4(ip->bytes);
    wci_address_class class = find(ranges6, sizeof ranges6 / sizeof *ranges6, ip->bytes);
    if (class != WCI_ADDRESS_PUBLIC)
        return class;
    for (size_t i = 0; i < sizeof embeddings / sizeof *embeddings; i++)
        if (has_prefix(ip->bytes, embeddings[i].prefix, embeddings[i].bits))
            return classify4(ip->bytes + embeddings[i].at);
    return WCI_ADDRESS_PUBLIC;
}

const char *wci_address_class_name(wci_address_class class)
{
    static const char *const names[] = {"public", "private", "loopback", "link-local", "reserved"};
    return names[class];
}

int wci_address_of_host(const char *host, wci_address_class *out)
{
    if (!wci_strcasecmp(host, "localhost")) {
        *out = WCI_ADDRESS_LOOPBACK;
        return 1;
    }
    char bare[64];
    size_t n = strlen(host);
    if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
        host++;
        n -= 2;
    }
    wci_ip ip;
    if (n >= sizeof bare)
        return 0;
    memcpy(bare, host, n);
    bare[n] = '\0';
    if (!wci_ip_parse(bare, &ip))
        return 0;
    *out = wci_address_classify(&ip);
    return 1;
}

unsigned wci_address_fence(wci_address_class class)
{
    unsigned allowed = WCI_ADDRESS_BIT(WCI_ADDRESS_PUBLIC);
    if (class == WCI_ADDRESS_PRIVATE || class == WCI_ADDRESS_LOOPBACK)
        allowed |= WCI_ADDRESS_BIT(class);
    return allowed;
}
