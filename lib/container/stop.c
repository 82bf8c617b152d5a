/* SPDX-License-Identifier: Apache-2.0 */
/* Signals, stop and remove. */
#include <string.h>

#include <wincontainer/context.h>
#include <wincontainer/image.h>

#include "container/container.h"
#include "core/signal.h"
#include "container/wait.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"
#include "store/store_volume.h"
#include "store/store_life.h"

/* A run may end just when a signal for it comes. */
#define SEND_AGAIN 100
/* A process that SIGKILL does not end within this time is stuck in the kernel. */
#define KILL_TIMEOUT_NS INT64_C(10000000000)

/* One that is paused ends only when it goes on. Where backends keep the records, they see to that. */
static int32_t let_go_on(wc_call *call, wci_engine *engine, const wci_container_record *record, wci_ctr_call *op,
                         wc_error **err)
{
    if (record->status != WCI_STATUS_PAUSED || (wci_backend_capabilities(op->backend) & WC_BACKEND_RECORDS))
        return WC_OK;
    wc_error *why = NULL;
    int32_t rc = wci_ctr_call_run(op, WCI_OP_CONTAINER_RESUME, call, &why);
    if (rc && rc != WC_E_STATE) /* it has ended by then */
        return wci_err_move(err, why);
    wc_error_unref(why);
    return rc ? WC_OK : wci_ctr_record_paused(engine, record, 0, err);
}

/* `ends`: it is to end by this signal. */
static int32_t send(wc_call *call, wci_engine *engine, const wci_container_record *record,
                    int signal, int ends, wc_error **err)
{
    wci_ctr_call op;
    int32_t rc = wci_ctr_call_init(call, engine, record, &op, err);
    if (rc)
        return rc;
    rc = wci_request_set_int(&op.request, "signal", signal) ? wci_err_nomem(err) : WC_OK;
    if (!rc)
        rc = wci_ctr_call_run(&op, WCI_OP_CONTAINER_KILL, call, err);
    if (!rc && ends)
        rc = let_go_on(call, engine, record, &op, err);
    wci_ctr_call_free(&op);
    return rc;
}

static int32_t stop_signal_of(const wci_container_record *record, int *signal, int64_t *timeout_ns, wc_error **err)
{
    wci_config config = {0};
    int32_t rc = wci_config_from_json(record->config, &config, err);
    if (!rc)
        rc = wci_signal_parse(config.stop_signal, signal, err);
    *timeout_ns = config.stop_timeout_ns;
    wci_config_free(&config);
    return rc;
}

static int32_t tell(wci_engine *engine, const wci_container_record *record, const char *action,
                    int signal, wc_error **err)
{
    char *attributes = wci_asprintf("{\"name\":\"%s\",\"signal\":\"%d\"}", record->name, signal);
    int32_t rc = attributes ? wci_event_add(engine->store, "container", action, record->id,
                                            attributes, err)
                            : wci_err_nomem(err);
    wci_free(attributes);
    return rc;
}

int32_t wci_ctr_kill(wc_call *call, wc_container *c, int signal, wc_error **err)
{
    wci_container_record *record = NULL;
    int stop_signal = 0;
    int64_t timeout_ns;
    int32_t rc = wci_ctr_up(call, c, &record, err);
    if (!rc)
        rc = stop_signal_of(record, &stop_signal, &timeout_ns, err);
    int ends = signal == WCI_SIGKILL || signal == stop_signal;
    if (!rc && ends) /* its restart policy is to know before it ends */
        rc = wci_container_set_stopped(c->engine->store, c->id, err);
    if (!rc)
        rc = send(call, c->engine, record, signal, ends, err);
    if (!rc)
        rc = tell(c->engine, record, "kill", signal, err);
    wci_container_record_free(record);
    return rc;
}

/* ---- Stop ------------------------------------------------------------------------------------- */

/* What it is now; *record is NULL when it is gone. */
static int32_t look(wc_call *call, wci_engine *engine, const char *id, wci_container_record **record, wc_error **err)
{
    wc_error *why = NULL;
    *record = NULL;
    int32_t rc = wci_ctr_record(call, engine, id, record, &why);
    if (rc && rc != WC_E_NOT_FOUND)
        return wci_err_move(err, why);
    wc_error_unref(why);
    return WC_OK;
}

/* Another run than the record's: that one has ended, and somebody has started the container since. */
static int runs_anew(wc_call *call, wci_engine *engine, const wci_container_record *record)
{
    wci_container_record *now = NULL;
    int is = !look(call, engine, record->id, &now, NULL) && now &&
             (now->generation != record->generation || (now->pid && record->pid && now->pid != record->pid));
    wci_container_record_free(now);
    return is;
}

/* WC_E_TIMEOUT when it still runs after timeout_ns. */
static int32_t wait_at_most(wc_call *call, wci_engine *engine, const wci_container_record *record,
                            int64_t timeout_ns, wc_error **err)
{
    wci_deadline *deadline = NULL;
    int32_t code, rc = wci_deadline_begin(call, timeout_ns, &deadline, err);
    if (rc)
        return rc;
    wc_error *why = NULL;
    rc = wci_ctr_wait_end(wci_deadline_call(deadline), engine, record, &code, &why);
    wci_deadline_end(deadline);
    if (!rc)
        return WC_OK;
    if (rc == WC_E_TIMEOUT || rc == WC_E_CANCELLED) {
        wc_error_unref(why);
        rc = wci_call_check(call, err);
        if (!rc && runs_anew(call, engine, record))
            return WC_OK;
        return rc ? rc
                  : wci_err(err, WC_E_TIMEOUT, "container '%s': still runs after %lld ms",
                            record->name, (long long)(timeout_ns / 1000000));
    }
    return wci_err_move(err, why);
}

/* Its run has ended, and its monitor waits for the next. */
static int is_restarting(wc_call *call, wci_engine *engine, const char *id)
{
    wci_container_record *record = NULL;
    int is = !wci_ctr_record(call, engine, id, &record, NULL) && record->status == WCI_STATUS_RESTARTING;
    wci_container_record_free(record);
    return is;
}

/* Sends a signal and waits for the end; that it has ended meanwhile is just as well. */
static int32_t end_with(wc_call *call, wci_engine *engine, const wci_container_record *record,
                        int signal, int64_t timeout_ns, wc_error **err)
{
    wc_error *why = NULL;
    int32_t rc = send(call, engine, record, signal, 1, &why);
    for (int i = 0; rc == WC_E_STATE && i < SEND_AGAIN && is_restarting(call, engine, record->id); i++) {
        wci_err_clear(&why);
        rc = send(call, engine, record, signal, 1, &why);
    }
    if (rc && rc != WC_E_STATE && rc != WC_E_NOT_FOUND)
        return wci_err_move(err, why);
    wc_error_unref(why);
    return wait_at_most(call, engine, record, timeout_ns, err);
}

static int32_t stop_run(wc_call *call, wci_engine *engine, const wci_container_record *record, int64_t timeout_ns,
                        wc_error **err)
{
    int signal = WCI_SIGTERM;
    int64_t own_timeout_ns;
    int32_t rc = stop_signal_of(record, &signal, &own_timeout_ns, err);
    if (rc)
        return rc;
    if (timeout_ns < 0)
        timeout_ns = own_timeout_ns;
    wc_error *why = NULL;
    rc = end_with(call, engine, record, signal, timeout_ns, &why);
    if (rc == WC_E_TIMEOUT && !wci_call_check(call, NULL)) {
        wc_error_unref(why);
        why = NULL;
        rc = end_with(call, engine, record, WCI_SIGKILL, KILL_TIMEOUT_NS, &why);
    }
    return rc ? wci_err_move(err, why) : WC_OK;
}

static int32_t kill_run(wc_call *call, wci_engine *engine, const wci_container_record *record, int64_t timeout_ns,
                        wc_error **err)
{
    return end_with(call, engine, record, WCI_SIGKILL, timeout_ns, err);
}

/* Ends it for good: no policy starts it again. One that ends in the same moment by itself may run once more, and our
 * signal did not come to that run: its policy had decided before it knew. What somebody else starts meanwhile is his. */
static int32_t end_for_good(wc_call *call, wci_engine *engine, const wci_container_record *first,
                            int32_t (*end)(wc_call *, wci_engine *, const wci_container_record *, int64_t, wc_error **),
                            int64_t timeout_ns, wc_error **err)
{
    wci_container_record *again = NULL;
    int32_t rc = wci_container_set_stopped(engine->store, first->id, err);
    if (!rc)
        rc = end(call, engine, first, timeout_ns, err);
    while (!rc && !(rc = look(call, engine, first->id, &again, err)) && again && wci_status_is_live(again->status) &&
           again->generation == first->generation) {
        rc = end(call, engine, again, timeout_ns, err);
        wci_container_record_free(again);
        again = NULL;
    }
    wci_container_record_free(again);
    return rc;
}

int32_t wci_ctr_stop(wc_call *call, wc_container *c, int64_t timeout_ns, wc_error **err)
{
    wci_container_record *record = NULL;
    int signal = 0;
    int64_t own_timeout_ns;
    int32_t rc = wci_ctr_record(call, c->engine, c->id, &record, err);
    if (rc)
        return rc;
    if (wci_status_is_live(record->status)) {
        rc = end_for_good(call, c->engine, record, stop_run, timeout_ns, err);
        if (!rc)
            rc = stop_signal_of(record, &signal, &own_timeout_ns, err);
        if (!rc)
            rc = tell(c->engine, record, "stop", signal, err);
    }
    wci_container_record_free(record);
    return rc;
}

/* ---- Remove ----------------------------------------------------------------------------------- */

static int32_t set_removing(wci_engine *engine, const char *id, wci_status status,
                            const char *error, wc_error **err)
{
    wci_container_change change = {
        .from = 1u << WCI_STATUS_CREATED | 1u << WCI_STATUS_EXITED | 1u << WCI_STATUS_REMOVING |
                1u << WCI_STATUS_DEAD,
        .generation = -1,
        .status = status,
        .error = error,
    };
    return wci_container_update(engine->store, id, &change, err);
}

/* The lock stays until the row is gone: who found none there would make another, and work beside us. */
static int32_t empty_state_dir(const char *dir, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    wc_error *why = NULL;
    int32_t rc = wci_dir_list(dir, &names, &why);
    for (size_t i = 0; i < names.count && !rc; i++) {
        char *path = wci_path_join(dir, names.items[i]);
        if (!path)
            rc = wci_err_nomem(&why);
        else if (strcmp(names.items[i], WCI_CTR_LOCK))
            rc = wci_dir_remove_all(path, &why);
        wci_free(path);
    }
    wci_strv_free(&names);
    if (rc == WC_E_NOT_FOUND) { /* one that was killed had removed it */
        wc_error_unref(why);
        return WC_OK;
    }
    return rc ? wci_err_move(err, why) : WC_OK;
}

/* Who comes now finds no row, and removes what he made. */
static void remove_state_dir(wci_store *store, const char *id)
{
    char *dir = wci_container_dir(store, id), *path = wci_ctr_lock_path(store, id);
    if (dir && path) {
        (void)wci_file_remove(path, NULL);
        (void)wci_dir_remove_empty(dir, NULL);
    }
    wci_free(dir);
    wci_free(path);
}

static int32_t release_backend(wc_call *call, wci_engine *engine,
                               const wci_container_record *record, wc_error **err)
{
    wci_ctr_call op;
    int32_t rc = wci_ctr_call_init(call, engine, record, &op, err);
    if (rc)
        return rc;
    if (wci_backend_has(op.backend, WCI_OP_CONTAINER_REMOVE))
        rc = wci_ctr_call_run(&op, WCI_OP_CONTAINER_REMOVE, call, err);
    if (!rc)
        rc = wci_dir_remove_all(op.request.run_dir, err);
    if (!rc)
        rc = empty_state_dir(op.request.state_dir, err);
    wci_ctr_call_free(&op);
    return rc;
}

/* The row goes after all that matters: whoever finds one that is being removed goes on where it was left. Called
 * with the container's lock held. */
int32_t wci_ctr_erase(wc_call *call, wci_engine *engine, const wci_container_record *record, int with_volumes,
                      wc_error **err)
{
    int32_t rc = set_removing(engine, record->id, WCI_STATUS_REMOVING, NULL, err);
    if (rc)
        return rc;
    wc_error *why = NULL;
    rc = release_backend(call, engine, record, &why);
    if (rc && rc != WC_E_CANCELLED && rc != WC_E_TIMEOUT)
        set_removing(engine, record->id, WCI_STATUS_DEAD, wc_error_message(why), NULL);
    if (rc)
        return wci_err_move(err, why);
    /* One that removes itself leaves nothing, whoever does it in the end. */
    rc = with_volumes || record->auto_remove ? wci_container_delete_with_volumes(call, engine->store, record->id, err)
                                             : wci_container_delete(engine->store, record->id, err);
    if (!rc)
        remove_state_dir(engine->store, record->id);
    return rc;
}

static int32_t end_first(wc_call *call, wci_engine *engine, wci_container_record *record, int force,
                         wc_error **err)
{
    if (!wci_status_is_live(record->status))
        return WC_OK;
    if (!force)
        return wci_err(err, WC_E_STATE, "container '%s': runs; stop it first, or remove it by force",
                       record->name);
    return end_for_good(call, engine, record, kill_run, KILL_TIMEOUT_NS, err);
}

/* What removed itself meanwhile is removed. */
static int32_t remove_locked(wc_call *call, wc_container *c, uint64_t flags, wc_error **err)
{
    wci_container_record *record = NULL;
    int32_t rc = wci_ctr_record(call, c->engine, c->id, &record, err);
    if (rc)
        return rc;
    wc_error *why = NULL;
    int was_live = wci_status_is_live(record->status);
    rc = end_first(call, c->engine, record, (flags & WC_REMOVE_FORCE) != 0, &why);
    if (!rc)
        rc = wci_ctr_erase(call, c->engine, record, (flags & WC_REMOVE_VOLUMES) != 0, &why);
    int auto_removed = rc == WC_E_NOT_FOUND && was_live && record->auto_remove;
    wci_container_record_free(record);
    if (!auto_removed)
        return rc ? wci_err_move(err, why) : WC_OK;
    wc_error_unref(why);
    return WC_OK;
}

int32_t wci_ctr_remove(wc_call *call, wc_container *c, uint64_t flags, wc_error **err)
{
    wci_lock *lock = NULL;
    int32_t rc = wci_ctr_lock(call, c->engine, c->id, &lock, err);
    if (rc)
        return rc;
    rc = remove_locked(call, c, flags, err);
    wci_lock_release(lock);
    return rc;
}

/* ---- Prune ------------------------------------------------------------------------------------ */

static uint64_t bytes_of(wci_store *store, const char *id)
{
    uint64_t bytes = 0, entries = 0;
    char *dir = wci_container_dir(store, id);
    if (dir)
        wci_dir_usage(dir, &bytes, &entries, NULL);
    wci_free(dir);
    return bytes;
}

/* One that cannot be removed, or that somebody starts meanwhile, does not keep the others. */
static int32_t prune_one(wc_call *call, wci_engine *engine, wci_container_record **record,
                         wci_strv *removed, uint64_t *bytes, wc_error **err)
{
    wc_container *c = NULL;
    if (wci_ctr_reconcile(call, engine, record, NULL) || wci_status_is_live((*record)->status))
        return WC_OK;
    uint64_t size = bytes_of(engine->store, (*record)->id);
    int32_t rc = wci_ctr_new(engine, (*record)->id, &c, err);
    if (rc)
        return rc;
    wc_error *why = NULL;
    rc = wci_ctr_remove(call, c, 0, &why);
    wci_ctr_free(c);
    if (rc == WC_OK) {
        *bytes += size;
        return wci_strv_add_take(removed, wci_asprintf("Deleted: container %s (%s)",
                                                       (*record)->id, (*record)->name))
                   ? wci_err_nomem(err)
                   : WC_OK;
    }
    wci_log_printf(engine->log, WC_LOG_WARN, "container '%s': not pruned: %s", (*record)->name,
                   wc_error_message(why));
    wc_error_unref(why);
    return wci_call_check(call, err);
}

int32_t wci_ctr_prune(wc_call *call, wci_engine *engine, wci_strv *removed, uint64_t *bytes,
                      wc_error **err)
{
    wci_container_record **records = NULL;
    size_t count = 0;
    int32_t rc = wci_container_list(engine->store, &records, &count, err);
    for (size_t i = 0; !rc && i < count; i++)
        rc = prune_one(call, engine, &records[i], removed, bytes, err);
    wci_container_records_free(records, count);
    return rc ? rc : wci_backends_prune(removed, err);
}
