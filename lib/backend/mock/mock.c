/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the mock backend: containers that need no privilege, no runtime and no process,
 * because what they do is computed from their command line. See docs/mock.md. */
#include <string.h>

#include <wincontainer/container.h>

#include "backend/mock/fault.h"
#include "backend/mock/stats.h"
#include "backend/mock/stream.h"
#include "backend/mock/target.h"
#include "core/alloc.h"
#include "core/error.h"

#define LARGEST_DOCUMENT (4u << 20)

typedef struct mock_backend {
    char *root; /* of the store */
} mock_backend;

static const char *root_of(uintptr_t payload)
{
    return ((const mock_backend *)payload)->root;
}

static int32_t op_open(uintptr_t payload, wc_call *call, const wc_request *request,
                       wc_response *response)
{
    (void)payload;
    const char *root = wc_request_string(request, "root");
    mock_backend *backend = wci_calloc(1, sizeof *backend);
    if (!backend || (root && !(backend->root = wci_strdup(root)))) {
        wci_free(backend);
        return wci_err_nomem(call->err);
    }
    wc_response_set_handle(response, (uintptr_t)backend);
    return WC_OK;
}

void wci_backend_mock_free(uintptr_t payload)
{
    mock_backend *backend = (mock_backend *)payload;
    if (!backend)
        return;
    wci_free(backend->root);
    wci_free(backend);
}

static int32_t trouble(uintptr_t payload, const char *op, wc_call *call, const wc_request *request)
{
    mock_faults faults;
    int32_t rc = wci_mock_faults_load(root_of(payload), request, &faults, call->err);
    if (rc)
        return rc;
    rc = wci_mock_trouble(&faults, op, request, call, call->err);
    wci_mock_faults_free(&faults);
    return rc;
}

static int32_t op_info(uintptr_t payload, wc_call *call, const wc_request *request,
                       wc_response *response)
{
    int32_t rc = trouble(payload, "info", call, request);
    if (rc)
        return rc;
    return wc_response_set_text(response, "{\"name\":\"mock\",\"usable\":true,\"script\":1}");
}

/* ---- Start ---------------------------------------------------------------------------------- */

static int32_t parse(const char *text, const char *what, json_t **out, wc_error **err)
{
    return wci_json_parse(text, strlen(text), LARGEST_DOCUMENT, what, out, err);
}

/* The label "mock.script" takes the place of the command line: words between spaces. */
static int32_t replace_args(const char *script, wci_strv *args, wc_error **err)
{
    wci_strv words = WCI_STRV_INIT;
    while (*script) {
        size_t n = strcspn(script, " ");
        if (n && wci_strv_add_take(&words, wci_strndup(script, n))) {
            wci_strv_free(&words);
            return wci_err_nomem(err);
        }
        script += n;
        script += strspn(script, " ");
    }
    wci_strv_free(args);
    *args = words;
    return WC_OK;
}

/* Labels that shape the run itself. */
static int32_t apply_labels(const mock_faults *faults, mock_run *run, wc_error **err)
{
    const char *script = wci_mock_faults_get(faults, "script", "");
    const char *after = wci_mock_faults_get(faults, "crash", "after");
    int32_t rc = WC_OK;
    if (script)
        rc = replace_args(script, &run->args, err);
    if (rc == WC_OK && after)
        rc = wci_mock_parse_duration(after, &run->crash_ns, err);
    if (wci_mock_faults_get(faults, "crash", "start"))
        run->crash_ns = 0;
    return rc;
}

static int32_t check_script(const mock_run *run, wc_error **err)
{
    mock_script script;
    int32_t rc = wci_mock_script_parse(&run->args, &script, err);
    if (rc == WC_OK)
        wci_mock_script_free(&script);
    return rc;
}

static int32_t run_of_container(const mock_faults *faults, const wc_request *request, mock_run *run,
                                wc_error **err)
{
    json_t *config = NULL;
    mock_run made;
    int32_t rc = parse(wc_request_config(request), "configuration", &config, err);
    if (rc)
        return rc;
    rc = wci_mock_run_from_config(config, "configuration", &made, err);
    json_decref(config);
    if (rc)
        return rc;
    rc = apply_labels(faults, &made, err);
    if (rc == WC_OK)
        rc = check_script(&made, err);
    if (rc)
        wci_mock_run_free(&made);
    else
        *run = made;
    return rc;
}

static int32_t start_run(const mock_faults *faults, wc_call *call, const wc_request *request)
{
    mock_run run;
    int32_t rc = wci_mock_trouble(faults, "start", request, call, call->err);
    if (rc == WC_OK)
        rc = run_of_container(faults, request, &run, call->err);
    if (rc)
        return rc;
    rc = wci_mock_start(request, call, &run, call->err);
    wci_mock_run_free(&run);
    return rc;
}

static int32_t answer_stream(const wc_request *request, wc_call *call, const char *process,
                             int64_t from_ns, wc_response *response)
{
    uint64_t attach = (uint64_t)wc_request_int(request, "attach", 0);
    uintptr_t handle = 0;
    int32_t rc = WC_OK;
    if (attach)
        rc = wci_mock_stream_open(request, process, attach, from_ns, &handle, call->err);
    if (rc == WC_OK && attach)
        wc_response_set_handle(response, handle);
    return rc;
}

static int32_t op_container_start(uintptr_t payload, wc_call *call, const wc_request *request,
                                  wc_response *response)
{
    mock_faults faults;
    int32_t rc = wci_mock_faults_load(root_of(payload), request, &faults, call->err);
    if (rc)
        return rc;
    rc = start_run(&faults, call, request);
    wci_mock_faults_free(&faults);
    if (rc == WC_OK)
        rc = answer_stream(request, call, NULL, 0, response);
    if (rc == WC_OK)
        wc_response_set_status(response, WC_STATUS_RUNNING);
    return rc;
}

/* ---- State, wait, kill: the same for containers and processes ------------------------------- */

static void answer_step(const mock_step *step, wc_response *response)
{
    if (step->kind == MOCK_STEP_WAITS) {
        wc_response_set_status(response, step->paused ? WC_STATUS_PAUSED : WC_STATUS_RUNNING);
        return;
    }
    wc_response_set_status(response, step->dead ? WC_STATUS_DEAD : WC_STATUS_EXITED);
    wc_response_set_exit(response, step->exit_code, step->time_ns);
}

static int32_t answer_state(wc_call *call, const wc_request *request, const char *process,
                            wc_response *response)
{
    mock_target target;
    mock_step step;
    int32_t rc = wci_mock_target_open(request, process, &target, call->err);
    if (rc)
        return rc;
    rc = wci_mock_target_look(&target, call, &step, call->err);
    if (rc == WC_OK)
        answer_step(&step, response);
    wci_mock_target_close(&target);
    return rc;
}

static int32_t wait_for_end(mock_target *target, wc_call *call, mock_step *step)
{
    for (;;) {
        int32_t rc = wci_mock_target_look(target, call, step, call->err);
        if (rc || step->kind == MOCK_STEP_ENDED)
            return rc;
        rc = wci_mock_target_pause(target, call, step, MOCK_NEVER, call->err);
        if (rc)
            return rc;
    }
}

static int32_t answer_wait(wc_call *call, const wc_request *request, const char *process,
                           wc_response *response)
{
    mock_target target;
    mock_step step;
    int32_t rc = wci_mock_target_open(request, process, &target, call->err);
    if (rc)
        return rc;
    rc = wait_for_end(&target, call, &step);
    if (rc == WC_OK)
        answer_step(&step, response);
    wci_mock_target_close(&target);
    return rc;
}

static int32_t send_signal(wc_call *call, const wc_request *request, const char *process)
{
    int64_t signal = wc_request_int(request, "signal", 0);
    mock_target target;
    if (signal < 1 || signal >= MOCK_SIGNAL_COUNT)
        return wci_err(call->err, WC_E_INVALID, "signal %lld: is none", (long long)signal);
    int32_t rc = wci_mock_target_open(request, process, &target, call->err);
    if (rc)
        return rc;
    mock_input input = {.kind = MOCK_INPUT_SIGNAL, .signal = (int32_t)signal};
    rc = wci_mock_target_input(&target, call, &input, call->err);
    wci_mock_target_close(&target);
    return rc;
}

static int was_started(const wc_request *request)
{
    int64_t number = 0;
    char *dir = wci_mock_dir(wc_request_state_dir(request));
    if (dir)
        wci_mock_last_run(dir, &number, NULL);
    wci_free(dir);
    return number > 0;
}

static int32_t op_container_state(uintptr_t payload, wc_call *call, const wc_request *request,
                                  wc_response *response)
{
    int32_t rc = trouble(payload, "state", call, request);
    if (rc)
        return rc;
    if (was_started(request))
        return answer_state(call, request, NULL, response);
    wc_response_set_status(response, WC_STATUS_CREATED);
    return WC_OK;
}

static int32_t op_container_kill(uintptr_t payload, wc_call *call, const wc_request *request,
                                 wc_response *response)
{
    (void)response;
    int32_t rc = trouble(payload, "kill", call, request);
    if (rc)
        return rc;
    if (!was_started(request))
        return wci_err(call->err, WC_E_STATE, "container '%s': has never been started",
                       wc_request_container_id(request));
    return send_signal(call, request, NULL);
}

static int32_t op_container_wait(uintptr_t payload, wc_call *call, const wc_request *request,
                                 wc_response *response)
{
    int32_t rc = trouble(payload, "wait", call, request);
    if (rc)
        return rc;
    if (was_started(request))
        return answer_wait(call, request, NULL, response);
    wc_response_set_status(response, WC_STATUS_CREATED);
    return WC_OK;
}

/* The clock of its script stands still. */
static int32_t set_paused(wc_call *call, const wc_request *request, int pause)
{
    mock_target target;
    mock_step step;
    int32_t rc = wci_mock_target_open(request, NULL, &target, call->err);
    if (rc)
        return rc;
    rc = wci_mock_target_look(&target, call, &step, call->err);
    if (rc == WC_OK && step.kind == MOCK_STEP_WAITS && step.paused == pause)
        rc = wci_err(call->err, WC_E_STATE, "container '%s': is %s", wc_request_container_id(request),
                     pause ? "paused already" : "not paused");
    mock_input input = {.kind = pause ? MOCK_INPUT_PAUSE : MOCK_INPUT_RESUME};
    if (rc == WC_OK)
        rc = wci_mock_target_input(&target, call, &input, call->err);
    wci_mock_target_close(&target);
    return rc;
}

static int32_t op_container_pause(uintptr_t payload, wc_call *call, const wc_request *request, wc_response *response)
{
    (void)response;
    int32_t rc = trouble(payload, "pause", call, request);
    return rc ? rc : set_paused(call, request, 1);
}

static int32_t op_container_resume(uintptr_t payload, wc_call *call, const wc_request *request, wc_response *response)
{
    (void)response;
    int32_t rc = trouble(payload, "resume", call, request);
    return rc ? rc : set_paused(call, request, 0);
}

static int32_t op_container_stats(uintptr_t payload, wc_call *call, const wc_request *request, wc_response *response)
{
    int32_t rc = trouble(payload, "stats", call, request);
    return rc ? rc : wci_mock_stats(call, request, response);
}

static int32_t op_container_processes(uintptr_t payload, wc_call *call, const wc_request *request,
                                      wc_response *response)
{
    int32_t rc = trouble(payload, "top", call, request);
    return rc ? rc : wci_mock_processes(call, request, response);
}

/* Nothing uses anything, so any limit holds. */
static int32_t op_container_update(uintptr_t payload, wc_call *call, const wc_request *request, wc_response *response)
{
    (void)response;
    return trouble(payload, "update", call, request);
}

/* Those who wait see the signal, or that the files are gone; both mean that it was killed. */
static int32_t op_container_remove(uintptr_t payload, wc_call *call, const wc_request *request,
                                   wc_response *response)
{
    (void)response;
    int32_t rc = trouble(payload, "remove", call, request);
    if (rc)
        return rc;
    mock_target target;
    rc = wci_mock_target_open(request, NULL, &target, NULL);
    if (rc == WC_OK) {
        mock_input input = {.kind = MOCK_INPUT_SIGNAL, .signal = MOCK_SIGKILL};
        wci_mock_target_input(&target, call, &input, NULL);
        wci_mock_target_close(&target);
    }
    char *dir = wci_mock_dir(wc_request_state_dir(request));
    rc = dir ? wci_dir_remove_all(dir, call->err) : wci_err_nomem(call->err);
    wci_free(dir);
    return rc;
}

static int32_t op_container_attach(uintptr_t payload, wc_call *call, const wc_request *request,
                                   wc_response *response)
{
    int32_t rc = trouble(payload, "attach", call, request);
    if (rc)
        return rc;
    mock_target target;
    mock_step step;
    rc = wci_mock_target_open(request, NULL, &target, NULL);
    if (rc == WC_OK) {
        rc = wci_mock_target_look(&target, call, &step, call->err);
        int64_t now = target.now_ns;
        wci_mock_target_close(&target);
        if (rc)
            return rc;
        if (step.kind == MOCK_STEP_WAITS)
            return answer_stream(request, call, NULL, now, response);
    }
    return wci_err(call->err, WC_E_STATE, "container '%s': is not running",
                   wc_request_container_id(request));
}

/* The library copies: see WC_BACKEND_IMAGE_FILES. */
static int32_t op_archive(uintptr_t payload, wc_call *call, const wc_request *request,
                          wc_response *response)
{
    (void)response;
    return trouble(payload, "cp", call, request);
}

static int32_t op_logs_open(uintptr_t payload, wc_call *call, const wc_request *request,
                            wc_response *response)
{
    uintptr_t handle = 0;
    int32_t rc = trouble(payload, "logs", call, request);
    if (rc == WC_OK)
        rc = wci_mock_logs_open(request, call, &handle, call->err);
    if (rc == WC_OK)
        wc_response_set_handle(response, handle);
    return rc;
}

/* ---- Networks ------------------------------------------------------------------------------- */

/* Its containers have no interfaces: what the store says is all. */
static int32_t op_network_connect(uintptr_t payload, wc_call *call, const wc_request *request, wc_response *response)
{
    (void)response;
    return trouble(payload, "network-connect", call, request);
}

static int32_t op_network_disconnect(uintptr_t payload, wc_call *call, const wc_request *request,
                                     wc_response *response)
{
    (void)response;
    return trouble(payload, "network-disconnect", call, request);
}

/* ---- Processes ------------------------------------------------------------------------------ */

/* It becomes part of a file name. */
static int32_t process_id(const wc_request *request, const char **out, wc_error **err)
{
    const char *id = wc_request_string(request, "process-id");
    if (!id || !*id || strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(id))
        return wci_err(err, WC_E_INVALID, "process id '%s': is none", id ? id : "");
    *out = id;
    return WC_OK;
}

static int32_t hostname_of(const wc_request *request, char **out, wc_error **err)
{
    json_t *config = NULL;
    const char *name = "";
    int32_t rc = parse(wc_request_config(request), "configuration", &config, err);
    if (rc == WC_OK)
        rc = wci_json_get_string(config, "hostname", "configuration", &name, err);
    if (rc == WC_OK && !(*out = wci_strdup(name)))
        rc = wci_err_nomem(err);
    json_decref(config);
    return rc;
}

static int32_t run_of_process(const wc_request *request, mock_run *run, wc_error **err)
{
    const char *text = wc_request_string(request, "process");
    json_t *process = NULL;
    char *hostname = NULL;
    mock_run made;
    int32_t rc = parse(text ? text : "", "process", &process, err);
    if (rc == WC_OK)
        rc = hostname_of(request, &hostname, err);
    if (rc == WC_OK)
        rc = wci_mock_run_from_process(process, hostname, &made, err);
    json_decref(process);
    wci_free(hostname);
    if (rc)
        return rc;
    made.open_stdin = wc_request_int(request, "open-stdin", 0) != 0 ||
                      (wc_request_int(request, "attach", 0) & WC_ATTACH_STDIN);
    rc = check_script(&made, err);
    if (rc)
        wci_mock_run_free(&made);
    else
        *run = made;
    return rc;
}

static int32_t op_process_start(uintptr_t payload, wc_call *call, const wc_request *request,
                                wc_response *response)
{
    const char *id = NULL;
    mock_run run;
    int32_t rc = trouble(payload, "exec", call, request);
    if (rc == WC_OK)
        rc = process_id(request, &id, call->err);
    if (rc == WC_OK)
        rc = run_of_process(request, &run, call->err);
    if (rc)
        return rc;
    rc = wci_mock_exec(request, call, id, &run, call->err);
    wci_mock_run_free(&run);
    if (rc == WC_OK)
        rc = answer_stream(request, call, id, 0, response);
    if (rc == WC_OK)
        wc_response_set_status(response, WC_STATUS_RUNNING);
    return rc;
}

static int32_t op_process_state(uintptr_t payload, wc_call *call, const wc_request *request,
                                wc_response *response)
{
    (void)payload;
    const char *id = NULL;
    int32_t rc = process_id(request, &id, call->err);
    return rc ? rc : answer_state(call, request, id, response);
}

static int32_t op_process_wait(uintptr_t payload, wc_call *call, const wc_request *request,
                               wc_response *response)
{
    (void)payload;
    const char *id = NULL;
    int32_t rc = process_id(request, &id, call->err);
    return rc ? rc : answer_wait(call, request, id, response);
}

static int32_t op_process_kill(uintptr_t payload, wc_call *call, const wc_request *request,
                               wc_response *response)
{
    (void)payload;
    (void)response;
    const char *id = NULL;
    int32_t rc = process_id(request, &id, call->err);
    return rc ? rc : send_signal(call, request, id);
}

const wc_backend_ops *wci_backend_mock_ops(void)
{
    static const wc_backend_ops ops = {
        .struct_size = sizeof ops,
        .spi_major = WC_BACKEND_SPI_MAJOR,
        .capabilities = WC_BACKEND_DETACHED | WC_BACKEND_IMAGE_FILES | WC_BACKEND_NETWORKS,
        .name = "mock",
        .open = op_open,
        .info = op_info,
        .container_start = op_container_start,
        .container_state = op_container_state,
        .container_kill = op_container_kill,
        .container_wait = op_container_wait,
        .container_remove = op_container_remove,
        .container_attach = op_container_attach,
        .process_start = op_process_start,
        .process_state = op_process_state,
        .process_wait = op_process_wait,
        .process_kill = op_process_kill,
        .archive_get = op_archive,
        .archive_put = op_archive,
        .logs_open = op_logs_open,
        .stream_read = wci_mock_stream_read,
        .stream_write = wci_mock_stream_write,
        .stream_close_write = wci_mock_stream_close_write,
        .stream_resize = wci_mock_stream_resize,
        .stream_release = wci_mock_stream_release,
        .logs_next = wci_mock_logs_next,
        .logs_release = wci_mock_logs_release,
        .container_pause = op_container_pause,
        .container_resume = op_container_resume,
        .container_update = op_container_update,
        .network_connect = op_network_connect,
        .network_disconnect = op_network_disconnect,
        .container_stats = op_container_stats,
        .container_processes = op_container_processes,
    };
    return &ops;
}
