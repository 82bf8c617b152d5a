/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a run directory say about the process that runs, or ran, in it. */
#ifndef WCI_PROCESS_STATE_H
#define WCI_PROCESS_STATE_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/error.h>

typedef struct wci_run_state {
    int32_t status; /* WC_STATUS_* */
    int ending;     /* exited, but the monitor has not let go yet */
    int64_t pid;
    int64_t pid_start;
    int32_t exit_code;
    int64_t finished_ns;
} wci_run_state;

/* It runs, or it will again: its monitor is there. */
int wci_run_is_up(const wci_run_state *state);
/* `started`: somebody knows of a start, so that finding no trace of it means WC_STATUS_DEAD. */
int32_t wci_run_state_read(const char *run_dir, int started, wci_run_state *out, wc_error **err);
/* The control group of the last run, from its record; *path stays when that does not tell. */
void wci_run_cgroup(const char *run_dir, char *path, size_t size);
/* After a monitor was killed: the kernel kills the runtime that it had started, but not in the same instant, and
 * until then that makes groups and processes. */
void wci_run_wait_for_runtime(const char *run_dir);

#endif
