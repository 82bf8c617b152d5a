/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets keep the network namespace that they were made in: those that listen are the host's, those made here are the
 * container's. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend/process/linux/helper/client.h"
#include "backend/process/linux/helper/forward.h"
#include "core/alloc.h"

#define BUFFER (32 * 1024)
#define EVENTS 64
#define DATAGRAM_MAX 65536
/* As docker-proxy: a client of udp that says nothing for so long is forgotten. */
#define FLOW_MS 90000
#define FLOWS_MAX 1024
#define OUT_OF_FILES_MS 20

typedef struct stream stream;

/* First in each struct that epoll knows. */
typedef struct source {
    void (*ready)(struct source *s, uint32_t events);
    int fd;
} source;

typedef struct port {
    source source;
    int container_port;
} port;

/* One side of a connection: what was read from its descriptor waits here for the other side. */
typedef struct side {
    source source;
    stream *owner;
    char *data;
    size_t from, to;
    int ended; /* nothing more comes from it */
    int shut;  /* it was told that nothing more comes for it */
} side;

struct stream {
    side sides[2];
    int connecting; /* the second side is on its way */
    int gone;
    stream *next_gone;
};

typedef struct flow {
    source source; /* connected to the container */
    int port_fd;
    struct sockaddr_storage client;
    socklen_t client_size;
    int64_t last_ms;
    struct flow *next;
} flow;

static int poller;
static struct sockaddr_storage target;
static stream *gone_streams;
static flow *flows;
static size_t flow_count;

static socklen_t target_of(int container_port, struct sockaddr_storage *out)
{
    *out = target;
    if (out->ss_family == AF_INET)
        ((struct sockaddr_in *)out)->sin_port = htons((uint16_t)container_port);
    else
        ((struct sockaddr_in6 *)out)->sin6_port = htons((uint16_t)container_port);
    return out->ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

static int watch(source *s, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = s};
    return epoll_ctl(poller, EPOLL_CTL_ADD, s->fd, &e);
}

static void rewatch(source *s, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = s};
    epoll_ctl(poller, EPOLL_CTL_MOD, s->fd, &e);
}

/* A descriptor that may not be had for the moment must not keep us busy. */
static void rest_when_out_of_files(void)
{
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
        poll(NULL, 0, OUT_OF_FILES_MS);
}

/* ---- tcp ---------------------------------------------------------------------------------------- */

/* Freed after the present events: one of them may still mean it. */
static void close_stream(stream *t)
{
    if (t->gone)
        return;
    t->gone = 1;
    for (int i = 0; i < 2; i++)
        if (t->sides[i].source.fd >= 0)
            close(t->sides[i].source.fd);
    t->next_gone = gone_streams;
    gone_streams = t;
}

static void free_gone(void)
{
    while (gone_streams) {
        stream *t = gone_streams;
        gone_streams = t->next_gone;
        wci_free(t->sides[0].data);
        wci_free(t->sides[1].data);
        wci_free(t);
    }
}

static uint32_t wanted(const stream *t, int i)
{
    const side *own = &t->sides[i], *other = &t->sides[!i];
    uint32_t events = 0;
    if (t->connecting)
        return i == 1 ? EPOLLOUT : 0;
    if (!own->ended && own->from == own->to)
        events |= EPOLLIN;
    if (other->from < other->to)
        events |= EPOLLOUT;
    return events;
}

static int fill(side *s)
{
    if (s->ended || s->from < s->to)
        return 0;
    ssize_t n = recv(s->source.fd, s->data, BUFFER, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n < 0)
        return -1;
    s->from = 0;
    s->to = (size_t)n;
    s->ended = n == 0;
    return 0;
}

static int drain(side *from, side *to)
{
    while (from->from < from->to) {
        ssize_t n = send(to->source.fd, from->data + from->from, from->to - from->from, MSG_NOSIGNAL);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        if (n < 0)
            return -1;
        from->from += (size_t)n;
    }
    if (from->ended && !to->shut) {
        to->shut = 1;
        shutdown(to->source.fd, SHUT_WR);
    }
    return 0;
}

static int has_connected(stream *t)
{
    int code = 0;
    socklen_t size = sizeof code;
    getsockopt(t->sides[1].source.fd, SOL_SOCKET, SO_ERROR, &code, &size);
    t->connecting = 0;
    return code == 0;
}

static void stream_ready(source *s, uint32_t events)
{
    side *own = (side *)(void *)s;
    stream *t = own->owner;
    if (t->gone)
        return;
    int failed = t->connecting && (own != &t->sides[1] || !has_connected(t));
    if (t->connecting && !failed)
        return;
    failed = failed || (events & EPOLLERR);
    for (int i = 0; i < 2 && !failed; i++)
        failed = fill(&t->sides[i]) || drain(&t->sides[i], &t->sides[!i]);
    if (failed || (t->sides[0].shut && t->sides[1].shut)) {
        close_stream(t);
        return;
    }
    for (int i = 0; i < 2; i++)
        if (t->sides[i].ended && t->sides[i].shut) /* else its hangup would come again and again */
            epoll_ctl(poller, EPOLL_CTL_DEL, t->sides[i].source.fd, NULL);
        else
            rewatch(&t->sides[i].source, wanted(t, i));
}

static int open_towards(int type, int container_port)
{
    struct sockaddr_storage to;
    socklen_t size = target_of(container_port, &to);
    int fd = socket(to.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&to, size) == 0 || errno == EINPROGRESS)
        return fd;
    close(fd);
    return -1;
}

static void accept_stream(source *s, uint32_t events)
{
    (void)events;
    int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) {
        rest_when_out_of_files();
        return;
    }
    stream *t = wci_calloc(1, sizeof *t);
    if (!t) {
        close(fd);
        return;
    }
    t->connecting = 1;
    t->sides[0].source = (source){stream_ready, fd};
    t->sides[1].source = (source){stream_ready, open_towards(SOCK_STREAM, ((port *)(void *)s)->container_port)};
    int failed = t->sides[1].source.fd < 0;
    for (int i = 0; i < 2; i++) {
        t->sides[i].owner = t;
        t->sides[i].data = wci_malloc(BUFFER);
        failed = failed || !t->sides[i].data || watch(&t->sides[i].source, wanted(t, i)) != 0;
    }
    if (failed)
        close_stream(t);
}

/* ---- udp ---------------------------------------------------------------------------------------- */

static char datagram[DATAGRAM_MAX];

static void flow_ready(source *s, uint32_t events)
{
    flow *f = (flow *)(void *)s;
    (void)events;
    ssize_t n = recv(f->source.fd, datagram, sizeof datagram, 0);
    if (n < 0) /* nobody listens there: the client may try again */
        return;
    f->last_ms = monotonic_ms();
    (void)!sendto(f->port_fd, datagram, (size_t)n, MSG_NOSIGNAL, (struct sockaddr *)&f->client, f->client_size);
}

static void drop_flow(flow **at)
{
    flow *f = *at;
    *at = f->next;
    close(f->source.fd);
    wci_free(f);
    flow_count--;
}

/* Between events. */
static void drop_old_flows(void)
{
    int64_t now = monotonic_ms();
    for (flow **at = &flows; *at;)
        if (now - (*at)->last_ms > FLOW_MS)
            drop_flow(at);
        else
            at = &(*at)->next;
}

static flow *find_flow(int port_fd, const struct sockaddr_storage *from, socklen_t size)
{
    for (flow *f = flows; f; f = f->next)
        if (f->port_fd == port_fd && f->client_size == size && !memcmp(&f->client, from, size))
            return f;
    return NULL;
}

static flow *new_flow(const port *p, const struct sockaddr_storage *from, socklen_t size)
{
    flow *f = flow_count < FLOWS_MAX ? wci_calloc(1, sizeof *f) : NULL;
    if (!f)
        return NULL;
    f->source = (source){flow_ready, open_towards(SOCK_DGRAM, p->container_port)};
    if (f->source.fd < 0 || watch(&f->source, EPOLLIN) != 0) {
        if (f->source.fd >= 0)
            close(f->source.fd);
        wci_free(f);
        return NULL;
    }
    f->port_fd = p->source.fd;
    f->client = *from;
    f->client_size = size;
    f->next = flows;
    flows = f;
    flow_count++;
    return f;
}

static void datagram_ready(source *s, uint32_t events)
{
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    (void)events;
    memset(&from, 0, sizeof from);
    ssize_t n = recvfrom(s->fd, datagram, sizeof datagram, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
    if (n < 0)
        return;
    flow *f = find_flow(s->fd, &from, size);
    if (!f)
        f = new_flow((port *)(void *)s, &from, size);
    if (!f)
        return;
    f->last_ms = monotonic_ms();
    (void)!send(f->source.fd, datagram, (size_t)n, MSG_NOSIGNAL);
}

/* ---- All ---------------------------------------------------------------------------------------- */

static int set_target(const char *address)
{
    memset(&target, 0, sizeof target);
    target.ss_family = strchr(address, ':') ? AF_INET6 : AF_INET;
    void *to = target.ss_family == AF_INET ? (void *)&((struct sockaddr_in *)&target)->sin_addr
                                           : (void *)&((struct sockaddr_in6 *)&target)->sin6_addr;
    return inet_pton(target.ss_family, address, to) == 1;
}

static int watch_ports(const relay_port *ports, size_t count, port *own)
{
    for (size_t i = 0; i < count; i++) {
        own[i] = (port){{ports[i].is_udp ? datagram_ready : accept_stream, ports[i].fd}, ports[i].container_port};
        if (watch(&own[i].source, EPOLLIN) != 0)
            return -1;
    }
    return 0;
}

void relay(const relay_port *ports, size_t count, const char *address)
{
    struct epoll_event events[EVENTS];
    port *own = wci_calloc(count, sizeof *own);
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (!own || poller < 0 || !set_target(address) || watch_ports(ports, count, own))
        return;
    for (;;) {
        int n = epoll_wait(poller, events, EVENTS, flows ? FLOW_MS : -1);
        for (int i = 0; i < n; i++) {
            source *s = events[i].data.ptr;
            s->ready(s, events[i].events);
        }
        free_gone();
        drop_old_flows();
    }
}
