/* SPDX-License-Identifier: Apache-2.0 */
/* Further processes: the container's monitor is asked for one. With a monitor that is too old for that, or for a document
 * too large for a frame, a helper of its own starts it. */
#include <string.h>

#include <wincontainer/container.h>

#include "backend/process/linux/backend.h"
#include "backend/process/linux/bundle.h"
#include "backend/process/linux/needs.h"
#include "backend/process/protocol.h"
#include "backend/process/state.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

/* What both ways need; `document` has more. */
static json_t *request_object(const wc_request *request)
{
    return json_pack("{s:s, s:I, s:b, s:b}", "processId", wc_request_string(request, "process-id"), "attach",
                     (json_int_t)wc_request_int(request, "attach", 0), "tty", wc_request_int(request, "tty", 0) != 0,
                     "openStdin", wc_request_int(request, "open-stdin", 0) != 0);
}

static int32_t check_running(const wc_request *request, int64_t *pid, wc_error **err)
{
    wci_run_state state;
    int32_t rc = wci_run_state_read(wc_request_run_dir(request), 0, &state, err);
    if (!rc && state.status != WC_STATUS_RUNNING) /* one that is paused, too */
        rc = wci_err(err, WC_E_STATE, "container '%s': does not run",
                     wc_request_container_id(request));
    *pid = rc ? 0 : state.pid;
    return rc;
}

/* ---- The container's monitor -------------------------------------------------------------------- */

/* Owned; NULL also when it does not fit into a frame. */
static char *frame_text(const wc_request *request, const char *process)
{
    json_t *document = request_object(request);
    json_object_set_new(document, "process", json_string(process));
    char *text = document ? wci_json_dump_text(document) : NULL;
    json_decref(document);
    if (text && strlen(text) <= WCI_FRAME_STREAM_MAX)
        return text;
    wci_free(text);
    return NULL;
}

/* The greeting is not waited for before the question is sent: who does not know it only says so. */
static int32_t ask(wc_call *call, wci_link *link, const char *text, uint32_t *flags, wc_error **err)
{
    int32_t rc = wci_link_send(call, link, WCI_FRAME_EXEC, text, strlen(text), -1, err);
    if (!rc)
        rc = wci_link_flush(call, link, -1, err);
    return rc ? rc : wci_link_hello(call, link, flags, err);
}

/* It went without a word, most likely because the container has ended. */
static int32_t went(process_backend *b, const wc_request *request, wc_error **err)
{
    int64_t pid;
    int32_t rc = check_running(request, &pid, err);
    return rc ? rc : wci_helper_silent(b, err);
}

/* *asked stays 0, and there is no error, when somebody else has to start it. */
static int32_t by_monitor(process_backend *b, wc_call *call, const wc_request *request, const char *process, int *asked,
                          wci_link *link, wci_report *report, wc_error **err)
{
    uint32_t flags = 0;
    char *text = frame_text(request, process);
    if (!text)
        return WC_OK;
    int32_t rc = wci_link_open(wc_request_run_dir(request), link, err);
    if (rc) {
        wci_free(text);
        return rc == WC_E_CLOSED ? WC_OK : rc;
    }
    rc = ask(call, link, text, &flags, err);
    wci_free(text);
    if (!rc && (flags & WCI_HELLO_EXEC)) {
        *asked = 1;
        rc = wci_helper_await(call, link, process, report, err);
        return rc == WC_E_CLOSED ? went(b, request, err) : rc;
    }
    wci_helper_give_up(link, rc);
    if (rc == WC_E_CLOSED)
        wci_err_clear(err);
    return rc == WC_E_CLOSED ? WC_OK : rc;
}

/* ---- A helper of its own ------------------------------------------------------------------------ */

static json_t *own_request(const process_backend *b, const wc_request *request, const char *runtime, const char *dir,
                           int64_t pid)
{
    const char *run_root = wc_request_string(request, "run-root"), *root = wc_request_string(request, "store-root");
    json_t *document = request_object(request);
    json_t *more = json_pack("{s:i, s:s, s:s, s:s?, s:s?, s:s, s:I}", "version", WCI_PROTOCOL_VERSION, "id",
                             wc_request_container_id(request), "runDir", dir, "storeRoot", root ? root : b->root, "runRoot",
                             run_root ? run_root : b->run_root, "runtime", runtime, "pid", (json_int_t)pid);
    int failed = !document || !more || json_object_update(document, more) != 0;
    json_decref(more);
    if (!failed)
        return document;
    json_decref(document);
    return NULL;
}

static int32_t by_own_helper(process_backend *b, wc_call *call, const wc_request *request, const char *process,
                             const char *dir, wci_link *link, wci_report *report, wc_error **err)
{
    const char *runtime = NULL;
    char *config = NULL;
    int64_t pid = 0;
    int32_t rc = wci_needs_rights(err);
    if (!rc)
        rc = check_running(request, &pid, err);
    if (!rc)
        rc = wci_process_runtime(b, call, &runtime, err);
    if (!rc)
        rc = wci_bundle_process(process, &config, err);
    if (!rc)
        rc = wci_helper_run(b, call, "exec", own_request(b, request, runtime, dir, pid), config, WCI_FD_NONE, link, report,
                            err);
    wci_free(config);
    return rc;
}

int32_t wci_process_process_start(uintptr_t payload, wc_call *call, const wc_request *request,
                                  wc_response *response)
{
    process_backend *b = (process_backend *)payload;
    const char *process = wc_request_string(request, "process");
    char *dir = NULL;
    wci_link link;
    wci_report report;
    int asked = 0;
    if (!process)
        return wci_err(call->err, WC_E_INVALID, "process backend: the request has no 'process'");
    int32_t rc = wci_exec_dir(request, &dir, call->err);
    if (!rc)
        rc = by_monitor(b, call, request, process, &asked, &link, &report, call->err);
    if (!rc && !asked)
        rc = by_own_helper(b, call, request, process, dir, &link, &report, call->err);
    wci_free(dir);
    return rc ? rc : wci_helper_answer(request, &link, &report, response, call->err);
}
