/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that use the library at the same time. */
#ifndef WC_TEST_WORKERS_H
#define WC_TEST_WORKERS_H

#include <pthread.h>
#include <stdatomic.h>

#include <wincontainer/error.h>

#include "support/support.h"

/* Check's asserts are for the main thread: a worker notes down why it failed, and ends. */
typedef struct worker worker;
struct worker {
    void (*work)(worker *w);
    void *shared;
    unsigned index;
    int count; /* what it did, as the test understands it */
    char id[96];
    char why[512];
    pthread_t thread;
};

static pthread_barrier_t together;
static atomic_int makers; /* workers that still change something; lookers go on until there is none */

TEST_HELPER void give_up(worker *w, const char *call, int32_t rc, wc_error *err)
{
    if (!w->why[0])
        snprintf(w->why, sizeof w->why, "worker %u: %s gave %s: %s", w->index, call, wc_code_name(rc),
                 err ? wc_error_message(err) : "no error object");
    wc_error_unref(err);
}

TEST_HELPER int is_allowed(int32_t rc, int32_t code)
{
    return rc == WC_OK || rc == code || (rc == WC_E_STATE && code == WC_E_NOT_FOUND);
}

/* The call, with `err` as its last argument, gives WC_OK, or the worker ends. */
#define need(w, call)                                                                              \
    do {                                                                                           \
        wc_error *err = NULL;                                                                      \
        int32_t need_rc_ = (call);                                                                 \
        if (need_rc_ || err) {                                                                     \
            give_up((w), #call, need_rc_, err);                                                       \
            return;                                                                                \
        }                                                                                          \
    } while (0)
/* The call gives WC_OK or the code (or WC_E_STATE beside WC_E_NOT_FOUND: what is being removed), told in `rc`. */
#define allow(w, rc, call, code)                                                                   \
    do {                                                                                           \
        wc_error *err = NULL;                                                                      \
        (rc) = (call);                                                                             \
        if ((rc) != wc_error_code(err) || !is_allowed((rc), (code))) {                             \
            give_up((w), #call, (rc), err);                                                           \
            return;                                                                                \
        }                                                                                          \
        wc_error_unref(err);                                                                       \
    } while (0)
#define need_true(w, condition)                                                                    \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            give_up((w), #condition, WC_OK, NULL);                                                    \
            return;                                                                                \
        }                                                                                          \
    } while (0)

TEST_HELPER void *run_worker(void *arg)
{
    worker *w = arg;
    pthread_barrier_wait(&together);
    w->work(w);
    return NULL;
}

TEST_HELPER void *run_maker(void *arg)
{
    run_worker(arg);
    atomic_fetch_sub(&makers, 1);
    return NULL;
}

TEST_HELPER int is_busy(void)
{
    return atomic_load(&makers) > 0;
}

/* The first `making` of them change something. */
TEST_HELPER void workers_start(worker *w, unsigned count, unsigned making)
{
    pthread_barrier_init(&together, NULL, count);
    atomic_store(&makers, (int)making);
    for (unsigned i = 0; i < count; i++) {
        w[i].index = i;
        if (pthread_create(&w[i].thread, NULL, i < making ? run_maker : run_worker, &w[i]))
            abort();
    }
}

/* Why the first of them gave up, or NULL; lent. */
TEST_HELPER const char *workers_join(worker *w, unsigned count)
{
    const char *why = NULL;
    for (unsigned i = 0; i < count; i++)
        if (pthread_join(w[i].thread, NULL))
            abort();
    pthread_barrier_destroy(&together);
    for (unsigned i = 0; i < count && !why; i++)
        why = w[i].why[0] ? w[i].why : NULL;
    return why;
}

#endif
