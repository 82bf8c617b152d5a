/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of health: a program that runs in the container from time to time. */
#ifndef WC_HELPER_HEALTH_H
#define WC_HELPER_HEALTH_H

#include "backend/process/linux/helper/health_rules.h"
#include "backend/process/linux/helper/job.h"

struct monitor;

typedef struct health {
    int is_on;  /* the container has a check */
    int is_held; /* it is paused, or does not run: no check begins, and one that runs counts for nothing */
    int was_held; /* during the present check */
    int timed_out;
    health_rules rules;
    health_state state;
    jobs jobs; /* of their own: a check may take long, and nobody waits for it */
    job probe;
    const char *argv[12];
    int64_t began_ns;
    loop_timer next, limit;
} health;

/* Reads the settings, and writes what the runtime needs for a check; config.json is there. */
int32_t health_prepare(struct monitor *m, wc_error **err);
/* The container runs now, and after a pause again. */
void health_begin(struct monitor *m);
void health_go_on(struct monitor *m);
/* It does not, or is paused. */
void health_hold(struct monitor *m);
/* Whether a check is under way; health_hold() has it end soon when the container has ended. */
int health_is_busy(const struct monitor *m);

#endif
