/* SPDX-License-Identifier: Apache-2.0 */
/* Other limits: the kernel's first, then the row, so that a refusal leaves both as they were. */
#include "container/update.h"

#include <string.h>

#include "container/merge.h"
#include "container/spec.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "store/store_life.h"

/* How often others may change the same container meanwhile. */
#define ATTEMPTS 100

static int set_texts(uint32_t set, const wci_config *from, wci_config *to)
{
    return (set & WCI_UPDATE_CPUSET && wci_replace(&to->cpuset, from->cpuset)) ||
           (set & WCI_UPDATE_MEMS && wci_replace(&to->cpuset_mems, from->cpuset_mems)) ||
           (set & WCI_UPDATE_RESTART && wci_replace(&to->restart_policy, from->restart_policy));
}

/* As Docker: a number of processors and a quota replace each other. */
static void set_cpus(uint32_t set, const wci_config *from, wci_config *to)
{
    if (set & WCI_UPDATE_CPUS) {
        to->nano_cpus = from->nano_cpus;
        to->cpu_period = to->cpu_quota = 0;
    }
    if (set & WCI_UPDATE_QUOTA) {
        to->nano_cpus = 0;
        to->cpu_period = from->cpu_period;
        to->cpu_quota = from->cpu_quota;
    }
}

static int32_t change(const wc_update_options *o, wci_config *to, wc_error **err)
{
    const wci_config *from = &o->values->settings;
    const struct {
        uint32_t what;
        int64_t *to, value;
    } numbers[] = {
        {WCI_UPDATE_MEMORY, &to->memory, from->memory},
        {WCI_UPDATE_SWAP, &to->memory_swap, from->memory_swap},
        {WCI_UPDATE_RESERVATION, &to->memory_reservation, from->memory_reservation},
        {WCI_UPDATE_SHARES, &to->cpu_shares, from->cpu_shares},
        {WCI_UPDATE_PIDS, &to->pids_limit, from->pids_limit},
        {WCI_UPDATE_RESTART, &to->restart_max, from->restart_max},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (o->set & numbers[i].what)
            *numbers[i].to = numbers[i].value;
    set_cpus(o->set, from, to);
    if (set_texts(o->set, from, to))
        return wci_err_nomem(err);
    int32_t rc = wci_merge_resources(NULL, to, err);
    if (!rc && to->auto_remove && strcmp(to->restart_policy, "no") != 0)
        rc = wci_err(err, WC_E_INVALID, "restart policy '%s': the container is removed at its end", to->restart_policy);
    return rc;
}

/* The runtime's words for what is limited now. */
static int32_t resources_text(const wci_config *config, char **out, wc_error **err)
{
    json_t *resources = wci_spec_resources(config);
    json_object_del(resources, "devices");
    *out = resources ? wci_json_dump_text(resources) : NULL;
    json_decref(resources);
    return *out ? WC_OK : wci_err_nomem(err);
}

static int32_t tell_backend(wc_call *call, wci_engine *engine, const wci_container_record *record,
                            const wci_config *config, wc_error **err)
{
    wci_ctr_call op;
    char *resources = NULL;
    int32_t rc = wci_ctr_call_init(call, engine, record, &op, err);
    if (rc)
        return rc;
    rc = resources_text(config, &resources, err);
    if (!rc && wci_request_set_string(&op.request, "resources", resources))
        rc = wci_err_nomem(err);
    if (!rc)
        rc = wci_ctr_call_run(&op, WCI_OP_CONTAINER_UPDATE, call, err);
    wci_free(resources);
    wci_ctr_call_free(&op);
    return rc;
}

/* One that ends just now needs no new limits. */
static int32_t limit_running(wc_call *call, wci_engine *engine, const wci_container_record *record,
                             const wc_update_options *o, const wci_config *config, wc_error **err)
{
    wc_error *why = NULL;
    if (!(o->set & ~(uint32_t)WCI_UPDATE_RESTART) || !wci_status_is_live(record->status))
        return WC_OK;
    int32_t rc = tell_backend(call, engine, record, config, &why);
    if (rc != WC_E_STATE)
        return rc ? wci_err_move(err, why) : WC_OK;
    wc_error_unref(why);
    return WC_OK;
}

static int32_t attempt(wc_call *call, wci_engine *engine, const wci_container_record *record,
                       const wc_update_options *o, int *done, wc_error **err)
{
    wci_config config = {0};
    char *text = NULL;
    int32_t rc = wci_config_from_json(record->config, &config, err);
    if (!rc)
        rc = change(o, &config, err);
    if (!rc)
        rc = wci_ctr_check_backend(call, engine, record->backend, &config, err);
    if (!rc && !(text = wci_config_to_json(&config)))
        rc = wci_err_nomem(err);
    if (!rc)
        rc = limit_running(call, engine, record, o, &config, err);
    if (!rc)
        rc = wci_container_set_config(engine->store, record->id, record->config, text, done, err);
    wci_config_free(&config);
    wci_free(text);
    return rc;
}

int32_t wci_ctr_update(wc_call *call, wc_container *c, const wc_update_options *options, wc_error **err)
{
    int done = 0;
    int32_t rc = WC_OK;
    for (int i = 0; i < ATTEMPTS && !rc && !done; i++) {
        wci_container_record *record = NULL;
        rc = wci_ctr_record(call, c->engine, c->id, &record, err);
        if (!rc && (record->status == WCI_STATUS_REMOVING || record->status == WCI_STATUS_DEAD))
            rc = wci_err(err, WC_E_STATE, "container '%s': is being removed", record->name);
        if (!rc)
            rc = attempt(call, c->engine, record, options, &done, err);
        wci_container_record_free(record);
    }
    if (!rc && !done)
        rc = wci_err(err, WC_E_BUSY, "container '%.12s': others change it all the time; try again", c->id);
    return rc;
}
