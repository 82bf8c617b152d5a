/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and subnets of container networks: text, order and arithmetic. IPv4 and IPv6. */
#ifndef WCI_NETWORK_ADDRESS_H
#define WCI_NETWORK_ADDRESS_H

#include <stddef.h>
#include <stdint.h>

#include "platform/net.h"

#define WCI_ADDRESS_SIZE 46
/* As RFC 5952 writes it. */
void wci_address_format(const wci_ip *ip, char out[WCI_ADDRESS_SIZE]);
/* Below, at or above zero as in memcmp(); IPv4 before IPv6. */
int wci_address_compare(const wci_ip *a, const wci_ip *b);
/* The next one; 0 when there is none. */
int wci_address_next(wci_ip *ip);

typedef struct wci_subnet {
    wci_ip base; /* host bits are zero */
    int bits;
} wci_subnet;

#define WCI_SUBNET_SIZE (WCI_ADDRESS_SIZE + 4)
/* "10.1.0.0/16"; host bits are dropped. 1 when it is one. */
int wci_subnet_parse(const char *text, wci_subnet *out);
void wci_subnet_format(const wci_subnet *subnet, char out[WCI_SUBNET_SIZE]);
int wci_subnet_contains(const wci_subnet *subnet, const wci_ip *ip);
int wci_subnet_overlaps(const wci_subnet *a, const wci_subnet *b);
/* The highest address in it. */
void wci_subnet_last(const wci_subnet *subnet, wci_ip *out);
/* An address that a container or gateway may have: not the network's own, nor IPv4's broadcast. */
int wci_subnet_is_usable(const wci_subnet *subnet, const wci_ip *ip);
/* The first usable address. */
void wci_subnet_first_usable(const wci_subnet *subnet, wci_ip *out);

/* Chooses a subnet that none of the `count` taken ones overlaps. IPv4: of the private ranges, as large as 255
 * containers (`is_large`: 65,000) need. 0 when nothing is left. */
int wci_subnet_choose(int is_large, const wci_subnet *taken, size_t count, wci_subnet *out);
/* IPv6: a unique local one of 64 bits, made of random bytes. RFC 4193. */
void wci_subnet_local6(const uint8_t random[7], wci_subnet *out);

#endif
