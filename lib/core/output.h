/* SPDX-License-Identifier: Apache-2.0 */
/* Writing to what a caller lends: files, pipes, sockets. */
#ifndef WCI_OUTPUT_H
#define WCI_OUTPUT_H

#include "core/call.h"
#include "platform/file.h"

/* Writes all, waiting where a pipe or socket is full until the call is cancelled; WC_E_CLOSED when nobody reads. The
 * descriptor's flags stay. */
int32_t wci_output_write(const wc_call *call, wci_fd fd, const void *data, size_t size, wc_error **err);

/* The same as a sink for those that take one: `output` is a wci_output. */
typedef struct wci_output {
    const wc_call *call;
    wci_fd fd;
} wci_output;
int32_t wci_output_take(void *output, const void *data, size_t size, wc_error **err);

#endif
