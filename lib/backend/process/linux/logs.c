/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/logs.h"

#include <string.h>

#include "backend/backend.h"
#include "backend/process/linux/journal.h"
#include "backend/process/logs.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

/* One of the two. */
typedef struct reader {
    wci_journal *journal;
    uintptr_t files;
} reader;

static int is_in_journal(const wc_request *request)
{
    json_t *settings = json_loads(wc_request_config(request), 0, NULL);
    const char *driver = json_string_value(json_object_get(settings, "logDriver"));
    int is = driver && strcmp(driver, "journald") == 0;
    json_decref(settings);
    return is;
}

static int32_t open_files(wc_call *call, const wc_request *request, uintptr_t *out)
{
    wc_response files;
    wci_response_init(&files);
    int32_t rc = wci_process_logs_open(0, call, request, &files);
    *out = files.handle;
    wci_response_free(&files);
    return rc;
}

int32_t wci_linux_logs_open(uintptr_t payload, wc_call *call, const wc_request *request, wc_response *response)
{
    (void)payload;
    reader *r = wci_calloc(1, sizeof *r);
    if (!r)
        return wci_err_nomem(call->err);
    int32_t rc = is_in_journal(request) ? wci_journal_open(call, request, &r->journal) : open_files(call, request, &r->files);
    if (rc)
        wci_free(r);
    else
        wc_response_set_handle(response, (uintptr_t)r);
    return rc;
}

int32_t wci_linux_logs_next(uintptr_t payload, wc_call *call, uintptr_t handle, wc_response *response, int64_t timeout_ns)
{
    reader *r = (reader *)handle;
    return r->journal ? wci_journal_next(call, r->journal, response, timeout_ns)
                      : wci_process_logs_next(payload, call, r->files, response, timeout_ns);
}

intptr_t wci_linux_logs_fd(uintptr_t payload, uintptr_t handle)
{
    reader *r = (reader *)handle;
    return r->journal ? wci_journal_fd(r->journal) : wci_process_logs_fd(payload, r->files);
}

void wci_linux_logs_release(uintptr_t payload, uintptr_t handle)
{
    reader *r = (reader *)handle;
    if (!r)
        return;
    wci_journal_free(r->journal);
    wci_process_logs_release(payload, r->files);
    wci_free(r);
}
