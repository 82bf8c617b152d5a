/* SPDX-License-Identifier: Apache-2.0 */
/* A server beside a test program: started once, speaks one line to say where it listens, and ends
 * when its standard input closes, which the end of the test program does in any case. */
#ifndef WC_TEST_SERVER_PROCESS_H
#define WC_TEST_SERVER_PROCESS_H

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct server_process {
    pid_t pid;
    int in; /* closing it ends the server */
    char line[512];
} server_process;

static inline void server_exec(const char *const *argv, int in, int out)
{
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    dup2(in, 0);
    dup2(out, 1);
    execvp(argv[0], (char *const *)argv);
    _exit(127);
}

/* 1 when it runs and has spoken its line. 77: it cannot run here. */
static inline int server_start(server_process *s, const char *const *argv)
{
    int in[2], out[2];
    size_t n = 0;
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
        return 0;
    s->pid = fork();
    if (!s->pid)
        server_exec(argv, in[0], out[1]);
    close(in[0]);
    close(out[1]);
    s->in = in[1];
    while (n + 1 < sizeof s->line && read(out[0], s->line + n, 1) == 1 && s->line[n] != '\n')
        n++;
    s->line[n] = '\0';
    close(out[0]);
    if (n)
        return 1;
    int status = 0;
    close(s->in);
    waitpid(s->pid, &status, 0);
    s->pid = 0;
    return WIFEXITED(status) && WEXITSTATUS(status) == 77 ? 77 : 0;
}

static inline void server_stop(server_process *s)
{
    if (!s->pid)
        return;
    close(s->in);
    waitpid(s->pid, NULL, 0);
    s->pid = 0;
}

#endif
