/* SPDX-License-Identifier: Apache-2.0 */
/* Standard streams of a process, over a connection to its monitor. */
#ifndef WCI_PROCESS_STREAM_H
#define WCI_PROCESS_STREAM_H

#include <wincontainer/backend.h>

#include "backend/process/link.h"

/* Takes the connection over, also on failure. `flags` are WCI_HELLO_*, `attach` WC_ATTACH_*. */
int32_t wci_process_stream_new(wci_link *link, uint32_t flags, uint64_t attach, uintptr_t *out,
                               wc_error **err);

int32_t wci_process_stream_read(uintptr_t payload, wc_call *call, uintptr_t handle,
                                int32_t *channel, void *data, size_t size, size_t *got,
                                int64_t timeout_ns);
int32_t wci_process_stream_write(uintptr_t payload, wc_call *call, uintptr_t handle,
                                 const void *data, size_t size, size_t *put, int64_t timeout_ns);
int32_t wci_process_stream_close_write(uintptr_t payload, wc_call *call, uintptr_t handle);
int32_t wci_process_stream_resize(uintptr_t payload, wc_call *call, uintptr_t handle,
                                  uint32_t columns, uint32_t rows);
intptr_t wci_process_stream_fd(uintptr_t payload, uintptr_t handle);
intptr_t wci_process_stream_write_fd(uintptr_t payload, uintptr_t handle);
void wci_process_stream_release(uintptr_t payload, uintptr_t handle);

#endif
