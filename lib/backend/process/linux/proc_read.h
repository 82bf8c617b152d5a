/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of a container that has no control group, as /proc tells: those of the pid namespace of its first one,
 * `pid`, or, where that is the host's, those of its mount namespace. */
#ifndef WCI_PROCESS_PROC_READ_H
#define WCI_PROCESS_PROC_READ_H

#include "backend/process/linux/cgroup_read.h"

/* As wci_cgroup_measure() and wci_cgroup_processes(). */
int32_t wci_proc_measure(int64_t pid, wci_cgroup_figures *out, wc_error **err);
int32_t wci_proc_processes(int64_t pid, int64_t **pids, size_t *count, wc_error **err);

/* Its mount namespace, which stays the same one as long as this is open; -1 when it cannot be had. */
int wci_proc_open_namespace(int64_t pid);
/* Kills all that is in it until there is nothing, and closes it; -1 accepted. */
void wci_proc_end_namespace(int fd);

#endif
