/* SPDX-License-Identifier: Apache-2.0 */
/* Field names are those of `docker container inspect`. */
#include "container/info.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "core/list.h"

const char *wci_status_text(wci_status status)
{
    static const char *const texts[] = {"created", "created", "running", "paused", "exited", "removing", "dead"};
    return texts[status];
}

static char *command_text(const wci_config *config)
{
    wci_strv args = WCI_STRV_INIT;
    wci_str text = WCI_STR_INIT;
    if (wci_config_args(config, &args))
        text.failed = 1;
    for (size_t i = 0; i < args.count; i++)
        wci_str_printf(&text, "%s%s", i ? " " : "", args.items[i]);
    wci_strv_free(&args);
    return wci_str_take(&text);
}

static json_t *state_json(const wci_container_record *r)
{
    char started[WCI_TIME_TEXT_SIZE], finished[WCI_TIME_TEXT_SIZE];
    wci_time_format(r->started_ns, started);
    wci_time_format(r->finished_ns, finished);
    return json_pack("{s:s, s:b, s:b, s:b, s:b, s:b, s:I, s:i, s:s, s:s, s:s}", "Status", wci_status_text(r->status),
                     "Running", r->status == WCI_STATUS_RUNNING, "Paused", r->status == WCI_STATUS_PAUSED,
                     "Restarting", 0, "OOMKilled", r->oom_killed != 0, "Dead", r->status == WCI_STATUS_DEAD, "Pid",
                     (json_int_t)r->pid, "ExitCode", (int)r->exit_code, "Error", r->error, "StartedAt",
                     r->started_ns ? started : "0001-01-01T00:00:00Z", "FinishedAt",
                     r->finished_ns ? finished : "0001-01-01T00:00:00Z");
}

static json_t *labels_json(const wci_config *config)
{
    json_t *labels = json_object();
    for (size_t i = 0; labels && i < config->label_keys.count; i++)
        json_object_set_new(labels, config->label_keys.items[i], json_string(config->label_values.items[i]));
    return labels;
}

/* In seconds; -1: without end. */
static json_int_t stop_timeout(const wci_config *c)
{
    return c->stop_timeout_ns == INT64_MAX ? -1 : c->stop_timeout_ns / 1000000000;
}

static json_t *config_json(const wci_config *c)
{
    return json_pack("{s:s, s:s, s:b, s:b, s:o, s:o, s:o, s:s, s:s, s:o, s:s, s:I}", "Hostname", c->hostname, "User", c->user,
                     "Tty", c->tty, "OpenStdin", c->open_stdin, "Env", wci_json_from_strv(&c->env), "Cmd",
                     wci_json_from_strv(&c->cmd), "Entrypoint", wci_json_from_strv(&c->entrypoint), "Image", c->image,
                     "WorkingDir", c->workdir, "Labels", labels_json(c), "StopSignal", c->stop_signal, "StopTimeout",
                     stop_timeout(c));
}

static json_t *host_config_json(const wci_config *c)
{
    return json_pack("{s:s, s:s, s:b, s:b, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:s, s:o, s:o}", "NetworkMode", c->network,
                     "Isolation", c->isolation, "AutoRemove", c->auto_remove, "Privileged", c->privileged,
                     "ReadonlyRootfs", c->read_only, "Init", c->init, "Memory", (json_int_t)c->memory, "MemorySwap",
                     (json_int_t)c->memory_swap, "NanoCpus", (json_int_t)c->nano_cpus, "CpuShares",
                     (json_int_t)c->cpu_shares, "PidsLimit", (json_int_t)c->pids_limit, "CpusetCpus",
                     c->cpuset ? c->cpuset : "", "CapAdd", wci_json_from_strv(&c->cap_add), "CapDrop",
                     wci_json_from_strv(&c->cap_drop));
}

static json_t *mounts_json(const wci_config *c)
{
    json_t *mounts = json_array();
    for (size_t i = 0; mounts && i < c->mount_count; i++) {
        const wci_mount *m = &c->mounts[i];
        json_array_append_new(mounts, json_pack("{s:s, s:s, s:s, s:b}", "Type", m->type, "Source",
                                                m->source ? m->source : "", "Destination", m->target, "RW",
                                                !wci_strv_contains(&m->options, "ro")));
    }
    return mounts;
}

static char *inspect_json(const wci_container_record *r, const wci_config *config)
{
    char created[WCI_TIME_TEXT_SIZE];
    wci_strv args = WCI_STRV_INIT;
    wci_time_format(r->created_ns, created);
    int failed = wci_config_args(config, &args);
    const char *path = args.count ? args.items[0] : "";
    json_t *rest = wci_json_from_strv(&args);
    json_array_remove(rest, 0);
    json_t *json = json_pack("{s:s, s:s, s:s, s:o, s:o, s:s, s:s+, s:s, s:o, s:o, s:o}", "Id", r->id, "Created", created,
                             "Path", path, "Args", rest, "State", state_json(r), "Image", config->image_id, "Name", "/",
                             r->name, "Driver", r->backend, "HostConfig", host_config_json(config), "Mounts",
                             mounts_json(config), "Config", config_json(config));
    char *text = json && !failed ? wci_json_dump_text(json) : NULL;
    json_decref(json);
    wci_strv_free(&args);
    return text;
}

int32_t wci_info_new(wci_container_record *record, wc_container_info **out, wc_error **err)
{
    wc_container_info *info = wci_calloc(1, sizeof *info);
    if (!info) {
        wci_container_record_free(record);
        return wci_err_nomem(err);
    }
    wci_ref_init(&info->refs);
    info->record = record;
    int32_t rc = wci_config_from_json(record->config, &info->config, err);
    if (!rc) {
        info->command = command_text(&info->config);
        info->json = inspect_json(record, &info->config);
        rc = info->command && info->json ? WC_OK : wci_err_nomem(err);
    }
    if (rc)
        wci_info_free(info);
    else
        *out = info;
    return rc;
}

void wci_info_free(wc_container_info *info)
{
    wci_container_record_free(info->record);
    wci_config_free(&info->config);
    wci_free(info->command);
    wci_free(info->json);
    wci_free(info);
}

static void release(void *info)
{
    wc_container_info_unref(info);
}

/* One that is removed meanwhile is left out. */
static int32_t add(wc_call *call, wci_engine *engine, wci_container_record **record, wc_list *list, wc_error **err)
{
    wc_container_info *info = NULL;
    wc_error *why = NULL;
    int32_t rc = wci_ctr_reconcile(call, engine, record, &why);
    if (rc == WC_E_NOT_FOUND) {
        wc_error_unref(why);
        return WC_OK;
    }
    if (rc)
        return wci_err_move(err, why);
    rc = wci_info_new(*record, &info, err);
    *record = NULL;
    return rc ? rc : wci_list_add(list, info, err);
}

int32_t wci_info_list(wc_call *call, wci_engine *engine, wc_list **out, wc_error **err)
{
    wci_container_record **records = NULL;
    size_t count = 0;
    wc_list *list = NULL;
    int32_t rc = wci_list_new(WCI_LIST_CONTAINER_INFO, release, &list, err);
    if (!rc)
        rc = wci_container_list(engine->store, &records, &count, err);
    for (size_t i = 0; i < count && !rc; i++)
        rc = add(call, engine, &records[i], list, err);
    wci_container_records_free(records, count);
    if (rc)
        wc_list_unref(list);
    else
        *out = list;
    return rc;
}
