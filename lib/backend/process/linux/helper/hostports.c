/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/hostports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/error.h"

#ifndef IPPROTO_SCTP
#define IPPROTO_SCTP 132
#endif

static socklen_t make_address(const char *ip, int family, int port, struct sockaddr_storage *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
    memset(out, 0, sizeof *out);
    out->ss_family = (sa_family_t)family;
    if (family == AF_INET) {
        v4->sin_port = htons((uint16_t)port);
        return !*ip || inet_pton(AF_INET, ip, &v4->sin_addr) == 1 ? sizeof *v4 : 0;
    }
    v6->sin6_port = htons((uint16_t)port);
    return !*ip || inet_pton(AF_INET6, ip, &v6->sin6_addr) == 1 ? sizeof *v6 : 0;
}

/* 0, or what errno says. A kernel without the protocol or family has nobody who could use the port. */
static int bind_one(const char *ip, int family, int port, const char *protocol)
{
    struct sockaddr_storage address;
    int yes = 1, type = strcmp(protocol, "udp") ? SOCK_STREAM : SOCK_DGRAM;
    socklen_t size = make_address(ip, family, port, &address);
    if (!size)
        return EINVAL;
    int fd = socket(family, type | SOCK_CLOEXEC, strcmp(protocol, "sctp") ? 0 : IPPROTO_SCTP);
    if (fd < 0)
        return errno == EPROTONOSUPPORT || errno == EAFNOSUPPORT || errno == ESOCKTNOSUPPORT ? 0 : errno;
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    /* Else connections that have ended would keep a port for a minute. A program that listens keeps it all the same. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, type == SOCK_STREAM ? sizeof yes : 0);
    if (bind(fd, (struct sockaddr *)&address, size) == 0 &&
        (type == SOCK_DGRAM || strcmp(protocol, "tcp") || listen(fd, 1) == 0))
        return 0;
    int code = errno;
    close(fd);
    return code;
}

static int32_t hold(const char *ip, int family, int port, const char *protocol, wc_error **err)
{
    int code = bind_one(ip, family, port, protocol);
    const char *shown = *ip ? ip : "0.0.0.0";
    if (code == EADDRINUSE)
        return wci_err(err, WC_E_IN_USE, "port %s:%d/%s: it is already allocated, by another program; choose another",
                       shown, port, protocol);
    if (code == EADDRNOTAVAIL)
        return wci_err(err, WC_E_INVALID, "port %s:%d/%s: this host does not have the address", shown, port, protocol);
    return code ? wci_err_errno(err, code, "port %s:%d/%s", shown, port, protocol) : WC_OK;
}

int32_t hostports_hold(json_t *ports, int has_ipv6, wc_error **err)
{
    static int are_held;
    json_t *item;
    size_t i;
    if (are_held)
        return WC_OK;
    json_array_foreach(ports, i, item)
    {
        const char *ip = json_string_value(json_object_get(item, "host_ip"));
        const char *protocol = json_string_value(json_object_get(item, "protocol"));
        int port = (int)json_integer_value(json_object_get(item, "host_port"));
        if (!ip || !protocol)
            return wci_err(err, WC_E_FORMAT, "wc-helper: a port of the request has no address or protocol");
        int is_v6 = strchr(ip, ':') != NULL;
        int32_t rc = is_v6 ? WC_OK : hold(ip, AF_INET, port, protocol, err);
        if (!rc && (is_v6 || (!*ip && has_ipv6)))
            rc = hold(ip, AF_INET6, port, protocol, err);
        if (rc)
            return rc;
    }
    are_held = 1;
    return WC_OK;
}
