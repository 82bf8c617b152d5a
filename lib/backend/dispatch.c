/* SPDX-License-Identifier: Apache-2.0 */
/* Calling backends: finds the slot, and makes sure that every failure has an error that fits. */
#include "backend/table.h"

#include <string.h>

#include "core/error.h"
#include "platform/file.h"

typedef struct slot {
    const char *name;
    size_t offset;
} slot;

#define SLOT(op, field) [op] = {#field, offsetof(wc_backend_ops, field)}

static const slot slots[] = {
    SLOT(WCI_OP_INFO, info),
    SLOT(WCI_OP_CONTAINER_START, container_start),
    SLOT(WCI_OP_CONTAINER_STATE, container_state),
    SLOT(WCI_OP_CONTAINER_KILL, container_kill),
    SLOT(WCI_OP_CONTAINER_WAIT, container_wait),
    SLOT(WCI_OP_CONTAINER_REMOVE, container_remove),
    SLOT(WCI_OP_CONTAINER_ATTACH, container_attach),
    SLOT(WCI_OP_PROCESS_START, process_start),
    SLOT(WCI_OP_PROCESS_STATE, process_state),
    SLOT(WCI_OP_PROCESS_WAIT, process_wait),
    SLOT(WCI_OP_PROCESS_KILL, process_kill),
    SLOT(WCI_OP_ARCHIVE_GET, archive_get),
    SLOT(WCI_OP_ARCHIVE_PUT, archive_put),
    SLOT(WCI_OP_LOGS_OPEN, logs_open),
    SLOT(WCI_OP_CONTAINER_PAUSE, container_pause),
    SLOT(WCI_OP_CONTAINER_RESUME, container_resume),
    SLOT(WCI_OP_CONTAINER_UPDATE, container_update),
    SLOT(WCI_OP_CONTAINER_STATS, container_stats),
    SLOT(WCI_OP_CONTAINER_PROCESSES, container_processes),
    SLOT(WCI_OP_CONTAINER_CHECKPOINT, container_checkpoint),
    SLOT(WCI_OP_NETWORK_CONNECT, network_connect),
    SLOT(WCI_OP_NETWORK_DISCONNECT, network_disconnect),
    SLOT(WCI_OP_GROUP_UPDATE, group_update),
    SLOT(WCI_OP_GROUP_REMOVE, group_remove),
    SLOT(WCI_OP_GROUP_REPORT, group_report),
};

static wc_backend_op slot_of(const wci_backend *backend, wci_op op)
{
    wc_backend_op found;
    memcpy(&found, (const char *)&backend->ops + slots[op].offset, sizeof found);
    return found;
}

static int32_t unsupported(const wci_backend *backend, const char *what, wc_error **err)
{
    return wci_err(err, WC_E_UNSUPPORTED, "backend '%s': %s: not supported by this backend",
                   backend->ops.name, what);
}

/* The same call, with the backend's error going to *error. */
static wc_call collecting(const wc_call *call, wc_error **error)
{
    wc_call inner = *call;
    inner.err = error;
    return inner;
}

/* `error` is what the backend said, if it said anything. */
static int32_t conclude(const wci_backend *backend, const char *what, int32_t rc, wc_error *error,
                        wc_error **err)
{
    if (rc == WC_OK) {
        wc_error_unref(error);
        return WC_OK;
    }
    if (error && wc_error_code(error) == rc)
        return wci_err_move(err, error);
    wc_error_unref(error);
    if (rc > 0 || rc < WC_E_UNTRUSTED)
        return wci_err(err, WC_E_RUNTIME, "backend '%s': %s: answered %d, which is no result code",
                       backend->ops.name, what, (int)rc);
    return wci_err(err, rc, "backend '%s': %s: %s", backend->ops.name, what, wc_code_name(rc));
}

int32_t wci_backend_invoke(wci_backend *backend, wc_backend_op op, const char *what, wc_call *call,
                           const wc_request *request, wc_response *response, wc_error **err)
{
    if (!op)
        return unsupported(backend, what, err);
    wc_error *error = NULL;
    wc_call inner = collecting(call, &error);
    int32_t rc = op(backend->payload, &inner, request, response);
    return conclude(backend, what, rc, error, err);
}

int wci_backend_has(const wci_backend *backend, wci_op op)
{
    return slot_of(backend, op) != NULL;
}

/* Nothing begins for a call that has been cancelled, and backends may count on the directories that
 * requests name. */
static int32_t prepare(wci_op op, const wc_call *call, const wc_request *request, wc_error **err)
{
    if (op != WCI_OP_CONTAINER_START && op != WCI_OP_PROCESS_START)
        return WC_OK;
    int32_t rc = wci_call_check(call, err);
    if (rc == WC_OK)
        rc = wci_dir_make(request->state_dir, 0700, err);
    if (rc == WC_OK)
        rc = wci_dir_make(request->run_dir, 0700, err);
    return rc;
}

int32_t wci_backend_call(wci_backend *backend, wci_op op, wc_call *call, const wc_request *request,
                         wc_response *response, wc_error **err)
{
    int32_t rc = prepare(op, call, request, err);
    if (rc)
        return rc;
    return wci_backend_invoke(backend, slot_of(backend, op), slots[op].name, call, request,
                              response, err);
}

int32_t wci_backend_stream_read(wci_backend *b, wc_call *call, uintptr_t handle, int32_t *channel,
                                void *data, size_t size, size_t *got, int64_t timeout_ns,
                                wc_error **err)
{
    if (!b->ops.stream_read)
        return unsupported(b, "stream_read", err);
    wc_error *error = NULL;
    wc_call inner = collecting(call, &error);
    int32_t rc =
        b->ops.stream_read(b->payload, &inner, handle, channel, data, size, got, timeout_ns);
    return conclude(b, "stream_read", rc, error, err);
}

int32_t wci_backend_stream_write(wci_backend *b, wc_call *call, uintptr_t handle, const void *data,
                                 size_t size, size_t *put, int64_t timeout_ns, wc_error **err)
{
    if (!b->ops.stream_write)
        return unsupported(b, "stream_write", err);
    wc_error *error = NULL;
    wc_call inner = collecting(call, &error);
    int32_t rc = b->ops.stream_write(b->payload, &inner, handle, data, size, put, timeout_ns);
    return conclude(b, "stream_write", rc, error, err);
}

int32_t wci_backend_stream_close_write(wci_backend *b, wc_call *call, uintptr_t handle,
                                       wc_error **err)
{
    if (!b->ops.stream_close_write)
        return unsupported(b, "stream_close_write", err);
    wc_error *error = NULL;
    wc_call inner = collecting(call, &error);
    int32_t rc = b->ops.stream_close_write(b->payload, &inner, handle);
    return conclude(b, "stream_close_write", rc, error, err);
}

int32_t wci_backend_stream_resize(wci_backend *b, wc_call *call, uintptr_t handle, uint32_t columns,
                                  uint32_t rows, wc_error **err)
{
    if (!b->ops.stream_resize)
        return unsupported(b, "stream_resize", err);
    wc_error *error = NULL;
    wc_call inner = collecting(call, &error);
    int32_t rc = b->ops.stream_resize(b->payload, &inner, handle, columns, rows);
    return conclude(b, "stream_resize", rc, error, err);
}

intptr_t wci_backend_stream_fd(wci_backend *b, uintptr_t handle)
{
    return b->ops.stream_fd ? b->ops.stream_fd(b->payload, handle) : -1;
}

intptr_t wci_backend_stream_write_fd(wci_backend *b, uintptr_t handle)
{
    return b->ops.stream_write_fd ? b->ops.stream_write_fd(b->payload, handle) : -1;
}

void wci_backend_stream_release(wci_backend *b, uintptr_t handle)
{
    if (b->ops.stream_release)
        b->ops.stream_release(b->payload, handle);
}

int32_t wci_backend_logs_next(wci_backend *b, wc_call *call, uintptr_t handle,
                              wc_response *response, int64_t timeout_ns, wc_error **err)
{
    if (!b->ops.logs_next)
        return unsupported(b, "logs_next", err);
    wc_error *error = NULL;
    wc_call inner = collecting(call, &error);
    int32_t rc = b->ops.logs_next(b->payload, &inner, handle, response, timeout_ns);
    return conclude(b, "logs_next", rc, error, err);
}

intptr_t wci_backend_logs_fd(wci_backend *b, uintptr_t handle)
{
    return b->ops.logs_fd ? b->ops.logs_fd(b->payload, handle) : -1;
}

void wci_backend_logs_release(wci_backend *b, uintptr_t handle)
{
    if (b->ops.logs_release)
        b->ops.logs_release(b->payload, handle);
}
