/* SPDX-License-Identifier: Apache-2.0 */
/* A container's output in systemd's journal, by its native protocol: a datagram for each line, with the fields that Docker's
 * driver gives. What the journal does not take at once waits here, and so does the container; at the end, and while the
 * journal is away, only for a short time. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <wincontainer/stream.h>

#include "backend/process/linux/helper/log.h"
#include "backend/process/logs.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"

#define PATIENCE_MS 3000 /* without progress, at the end; shorter than clients wait for a greeting */
#define HEAD_SIZE 128

/* A line as far as it has come. */
typedef struct line {
    size_t used;
    char text[WCI_LOG_TEXT_MAX];
} line;

/* What one read gave and has not been taken yet; its bytes follow. */
typedef struct chunk {
    int channel;
    size_t size;
} chunk;

typedef struct log_journal {
    log_sink sink;
    struct sockaddr_un address;
    int fd;
    wci_str fields;
    wci_str waiting; /* chunks */
    size_t waiting_used;
    uint64_t lost;   /* lines, since the last one that was taken */
    line lines[2];   /* standard output, standard error */
} log_journal;

/* ---- Datagrams ---------------------------------------------------------------------------------- */

static void add_field(wci_str *fields, const char *name, const char *value)
{
    uint64_t size = strlen(value);
    unsigned char little[8];
    wci_str_append(fields, name);
    if (!strchr(value, '\n')) {
        wci_str_append_c(fields, '=');
    } else {
        for (int i = 0; i < 8; i++)
            little[i] = (unsigned char)(size >> (8 * i));
        wci_str_append_c(fields, '\n');
        wci_str_append_n(fields, little, sizeof little);
    }
    wci_str_append(fields, value);
    wci_str_append_c(fields, '\n');
}

static int32_t add_fields(const char *json, wci_str *fields, wc_error **err)
{
    const char *name;
    json_t *value, *object = json_loads(json, 0, NULL);
    json_object_foreach(object, name, value)
        if (json_is_string(value))
            add_field(fields, name, json_string_value(value));
    json_decref(object);
    return fields->failed ? wci_err_nomem(err) : WC_OK;
}

/* 0, or what errno says. */
static int connect_journal(log_journal *j)
{
    if (j->fd >= 0)
        close(j->fd);
    j->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (j->fd < 0 || connect(j->fd, (struct sockaddr *)&j->address, sizeof j->address) != 0)
        return errno;
    return 0;
}

/* 0, or what errno says. A journal that was started anew may have another socket. */
static int send_parts(log_journal *j, struct iovec *parts, size_t count)
{
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
    for (int attempt = 0;; attempt++) {
        if (sendmsg(j->fd, &message, MSG_NOSIGNAL) >= 0)
            return 0;
        int code = errno;
        if (code == EINTR)
            continue;
        if (code == EAGAIN || attempt == 1 || connect_journal(j))
            return code;
    }
}

static void write_head(char head[HEAD_SIZE], int priority, int is_partial)
{
    struct timespec now;
    struct tm tm;
    char second[32] = "";
    clock_gettime(CLOCK_REALTIME, &now);
    if (gmtime_r(&now.tv_sec, &tm))
        strftime(second, sizeof second, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(head, HEAD_SIZE, "PRIORITY=%d\nSYSLOG_TIMESTAMP=%s.%09ldZ\n%sMESSAGE=", priority, second, now.tv_nsec,
             is_partial ? "CONTAINER_PARTIAL_MESSAGE=true\n" : "");
}

/* Texts have no line feed in them. */
static int send_text(log_journal *j, int priority, int is_partial, const char *text, size_t size)
{
    char head[HEAD_SIZE], end[] = "\n";
    write_head(head, priority, is_partial);
    struct iovec parts[] = {{j->fields.data, j->fields.size}, {head, strlen(head)}, {(char *)text, size}, {end, 1}};
    return send_parts(j, parts, sizeof parts / sizeof *parts);
}

static void tell_losses(log_journal *j)
{
    char text[96];
    int size = snprintf(text, sizeof text, "%llu lines of the container are lost: the journal did not take them",
                        (unsigned long long)j->lost);
    if (send_text(j, 4, 0, text, (size_t)size) == 0)
        j->lost = 0;
}

/* 0 when it has to wait. */
static int send_line(log_journal *j, int channel, int is_partial)
{
    line *l = &j->lines[channel == WC_STREAM_STDERR];
    int code = send_text(j, channel == WC_STREAM_STDERR ? 3 : 6, is_partial, l->text, l->used);
    if (code == EAGAIN)
        return 0;
    l->used = 0;
    if (code)
        j->lost++;
    else if (j->lost)
        tell_losses(j);
    return 1;
}

/* ---- Output ------------------------------------------------------------------------------------- */

/* How much of it could be taken. */
static size_t take(log_journal *j, int channel, const char *data, size_t size)
{
    line *l = &j->lines[channel == WC_STREAM_STDERR];
    size_t taken = 0;
    while (taken < size) {
        const char *from = data + taken;
        size_t part = size - taken < sizeof l->text - l->used ? size - taken : sizeof l->text - l->used;
        const char *end = memchr(from, '\n', part);
        if (end)
            part = (size_t)(end - from);
        memcpy(l->text + l->used, from, part);
        l->used += part;
        if ((end || l->used == sizeof l->text) && !send_line(j, channel, !end)) {
            l->used -= part;
            break;
        }
        taken += part + (end != NULL);
    }
    return taken;
}

static void keep(log_journal *j, int channel, const char *data, size_t size)
{
    chunk c = {channel, size};
    wci_str_append_n(&j->waiting, &c, sizeof c);
    wci_str_append_n(&j->waiting, data, size);
}

static int go_on(log_sink *sink)
{
    log_journal *j = (log_journal *)sink;
    while (!j->waiting.failed && j->waiting_used < j->waiting.size) {
        char *at = j->waiting.data + j->waiting_used;
        chunk c;
        memcpy(&c, at, sizeof c);
        size_t taken = take(j, c.channel, at + sizeof c, c.size);
        if (taken < c.size) { /* its head moves up to what is left */
            c.size -= taken;
            memcpy(at + taken, &c, sizeof c);
            j->waiting_used += taken;
            return j->fd;
        }
        j->waiting_used += sizeof c + c.size;
    }
    wci_str_free(&j->waiting);
    j->waiting_used = 0;
    return -1;
}

static void write_output(log_sink *sink, int channel, const char *data, size_t size)
{
    log_journal *j = (log_journal *)sink;
    size_t taken = j->waiting.size ? 0 : take(j, channel, data, size);
    if (taken < size)
        keep(j, channel, data + taken, size - taken);
}

/* 1 when the rest and the unfinished lines are out; 0: they wait for room. */
static int send_rest(log_journal *j)
{
    if (go_on(&j->sink) >= 0)
        return 0;
    for (int i = 0; i < 2; i++)
        if (j->lines[i].used && !send_line(j, i ? WC_STREAM_STDERR : WC_STREAM_STDOUT, 1))
            return 0;
    return 1;
}

/* The container has ended: what it wrote goes out as long as the journal takes something now and then. */
static void finish(log_journal *j)
{
    while (!send_rest(j)) {
        struct pollfd room = {j->fd, POLLOUT, 0};
        if (poll(&room, 1, PATIENCE_MS) <= 0)
            return;
    }
}

static void close_journal(log_sink *sink)
{
    log_journal *j = (log_journal *)sink;
    if (j->fd >= 0) {
        finish(j);
        close(j->fd);
    }
    wci_str_free(&j->fields);
    wci_str_free(&j->waiting);
    wci_free(j);
}

int32_t log_open_journal(const char *socket, const char *fields, log_sink **out, wc_error **err)
{
    log_journal *j = wci_calloc(1, sizeof *j);
    if (!j)
        return wci_err_nomem(err);
    j->sink = (log_sink){write_output, go_on, close_journal};
    j->fd = -1;
    j->address.sun_family = AF_UNIX;
    snprintf(j->address.sun_path, sizeof j->address.sun_path, "%s", socket);
    int32_t rc = add_fields(fields, &j->fields, err);
    int code = rc ? 0 : connect_journal(j);
    if (code)
        rc = wci_err_native(err, WC_E_MISSING, WC_DOMAIN_ERRNO, code,
                            "log driver 'journald': no journal listens at '%s' (%s); start systemd-journald, or choose "
                            "another driver",
                            socket, strerror(code));
    if (rc)
        close_journal(&j->sink);
    else
        *out = &j->sink;
    return rc;
}
