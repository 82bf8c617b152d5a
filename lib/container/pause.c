/* SPDX-License-Identifier: Apache-2.0 */
/* Holding a container's processes, and letting them go on. */
#include "container/container.h"
#include "core/error.h"

static int32_t check(const wci_container_record *record, int pause, wc_error **err)
{
    int is_paused = record->status == WCI_STATUS_PAUSED;
    if (pause && is_paused)
        return wci_err(err, WC_E_STATE, "container '%s': is paused already", record->name);
    if (!pause && !is_paused)
        return wci_err(err, WC_E_STATE, "container '%s': is not paused", record->name);
    return WC_OK;
}

static int32_t act(wc_call *call, wci_engine *engine, const wci_container_record *record, int pause, wc_error **err)
{
    wci_ctr_call op;
    int32_t rc = wci_ctr_call_init(call, engine, record, &op, err);
    if (rc)
        return rc;
    rc = wci_ctr_call_run(&op, pause ? WCI_OP_CONTAINER_PAUSE : WCI_OP_CONTAINER_RESUME, call, err);
    if (!rc && !(wci_backend_capabilities(op.backend) & WC_BACKEND_RECORDS))
        rc = wci_ctr_record_paused(engine, record, pause, err);
    wci_ctr_call_free(&op);
    return rc;
}

int32_t wci_ctr_pause(wc_call *call, wc_container *c, int pause, wc_error **err)
{
    wci_container_record *record = NULL;
    int32_t rc = wci_ctr_running(call, c, &record, err);
    if (!rc)
        rc = check(record, pause, err);
    if (!rc)
        rc = act(call, c->engine, record, pause, err);
    wci_container_record_free(record);
    return rc;
}
