/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between us and the deputy. */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "platform/posix/deputy.h"
#include "platform/posix/posix.h"

typedef union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(WCI_DEPUTY_FDS * sizeof(int))];
} control;

int wci_deputy_send(int link, struct iovec *parts, size_t count, const int *fds, size_t fd_count)
{
    control c;
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    if (fd_count) {
        memset(&c, 0, sizeof c);
        message.msg_control = c.bytes;
        message.msg_controllen = CMSG_SPACE(fd_count * sizeof *fds);
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(fd_count * sizeof *fds);
        memcpy(CMSG_DATA(head), fds, fd_count * sizeof *fds);
    }
    ssize_t n;
    do
        n = sendmsg(link, &message, MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    return n < 0 ? errno : 0;
}

static void take_fds(struct msghdr *message, int fds[WCI_DEPUTY_FDS])
{
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head; head = CMSG_NXTHDR(message, head)) {
        if (head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count && i < WCI_DEPUTY_FDS; i++)
            memcpy(&fds[i], CMSG_DATA(head) + i * sizeof(int), sizeof(int));
    }
    for (int i = 0; i < WCI_DEPUTY_FDS; i++)
        fds[i] = wci_posix_off_stdio(fds[i]);
}

int wci_deputy_receive(int link, struct iovec *parts, size_t count, int fds[WCI_DEPUTY_FDS], size_t *got)
{
    control c;
    struct msghdr message = {
        .msg_iov = parts, .msg_iovlen = count, .msg_control = c.bytes, .msg_controllen = sizeof c.bytes};
    ssize_t n;
    for (int i = 0; i < WCI_DEPUTY_FDS; i++)
        fds[i] = -1;
    do
        n = recvmsg(link, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return errno;
    take_fds(&message, fds);
    *got = (size_t)n;
    return message.msg_flags & MSG_CTRUNC ? EMFILE : message.msg_flags & MSG_TRUNC ? EMSGSIZE : 0;
}
