/* SPDX-License-Identifier: Apache-2.0 */
/* Having the OCI runtime start a process whose standard streams are ours. */
#ifndef WC_HELPER_LAUNCH_H
#define WC_HELPER_LAUNCH_H

#include <sys/types.h>

#include "backend/process/linux/helper/helper.h"

typedef struct launched {
    pid_t pid;  /* our child, perhaps a zombie by now */
    int in;     /* to its standard input, -1: empty */
    int out[2]; /* from its standard output and error; with a terminal only the first; -1: closed */
} launched;

enum {
    LAUNCH_DROP_OUTPUT = 1,     /* nobody will ever read it */
    LAUNCH_TELL_OF_RUNTIME = 2, /* by WCI_RUN_RUNTIME, while it works */
};

/* Runs `argv` (its first element is the runtime's path) in the current directory and takes the pid
 * from the file "pid" there. `signals` is a signalfd for SIGCHLD. WC_E_COMMAND_NOT_FOUND,
 * WC_E_COMMAND_NOT_EXECUTABLE, WC_E_RUNTIME with what the runtime said; WC_E_CANCELLED. */
int32_t launch(const request *req, const char *const *argv, int signals, int flags, launched *out,
               wc_error **err);
void launched_close(launched *process);

/* Waits for a child that was just killed. */
void reap(pid_t pid);

#endif
