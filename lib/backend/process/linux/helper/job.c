/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "backend/process/linux/helper/child.h"
#include "backend/process/linux/helper/client.h"

static void start_next(jobs *queue);

static void close_watch(job *j, int i)
{
    loop_watch *w = &j->watches[i];
    if (w->fd < 0)
        return;
    loop_remove_watch(j->jobs->loop, w);
    close(w->fd);
    w->fd = -1;
}

/* ---- Its streams ------------------------------------------------------------------------------ */

static void write_input(void *owner, short revents)
{
    job *j = owner;
    size_t left = strlen(j->input) - j->written;
    ssize_t n = revents & POLLOUT ? write(j->watches[0].fd, j->input + j->written, left) : -1;
    if (n > 0)
        j->written += (size_t)n;
    if (n == (ssize_t)left || (n < 0 && (!(revents & POLLOUT) || (errno != EAGAIN && errno != EINTR))))
        close_watch(j, 0);
}

static void read_output(job *j, int i)
{
    char data[4096];
    wci_str *to = i == 1 ? &j->out : &j->err;
    ssize_t n;
    while ((n = read(j->watches[i].fd, data, sizeof data)) > 0)
        if (to->size + (size_t)n <= JOB_OUTPUT_MAX)
            wci_str_append_n(to, data, (size_t)n);
    if (n == 0 || (errno != EAGAIN && errno != EINTR))
        close_watch(j, i);
}

static void read_out(void *owner, short revents)
{
    (void)revents;
    read_output(owner, 1);
}

static void read_err(void *owner, short revents)
{
    (void)revents;
    read_output(owner, 2);
}

/* ---- Its end ---------------------------------------------------------------------------------- */

static void finish(job *j)
{
    jobs *queue = j->jobs;
    loop_remove_timer(queue->loop, &j->timer);
    for (int i = 0; i < 3; i++)
        close_watch(j, i);
    queue->first = j->next;
    if (queue->first)
        start_next(queue);
    j->done(j, j->owner);
}

/* What it left running may hold the pipes: what is in them now counts. */
static void ended(void *owner, int status)
{
    job *j = owner;
    j->status = status;
    for (int i = 1; i < 3; i++)
        if (j->watches[i].fd >= 0)
            read_output(j, i);
    finish(j);
}

static void time_is_over(void *owner)
{
    job *j = owner;
    if (j->failed) {
        finish(j);
        return;
    }
    j->timed_out = 1;
    kill(j->child.pid, SIGKILL);
}

/* ---- Its start -------------------------------------------------------------------------------- */

static void run_program(const job *j, pid_t monitor, const int *fds)
{
    child_begin(monitor);
    for (int i = 0; i < 3; i++)
        if (dup2(fds[i], i) < 0)
            _exit(127);
    execv(j->argv[0], (char *const *)(uintptr_t)j->argv);
    _exit(127);
}

static int make_streams(int *ours, int *theirs)
{
    for (int i = 0; i < 3; i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0)
            return -1;
        ours[i] = ends[i == 0];
        theirs[i] = ends[i != 0];
        fcntl(ours[i], F_SETFL, O_NONBLOCK);
    }
    return 0;
}

/* 0, or errno. */
static int start(job *j)
{
    static void (*const ready[])(void *, short) = {write_input, read_out, read_err};
    int ours[] = {-1, -1, -1}, theirs[] = {-1, -1, -1};
    pid_t monitor = getpid();
    int failed = make_streams(ours, theirs) != 0;
    j->child = (loop_child){failed ? -1 : fork(), ended, j, NULL};
    if (j->child.pid == 0)
        run_program(j, monitor, theirs);
    failed = j->child.pid < 0 ? errno : 0;
    for (int i = 0; i < 3; i++) {
        if (theirs[i] >= 0)
            close(theirs[i]);
        j->watches[i] = (loop_watch){ours[i], i ? POLLIN : POLLOUT, ready[i], j, 0, NULL};
        if (ours[i] >= 0)
            loop_add_watch(j->jobs->loop, &j->watches[i]);
    }
    if (!j->input || !*j->input)
        close_watch(j, 0);
    if (!failed)
        loop_add_child(j->jobs->loop, &j->child);
    return failed;
}

/* One that cannot be started is told of in the next turn, as every end is. */
static void start_next(jobs *queue)
{
    job *j = queue->first;
    j->failed = start(j);
    j->timer = (loop_timer){monotonic_ms() + (j->failed ? 0 : j->timeout_ms), time_is_over, j, NULL};
    loop_add_timer(queue->loop, &j->timer);
}

void job_run(jobs *queue, job *j)
{
    j->jobs = queue;
    j->failed = j->timed_out = j->status = 0;
    j->written = 0;
    j->out = j->err = (wci_str)WCI_STR_INIT;
    j->next = NULL;
    job **last = &queue->first;
    while (*last)
        last = &(*last)->next;
    *last = j;
    if (queue->first == j)
        start_next(queue);
}

void job_free(job *j)
{
    wci_str_free(&j->out);
    wci_str_free(&j->err);
}
