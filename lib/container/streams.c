/* SPDX-License-Identifier: Apache-2.0 */
/* Streams and logs of backends as objects, and attaching. */
#include <string.h>

#include "container/container.h"
#include "core/alloc.h"
#include "core/error.h"

int32_t wci_stream_new(wci_engine *engine, wci_backend *backend, uintptr_t handle, wc_stream **out, wc_error **err)
{
    wc_stream *stream = wci_calloc(1, sizeof *stream);
    if (!stream) {
        wci_backend_stream_release(backend, handle);
        return wci_err_nomem(err);
    }
    wci_ref_init(&stream->refs);
    stream->engine = wci_engine_ref(engine);
    stream->backend = wci_backend_ref(backend);
    stream->handle = handle;
    *out = stream;
    return WC_OK;
}

void wci_stream_free(wc_stream *stream)
{
    wci_backend_stream_release(stream->backend, stream->handle);
    wci_backend_unref(stream->backend);
    wci_engine_unref(stream->engine);
    wci_free(stream);
}

int32_t wci_ctr_attach(wc_call *call, wc_container *c, uint64_t attach, wc_stream **out, wc_error **err)
{
    wci_container_record *record = NULL;
    wci_ctr_call op;
    int64_t seen = 0;
    int32_t rc = wci_event_last(c->engine->store, &seen, err);
    if (!rc)
        rc = wci_ctr_running_free(call, c, "attach", &record, err);
    if (rc)
        return rc;
    atomic_store(&c->seen_event, seen);
    rc = wci_ctr_call_init(call, c->engine, record, &op, err);
    wci_container_record_free(record);
    if (rc)
        return rc;
    rc = wci_request_set_int(&op.request, "attach", (int64_t)attach) ? wci_err_nomem(err) : WC_OK;
    if (!rc)
        rc = wci_ctr_call_run(&op, WCI_OP_CONTAINER_ATTACH, call, err);
    if (!rc)
        rc = wci_stream_new(c->engine, op.backend, op.response.handle, out, err);
    wci_ctr_call_free(&op);
    if (!rc) /* it is attached, whether this is written or not */
        (void)wci_event_add(c->engine->store, "container", "attach", c->id, NULL, NULL);
    return rc;
}

static int32_t logs_new(wci_engine *engine, wci_backend *backend, uintptr_t handle, wc_logs **out, wc_error **err)
{
    wc_logs *logs = wci_calloc(1, sizeof *logs);
    if (!logs) {
        wci_backend_logs_release(backend, handle);
        return wci_err_nomem(err);
    }
    wci_ref_init(&logs->refs);
    logs->engine = wci_engine_ref(engine);
    logs->backend = wci_backend_ref(backend);
    logs->handle = handle;
    *out = logs;
    return WC_OK;
}

void wci_logs_free(wc_logs *logs)
{
    wci_backend_logs_release(logs->backend, logs->handle);
    wci_backend_unref(logs->backend);
    wci_engine_unref(logs->engine);
    wci_free(logs);
}

static int32_t check_driver(const wci_container_record *record, wc_error **err)
{
    wci_config config = {0};
    int32_t rc = wci_config_from_json(record->config, &config, err);
    if (!rc && config.log_driver && !strcmp(config.log_driver, WCI_LOG_NONE))
        rc = wci_err(err, WC_E_UNSUPPORTED, "container '%s': keeps no log, its log driver is 'none'", record->name);
    wci_config_free(&config);
    return rc;
}

static int32_t set_range(wc_request *request, const wc_log_options *options, wc_error **err)
{
    static const wc_log_options all = {.tail = -1};
    if (!options)
        options = &all;
    if (wci_request_set_int(request, "follow", options->follow) ||
        wci_request_set_int(request, "tail", options->tail) ||
        wci_request_set_int(request, "since", options->since_ns) ||
        wci_request_set_int(request, "until", options->until_ns))
        return wci_err_nomem(err);
    return WC_OK;
}

int32_t wci_ctr_logs(wc_call *call, wc_container *c, const wc_log_options *options, wc_logs **out, wc_error **err)
{
    wci_container_record *record = NULL;
    wci_ctr_call op;
    int32_t rc = wci_ctr_record(call, c->engine, c->id, &record, err);
    if (rc)
        return rc;
    rc = check_driver(record, err);
    if (!rc)
        rc = wci_ctr_call_init(call, c->engine, record, &op, err);
    wci_container_record_free(record);
    if (rc)
        return rc;
    rc = set_range(&op.request, options, err);
    if (!rc)
        rc = wci_ctr_call_run(&op, WCI_OP_LOGS_OPEN, call, err);
    if (!rc)
        rc = logs_new(c->engine, op.backend, op.response.handle, out, err);
    wci_ctr_call_free(&op);
    return rc;
}
