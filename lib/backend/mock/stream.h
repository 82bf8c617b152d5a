/* SPDX-License-Identifier: Apache-2.0 */
/* Attached streams and logs: two ways of reading what a script writes. */
#ifndef WCI_MOCK_STREAM_H
#define WCI_MOCK_STREAM_H

#include "backend/backend.h"

/* `from_ns`: output before this time was missed. */
int32_t wci_mock_stream_open(const wc_request *request, const char *process, uint64_t attach,
                             int64_t from_ns, uintptr_t *out, wc_error **err);
int32_t wci_mock_stream_read(uintptr_t payload, wc_call *call, uintptr_t handle, int32_t *channel,
                             void *data, size_t size, size_t *got, int64_t timeout_ns);
int32_t wci_mock_stream_write(uintptr_t payload, wc_call *call, uintptr_t handle, const void *data,
                              size_t size, size_t *put, int64_t timeout_ns);
int32_t wci_mock_stream_close_write(uintptr_t payload, wc_call *call, uintptr_t handle);
int32_t wci_mock_stream_resize(uintptr_t payload, wc_call *call, uintptr_t handle, uint32_t columns,
                               uint32_t rows);
void wci_mock_stream_release(uintptr_t payload, uintptr_t handle);

int32_t wci_mock_logs_open(const wc_request *request, wc_call *call, uintptr_t *out,
                           wc_error **err);
int32_t wci_mock_logs_next(uintptr_t payload, wc_call *call, uintptr_t handle,
                           wc_response *response, int64_t timeout_ns);
void wci_mock_logs_release(uintptr_t payload, uintptr_t handle);

#endif
