/* SPDX-License-Identifier: Apache-2.0 */
/* Waiting for ends: the backend is waited on while the container runs, the store's events at other
 * times. Events also tell how a container ended that removed itself. */
#include "container/wait.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/process.h"
#include "platform/watch.h"

/* Events come through the watch; this is against one that was lost. */
#define LOOK_AGAIN_MS 1000
#define WITHOUT_WATCH_MS 20
#define EVENTS_AT_ONCE 128

/* ---- While it runs ---------------------------------------------------------------------------- */

/* For backends that cannot wait themselves. */
static int32_t poll_state(wci_ctr_call *op, wc_call *call, wc_error **err)
{
    for (;;) {
        int32_t rc = wci_ctr_call_run(op, WCI_OP_CONTAINER_STATE, call, err);
        int32_t status = op->response.status;
        if (rc || (status != WC_STATUS_RUNNING && status != WC_STATUS_PAUSED && status != WC_STATUS_RESTARTING))
            return rc;
        rc = wci_call_sleep_ms(call, WITHOUT_WATCH_MS, err);
        if (rc)
            return rc;
    }
}

static int32_t record_now(wc_call *call, wci_engine *engine, const char *id, wc_error **err)
{
    wci_container_record *record = NULL;
    wc_error *why = NULL;
    int32_t rc = wci_ctr_record(call, engine, id, &record, &why);
    wci_container_record_free(record);
    if (rc == WC_E_NOT_FOUND) { /* it has removed itself */
        wc_error_unref(why);
        return WC_OK;
    }
    return rc ? wci_err_move(err, why) : WC_OK;
}

int32_t wci_ctr_wait_end(wc_call *call, wci_engine *engine, const wci_container_record *record,
                         int32_t *exit_code, wc_error **err)
{
    wci_ctr_call op;
    int32_t rc = wci_ctr_call_init(call, engine, record, &op, err);
    if (rc)
        return rc;
    if (wci_backend_has(op.backend, WCI_OP_CONTAINER_WAIT))
        rc = wci_ctr_call_run(&op, WCI_OP_CONTAINER_WAIT, call, err);
    else
        rc = poll_state(&op, call, err);
    int32_t code = wci_ctr_exit_code(&op.response);
    wci_ctr_call_free(&op);
    if (!rc)
        rc = record_now(call, engine, record->id, err);
    if (!rc)
        *exit_code = code;
    return rc;
}

/* ---- Events ----------------------------------------------------------------------------------- */

typedef struct follower {
    wci_engine *engine;
    const char *id;
    int64_t after;    /* events up to here are read */
    int tried;        /* to make the watch */
    wci_watch *watch; /* NULL after trying: the system has none left; we look often instead */
} follower;

static void follower_init(follower *f, wc_container *c, int64_t after)
{
    *f = (follower){c->engine, c->id, after, 0, NULL};
}

static void follower_free(follower *f)
{
    wci_watch_free(f->watch);
}

static int32_t exit_code_of(const wci_event_record *event)
{
    json_t *json = json_loads(event->attributes, 0, NULL);
    json_t *code = json_object_get(json, "exitCode");
    int32_t value = (int32_t)(json_is_string(code) ? strtol(json_string_value(code), NULL, 10)
                                                   : json_integer_value(code));
    json_decref(json);
    return value;
}

static int is_end(const follower *f, const wci_event_record *event)
{
    return !strcmp(event->type, "container") && !strcmp(event->action, "die") &&
           !strcmp(event->id, f->id);
}

/* *found is 1 with the exit code of the first end that was not read before. */
static int32_t find_end(follower *f, int *found, int32_t *exit_code, wc_error **err)
{
    size_t count = EVENTS_AT_ONCE;
    *found = 0;
    while (!*found && count == EVENTS_AT_ONCE) {
        wci_event_record **events = NULL;
        count = 0;
        int32_t rc = wci_event_read(f->engine->store, f->after, EVENTS_AT_ONCE, &events, &count, err);
        if (rc)
            return rc;
        for (size_t i = 0; i < count && !*found; i++) {
            f->after = events[i]->seq;
            *found = is_end(f, events[i]);
            if (*found)
                *exit_code = exit_code_of(events[i]);
        }
        for (size_t i = 0; i < count; i++)
            wci_event_record_free(events[i]);
        wci_free(events);
    }
    return WC_OK;
}

/* What is looked at after this call is not missed by the next pause. */
static void notice(follower *f)
{
    if (f->watch)
        wci_watch_clear(f->watch);
}

static void make_watch(follower *f)
{
    char *path = wci_event_wake_path(f->engine->store);
    if (path)
        wci_watch_new(path, &f->watch, NULL);
    wci_free(path);
    f->tried = 1;
}

/* The first pause only makes the watch, and the caller looks once more: often there is nothing to wait
 * for, and the kernel takes some 10 ms to let go of a watch. */
static int32_t pause_for_change(wc_call *call, follower *f, wc_error **err)
{
    if (!f->tried) {
        make_watch(f);
        return WC_OK;
    }
    if (!f->watch)
        return wci_call_sleep_ms(call, WITHOUT_WATCH_MS, err);
    wci_poll_item item = {wci_watch_fd(f->watch), WCI_POLL_READ, 0};
    int ready;
    return wci_poll(call, &item, 1, LOOK_AGAIN_MS, &ready, err);
}

/* ---- The three conditions --------------------------------------------------------------------- */

/* The container is gone: how it ended, if that was while the holder of the handle had it. */
static int32_t end_of_gone(wc_container *c, int32_t *exit_code, wc_error **err)
{
    follower f;
    int found = 0;
    follower_init(&f, c, atomic_load(&c->seen_event));
    wc_error *why = NULL;
    int32_t rc = find_end(&f, &found, exit_code, &why);
    if (rc && rc != WC_E_GAP)
        return wci_err_move(err, why);
    wc_error_unref(why);
    if (!found)
        return wci_err(err, WC_E_NOT_FOUND, "container '%.12s': no such container", c->id);
    return WC_OK;
}

/* WC_E_NOT_FOUND without an error object when it is gone. */
static int32_t look(wc_call *call, wc_container *c, wci_container_record **out, wc_error **err)
{
    wc_error *why = NULL;
    int32_t rc = wci_ctr_record(call, c->engine, c->id, out, &why);
    if (rc && rc != WC_E_NOT_FOUND)
        return wci_err_move(err, why);
    wc_error_unref(why);
    return rc;
}

static int32_t wait_not_running(wc_call *call, wc_container *c, int32_t *exit_code, wc_error **err)
{
    follower f;
    follower_init(&f, c, 0);
    int32_t rc, ended = 0;
    do {
        wci_container_record *record = NULL;
        notice(&f);
        rc = look(call, c, &record, err);
        if (rc == WC_E_NOT_FOUND) {
            rc = end_of_gone(c, exit_code, err);
            ended = 1;
        } else if (!rc && !wci_status_is_live(record->status)) {
            *exit_code = record->exit_code;
            ended = 1;
        } else if (!rc && record->status == WCI_STATUS_STARTING) {
            rc = pause_for_change(call, &f, err);
        } else if (!rc) {
            rc = wci_ctr_wait_end(call, c->engine, record, exit_code, err);
            ended = 1;
        }
        wci_container_record_free(record);
    } while (!rc && !ended);
    follower_free(&f);
    return rc;
}

/* The first end whose event comes after number `after`. */
static int32_t wait_end_after(wc_call *call, wc_container *c, int64_t after, int32_t *exit_code, wc_error **err)
{
    follower f;
    int found = 0;
    int32_t rc = WC_OK;
    follower_init(&f, c, after);
    while (!rc && !found) {
        wci_container_record *record = NULL;
        notice(&f);
        rc = look(call, c, &record, err);
        int gone = rc == WC_E_NOT_FOUND;
        if (!rc || gone)
            rc = find_end(&f, &found, exit_code, err);
        if (!rc && !found && gone)
            rc = wci_err(err, WC_E_NOT_FOUND, "container '%.12s': it was removed", c->id);
        else if (!rc && !found && wci_status_is_live(record->status) &&
                 record->status != WCI_STATUS_STARTING)
            rc = wci_ctr_wait_end(call, c->engine, record, exit_code, err), found = 1;
        else if (!rc && !found)
            rc = pause_for_change(call, &f, err);
        wci_container_record_free(record);
    }
    follower_free(&f);
    return rc;
}

static int32_t wait_next_exit(wc_call *call, wc_container *c, int32_t *exit_code, wc_error **err)
{
    int64_t last = 0;
    int32_t rc = wci_event_last(c->engine->store, &last, err);
    return rc ? rc : wait_end_after(call, c, last, exit_code, err);
}

static int32_t wait_run_end(wc_call *call, wc_container *c, int32_t *exit_code, wc_error **err)
{
    int64_t seen = atomic_load(&c->seen_event);
    return seen ? wait_end_after(call, c, seen, exit_code, err) : wait_next_exit(call, c, exit_code, err);
}

/* The exit code is that of the last run. */
static int32_t wait_removed(wc_call *call, wc_container *c, int32_t *exit_code, wc_error **err)
{
    follower f;
    follower_init(&f, c, 0);
    int32_t rc, seen = 0;
    for (;;) {
        wci_container_record *record = NULL;
        notice(&f);
        rc = look(call, c, &record, err);
        if (rc)
            break;
        seen = 1;
        *exit_code = record->exit_code;
        if (wci_status_is_live(record->status) && record->status != WCI_STATUS_STARTING)
            rc = wci_ctr_wait_end(call, c->engine, record, exit_code, err);
        else
            rc = pause_for_change(call, &f, err);
        wci_container_record_free(record);
        if (rc)
            break;
    }
    follower_free(&f);
    if (rc != WC_E_NOT_FOUND)
        return rc;
    int32_t code;
    rc = end_of_gone(c, &code, seen ? NULL : err);
    if (!rc)
        *exit_code = code;
    return seen ? WC_OK : rc;
}

int32_t wci_ctr_wait(wc_call *call, wc_container *c, int32_t condition, int32_t *exit_code,
                     wc_error **err)
{
    switch (condition) {
    case WC_WAIT_NOT_RUNNING:
        return wait_not_running(call, c, exit_code, err);
    case WC_WAIT_NEXT_EXIT:
        return wait_next_exit(call, c, exit_code, err);
    case WC_WAIT_RUN_END:
        return wait_run_end(call, c, exit_code, err);
    default:
        return wait_removed(call, c, exit_code, err);
    }
}

/* ---- Any of several --------------------------------------------------------------------------- */

static uint64_t conditions_of(const wci_container_record *record)
{
    uint64_t met = wci_status_is_live(record->status) ? 0 : WC_WAITS_NOT_RUNNING;
    if (record->status != WCI_STATUS_RUNNING)
        return met;
    return met | WC_WAITS_RUNNING | (record->health == WCI_HEALTH_HEALTHY ? WC_WAITS_HEALTHY : 0) |
           (record->health == WCI_HEALTH_UNHEALTHY ? WC_WAITS_UNHEALTHY : 0);
}

/* One look; *met stays 0 when none of the conditions holds. */
static int32_t look_for(wc_call *call, wc_container *c, follower *f, uint64_t conditions, uint64_t *met,
                        int32_t *exit_code, wc_error **err)
{
    wci_container_record *record = NULL;
    int ended = 0;
    int32_t rc = look(call, c, &record, err);
    int gone = rc == WC_E_NOT_FOUND;
    if (gone && !(conditions & (WC_WAITS_REMOVED | WC_WAITS_NEXT_EXIT | WC_WAITS_NOT_RUNNING)))
        return wci_err(err, WC_E_NOT_FOUND, "container '%.12s': no such container", c->id);
    if (rc && !gone)
        return rc;
    rc = find_end(f, &ended, exit_code, err);
    uint64_t holds = (gone ? WC_WAITS_REMOVED | WC_WAITS_NOT_RUNNING : conditions_of(record)) |
                     (ended ? WC_WAITS_NEXT_EXIT : 0);
    if (!rc && !gone && !ended && (holds & WC_WAITS_NOT_RUNNING))
        *exit_code = record->exit_code;
    wci_container_record_free(record);
    *met = rc ? 0 : holds & conditions;
    if (!rc && gone && !*met)
        rc = wci_err(err, WC_E_NOT_FOUND, "container '%.12s': it was removed", c->id);
    return rc;
}

int32_t wci_ctr_wait_any(wc_call *call, wc_container *c, uint64_t conditions, uint64_t *met, int32_t *exit_code,
                         wc_error **err)
{
    follower f;
    int64_t last = 0;
    int32_t rc = wci_event_last(c->engine->store, &last, err);
    follower_init(&f, c, last);
    *met = 0;
    while (!rc && !*met) {
        notice(&f);
        rc = look_for(call, c, &f, conditions, met, exit_code, err);
        if (!rc && !*met)
            rc = pause_for_change(call, &f, err);
    }
    follower_free(&f);
    return rc;
}
