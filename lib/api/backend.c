/* SPDX-License-Identifier: Apache-2.0 */
#include <wincontainer/backend.h>

#include "api/context.h"
#include "core/alloc.h"
#include "core/list.h"

int32_t wc_backend_register(wc_context *context, const wc_backend_ops *ops, uintptr_t payload,
                            void (*free_payload)(uintptr_t payload), wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, NULL, &call, err);
    if (rc == WC_OK && !ops)
        rc = wci_err(err, WC_E_INVALID, "wc_backend_register: ops is NULL");
    if (rc) {
        if (free_payload)
            free_payload(payload);
        return rc;
    }
    return wci_backends_add(context->engine->backends, &call, ops, payload, free_payload, err);
}

int32_t wc_backend_load(wc_context *context, const char *path, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(path && *path, "path is empty");
    return wci_backends_load(context->engine->backends, &call, path, err);
}

static int32_t list_of(const wci_strv *names, wc_list **out, wc_error **err)
{
    wc_list *list = NULL;
    int32_t rc = wci_list_new(WCI_LIST_STRING, wci_free, &list, err);
    for (size_t i = 0; i < names->count && rc == WC_OK; i++)
        rc = wci_list_add(list, wci_strdup(names->items[i]), err);
    if (rc) {
        wc_list_unref(list);
        return rc;
    }
    *out = list;
    return WC_OK;
}

int32_t wc_backend_list(wc_context *context, wc_list **out, wc_error **err)
{
    wc_call call;
    int32_t rc = wci_api_begin(context, NULL, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(out, "out is NULL");
    wci_strv names = WCI_STRV_INIT;
    rc = wci_backends_names(context->engine->backends, &names, err);
    if (rc == WC_OK)
        rc = list_of(&names, out, err);
    wci_strv_free(&names);
    return rc;
}
