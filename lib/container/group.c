/* SPDX-License-Identifier: Apache-2.0 */
#include "container/group.h"

#include <string.h>

#include "container/merge.h"
#include "container/spec.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "core/list.h"

#define PARENT "/wincontainer"
#define CONFIG_MAX ((size_t)1 << 20)

static int32_t new_group(wci_engine *engine, const char *name, wc_group **out, wc_error **err)
{
    wc_group *group = wci_calloc(1, sizeof *group);
    if (!group || !(group->name = wci_strdup(name))) {
        wci_free(group);
        return wci_err_nomem(err);
    }
    wci_ref_init(&group->refs);
    group->engine = wci_engine_ref(engine);
    *out = group;
    return WC_OK;
}

void wci_grp_free(wc_group *group)
{
    wci_engine_unref(group->engine);
    wci_free(group->name);
    wci_free(group);
}

/* ---- Limits ------------------------------------------------------------------------------------- */

int32_t wci_grp_limits(const wci_group_record *record, wci_config *out, wc_error **err)
{
    json_t *json = NULL;
    *out = (wci_config){.memory_swappiness = -1};
    int32_t rc = wci_json_parse(record->config, strlen(record->config), CONFIG_MAX, "group", &json, err);
    if (!rc)
        rc = wci_fields_read(&wci_config_resources, json, "group", out, err);
    json_decref(json);
    if (!rc)
        return WC_OK;
    wci_config_free(out);
    return wci_err_wrap(err, rc, "group '%s'", record->name);
}

static int32_t limits_text(const wci_config *limits, char **out, wc_error **err)
{
    json_t *json = json_object();
    *out = json && !wci_fields_write(&wci_config_resources, limits, json) ? wci_json_dump_text(json) : NULL;
    json_decref(json);
    return *out ? WC_OK : wci_err_nomem(err);
}

static int32_t take_given(wci_config *to, const wc_group_options *options, wc_error **err)
{
    const wci_config *from = &options->limits.settings;
    const struct {
        wci_group_given given;
        int64_t *to;
        int64_t from;
    } numbers[] = {
        {WCI_GIVEN_MEMORY, &to->memory, from->memory},
        {WCI_GIVEN_SWAP, &to->memory_swap, from->memory_swap},
        {WCI_GIVEN_RESERVATION, &to->memory_reservation, from->memory_reservation},
        {WCI_GIVEN_CPUS, &to->nano_cpus, from->nano_cpus},
        {WCI_GIVEN_SHARES, &to->cpu_shares, from->cpu_shares},
        {WCI_GIVEN_PIDS, &to->pids_limit, from->pids_limit},
        {WCI_GIVEN_WEIGHT, &to->blkio_weight, from->blkio_weight},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (options->given & (uint32_t)numbers[i].given)
            *numbers[i].to = numbers[i].from;
    int failed = (options->given & WCI_GIVEN_CPUSET && wci_replace(&to->cpuset, from->cpuset)) ||
                 (options->given & WCI_GIVEN_MEMS && wci_replace(&to->cpuset_mems, from->cpuset_mems));
    return failed ? wci_err_nomem(err) : WC_OK;
}

json_t *wci_grp_limits_json(const wci_config *c)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:s, s:s, s:I, s:I}", "Memory", (json_int_t)c->memory, "MemorySwap",
                     (json_int_t)c->memory_swap, "MemoryReservation", (json_int_t)c->memory_reservation, "NanoCpus",
                     (json_int_t)c->nano_cpus, "CpuShares", (json_int_t)c->cpu_shares, "CpusetCpus",
                     c->cpuset ? c->cpuset : "", "CpusetMems", c->cpuset_mems ? c->cpuset_mems : "", "PidsLimit",
                     (json_int_t)c->pids_limit, "BlkioWeight", (json_int_t)c->blkio_weight);
}

/* ---- On the host -------------------------------------------------------------------------------- */

char *wci_grp_path(const wci_group_record *record)
{
    return wci_asprintf(PARENT "/%s-%.12s", record->name, record->id);
}

/* Resources as the runtime document has them; owned. */
static int32_t resources_text(const wci_config *limits, char **out, wc_error **err)
{
    json_t *resources = wci_spec_resources(limits);
    int32_t rc = resources ? wci_spec_block_io(limits, resources, err) : wci_err_nomem(err);
    if (!rc && (json_object_del(resources, "devices") || !(*out = wci_json_dump_text(resources))))
        rc = wci_err_nomem(err);
    json_decref(resources);
    return rc;
}

/* A backend without groups has nothing to do. */
static int32_t ask(wc_call *call, wci_engine *engine, const char *name, const wci_group_record *record, wci_op op,
                   const char *resources, wc_error **err)
{
    wci_backend *backend = NULL;
    wc_request request = {0};
    wc_response response;
    char *path = wci_grp_path(record);
    wci_response_init(&response);
    int32_t rc = path ? wci_backends_get(engine->backends, call, name, &backend, err) : wci_err_nomem(err);
    if (!rc && (!(request.container_id = wci_strdup("")) || wci_request_set_string(&request, "group", path) ||
                (resources && wci_request_set_string(&request, "resources", resources))))
        rc = wci_err_nomem(err);
    if (!rc && wci_backend_has(backend, op))
        rc = wci_backend_call(backend, op, call, &request, &response, err);
    wci_request_free(&request);
    wci_response_free(&response);
    wci_backend_unref(backend);
    wci_free(path);
    return rc;
}

static int32_t apply(wc_call *call, wci_engine *engine, const char *backend, const wci_group_record *record,
                     const wci_config *limits, wc_error **err)
{
    char *resources = NULL;
    int32_t rc = resources_text(limits, &resources, err);
    if (!rc)
        rc = ask(call, engine, backend, record, WCI_OP_GROUP_UPDATE, resources, err);
    wci_free(resources);
    return rc ? wci_err_wrap(err, rc, "group '%s'", record->name) : WC_OK;
}

static int32_t prepare_locked(wc_call *call, wci_engine *engine, const char *name, const char *backend, wc_error **err)
{
    wci_group_record record = {.name = NULL};
    wci_config limits = {0};
    int32_t rc = wci_group_find(engine->store, name, &record, err);
    if (!rc)
        rc = wci_grp_limits(&record, &limits, err);
    if (!rc)
        rc = apply(call, engine, backend, &record, &limits, err);
    wci_config_free(&limits);
    wci_group_record_clear(&record);
    return rc;
}

int32_t wci_grp_prepare(wc_call *call, wci_engine *engine, const char *name, const char *backend, wc_error **err)
{
    wci_lock *lock = NULL;
    if (!name || !*name)
        return WC_OK;
    int32_t rc = wci_group_lock(call, engine->store, name, &lock, err);
    if (!rc)
        rc = prepare_locked(call, engine, name, backend, err);
    wci_lock_release(lock);
    return rc;
}

int32_t wci_grp_join(wci_engine *engine, wci_config *config, wc_error **err)
{
    wci_group_record record = {.name = NULL};
    if (!config->group || !*config->group)
        return WC_OK;
    if (config->cgroup_parent && *config->cgroup_parent)
        return wci_err(err, WC_E_INVALID, "group '%s': a cgroup parent and a group exclude each other", config->group);
    int32_t rc = wci_group_find(engine->store, config->group, &record, err);
    if (rc)
        return rc;
    char *path = wci_grp_path(&record);
    rc = path && !wci_replace(&config->cgroup_parent, path) ? WC_OK : wci_err_nomem(err);
    wci_free(path);
    wci_group_record_clear(&record);
    return rc;
}

/* ---- Making, changing, removing ----------------------------------------------------------------- */

static int32_t settle(wci_config *limits, const wc_group_options *options, char **text, wc_error **err)
{
    int32_t rc = options ? take_given(limits, options, err) : WC_OK;
    if (!rc)
        rc = wci_resources_check(limits, err);
    return rc ? rc : limits_text(limits, text, err);
}

int32_t wci_grp_create(wc_call *call, wci_engine *engine, const char *name, const wc_group_options *options,
                       wc_group **out, wc_error **err)
{
    wci_group_record record = {.name = wci_strdup(name)};
    wci_config limits = {.memory_swappiness = -1};
    wc_group *group = NULL;
    int32_t rc = record.name ? settle(&limits, options, &record.config, err) : wci_err_nomem(err);
    if (!rc)
        rc = new_group(engine, name, &group, err);
    if (!rc)
        rc = wci_group_create(call, engine->store, &record, err);
    wci_config_free(&limits);
    wci_group_record_clear(&record);
    if (rc)
        wc_group_unref(group);
    else
        *out = group;
    return rc;
}

static int32_t update_locked(wc_call *call, const wc_group *group, const wc_group_options *options, wc_error **err)
{
    wci_engine *engine = group->engine;
    wci_group_record record = {.name = NULL};
    wci_config limits = {0};
    char *text = NULL;
    int32_t rc = wci_group_find(engine->store, group->name, &record, err);
    if (!rc)
        rc = wci_grp_limits(&record, &limits, err);
    if (!rc)
        rc = settle(&limits, options, &text, err);
    if (!rc)
        rc = apply(call, engine, engine->default_backend, &record, &limits, err);
    if (!rc)
        rc = wci_group_set_config(call, engine->store, &record, text, err);
    wci_free(text);
    wci_config_free(&limits);
    wci_group_record_clear(&record);
    return rc;
}

int32_t wci_grp_update(wc_call *call, const wc_group *group, const wc_group_options *options, wc_error **err)
{
    wci_lock *lock = NULL;
    int32_t rc = wci_group_lock(call, group->engine->store, group->name, &lock, err);
    if (!rc)
        rc = update_locked(call, group, options, err);
    wci_lock_release(lock);
    return rc;
}

static int32_t remove_locked(wc_call *call, const wc_group *group, wc_error **err)
{
    wci_engine *engine = group->engine;
    wci_group_record record = {.name = NULL};
    wci_container_record **members = NULL;
    size_t count = 0;
    int32_t rc = wci_group_find(engine->store, group->name, &record, err);
    if (!rc)
        rc = wci_grp_members(engine, group->name, &members, &count, err);
    wci_container_records_free(members, count);
    if (!rc && !count)
        rc = ask(call, engine, engine->default_backend, &record, WCI_OP_GROUP_REMOVE, NULL, err);
    if (!rc) /* looks for containers again, in its transaction */
        rc = wci_group_remove(call, engine->store, group->name, err);
    wci_group_record_clear(&record);
    return rc;
}

int32_t wci_grp_remove(wc_call *call, const wc_group *group, wc_error **err)
{
    wci_lock *lock = NULL;
    int32_t rc = wci_group_lock(call, group->engine->store, group->name, &lock, err);
    if (!rc)
        rc = remove_locked(call, group, err);
    if (rc)
        wci_lock_release(lock);
    else
        wci_lock_release_remove(lock);
    return rc;
}

/* ---- Looking ------------------------------------------------------------------------------------ */

int32_t wci_grp_open(wci_engine *engine, const char *name, wc_group **out, wc_error **err)
{
    wci_group_record record = {.name = NULL};
    int32_t rc = wci_group_find(engine->store, name, &record, err);
    if (!rc)
        rc = new_group(engine, record.name, out, err);
    wci_group_record_clear(&record);
    return rc;
}

static void release(void *group)
{
    wc_group_unref(group);
}

int32_t wci_grp_list(wci_engine *engine, wc_list **out, wc_error **err)
{
    wci_group_record *records = NULL;
    size_t count = 0;
    wc_list *list = NULL;
    int32_t rc = wci_group_list(engine->store, &records, &count, err);
    if (!rc)
        rc = wci_list_new(WCI_LIST_GROUP, release, &list, err);
    for (size_t i = 0; !rc && i < count; i++) {
        wc_group *group = NULL;
        rc = new_group(engine, records[i].name, &group, err);
        if (!rc)
            rc = wci_list_add(list, group, err);
    }
    wci_group_records_free(records, count);
    if (rc)
        wc_list_unref(list);
    else
        *out = list;
    return rc;
}
