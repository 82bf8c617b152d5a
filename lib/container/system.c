/* SPDX-License-Identifier: Apache-2.0 */
#include "container/system.h"

#include <jansson.h>

#include <wincontainer/version.h>

#include "core/error.h"
#include "core/json.h"
#include "platform/file.h"
#include "platform/host.h"
#include "platform/thread.h"

static int32_t dump(json_t *json, wc_buf **out, wc_error **err)
{
    int32_t rc = json ? wci_json_dump(json, out, err) : wci_err_nomem(err);
    json_decref(json);
    return rc;
}

/* ---- Info --------------------------------------------------------------------------------------- */

/* What a backend says of itself; with a reason it is of no use here. */
static json_t *backend_json(wc_call *call, wci_engine *engine, const char *name)
{
    wci_backend *backend = NULL;
    wc_error *why = NULL;
    wc_request request = {0};
    wc_response response;
    wci_response_init(&response);
    int32_t rc = wci_backends_get(engine->backends, call, name, &backend, &why);
    if (!rc && wci_backend_has(backend, WCI_OP_INFO))
        rc = wci_backend_call(backend, WCI_OP_INFO, call, &request, &response, &why);
    json_t *json = response.text ? json_loads(response.text, 0, NULL) : NULL;
    if (!json_is_object(json)) {
        json_decref(json);
        json = json_object();
    }
    json_object_set_new(json, "Name", json_string(name));
    if (rc)
        json_object_set_new(json, "Reason", json_string(wc_error_message(why)));
    json_object_set_new(json, "Available", json_boolean(!json_object_get(json, "Reason")));
    wc_error_unref(why);
    wci_response_free(&response);
    wci_backend_unref(backend);
    return json;
}

static json_t *store_json(wci_engine *engine)
{
    uint64_t free_bytes = 0, total_bytes = 0;
    const char *fs = "";
    wci_fs_info(wci_store_root(engine->store), &free_bytes, &total_bytes, &fs, NULL);
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "Root", wci_store_root(engine->store), "RunRoot",
                     wci_store_run_root(engine->store), "UUID", wci_store_uuid(engine->store), "FileSystem", fs,
                     "FreeBytes", (json_int_t)free_bytes, "TotalBytes", (json_int_t)total_bytes);
}

int32_t wci_system_info(wc_call *call, wci_engine *engine, wc_buf **out, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    json_t *backends = json_array();
    int32_t rc = wci_backends_names(engine->backends, &names, err);
    for (size_t i = 0; !rc && i < names.count; i++) {
        json_array_append_new(backends, backend_json(call, engine, names.items[i]));
        rc = wci_call_check(call, err);
    }
    wci_strv_free(&names);
    if (rc) {
        json_decref(backends);
        return rc;
    }
    return dump(json_pack("{s:s, s:{s:s, s:s, s:s, s:i, s:b}, s:o, s:s, s:o}", "Version", wc_version(), "Host",
                          "OSType", wci_host_os(), "Architecture", wci_host_arch(), "KernelVersion",
                          wci_host_kernel(), "NCPU", wci_cpu_count(), "Root", wci_host_is_root(), "Store",
                          store_json(engine), "DefaultBackend", engine->default_backend, "Backends", backends),
                out, err);
}
