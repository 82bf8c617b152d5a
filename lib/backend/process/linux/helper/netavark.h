/* SPDX-License-Identifier: Apache-2.0 */
/* Running netavark. */
#ifndef WC_HELPER_NETAVARK_H
#define WC_HELPER_NETAVARK_H

#include <stdint.h>

#include <wincontainer/error.h>

/* Where it works, or -1: where we are. What it starts outlives us and must not keep our mounts. */
typedef struct netavark_host {
    int mounts, net;
} netavark_host;

typedef struct netavark {
    const char *program, *names_program; /* aardvark-dns; "" when there is none */
    const char *config_dir;              /* where aardvark-dns keeps its names and pid */
    netavark_host host;
} netavark;

/* `what` is "setup" or "teardown"; `netns` a descriptor. One at a time on a host: netavark decides by what it sees
 * whether a bridge is needed any more. WC_E_CANCELLED when the caller gives up while it works on a setup. */
int32_t netavark_run(const netavark *n, const char *what, int netns, const char *document, wc_error **err);

#endif
