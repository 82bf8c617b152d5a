/* SPDX-License-Identifier: Apache-2.0 */
/* What of the network the host has already. */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/net.h"

#ifndef IPPROTO_SCTP
#define IPPROTO_SCTP 132
#endif

/* ---- Addresses and routes ------------------------------------------------------------------------- */

static int prefix_of(const wci_ip *mask)
{
    int bits = 0;
    for (int i = 0; i < mask->size; i++)
        for (int bit = 7; bit >= 0 && mask->bytes[i] >> bit & 1; bit--)
            bits++;
    return bits;
}

static int add(wci_strv *out, const wci_ip *ip, int bits)
{
    char text[INET6_ADDRSTRLEN];
    if (!bits || !inet_ntop(ip->size == 4 ? AF_INET : AF_INET6, ip->bytes, text, sizeof text))
        return 0;
    return wci_strv_add_take(out, wci_asprintf("%s/%d", text, bits));
}

static int32_t add_addresses(wci_strv *out, wc_error **err)
{
    struct ifaddrs *all = NULL;
    int failed = 0;
    if (getifaddrs(&all) != 0)
        return WC_OK; /* a host without a network */
    for (const struct ifaddrs *i = all; i && !failed; i = i->ifa_next) {
        wci_ip ip, mask;
        if (i->ifa_addr && i->ifa_netmask && wci_ip_of_sockaddr(i->ifa_addr, &ip) &&
            wci_ip_of_sockaddr(i->ifa_netmask, &mask))
            failed = add(out, &ip, prefix_of(&mask));
    }
    freeifaddrs(all);
    return failed ? wci_err_nomem(err) : WC_OK;
}

static int32_t add_routes4(wci_strv *out, wc_error **err)
{
    char line[512];
    int failed = 0;
    FILE *f = fopen("/proc/net/route", "re");
    while (f && !failed && fgets(line, sizeof line, f)) {
        unsigned long destination, mask;
        wci_ip ip = {{0}, 4}, bits = {{0}, 4};
        if (sscanf(line, "%*s %lx %*x %*x %*d %*d %*d %lx", &destination, &mask) != 2)
            continue;
        uint32_t number = (uint32_t)destination, bytes = (uint32_t)mask; /* in the order of the net */
        memcpy(ip.bytes, &number, 4);
        memcpy(bits.bytes, &bytes, 4);
        failed = add(out, &ip, prefix_of(&bits));
    }
    if (f)
        fclose(f);
    return failed ? wci_err_nomem(err) : WC_OK;
}

static int parse_hex(const char *text, wci_ip *out)
{
    out->size = 16;
    for (int i = 0; i < 16; i++) {
        unsigned byte;
        if (sscanf(text + 2 * i, "%2x", &byte) != 1)
            return 0;
        out->bytes[i] = (uint8_t)byte;
    }
    return 1;
}

static int32_t add_routes6(wci_strv *out, wc_error **err)
{
    char line[512], hex[64];
    int failed = 0;
    FILE *f = fopen("/proc/net/ipv6_route", "re");
    while (f && !failed && fgets(line, sizeof line, f)) {
        unsigned bits;
        wci_ip ip;
        if (sscanf(line, "%32s %x", hex, &bits) == 2 && strlen(hex) == 32 && parse_hex(hex, &ip) && bits < 128)
            failed = add(out, &ip, (int)bits);
    }
    if (f)
        fclose(f);
    return failed ? wci_err_nomem(err) : WC_OK;
}

int32_t wci_net_routes(wci_strv *out, wc_error **err)
{
    int32_t rc = add_addresses(out, err);
    if (!rc)
        rc = add_routes4(out, err);
    return rc ? rc : add_routes6(out, err);
}

/* ---- Ports ---------------------------------------------------------------------------------------- */

static socklen_t make_address(const char *ip, int port, struct sockaddr_storage *out)
{
    wci_ip parsed = {{0}, 4};
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    memset(out, 0, sizeof *out);
    if (*ip && !wci_ip_parse(ip, &parsed))
        return 0;
    if (parsed.size == 4) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        memcpy(&v4->sin_addr, parsed.bytes, 4);
        return sizeof *v4;
    }
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons((uint16_t)port);
    memcpy(&v6->sin6_addr, parsed.bytes, 16);
    return sizeof *v6;
}

int wci_net_port_is_free(const char *protocol, const char *ip, int port)
{
    struct sockaddr_storage address;
    int yes = 1, is_udp = !strcmp(protocol, "udp");
    socklen_t size = make_address(ip, port, &address);
    intptr_t fd = size ? wci_socket_open(address.ss_family, is_udp ? SOCK_DGRAM : SOCK_STREAM,
                                         strcmp(protocol, "sctp") ? 0 : IPPROTO_SCTP)
                       : -1;
    if (fd < 0)
        return size != 0; /* a protocol that the kernel does not have */
    if (!is_udp)
        setsockopt((int)fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    int free = bind((int)fd, (struct sockaddr *)&address, size) == 0;
    close((int)fd);
    return free;
}

/* ---- Towards the world ---------------------------------------------------------------------------- */

/* Of the interface by which what is sent there would leave: nothing is sent. */
static int address_towards(int family, const char *there, wci_ip *out)
{
    struct sockaddr_storage to, own;
    socklen_t size = sizeof own, to_size = make_address(there, 9, &to);
    intptr_t fd = wci_socket_open(family, SOCK_DGRAM, 0);
    int found = fd >= 0 && connect((int)fd, (struct sockaddr *)&to, to_size) == 0 &&
                getsockname((int)fd, (struct sockaddr *)&own, &size) == 0 && wci_ip_of_sockaddr(&own, out);
    if (fd >= 0)
        close((int)fd);
    return found;
}

/* RFC 5737 and 3849: nobody's. */
static int address_towards_world(wci_ip *out)
{
    return address_towards(AF_INET, "192.0.2.1", out);
}

int wci_net_has_default_route(void)
{
    wci_ip own;
    return address_towards_world(&own) || address_towards(AF_INET6, "2001:db8::1", &own);
}

static int is_loopback(const wci_ip *ip)
{
    return ip->bytes[0] == 127;
}

int wci_net_own_address(wci_ip *out)
{
    struct ifaddrs *all = NULL;
    int found = address_towards_world(out) && !is_loopback(out);
    if (found || getifaddrs(&all) != 0)
        return found;
    for (const struct ifaddrs *i = all; i && !found; i = i->ifa_next)
        found = i->ifa_addr && i->ifa_flags & IFF_UP && wci_ip_of_sockaddr(i->ifa_addr, out) && out->size == 4 &&
                !is_loopback(out);
    freeifaddrs(all);
    return found;
}
