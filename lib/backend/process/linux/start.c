/* SPDX-License-Identifier: Apache-2.0 */
/* Starting wc-helper: as monitor of a container, or for one piece of work. */
#include <string.h>

#include <wincontainer/container.h>

#include "backend/process/linux/backend.h"
#include "backend/process/linux/bundle.h"
#include "backend/process/linux/cgroup.h"
#include "backend/process/linux/needs.h"
#include "backend/process/linux/netavark.h"
#include "backend/process/linux/rootless.h"
#include "backend/process/linux/runtime.h"
#include "backend/process/protocol.h"
#include "backend/process/state.h"
#include "backend/process/stream.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/host.h"
#include "platform/process.h"

#define HELPER_FD_LINK 3
#define HELPER_FD_DATA 4
/* A helper that was told to give up takes no longer than its runtime does. */
#define GIVE_UP_MS 20000

static int32_t spawn(process_backend *b, const char *role, wci_fd data, wci_link *link,
                     wc_error **err)
{
    const char *helper = NULL;
    wci_fd ours = WCI_FD_NONE, theirs = WCI_FD_NONE;
    int32_t rc = wci_process_helper(b, &helper, err);
    if (!rc)
        rc = wci_pair(&ours, &theirs, err);
    if (rc)
        return rc;
    const char *argv[] = {helper, role, NULL};
    const char *env[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    wci_spawn_fd fds[] = {{theirs, HELPER_FD_LINK}, {data, HELPER_FD_DATA}};
    rc = wci_spawn_helper(argv, env, fds, data == WCI_FD_NONE ? 1 : 2, err);
    wci_fd_close(theirs);
    if (rc) {
        wci_fd_close(ours);
        return rc;
    }
    return wci_link_init(link, ours, err);
}

static int32_t send_request(wc_call *call, wci_link *link, json_t *request, const char *config,
                            wc_error **err)
{
    char *text = wci_json_dump_text(request);
    if (!text)
        return wci_err_nomem(err);
    int32_t rc = wci_link_send(call, link, WCI_FRAME_REQUEST, text, strlen(text), -1, err);
    wci_free(text);
    if (!rc && config)
        rc = wci_link_send(call, link, WCI_FRAME_CONFIG, config, strlen(config), -1, err);
    return rc ? rc : wci_link_flush(call, link, -1, err);
}

static int32_t read_report(const wci_frame *frame, wci_report *out, wc_error **err)
{
    json_t *report = NULL;
    int32_t rc = wci_json_parse(frame->data, frame->size, WCI_FRAME_MAX, "report of wc-helper",
                                &report, err);
    if (rc)
        return rc;
    const char *text = json_string_value(json_object_get(report, "text"));
    const char *message = json_string_value(json_object_get(report, "message"));
    rc = (int32_t)json_integer_value(json_object_get(report, "code"));
    memset(out, 0, sizeof *out);
    out->pid = json_integer_value(json_object_get(report, "pid"));
    out->flags = (uint32_t)json_integer_value(json_object_get(report, "flags"));
    if (rc)
        rc = wci_err_native(err, rc, (int32_t)json_integer_value(json_object_get(report, "domain")),
                            json_integer_value(json_object_get(report, "native")), "%s",
                            message ? message : "wc-helper: failed");
    else if (text && !(out->text = wci_strdup(text)))
        rc = wci_err_nomem(err);
    json_decref(report);
    return rc;
}

/* WC_E_CLOSED when it goes without a word. */
static int32_t wait_report(const wc_call *call, wci_link *link, int64_t timeout_ms,
                           wci_report *report, wc_error **err)
{
    wci_frame frame;
    int32_t rc;
    do {
        rc = wci_link_recv(call, link, timeout_ms, &frame, err);
    } while (!rc && frame.type != WCI_FRAME_REPORT);
    return rc ? rc : read_report(&frame, report, err);
}

void wci_helper_give_up(wci_link *link, int32_t code)
{
    WCI_CALL_NONE(call);
    wci_report report = {0};
    int is_there = code == WC_E_CANCELLED || code == WC_E_TIMEOUT;
    if (is_there && !wci_link_send(&call, link, WCI_FRAME_CANCEL, NULL, 0, GIVE_UP_MS, NULL))
        (void)wait_report(&call, link, GIVE_UP_MS, &report, NULL);
    wci_free(report.text);
    wci_link_close(link);
}

/* crun does not say what it could not execute. */
static int32_t name_command(int32_t code, const char *config, wc_error **err)
{
    json_t *document = NULL;
    if ((code != WC_E_COMMAND_NOT_FOUND && code != WC_E_COMMAND_NOT_EXECUTABLE) || !err || !*err ||
        wci_json_parse(config, strlen(config), WCI_FRAME_MAX, "configuration", &document, NULL))
        return code;
    json_t *process = json_object_get(document, "process");
    json_t *args = json_object_get(process ? process : document, "args");
    const char *command = json_string_value(json_array_get(args, 0));
    if (command && !strstr(wc_error_message(*err), command))
        code = wci_err_wrap(err, code, "command '%s'", command);
    json_decref(document);
    return code;
}

int32_t wci_helper_silent(process_backend *b, wc_error **err)
{
    const char *helper = NULL;
    int32_t rc = wci_process_helper(b, &helper, err);
    return rc ? rc
              : wci_err(err, WC_E_RUNTIME,
                        "wc-helper '%s': ended without a word: it was killed, or is another program; name the one that "
                        "belongs to this library",
                        helper);
}

int32_t wci_helper_await(wc_call *call, wci_link *link, const char *document, wci_report *report, wc_error **err)
{
    int32_t rc = wait_report(call, link, -1, report, err);
    if (!rc)
        return WC_OK;
    if (rc == WC_E_CLOSED)
        wci_err_clear(err);
    wci_helper_give_up(link, rc);
    return document ? name_command(rc, document, err) : rc;
}

int32_t wci_helper_run(process_backend *b, wc_call *call, const char *role, json_t *request,
                       const char *config, wci_fd data, wci_link *link, wci_report *report,
                       wc_error **err)
{
    if (request && b->run_root && !json_object_get(request, "runRoot"))
        json_object_set_new(request, "runRoot", json_string(b->run_root));
    int32_t rc = request ? spawn(b, role, data, link, err) : wci_err_nomem(err);
    if (rc) {
        json_decref(request);
        return rc;
    }
    rc = send_request(call, link, request, config, err);
    json_decref(request);
    if (rc == WC_E_CLOSED) { /* it said why before it went */
        wci_err_clear(err);
        rc = WC_OK;
    }
    if (rc) {
        wci_helper_give_up(link, rc);
        return rc;
    }
    rc = wci_helper_await(call, link, config, report, err);
    return rc == WC_E_CLOSED ? wci_helper_silent(b, err) : rc;
}

static json_t *layer_array(const wc_request *request)
{
    json_t *layers = json_array();
    for (size_t i = 0; layers && i < wc_request_layer_count(request); i++)
        json_array_append_new(layers, json_string(wc_request_layer(request, i)));
    return layers;
}

/* The container's configuration. */
static json_t *settings_object(const wc_request *request)
{
    json_t *config = json_loads(wc_request_config(request), 0, NULL);
    return config ? config : json_object();
}

/* What the library wrote for the helper, see helper/volumes.h. */
static json_t *storage_object(const wc_request *request)
{
    const char *text = wc_request_string(request, "storage");
    json_t *storage = text ? json_loads(text, 0, NULL) : NULL;
    return storage ? storage : json_object();
}

/* Whose namespaces are joined, see helper/joins.h. */
static json_t *joins_array(const wc_request *request)
{
    const char *text = wc_request_string(request, "joins");
    json_t *joins = text ? json_loads(text, 0, NULL) : NULL;
    return joins ? joins : json_array();
}

/* What lines in the journal have, or NULL. */
static json_t *log_fields(const wc_request *request)
{
    const char *text = wc_request_string(request, "log-fields");
    return text ? json_loads(text, 0, NULL) : NULL;
}

static const char *text_param(const wc_request *request, const char *key, const char *fallback)
{
    const char *value = wc_request_string(request, key);
    return value ? value : fallback;
}

static json_t *container_request(const process_backend *b, const wc_request *request,
                                 const char *runtime, const wci_cgroup *group, json_t *network)
{
    return json_pack(
        "{s:i, s:s, s:s, s:s, s:s?, s:s?, s:s, s:I, s:I, s:b, s:b, s:b, s:I, s:I, s:o, s:o, s:o, s:s, s:o, s:O*, s:b, s:o*, s:b}", "version",
        WCI_PROTOCOL_VERSION, "id", wc_request_container_id(request), "stateDir",
        wc_request_state_dir(request), "runDir", wc_request_run_dir(request), "storeRoot",
        text_param(request, "store-root", b->root), "runRoot",
        text_param(request, "run-root", b->run_root), "runtime", runtime, "generation",
        (json_int_t)wc_request_int(request, "generation", 0), "attach",
        (json_int_t)wc_request_int(request, "attach", 0), "tty",
        wc_request_int(request, "tty", 0) != 0, "openStdin",
        wc_request_int(request, "open-stdin", 0) != 0, "autoRemove",
        wc_request_int(request, "auto-remove", 0) != 0, "logMaxBytes",
        (json_int_t)wc_request_int(request, "log-max-bytes", 0), "logMaxFiles",
        (json_int_t)wc_request_int(request, "log-max-files", 1), "layers", layer_array(request), "storage",
        storage_object(request), "settings", settings_object(request), "cgroup", group->path,
        "joins", joins_array(request), "network", network, "systemdCgroup", b->uses_systemd, "logFields",
        log_fields(request), "apparmorDefault", wc_request_int(request, "apparmor-default", 0) != 0);
}

/* Where the runtime finds it: whoever is root in a user namespace cannot pass our directories. Owned. */
static char *root_path(const wc_request *request)
{
    json_t *settings = settings_object(request);
    int is_shifted = json_array_size(json_object_get(settings, "uidMaps")) > 0 && !wci_rootless();
    json_decref(settings);
    return is_shifted ? wci_path_join(WCI_USERNS_ROOTS, wc_request_container_id(request))
                    : wci_path_join(wc_request_run_dir(request), WCI_RUN_ROOTFS);
}

/* Config.json for the request; owned. */
static int32_t make_config(const wc_request *request, const wci_cgroup *group, char **config, wc_error **err)
{
    const char *spec = wc_request_string(request, "spec");
    char *init = NULL;
    if (!spec)
        return wci_err(err, WC_E_INVALID, "process backend: the request has no 'spec'");
    int32_t rc = WC_OK;
    if (wc_request_int(request, "init", 0))
        rc = wci_init_find(&init, err);
    char *rootfs = root_path(request);
    int has_netns = wc_request_string(request, "network-document") || wc_request_string(request, "network-uplink") ||
                    wc_request_string(request, "network-join");
    if (!rc)
        rc = rootfs ? wci_bundle_config(spec, group->for_runtime, rootfs, init,
                                        has_netns ? wc_request_run_dir(request) : NULL, wc_request_config(request),
                                        config, err)
                    : wci_err_nomem(err);
    wci_free(rootfs);
    wci_free(init);
    return rc;
}

int32_t wci_helper_answer(const wc_request *request, wci_link *link, const wci_report *report,
                          wc_response *response, wc_error **err)
{
    uint64_t attach = (uint64_t)wc_request_int(request, "attach", 0);
    wc_response_set_status(response, WC_STATUS_RUNNING);
    wc_response_set_pid(response, report->pid);
    if (!attach) {
        wci_link_close(link);
        return WC_OK;
    }
    uintptr_t stream = 0;
    int32_t rc = wci_process_stream_new(link, report->flags, attach, &stream, err);
    if (!rc)
        wc_response_set_handle(response, stream);
    return rc;
}

int32_t wci_process_container_start(uintptr_t payload, wc_call *call, const wc_request *request,
                                    wc_response *response)
{
    process_backend *b = (process_backend *)payload;
    const char *runtime = NULL;
    char *config = NULL;
    json_t *network = NULL;
    wci_link link;
    wci_report report;
    wci_cgroup group = wci_cgroup_of_request(request);
    int32_t rc = wci_needs_start(call->err);
    if (!rc && b->uses_systemd)
        rc = wci_cgroup_by_systemd(request, &group, call->err);
    if (!rc)
        rc = wci_rootless_check(request, &group, call->err);
    if (!rc)
        rc = wci_process_runtime(b, call, &runtime, call->err);
    if (!rc)
        rc = make_config(request, &group, &config, call->err);
    if (!rc)
        rc = wci_process_network_request(b, request, &network, call->err);
    if (!rc)
        rc = wci_helper_run(b, call, "monitor", container_request(b, request, runtime, &group, network), config,
                            WCI_FD_NONE, &link, &report, call->err);
    wci_free(config);
    json_decref(network);
    if (rc)
        (void)wci_process_end_remains(b, request, NULL); /* a monitor that was killed cannot */
    return rc ? rc : wci_helper_answer(request, &link, &report, response, call->err);
}

/* ---- cp ---- */

static int has_read_only_root(const wc_request *request)
{
    json_t *settings = settings_object(request);
    int is_set = json_is_true(json_object_get(settings, "readOnly"));
    json_decref(settings);
    return is_set;
}

static int32_t archive(process_backend *b, wc_call *call, const wc_request *request,
                       const char *what)
{
    const char *path = wc_request_string(request, "path");
    wci_fd data = (wci_fd)wc_request_int(request, "fd", -1);
    wci_run_state state;
    wci_link link;
    wci_report report;
    if (!path || data == WCI_FD_NONE)
        return wci_err(call->err, WC_E_INVALID, "process backend: cp needs 'path' and 'fd'");
    int32_t rc = wci_needs_root(call->err);
    if (!rc)
        rc = wci_run_state_read(wc_request_run_dir(request), 0, &state, call->err);
    if (rc)
        return rc;
    int running = state.status == WC_STATUS_RUNNING || state.status == WC_STATUS_PAUSED;
    if (!running && (rc = wci_needs_rights(call->err))) /* its root is to be mounted */
        return rc;
    json_t *json = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:b}", "version",
                             WCI_PROTOCOL_VERSION, "what", what, "storeRoot",
                             text_param(request, "store-root", b->root), "id",
                             wc_request_container_id(request), "stateDir",
                             wc_request_state_dir(request), "runDir", wc_request_run_dir(request),
                             "path", path, "pid", (json_int_t)(running ? state.pid : 0), "pidStart",
                             (json_int_t)state.pid_start, "layers", layer_array(request), "storage",
                             storage_object(request), "readOnlyRoot", has_read_only_root(request));
    rc = wci_helper_run(b, call, "archive", json, NULL, data, &link, &report, call->err);
    if (!rc)
        wci_link_close(&link);
    return rc;
}

int32_t wci_process_archive_get(uintptr_t payload, wc_call *call, const wc_request *request,
                                wc_response *response)
{
    (void)response;
    return archive((process_backend *)payload, call, request, "get");
}

int32_t wci_process_archive_put(uintptr_t payload, wc_call *call, const wc_request *request,
                                wc_response *response)
{
    (void)response;
    return archive((process_backend *)payload, call, request, "put");
}
