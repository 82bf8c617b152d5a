/* SPDX-License-Identifier: Apache-2.0 */
/* The process backend: containers of this kernel, by an OCI runtime under a monitor of ours. */
#include "backend/process/linux/backend.h"

#include <string.h>

#include "backend/process/linux/cgroup.h"
#include "backend/process/linux/needs.h"
#include "backend/process/linux/netavark.h"
#include "backend/process/linux/rootless.h"
#include "backend/process/linux/runtime.h"
#include "backend/process/linux/logs.h"
#include "backend/process/stream.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/file.h"
#include "platform/process.h"

#define CANDIDATES_MAX 4

void wci_backend_process_free(uintptr_t payload)
{
    process_backend *b = (process_backend *)payload;
    if (!b)
        return;
    wci_mutex_destroy(&b->mutex);
    wci_free(b->runtime_setting);
    wci_free(b->helper_setting);
    wci_free(b->network_helper);
    wci_free(b->root);
    wci_free(b->run_root);
    wci_free(b->runtime);
    wci_free(b->helper);
    wci_free(b);
}

static int32_t process_open(uintptr_t payload, wc_call *call, const wc_request *request,
                            wc_response *response)
{
    (void)payload;
    process_backend *b = wci_calloc(1, sizeof *b);
    if (!b)
        return wci_err_nomem(call->err);
    wci_mutex_init(&b->mutex);
    if (wci_replace(&b->runtime_setting, wc_request_string(request, "runtime")) ||
        wci_replace(&b->helper_setting, wc_request_string(request, "helper")) ||
        wci_replace(&b->network_helper, wc_request_string(request, "network-helper")) ||
        wci_replace(&b->root, wc_request_string(request, "root")) ||
        wci_replace(&b->run_root, wc_request_string(request, "run-root"))) {
        wci_backend_process_free((uintptr_t)b);
        return wci_err_nomem(call->err);
    }
    const char *driver = wc_request_string(request, "cgroup-driver");
    b->uses_systemd = driver && !strcmp(driver, "systemd");
    wc_response_set_handle(response, (uintptr_t)b);
    return WC_OK;
}

int32_t wci_process_helper(process_backend *b, const char **path, wc_error **err)
{
    wci_mutex_lock(&b->mutex);
    int32_t rc = b->helper ? WC_OK : wci_helper_find(b->helper_setting, &b->helper, err);
    *path = b->helper;
    wci_mutex_unlock(&b->mutex);
    return rc;
}

/* *version is the first line that `PATH --version` prints: a program is asked by the helper. */
static int32_t ask_version(process_backend *b, wc_call *call, const char *path, char **version, wc_error **err)
{
    wci_link link;
    wci_report report;
    json_t *request = json_pack("{s:s}", "program", path);
    int32_t rc = wci_helper_run(b, call, "probe", request, NULL, WCI_FD_NONE, &link, &report, err);
    if (rc)
        return rc;
    wci_link_close(&link);
    *version = report.text;
    return WC_OK;
}

/* Whether what was found as helper is one: asked for its own version. */
static int32_t check_helper(process_backend *b, wc_call *call, const char *helper, wc_error **err)
{
    char *version = NULL;
    int32_t rc = ask_version(b, call, helper, &version, err);
    wci_free(version);
    return rc;
}

static void probe(process_backend *b, wc_call *call, wci_runtime *runtime)
{
    if (runtime->path)
        (void)ask_version(b, call, runtime->path, &runtime->version, NULL);
    if (runtime->path && !runtime->version && !runtime->why)
        runtime->why = "it does not run: --version prints nothing";
}

/* One after which another may be taken must show that it runs. The last need not: when it fails, its
 * own words say why. */
static int32_t choose_runtime(process_backend *b, wc_call *call, char **path, wc_error **err)
{
    wci_runtime list[CANDIDATES_MAX];
    size_t count = 0;
    const wci_runtime *chosen = NULL;
    int32_t rc = wci_runtime_list(b->runtime_setting, list, CANDIDATES_MAX, &count, err);
    for (size_t i = 0; !rc && i + 1 < count; i++)
        if (!list[i].why)
            probe(b, call, &list[i]);
    if (!rc)
        rc = wci_runtime_choose(list, count, b->runtime_setting, &chosen, err);
    if (!rc && !(*path = wci_strdup(chosen->path)))
        rc = wci_err_nomem(err);
    for (size_t i = 0; i < count; i++)
        wci_runtime_free(&list[i]);
    return rc;
}

int32_t wci_process_runtime(process_backend *b, wc_call *call, const char **path, wc_error **err)
{
    char *chosen = NULL;
    wci_mutex_lock(&b->mutex);
    *path = b->runtime;
    wci_mutex_unlock(&b->mutex);
    if (*path)
        return WC_OK;
    int32_t rc = choose_runtime(b, call, &chosen, err);
    wci_mutex_lock(&b->mutex);
    if (!rc && !b->runtime) {
        b->runtime = chosen;
        chosen = NULL;
    }
    *path = b->runtime;
    wci_mutex_unlock(&b->mutex);
    wci_free(chosen);
    return rc;
}

static json_t *describe(const wci_runtime *runtime, int used)
{
    return json_pack("{s:s, s:s?, s:s?, s:b, s:s?}", "name", runtime->name, "path", runtime->path,
                     "version", runtime->version, "used", used, "reason", runtime->why);
}

/* Also why none of them is used, into *why. */
static json_t *describe_runtimes(process_backend *b, wc_call *call, wc_error **why)
{
    wci_runtime list[CANDIDATES_MAX];
    size_t count = 0;
    const wci_runtime *chosen = NULL;
    json_t *all = json_array();
    int32_t rc = wci_runtime_list(b->runtime_setting, list, CANDIDATES_MAX, &count, why);
    for (size_t i = 0; i < count; i++)
        probe(b, call, &list[i]);
    if (!rc)
        (void)wci_runtime_choose(list, count, b->runtime_setting, &chosen, why);
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(all, describe(&list[i], &list[i] == chosen));
        wci_runtime_free(&list[i]);
    }
    return all;
}

/* What networks are made with. */
static json_t *describe_networks(process_backend *b, wc_call *call)
{
    char *netavark = wci_netavark_find("netavark"), *aardvark = wci_netavark_find("aardvark-dns"), *version = NULL;
    if (netavark)
        (void)ask_version(b, call, netavark, &version, NULL);
    json_t *json = json_pack("{s:s?, s:s?, s:s?}", "netavark", netavark, "version", version, "aardvark-dns", aardvark);
    wci_free(netavark);
    wci_free(aardvark);
    wci_free(version);
    return json;
}

/* {"helper": PATH or null, "init": PATH or null, "runtimes": [{name, path, version, used, reason}], "networks": {netavark,
 * version, aardvark-dns}}, "rootless" for an ordinary user, and "Reason" when nothing would start. */
static int32_t process_info(uintptr_t payload, wc_call *call, const wc_request *request,
                            wc_response *response)
{
    (void)request;
    process_backend *b = (process_backend *)payload;
    const char *helper = NULL;
    char *init = NULL;
    wc_error *why = NULL; /* the first reason */
    (void)wci_needs_start(&why);
    if (!wci_process_helper(b, &helper, why ? NULL : &why))
        (void)check_helper(b, call, helper, why ? NULL : &why);
    (void)wci_init_find(&init, NULL);
    json_t *runtimes = describe_runtimes(b, call, why ? NULL : &why);
    json_t *info = json_pack("{s:s?, s:s?, s:o, s:o}", "helper", helper, "init", init, "runtimes", runtimes, "networks",
                             describe_networks(b, call));
    wci_free(init);
    json_t *rootless = wci_rootless_json(b);
    if (info && rootless)
        json_object_set(info, "rootless", rootless);
    json_decref(rootless);
    if (info && why)
        json_object_set_new(info, "Reason", json_string(wc_error_message(why)));
    wc_error_unref(why);
    char *text = info ? wci_json_dump_text(info) : NULL;
    json_decref(info);
    int32_t rc = text ? wc_response_set_text(response, text) : wci_err_nomem(call->err);
    wci_free(text);
    return rc;
}

int32_t wci_exec_dir(const wc_request *request, char **out, wc_error **err)
{
    const char *id = wc_request_string(request, "process-id");
    if (!id || !*id || strchr(id, '/') || id[0] == '.')
        return wci_err(err, WC_E_INVALID, "process '%s': not an id", id ? id : "");
    char *dir = wci_path_join3(wc_request_run_dir(request), "exec", id);
    if (!dir)
        return wci_err_nomem(err);
    *out = dir;
    return WC_OK;
}

int32_t wci_backend_process_prune(wci_strv *removed, wc_error **err)
{
    size_t count = wci_cgroup_prune();
    if (!count)
        return WC_OK;
    char *line = wci_asprintf("Deleted: control groups of %zu container%s without processes", count, count == 1 ? "" : "s");
    return wci_strv_add_take(removed, line) ? wci_err_nomem(err) : WC_OK;
}

const wc_backend_ops *wci_backend_process_ops(void)
{
    static const wc_backend_ops ops = {
        .struct_size = sizeof(wc_backend_ops),
        .spi_major = WC_BACKEND_SPI_MAJOR,
        .capabilities = WC_BACKEND_RECORDS | WC_BACKEND_DETACHED | WC_BACKEND_LAYERS | WC_BACKEND_NETWORKS,
        .name = "process",
        .open = process_open,
        .info = process_info,
        .container_start = wci_process_container_start,
        .container_state = wci_process_container_state,
        .container_kill = wci_process_container_kill,
        .container_wait = wci_process_container_wait,
        .container_remove = wci_process_container_remove,
        .container_attach = wci_process_container_attach,
        .process_start = wci_process_start_judged,
        .process_state = wci_process_process_state,
        .process_wait = wci_process_process_wait,
        .process_kill = wci_process_process_kill,
        .archive_get = wci_process_archive_get,
        .archive_put = wci_process_archive_put,
        .logs_open = wci_linux_logs_open,
        .stream_read = wci_process_stream_read,
        .stream_write = wci_process_stream_write,
        .stream_close_write = wci_process_stream_close_write,
        .stream_resize = wci_process_stream_resize,
        .stream_fd = wci_process_stream_fd,
        .stream_write_fd = wci_process_stream_write_fd,
        .stream_release = wci_process_stream_release,
        .logs_next = wci_linux_logs_next,
        .logs_fd = wci_linux_logs_fd,
        .network_connect = wci_process_network_connect,
        .network_disconnect = wci_process_network_disconnect,
        .logs_release = wci_linux_logs_release,
        .container_pause = wci_process_container_pause,
        .container_resume = wci_process_container_resume,
        .group_update = wci_process_group_update,
        .group_remove = wci_process_group_remove,
        .group_report = wci_process_group_report,
        .container_stats = wci_process_container_stats,
        .container_processes = wci_process_container_processes,
        .container_update = wci_process_container_update,
    };
    return &ops;
}
