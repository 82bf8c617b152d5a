/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/link.h"

#include <string.h>

#include "backend/process/protocol.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "platform/process.h"

int32_t wci_link_init(wci_link *link, wci_fd fd, wc_error **err)
{
    *link = (wci_link){fd, WCI_STR_INIT, 0, WCI_STR_INIT, 0};
    int32_t rc = wci_fd_set_nonblocking(fd, err);
    if (rc)
        wci_link_close(link);
    return rc;
}

void wci_link_close(wci_link *link)
{
    wci_fd_close(link->fd);
    link->fd = WCI_FD_NONE;
    wci_str_free(&link->in);
    wci_str_free(&link->out);
}

/* Time left of timeout_ms that began at `start`; negative stays negative. */
static int64_t left_ms(int64_t timeout_ms, int64_t start)
{
    if (timeout_ms < 0)
        return -1;
    int64_t left = timeout_ms - (wci_monotonic_ns() - start) / 1000000;
    return left > 0 ? left : 0;
}

static int32_t wait_for(const wc_call *call, wci_link *link, int want, int64_t timeout_ms,
                        wc_error **err)
{
    wci_poll_item item = {link->fd, want, 0};
    int ready = 0;
    int32_t rc = wci_poll(call, &item, 1, timeout_ms, &ready, err);
    return rc ? rc : ready ? WC_OK : WC_E_TIMEOUT;
}

int32_t wci_link_flush(const wc_call *call, wci_link *link, int64_t timeout_ms, wc_error **err)
{
    int64_t start = wci_monotonic_ns();
    while (link->out_used < link->out.size) {
        size_t put = 0;
        int32_t rc = wci_fd_write_some(link->fd, link->out.data + link->out_used,
                                       link->out.size - link->out_used, &put, err);
        if (!rc && !put)
            rc = wait_for(call, link, WCI_POLL_WRITE, left_ms(timeout_ms, start), err);
        if (rc)
            return rc;
        link->out_used += put;
    }
    wci_str_clear(&link->out);
    link->out_used = 0;
    return WC_OK;
}

int32_t wci_link_send(const wc_call *call, wci_link *link, int type, const void *data,
                      size_t size, int64_t timeout_ms, wc_error **err)
{
    int32_t rc = wci_link_flush(call, link, timeout_ms, err);
    if (rc)
        return rc;
    unsigned char header[WCI_FRAME_HEADER];
    wci_frame_header(header, type, 0, (uint32_t)size);
    wci_str_append_n(&link->out, header, sizeof header);
    wci_str_append_n(&link->out, data, size);
    if (link->out.failed) {
        wci_str_clear(&link->out);
        return wci_err_nomem(err);
    }
    rc = wci_link_flush(call, link, 0, err);
    return rc == WC_E_TIMEOUT ? WC_OK : rc;
}

int wci_link_has_frame(const wci_link *link)
{
    size_t there = link->in.size - link->in_used;
    return there >= WCI_FRAME_HEADER &&
           there - WCI_FRAME_HEADER >= wci_get_u32(link->in.data + link->in_used);
}

static int32_t take_frame(wci_link *link, wci_frame *out)
{
    const char *head = link->in.data + link->in_used;
    *out = (wci_frame){(unsigned char)head[4], (unsigned char)head[5], head + WCI_FRAME_HEADER,
                       wci_get_u32(head)};
    link->in_used += WCI_FRAME_HEADER + out->size;
    return WC_OK;
}

static void compact(wci_link *link)
{
    size_t rest = link->in.size - link->in_used;
    if (rest)
        memmove(link->in.data, link->in.data + link->in_used, rest);
    link->in.size = rest;
    link->in_used = 0;
}

static int32_t receive_some(wci_link *link, size_t *got, wc_error **err)
{
    if (link->in.size >= WCI_FRAME_HEADER && wci_get_u32(link->in.data) > WCI_FRAME_MAX)
        return wci_err(err, WC_E_FORMAT, "wc-helper: a frame of %lu bytes is over the limit",
                       (unsigned long)wci_get_u32(link->in.data));
    size_t room = 2 * WCI_FRAME_STREAM_MAX;
    char *to = wci_str_reserve(&link->in, room);
    if (!to)
        return wci_err_nomem(err);
    int32_t rc = wci_fd_read_some(link->fd, to, room, got, err);
    if (!rc)
        wci_str_added(&link->in, *got);
    return rc;
}

int32_t wci_link_recv(const wc_call *call, wci_link *link, int64_t timeout_ms, wci_frame *out,
                      wc_error **err)
{
    if (wci_link_has_frame(link))
        return take_frame(link, out);
    int64_t start = wci_monotonic_ns();
    compact(link);
    while (!wci_link_has_frame(link)) {
        size_t got = 0;
        wc_error *why = NULL;
        int32_t rc = receive_some(link, &got, &why);
        if (rc == WC_E_CLOSED)
            wci_err_clear(&why);
        else if (!rc && !got)
            rc = wait_for(call, link, WCI_POLL_READ, left_ms(timeout_ms, start), &why);
        if (rc) {
            if (why)
                wci_err_move(err, why);
            return rc;
        }
    }
    return take_frame(link, out);
}

int32_t wci_link_hello(const wc_call *call, wci_link *link, uint32_t *flags, wc_error **err)
{
    wci_frame frame;
    int32_t rc = wci_link_recv(call, link, 10000, &frame, err);
    if (rc == WC_E_TIMEOUT && !wci_call_check(call, NULL)) { /* not the caller's own deadline */
        wci_err_clear(err);
        return wci_err(err, WC_E_TIMEOUT, "monitor: no greeting within 10 s");
    }
    if (rc)
        return rc;
    if (frame.type != WCI_FRAME_HELLO || frame.size < 8)
        return wci_err(err, WC_E_VERSION, "monitor: greets with frame type %d", frame.type);
    *flags = wci_get_u32(frame.data + 4);
    return WC_OK;
}

int32_t wci_link_open(const char *run_dir, wci_link *link, wc_error **err)
{
    char *path = wci_path_join(run_dir, WCI_RUN_SOCKET);
    if (!path)
        return wci_err_nomem(err);
    wci_fd fd = WCI_FD_NONE;
    int32_t rc = wci_local_connect(path, &fd, NULL);
    wci_free(path);
    if (rc)
        return rc == WC_E_NOMEM ? wci_err_nomem(err) : WC_E_CLOSED;
    return wci_link_init(link, fd, err);
}

int32_t wci_link_connect(const wc_call *call, const char *run_dir, wci_link *link,
                         uint32_t *hello_flags, wc_error **err)
{
    int32_t rc = wci_link_open(run_dir, link, err);
    if (rc)
        return rc;
    rc = wci_link_hello(call, link, hello_flags, err);
    if (rc)
        wci_link_close(link);
    return rc;
}
