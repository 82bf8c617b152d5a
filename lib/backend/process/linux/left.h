/* SPDX-License-Identifier: Apache-2.0 */
/* What a killed monitor has left of a container without control groups: its first process, and what
 * is in its namespaces. */
#ifndef WCI_PROCESS_LEFT_H
#define WCI_PROCESS_LEFT_H

#include <stdint.h>

#include <wincontainer/error.h>

typedef struct wci_left {
    int64_t pid, start;
} wci_left;

/* 1 when there is one: by the monitor's record in `run_dir`, or the runtime's in `runtime_dir`. */
int wci_left_find(const char *run_dir, const char *runtime_dir, wci_left *out);
/* Kills it and waits until it is gone. WC_E_BUSY when it does not end, WC_E_PERMISSION. */
int32_t wci_left_end(const wci_left *left, wc_error **err);

#endif
