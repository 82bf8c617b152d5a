/* SPDX-License-Identifier: Apache-2.0 */
#include "container/join.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "container/namespace.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

static int32_t check_target(const wci_container_record *record, const wci_container_record *target, const char *what,
                            wc_error **err)
{
    if (!strcmp(target->id, record->id))
        return wci_err(err, WC_E_INVALID, "%s: container '%s' cannot join its own", what, record->name);
    if (target->status != WCI_STATUS_RUNNING && target->status != WCI_STATUS_PAUSED)
        return wci_err(err, WC_E_STATE, "%s: cannot join that of container '%s', which does not run; start it first",
                       what, target->name);
    if (strcmp(target->backend, record->backend))
        return wci_err(err, WC_E_UNSUPPORTED, "%s: cannot join that of container '%s', which backend '%s' runs", what,
                       target->name, target->backend);
    return WC_OK;
}

int32_t wci_join_target(wc_call *call, wci_engine *engine, const wci_container_record *record, const char *name,
                        const char *what, wci_container_record **out, wc_error **err)
{
    wci_container_record *target = NULL;
    int32_t rc = wci_container_find(engine->store, name, &target, err);
    if (rc)
        return wci_err_wrap(err, rc, "%s", what);
    rc = wci_ctr_reconcile(call, engine, &target, err);
    if (!rc)
        rc = check_target(record, target, what, err);
    if (rc)
        wci_container_record_free(target);
    else
        *out = target;
    return rc;
}

/* What the target's own settings say about sharing. */
static int32_t settle(wci_ns_kind kind, const wci_container_record *target, wci_config *config, wc_error **err)
{
    wci_config other = {0};
    int32_t rc = wci_config_from_json(target->config, &other, err);
    wci_ns_mode ipc = rc ? WCI_NS_PRIVATE : wci_ns_mode_of(&other, WCI_NS_IPC);
    if (!rc && kind == WCI_NS_IPC && (ipc == WCI_NS_PRIVATE || ipc == WCI_NS_NONE))
        rc = wci_err(err, WC_E_STATE,
                     "ipc namespace: container '%s' keeps its own to itself; create it with IPC mode 'shareable'",
                     target->name);
    if (!rc && kind == WCI_NS_UTS && wci_replace(&config->hostname, other.hostname))
        rc = wci_err_nomem(err);
    wci_config_free(&other);
    return rc;
}

static int32_t join_one(wc_call *call, wci_engine *engine, const wci_container_record *record, wci_ns_kind kind,
                        wci_config *config, json_t *list, wc_error **err)
{
    char what[32];
    wci_container_record *target = NULL;
    snprintf(what, sizeof what, "%s namespace", wci_ns_kind_name(kind));
    int32_t rc = wci_join_target(call, engine, record, wci_ns_mode_target(wci_ns_text(config, kind)), what, &target,
                                 err);
    if (!rc)
        rc = settle(kind, target, config, err);
    if (!rc && json_array_append_new(list, json_pack("{s:s, s:s}", "type", wci_ns_kind_name(kind), "container",
                                                     target->id)))
        rc = wci_err_nomem(err);
    wci_container_record_free(target);
    return rc;
}

int32_t wci_joins_resolve(wc_call *call, wci_engine *engine, const wci_container_record *record, wci_config *config,
                          char **out, wc_error **err)
{
    json_t *list = json_array();
    int32_t rc = list ? WC_OK : wci_err_nomem(err);
    for (int kind = 0; kind < WCI_NS_KINDS && !rc; kind++)
        if (wci_ns_mode_of(config, (wci_ns_kind)kind) == WCI_NS_CONTAINER)
            rc = join_one(call, engine, record, (wci_ns_kind)kind, config, list, err);
    char *text = !rc && json_array_size(list) ? wci_json_dump_text(list) : NULL;
    if (!rc && json_array_size(list) && !text)
        rc = wci_err_nomem(err);
    json_decref(list);
    if (!rc)
        *out = text;
    return rc;
}
