/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes, sockets, and waiting on them. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/secret.h"
#include "platform/host.h"
#include "platform/posix/posix.h"
#include "platform/process.h"

/* Moves both ends off 0 to 2; on failure closes them. */
static int32_t keep_both(int ends[2], const char *what, wci_fd *a, wci_fd *b, wc_error **err)
{
    int first = wci_posix_off_stdio(ends[0]);
    int second = wci_posix_off_stdio(ends[1]);
    if (first < 0 || second < 0) {
        int saved = errno;
        wci_fd_close(first);
        wci_fd_close(second);
        return wci_err_errno(err, saved, "%s: making", what);
    }
    *a = first;
    *b = second;
    return WC_OK;
}

int32_t wci_pipe(wci_fd *read_end, wci_fd *write_end, wc_error **err)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC))
        return wci_err_errno(err, errno, "pipe: making");
    return keep_both(ends, "pipe", read_end, write_end, err);
}

int32_t wci_pair(wci_fd *a, wci_fd *b, wc_error **err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
        return wci_err_errno(err, errno, "socket pair: making");
    return keep_both(ends, "socket pair", a, b, err);
}

/* Names the socket by a descriptor where its path is too long for an address. */
static int fill_address(const char *path, struct sockaddr_un *address, int *place)
{
    *place = -1;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (strlen(path) < sizeof address->sun_path) {
        memcpy(address->sun_path, path, strlen(path));
        return 0;
    }
    *place = wci_posix_open_at(AT_FDCWD, path, O_PATH, 0);
    if (*place < 0)
        return -1;
    snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d", *place);
    return 0;
}

/* A peer that is alive accepts soon; one whose queue stays full is stuck. */
static int connect_patiently(int fd, const struct sockaddr_un *address)
{
    for (int attempt = 0;; attempt++) {
        if (connect(fd, (const struct sockaddr *)address, sizeof *address) == 0)
            return 0;
        if (errno != EINTR && (errno != EAGAIN || attempt == 200))
            return -1;
        poll(NULL, 0, 5);
    }
}

int32_t wci_local_connect(const char *path, wci_fd *out, wc_error **err)
{
    struct sockaddr_un address;
    int place, saved = 0;
    if (fill_address(path, &address, &place))
        return wci_err_errno(err, errno, "socket '%s': connecting", path);
    int fd = wci_posix_off_stdio(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd < 0 || connect_patiently(fd, &address) || fcntl(fd, F_SETFL, 0))
        saved = errno;
    wci_fd_close(place);
    if (saved) {
        wci_fd_close(fd);
        return wci_err_errno(err, saved, "socket '%s': connecting", path);
    }
    *out = fd;
    return WC_OK;
}

static int is_ready(int fd, short events)
{
    struct pollfd item = {fd, events, 0};
    return poll(&item, 1, 0) > 0;
}

static int is_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && (flags & O_NONBLOCK);
}

static int32_t closed(wc_error **err)
{
    return wci_err(err, WC_E_CLOSED, "stream: the other end has closed it");
}

int32_t wci_fd_read_some(wci_fd fd, void *data, size_t size, size_t *got, wc_error **err)
{
    ssize_t n;
    do {
        n = recv(FD(fd), data, size, MSG_DONTWAIT);
        if (n < 0 && errno == ENOTSOCK) {
            if (!is_nonblocking(FD(fd)) && !is_ready(FD(fd), POLLIN)) {
                *got = 0;
                return WC_OK;
            }
            n = read(FD(fd), data, size);
        }
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN) {
        *got = 0;
        return WC_OK;
    }
    /* EIO is what the master of a terminal gets when the last user of the slave is gone. */
    if ((n == 0 && size) || (n < 0 && (errno == ECONNRESET || errno == EIO)))
        return closed(err);
    if (n < 0)
        return wci_err_errno(err, errno, "stream: reading");
    *got = (size_t)n;
    return WC_OK;
}

/* A pipe that is ready takes at least PIPE_BUF bytes without blocking, but perhaps not more. */
static ssize_t write_to_pipe(int fd, const void *data, size_t size)
{
    if (is_nonblocking(fd))
        return wci_posix_write(fd, data, size);
    if (!is_ready(fd, POLLOUT)) {
        errno = EAGAIN;
        return -1;
    }
    return wci_posix_write(fd, data, size < PIPE_BUF ? size : PIPE_BUF);
}

int32_t wci_fd_write_some(wci_fd fd, const void *data, size_t size, size_t *put, wc_error **err)
{
    ssize_t n;
    do {
        n = send(FD(fd), data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == ENOTSOCK)
            n = write_to_pipe(FD(fd), data, size);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        n = 0;
    if (n < 0 && (errno == EPIPE || errno == ECONNRESET || errno == EIO))
        return closed(err);
    if (n < 0)
        return wci_err_errno(err, errno, "stream: writing");
    *put = (size_t)n;
    return WC_OK;
}

int32_t wci_fd_set_nonblocking(wci_fd fd, wc_error **err)
{
    int flags = fcntl(FD(fd), F_GETFL);
    if (flags < 0 || fcntl(FD(fd), F_SETFL, flags | O_NONBLOCK))
        return wci_err_errno(err, errno, "stream: making it non-blocking");
    return WC_OK;
}

int32_t wci_fd_shutdown_write(wci_fd fd, wc_error **err)
{
    if (shutdown(FD(fd), SHUT_WR) && errno != ENOTCONN)
        return wci_err_errno(err, errno, "stream: closing for writing");
    return WC_OK;
}

/* ---- Waiting ---------------------------------------------------------------------------------- */

#define FEW 8

static void fill_polls(const wc_call *call, const wci_poll_item *items, size_t count,
                       struct pollfd *polls)
{
    for (size_t i = 0; i < count; i++)
        polls[i] = (struct pollfd){
            .fd = FD(items[i].fd),
            .events = (short)((items[i].want & WCI_POLL_READ ? POLLIN : 0) |
                              (items[i].want & WCI_POLL_WRITE ? POLLOUT : 0)),
        };
    polls[count] = (struct pollfd){.fd = FD(wci_call_cancel_fd(call)), .events = POLLIN};
}

static int take_results(wci_poll_item *items, size_t count, const struct pollfd *polls)
{
    int ready = 0;
    for (size_t i = 0; i < count; i++) {
        short r = polls[i].revents;
        items[i].got = (r & POLLIN ? WCI_POLL_READ : 0) | (r & POLLOUT ? WCI_POLL_WRITE : 0) |
                       (r & (POLLHUP | POLLERR | POLLNVAL) ? WCI_POLL_HANGUP : 0);
        ready += items[i].got != 0;
    }
    return ready;
}

static int64_t left_ms(int64_t end_ns)
{
    if (end_ns == INT64_MAX)
        return -1;
    int64_t left = end_ns - wci_monotonic_ns();
    return left > 0 ? (left + 999999) / 1000000 : 0;
}

static int32_t wait_for(const wc_call *call, wci_poll_item *items, size_t count,
                        struct pollfd *polls, int64_t timeout_ms, int *ready, wc_error **err)
{
    int64_t end = INT64_MAX;
    if (timeout_ms >= 0 && timeout_ms < INT64_MAX / 2000000)
        end = wci_monotonic_ns() + timeout_ms * 1000000;
    fill_polls(call, items, count, polls);
    for (;;) {
        int32_t rc = wci_call_check(call, err);
        if (rc)
            return rc;
        int64_t left = left_ms(end);
        int n = poll(polls, (nfds_t)count + 1, wci_call_timeout_ms(call, left));
        if (n < 0 && errno != EINTR)
            return wci_err_errno(err, errno, "waiting for descriptors");
        int found = n > 0 ? take_results(items, count, polls) : take_results(items, 0, polls);
        if (!found && (n > 0 || left != 0))
            continue;
        rc = wci_call_check(call, err);
        if (!rc)
            *ready = found;
        return rc;
    }
}

int32_t wci_poll(const wc_call *call, wci_poll_item *items, size_t count, int64_t timeout_ms,
                 int *ready, wc_error **err)
{
    struct pollfd few[FEW + 1], *polls = few;
    if (count > FEW && !(polls = wci_calloc(count + 1, sizeof *polls)))
        return wci_err_nomem(err);
    for (size_t i = 0; i < count; i++)
        items[i].got = 0;
    int32_t rc = wait_for(call, items, count, polls, timeout_ms, ready, err);
    if (polls != few)
        wci_free(polls);
    return rc;
}

static int32_t append_some(const wc_call *call, wci_fd fd, size_t max, wci_str *s, wc_error **err)
{
    wci_poll_item item = {fd, WCI_POLL_READ, 0};
    int ready;
    size_t got;
    int32_t rc = wci_poll(call, &item, 1, -1, &ready, err);
    if (rc)
        return rc;
    char *to = wci_str_reserve(s, 16384);
    if (!to)
        return wci_err_nomem(err);
    rc = wci_fd_read_some(fd, to, 16384, &got, err);
    if (rc)
        return rc;
    wci_str_added(s, got);
    if (s->size > max)
        return wci_err(err, WC_E_LIMIT, "stream: more than %zu bytes", max);
    return WC_OK;
}

int32_t wci_fd_read_to_end(const wc_call *call, wci_fd fd, size_t max, wc_buf **out,
                           wc_error **err)
{
    wci_str s = WCI_SECRET_STR_INIT;
    wc_error *why = NULL;
    int32_t rc;
    do
        rc = append_some(call, fd, max, &s, &why);
    while (!rc);
    if (rc == WC_E_CLOSED) {
        wc_error_unref(why);
        return wci_str_to_buf(&s, out, err);
    }
    wci_str_free(&s);
    return wci_err_move(err, why);
}
