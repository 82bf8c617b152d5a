/* SPDX-License-Identifier: Apache-2.0 */
/* Running netavark. */
#ifndef WC_HELPER_NETAVARK_H
#define WC_HELPER_NETAVARK_H

#include <stdint.h>

#include <wincontainer/error.h>

typedef struct netavark {
    const char *program, *names_program; /* aardvark-dns; "" when there is none */
    const char *config_dir;              /* where aardvark-dns keeps its names and pid */
    int host_mounts;                     /* mount namespace of the host, or -1: we are in it. What netavark starts
                                          * outlives us and must not keep our mounts */
} netavark;

/* `what` is "setup" or "teardown"; `netns` a descriptor. One at a time on this host: netavark decides by what it sees
 * whether a bridge is needed any more. WC_E_CANCELLED when the caller gives up while it works on a setup. */
int32_t netavark_run(const netavark *n, const char *what, int netns, const char *document, wc_error **err);

#endif
