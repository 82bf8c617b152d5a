/* SPDX-License-Identifier: Apache-2.0 */
/* The library's end of a connection to wc-helper. One thread may send while another receives. */
#ifndef WCI_PROCESS_LINK_H
#define WCI_PROCESS_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "core/call.h"
#include "core/str.h"
#include "platform/file.h"

typedef struct wci_link {
    wci_fd fd;
    wci_str in;      /* received, from `in_used` on not yet handed out */
    size_t in_used;
    wci_str out;     /* rest of a frame that did not fit into the socket */
    size_t out_used;
} wci_link;

typedef struct wci_frame {
    int type;
    int channel;
    const char *data; /* lent until the next receive */
    size_t size;
} wci_frame;

/* Takes the descriptor over, also on failure. */
int32_t wci_link_init(wci_link *link, wci_fd fd, wc_error **err);
/* Connects to the socket in a run directory. WC_E_CLOSED, without an error, when nobody listens. */
int32_t wci_link_open(const char *run_dir, wci_link *link, wc_error **err);
/* Reads the greeting, which is the first that comes. */
int32_t wci_link_hello(const wc_call *call, wci_link *link, uint32_t *flags, wc_error **err);
/* Both. */
int32_t wci_link_connect(const wc_call *call, const char *run_dir, wci_link *link,
                         uint32_t *hello_flags, wc_error **err);
void wci_link_close(wci_link *link);
/* Waits for room at most timeout_ms (negative: no end). After WC_OK the whole frame will go out
 * in order, part of it perhaps with the next call. WC_E_TIMEOUT: nothing of it was taken. */
int32_t wci_link_send(const wc_call *call, wci_link *link, int type, const void *data,
                      size_t size, int64_t timeout_ms, wc_error **err);
/* Waits until everything taken is in the socket. */
int32_t wci_link_flush(const wc_call *call, wci_link *link, int64_t timeout_ms, wc_error **err);
/* WC_E_TIMEOUT, or WC_E_CLOSED when the peer has gone; both make no error object. */
int32_t wci_link_recv(const wc_call *call, wci_link *link, int64_t timeout_ms, wci_frame *out,
                      wc_error **err);
/* 1 when a whole frame is there already. */
int wci_link_has_frame(const wci_link *link);

#endif
