/* SPDX-License-Identifier: Apache-2.0 */
/* The networks of one container on the host. What is or may be there is written down in the run directory first, so
 * that whoever comes after one who was killed can take it away: docs/networks.md. */
#ifndef WC_HELPER_NETWORK_H
#define WC_HELPER_NETWORK_H

#include "backend/process/linux/helper/forward.h"
#include "backend/process/linux/helper/helper.h"
#include "backend/process/linux/helper/hub.h"
#include "backend/process/linux/helper/uplink.h"

/* Of one run. */
typedef struct run_network {
    int host_mounts; /* the mount namespace that the monitor came from */
    int netns;       /* of the container, when it has one of its own; 0 otherwise */
    uplink uplink;   /* of an ordinary user's container: its way to the world, */
    hub_member hub;  /* or its place in the user's networks, */
    forward forward; /* and what publishes its ports */
} run_network;

/* In the run directory, in the monitor's own mount namespace. Does nothing without req->network. */
int32_t network_begin(const request *req, run_network *n, wc_error **err);
/* From now on what keeps it working is started again when it ends. `told`: it is broken, for this reason, or (NULL) works
 * again. */
void network_watch(run_network *n, loop *l, void (*told)(void *owner, const char *why), void *owner);
/* Once nothing runs in the namespace any more. What was connected or disconnected meanwhile is in req->network then, for
 * the next run. */
void network_end(request *req, run_network *n);
/* What a monitor that was killed left. */
int32_t network_clear(int host_mounts, wc_error **err);

#endif
