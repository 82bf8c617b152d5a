/* SPDX-License-Identifier: Apache-2.0 */
/* Talking to monitors that run: state, signals, waiting, attaching; and clearing up after them. */
#include <string.h>

#include <wincontainer/container.h>

#include "backend/process/linux/backend.h"
#include "backend/process/linux/cgroup.h"
#include "backend/process/linux/left.h"
#include "backend/process/linux/netavark.h"
#include "backend/process/linux/rootless.h"
#include "backend/process/protocol.h"
#include "backend/process/state.h"
#include "backend/process/stream.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/file.h"
#include "platform/host.h"
#include "platform/process.h"

/* One process with a run directory: a container's first, or a further one. */
typedef struct target {
    char *dir;
    char *name; /* for messages */
    int started;
} target;

static void target_free(target *t)
{
    wci_free(t->dir);
    wci_free(t->name);
}

static int32_t container_target(const wc_request *request, target *out, wc_error **err)
{
    out->started = wc_request_int(request, "generation", 0) > 0;
    out->dir = wci_strdup(wc_request_run_dir(request));
    out->name = wci_asprintf("container '%s'", wc_request_container_id(request));
    if (out->dir && out->name)
        return WC_OK;
    target_free(out);
    return wci_err_nomem(err);
}

static int32_t process_target(const wc_request *request, target *out, wc_error **err)
{
    int32_t rc = wci_exec_dir(request, &out->dir, err);
    if (rc)
        return rc;
    out->started = 1;
    out->name = wci_asprintf("process '%s'", wc_request_string(request, "process-id"));
    if (out->name)
        return WC_OK;
    target_free(out);
    return wci_err_nomem(err);
}

static void answer_state(const wci_run_state *state, wc_response *response)
{
    wc_response_set_status(response, state->status);
    wc_response_set_pid(response, wci_run_is_up(state) ? state->pid : 0);
    if (state->status == WC_STATUS_EXITED)
        wc_response_set_exit(response, state->exit_code, state->finished_ns);
}

static int32_t target_state(const target *t, wc_call *call, wc_response *response)
{
    wci_run_state state;
    int32_t rc = wci_run_state_read(t->dir, t->started, &state, call->err);
    if (!rc)
        answer_state(&state, response);
    return rc;
}

static int32_t not_running(const target *t, wc_error **err)
{
    return wci_err(err, WC_E_STATE, "%s: does not run", t->name);
}

/* Connects to the monitor. WC_E_CLOSED without an error when it has gone or goes; one that is just
 * starting is waited for. */
static int32_t reach(const target *t, wc_call *call, wci_link *link, uint32_t *flags,
                     wc_error **err)
{
    for (;;) {
        wci_run_state state;
        int32_t rc = wci_link_connect(call, t->dir, link, flags, err);
        if (rc != WC_E_CLOSED)
            return rc;
        rc = wci_run_state_read(t->dir, t->started, &state, err);
        if (rc)
            return rc;
        if (!wci_run_is_up(&state))
            return WC_E_CLOSED;
        rc = wci_call_sleep_ms(call, 2, err);
        if (rc)
            return rc;
    }
}

/* Sends one frame and waits for the answer of type `expect`. */
static int32_t ask_with(wc_call *call, wci_link *link, int type, const void *data, size_t size, int expect,
                        wci_frame *answer, wc_error **err)
{
    int32_t rc = wci_link_send(call, link, type, data, size, -1, err);
    if (!rc)
        rc = wci_link_flush(call, link, -1, err);
    while (!rc) {
        rc = wci_link_recv(call, link, -1, answer, err);
        if (!rc && answer->type == expect)
            return WC_OK;
    }
    if (rc == WC_E_CLOSED)
        wci_err_clear(err);
    return rc;
}

static int32_t ask(wc_call *call, wci_link *link, int type, uint32_t number, int expect,
                   wci_frame *answer, wc_error **err)
{
    unsigned char data[4];
    wci_put_u32(data, number);
    return ask_with(call, link, type, data, sizeof data, expect, answer, err);
}

static int32_t read_answer(const target *t, const wci_frame *frame, json_t **result, wc_error **err)
{
    json_t *answer = NULL;
    int32_t rc = wci_json_parse(frame->data, frame->size, WCI_FRAME_MAX, "answer of a monitor", &answer, err);
    if (rc)
        return rc;
    const char *message = json_string_value(json_object_get(answer, "message"));
    rc = (int32_t)json_integer_value(json_object_get(answer, "code"));
    if (rc)
        rc = wci_err_native(err, rc, (int32_t)json_integer_value(json_object_get(answer, "domain")),
                            json_integer_value(json_object_get(answer, "native")), "%s: %s", t->name,
                            message ? message : "its monitor gave no reason");
    else if (result)
        *result = json_incref(json_object_get(answer, "result"));
    json_decref(answer);
    return rc;
}

static int32_t send_command(const target *t, wc_call *call, const char *text, json_t **result)
{
    wci_link link;
    wci_frame frame;
    uint32_t flags = 0;
    int32_t rc = reach(t, call, &link, &flags, call->err);
    if (rc)
        return rc == WC_E_CLOSED ? not_running(t, call->err) : rc;
    if (!(flags & WCI_HELLO_COMMANDS))
        rc = wci_err(call->err, WC_E_UNSUPPORTED, "%s: was started by an older version; restart it", t->name);
    else
        rc = ask_with(call, &link, WCI_FRAME_COMMAND, text, strlen(text), WCI_FRAME_ANSWER, &frame, call->err);
    if (rc == WC_E_CLOSED)
        rc = not_running(t, call->err);
    else if (!rc)
        rc = read_answer(t, &frame, result, call->err);
    wci_link_close(&link);
    return rc;
}

int32_t wci_process_command(wc_call *call, const wc_request *request, json_t *command, json_t **result)
{
    target t;
    char *text = command ? wci_json_dump_text(command) : NULL;
    json_decref(command);
    int32_t rc = text ? container_target(request, &t, call->err) : wci_err_nomem(call->err);
    if (!rc) {
        rc = send_command(&t, call, text, result);
        target_free(&t);
    }
    wci_free(text);
    return rc;
}

static int32_t target_kill(const target *t, wc_call *call, int signal)
{
    wci_link link;
    wci_frame frame;
    uint32_t flags = 0;
    int32_t rc = reach(t, call, &link, &flags, call->err);
    if (rc)
        return rc == WC_E_CLOSED ? not_running(t, call->err) : rc;
    rc = ask(call, &link, WCI_FRAME_KILL, (uint32_t)signal, WCI_FRAME_RESULT, &frame, call->err);
    if (rc == WC_E_CLOSED || (!rc && frame.size < 4))
        rc = not_running(t, call->err);
    else if (!rc && wci_get_u32(frame.data))
        rc = wci_err(call->err, (int32_t)wci_get_u32(frame.data), "%s: signal %d: %.*s", t->name,
                     signal, (int)frame.size - 4, frame.data + 4);
    wci_link_close(&link);
    return rc;
}

/* WC_E_CLOSED without an error when the monitor has gone without telling. */
static int32_t ask_end(const target *t, wc_call *call, wc_response *response)
{
    wci_link link;
    wci_frame frame;
    uint32_t flags = 0;
    int32_t rc = reach(t, call, &link, &flags, call->err);
    if (rc)
        return rc;
    rc = ask(call, &link, WCI_FRAME_WAIT, 0, WCI_FRAME_EXIT, &frame, call->err);
    if (!rc && frame.size < 12)
        rc = WC_E_CLOSED;
    if (!rc) {
        wc_response_set_status(response, WC_STATUS_EXITED);
        wc_response_set_pid(response, 0);
        wc_response_set_exit(response, (int32_t)wci_get_u32(frame.data),
                             (int64_t)wci_get_u64(frame.data + 4));
    }
    wci_link_close(&link);
    return rc;
}

/* A link may break while the process goes on: its records tell. */
static int32_t target_wait(const target *t, wc_call *call, wc_response *response)
{
    for (;;) {
        wci_run_state state;
        int32_t rc = ask_end(t, call, response);
        if (rc != WC_E_CLOSED)
            return rc;
        rc = wci_run_state_read(t->dir, t->started, &state, call->err);
        if (!rc && !wci_run_is_up(&state))
            answer_state(&state, response);
        if (rc || !wci_run_is_up(&state))
            return rc;
        rc = wci_call_sleep_ms(call, 2, call->err);
        if (rc)
            return rc;
    }
}

static int32_t target_attach(const target *t, wc_call *call, uint64_t attach,
                             wc_response *response)
{
    wci_link link;
    wci_frame frame;
    uint32_t flags = 0;
    uintptr_t stream = 0;
    int32_t rc = reach(t, call, &link, &flags, call->err);
    if (rc)
        return rc == WC_E_CLOSED ? not_running(t, call->err) : rc;
    rc = ask(call, &link, WCI_FRAME_ATTACH, (uint32_t)attach, WCI_FRAME_ATTACHED, &frame,
             call->err);
    if (rc) {
        wci_link_close(&link);
        return rc == WC_E_CLOSED ? not_running(t, call->err) : rc;
    }
    rc = wci_process_stream_new(&link, flags, attach, &stream, call->err);
    if (!rc)
        wc_response_set_handle(response, stream);
    return rc;
}

wci_cgroup wci_process_group_of(const wc_request *request)
{
    wci_cgroup group = wci_cgroup_of_request(request);
    if (!wci_cgroup_exists(group.path))
        wci_cgroup_find_scope(request, &group);
    wci_run_cgroup(wc_request_run_dir(request), group.path, sizeof group.path);
    return group;
}

/* An empty directory by now: what was mounted there went with the monitor's namespace. */
static void remove_shown_root(const wc_request *request)
{
    char *path = wci_path_join(WCI_USERNS_ROOTS, wc_request_container_id(request));
    if (path && wci_file_exists(path))
        (void)wci_dir_remove_all(path, NULL);
    wci_free(path);
}

/* Owned, NULL: out of memory. */
static char *runtime_dir(const process_backend *b, const wc_request *request)
{
    const char *run_root = wc_request_string(request, "run-root");
    return wci_path_join3(run_root ? run_root : b->run_root ? b->run_root : "", "runtime", wc_request_container_id(request));
}

/* Where there are no groups of its own, its processes are known by the first one. */
static int find_left(const process_backend *b, const wc_request *request, wci_left *left)
{
    char *dir = wci_cgroup_is_users() ? runtime_dir(b, request) : NULL;
    int found = dir && wci_left_find(wc_request_run_dir(request), dir, left);
    wci_free(dir);
    return found;
}

/* A monitor that was killed leaves its container running, known by its groups. Nobody would see its end or read
 * its output any more, so it ends here, before it is called dead. Holding the lock keeps a new start away. */
int32_t wci_process_end_remains(process_backend *b, const wc_request *request, wc_error **err)
{
    wci_cgroup group = wci_process_group_of(request);
    wci_lock *lock = NULL;
    wc_error *why = NULL;
    WCI_CALL_NONE(call);
    wci_left left;
    wci_run_wait_for_runtime(wc_request_run_dir(request));
    int is_left = find_left(b, request, &left);
    if (!is_left && !wci_cgroup_exists(group.path) && !wci_process_network_is_left(request))
        return WC_OK;
    char *path = wci_path_join(wc_request_run_dir(request), WCI_RUN_LOCK);
    int32_t rc = path ? wci_lock_try(path, WCI_LOCK_EXCLUSIVE, &lock, &why) : wci_err_nomem(&why);
    wci_free(path);
    if (rc == WC_E_BUSY || rc == WC_E_NOT_FOUND) { /* started again, or removed: by those who clear up themselves */
        wc_error_unref(why);
        return WC_OK;
    }
    if (!rc && wci_cgroup_exists(group.path))
        rc = wci_cgroup_remove(group.path, &why);
    if (!rc && is_left)
        rc = wci_left_end(&left, &why);
    if (!rc)
        remove_shown_root(request);
    if (!rc)
        rc = wci_process_network_clear(b, &call, request, &why);
    wci_lock_release(lock);
    return rc ? wci_err_move(err, why) : WC_OK;
}

int32_t wci_process_container_state(uintptr_t payload, wc_call *call, const wc_request *request,
                                    wc_response *response)
{
    target t;
    int32_t rc = container_target(request, &t, call->err);
    if (rc)
        return rc;
    rc = target_state(&t, call, response);
    if (!rc && response->status == WC_STATUS_DEAD)
        rc = wci_process_end_remains((process_backend *)payload, request, call->err);
    target_free(&t);
    return rc;
}

int32_t wci_process_process_state(uintptr_t payload, wc_call *call, const wc_request *request,
                                  wc_response *response)
{
    (void)payload;
    target t;
    int32_t rc = process_target(request, &t, call->err);
    if (rc)
        return rc;
    rc = target_state(&t, call, response);
    target_free(&t);
    return rc;
}

int32_t wci_process_container_kill(uintptr_t payload, wc_call *call, const wc_request *request,
                                   wc_response *response)
{
    (void)payload, (void)response;
    target t;
    int32_t rc = container_target(request, &t, call->err);
    if (rc)
        return rc;
    rc = target_kill(&t, call, (int)wc_request_int(request, "signal", 0));
    target_free(&t);
    return rc;
}

int32_t wci_process_process_kill(uintptr_t payload, wc_call *call, const wc_request *request,
                                 wc_response *response)
{
    (void)payload, (void)response;
    target t;
    int32_t rc = process_target(request, &t, call->err);
    if (rc)
        return rc;
    rc = target_kill(&t, call, (int)wc_request_int(request, "signal", 0));
    target_free(&t);
    return rc;
}

int32_t wci_process_container_wait(uintptr_t payload, wc_call *call, const wc_request *request,
                                   wc_response *response)
{
    target t;
    int32_t rc = container_target(request, &t, call->err);
    if (rc)
        return rc;
    rc = target_wait(&t, call, response);
    if (!rc && response->status == WC_STATUS_DEAD)
        rc = wci_process_end_remains((process_backend *)payload, request, call->err);
    target_free(&t);
    return rc;
}

int32_t wci_process_process_wait(uintptr_t payload, wc_call *call, const wc_request *request,
                                 wc_response *response)
{
    (void)payload;
    target t;
    int32_t rc = process_target(request, &t, call->err);
    if (rc)
        return rc;
    rc = target_wait(&t, call, response);
    target_free(&t);
    return rc;
}

int32_t wci_process_container_attach(uintptr_t payload, wc_call *call, const wc_request *request,
                                     wc_response *response)
{
    (void)payload;
    target t;
    int32_t rc = container_target(request, &t, call->err);
    if (rc)
        return rc;
    rc = target_attach(&t, call, (uint64_t)wc_request_int(request, "attach", 0), response);
    target_free(&t);
    return rc;
}

/* ---- pause ---- */

/* An ordinary user's container may have none. */
static int32_t need_group(const wc_request *request, const char *what, wc_error **err)
{
    wci_cgroup group = wci_process_group_of(request);
    if (!wci_cgroup_is_users() || wci_cgroup_exists(group.path))
        return WC_OK;
    return wci_rootless_need_cgroup(what, "", err);
}

int32_t wci_process_container_pause(uintptr_t payload, wc_call *call, const wc_request *request,
                                    wc_response *response)
{
    (void)payload, (void)response;
    int32_t rc = need_group(request, "pause", call->err);
    return rc ? rc : wci_process_command(call, request, json_pack("{s:s}", "do", "pause"), NULL);
}

int32_t wci_process_container_resume(uintptr_t payload, wc_call *call, const wc_request *request,
                                     wc_response *response)
{
    (void)payload, (void)response;
    return wci_process_command(call, request, json_pack("{s:s}", "do", "resume"), NULL);
}

int32_t wci_process_container_update(uintptr_t payload, wc_call *call, const wc_request *request,
                                     wc_response *response)
{
    (void)payload, (void)response;
    const char *text = wc_request_string(request, "resources");
    json_t *resources = json_loads(text ? text : "", 0, NULL);
    if (!resources)
        return wci_err(call->err, WC_E_INVALID, "process backend: the request has no 'resources'");
    int32_t rc = json_object_size(resources) ? need_group(request, "update of limits", call->err) : WC_OK;
    if (rc) {
        json_decref(resources);
        return rc;
    }
    return wci_process_command(call, request, json_pack("{s:s, s:o}", "do", "update", "resources", resources), NULL);
}

/* ---- remove ---- */

/* Ends what runs, and waits until the monitor has let go. */
static int32_t end_monitor(const target *t, wc_call *call, wc_error **err)
{
    char *path = wci_path_join(t->dir, WCI_RUN_LOCK);
    wci_lock *lock = NULL;
    if (!path)
        return wci_err_nomem(err);
    int32_t rc = WC_OK;
    if (wci_lock_is_held(path)) {
        rc = target_kill(t, call, 9);
        if (rc == WC_E_STATE) { /* it ends already */
            wci_err_clear(err);
            rc = WC_OK;
        }
        if (!rc)
            rc = wci_lock_acquire(call, path, WCI_LOCK_EXCLUSIVE, &lock, err);
    }
    wci_lock_release(lock);
    wci_free(path);
    if (rc == WC_E_NOT_FOUND) { /* with --rm the directory goes, too */
        wci_err_clear(err);
        return WC_OK;
    }
    return rc;
}

static int32_t remove_runtime_state(const process_backend *b, const wc_request *request,
                                    wc_error **err)
{
    char *dir = runtime_dir(b, request);
    if (!dir)
        return wci_err_nomem(err);
    int32_t rc = wci_dir_remove_all(dir, err);
    wci_free(dir);
    return rc;
}

/* Also after a monitor was killed: its container goes on without one, known by its groups. */
int32_t wci_process_container_remove(uintptr_t payload, wc_call *call, const wc_request *request,
                                     wc_response *response)
{
    (void)response;
    process_backend *b = (process_backend *)payload;
    wci_cgroup group = wci_process_group_of(request);
    target t;
    wci_left left;
    int32_t rc = container_target(request, &t, call->err);
    if (rc)
        return rc;
    rc = end_monitor(&t, call, call->err);
    wci_run_wait_for_runtime(t.dir);
    if (!rc && wci_cgroup_exists(group.path))
        rc = wci_cgroup_remove(group.path, call->err);
    if (!rc && find_left(b, request, &left))
        rc = wci_left_end(&left, call->err);
    if (!rc)
        rc = wci_process_network_clear(b, call, request, call->err);
    if (!rc)
        rc = remove_runtime_state(b, request, call->err);
    if (!rc)
        rc = wci_dir_remove_all(t.dir, call->err);
    target_free(&t);
    return rc;
}
