/* SPDX-License-Identifier: Apache-2.0 */
/* Responses: where a backend puts its answer. */
#include <string.h>

#include "backend/backend.h"
#include "core/alloc.h"

void wci_response_init(wc_response *response)
{
    memset(response, 0, sizeof *response);
    response->status = -1;
}

void wci_response_free(wc_response *response)
{
    wci_free(response->text);
    wc_buf_unref(response->line);
    wci_response_init(response);
}

void wc_response_set_status(wc_response *response, int32_t status)
{
    response->status = status;
}

void wc_response_set_pid(wc_response *response, int64_t pid)
{
    response->pid = pid;
}

void wc_response_set_exit(wc_response *response, int32_t exit_code, int64_t finished_ns)
{
    response->exit_code = exit_code;
    response->finished_ns = finished_ns;
}

void wc_response_set_handle(wc_response *response, uintptr_t handle)
{
    response->handle = handle;
    response->has_handle = 1;
}

int32_t wc_response_set_text(wc_response *response, const char *text)
{
    return wci_replace(&response->text, text);
}

int32_t wc_response_set_line(wc_response *response, int32_t channel, int64_t time_ns,
                             const void *data, size_t size)
{
    wc_buf *line = NULL;
    int32_t rc = wci_buf_new(data, size, &line, NULL);
    if (rc)
        return rc;
    wc_buf_unref(response->line);
    response->line = line;
    response->channel = channel;
    response->time_ns = time_ns;
    return WC_OK;
}
