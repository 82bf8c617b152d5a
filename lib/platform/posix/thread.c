/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <time.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/process.h"

struct wci_thread {
    pthread_t id;
    void (*run)(void *);
    void *arg;
};

void wci_mutex_init(wci_mutex *m)
{
    pthread_mutex_init(&m->m, NULL);
}

void wci_mutex_destroy(wci_mutex *m)
{
    pthread_mutex_destroy(&m->m);
}

void wci_mutex_lock(wci_mutex *m)
{
    pthread_mutex_lock(&m->m);
}

void wci_mutex_unlock(wci_mutex *m)
{
    pthread_mutex_unlock(&m->m);
}

/* Whoever sees first that this is another process makes the mutex anew; the rest waits for that. */
static void renew(wci_global_mutex *g)
{
    int64_t now = wci_fork_id(), seen;
    while ((seen = atomic_load(&g->fork_id)) != now) {
        if (seen == -now) {
            sched_yield();
        } else if (atomic_compare_exchange_strong(&g->fork_id, &seen, -now)) {
            wci_mutex_init(&g->mutex);
            atomic_store(&g->fork_id, now);
        }
    }
}

void wci_global_lock(wci_global_mutex *g)
{
    renew(g);
    wci_mutex_lock(&g->mutex);
}

void wci_global_unlock(wci_global_mutex *g)
{
    wci_mutex_unlock(&g->mutex);
}

void wci_cond_init(wci_cond *c)
{
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&c->c, &attr);
    pthread_condattr_destroy(&attr);
}

void wci_cond_destroy(wci_cond *c)
{
    pthread_cond_destroy(&c->c);
}

void wci_cond_wait(wci_cond *c, wci_mutex *m)
{
    pthread_cond_wait(&c->c, &m->m);
}

int wci_cond_wait_ms(wci_cond *c, wci_mutex *m, int64_t timeout_ms)
{
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += (time_t)(timeout_ms / 1000);
    end.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_nsec -= 1000000000;
        end.tv_sec++;
    }
    return pthread_cond_timedwait(&c->c, &m->m, &end) != ETIMEDOUT;
}

void wci_cond_signal(wci_cond *c)
{
    pthread_cond_signal(&c->c);
}

void wci_cond_broadcast(wci_cond *c)
{
    pthread_cond_broadcast(&c->c);
}

static void *enter(void *arg)
{
    wci_thread *t = arg;
    t->run(t->arg);
    return NULL;
}

int32_t wci_thread_start(wci_thread **out, void (*run)(void *), void *arg, wc_error **err)
{
    wci_thread *t = wci_calloc(1, sizeof *t);
    if (!t)
        return wci_err_nomem(err);
    t->run = run;
    t->arg = arg;
    /* The new thread inherits this mask: the host's signals are for the host's threads. */
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int failed = pthread_create(&t->id, NULL, enter, t);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (failed) {
        wci_free(t);
        return wci_err_errno(err, failed, "thread: starting");
    }
    *out = t;
    return WC_OK;
}

void wci_thread_join(wci_thread *t)
{
    if (!t)
        return;
    pthread_join(t->id, NULL);
    wci_free(t);
}

int wci_cpu_count(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > 0 ? count : 1;
}

int wci_cpu_limit(void)
{
    long count = sysconf(_SC_NPROCESSORS_CONF);
    return count > 0 ? (int)count : 1;
}
