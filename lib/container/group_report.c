/* SPDX-License-Identifier: Apache-2.0 */
/* What groups are, and how their limits are divided and used. */
#include "container/group.h"

#include <string.h>

#include "container/container.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

#define NORMAL_SHARES 1024

int32_t wci_grp_members(wci_engine *engine, const char *name, wci_container_record ***out, size_t *count, wc_error **err)
{
    wci_container_record **all = NULL;
    size_t total = 0, kept = 0;
    int32_t rc = wci_container_list(engine->store, &all, &total, err);
    for (size_t i = 0; !rc && i < total; i++) {
        if (!strcmp(all[i]->group_name, name))
            all[kept++] = all[i];
        else
            wci_container_record_free(all[i]);
    }
    if (rc)
        return rc;
    *out = all;
    *count = kept;
    return WC_OK;
}

static int32_t finish(json_t *json, int failed, wc_buf **out, wc_error **err)
{
    int32_t rc = failed || !json ? wci_err_nomem(err) : wci_json_dump(json, out, err);
    json_decref(json);
    return rc;
}

/* ---- Inspecting --------------------------------------------------------------------------------- */

static int32_t describe(const wci_group_record *record, const wci_config *limits, wci_container_record **members,
                        size_t count, wc_buf **out, wc_error **err)
{
    char created[WCI_TIME_TEXT_SIZE];
    char *path = wci_grp_path(record);
    json_t *ids = json_array();
    int failed = !path;
    wci_time_format(record->created_ns, created);
    for (size_t i = 0; i < count; i++)
        failed |= json_array_append_new(ids, json_string(members[i]->id));
    json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "Name", record->name, "Id", record->id, "CreatedAt", created,
                             "CgroupPath", path ? path : "", "Limits", wci_grp_limits_json(limits), "Containers", ids);
    wci_free(path);
    return finish(json, failed, out, err);
}

int32_t wci_grp_inspect(const wc_group *group, wc_buf **out, wc_error **err)
{
    wci_group_record record = {.name = NULL};
    wci_config limits = {0};
    wci_container_record **members = NULL;
    size_t count = 0;
    int32_t rc = wci_group_find(group->engine->store, group->name, &record, err);
    if (!rc)
        rc = wci_grp_limits(&record, &limits, err);
    if (!rc)
        rc = wci_grp_members(group->engine, group->name, &members, &count, err);
    if (!rc)
        rc = describe(&record, &limits, members, count, out, err);
    wci_container_records_free(members, count);
    wci_config_free(&limits);
    wci_group_record_clear(&record);
    return rc;
}

/* ---- Reporting ---------------------------------------------------------------------------------- */

typedef struct report {
    wc_call *call;
    wci_engine *engine;
    json_t *members;
    int64_t memory, nano_cpus, pids, shares; /* promised to those that run */
    size_t running;
} report;

/* What the control group at `path` uses now; an empty object where there is none, or no backend to ask. */
static int32_t usage_of(report *r, const char *backend_name, const char *path, json_t **out, wc_error **err)
{
    wci_backend *backend = NULL;
    wc_request request = {0};
    wc_response response;
    wci_response_init(&response);
    int32_t rc = wci_backends_get(r->engine->backends, r->call, backend_name, &backend, err);
    if (!rc && (!(request.container_id = wci_strdup("")) || wci_request_set_string(&request, "group", path)))
        rc = wci_err_nomem(err);
    if (!rc && wci_backend_has(backend, WCI_OP_GROUP_REPORT))
        rc = wci_backend_call(backend, WCI_OP_GROUP_REPORT, r->call, &request, &response, err);
    if (!rc && !(*out = response.text ? json_loads(response.text, 0, NULL) : json_object()))
        rc = wci_err_nomem(err);
    wci_request_free(&request);
    wci_response_free(&response);
    wci_backend_unref(backend);
    return rc;
}

static int64_t shares_of(const wci_config *config)
{
    return config->cpu_shares ? config->cpu_shares : NORMAL_SHARES;
}

static int64_t cpus_of(const wci_config *config)
{
    int64_t period = config->cpu_period ? config->cpu_period : 100000;
    return config->nano_cpus || config->cpu_quota <= 0 ? config->nano_cpus : config->cpu_quota * 1000000000 / period;
}

static int32_t add_member(report *r, const wci_container_record *member, wc_error **err)
{
    wci_config config = {0};
    json_t *usage = NULL;
    char *path = NULL;
    int32_t rc = wci_config_from_json(member->config, &config, err);
    if (!rc && !(path = wci_asprintf("%s/%s", config.cgroup_parent, member->id)))
        rc = wci_err_nomem(err);
    if (!rc)
        rc = usage_of(r, member->backend, path, &usage, err);
    json_t *json = rc ? NULL : json_pack("{s:s, s:s, s:I, s:o, s:O}", "Id", member->id, "Name", member->name, "Shares",
                                         (json_int_t)shares_of(&config), "Limits", wci_grp_limits_json(&config), "Usage",
                                         usage);
    if (!rc && json_array_append_new(r->members, json))
        rc = wci_err_nomem(err);
    r->memory += config.memory;
    r->nano_cpus += cpus_of(&config);
    r->pids += config.pids_limit > 0 ? config.pids_limit : 0;
    r->shares += shares_of(&config);
    r->running++;
    json_decref(usage);
    wci_config_free(&config);
    wci_free(path);
    return rc;
}

/* Once the sum is known. */
static int set_weights(const report *r)
{
    json_t *member;
    size_t i;
    int failed = 0;
    json_array_foreach(r->members, i, member) {
        double shares = (double)json_integer_value(json_object_get(member, "Shares"));
        failed |= json_object_set_new(member, "CpuWeight", json_real(shares / (double)r->shares)) ||
                  json_object_del(member, "Shares");
    }
    return failed;
}

static int32_t add_members(report *r, wci_container_record **members, size_t count, wc_error **err)
{
    int32_t rc = r->members ? WC_OK : wci_err_nomem(err);
    for (size_t i = 0; !rc && i < count; i++) {
        wci_container_record *now = NULL;
        wc_error *why = NULL;
        rc = wci_ctr_record(r->call, r->engine, members[i]->id, &now, &why);
        if (rc == WC_E_NOT_FOUND) { /* removed meanwhile */
            wc_error_unref(why);
            rc = WC_OK;
            continue;
        }
        rc = rc ? wci_err_move(err, why) : wci_status_is_live(now->status) ? add_member(r, now, err) : WC_OK;
        wci_container_record_free(now);
    }
    if (!rc && set_weights(r))
        rc = wci_err_nomem(err);
    return rc;
}

static int32_t make_report(report *r, const wci_group_record *record, const wci_config *limits, size_t containers,
                           wc_buf **out, wc_error **err)
{
    json_t *usage = NULL;
    char *path = wci_grp_path(record);
    int32_t rc = path ? usage_of(r, r->engine->default_backend, path, &usage, err) : wci_err_nomem(err);
    wci_free(path);
    if (rc)
        return rc;
    json_t *json = json_pack("{s:s, s:I, s:I, s:o, s:o, s:{s:I, s:I, s:I}, s:O}", "Name", record->name, "Containers",
                             (json_int_t)containers, "Running", (json_int_t)r->running, "Limits",
                             wci_grp_limits_json(limits), "Usage", usage, "Promised", "Memory", (json_int_t)r->memory,
                             "NanoCpus", (json_int_t)r->nano_cpus, "Pids", (json_int_t)r->pids, "Members", r->members);
    return finish(json, 0, out, err);
}

int32_t wci_grp_report(wc_call *call, const wc_group *group, wc_buf **out, wc_error **err)
{
    report r = {.call = call, .engine = group->engine, .members = json_array()};
    wci_group_record record = {.name = NULL};
    wci_config limits = {0};
    wci_container_record **members = NULL;
    size_t count = 0;
    int32_t rc = wci_group_find(r.engine->store, group->name, &record, err);
    if (!rc)
        rc = wci_grp_limits(&record, &limits, err);
    if (!rc)
        rc = wci_grp_members(r.engine, group->name, &members, &count, err);
    if (!rc)
        rc = add_members(&r, members, count, err);
    if (!rc)
        rc = make_report(&r, &record, &limits, count, out, err);
    wci_container_records_free(members, count);
    json_decref(r.members);
    wci_config_free(&limits);
    wci_group_record_clear(&record);
    return rc;
}
