/* SPDX-License-Identifier: Apache-2.0 */
/* A call within a call that ends earlier: it has a cancel handle of its own with the deadline, which
 * a thread triggers when the caller's handle ends the outer call. */
#include "container/container.h"
#include "core/alloc.h"
#include "core/cancel.h"
#include "core/error.h"
#include "platform/process.h"
#include "platform/thread.h"

struct wci_deadline {
    wc_call inner, outer;
    wci_thread *thread; /* NULL: the caller has no handle */
    wci_fd stop_read, stop_write;
};

static void forward(void *arg)
{
    wci_deadline *d = arg;
    wci_poll_item item = {d->stop_read, WCI_POLL_READ, 0};
    int ready;
    if (wci_poll(&d->outer, &item, 1, -1, &ready, NULL))
        wc_cancel_trigger(d->inner.cancel);
}

static int32_t start_forwarding(wci_deadline *d, wc_error **err)
{
    int32_t rc = wci_pipe(&d->stop_read, &d->stop_write, err);
    return rc ? rc : wci_thread_start(&d->thread, forward, d, err);
}

int32_t wci_deadline_begin(wc_call *call, int64_t timeout_ns, wci_deadline **out, wc_error **err)
{
    wci_deadline *d = wci_calloc(1, sizeof *d);
    if (!d)
        return wci_err_nomem(err);
    d->inner = *call;
    d->inner.cancel = NULL;
    d->outer = (wc_call){.cancel = call->cancel};
    d->stop_read = d->stop_write = WCI_FD_NONE;
    int32_t rc = wc_cancel_new(&d->inner.cancel, err);
    if (!rc)
        wc_cancel_set_timeout(d->inner.cancel, timeout_ns);
    if (!rc && call->cancel)
        rc = start_forwarding(d, err);
    if (rc)
        wci_deadline_end(d);
    else
        *out = d;
    return rc;
}

wc_call *wci_deadline_call(wci_deadline *deadline)
{
    return &deadline->inner;
}

void wci_deadline_end(wci_deadline *deadline)
{
    wci_fd_close(deadline->stop_write); /* which wakes the thread */
    wci_thread_join(deadline->thread);
    wci_fd_close(deadline->stop_read);
    wc_cancel_unref(deadline->inner.cancel);
    wci_free(deadline);
}
