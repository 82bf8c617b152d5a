/* SPDX-License-Identifier: Apache-2.0 */
/* What a monitor writes down: in the store for everybody, in the run directory for backends. */
#ifndef WC_HELPER_RECORD_H
#define WC_HELPER_RECORD_H

#include <sys/types.h>

#include "backend/process/linux/helper/helper.h"
#include "store/store.h"

/* monitor.json and exit.json in the current directory. */
int32_t record_run(const request *req, pid_t pid, int64_t started_ns, wc_error **err);
int32_t record_end(const request *req, int exit_code, int64_t finished_ns, wc_error **err);

/* The store is open only for as long as it is written to. */
int32_t record_open(const request *req, wci_store **store, wc_error **err);
/* The event of a further process; one that cannot be written is missing. */
void record_process_died(const request *req, int exit_code);
int32_t record_started(wci_store *store, const request *req, pid_t pid, int64_t started_ns, int has_check,
                       wc_error **err);
/* It is paused, or goes on. */
int32_t record_paused(wci_store *store, const request *req, pid_t pid, int is_paused, wc_error **err);
/* 1 when the container is to be removed, now that it has ended: not so during a restart. */
int record_says_remove(wci_store *store, const request *req);
/* This run has ended, and another will follow. WC_E_STATE when a user has stopped it. */
int32_t record_restarting(wci_store *store, const request *req, int exit_code, int64_t finished_ns, int oom_killed,
                          wc_error **err);
/* The same in monitor.json, where no process is told of then. */
int32_t record_between(const request *req, wc_error **err);
/* The run that was to follow came to nothing. */
void record_no_restart(const request *req, int32_t code, const char *why);
int32_t record_exited(wci_store *store, const request *req, int exit_code, int64_t finished_ns,
                      int oom_killed, wc_error **err);
/* Event: what connects it, of which `program` (or "") was the part that ended, is broken for this reason, or (NULL) works
 * again. */
void record_network(const request *req, const char *program, const char *why);

#endif
