/* SPDX-License-Identifier: Apache-2.0 */
/* Published ports of an ordinary user's container on networks with names: a child of the monitor listens on the host and
 * carries what comes into the container's network namespace. tcp and udp. */
#ifndef WC_HELPER_FORWARD_H
#define WC_HELPER_FORWARD_H

#include <jansson.h>

#include "backend/process/linux/helper/loop.h"

typedef struct forward {
    json_t *ports; /* NULL: there is no such process */
    char address[64]; /* of the container */
    int netns;
    loop_child child;
    loop *loop; /* NULL: its end is not watched */
    loop_timer again;
} forward;

/* [{"protocol", "host_ip", "host_port", "container_port"}]; the namespace is the caller's, and stays open as long. Nothing
 * happens without ports. WC_E_IN_USE names a port that another program has. */
int32_t forward_start(forward *f, json_t *ports, const char *address, int netns, wc_error **err);
/* From now on it is started again when it ends. */
void forward_watch(forward *f, loop *l);
void forward_stop(forward *f);

/* ---- In that process (relay.c) ---- */

typedef struct relay_port {
    int fd; /* listens, or is bound */
    int is_udp, container_port;
} relay_port;

/* Carries for ever. The network namespace is the container's. */
void relay(const relay_port *ports, size_t count, const char *address);

#endif
