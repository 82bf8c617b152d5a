/* SPDX-License-Identifier: Apache-2.0 */
/* What network transfers need from the system beside the HTTP library: addresses as bytes, and sockets
 * that no child inherits. */
#ifndef WCI_NET_H
#define WCI_NET_H

#include <stdint.h>

#include <wincontainer/error.h>

#include "core/str.h"

typedef struct wci_ip {
    uint8_t bytes[16];
    int size; /* 4 or 16 */
} wci_ip;

/* Numeric IPv4 (four decimal parts) or IPv6 text, without brackets or zone; 1 when it is one. */
int wci_ip_parse(const char *text, wci_ip *out);
/* From a struct sockaddr; 0 when it is of another family. */
int wci_ip_of_sockaddr(const void *sockaddr, wci_ip *out);

/* Texts like "10.0.0.0/8": the networks that this host has addresses in or routes to, without the default route. */
int32_t wci_net_routes(wci_strv *out, wc_error **err);
/* The IPv4 address by which this host is known outside, as far as it can tell; 0 when it has none but loopback. */
int wci_net_own_address(wci_ip *out);
/* 1 when there is a way to any address, of IPv4 or IPv6. */
int wci_net_has_default_route(void);
/* 1 when nobody has the port ("tcp", "udp" or "sctp") at the moment. `ip` "": every address. */
int wci_net_port_is_free(const char *protocol, const char *ip, int port);
/* As socket(), close-on-exec; -1 on failure. */
intptr_t wci_socket_open(int family, int type, int protocol);

#endif
