/* SPDX-License-Identifier: Apache-2.0 */
/* Stopping and starting again: what is removed at its end survives this one. */
#include "container/container.h"

/* The wish is back; one that does not run by now is removed as its end would have done. */
static void give_up(wc_container *c)
{
    WCI_CALL_NONE(call);
    if (!wci_container_set_auto_remove(c->engine->store, c->id, 1, NULL))
        (void)wci_ctr_remove(&call, c, 0, NULL);
}

/* A start asks for the removal again. */
static int32_t stop_and_start(wc_call *call, wc_container *c, int64_t timeout_ns, wc_error **err)
{
    int32_t rc = wci_ctr_stop(call, c, timeout_ns, err);
    return rc ? rc : wci_ctr_start(call, c, 0, NULL, err);
}

int32_t wci_ctr_restart(wc_call *call, wc_container *c, int64_t timeout_ns, wc_error **err)
{
    wci_container_record *record = NULL;
    int32_t rc = wci_ctr_record(call, c->engine, c->id, &record, err);
    if (rc)
        return rc;
    if (record->auto_remove)
        rc = wci_container_set_auto_remove(c->engine->store, c->id, 0, err);
    if (!rc) {
        rc = stop_and_start(call, c, timeout_ns, err);
        if (rc && record->auto_remove)
            give_up(c);
    }
    if (!rc)
        rc = wci_event_add(c->engine->store, "container", "restart", record->id, NULL, err);
    wci_container_record_free(record);
    return rc;
}
