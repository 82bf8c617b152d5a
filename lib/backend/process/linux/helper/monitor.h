/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor of one container, and one run of it. */
#ifndef WC_HELPER_MONITOR_H
#define WC_HELPER_MONITOR_H

#include "backend/process/linux/helper/job.h"
#include "backend/process/linux/helper/session.h"
#include "platform/file.h"
#include "store/store.h"

/* In the run directory, with its locks held. */
typedef struct monitor {
    request *req;
    wci_lock *lock;
    wci_lock *mount_lock;
    char *runtime_root;
    int host_mounts; /* the mount namespace that we came from */
    session session;
    jobs jobs; /* the runtime at work on this container */
    int is_paused;
    int stop_signal;
} monitor;

/* ---- A run (run.c) ---- */

/* Mounts the root and what else the process needs, and opens the log; config.json is there. */
int32_t run_prepare(monitor *m, wc_error **err);
/* Has the runtime start the process, and records it. */
int32_t run_start(monitor *m, wc_error **err);
/* Everything of this run except its records and config.json. */
void run_take_away(monitor *m);
/* The process has ended: takes away, and records how it went. *store is open then, or NULL. */
void run_end(monitor *m, wci_store **store);

/* ---- What clients ask of it (commands.c) ---- */

void command_pause(monitor *m, uint64_t client_id, json_t *args);
void command_resume(monitor *m, uint64_t client_id, json_t *args);
/* A client has sent this signal: those that end a container reach one that is paused only when it goes on. */
void pause_signalled(void *owner, int signal);

/* For session.command. */
void commands_take(void *owner, uint64_t client_id, const char *data, size_t size);

#endif
