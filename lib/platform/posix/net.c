/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "platform/posix/posix.h"

int wci_ip_parse(const char *text, wci_ip *out)
{
    wci_ip ip = {{0}, 0};
    if (inet_pton(AF_INET, text, ip.bytes) == 1)
        ip.size = 4;
    else if (inet_pton(AF_INET6, text, ip.bytes) == 1)
        ip.size = 16;
    else
        return 0;
    *out = ip;
    return 1;
}

int wci_ip_of_sockaddr(const void *sockaddr, wci_ip *out)
{
    const struct sockaddr *any = sockaddr;
    if (any->sa_family == AF_INET) {
        out->size = 4;
        memcpy(out->bytes, &((const struct sockaddr_in *)sockaddr)->sin_addr, 4);
        return 1;
    }
    if (any->sa_family == AF_INET6) {
        out->size = 16;
        memcpy(out->bytes, &((const struct sockaddr_in6 *)sockaddr)->sin6_addr, 16);
        return 1;
    }
    return 0;
}

intptr_t wci_socket_open(int family, int type, int protocol)
{
#ifdef SOCK_CLOEXEC
    return wci_posix_off_stdio(socket(family, type | SOCK_CLOEXEC, protocol));
#else
    int fd = socket(family, type, protocol);
    if (fd >= 0)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    return wci_posix_off_stdio(fd);
#endif
}
