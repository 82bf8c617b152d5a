/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that do one thing to each of several containers. */
#ifndef WCCTL_ACTIONS_H
#define WCCTL_ACTIONS_H

#include "wcctl.h"

typedef struct action {
    const char *signal;
    int64_t timeout_ns;
    uint64_t conditions; /* WC_WAITS_* */
    int force, volumes;
    const void *options; /* of the command */
    int32_t (*act)(wc_container *, struct action *, wc_error **);
    int gives_exit_code; /* which is then printed instead of the name */
    int32_t exit_code;
} action;

/* Goes on after a failure, as Docker does, and ends with 1 then; an interruption ends it. Prints what worked. */
int for_each(int argc, char **argv, action *a);

#endif
