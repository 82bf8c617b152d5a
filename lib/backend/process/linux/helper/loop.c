/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/loop.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/process/linux/helper/client.h"
#include "core/alloc.h"
#include "core/error.h"

int32_t loop_init(loop *l, wc_error **err)
{
    sigset_t set;
    memset(l, 0, sizeof *l);
    sigfillset(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    l->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return l->signals < 0 ? wci_err_errno(err, errno, "monitor: signals") : WC_OK;
}

void loop_close(loop *l)
{
    close(l->signals);
    wci_free(l->fds);
}

void loop_add_watch(loop *l, loop_watch *watch)
{
    watch->revents = 0;
    watch->next = l->watches;
    l->watches = watch;
}

void loop_add_timer(loop *l, loop_timer *timer)
{
    timer->next = l->timers;
    l->timers = timer;
}

void loop_add_child(loop *l, loop_child *child)
{
    child->next = l->children;
    l->children = child;
}

void loop_remove_watch(loop *l, loop_watch *watch)
{
    for (loop_watch **at = &l->watches; *at; at = &(*at)->next)
        if (*at == watch) {
            *at = watch->next;
            return;
        }
}

void loop_remove_timer(loop *l, loop_timer *timer)
{
    for (loop_timer **at = &l->timers; *at; at = &(*at)->next)
        if (*at == timer) {
            *at = timer->next;
            return;
        }
}

/* ---- Children --------------------------------------------------------------------------------- */

static loop_child *take_child(loop *l, pid_t pid)
{
    for (loop_child **at = &l->children; *at; at = &(*at)->next)
        if ((*at)->pid == pid) {
            loop_child *child = *at;
            *at = child->next;
            return child;
        }
    return NULL;
}

void loop_remove_child(loop *l, loop_child *child)
{
    (void)take_child(l, child->pid);
}

/* Orphans of the container may have become our children. */
void loop_reap(loop *l)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        loop_child *child = take_child(l, pid);
        if (child)
            child->ended(child->owner, status);
    }
}

static void take_signals(loop *l)
{
    struct signalfd_siginfo info;
    while (read(l->signals, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo == SIGTERM && l->terminate)
            l->terminate(l->owner);
    loop_reap(l);
}

/* ---- Times ------------------------------------------------------------------------------------ */

static loop_timer *first_timer(const loop *l)
{
    loop_timer *first = l->timers;
    for (loop_timer *t = first; t; t = t->next)
        if (t->at_ms < first->at_ms)
            first = t;
    return first;
}

static int until_timer(const loop *l, int timeout_ms)
{
    const loop_timer *first = first_timer(l);
    int64_t left = first ? first->at_ms - monotonic_ms() : INT_MAX;
    if (!first || (timeout_ms >= 0 && timeout_ms <= left))
        return timeout_ms;
    return left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static void fire_timers(loop *l)
{
    int64_t now = monotonic_ms();
    for (loop_timer *t; (t = first_timer(l)) && t->at_ms <= now;) {
        loop_remove_timer(l, t);
        t->fire(t->owner);
    }
}

/* ---- Descriptors ------------------------------------------------------------------------------ */

static loop_watch *first_ready(const loop *l)
{
    loop_watch *w = l->watches;
    while (w && !w->revents)
        w = w->next;
    return w;
}

static void serve_watches(loop *l, const struct pollfd *fds)
{
    for (loop_watch *w = l->watches; w; w = w->next)
        w->revents = (fds++)->revents;
    for (loop_watch *w; (w = first_ready(l));) {
        short revents = w->revents;
        w->revents = 0;
        w->ready(w->owner, revents);
    }
}

int loop_turn(loop *l, struct pollfd *fds, size_t count, int timeout_ms)
{
    size_t n = count + 1;
    for (const loop_watch *w = l->watches; w; w = w->next)
        n++;
    if (!wci_grow(&l->fds, &l->cap, n, sizeof *l->fds))
        return 0;
    struct pollfd *own = l->fds + count;
    if (count)
        memcpy(l->fds, fds, count * sizeof *fds);
    *own++ = (struct pollfd){l->signals, POLLIN, 0};
    for (const loop_watch *w = l->watches; w; w = w->next)
        *own++ = (struct pollfd){w->fd, w->events, 0};
    if (poll(l->fds, n, until_timer(l, timeout_ms)) < 0)
        return 0;
    if (count)
        memcpy(fds, l->fds, count * sizeof *fds);
    serve_watches(l, l->fds + count + 1);
    if (l->fds[count].revents)
        take_signals(l);
    fire_timers(l);
    return 1;
}
