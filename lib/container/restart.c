/* SPDX-License-Identifier: Apache-2.0 */
/* Stopping and starting again: what is removed at its end survives this one. */
#include "container/container.h"
#include "core/alloc.h"
#include "core/error.h"

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

static int32_t tell(wci_engine *engine, const wci_container_record *record, wc_error **err)
{
    char *attributes = wci_asprintf("{\"name\":\"%s\"}", record->name);
    int32_t rc = attributes ? wci_event_add(engine->store, "container", "restart", record->id, attributes, err)
                            : wci_err_nomem(err);
    wci_free(attributes);
    return rc;
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
        rc = tell(c->engine, record, err);
    wci_container_record_free(record);
    return rc;
}
