/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/process/linux/helper/child.h"
#include "backend/process/linux/helper/failure.h"
#include "backend/process/linux/helper/userns.h"
#include "backend/process/protocol.h"
#include "core/error.h"
#include "platform/host.h"

#define CONSOLE_SOCKET "console.sock"
#define PID_FILE "pid"

/* Ends of the runtime, closed once it has them. */
typedef struct ends {
    int fd[3];
} ends;

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void launched_close(launched *process)
{
    close_fd(&process->in);
    close_fd(&process->out[0]);
    close_fd(&process->out[1]);
}

static int make_pipe(int *read_end, int *write_end)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return -1;
    *read_end = fds[0];
    *write_end = fds[1];
    return 0;
}

/* Its standard error is always ours: a runtime that fails says why there. It stays ours: without a reader whoever writes
 * to it would be killed. */
static int make_streams(const request *req, int flags, launched *p, ends *theirs)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return -1;
    theirs->fd[0] = theirs->fd[1] = -1;
    int failed = make_pipe(&p->out[1], &theirs->fd[2]);
    if (!failed && !req->tty && req->open_stdin)
        failed = make_pipe(&theirs->fd[0], &p->in);
    if (!failed && !req->tty && !(flags & LAUNCH_DROP_OUTPUT))
        failed = make_pipe(&p->out[0], &theirs->fd[1]);
    if (!failed && theirs->fd[0] < 0)
        failed = (theirs->fd[0] = fcntl(null, F_DUPFD_CLOEXEC, 3)) < 0;
    if (!failed && theirs->fd[1] < 0)
        failed = (theirs->fd[1] = fcntl(null, F_DUPFD_CLOEXEC, 3)) < 0;
    close(null);
    const int ours[] = {p->out[0], p->out[1], p->in};
    if (!failed)
        userns_give_pipes(req, ours, 3);
    return failed ? -1 : 0;
}

static int make_console(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = CONSOLE_SOCKET};
    unlink(CONSOLE_SOCKET);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, 1) != 0) {
        close_fd(&fd);
        return -1;
    }
    return fd;
}

/* The runtime has ended, so its message waits in the socket, or none will come. */
static int receive_terminal(int console)
{
    char byte;
    union {
        struct cmsghdr align;
        char data[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec iov = {&byte, 1};
    struct msghdr message = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.data,
                             .msg_controllen = sizeof control.data};
    int flags = fcntl(console, F_GETFL);
    fcntl(console, F_SETFL, flags | O_NONBLOCK);
    int connection = accept4(console, NULL, NULL, SOCK_CLOEXEC);
    if (connection < 0)
        return -1;
    int terminal = -1;
    if (recvmsg(connection, &message, MSG_CMSG_CLOEXEC) > 0) {
        struct cmsghdr *c = CMSG_FIRSTHDR(&message);
        if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
            memcpy(&terminal, CMSG_DATA(c), sizeof terminal);
    }
    close(connection);
    return terminal;
}

/* Whoever clears up after a monitor waits for this process first. */
static int write_self(void)
{
    FILE *f = fopen(WCI_RUN_RUNTIME, "we");
    if (!f)
        return 0;
    fprintf(f, "{\"pid\":%lld,\"pidStart\":%lld}\n", (long long)wci_host_pid(),
            (long long)wci_host_process_start(wci_host_pid()));
    return fclose(f) == 0;
}

/* By vfork(): we are one thread, and a copy of our memory would be thrown away at once. */
static pid_t start_runtime(const char *const *argv, const ends *theirs, int flags)
{
    pid_t monitor = getpid(), pid = vfork();
    if (pid != 0)
        return pid;
    child_begin(monitor);
    if ((flags & LAUNCH_TELL_OF_RUNTIME) && !write_self())
        _exit(127);
    for (int i = 0; i < 3; i++)
        if (dup2(theirs->fd[i], i) < 0)
            _exit(127);
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

void reap(pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
}

/* Waits for the runtime, and for nobody else: its container may end first, but is not known yet. */
static int32_t wait_runtime(pid_t pid, int signals, int *status, wc_error **err)
{
    for (;;) {
        pid_t ended = waitpid(pid, status, WNOHANG);
        if (ended == pid)
            return WC_OK;
        if (ended < 0 && errno != EINTR)
            return wci_err_errno(err, errno, "runtime: waiting for it");
        if (link_cancelled()) {
            kill(pid, SIGKILL);
            reap(pid);
            return wci_err(err, WC_E_CANCELLED, "start: the caller gave it up");
        }
        struct pollfd fds[] = {{signals, POLLIN, 0}, {link_fd(), POLLIN, 0}};
        poll(fds, 2, -1);
        if (fds[1].revents & (POLLHUP | POLLERR)) /* the library has gone, the start goes on */
            poll(fds, 1, -1);
        char used[512];
        (void)!read(signals, used, sizeof used);
    }
}

static int32_t read_pid(const char *runtime, pid_t *pid, wc_error **err)
{
    long value = 0;
    FILE *f = fopen(PID_FILE, "re");
    int n = f ? fscanf(f, "%ld", &value) : 0;
    if (f)
        fclose(f);
    if (n != 1 || value <= 0)
        return wci_err(err, WC_E_RUNTIME,
                       "OCI runtime '%s': reported success but started nothing; name one such as crun or runc", runtime);
    *pid = (pid_t)value;
    return WC_OK;
}

static int32_t run_runtime(const char *const *argv, int signals, int flags, ends *theirs, launched *p,
                           wc_error **err)
{
    int status = 0;
    pid_t pid = start_runtime(argv, theirs, flags);
    for (int i = 0; i < 3; i++)
        close_fd(&theirs->fd[i]);
    if (pid < 0)
        return wci_err_errno(err, errno, "runtime '%s'", argv[0]);
    int32_t rc = wait_runtime(pid, signals, &status, err);
    if (flags & LAUNCH_TELL_OF_RUNTIME)
        unlink(WCI_RUN_RUNTIME);
    if (rc)
        return rc;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return runtime_failure(argv[0], status, p->out[1], err);
    return read_pid(argv[0], &p->pid, err);
}

static int32_t take_terminal(int console, launched *p, wc_error **err)
{
    close_fd(&p->out[1]);
    p->out[0] = receive_terminal(console);
    if (p->out[0] < 0)
        return wci_err(err, WC_E_RUNTIME, "runtime: it started the process but gave no terminal");
    p->in = fcntl(p->out[0], F_DUPFD_CLOEXEC, 3);
    return p->in < 0 ? wci_err_errno(err, errno, "terminal") : WC_OK;
}

int32_t launch(const request *req, const char *const *argv, int signals, int flags, launched *out,
               wc_error **err)
{
    launched p = {0, -1, {-1, -1}};
    ends theirs = {{-1, -1, -1}};
    int console = req->tty ? make_console() : -1;
    int32_t rc = WC_OK;
    unlink(PID_FILE);
    unlink(RUNTIME_LOG);
    if ((req->tty && console < 0) || make_streams(req, flags, &p, &theirs) != 0)
        rc = wci_err_errno(err, errno, "standard streams");
    if (!rc)
        rc = run_runtime(argv, signals, flags, &theirs, &p, err);
    if (!rc && req->tty)
        rc = take_terminal(console, &p, err);
    if (req->tty) {
        close_fd(&console);
        unlink(CONSOLE_SOCKET);
    }
    for (int i = 0; i < 3; i++)
        close_fd(&theirs.fd[i]);
    if (rc)
        launched_close(&p);
    if (!rc || p.pid)
        *out = p;
    return rc;
}
