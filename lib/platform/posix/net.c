/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

_Static_assert(sizeof(sigset_t) <= sizeof(((wci_signal_guard *)0)->mask), "mask has no room");

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
    return socket(family, type | SOCK_CLOEXEC, protocol);
#else
    int fd = socket(family, type, protocol);
    if (fd >= 0)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
    return fd;
#endif
}

static int sigpipe_is_pending(void)
{
    sigset_t pending;
    return !sigpending(&pending) && sigismember(&pending, SIGPIPE) == 1;
}

void wci_signals_block(wci_signal_guard *guard)
{
    /* A fault in our own code must still reach whoever watches for faults. */
    static const int synchronous[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT};
    sigset_t all, old;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof synchronous / sizeof *synchronous; i++)
        sigdelset(&all, synchronous[i]);
    pthread_sigmask(SIG_BLOCK, &all, &old);
    memcpy(guard->mask, &old, sizeof old);
    guard->had_sigpipe = sigpipe_is_pending();
}

void wci_signals_restore(wci_signal_guard *guard)
{
    if (!guard->had_sigpipe && sigpipe_is_pending()) {
        sigset_t only;
        int taken;
        sigemptyset(&only);
        sigaddset(&only, SIGPIPE);
        sigwait(&only, &taken);
    }
    sigset_t old;
    memcpy(&old, guard->mask, sizeof old);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}
