/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "backend/process/apparmor.h"
#include "container/container.h"
#include "container/group.h"
#include "container/join.h"
#include "container/log_fields.h"
#include "container/lsm.h"
#include "container/mount.h"
#include "container/mount_request.h"
#include "container/net_plan.h"
#include "container/spec.h"
#include "container/workdir.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"

#define BIT(status) (1u << (status))

/* ---- The request -------------------------------------------------------------------------------- */

/* The document, and what the helper mounts for it. */
static int32_t set_spec(wci_ctr_call *op, wci_spec_input *input, const wci_mount_plan *plan, wc_error **err)
{
    char *spec = NULL, *storage = wci_mount_plan_text(plan, input->user);
    input->mount_sources = &plan->sources;
    input->mount_flags = &plan->flags;
    int32_t rc = storage ? wci_spec_make(input, &spec, err) : wci_err_nomem(err);
    if (!rc && (wci_request_set_string(&op->request, "spec", spec) ||
                wci_request_set_string(&op->request, "storage", storage)))
        rc = wci_err_nomem(err);
    wci_free(spec);
    wci_free(storage);
    return rc;
}

static int32_t make_spec(wci_ctr_call *op, wci_engine *engine, const wci_container_record *record,
                         const wci_config *config, const wci_net_plan *network, wc_error **err)
{
    const char *state_dir = op->request.state_dir;
    wci_mount_plan plan = WCI_MOUNT_PLAN_INIT;
    wci_rootfs rootfs = {NULL, 0, 0};
    wci_user user = {0};
    wci_spec_input input = {.config = config, .id = record->id, .run_dir = op->request.run_dir,
                            .state_dir = state_dir, .user = &user,
                            .network = network->mode, .etc_dir = network->etc_dir};
    int32_t rc = wci_dir_make(state_dir, 0711, err);
    if (!rc)
        rc = wci_net_files_write(network, config, 0, err);
    if (!rc)
        rc = wci_ctr_rootfs(engine, record, &rootfs, err);
    if (!rc)
        rc = wci_user_resolve(&rootfs, config->user, &user, err);
    if (!rc)
        rc = wci_user_add_groups(&rootfs, &config->group_add, &user, err);
    if (!rc)
        rc = wci_workdir_check(&rootfs, config, config->workdir, 0, err);
    if (!rc)
        rc = wci_mounts_make_sources(config, err);
    if (!rc)
        rc = wci_mount_plan_make(engine, config, op->request.run_dir, &plan, err);
    if (!rc)
        rc = set_spec(op, &input, &plan, err);
    wci_mount_plan_free(&plan);
    wci_user_free(&user);
    wci_rootfs_free(&rootfs);
    return rc;
}

static int32_t set_numbers(wc_request *request, const wci_config *config, uint64_t attach, wc_error **err)
{
    const struct {
        const char *key;
        int64_t value;
    } numbers[] = {
        {"attach", (int64_t)attach},
        {"init", config->init},
        {"tty", config->tty},
        {"open-stdin", config->open_stdin},
        {"auto-remove", config->auto_remove},
        {"log-max-bytes", config->log_max_bytes},
        {"log-max-files", config->log_max_files},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (wci_request_set_int(request, numbers[i].key, numbers[i].value))
            return wci_err_nomem(err);
    return wci_request_set_string(request, "network", config->network) ? wci_err_nomem(err) : WC_OK;
}

static int32_t set_network(wc_request *request, const wci_net_plan *plan, wc_error **err)
{
    if ((plan->uplink && wci_request_set_string(request, "network-uplink", plan->uplink)) ||
        (plan->document && wci_request_set_string(request, "network-document", plan->document)) ||
        (plan->target && wci_request_set_string(request, "network-join", plan->target)))
        return wci_err_nomem(err);
    return WC_OK;
}

static int32_t set_log_fields(wc_request *request, const wci_container_record *record, const wci_config *config,
                              wc_error **err)
{
    char *fields = NULL;
    if (strcmp(config->log_driver, WCI_LOG_JOURNALD))
        return WC_OK;
    int32_t rc = wci_log_fields(record, config, &fields, err);
    if (!rc && wci_request_set_string(request, "log-fields", fields))
        rc = wci_err_nomem(err);
    wci_free(fields);
    return rc;
}

/* The helper loads the default profile. */
static int32_t set_apparmor(wc_request *request, const wci_config *config, wc_error **err)
{
    const char *profile = "";
    int32_t rc = wci_apparmor_profile(config, wci_host_apparmor(), &profile, err);
    if (rc || !*profile || !strcmp(profile, "unconfined"))
        return rc;
    if (!strcmp(profile, WCI_APPARMOR_DEFAULT))
        return wci_request_set_int(request, "apparmor-default", 1) ? wci_err_nomem(err) : WC_OK;
    return wci_apparmor_is_loaded(profile) ? WC_OK
                                           : wci_err(err, WC_E_NOT_FOUND,
                                                     "security option 'apparmor=%.80s': the kernel has no such profile; load "
                                                     "it with apparmor_parser",
                                                     profile);
}

static int32_t set_joins(wc_call *call, wci_ctr_call *op, wci_engine *engine, const wci_container_record *record,
                         wci_config *config, wc_error **err)
{
    char *joins = NULL;
    int32_t rc = wci_joins_resolve(call, engine, record, config, &joins, err);
    if (!rc && joins && wci_request_set_string(&op->request, "joins", joins))
        rc = wci_err_nomem(err);
    wci_free(joins);
    return rc;
}

/* Only backends that take layers take the runtime's document; for others users of the image mean
 * nothing. */
static int32_t fill_spec(wci_ctr_call *op, wci_engine *engine, const wci_container_record *record,
                         const wci_config *config, const wci_net_plan *plan, wc_error **err)
{
    if (!(wci_backend_capabilities(op->backend) & WC_BACKEND_LAYERS))
        return WC_OK;
    int32_t rc = wci_ctr_call_add_layers(op, engine, record, err);
    if (!rc)
        rc = set_apparmor(&op->request, config, err);
    return rc ? rc : make_spec(op, engine, record, config, plan, err);
}

static int32_t fill(wc_call *call, wci_ctr_call *op, wci_engine *engine, const wci_container_record *record,
                    wci_config *config, uint64_t attach, wc_error **err)
{
    wci_net_plan plan;
    int32_t rc = wci_net_plan_make(call, engine, record, config, &plan, err);
    if (rc)
        return rc;
    rc = set_numbers(&op->request, config, attach, err);
    if (!rc)
        rc = set_log_fields(&op->request, record, config, err);
    if (!rc)
        rc = set_network(&op->request, &plan, err);
    if (!rc)
        rc = set_joins(call, op, engine, record, config, err);
    if (!rc)
        rc = fill_spec(op, engine, record, config, &plan, err);
    wci_net_plan_free(&plan);
    return rc;
}

/* ---- The record --------------------------------------------------------------------------------- */

static int32_t record_starting(wci_engine *engine, const wci_container_record *record, wc_error **err)
{
    if (wci_status_is_live(record->status))
        return wci_err(err, WC_E_STATE, "container '%s': is running already", record->name);
    wci_container_change change = {
        .from = BIT(WCI_STATUS_CREATED) | BIT(WCI_STATUS_EXITED) | BIT(WCI_STATUS_DEAD),
        .generation = -1,
        .status = WCI_STATUS_STARTING,
        .error = "",
        .bump_generation = 1,
        .is_fresh = 1,
    };
    return wci_container_update(engine->store, record->id, &change, err);
}

static int32_t record_running(wci_engine *engine, const wci_container_record *record, int64_t started_ns, int64_t pid,
                              wc_error **err)
{
    char *attributes = wci_asprintf("{\"name\":\"%s\"}", record->name);
    wci_container_change change = {
        .from = BIT(WCI_STATUS_STARTING),
        .generation = record->generation,
        .status = WCI_STATUS_RUNNING,
        .pid = pid,
        .started_ns = started_ns,
        .error = "",
        .action = "start",
        .attributes = attributes,
    };
    int32_t rc = attributes ? wci_container_update(engine->store, record->id, &change, err) : wci_err_nomem(err);
    wci_free(attributes);
    return rc;
}

/* ---- Starting ----------------------------------------------------------------------------------- */

static int32_t run(wc_call *call, wci_engine *engine, const wci_container_record *record, uint64_t attach,
                   wc_stream **stream, wc_error **err)
{
    wci_ctr_call op;
    wci_config config = {0};
    int32_t rc = wci_ctr_call_init(call, engine, record, &op, err);
    if (rc)
        return rc;
    rc = wci_config_from_json(record->config, &config, err);
    if (!rc && config.auto_remove && !record->auto_remove) /* a restart has suspended it */
        rc = wci_container_set_auto_remove(engine->store, record->id, 1, err);
    if (!rc)
        rc = fill(call, &op, engine, record, &config, attach, err);
    if (!rc)
        rc = wci_grp_prepare(call, engine, record->group_name, record->backend, err);
    int64_t started_ns = wci_now_ns();
    if (!rc)
        rc = wci_ctr_call_run(&op, WCI_OP_CONTAINER_START, call, err);
    if (!rc && !(wci_backend_capabilities(op.backend) & WC_BACKEND_RECORDS))
        rc = record_running(engine, record, started_ns, op.response.pid, err);
    if (!rc && attach && op.response.has_handle)
        rc = wci_stream_new(engine, op.backend, op.response.handle, stream, err);
    else if (!rc && attach)
        rc = wci_err(err, WC_E_UNSUPPORTED, "backend '%s': gives no streams", record->backend);
    wci_config_free(&config);
    wci_ctr_call_free(&op);
    return rc;
}

static int32_t start_locked(wc_call *call, wc_container *c, uint64_t attach, wc_stream **stream, wc_error **err)
{
    wci_container_record *record = NULL;
    wc_error *why = NULL;
    int32_t rc = wci_container_find(c->engine->store, c->id, &record, err);
    if (!rc)
        rc = record_starting(c->engine, record, err);
    wci_container_record_free(record);
    record = NULL;
    if (!rc)
        rc = wci_container_find(c->engine->store, c->id, &record, err);
    if (rc)
        return rc;
    rc = run(call, c->engine, record, attach, stream, &why);
    if (rc)
        wci_ctr_record_no_start(c->engine, record, rc, wc_error_message(why), NULL);
    wci_container_record_free(record);
    return rc ? wci_err_move(err, why) : WC_OK;
}

int32_t wci_ctr_start(wc_call *call, wc_container *c, uint64_t attach, wc_stream **stream, wc_error **err)
{
    wci_container_record *record = NULL;
    wci_lock *lock = NULL;
    int64_t seen = 0;
    /* What an earlier, killed start left is settled before the lock is ours. */
    int32_t rc = wci_call_check(call, err);
    if (!rc)
        rc = wci_ctr_record(call, c->engine, c->id, &record, err);
    wci_container_record_free(record);
    if (!rc)
        rc = wci_event_last(c->engine->store, &seen, err);
    if (!rc)
        rc = wci_ctr_lock(call, c->engine, c->id, &lock, err);
    if (rc)
        return rc;
    atomic_store(&c->seen_event, seen);
    rc = start_locked(call, c, attach, stream, err);
    wci_lock_release(lock);
    return rc;
}
