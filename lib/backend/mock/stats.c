/* SPDX-License-Identifier: Apache-2.0 */
/* Figures and processes of a script: it is one process, busy all the time that its clock runs, in 1 MiB. */
#include "backend/mock/stats.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "backend/mock/target.h"
#include "core/alloc.h"
#include "core/error.h"

#define MEMORY 1048576
#define MEMORY_LIMIT 1073741824

/* WC_E_STATE unless it runs. */
static int32_t open_running(wc_call *call, const wc_request *request, mock_target *target, wc_error **err)
{
    mock_step step;
    int32_t rc = wci_mock_target_open(request, NULL, target, err);
    if (rc == WC_E_NOT_FOUND) {
        wci_err_clear(err);
        return wci_err(err, WC_E_STATE, "container '%s': does not run", wc_request_container_id(request));
    }
    if (rc)
        return rc;
    rc = wci_mock_target_look(target, call, &step, err);
    if (!rc && step.kind != MOCK_STEP_WAITS)
        rc = wci_err(err, WC_E_STATE, "container '%s': does not run", wc_request_container_id(request));
    if (rc)
        wci_mock_target_close(target);
    return rc;
}

static int32_t answer(wc_response *response, json_t *json, wc_error **err)
{
    char *text = json ? wci_json_dump_text(json) : NULL;
    json_decref(json);
    int32_t rc = text ? wc_response_set_text(response, text) : wci_err_nomem(err);
    wci_free(text);
    return rc;
}

int32_t wci_mock_stats(wc_call *call, const wc_request *request, wc_response *response)
{
    mock_target target;
    int32_t rc = open_running(call, request, &target, call->err);
    if (rc)
        return rc;
    const mock_vm *vm = target.vm;
    int64_t until = vm->paused_ns ? vm->paused_ns : target.now_ns;
    json_int_t cpu = until > vm->run.started_ns ? until - vm->run.started_ns : 0;
    wci_mock_target_close(&target);
    return answer(response,
                  json_pack("{s:I, s:I, s:I, s:i, s:i, s:i, s:{}}", "cpu", cpu, "memory", (json_int_t)MEMORY,
                            "memoryLimit", (json_int_t)MEMORY_LIMIT, "pids", 1, "readBytes", 0, "writtenBytes", 0,
                            "networks"),
                  call->err);
}

static char *command_line(const mock_run *run)
{
    wci_str text = WCI_STR_INIT;
    for (size_t i = 0; i < run->args.count; i++)
        wci_str_printf(&text, "%s%s", i ? " " : "", run->args.items[i]);
    return wci_str_take(&text);
}

int32_t wci_mock_processes(wc_call *call, const wc_request *request, wc_response *response)
{
    mock_target target;
    int32_t rc = open_running(call, request, &target, call->err);
    if (rc)
        return rc;
    char *command = command_line(&target.vm->run);
    wci_mock_target_close(&target);
    json_t *json = command ? json_pack("{s:[s, s, s], s:[[s, s, s]]}", "Titles", "UID", "PID", "CMD", "Processes", "root",
                                       "1", command)
                           : NULL;
    wci_free(command);
    return answer(response, json, call->err);
}
