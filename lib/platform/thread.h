/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that block every signal and live only within one call; locks for them. */
#ifndef WCI_THREAD_H
#define WCI_THREAD_H

#include <stdatomic.h>
#include <stdint.h>

#include <wincontainer/error.h>

#ifdef _WIN32
typedef struct wci_mutex { void *srw; } wci_mutex;
typedef struct wci_cond { void *cv; } wci_cond;
#define WCI_MUTEX_INIT {0}
#else
#include <pthread.h>
typedef struct wci_mutex { pthread_mutex_t m; } wci_mutex;
typedef struct wci_cond { pthread_cond_t c; } wci_cond;
#define WCI_MUTEX_INIT {PTHREAD_MUTEX_INITIALIZER}
#endif
typedef struct wci_thread wci_thread;

/* A lock in static storage, initialised with zeros. Held by another thread when the process forks, it is
 * free in the child. */
typedef struct wci_global_mutex {
    wci_mutex mutex;
    _Atomic int64_t fork_id; /* that the mutex was made for; negative while it is being made */
} wci_global_mutex;

void wci_mutex_init(wci_mutex *m);
void wci_mutex_destroy(wci_mutex *m);
void wci_mutex_lock(wci_mutex *m);
void wci_mutex_unlock(wci_mutex *m);
void wci_global_lock(wci_global_mutex *g);
void wci_global_unlock(wci_global_mutex *g);
void wci_cond_init(wci_cond *c); /* waits on the monotonic clock */
void wci_cond_destroy(wci_cond *c);
void wci_cond_wait(wci_cond *c, wci_mutex *m);
/* 1 when woken (possibly for nothing), 0 after timeout_ms. */
int wci_cond_wait_ms(wci_cond *c, wci_mutex *m, int64_t timeout_ms);
void wci_cond_signal(wci_cond *c);
void wci_cond_broadcast(wci_cond *c);

int32_t wci_thread_start(wci_thread **out, void (*run)(void *), void *arg, wc_error **err);
/* Waits for the end and releases the thread. NULL accepted. */
void wci_thread_join(wci_thread *t);
int wci_cpu_count(void); /* usable by this process, at least 1 */
int wci_cpu_limit(void); /* the numbers of all that the host may have are below this */

#endif
