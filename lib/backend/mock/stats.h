/* SPDX-License-Identifier: Apache-2.0 */
/* container_stats and container_processes. */
#ifndef WCI_MOCK_STATS_H
#define WCI_MOCK_STATS_H

#include "backend/backend.h"

int32_t wci_mock_stats(wc_call *call, const wc_request *request, wc_response *response);
int32_t wci_mock_processes(wc_call *call, const wc_request *request, wc_response *response);

#endif
