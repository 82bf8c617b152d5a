/* SPDX-License-Identifier: Apache-2.0 */
/* Backends that come as shared objects. */
#include "backend/backend.h"
#include "core/error.h"
#include "platform/file.h"
#include "platform/plugin.h"

#define ENTRY "wc_backend_plugin_v1"

static int32_t load_entry(const char *path, wc_backend_plugin *entry, wc_error **err)
{
    if (!wci_path_is_absolute(path))
        return wci_err(err, WC_E_INVALID, "backend plugin '%s': give an absolute path", path);
    wci_symbol symbol = NULL;
    int32_t rc = wci_plugin_load(path, ENTRY, &symbol, err);
    if (rc)
        return rc;
    if (!symbol)
        return wci_err(err, WC_E_VERSION,
                       "backend plugin '%s': has no '" ENTRY "': not a backend for this library",
                       path);
    *entry = (wc_backend_plugin)symbol;
    return WC_OK;
}

int32_t wci_backends_load(wci_backends *backends, wc_call *call, const char *path, wc_error **err)
{
    wc_backend_plugin entry = NULL;
    int32_t rc = load_entry(path, &entry, err);
    if (rc)
        return rc;
    const wc_backend_ops *ops = NULL;
    uintptr_t payload = 0;
    void (*free_payload)(uintptr_t) = NULL;
    rc = entry(&ops, &payload, &free_payload);
    if (rc)
        return wci_err(err, rc < 0 && rc >= WC_E_INTERNAL ? rc : WC_E_RUNTIME,
                       "backend plugin '%s': " ENTRY " refused with %d", path, (int)rc);
    if (!ops)
        return wci_err(err, WC_E_INVALID, "backend plugin '%s': gave no table", path);
    rc = wci_backends_add(backends, call, ops, payload, free_payload, err);
    return rc ? wci_err_wrap(err, rc, "backend plugin '%s'", path) : WC_OK;
}
