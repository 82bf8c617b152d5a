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

/* 0, or what errno says. A kernel without the protocol or family has nobody who could use the port: -1 is its
 * descriptor. */
static int bind_one(const char *ip, int family, int port, const char *protocol, int *out)
{
    struct sockaddr_storage address;
    int yes = 1, type = strcmp(protocol, "udp") ? SOCK_STREAM : SOCK_DGRAM;
    socklen_t size = make_address(ip, family, port, &address);
    *out = -1;
    if (!size)
        return EINVAL;
    int fd = socket(family, type | SOCK_CLOEXEC, strcmp(protocol, "sctp") ? 0 : IPPROTO_SCTP);
    if (fd < 0)
        return errno == EPROTONOSUPPORT || errno == EAFNOSUPPORT || errno == ESOCKTNOSUPPORT ? 0 : errno;
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    /* Else connections that have ended would keep a port for a minute. A program that listens keeps it all the same. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, type == SOCK_STREAM ? sizeof yes : 0);
    int failed = bind(fd, (struct sockaddr *)&address, size) != 0 ||
                 (type == SOCK_STREAM && strcmp(protocol, "tcp") == 0 && listen(fd, SOMAXCONN) != 0);
    int code = failed ? errno : 0;
    if (failed)
        close(fd);
    else
        *out = fd;
    return code;
}

static int32_t take(const char *ip, int family, int port, const char *protocol, int *fd, wc_error **err)
{
    int code = bind_one(ip, family, port, protocol, fd);
    const char *shown = *ip ? ip : "0.0.0.0";
    if (code == EADDRINUSE)
        return wci_err(err, WC_E_IN_USE, "port %s:%d/%s: it is already allocated, by another program; choose another",
                       shown, port, protocol);
    if (code == EADDRNOTAVAIL)
        return wci_err(err, WC_E_INVALID, "port %s:%d/%s: this host does not have the address", shown, port, protocol);
    if (code == EACCES)
        return wci_err(err, WC_E_PERMISSION,
                       "port %s:%d/%s: an ordinary user may not have it; choose one from 1024 on, or lower "
                       "net.ipv4.ip_unprivileged_port_start",
                       shown, port, protocol);
    return code ? wci_err_errno(err, code, "port %s:%d/%s", shown, port, protocol) : WC_OK;
}

static int32_t take_family(json_t *item, int family, hostports_receiver got, void *owner, wc_error **err)
{
    int fd = -1;
    int32_t rc = take(json_string_value(json_object_get(item, "host_ip")), family,
                      (int)json_integer_value(json_object_get(item, "host_port")),
                      json_string_value(json_object_get(item, "protocol")), &fd, err);
    return rc || fd < 0 ? rc : got(owner, fd, item, err);
}

int32_t hostports_open(json_t *ports, int has_ipv6, hostports_receiver got, void *owner, wc_error **err)
{
    json_t *item;
    size_t i;
    int32_t rc = WC_OK;
    json_array_foreach(ports, i, item)
    {
        const char *ip = json_string_value(json_object_get(item, "host_ip"));
        if (rc)
            return rc;
        if (!ip || !json_string_value(json_object_get(item, "protocol")))
            return wci_err(err, WC_E_FORMAT, "wc-helper: a port of the request has no address or protocol");
        int is_v6 = strchr(ip, ':') != NULL;
        rc = is_v6 ? WC_OK : take_family(item, AF_INET, got, owner, err);
        if (!rc && (is_v6 || (!*ip && has_ipv6)))
            rc = take_family(item, AF_INET6, got, owner, err);
    }
    return rc;
}

static int32_t keep(void *owner, int fd, json_t *port, wc_error **err)
{
    (void)owner, (void)fd, (void)port, (void)err;
    return WC_OK;
}

static int32_t let_go(void *owner, int fd, json_t *port, wc_error **err)
{
    (void)owner, (void)port, (void)err;
    close(fd);
    return WC_OK;
}

int32_t hostports_hold(json_t *ports, int has_ipv6, wc_error **err)
{
    static int are_held;
    int32_t rc = are_held ? WC_OK : hostports_open(ports, has_ipv6, keep, NULL, err);
    are_held = rc == WC_OK;
    return rc;
}

int32_t hostports_check(json_t *ports, int has_ipv6, wc_error **err)
{
    return hostports_open(ports, has_ipv6, let_go, NULL, err);
}
