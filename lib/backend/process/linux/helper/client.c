/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <wincontainer/container.h>
#include <wincontainer/error.h>

#include "backend/process/protocol.h"
#include "core/alloc.h"

/* Answers that a client does not fetch. */
#define OUT_MAX (4 * WCI_FRAME_STREAM_MAX)

int64_t monotonic_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

client *client_new(int fd)
{
    client *c = wci_calloc(1, sizeof *c);
    if (!c) {
        close(fd);
        return NULL;
    }
    c->fd = fd;
    return c;
}

void client_free(client *c)
{
    close(c->fd);
    wci_str_free(&c->in);
    wci_str_free(&c->out);
    wci_free(c);
}

int client_is_behind(const client *c)
{
    return c->out.size > c->out_used;
}

int client_is_patient(const client *c)
{
    return (c->attach & WC_ATTACH_WAIT) != 0;
}

int client_is_full(const client *c)
{
    return c->out.size - c->out_used > CLIENT_REST_MAX;
}

int client_patience_ms(const client *c)
{
    if (!client_is_behind(c) || client_is_patient(c))
        return -1;
    int64_t left = c->progress_ms + CLIENT_STALL_MS - monotonic_ms();
    return left > 0 ? (int)left : 0;
}

static size_t send_now(client *c, const struct iovec *iov, size_t count)
{
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = count};
    ssize_t n;
    do {
        n = sendmsg(c->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS)
        c->gone = 1;
    if (n > 0)
        c->progress_ms = monotonic_ms();
    return n > 0 ? (size_t)n : 0;
}

void client_flush(client *c)
{
    while (!c->gone && client_is_behind(c)) {
        struct iovec rest = {c->out.data + c->out_used, c->out.size - c->out_used};
        size_t n = send_now(c, &rest, 1);
        if (!n)
            return;
        c->out_used += n;
    }
    wci_str_free(&c->out);
    c->out_used = 0;
}

static void keep(client *c, const char *data, size_t size)
{
    size_t most = client_is_patient(c) ? CLIENT_REST_MAX + OUT_MAX : OUT_MAX;
    if (!client_is_behind(c))
        c->progress_ms = monotonic_ms();
    wci_str_append_n(&c->out, data, size);
    if (c->out.failed || c->out.size - c->out_used > most)
        c->gone = 1;
}

void client_send(client *c, int type, int channel, const void *data, size_t size)
{
    unsigned char header[WCI_FRAME_HEADER];
    struct iovec iov[2] = {{header, sizeof header}, {(void *)(uintptr_t)data, size}};
    size_t sent = 0;
    if (c->gone)
        return;
    wci_frame_header(header, type, channel, (uint32_t)size);
    if (!client_is_behind(c))
        sent = send_now(c, iov, 2);
    if (c->gone)
        return;
    if (sent < sizeof header) {
        keep(c, (const char *)header + sent, sizeof header - sent);
        sent = sizeof header;
    }
    if (sent - sizeof header < size)
        keep(c, (const char *)data + (sent - sizeof header), size - (sent - sizeof header));
}

void client_drop(client *c)
{
    static const char why[] = "the reader was too slow and was dropped; the log has what it missed";
    unsigned char error[4 + sizeof why - 1];
    wci_put_u32(error, (uint32_t)WC_E_BUSY);
    memcpy(error + 4, why, sizeof why - 1);
    /* Room for what waits and for the reason, so that both are in the socket when we close it. */
    int room = 0;
    socklen_t size = sizeof room;
    (void)getsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &room, &size);
    if (setsockopt(c->fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) != 0)
        (void)setsockopt(c->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    client_send(c, WCI_FRAME_ERROR, 0, error, sizeof error);
    client_flush(c);
    c->gone = 1;
}

void client_receive(client *c)
{
    char *to = wci_str_reserve(&c->in, WCI_FRAME_STREAM_MAX + WCI_FRAME_HEADER);
    ssize_t n = to ? recv(c->fd, to, WCI_FRAME_STREAM_MAX + WCI_FRAME_HEADER, MSG_DONTWAIT) : 0;
    if (n > 0)
        wci_str_added(&c->in, (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        c->gone = 1;
}

void client_deafen(client *c)
{
    char rest[4096];
    ssize_t n;
    c->deaf = 1;
    shutdown(c->fd, SHUT_RD);
    do
        n = recv(c->fd, rest, sizeof rest, MSG_DONTWAIT);
    while (n > 0 || (n < 0 && errno == EINTR));
}

int client_frame(client *c, int *type, const char **data, size_t *size)
{
    if (c->in.size < WCI_FRAME_HEADER)
        return 0;
    *size = wci_get_u32(c->in.data);
    if (*size > WCI_FRAME_STREAM_MAX)
        c->gone = 1; /* it does not speak our language */
    if (c->gone || c->in.size - WCI_FRAME_HEADER < *size)
        return 0;
    *type = (unsigned char)c->in.data[4];
    *data = c->in.data + WCI_FRAME_HEADER;
    return 1;
}

void client_consume(client *c)
{
    size_t whole = WCI_FRAME_HEADER + wci_get_u32(c->in.data);
    memmove(c->in.data, c->in.data + whole, c->in.size - whole);
    c->in.size -= whole;
    if (!c->in.size)
        wci_str_free(&c->in);
}
