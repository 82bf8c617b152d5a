/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/child.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

/* A program without its monitor would go on with what nobody knows of. */
static void die_with(pid_t monitor)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != monitor)
        _exit(127);
}

void child_begin(pid_t monitor)
{
    sigset_t none;
    die_with(monitor);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
}
