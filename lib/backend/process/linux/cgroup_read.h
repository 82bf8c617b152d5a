/* SPDX-License-Identifier: Apache-2.0 */
/* What the control groups of a container tell. `path` is that of wci_cgroup. */
#ifndef WCI_PROCESS_CGROUP_READ_H
#define WCI_PROCESS_CGROUP_READ_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/error.h>

typedef struct wci_cgroup_figures {
    int64_t cpu_ns, memory, memory_limit, pids, read_bytes, written_bytes;
} wci_cgroup_figures;

/* What cannot be read is 0; a limit that is not set is what the host has. WC_E_STATE when there is no group. */
int32_t wci_cgroup_measure(const char *path, wci_cgroup_figures *out, wc_error **err);
/* Process ids in the group and in groups below it, in no order; owned. */
int32_t wci_cgroup_processes(const char *path, int64_t **pids, size_t *count, wc_error **err);

#endif
