/* SPDX-License-Identifier: Apache-2.0 */
/* A runtime that is asked for a further process just when the container ends, is paused or starts again fails in many
 * words: which of them depends on how far it had come. What matters is what became of the container. */
#include <string.h>

#include <wincontainer/container.h>

#include "backend/process/linux/backend.h"
#include "backend/process/state.h"
#include "core/error.h"
#include "platform/host.h"
#include "platform/process.h"

/* It may go on again by now. */
static int was_paused(const wc_error *err)
{
    const char *said = err ? wc_error_message(err) : "";
    return strstr(said, "paused container") != NULL;
}

static int has_another_state(const wc_request *request, const wci_run_state *before, const char **what)
{
    wci_run_state now;
    if (wci_run_state_read(wc_request_run_dir(request), 0, &now, NULL))
        return 0;
    *what = now.status == WC_STATUS_PAUSED ? "was paused" : "ended";
    return now.status != before->status || now.pid != before->pid || now.pid_start != before->pid_start ||
           !wci_process_goes_on(before->pid, before->pid_start);
}

int32_t wci_process_start_judged(uintptr_t payload, wc_call *call, const wc_request *request, wc_response *response)
{
    wci_run_state before;
    const char *what;
    int32_t rc = wci_run_state_read(wc_request_run_dir(request), 0, &before, call->err);
    if (!rc)
        rc = wci_process_process_start(payload, call, request, response);
    if (rc != WC_E_RUNTIME && rc != WC_E_PERMISSION && rc != WC_E_IO)
        return rc;
    if (was_paused(call->err ? *call->err : NULL))
        what = "was paused";
    else if (!has_another_state(request, &before, &what))
        return rc;
    wci_err_clear(call->err);
    return wci_err(call->err, WC_E_STATE, "container '%s': %s while the process was being started",
                   wc_request_container_id(request), what);
}
