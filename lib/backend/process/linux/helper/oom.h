/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the kernel killed the process for want of memory. A group that systemd has made is gone, with what it has counted,
 * before we hear that its process has ended: so it is watched meanwhile. */
#ifndef WC_HELPER_OOM_H
#define WC_HELPER_OOM_H

#include "backend/process/linux/helper/loop.h"

typedef struct oom {
    const char *group; /* lent */
    loop_watch watch;  /* of its events; fd -1: there is no need */
    int had_event;
    int seen;
    long others; /* kills in the group that it is in, when its own had none */
} oom;

/* Before the process starts. `group` NULL: it stays until we remove it, nothing is watched. */
void oom_prepare(oom *o, const char *group);
/* It runs. */
void oom_begin(oom *o, loop *l);
/* It has been killed in this moment. `by_us`: that was asked of us. */
int oom_happened(oom *o, int by_us);
void oom_end(oom *o, loop *l);

#endif
