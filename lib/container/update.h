/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCI_UPDATE_H
#define WCI_UPDATE_H

#include <wincontainer/update.h>

#include "container/container.h"

enum {
    WCI_UPDATE_MEMORY = 1,
    WCI_UPDATE_SWAP = 2,
    WCI_UPDATE_RESERVATION = 4,
    WCI_UPDATE_CPUS = 8,
    WCI_UPDATE_QUOTA = 16,
    WCI_UPDATE_SHARES = 32,
    WCI_UPDATE_CPUSET = 64,
    WCI_UPDATE_MEMS = 128,
    WCI_UPDATE_PIDS = 256,
    WCI_UPDATE_RESTART = 512, /* all others are limits */
};

struct wc_update_options {
    wc_container_options *values;
    uint32_t set; /* which of them count: WCI_UPDATE_* */
};

int32_t wci_ctr_update(wc_call *call, wc_container *c, const wc_update_options *options, wc_error **err);

#endif
