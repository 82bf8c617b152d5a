/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/aside.h"

#include <limits.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/posix/posix.h"
#include "platform/thread.h"

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif

/* Sanitizers report on standard error; the one for threads takes equal numbers for the same descriptor. */
#ifdef __SANITIZE_ADDRESS__
#define KEEP_STDERR 1
#else
#define KEEP_STDERR 0
#endif
#ifdef __SANITIZE_THREAD__
#define SHARE_TABLE 1
#else
#define SHARE_TABLE 0
#endif

typedef enum aside_state { IDLE, RUNNING, CALLING_BACK, ENDING } aside_state;

typedef struct aside_job {
    void (*what)(void *arg);
    void *arg;
} aside_job;

struct wci_aside {
    wci_thread *thread;
    wci_mutex mutex;
    wci_cond changed;
    aside_state state;
    aside_job job, back;
    wci_fd keep;
};

/* The table up to `last` becomes this thread's own, without copying what lies above: closing copies
 * might do things to files on the network. */
static int leave_table(unsigned last)
{
    return syscall(SYS_close_range, last + 1, UINT_MAX, CLOSE_RANGE_UNSHARE) == 0 || unshare(CLONE_FILES) == 0;
}

static int own_table(wci_fd keep)
{
    unsigned kept = keep == WCI_FD_NONE ? 0 : (unsigned)keep;
    if (SHARE_TABLE || !leave_table(kept > 2 ? kept : 2))
        return 0;
    wci_posix_close_range(0, KEEP_STDERR ? 1 : 2);
    if (kept > 3)
        wci_posix_close_range(3, kept - 1);
    wci_posix_close_range(kept > 2 ? kept + 1 : 3, UINT_MAX);
    (void)wci_stdio_fill(); /* until the thread ends */
    return 1;
}

static void serve(void *arg)
{
    wci_aside *a = arg;
    int is_own = own_table(a->keep);
    wci_mutex_lock(&a->mutex);
    for (;;) {
        while (a->state == IDLE)
            wci_cond_wait(&a->changed, &a->mutex);
        if (a->state == ENDING)
            break;
        wci_mutex_unlock(&a->mutex);
        a->job.what(a->job.arg);
        wci_mutex_lock(&a->mutex);
        a->state = IDLE;
        wci_cond_broadcast(&a->changed);
    }
    wci_mutex_unlock(&a->mutex);
    if (is_own) /* the system would do so only after the thread can be joined */
        wci_posix_close_range(3, UINT_MAX);
}

int32_t wci_aside_new(wci_fd keep, wci_aside **out, wc_error **err)
{
    wci_aside *a = wci_calloc(1, sizeof *a);
    if (!a)
        return wci_err_nomem(err);
    wci_mutex_init(&a->mutex);
    wci_cond_init(&a->changed);
    a->keep = keep;
    int32_t rc = wci_thread_start(&a->thread, serve, a, err);
    if (rc)
        wci_aside_free(a);
    else
        *out = a;
    return rc;
}

static void call_back(wci_aside *a)
{
    wci_mutex_unlock(&a->mutex);
    a->back.what(a->back.arg);
    wci_mutex_lock(&a->mutex);
    a->state = RUNNING;
    wci_cond_broadcast(&a->changed);
}

void wci_aside_run(wci_aside *a, void (*what)(void *arg), void *arg)
{
    wci_mutex_lock(&a->mutex);
    a->job = (aside_job){what, arg};
    a->state = RUNNING;
    wci_cond_broadcast(&a->changed);
    while (a->state != IDLE) {
        if (a->state == CALLING_BACK)
            call_back(a);
        else
            wci_cond_wait(&a->changed, &a->mutex);
    }
    wci_mutex_unlock(&a->mutex);
}

void wci_aside_back(wci_aside *a, void (*what)(void *arg), void *arg)
{
    wci_mutex_lock(&a->mutex);
    a->back = (aside_job){what, arg};
    a->state = CALLING_BACK;
    wci_cond_broadcast(&a->changed);
    while (a->state == CALLING_BACK)
        wci_cond_wait(&a->changed, &a->mutex);
    wci_mutex_unlock(&a->mutex);
}

void wci_aside_free(wci_aside *a)
{
    if (!a)
        return;
    wci_mutex_lock(&a->mutex);
    a->state = ENDING;
    wci_cond_broadcast(&a->changed);
    wci_mutex_unlock(&a->mutex);
    wci_thread_join(a->thread);
    wci_cond_destroy(&a->changed);
    wci_mutex_destroy(&a->mutex);
    wci_free(a);
}
