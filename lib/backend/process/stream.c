/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/stream.h"

#include <string.h>

#include <wincontainer/stream.h>
#include <wincontainer/container.h>

#include "backend/process/protocol.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"

typedef struct process_stream {
    wci_link link;
    uint32_t flags;
    uint64_t attach;
    wci_frame output; /* what is left of the frame being read */
    int32_t ended;    /* 0, or the code that every further read gives */
    char *reason;
    int write_closed;
} process_stream;

int32_t wci_process_stream_new(wci_link *link, uint32_t flags, uint64_t attach, uintptr_t *out,
                               wc_error **err)
{
    process_stream *s = wci_calloc(1, sizeof *s);
    if (!s) {
        wci_link_close(link);
        return wci_err_nomem(err);
    }
    s->link = *link;
    s->flags = flags;
    s->attach = attach;
    *out = (uintptr_t)s;
    return WC_OK;
}

void wci_process_stream_release(uintptr_t payload, uintptr_t handle)
{
    (void)payload;
    process_stream *s = (process_stream *)handle;
    wci_link_close(&s->link);
    wci_free(s->reason);
    wci_free(s);
}

intptr_t wci_process_stream_fd(uintptr_t payload, uintptr_t handle)
{
    (void)payload;
    return ((process_stream *)handle)->link.fd;
}

/* The socket takes what the monitor has room for, and that is what the process reads. */
intptr_t wci_process_stream_write_fd(uintptr_t payload, uintptr_t handle)
{
    (void)payload;
    const process_stream *s = (const process_stream *)handle;
    int is_open = (s->attach & WC_ATTACH_STDIN) && (s->flags & WCI_HELLO_STDIN) && !s->write_closed;
    return is_open ? s->link.fd : -1;
}

/* Rounded up, so that a short wait is a wait. */
static int64_t to_ms(int64_t timeout_ns)
{
    return timeout_ns < 0 ? -1 : timeout_ns / 1000000 + (timeout_ns % 1000000 != 0);
}

static int32_t end_of_stream(const process_stream *s, wc_error **err)
{
    if (s->ended == WC_E_CLOSED)
        return wci_err(err, WC_E_CLOSED, "stream: the process has ended");
    return wci_err(err, s->ended, "stream: %s", s->reason ? s->reason : "the monitor gave it up");
}

/* Takes one frame in. Frames that are not about output or the end are passed over: a newer monitor
 * may send more. */
static int32_t receive(process_stream *s, wc_call *call, int64_t timeout_ms, wc_error **err)
{
    wci_frame frame;
    int32_t rc = wci_link_recv(call, &s->link, timeout_ms, &frame, err);
    if (rc == WC_E_CLOSED) {
        s->ended = WC_E_IO;
        return WC_OK;
    }
    if (rc)
        return rc;
    if (frame.type == WCI_FRAME_OUTPUT)
        s->output = frame;
    else if (frame.type == WCI_FRAME_EXIT)
        s->ended = WC_E_CLOSED;
    else if (frame.type == WCI_FRAME_ERROR && frame.size >= 4) {
        s->ended = (int32_t)wci_get_u32(frame.data);
        s->reason = wci_strndup(frame.data + 4, frame.size - 4);
    }
    return WC_OK;
}

int32_t wci_process_stream_read(uintptr_t payload, wc_call *call, uintptr_t handle,
                                int32_t *channel, void *data, size_t size, size_t *got,
                                int64_t timeout_ns)
{
    (void)payload;
    process_stream *s = (process_stream *)handle;
    int64_t deadline = timeout_ns < 0 ? 0 : wci_monotonic_ns() + timeout_ns;
    while (!s->output.size) {
        if (s->ended)
            return end_of_stream(s, call->err);
        int64_t left = timeout_ns < 0 ? -1 : deadline - wci_monotonic_ns();
        int32_t rc = receive(s, call, timeout_ns < 0 ? -1 : left > 0 ? to_ms(left) : 0, call->err);
        if (rc == WC_E_TIMEOUT && !(call->err && *call->err))
            return wci_err(call->err, rc, "stream: nothing to read within the time given");
        if (rc)
            return rc;
    }
    size_t n = s->output.size < size ? s->output.size : size;
    memcpy(data, s->output.data, n);
    s->output.data += n;
    s->output.size -= n;
    *channel = s->output.channel;
    *got = n;
    return WC_OK;
}

static int32_t check_writable(const process_stream *s, wc_error **err)
{
    if (!(s->attach & WC_ATTACH_STDIN) || !(s->flags & WCI_HELLO_STDIN))
        return wci_err(err, WC_E_STATE, "stream: standard input was not opened");
    if (s->write_closed)
        return wci_err(err, WC_E_CLOSED, "stream: standard input is closed");
    return WC_OK;
}

int32_t wci_process_stream_write(uintptr_t payload, wc_call *call, uintptr_t handle,
                                 const void *data, size_t size, size_t *put, int64_t timeout_ns)
{
    (void)payload;
    process_stream *s = (process_stream *)handle;
    int32_t rc = check_writable(s, call->err);
    int64_t deadline = timeout_ns < 0 ? 0 : wci_monotonic_ns() + timeout_ns;
    size_t done = 0;
    while (!rc && done < size) {
        size_t n = size - done < WCI_FRAME_STREAM_MAX ? size - done : WCI_FRAME_STREAM_MAX;
        int64_t left = timeout_ns < 0 ? -1 : deadline - wci_monotonic_ns();
        rc = wci_link_send(call, &s->link, WCI_FRAME_STDIN, (const char *)data + done, n,
                           timeout_ns < 0 ? -1 : left > 0 ? to_ms(left) : 0, call->err);
        if (!rc)
            done += n;
    }
    if (rc == WC_E_TIMEOUT && done) {
        wci_err_clear(call->err);
        rc = WC_OK;
    }
    if (rc == WC_E_TIMEOUT && !(call->err && *call->err))
        return wci_err(call->err, rc, "stream: the process does not read its input");
    if (!rc)
        *put = done;
    return rc;
}

int32_t wci_process_stream_close_write(uintptr_t payload, wc_call *call, uintptr_t handle)
{
    (void)payload;
    process_stream *s = (process_stream *)handle;
    if (s->write_closed)
        return WC_OK;
    int32_t rc = check_writable(s, call->err);
    if (!rc)
        rc = wci_link_send(call, &s->link, WCI_FRAME_STDIN_END, NULL, 0, -1, call->err);
    if (!rc)
        rc = wci_link_flush(call, &s->link, -1, call->err);
    if (rc == WC_E_CLOSED) { /* the process closed it first */
        wci_err_clear(call->err);
        rc = WC_OK;
    }
    if (!rc)
        s->write_closed = 1;
    return rc;
}

int32_t wci_process_stream_resize(uintptr_t payload, wc_call *call, uintptr_t handle,
                                  uint32_t columns, uint32_t rows)
{
    (void)payload;
    process_stream *s = (process_stream *)handle;
    if (!(s->flags & WCI_HELLO_TTY))
        return wci_err(call->err, WC_E_STATE, "stream: the process has no terminal");
    unsigned char size[8];
    wci_put_u32(size, columns);
    wci_put_u32(size + 4, rows);
    int32_t rc = wci_link_send(call, &s->link, WCI_FRAME_RESIZE, size, sizeof size, -1, call->err);
    return rc ? rc : wci_link_flush(call, &s->link, -1, call->err);
}
