/* SPDX-License-Identifier: Apache-2.0 */
/* Requests: what the library asks of a backend, and how backends read it. */
#include <string.h>

#include "backend/backend.h"
#include "core/alloc.h"

void wci_request_free(wc_request *request)
{
    wci_free(request->container_id);
    wci_free(request->config);
    wci_free(request->state_dir);
    wci_free(request->run_dir);
    wci_strv_free(&request->layers);
    for (size_t i = 0; i < request->param_count; i++) {
        wci_free(request->params[i].key);
        wci_free(request->params[i].text);
    }
    wci_free(request->params);
    memset(request, 0, sizeof *request);
}

static wci_param *find(const wc_request *request, const char *key)
{
    for (size_t i = 0; i < request->param_count; i++)
        if (wci_streq(request->params[i].key, key))
            return &request->params[i];
    return NULL;
}

static wci_param *find_or_add(wc_request *request, const char *key)
{
    wci_param *param = find(request, key);
    if (param)
        return param;
    if (!wci_grow(&request->params, &request->param_cap, request->param_count + 1,
                  sizeof *request->params))
        return NULL;
    char *copy = wci_strdup(key);
    if (!copy)
        return NULL;
    param = &request->params[request->param_count++];
    *param = (wci_param){.key = copy};
    return param;
}

int32_t wci_request_set_string(wc_request *request, const char *key, const char *value)
{
    if (!value) /* as good as not set */
        return WC_OK;
    char *text = wci_strdup(value);
    if (!text)
        return WC_E_NOMEM;
    wci_param *param = find_or_add(request, key);
    if (!param) {
        wci_free(text);
        return WC_E_NOMEM;
    }
    wci_free(param->text);
    param->text = text;
    return WC_OK;
}

int32_t wci_request_set_int(wc_request *request, const char *key, int64_t value)
{
    wci_param *param = find_or_add(request, key);
    if (!param)
        return WC_E_NOMEM;
    wci_free(param->text);
    param->text = NULL;
    param->number = value;
    return WC_OK;
}

static const char *text_or_empty(const char *text)
{
    return text ? text : "";
}

const char *wc_request_container_id(const wc_request *request)
{
    return text_or_empty(request->container_id);
}

const char *wc_request_config(const wc_request *request)
{
    return text_or_empty(request->config);
}

const char *wc_request_state_dir(const wc_request *request)
{
    return text_or_empty(request->state_dir);
}

const char *wc_request_run_dir(const wc_request *request)
{
    return text_or_empty(request->run_dir);
}

size_t wc_request_layer_count(const wc_request *request)
{
    return request->layers.count;
}

const char *wc_request_layer(const wc_request *request, size_t index)
{
    return index < request->layers.count ? request->layers.items[index] : NULL;
}

const char *wc_request_string(const wc_request *request, const char *key)
{
    const wci_param *param = find(request, key);
    return param ? param->text : NULL;
}

int64_t wc_request_int(const wc_request *request, const char *key, int64_t fallback)
{
    const wci_param *param = find(request, key);
    return param && !param->text ? param->number : fallback;
}
