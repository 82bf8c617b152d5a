/* SPDX-License-Identifier: Apache-2.0 */
/* What a backend may do with the call that it serves. */
#include "core/call.h"

#include <wincontainer/backend.h>

#include "core/cancel.h"
#include "core/error.h"
#include "platform/host.h"

/* A later failure of the same call takes the place of an earlier one. */
static void replace_error(wc_call *call, wc_error *error)
{
    if (call->err)
        wci_err_clear(call->err);
    wci_err_move(call->err, error);
}

int32_t wc_call_check(wc_call *call)
{
    wc_error *error = NULL;
    int32_t rc = wci_call_check(call, &error);
    if (rc)
        replace_error(call, error);
    return rc;
}

intptr_t wc_call_fd(wc_call *call)
{
    return wci_call_cancel_fd(call);
}

int64_t wc_call_remaining(wc_call *call)
{
    int64_t deadline = wci_cancel_deadline(call->cancel);
    if (deadline == INT64_MAX)
        return -1;
    int64_t left = deadline - wci_monotonic_ns();
    return left > 0 ? left : 0;
}

void wc_call_log(wc_call *call, int32_t level, const char *message)
{
    wci_log_printf(call->log, level, "%s", message);
}

int32_t wc_call_fail(wc_call *call, int32_t code, int32_t domain, int64_t native,
                     const char *message)
{
    wc_error *error = NULL;
    wci_err_native(&error, code, domain, native, "%s", message);
    replace_error(call, error);
    return code;
}
