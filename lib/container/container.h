/* SPDX-License-Identifier: Apache-2.0 */
/* Containers over the store and the backends. The store's record says what a container is; the
 * backend says whether it runs; reconciling (record.c) brings the two together.
 *
 * Start and remove of one container exclude each other, across processes, by a lock in its
 * directory. Everything else works on the record with conditional updates. */
#ifndef WCI_CONTAINER_H
#define WCI_CONTAINER_H

#include <stdatomic.h>

#include <wincontainer/container.h>
#include <wincontainer/process.h>

#include "container/config.h"
#include "container/engine.h"
#include "container/options.h"
#include "container/user.h"
#include "core/call.h"

struct wc_container {
    wci_ref refs;
    wci_engine *engine;
    char id[65];
    _Atomic int64_t seen_event; /* an end after this event is one that the holder may wait for */
};

struct wc_stream {
    wci_ref refs;
    wci_engine *engine;
    wci_backend *backend;
    uintptr_t handle;
};

struct wc_logs {
    wci_ref refs;
    wci_engine *engine;
    wci_backend *backend;
    uintptr_t handle;
};

struct wc_process {
    wci_ref refs;
    wc_container *container;
    wci_backend *backend;
    char id[65];
    int64_t pid;
};

/* ---- Life ------------------------------------------------------------------------------------- */

int32_t wci_ctr_create(wc_call *call, wci_engine *engine, const wc_container_options *options,
                       wc_container **out, wc_error **err);
int32_t wci_ctr_open(wci_engine *engine, const char *id_or_name, wc_container **out,
                     wc_error **err);
void wci_ctr_free(wc_container *container);
int32_t wci_ctr_start(wc_call *call, wc_container *c, uint64_t attach, wc_stream **stream,
                      wc_error **err);
int32_t wci_ctr_attach(wc_call *call, wc_container *c, uint64_t attach, wc_stream **out,
                       wc_error **err);
int32_t wci_ctr_wait(wc_call *call, wc_container *c, int32_t condition, int32_t *exit_code,
                     wc_error **err);
int32_t wci_ctr_wait_any(wc_call *call, wc_container *c, uint64_t conditions, uint64_t *met, int32_t *exit_code,
                         wc_error **err);
int32_t wci_ctr_kill(wc_call *call, wc_container *c, int signal, wc_error **err);
int32_t wci_ctr_stop(wc_call *call, wc_container *c, int64_t timeout_ns, wc_error **err);
int32_t wci_ctr_restart(wc_call *call, wc_container *c, int64_t timeout_ns, wc_error **err);
/* flags: WC_REMOVE_*. */
int32_t wci_ctr_remove(wc_call *call, wc_container *c, uint64_t flags, wc_error **err);
/* Removes every container that does not run; lines for people and the bytes it freed. */
int32_t wci_ctr_prune(wc_call *call, wci_engine *engine, wci_strv *removed, uint64_t *bytes,
                      wc_error **err);

/* pause 0: lets its processes go on. */
int32_t wci_ctr_pause(wc_call *call, wc_container *c, int pause, wc_error **err);
int32_t wci_ctr_rename(wc_call *call, wc_container *c, const char *name, wc_error **err);

int32_t wci_ctr_exec(wc_call *call, wc_container *c, const wc_exec_options *options,
                     uint64_t attach, wc_process **out, wc_stream **stream, wc_error **err);
int32_t wci_process_wait(wc_call *call, wc_process *p, int32_t *exit_code, wc_error **err);
int32_t wci_process_kill(wc_call *call, wc_process *p, int signal, wc_error **err);
void wci_process_free(wc_process *process);

int32_t wci_ctr_logs(wc_call *call, wc_container *c, const wc_log_options *options, wc_logs **out,
                     wc_error **err);
int32_t wci_ctr_copy_in(wc_call *call, wc_container *c, const char *host_path, const char *path,
                        wc_error **err);
int32_t wci_ctr_copy_out(wc_call *call, wc_container *c, const char *path, const char *host_path,
                         wc_error **err);
/* The same as a tar that goes to or comes from the caller's descriptor. */
int32_t wci_ctr_get_archive(wc_call *call, wc_container *c, const char *path, wci_fd fd, wc_error **err);
int32_t wci_ctr_put_archive(wc_call *call, wc_container *c, const char *dir, wci_fd fd, wc_error **err);

/* ---- What the parts share --------------------------------------------------------------------- */

int32_t wci_ctr_new(wci_engine *engine, const char *id, wc_container **out, wc_error **err);
/* An image of the store by what a user calls it: a name goes before an id that is written the same. */
int32_t wci_ctr_find_image(wci_store *store, const char *image, wci_image_record **out, wc_error **err);
/* The record as it is now, reconciled. WC_E_NOT_FOUND when the container is gone. */
int32_t wci_ctr_record(wc_call *call, wci_engine *engine, const char *id,
                       wci_container_record **out, wc_error **err);
/* Asks the backend when the record says that it runs, and records an end that nobody recorded yet;
 * *record is replaced by what is then in the store. WC_E_NOT_FOUND when it was removed. A backend
 * that this context does not have is not asked. */
int32_t wci_ctr_reconcile(wc_call *call, wci_engine *engine, wci_container_record **record,
                          wc_error **err);
/* Records that a start came to nothing, as Docker does: the reason, and an exit code that tells its kind. */
int32_t wci_ctr_record_no_start(wci_engine *engine, const wci_container_record *record, int32_t code,
                                const char *why, wc_error **err);
/* It is paused, or runs again, with the event; nothing happens when that is recorded already. */
int32_t wci_ctr_record_paused(wci_engine *engine, const wci_container_record *record, int is_paused, wc_error **err);
/* How what a backend tells of an end counts: an end that nobody saw (its monitor was killed) as 255. */
int32_t wci_ctr_exit_code(const wc_response *end);
int wci_status_is_live(wci_status status); /* starting, running, paused, restarting */
/* As wci_ctr_record(), but WC_E_STATE unless it runs; it may be paused. */
int32_t wci_ctr_running(wc_call *call, wc_container *c, wci_container_record **out,
                        wc_error **err);
/* The same, also while it waits for its next run. */
int32_t wci_ctr_up(wc_call *call, wc_container *c, wci_container_record **out, wc_error **err);
/* As wci_ctr_running(), and WC_E_STATE when it is paused: `what` cannot be done then. */
int32_t wci_ctr_running_free(wc_call *call, wc_container *c, const char *what, wci_container_record **out,
                             wc_error **err);

/* WC_E_UNSUPPORTED when the backend cannot do what the configuration says. */
int32_t wci_ctr_check_backend(wc_call *call, wci_engine *engine, const char *name, const wci_config *config,
                              wc_error **err);

/* The lock of start and remove. WC_E_NOT_FOUND when the container is gone. */
int32_t wci_ctr_lock(wc_call *call, wci_engine *engine, const char *id, wci_lock **out,
                     wc_error **err);
/* Its file, in the container's directory. */
#define WCI_CTR_LOCK "lock"
char *wci_ctr_lock_path(wci_store *store, const char *id);

/* A request about a container, and its backend. */
typedef struct wci_ctr_call {
    wci_backend *backend;
    wc_request request;
    wc_response response;
} wci_ctr_call;
int32_t wci_ctr_call_init(wc_call *call, wci_engine *engine, const wci_container_record *record,
                          wci_ctr_call *out, wc_error **err);
/* Adds the overlay directories, when the backend wants them. */
int32_t wci_ctr_call_add_layers(wci_ctr_call *op, wci_engine *engine,
                                const wci_container_record *record, wc_error **err);
int32_t wci_ctr_call_run(wci_ctr_call *op, wci_op what, wc_call *call, wc_error **err);
void wci_ctr_call_free(wci_ctr_call *op);

/* The files of the container: image and upper directory. */
int32_t wci_ctr_rootfs(wci_engine *engine, const wci_container_record *record, wci_rootfs *out,
                       wc_error **err);
/* Removes directories and row of a container whose status is REMOVING, with its anonymous volumes if wished. */
int32_t wci_ctr_erase(wc_call *call, wci_engine *engine, const wci_container_record *record, int with_volumes,
                      wc_error **err);

/* Takes the backend's handle over, also on failure. */
int32_t wci_stream_new(wci_engine *engine, wci_backend *backend, uintptr_t handle,
                       wc_stream **out, wc_error **err);
void wci_stream_free(wc_stream *stream);
void wci_logs_free(wc_logs *logs);

/* Waits that have their own end besides the caller's: see deadline.c. */
typedef struct wci_deadline wci_deadline;
int32_t wci_deadline_begin(wc_call *call, int64_t timeout_ns, wci_deadline **out, wc_error **err);
wc_call *wci_deadline_call(wci_deadline *deadline);
void wci_deadline_end(wci_deadline *deadline);

#endif
