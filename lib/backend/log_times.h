/* SPDX-License-Identifier: Apache-2.0 */
/* Which lines of a log `since` and `until` choose: one rule for every backend, that of Docker's readers.
 * The first line at or after `since` opens the door for all that follow it, and the first one after
 * `until` shuts it for good, whatever a clock that was set back says of later lines. */
#ifndef WCI_LOG_TIMES_H
#define WCI_LOG_TIMES_H

#include <stdint.h>

typedef struct wci_log_times {
    int64_t since_ns, until_ns; /* 0: no bound */
} wci_log_times;

typedef enum wci_log_place {
    WCI_LOG_BEFORE, /* not wanted, but later ones may be */
    WCI_LOG_WITHIN,
    WCI_LOG_BEYOND, /* here the log ends */
} wci_log_place;

/* To be asked for every line once, in their order. */
wci_log_place wci_log_times_judge(wci_log_times *times, int64_t line_ns);
/* 1 when nothing that is written from now on can be wanted. */
int wci_log_times_are_over(const wci_log_times *times, int64_t now_ns);

#endif
