/* SPDX-License-Identifier: Apache-2.0 */
#include <wincontainer/container.h>
#include <wincontainer/image.h>

#include "api/context.h"
#include "container/changes.h"
#include "container/container.h"
#include "container/info.h"
#include "container/update.h"
#include "core/signal.h"


static int32_t begin(wc_container *container, wc_cancel *cancel, wc_call *call, wc_error **err)
{
    WCI_REQUIRE(container, "container is NULL");
    return wci_api_begin_engine(container->engine, cancel, call, err);
}

int32_t wc_container_create(wc_context *context, const wc_container_options *options, wc_cancel *cancel,
                            wc_container **out, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(options && out, "options or out is NULL");
    return wci_ctr_create(&call, context->engine, options, out, err);
}

int32_t wc_container_open(wc_context *context, const char *id_or_name, wc_container **out, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(id_or_name && *id_or_name, "id_or_name is empty");
    WCI_REQUIRE(out, "out is NULL");
    return wci_ctr_open(context->engine, id_or_name, out, err);
}

int32_t wc_container_start(wc_container *container, uint64_t attach, wc_cancel *cancel, wc_stream **stream,
                           wc_error **err)
{
    wc_call call;
    int32_t rc = begin(container, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(!attach || wci_api_attach_is_valid(attach), "attach has unknown bits or no stream");
    WCI_REQUIRE(!attach || stream, "stream is NULL");
    return wci_ctr_start(&call, container, attach, stream, err);
}

int32_t wc_container_attach(wc_container *container, uint64_t attach, wc_cancel *cancel, wc_stream **out,
                            wc_error **err)
{
    wc_call call;
    int32_t rc = begin(container, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(wci_api_attach_is_valid(attach), "attach has unknown bits or no stream");
    WCI_REQUIRE(out, "out is NULL");
    return wci_ctr_attach(&call, container, attach, out, err);
}

int32_t wc_container_wait(wc_container *container, int32_t condition, wc_cancel *cancel, int32_t *exit_code,
                          wc_error **err)
{
    wc_call call;
    int32_t code = 0, rc = begin(container, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(condition >= WC_WAIT_NOT_RUNNING && condition <= WC_WAIT_RUN_END, "condition is not one of WC_WAIT_*");
    rc = wci_ctr_wait(&call, container, condition, &code, err);
    if (!rc && exit_code)
        *exit_code = code;
    return rc;
}

#define WAITS_ALL ((uint64_t)63)

int32_t wc_container_wait_any(wc_container *container, uint64_t conditions, wc_cancel *cancel, uint64_t *met,
                              int32_t *exit_code, wc_error **err)
{
    wc_call call;
    uint64_t holds = 0;
    int32_t code = 0, rc = begin(container, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(conditions && !(conditions & ~WAITS_ALL), "conditions is 0 or has unknown bits");
    rc = wci_ctr_wait_any(&call, container, conditions, &holds, &code, err);
    if (!rc && met)
        *met = holds;
    if (!rc && exit_code)
        *exit_code = code;
    return rc;
}

int32_t wc_container_kill(wc_container *container, const char *signal, wc_error **err)
{
    wc_call call;
    int number = 0;
    int32_t rc = begin(container, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(signal, "signal is NULL");
    rc = wci_signal_parse(signal, &number, err);
    return rc ? rc : wci_ctr_kill(&call, container, number, err);
}

int32_t wc_container_stop(wc_container *container, int64_t timeout_ns, wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(container, cancel, &call, err);
    return rc ? rc : wci_ctr_stop(&call, container, timeout_ns, err);
}

int32_t wc_container_restart(wc_container *container, int64_t timeout_ns, wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(container, cancel, &call, err);
    return rc ? rc : wci_ctr_restart(&call, container, timeout_ns, err);
}

int32_t wc_container_pause(wc_container *container, wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(container, cancel, &call, err);
    return rc ? rc : wci_ctr_pause(&call, container, 1, err);
}

int32_t wc_container_unpause(wc_container *container, wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(container, cancel, &call, err);
    return rc ? rc : wci_ctr_pause(&call, container, 0, err);
}

int32_t wc_container_update(wc_container *container, const wc_update_options *options, wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(container, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(options, "options is NULL");
    return wci_ctr_update(&call, container, options, err);
}

int32_t wc_container_rename(wc_container *container, const char *name, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(container, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(name && *name, "name is empty");
    return wci_ctr_rename(&call, container, name, err);
}

int32_t wc_container_remove(wc_container *container, uint64_t flags, wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(container, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(!(flags & ~(uint64_t)(WC_REMOVE_FORCE | WC_REMOVE_VOLUMES)), "unknown flags");
    return wci_ctr_remove(&call, container, flags, err);
}

int32_t wc_container_copy_in(wc_container *container, const char *host_path, const char *container_path,
                             wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(container, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(host_path && *host_path && container_path && *container_path, "a path is empty");
    return wci_ctr_copy_in(&call, container, host_path, container_path, err);
}

int32_t wc_container_copy_out(wc_container *container, const char *container_path, const char *host_path,
                              wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(container, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(host_path && *host_path && container_path && *container_path, "a path is empty");
    return wci_ctr_copy_out(&call, container, container_path, host_path, err);
}

int32_t wc_container_get_archive(wc_container *container, const char *container_path, intptr_t fd, wc_cancel *cancel,
                                 wc_error **err)
{
    wc_call call;
    int32_t rc = begin(container, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(container_path && *container_path, "container_path is empty");
    WCI_REQUIRE(fd >= 0, "fd is negative");
    return wci_ctr_get_archive(&call, container, container_path, (wci_fd)fd, err);
}

int32_t wc_container_put_archive(wc_container *container, const char *container_path, intptr_t fd, wc_cancel *cancel,
                                 wc_error **err)
{
    wc_call call;
    int32_t rc = begin(container, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(container_path && *container_path, "container_path is empty");
    WCI_REQUIRE(fd >= 0, "fd is negative");
    return wci_ctr_put_archive(&call, container, container_path, (wci_fd)fd, err);
}

int32_t wc_container_export(wc_container *container, const char *path, wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(container, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(path && *path, "path is empty");
    return wci_ctr_export(&call, container, path, WCI_FD_NONE, err);
}

int32_t wc_container_export_fd(wc_container *container, intptr_t fd, wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(container, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(fd >= 0, "fd is negative");
    return wci_ctr_export(&call, container, NULL, (wci_fd)fd, err);
}

const char *wc_container_id(const wc_container *container)
{
    return container ? container->id : "";
}

wc_container *wc_container_ref(wc_container *container)
{
    if (container)
        wci_ref_take(&container->refs);
    return container;
}

void wc_container_unref(wc_container *container)
{
    if (container && wci_ref_drop(&container->refs))
        wci_ctr_free(container);
}

/* ---- Looking ------------------------------------------------------------------------------------ */

int32_t wc_container_inspect(wc_container *container, wc_container_info **out, wc_error **err)
{
    wc_call call;
    wci_container_record *record = NULL;
    int32_t rc = begin(container, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(out, "out is NULL");
    rc = wci_ctr_record(&call, container->engine, container->id, &record, err);
    return rc ? rc : wci_info_new(container->engine->store, record, out, err);
}

int32_t wc_container_diff(wc_container *container, wc_cancel *cancel, wc_buf **out, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(container, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(out, "out is NULL");
    return wci_ctr_diff(&call, container, out, err);
}

int32_t wc_container_list(wc_context *context, wc_list **out, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(out, "out is NULL");
    return wci_info_list(&call, context->engine, out, err);
}

wc_container_info *wc_container_info_ref(wc_container_info *info)
{
    if (info)
        wci_ref_take(&info->refs);
    return info;
}

void wc_container_info_unref(wc_container_info *info)
{
    if (info && wci_ref_drop(&info->refs))
        wci_info_free(info);
}

const char *wc_container_info_id(const wc_container_info *info)
{
    return info ? info->record->id : "";
}

const char *wc_container_info_name(const wc_container_info *info)
{
    return info ? info->record->name : "";
}

const char *wc_container_info_image(const wc_container_info *info)
{
    return info ? info->record->image_name : "";
}

const char *wc_container_info_image_id(const wc_container_info *info)
{
    return info && info->config.image_id ? info->config.image_id : "";
}

const char *wc_container_info_command(const wc_container_info *info)
{
    return info ? info->command : "";
}

int32_t wc_container_info_status(const wc_container_info *info)
{
    if (!info)
        return WC_STATUS_DEAD;
    return info->record->status == WCI_STATUS_STARTING ? WC_STATUS_CREATED : (int32_t)info->record->status;
}

const char *wc_container_info_status_text(const wc_container_info *info)
{
    return info ? wci_status_text(info->record->status) : "";
}

int64_t wc_container_info_pid(const wc_container_info *info)
{
    return info ? info->record->pid : 0;
}

int32_t wc_container_info_exit_code(const wc_container_info *info)
{
    return info ? info->record->exit_code : 0;
}

int64_t wc_container_info_created(const wc_container_info *info)
{
    return info ? info->record->created_ns : 0;
}

int64_t wc_container_info_started(const wc_container_info *info)
{
    return info ? info->record->started_ns : 0;
}

int32_t wc_container_info_health(const wc_container_info *info)
{
    return info ? (int32_t)info->record->health : WC_HEALTH_NONE;
}

int64_t wc_container_info_restart_count(const wc_container_info *info)
{
    return info ? info->record->restart_count : 0;
}

int64_t wc_container_info_finished(const wc_container_info *info)
{
    return info ? info->record->finished_ns : 0;
}

const char *wc_container_info_label(const wc_container_info *info, const char *key)
{
    return info && key ? wci_config_label(&info->config, key) : NULL;
}

const char *wc_container_info_json(const wc_container_info *info)
{
    return info ? wci_info_json(info) : "{}";
}

const char *wc_container_info_ports(const wc_container_info *info)
{
    return info && info->ports ? info->ports : "{}";
}

/* ---- Logs --------------------------------------------------------------------------------------- */

int32_t wc_container_logs(wc_container *container, const wc_log_options *options, wc_logs **out, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(container, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(out, "out is NULL");
    return wci_ctr_logs(&call, container, options, out, err);
}

int32_t wc_logs_next(wc_logs *logs, int32_t *channel, int64_t *time_ns, wc_buf **line, int64_t timeout_ns,
                     wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    wc_response response;
    WCI_REQUIRE(logs && line, "logs or line is NULL");
    int32_t rc = wci_api_begin_engine(logs->engine, cancel, &call, err);
    if (rc)
        return rc;
    wci_response_init(&response);
    rc = wci_backend_logs_next(logs->backend, &call, logs->handle, &response, timeout_ns, err);
    if (!rc) {
        if (channel)
            *channel = response.channel;
        if (time_ns)
            *time_ns = response.time_ns;
        *line = response.line;
        response.line = NULL;
    }
    wci_response_free(&response);
    return rc;
}

intptr_t wc_logs_fd(const wc_logs *logs)
{
    return logs && wci_api_is_ours(logs->engine) ? wci_backend_logs_fd(logs->backend, logs->handle) : -1;
}

wc_logs *wc_logs_ref(wc_logs *logs)
{
    if (logs)
        wci_ref_take(&logs->refs);
    return logs;
}

void wc_logs_unref(wc_logs *logs)
{
    if (logs && wci_ref_drop(&logs->refs))
        wci_logs_free(logs);
}
