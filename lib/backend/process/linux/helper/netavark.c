/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/netavark.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/process/linux/helper/helper.h"
#include "backend/process/linux/helper/launch.h"
#include "backend/process/netavark_answer.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"
#include "platform/file.h"
#include "platform/host.h"

#define HOST_DIR "/run/wincontainer"
#define HOST_LOCK HOST_DIR "/netavark.lock"
#define PATIENCE_MS 60000
#define ANSWER_MAX (64 * 1024)

static int32_t lock_file(const char *path, int may_cancel, wci_lock **lock, wc_error **err)
{
    int32_t rc = WC_OK;
    for (int waited = 0; !rc; waited += 2) {
        rc = wci_lock_try(path, WCI_LOCK_EXCLUSIVE, lock, err);
        if (rc != WC_E_BUSY)
            return rc;
        wci_err_clear(err);
        if (may_cancel && link_cancelled())
            return wci_err(err, WC_E_CANCELLED, "network: the caller gave it up");
        if (waited >= 10 * PATIENCE_MS)
            return wci_err(err, WC_E_BUSY, "network: others have been at work for ten minutes; see '%s'", path);
        rc = WC_OK;
        poll(NULL, 0, 2);
    }
    return rc;
}

/* A user's networks are for themselves. */
static int32_t lock_host(const netavark *n, int may_cancel, wci_lock **lock, wc_error **err)
{
    char *own = n->host.net >= 0 ? wci_path_join(n->config_dir, "netavark.lock") : NULL;
    int32_t rc = own ? WC_OK : wci_dir_make(HOST_DIR, 0755, err);
    if (!rc)
        rc = lock_file(own ? own : HOST_LOCK, may_cancel, lock, err);
    wci_free(own);
    return rc;
}

/* Files in memory, not pipes: whoever inherits them cannot make us wait. */
typedef struct streams {
    int fd[3];
} streams;

static void close_streams(streams *s)
{
    for (int i = 0; i < 3; i++)
        if (s->fd[i] >= 0)
            close(s->fd[i]);
}

static int open_streams(const char *document, streams *s)
{
    size_t size = strlen(document);
    int failed = 0;
    for (int i = 0; i < 3; i++)
        failed |= (s->fd[i] = memfd_create("netavark", MFD_CLOEXEC)) < 0;
    failed = failed || write(s->fd[0], document, size) != (ssize_t)size || lseek(s->fd[0], 0, SEEK_SET) != 0;
    return failed;
}

static void run(const netavark *n, const char *what, int netns, pid_t parent, const streams *s)
{
    char path[64];
    sigset_t none;
    snprintf(path, sizeof path, "/proc/%ld/fd/%d", (long)parent, netns);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent)
        _exit(127);
    if ((n->host.net >= 0 && setns(n->host.net, CLONE_NEWNET) != 0) ||
        (n->host.mounts >= 0 && setns(n->host.mounts, CLONE_NEWNS) != 0))
        _exit(126);
    for (int i = 0; i < 3; i++)
        if (dup2(s->fd[i], i) < 0)
            _exit(127);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    if (chdir("/") != 0)
        _exit(127);
    const char *argv[] = {n->program, "--config", n->config_dir, "--aardvark-binary",
                          *n->names_program ? n->names_program : "/nonexistent/aardvark-dns", what, path, NULL};
    execv(n->program, (char *const *)(uintptr_t)argv);
    _exit(127);
}

/* It may take its time, but not for ever. */
static int32_t wait_for(pid_t pid, int may_cancel, int *status, wc_error **err)
{
    for (int waited = 0; waitpid(pid, status, WNOHANG) != pid; waited++) {
        int gives_up = may_cancel && link_cancelled();
        if (gives_up || waited >= PATIENCE_MS) {
            kill(pid, SIGKILL);
            reap(pid);
            return gives_up ? wci_err(err, WC_E_CANCELLED, "network: the caller gave it up")
                            : wci_err(err, WC_E_RUNTIME, "netavark: it did not end within a minute and was killed");
        }
        poll(NULL, 0, 1);
    }
    return WC_OK;
}

static char *read_back(int fd, size_t *size)
{
    off_t end = lseek(fd, 0, SEEK_END);
    size_t wanted = end > ANSWER_MAX ? ANSWER_MAX : end > 0 ? (size_t)end : 0;
    char *text = wci_malloc(wanted + 1);
    ssize_t n = text ? pread(fd, text, wanted, 0) : -1;
    *size = n > 0 ? (size_t)n : 0;
    if (text)
        text[*size] = '\0';
    return text;
}

static int32_t judge(const streams *s, int status, wc_error **err)
{
    size_t size = 0, complaint_size = 0;
    char *answer = read_back(s->fd[1], &size);
    char *complaint = read_back(s->fd[2], &complaint_size);
    int32_t rc = answer && complaint ? wci_netavark_answer(!WIFEXITED(status) || WEXITSTATUS(status), answer, size,
                                                           complaint, err)
                                     : wci_err_nomem(err);
    wci_free(answer);
    wci_free(complaint);
    return rc;
}

int32_t netavark_run(const netavark *n, const char *what, int netns, const char *document, wc_error **err)
{
    wci_lock *lock = NULL;
    streams s = {{-1, -1, -1}};
    int status = 0, is_setup = strcmp(what, "setup") == 0;
    int32_t rc = wci_dir_make(n->config_dir, 0700, err);
    if (!rc)
        rc = lock_host(n, is_setup, &lock, err);
    if (!rc && open_streams(document, &s))
        rc = wci_err_errno(err, errno, "netavark: its document");
    pid_t parent = getpid(), pid = rc ? -1 : fork();
    if (pid == 0)
        run(n, what, netns, parent, &s);
    if (!rc && pid < 0)
        rc = wci_err_errno(err, errno, "netavark '%s'", n->program);
    if (!rc)
        rc = wait_for(pid, is_setup, &status, err);
    if (!rc)
        rc = judge(&s, status, err);
    close_streams(&s);
    wci_lock_release(lock);
    return rc;
}
