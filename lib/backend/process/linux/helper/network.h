/* SPDX-License-Identifier: Apache-2.0 */
/* The networks of one container on the host. What is or may be there is written down in the run directory first, so
 * that whoever comes after one who was killed can take it away: docs/networks.md. */
#ifndef WC_HELPER_NETWORK_H
#define WC_HELPER_NETWORK_H

#include "backend/process/linux/helper/helper.h"

/* In the run directory, in the monitor's own mount namespace; `host_mounts` is the one before. Does nothing without
 * req->network. */
int32_t network_begin(const request *req, int host_mounts, wc_error **err);
/* Once nothing runs in the namespace any more. What was connected or disconnected meanwhile is in req->network then, for
 * the next run. */
void network_end(request *req, int host_mounts);
/* What a monitor that was killed left. */
int32_t network_clear(int host_mounts, wc_error **err);

#endif
