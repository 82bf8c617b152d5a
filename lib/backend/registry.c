/* SPDX-License-Identifier: Apache-2.0 */
/* The backends of one context, by name. */
#include "backend/table.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"

struct wci_backends {
    wci_mutex mutex; /* guards the list */
    wci_backend **items;
    size_t count, cap;
    wc_request settings;
};

static int32_t copy_settings(const wc_request *from, wc_request *to)
{
    for (size_t i = 0; from && i < from->param_count; i++) {
        const wci_param *param = &from->params[i];
        int32_t rc = param->text ? wci_request_set_string(to, param->key, param->text)
                                 : wci_request_set_int(to, param->key, param->number);
        if (rc)
            return rc;
    }
    return WC_OK;
}

static wci_backend *find(const wci_backends *backends, const char *name)
{
    for (size_t i = 0; i < backends->count; i++)
        if (wci_streq(backends->items[i]->ops.name, name))
            return backends->items[i];
    return NULL;
}

/* Takes the reference over when it succeeds. */
static int32_t insert(wci_backends *backends, wci_backend *backend, wc_error **err)
{
    int32_t rc = WC_OK;
    wci_mutex_lock(&backends->mutex);
    if (find(backends, backend->ops.name))
        rc = wci_err(err, WC_E_EXISTS, "backend '%s': the context has one of this name",
                     backend->ops.name);
    else if (!wci_grow(&backends->items, &backends->cap, backends->count + 1,
                       sizeof *backends->items))
        rc = wci_err_nomem(err);
    else
        backends->items[backends->count++] = backend;
    wci_mutex_unlock(&backends->mutex);
    return rc;
}

static int32_t add_builtin(wci_backends *backends, const wc_backend_ops *ops,
                           void (*free_payload)(uintptr_t), wc_error **err)
{
    wci_backend *backend = NULL;
    int32_t rc = wci_backend_new(ops, 0, free_payload, &backend, err);
    if (rc)
        return rc;
    backend->takes_payload_from_open = 1;
    rc = insert(backends, backend, err);
    if (rc)
        wci_backend_unref(backend);
    return rc;
}

int32_t wci_backends_new(const wc_request *settings, wci_backends **out, wc_error **err)
{
    wci_backends *backends = wci_calloc(1, sizeof *backends);
    if (!backends)
        return wci_err_nomem(err);
    wci_mutex_init(&backends->mutex);
    int32_t rc = copy_settings(settings, &backends->settings);
    if (rc)
        wci_err_nomem(err);
    if (rc == WC_OK)
        rc = add_builtin(backends, wci_backend_process_ops(), wci_backend_process_free, err);
    if (rc == WC_OK)
        rc = add_builtin(backends, wci_backend_mock_ops(), wci_backend_mock_free, err);
    if (rc) {
        wci_backends_free(backends);
        return rc;
    }
    *out = backends;
    return WC_OK;
}

int32_t wci_backends_prune(wci_strv *removed, wc_error **err)
{
    return wci_backend_process_prune(removed, err);
}

void wci_backends_free(wci_backends *backends)
{
    if (!backends)
        return;
    for (size_t i = 0; i < backends->count; i++)
        wci_backend_unref(backends->items[i]);
    wci_free(backends->items);
    wci_request_free(&backends->settings);
    wci_mutex_destroy(&backends->mutex);
    wci_free(backends);
}

static int32_t open_and_insert(wci_backends *backends, wc_call *call, wci_backend *backend,
                               wc_error **err)
{
    if (backend->ops.capabilities & WC_BACKEND_RECORDS)
        return wci_err(err, WC_E_INVALID,
                       "backend '%s': WC_BACKEND_RECORDS is only for the built-in ones",
                       backend->ops.name);
    int32_t rc = wci_backend_open(backend, call, &backends->settings, err);
    return rc ? rc : insert(backends, backend, err);
}

int32_t wci_backends_add(wci_backends *backends, wc_call *call, const wc_backend_ops *ops,
                         uintptr_t payload, void (*free_payload)(uintptr_t), wc_error **err)
{
    wci_backend *backend = NULL;
    int32_t rc = wci_backend_new(ops, payload, free_payload, &backend, err);
    if (rc) {
        if (free_payload)
            free_payload(payload);
        return rc;
    }
    rc = open_and_insert(backends, call, backend, err);
    if (rc)
        wci_backend_unref(backend);
    return rc;
}

int32_t wci_backends_names(wci_backends *backends, wci_strv *names, wc_error **err)
{
    int rc = WC_OK;
    wci_mutex_lock(&backends->mutex);
    for (size_t i = 0; i < backends->count && rc == WC_OK; i++)
        rc = wci_strv_add(names, backends->items[i]->ops.name);
    wci_mutex_unlock(&backends->mutex);
    return rc ? wci_err_nomem(err) : WC_OK;
}

static int32_t no_such(wci_backends *backends, const char *name, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    wci_str list = WCI_STR_INIT;
    int32_t rc = wci_backends_names(backends, &names, err);
    for (size_t i = 0; i < names.count; i++)
        wci_str_printf(&list, "%s'%s'", i ? ", " : "", names.items[i]);
    if (rc == WC_OK)
        rc = wci_err(err, WC_E_NOT_FOUND, "backend '%s': not in this context: there are %s", name,
                     list.failed ? "others" : list.data);
    wci_str_free(&list);
    wci_strv_free(&names);
    return rc;
}

int32_t wci_backends_get(wci_backends *backends, wc_call *call, const char *name, wci_backend **out,
                         wc_error **err)
{
    wci_mutex_lock(&backends->mutex);
    wci_backend *backend = wci_backend_ref(find(backends, name));
    wci_mutex_unlock(&backends->mutex);
    if (!backend)
        return no_such(backends, name, err);
    int32_t rc = wci_backend_open(backend, call, &backends->settings, err);
    if (rc) {
        wci_backend_unref(backend);
        return rc;
    }
    *out = backend;
    return WC_OK;
}
