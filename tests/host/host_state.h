/* SPDX-License-Identifier: Apache-2.0 */
/* Everything of a process that a library could change, as text that can be compared: one line per
 * fact, so that a difference names itself. */
#ifndef HOST_STATE_H
#define HOST_STATE_H

#include <stddef.h>

/* Threads and descriptors too; none of the host's other threads may be at work. `dir` is where the
 * library keeps its files: mounts below it are listed. Owned text. */
char *host_state(const char *dir);
/* What may be looked at from any thread while others work: nothing that is a thread's own. Owned. */
char *host_state_shared(void);
/* The lines in which two states differ, "-" before and "+" after; NULL when there are none. Owned. */
char *host_state_difference(const char *before, const char *after);

/* Signal mask of a thread, as the kernel shows it; 0 when there is no such thread (any more). */
int host_thread_mask(int tid, unsigned long long *mask);
/* The numbers in a directory of /proc in order; owned. */
int *host_numbers(const char *dir, int *count);

/* What a descriptor leads to; owned, NULL when there is none of this number. */
char *host_fd_target(int fd);

#endif
