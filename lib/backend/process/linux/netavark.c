/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/netavark.h"

#include <string.h>
#include <unistd.h>

#include <wincontainer/container.h>

#include "backend/process/linux/needs.h"
#include "backend/process/linux/uplink.h"
#include "backend/process/protocol.h"
#include "backend/process/state.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/file.h"
#include "platform/host.h"

#define DOCUMENT_MAX ((size_t)4 << 20)

/* ---- The programs --------------------------------------------------------------------------------- */

/* Distributions keep them off PATH, with podman's other helpers. */
char *wci_netavark_find(const char *name)
{
    static const char *const dirs[] = {"/usr/local/libexec/podman", "/usr/local/lib/podman", "/usr/libexec/podman",
                                       "/usr/lib/podman"};
    for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++) {
        char *path = wci_path_join(dirs[i], name);
        if (!path || access(path, X_OK) == 0)
            return path;
        wci_free(path);
    }
    return wci_host_find_program(name);
}

static int32_t find_netavark(char **out, wc_error **err)
{
    *out = wci_netavark_find("netavark");
    if (*out)
        return WC_OK;
    return wci_err(err, WC_E_MISSING,
                   "netavark: not found, and networks need it; install the packages netavark and aardvark-dns, or use "
                   "the network 'none' or 'host'");
}

static int needs_names(json_t *document)
{
    const char *name;
    json_t *info;
    json_object_foreach(json_object_get(document, "network_info"), name, info)
        if (json_is_true(json_object_get(info, "dns_enabled")))
            return 1;
    return 0;
}

static int32_t find_aardvark(json_t *document, char **out, wc_error **err)
{
    *out = wci_netavark_find("aardvark-dns");
    if (*out || !needs_names(document))
        return WC_OK;
    return wci_err(err, WC_E_MISSING,
                   "aardvark-dns: not found, and networks with names need it; install the package aardvark-dns, or "
                   "create the network without names");
}

/* ---- Requests ------------------------------------------------------------------------------------- */

static const char *run_root_of(const process_backend *b, const wc_request *request)
{
    const char *run_root = wc_request_string(request, "run-root");
    return run_root ? run_root : b->run_root ? b->run_root : "";
}

/* Takes the document over. */
static int32_t pack(process_backend *b, const wc_request *request, json_t *document, json_t **out, wc_error **err)
{
    char *netavark = NULL, *aardvark = NULL;
    char *config_dir = wci_path_join(run_root_of(b, request), "networks");
    int32_t rc = config_dir ? find_netavark(&netavark, err) : wci_err_nomem(err);
    if (!rc)
        rc = find_aardvark(document, &aardvark, err);
    if (!rc)
        *out = json_pack("{s:s, s:s, s:s, s:O}", "netavark", netavark, "aardvark", aardvark ? aardvark : "",
                         "configDir", config_dir, "document", document);
    if (!rc && !*out)
        rc = wci_err_nomem(err);
    json_decref(document);
    wci_free(netavark);
    wci_free(aardvark);
    wci_free(config_dir);
    return rc;
}

static int has_process(const wci_run_state *state)
{
    return state->status == WC_STATUS_RUNNING || state->status == WC_STATUS_PAUSED;
}

static int32_t join(const wc_request *request, const char *target, json_t **out, wc_error **err)
{
    wci_run_state state;
    char *parent = wci_path_parent(wc_request_run_dir(request));
    char *dir = parent ? wci_path_join(parent, target) : NULL;
    int32_t rc = dir ? wci_run_state_read(dir, 1, &state, err) : wci_err_nomem(err);
    if (!rc && !has_process(&state))
        rc = wci_err(err, WC_E_STATE, "network of container '%.12s': that does not run; start it first", target);
    if (!rc)
        *out = json_pack("{s:s, s:I, s:I}", "join", target, "joinPid", (json_int_t)state.pid, "joinStart",
                         (json_int_t)state.pid_start);
    wci_free(parent);
    wci_free(dir);
    return rc ? rc : *out ? WC_OK : wci_err_nomem(err);
}

/* An ordinary user's networks have one way to the world together. */
static int32_t add_hub(process_backend *b, const char *uplink, json_t *network, wc_error **err)
{
    json_t *hub = NULL;
    int32_t rc = wci_uplink_request(b, uplink, "hub", &hub, err);
    if (!rc && json_object_update(network, hub))
        rc = wci_err_nomem(err);
    json_decref(hub);
    return rc;
}

int32_t wci_process_network_request(process_backend *b, const wc_request *request, json_t **out, wc_error **err)
{
    const char *text = wc_request_string(request, "network-document");
    const char *target = wc_request_string(request, "network-join");
    const char *uplink = wc_request_string(request, "network-uplink");
    json_t *document = NULL;
    *out = NULL;
    if (target)
        return join(request, target, out, err);
    if (!text)
        return uplink ? wci_uplink_request(b, uplink, "uplink", out, err) : WC_OK;
    int32_t rc = wci_json_parse(text, strlen(text), DOCUMENT_MAX, "networks of a container", &document, err);
    if (!rc)
        rc = pack(b, request, document, out, err);
    return rc || !uplink ? rc : add_hub(b, uplink, *out, err);
}

static int32_t run(process_backend *b, wc_call *call, const wc_request *request, const char *what,
                   const wci_run_state *state, json_t *network, wc_error **err)
{
    wci_link link;
    wci_report report;
    json_t *json = json_pack("{s:i, s:s, s:s, s:s, s:I, s:I, s:O*}", "version", WCI_PROTOCOL_VERSION, "what", what, "id",
                             wc_request_container_id(request), "runDir", wc_request_run_dir(request), "pid",
                             (json_int_t)(state ? state->pid : 0), "pidStart",
                             (json_int_t)(state ? state->pid_start : 0), "network", network);
    int32_t rc = wci_helper_run(b, call, "network", json, NULL, WCI_FD_NONE, &link, &report, err);
    if (!rc)
        wci_link_close(&link);
    return rc;
}

static int32_t change(uintptr_t payload, wc_call *call, const wc_request *request, const char *what)
{
    process_backend *b = (process_backend *)payload;
    wci_run_state state;
    json_t *network = NULL;
    int32_t rc = wci_needs_root(call->err);
    if (!rc)
        rc = wci_run_state_read(wc_request_run_dir(request), 1, &state, call->err);
    if (!rc && !has_process(&state))
        rc = wci_err(call->err, WC_E_STATE, "container '%s': does not run", wc_request_container_id(request));
    if (!rc)
        rc = wci_process_network_request(b, request, &network, call->err);
    if (!rc && !network)
        rc = wci_err(call->err, WC_E_INVALID, "process backend: the request has no 'network-document'");
    if (!rc)
        rc = run(b, call, request, what, &state, network, call->err);
    json_decref(network);
    return rc;
}

int32_t wci_process_network_connect(uintptr_t payload, wc_call *call, const wc_request *request, wc_response *response)
{
    (void)response;
    return change(payload, call, request, "connect");
}

int32_t wci_process_network_disconnect(uintptr_t payload, wc_call *call, const wc_request *request,
                                       wc_response *response)
{
    (void)response;
    return change(payload, call, request, "disconnect");
}

int wci_process_network_is_left(const wc_request *request)
{
    char *record = wci_path_join(wc_request_run_dir(request), WCI_RUN_NETWORK);
    int is_left = record && wci_file_exists(record);
    wci_free(record);
    return is_left;
}

int32_t wci_process_network_clear(process_backend *b, wc_call *call, const wc_request *request, wc_error **err)
{
    return wci_process_network_is_left(request) ? run(b, call, request, "clear", NULL, NULL, err) : WC_OK;
}
