/* SPDX-License-Identifier: Apache-2.0 */
/* Records, requests made from them, and bringing them together with what the backend says. */
#include <stdio.h>
#include <string.h>

#include "container/container.h"
#include "container/rootfs.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"

#define BIT(status) (1u << (status))
#define LIVE \
    (BIT(WCI_STATUS_STARTING) | BIT(WCI_STATUS_RUNNING) | BIT(WCI_STATUS_PAUSED) | BIT(WCI_STATUS_RESTARTING))

/* To take the lock in a directory that others make and remove. */
#define LOCK_ATTEMPTS 100

/* Of a run whose end nobody saw. */
#define LOST_EXIT_CODE 255

int wci_status_is_live(wci_status status)
{
    return (BIT(status) & LIVE) != 0;
}

/* ---- Requests --------------------------------------------------------------------------------- */

static int32_t fill_request(wci_engine *engine, const wci_container_record *record,
                            wc_request *request, wc_error **err)
{
    request->container_id = wci_strdup(record->id);
    request->config = wci_strdup(record->config);
    request->state_dir = wci_container_dir(engine->store, record->id);
    request->run_dir = wci_container_run_dir(engine->store, record->id);
    if (!request->container_id || !request->config || !request->state_dir || !request->run_dir ||
        wci_request_set_string(request, "store-root", wci_store_root(engine->store)) ||
        wci_request_set_string(request, "run-root", wci_store_run_root(engine->store)) ||
        wci_request_set_int(request, "generation", record->generation))
        return wci_err_nomem(err);
    return WC_OK;
}

int32_t wci_ctr_call_init(wc_call *call, wci_engine *engine, const wci_container_record *record,
                          wci_ctr_call *out, wc_error **err)
{
    memset(out, 0, sizeof *out);
    wci_response_init(&out->response);
    int32_t rc = wci_backends_get(engine->backends, call, record->backend, &out->backend, err);
    if (!rc)
        rc = fill_request(engine, record, &out->request, err);
    if (rc)
        wci_ctr_call_free(out);
    return rc;
}

void wci_ctr_call_free(wci_ctr_call *op)
{
    wci_request_free(&op->request);
    wci_response_free(&op->response);
    wci_backend_unref(op->backend);
    op->backend = NULL;
}

int32_t wci_ctr_call_run(wci_ctr_call *op, wci_op what, wc_call *call, wc_error **err)
{
    wci_response_free(&op->response);
    return wci_backend_call(op->backend, what, call, &op->request, &op->response, err);
}

static int32_t open_rootfs(wci_engine *engine, const wci_container_record *record,
                           const char *upper, wci_rootfs *out, wc_error **err)
{
    wci_image_record *image = NULL;
    if (!wci_digest_is_set(&record->image))
        return wci_err(err, WC_E_STATE,
                       "container '%s': its image '%s' was removed; pull it and create the container again",
                       record->name, record->image_name);
    int32_t rc = wci_image_find(engine->store, record->image.text, &image, err);
    if (!rc)
        rc = wci_rootfs_open(engine->store, image, upper, out, err);
    wci_image_record_free(image);
    return rc;
}

int32_t wci_ctr_rootfs(wci_engine *engine, const wci_container_record *record, wci_rootfs *out,
                       wc_error **err)
{
    char *dir = wci_container_dir(engine->store, record->id);
    char *upper = dir ? wci_path_join(dir, "upper") : NULL;
    int32_t rc = upper ? open_rootfs(engine, record, upper, out, err) : wci_err_nomem(err);
    wci_free(dir);
    wci_free(upper);
    return rc;
}

int32_t wci_ctr_call_add_layers(wci_ctr_call *op, wci_engine *engine,
                                const wci_container_record *record, wc_error **err)
{
    if (!(wci_backend_capabilities(op->backend) & WC_BACKEND_LAYERS))
        return WC_OK;
    wci_rootfs rootfs = {NULL, 0, 0};
    int32_t rc = open_rootfs(engine, record, NULL, &rootfs, err);
    if (!rc)
        rc = wci_rootfs_layers(&rootfs, &op->request.layers, err);
    wci_rootfs_free(&rootfs);
    return rc;
}

/* ---- The lock of start and remove ------------------------------------------------------------- */

char *wci_ctr_lock_path(wci_store *store, const char *id)
{
    char *dir = wci_container_dir(store, id);
    char *path = dir ? wci_path_join(dir, WCI_CTR_LOCK) : NULL;
    wci_free(dir);
    return path;
}

/* A remove that was killed may have taken the directory and left the row; others who come late for a container
 * that is gone make and remove the directory as we do. */
static int32_t acquire(wc_call *call, const char *dir, const char *path, wci_lock **out,
                       wc_error **err)
{
    for (int attempt = 0;; attempt++) {
        wc_error *why = NULL;
        int32_t rc = wci_lock_acquire(call, path, WCI_LOCK_EXCLUSIVE, out, &why);
        if (rc != WC_E_NOT_FOUND || attempt == LOCK_ATTEMPTS)
            return rc ? wci_err_move(err, why) : WC_OK;
        wc_error_unref(why);
        rc = wci_dir_make(dir, 0700, err);
        if (rc)
            return rc;
    }
}

int32_t wci_ctr_lock(wc_call *call, wci_engine *engine, const char *id, wci_lock **out,
                     wc_error **err)
{
    char *dir = wci_container_dir(engine->store, id);
    char *path = wci_ctr_lock_path(engine->store, id);
    wci_container_record *record = NULL;
    wci_lock *lock = NULL;
    int32_t rc = dir && path ? acquire(call, dir, path, &lock, err) : wci_err_nomem(err);
    if (!rc && (rc = wci_container_find(engine->store, id, &record, err))) {
        wci_lock_release_remove(lock);
        wci_dir_remove_empty(dir, NULL);
    }
    wci_container_record_free(record);
    wci_free(dir);
    wci_free(path);
    if (!rc)
        *out = lock;
    return rc;
}

/* ---- Reconciling ------------------------------------------------------------------------------ */

/* A refused update means that somebody else has recorded it. */
static int32_t update(wci_engine *engine, const wci_container_record *record,
                      const wci_container_change *change, wc_error **err)
{
    wc_error *why = NULL;
    int32_t rc = wci_container_update(engine->store, record->id, change, &why);
    if (rc == WC_E_STATE || rc == WC_E_NOT_FOUND) {
        wc_error_unref(why);
        return WC_OK;
    }
    return rc ? wci_err_move(err, why) : WC_OK;
}

/* The start is recorded after the backend has reported it, and a short run has ended by then. */
static int64_t end_time(const wci_container_record *record, const wc_response *end)
{
    int64_t time = end->finished_ns ? end->finished_ns : wci_now_ns();
    return time > record->started_ns ? time : record->started_ns;
}

static int is_lost(const wc_response *end)
{
    return end->status != WC_STATUS_EXITED;
}

int32_t wci_ctr_exit_code(const wc_response *end)
{
    return is_lost(end) && !end->exit_code ? LOST_EXIT_CODE : end->exit_code;
}

static int32_t record_end(wci_engine *engine, const wci_container_record *record,
                          const wc_response *end, wc_error **err)
{
    char attributes[48];
    int32_t code = wci_ctr_exit_code(end);
    snprintf(attributes, sizeof attributes, "{\"exitCode\":\"%d\"}", (int)code);
    wci_container_change change = {
        .from = LIVE,
        .generation = record->generation,
        .status = WCI_STATUS_EXITED,
        .finished_ns = end_time(record, end),
        .exit_code = code,
        .error = is_lost(end) ? "its monitor was killed" : "",
        .ends_health = 1,
        .action = "die",
        .attributes = attributes,
    };
    if (record->status == WCI_STATUS_RESTARTING) { /* how its last run ended is recorded */
        change.finished_ns = 0;
        change.action = NULL;
    }
    return update(engine, record, &change, err);
}

static int32_t record_running(wci_engine *engine, const wci_container_record *record,
                              const wc_response *state, wc_error **err)
{
    wci_container_change change = {
        .from = BIT(WCI_STATUS_STARTING),
        .generation = record->generation,
        .status = WCI_STATUS_RUNNING,
        .pid = state->pid,
        .started_ns = wci_now_ns(),
        .error = "",
        .action = "start",
    };
    return update(engine, record, &change, err);
}

int32_t wci_ctr_record_paused(wci_engine *engine, const wci_container_record *record, int is_paused, wc_error **err)
{
    wci_container_change change = {
        .from = BIT(is_paused ? WCI_STATUS_RUNNING : WCI_STATUS_PAUSED),
        .generation = record->generation,
        .status = is_paused ? WCI_STATUS_PAUSED : WCI_STATUS_RUNNING,
        .pid = record->pid,
        .action = is_paused ? "pause" : "unpause",
    };
    return update(engine, record, &change, err);
}

static int32_t no_start_exit_code(int32_t code)
{
    switch (code) {
    case WC_E_COMMAND_NOT_FOUND:
        return 127;
    case WC_E_COMMAND_NOT_EXECUTABLE:
        return 126;
    default:
        return 128;
    }
}

int32_t wci_ctr_record_no_start(wci_engine *engine, const wci_container_record *record, int32_t code,
                                const char *why, wc_error **err)
{
    wci_container_change change = {
        .from = BIT(WCI_STATUS_STARTING),
        .generation = record->generation,
        .status = record->started_ns ? WCI_STATUS_EXITED : WCI_STATUS_CREATED,
        .exit_code = no_start_exit_code(code),
        .error = why,
        .no_run = 1,
    };
    return update(engine, record, &change, err);
}

/* Whoever was starting it is gone, and nothing came of it. */
static int32_t record_interrupted(wci_engine *engine, const wci_container_record *record,
                                  wc_error **err)
{
    return wci_ctr_record_no_start(engine, record, WC_E_CANCELLED, "its start was interrupted", err);
}

static int32_t apply_state(wci_engine *engine, const wci_container_record *record,
                           const wc_response *state, wc_error **err)
{
    int starting = record->status == WCI_STATUS_STARTING;
    switch (state->status) {
    case WC_STATUS_RUNNING:
    case WC_STATUS_PAUSED:
        return starting ? record_running(engine, record, state, err)
                        : wci_ctr_record_paused(engine, record, state->status == WC_STATUS_PAUSED, err);
    case WC_STATUS_RESTARTING: /* its monitor has recorded that */
        return WC_OK;
    case WC_STATUS_EXITED:
        return record_end(engine, record, state, err);
    default:
        return starting ? record_interrupted(engine, record, err)
                        : record_end(engine, record, state, err);
    }
}

/* Nothing to be written: looking at what runs takes no turn among the writers. */
static int agrees(const wci_container_record *record, const wc_response *state)
{
    switch (state->status) {
    case WC_STATUS_RUNNING:
        return record->status == WCI_STATUS_RUNNING;
    case WC_STATUS_PAUSED:
        return record->status == WCI_STATUS_PAUSED;
    default:
        return 0;
    }
}

static int start_is_under_way(wci_engine *engine, const wci_container_record *record)
{
    char *path = wci_ctr_lock_path(engine->store, record->id);
    int held = path && wci_lock_is_held(path);
    wci_free(path);
    return held;
}

/* What the backend no longer knows does not run. */
static int32_t ask_state(wci_ctr_call *op, wc_call *call, wc_error **err)
{
    wc_error *why = NULL;
    int32_t rc = wci_ctr_call_run(op, WCI_OP_CONTAINER_STATE, call, &why);
    if (rc == WC_E_NOT_FOUND) {
        wc_error_unref(why);
        op->response.status = WC_STATUS_DEAD;
        return WC_OK;
    }
    return rc ? wci_err_move(err, why) : WC_OK;
}

static int32_t reread(wci_engine *engine, wci_container_record **record, wc_error **err)
{
    wci_container_record *now = NULL;
    int32_t rc = wci_container_find(engine->store, (*record)->id, &now, err);
    if (rc)
        return rc;
    wci_container_record_free(*record);
    *record = now;
    return WC_OK;
}

/* Nobody waits for this one: when it is being removed already, or cannot be, the next one will. */
static void remove_ended(wc_call *call, wci_engine *engine, const wci_container_record *record)
{
    char *path = wci_ctr_lock_path(engine->store, record->id);
    wci_lock *lock = NULL;
    if (path && !wci_lock_try(path, WCI_LOCK_EXCLUSIVE, &lock, NULL)) {
        wci_ctr_erase(call, engine, record, 1, NULL);
        wci_lock_release(lock);
    }
    wci_free(path);
}

int32_t wci_ctr_reconcile(wc_call *call, wci_engine *engine, wci_container_record **record,
                          wc_error **err)
{
    wci_container_record *r = *record;
    if (!wci_status_is_live(r->status) ||
        (r->status == WCI_STATUS_STARTING && start_is_under_way(engine, r)))
        return WC_OK;
    wci_ctr_call op;
    wc_error *why = NULL;
    int32_t rc = wci_ctr_call_init(call, engine, r, &op, &why);
    if (rc) {
        int not_ours = rc == WC_E_NOT_FOUND || rc == WC_E_MISSING || rc == WC_E_UNSUPPORTED;
        if (!not_ours)
            return wci_err_move(err, why);
        wc_error_unref(why);
        return WC_OK;
    }
    rc = ask_state(&op, call, err);
    int is_new = !rc && !agrees(r, &op.response);
    if (is_new)
        rc = apply_state(engine, r, &op.response, err);
    wci_ctr_call_free(&op);
    if (rc || !is_new)
        return rc;
    rc = reread(engine, record, err);
    if (!rc && (*record)->auto_remove && (*record)->status == WCI_STATUS_EXITED) {
        remove_ended(call, engine, *record);
        rc = reread(engine, record, err);
    }
    return rc;
}

int32_t wci_ctr_record(wc_call *call, wci_engine *engine, const char *id,
                       wci_container_record **out, wc_error **err)
{
    wci_container_record *record = NULL;
    int32_t rc = wci_container_find(engine->store, id, &record, err);
    if (!rc)
        rc = wci_ctr_reconcile(call, engine, &record, err);
    if (rc)
        wci_container_record_free(record);
    else
        *out = record;
    return rc;
}

static int32_t record_in(wc_call *call, wc_container *c, uint32_t statuses, wci_container_record **out, wc_error **err)
{
    wci_container_record *record = NULL;
    int32_t rc = wci_ctr_record(call, c->engine, c->id, &record, err);
    if (rc)
        return rc;
    if (!(BIT(record->status) & statuses)) {
        rc = wci_err(err, WC_E_STATE,
                     record->status == WCI_STATUS_RESTARTING
                         ? "container '%s': is being restarted by its policy; wait until it runs"
                         : "container '%s': does not run; start it first",
                     record->name);
        wci_container_record_free(record);
        return rc;
    }
    *out = record;
    return WC_OK;
}

int32_t wci_ctr_running(wc_call *call, wc_container *c, wci_container_record **out, wc_error **err)
{
    return record_in(call, c, BIT(WCI_STATUS_RUNNING) | BIT(WCI_STATUS_PAUSED), out, err);
}

int32_t wci_ctr_up(wc_call *call, wc_container *c, wci_container_record **out, wc_error **err)
{
    return record_in(call, c, BIT(WCI_STATUS_RUNNING) | BIT(WCI_STATUS_PAUSED) | BIT(WCI_STATUS_RESTARTING), out, err);
}

int32_t wci_ctr_running_free(wc_call *call, wc_container *c, const char *what, wci_container_record **out,
                             wc_error **err)
{
    wci_container_record *record = NULL;
    int32_t rc = wci_ctr_running(call, c, &record, err);
    if (!rc && record->status == WCI_STATUS_PAUSED)
        rc = wci_err(err, WC_E_STATE, "container '%s': is paused; unpause it before %s", record->name, what);
    if (rc)
        wci_container_record_free(record);
    else
        *out = record;
    return rc;
}
