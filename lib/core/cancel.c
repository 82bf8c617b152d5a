/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cancel.h"

#include <stdatomic.h>

#include <wincontainer/error.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/ref.h"
#include "platform/host.h"
#include "platform/process.h"
#include "platform/wake.h"

struct wc_cancel {
    wci_ref refs;
    atomic_int triggered;
    _Atomic int64_t deadline; /* monotonic; INT64_MAX: none */
    wci_fd wake;
    int64_t fork_id;
};

int32_t wc_cancel_new(wc_cancel **out, wc_error **err)
{
    if (!out)
        return wci_err(err, WC_E_INVALID, "cancel handle: out must not be NULL");
    wc_cancel *cancel = wci_calloc(1, sizeof *cancel);
    if (!cancel)
        return wci_err_nomem(err);
    int32_t rc = wci_wake_new(&cancel->wake, err);
    if (rc) {
        wci_free(cancel);
        return rc;
    }
    wci_ref_init(&cancel->refs);
    atomic_init(&cancel->triggered, 0);
    atomic_init(&cancel->deadline, INT64_MAX);
    cancel->fork_id = wci_fork_id();
    *out = cancel;
    return WC_OK;
}

void wc_cancel_trigger(wc_cancel *cancel)
{
    if (!cancel)
        return;
    atomic_store(&cancel->triggered, 1);
    /* A forked child shares the parent's descriptor and must not wake the parent's calls. */
    if (cancel->fork_id == wci_fork_id())
        wci_wake_set(cancel->wake);
}

int32_t wc_cancel_triggered(const wc_cancel *cancel)
{
    return cancel ? atomic_load(&cancel->triggered) : 0;
}

void wc_cancel_set_timeout(wc_cancel *cancel, int64_t timeout_ns)
{
    if (!cancel)
        return;
    int64_t deadline = INT64_MAX;
    if (timeout_ns >= 0) {
        int64_t now = wci_monotonic_ns();
        deadline = timeout_ns < INT64_MAX - now ? now + timeout_ns : INT64_MAX;
    }
    atomic_store(&cancel->deadline, deadline);
}

wc_cancel *wc_cancel_ref(wc_cancel *cancel)
{
    if (cancel)
        wci_ref_take(&cancel->refs);
    return cancel;
}

void wc_cancel_unref(wc_cancel *cancel)
{
    if (!cancel || !wci_ref_drop(&cancel->refs))
        return;
    wci_wake_free(cancel->wake);
    wci_free(cancel);
}

int32_t wci_cancel_check_fork(const wc_cancel *cancel, wc_error **err)
{
    if (!cancel || cancel->fork_id == wci_fork_id())
        return WC_OK;
    return wci_err(err, WC_E_FORKED,
                   "cancel handle: it was made before this process was forked; make another one here");
}

intptr_t wci_cancel_fd(const wc_cancel *cancel)
{
    return cancel ? cancel->wake : WCI_FD_NONE;
}

int64_t wci_cancel_deadline(const wc_cancel *cancel)
{
    return cancel ? atomic_load(&cancel->deadline) : INT64_MAX;
}
