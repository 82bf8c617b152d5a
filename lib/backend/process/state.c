/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/state.h"

#include <string.h>

#include <wincontainer/container.h>

#include "backend/process/protocol.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/file.h"
#include "platform/process.h"

/* One that SIGKILL does not end within this time is stuck in the kernel. */
#define RUNTIME_DIES_MS 10000

/* *out NULL when the file is not there, or tells nothing any more: a power cut may have spoilt it. */
static int32_t read_record(const char *run_dir, const char *name, json_t **out, wc_error **err)
{
    *out = NULL;
    char *path = wci_path_join(run_dir, name);
    if (!path)
        return wci_err_nomem(err);
    wc_buf *text = NULL;
    wc_error *why = NULL;
    int32_t rc = wci_file_read_all(path, 64 * 1024, &text, &why);
    if (!rc)
        rc = wci_json_parse(wc_buf_data(text), wc_buf_size(text), 64 * 1024, path, out, &why);
    wc_buf_unref(text);
    wci_free(path);
    if (rc == WC_E_NOT_FOUND || rc == WC_E_FORMAT) {
        wci_err_clear(&why);
        return WC_OK;
    }
    return rc ? wci_err_move(err, why) : WC_OK;
}

static int64_t number(json_t *record, const char *key)
{
    return (int64_t)json_integer_value(json_object_get(record, key));
}

static int32_t read_run(const char *run_dir, wci_run_state *state, int *found, wc_error **err)
{
    json_t *record = NULL;
    int32_t rc = read_record(run_dir, WCI_RUN_STATE, &record, err);
    if (rc)
        return rc;
    *found = record != NULL;
    state->pid = number(record, "pid");
    state->pid_start = number(record, "pidStart");
    json_decref(record);
    return WC_OK;
}

void wci_run_cgroup(const char *run_dir, char *path, size_t size)
{
    json_t *record = NULL;
    if (read_record(run_dir, WCI_RUN_STATE, &record, NULL))
        return;
    const char *text = json_string_value(json_object_get(record, "cgroup"));
    if (text && *text == '/' && strlen(text) < size && !strstr(text, "/../"))
        memcpy(path, text, strlen(text) + 1);
    json_decref(record);
}

static int32_t read_exit(const char *run_dir, wci_run_state *state, int *found, wc_error **err)
{
    json_t *record = NULL;
    int32_t rc = read_record(run_dir, WCI_RUN_EXIT, &record, err);
    if (rc)
        return rc;
    *found = record != NULL;
    state->exit_code = (int32_t)number(record, "exitCode");
    state->finished_ns = number(record, "finished");
    json_decref(record);
    return WC_OK;
}

static int is_paused(const char *run_dir)
{
    char *path = wci_path_join(run_dir, WCI_RUN_PAUSED);
    int paused = path && wci_file_exists(path);
    wci_free(path);
    return paused;
}

int wci_run_is_up(const wci_run_state *state)
{
    return state->status == WC_STATUS_RUNNING || state->status == WC_STATUS_PAUSED ||
           state->status == WC_STATUS_RESTARTING;
}

int32_t wci_run_state_read(const char *run_dir, int started, wci_run_state *out, wc_error **err)
{
    char *lock = wci_path_join(run_dir, WCI_RUN_LOCK);
    if (!lock)
        return wci_err_nomem(err);
    /* The monitor writes the exit record before it lets go, so the lock is looked at first. */
    int held = wci_lock_is_held(lock);
    wci_free(lock);
    wci_run_state state = {0};
    int exited = 0, ran = 0;
    int32_t rc = read_exit(run_dir, &state, &exited, err);
    if (!rc && !exited)
        rc = read_run(run_dir, &state, &ran, err);
    if (rc)
        return rc;
    state.ending = held && exited;
    if (exited)
        state.status = WC_STATUS_EXITED;
    else if (held && ran && !state.pid) /* between two runs */
        state.status = WC_STATUS_RESTARTING;
    else if (held)
        state.status = is_paused(run_dir) ? WC_STATUS_PAUSED : WC_STATUS_RUNNING;
    else
        state.status = started || ran ? WC_STATUS_DEAD : WC_STATUS_CREATED;
    *out = state;
    return WC_OK;
}

static int has_runtime(const char *run_dir)
{
    json_t *record = NULL;
    if (read_record(run_dir, WCI_RUN_RUNTIME, &record, NULL) || !record)
        return 0;
    int alive = wci_process_alive(number(record, "pid"), number(record, "pidStart"));
    json_decref(record);
    return alive;
}

void wci_run_wait_for_runtime(const char *run_dir)
{
    WCI_CALL_NONE(call);
    for (int ms = 0; ms < RUNTIME_DIES_MS && has_runtime(run_dir); ms++)
        (void)wci_call_sleep_ms(&call, 1, NULL);
}
