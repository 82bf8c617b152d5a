/* SPDX-License-Identifier: Apache-2.0 */
/* After a reboot: what has a restart policy runs again. Nothing else in the library starts what nobody asked for. */
#include "container/restore.h"

#include <string.h>

#include "container/container.h"
#include "core/error.h"

/* As Docker when its daemon starts; that a user has stopped it counts for all but "always". */
static int is_due(const wci_container_record *record, const wci_config *config)
{
    const char *policy = config->restart_policy;
    int ended = record->status == WCI_STATUS_EXITED && record->started_ns;
    if (!ended || !*policy || !strcmp(policy, "no"))
        return 0;
    if (!strcmp(policy, "always"))
        return 1;
    if (record->user_stopped)
        return 0;
    if (!strcmp(policy, "on-failure"))
        return record->exit_code != 0 && (!config->restart_max || record->restart_count < config->restart_max);
    return 1;
}

static int32_t start(wc_call *call, wci_engine *engine, const wci_container_record *record, wci_strv *started,
                     wc_error **err)
{
    wc_container *c = NULL;
    wc_error *why = NULL;
    int32_t rc = wci_ctr_new(engine, record->id, &c, &why);
    if (!rc)
        rc = wci_ctr_start(call, c, 0, NULL, &why);
    if (!rc && wci_strv_add(started, record->id))
        rc = wci_err_nomem(&why);
    if (c)
        wci_ctr_free(c);
    if (rc == WC_E_STATE || rc == WC_E_NOT_FOUND) { /* somebody else was first */
        wc_error_unref(why);
        return WC_OK;
    }
    return rc ? wci_err_move(err, why) : WC_OK;
}

/* A run that nobody saw end, as after a reboot, is recorded first. */
static int32_t apply(wc_call *call, wci_engine *engine, wci_container_record **record, wci_strv *started,
                     wc_error **err)
{
    wci_config config = {0};
    wc_error *why = NULL;
    int32_t rc = wci_ctr_reconcile(call, engine, record, &why);
    if (rc == WC_E_NOT_FOUND) {
        wc_error_unref(why);
        return WC_OK;
    }
    if (!rc)
        rc = wci_config_from_json((*record)->config, &config, &why);
    if (!rc && is_due(*record, &config))
        rc = start(call, engine, *record, started, &why);
    wci_config_free(&config);
    return rc ? wci_err_move(err, why) : WC_OK;
}

/* One that does not start keeps no other from starting; the first reason is told. */
int32_t wci_restore(wc_call *call, wci_engine *engine, wci_strv *started, wc_error **err)
{
    wci_container_record **records = NULL;
    wc_error *first = NULL;
    size_t count = 0;
    int32_t result = WC_OK, rc = wci_container_list(engine->store, &records, &count, err);
    if (rc)
        return rc;
    for (size_t i = count; i-- > 0 && !wci_call_check(call, NULL);) { /* the oldest first */
        wc_error *why = NULL;
        rc = apply(call, engine, &records[i], started, &why);
        if (rc)
            wci_log_printf(engine->log, WC_LOG_WARN, "%s", wc_error_message(why));
        if (rc && !result) {
            result = rc;
            first = why;
        } else {
            wc_error_unref(why);
        }
    }
    wci_container_records_free(records, count);
    if (result)
        return wci_err_move(err, first);
    return wci_call_check(call, err);
}
