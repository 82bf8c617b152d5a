/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a container's log wherever its driver writes it. */
#ifndef WCI_PROCESS_LINUX_LOGS_H
#define WCI_PROCESS_LINUX_LOGS_H

#include <wincontainer/backend.h>

int32_t wci_linux_logs_open(uintptr_t payload, wc_call *call, const wc_request *request, wc_response *response);
int32_t wci_linux_logs_next(uintptr_t payload, wc_call *call, uintptr_t handle, wc_response *response, int64_t timeout_ns);
intptr_t wci_linux_logs_fd(uintptr_t payload, uintptr_t handle);
void wci_linux_logs_release(uintptr_t payload, uintptr_t handle);

#endif
