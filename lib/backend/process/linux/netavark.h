/* SPDX-License-Identifier: Apache-2.0 */
/* Networks of containers: netavark and aardvark-dns are found here and run by wc-helper. */
#ifndef WCI_PROCESS_LINUX_NETAVARK_H
#define WCI_PROCESS_LINUX_NETAVARK_H

#include "backend/process/linux/backend.h"

/* What the helper is to do for the request's "network-document" (netavark's), "network-uplink" or "network-join" (the id of a container
 * whose namespace is used): owned by the caller; NULL when it has neither. WC_E_MISSING naming the package. */
int32_t wci_process_network_request(process_backend *b, const wc_request *request, json_t **out, wc_error **err);
/* 1 when something of the container's networks may be on the host. */
int wci_process_network_is_left(const wc_request *request);
/* Takes away what a monitor that was killed left on the host. WC_OK when there is nothing. */
int32_t wci_process_network_clear(process_backend *b, wc_call *call, const wc_request *request, wc_error **err);

int32_t wci_process_network_connect(uintptr_t payload, wc_call *call, const wc_request *request,
                                    wc_response *response);
int32_t wci_process_network_disconnect(uintptr_t payload, wc_call *call, const wc_request *request,
                                       wc_response *response);

/* Absolute path, or NULL. Owned. */
char *wci_netavark_find(const char *name);

#endif
