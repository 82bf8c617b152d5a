/* SPDX-License-Identifier: Apache-2.0 */
/* What /proc tells of the processes of a container that has no control group: those of its pid namespace, or, where that
 * is the host's, those that descend from its first one, `pid`. */
#ifndef WCI_PROCESS_PROC_READ_H
#define WCI_PROCESS_PROC_READ_H

#include "backend/process/linux/cgroup_read.h"

/* As wci_cgroup_measure() and wci_cgroup_processes(). */
int32_t wci_proc_measure(int64_t pid, wci_cgroup_figures *out, wc_error **err);
int32_t wci_proc_processes(int64_t pid, int64_t **pids, size_t *count, wc_error **err);

#endif
