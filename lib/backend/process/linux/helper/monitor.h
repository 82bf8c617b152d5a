/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor of one container, and one run of it. */
#ifndef WC_HELPER_MONITOR_H
#define WC_HELPER_MONITOR_H

#include "backend/process/linux/helper/health.h"
#include "backend/process/linux/helper/job.h"
#include "backend/process/linux/helper/network.h"
#include "backend/process/linux/helper/oom.h"
#include "backend/process/linux/helper/session.h"
#include "platform/file.h"
#include "store/store.h"

/* In the run directory, with its locks held. */
typedef struct monitor {
    request *req;
    wci_lock *lock;
    wci_lock *mount_lock;
    wci_lock *index_lock; /* wci_store_keep_index(); NULL: not held */
    char *runtime_root;
    session session;
    run_network network;
    int keeps_no_log;
    struct further *further; /* monitors of further processes (exec_here.c) */
    jobs jobs; /* the runtime at work on this container */
    health health;
    int is_paused;
    int is_killed; /* the present run, by a signal that it cannot refuse */
    int stop_signal;
    int oom_killed;     /* the last run */
    oom oom;            /* the present one */
    int namespace; /* of mounts, of a container without control groups; else -1 */
    int64_t started_ms; /* the present run; of monotonic_ms() */
    int64_t delay_ms;   /* before the last run by the policy, 0: there was none */
    int is_waiting;     /* for the time of the next run */
    int wait_is_over;
    int goes_down;      /* the host does: nothing runs again */
} monitor;

/* ---- A run (run.c) ---- */

/* Mounts the root and what else the process needs, and opens the log; config.json is there. */
int32_t run_prepare(monitor *m, wc_error **err);
/* Has the runtime start the process, and records it. */
int32_t run_start(monitor *m, wc_error **err);
/* Its process has ended, whether we have been told yet or not. */
int run_is_over(const monitor *m);
/* Everything of this run except its records and config.json. */
void run_take_away(monitor *m);
/* The process has ended: takes away what it had. */
void run_close(monitor *m);
/* run_prepare() or run_start() failed. */
void run_give_up(monitor *m);
/* Records how the last run went. *store is open then, or NULL. */
void run_end(monitor *m, wci_store **store);

/* ---- After a run (again.c) ---- */

/* 1 when another run has begun; the records tell then. */
int again_follows(monitor *m);
/* 1 when it waits for its next run; a signal that ends containers ends the wait. */
int again_signalled(monitor *m, int signal);
/* For loop.terminate. */
void again_terminate(void *monitor);

/* ---- Further processes (exec_here.c) ---- */

/* For session.exec: the request as EXEC has it. */
int32_t exec_take(void *monitor, int fd, const char *data, size_t size, wc_error **err);
/* Nothing of the container runs any more: until all of them have written down how their processes ended. */
void exec_wait_for_all(monitor *m);

/* ---- What clients ask of it (commands.c) ---- */

void command_pause(monitor *m, uint64_t client_id, json_t *args);
void command_resume(monitor *m, uint64_t client_id, json_t *args);
void command_update(monitor *m, uint64_t client_id, json_t *args);
/* A client has sent this signal: those that end a container reach one that is paused only when it goes on. */
void pause_signalled(monitor *m, int signal);

/* For session.command. */
void commands_take(void *owner, uint64_t client_id, const char *data, size_t size);

#endif
