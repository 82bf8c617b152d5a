/* SPDX-License-Identifier: Apache-2.0 */
#include "core/call.h"

#include <wincontainer/error.h>

#include "core/cancel.h"
#include "core/error.h"
#include "core/progress.h"
#include "platform/host.h"
#include "platform/process.h"

int32_t wci_call_check(const wc_call *call, wc_error **err)
{
    if (wc_cancel_triggered(call->cancel))
        return wci_err(err, WC_E_CANCELLED, "call: cancelled");
    int64_t deadline = wci_cancel_deadline(call->cancel);
    if (deadline != INT64_MAX && wci_monotonic_ns() >= deadline)
        return wci_err(err, WC_E_TIMEOUT, "call: the deadline has passed");
    return WC_OK;
}

intptr_t wci_call_cancel_fd(const wc_call *call)
{
    return wci_cancel_fd(call->cancel);
}

int32_t wci_call_timeout_ms(const wc_call *call, int64_t timeout_ms)
{
    int64_t deadline = wci_cancel_deadline(call->cancel);
    if (deadline != INT64_MAX) {
        int64_t left_ns = deadline - wci_monotonic_ns();
        int64_t left_ms = left_ns > 0 ? left_ns / 1000000 + 1 : 0;
        if (timeout_ms < 0 || left_ms < timeout_ms)
            timeout_ms = left_ms;
    }
    if (timeout_ms < 0)
        return -1;
    return timeout_ms > INT32_MAX ? INT32_MAX : (int32_t)timeout_ms;
}

int32_t wci_call_sleep_ms(const wc_call *call, int64_t ms, wc_error **err)
{
    int ready;
    return wci_poll(call, NULL, 0, ms > 0 ? ms : 0, &ready, err);
}

int32_t wci_call_report(const wc_call *call, int32_t kind, const char *id, int64_t current,
                        int64_t total, const char *message, wc_error **err)
{
    if (!call->progress)
        return WC_OK;
    wc_progress progress = {kind, id ? id : "", message ? message : "", current, total};
    if (call->progress(&progress, call->progress_payload))
        return wci_err(err, WC_E_CANCELLED, "call: cancelled by the progress callback");
    return WC_OK;
}
