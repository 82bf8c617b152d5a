/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/mock/stream.h"

#include <string.h>

#include "backend/mock/target.h"
#include "core/alloc.h"
#include "core/error.h"

#define LARGEST_RECORD (1u << 20)

/* Reader and writer have a target each, because two threads may use them at once. */
typedef struct mock_stream {
    mock_target reader, writer;
    uint64_t attach;
    int64_t from_ns;
    const char *pending; /* of the reader's last step */
    size_t pending_size;
    int32_t pending_channel;
} mock_stream;

static mock_stream *stream_of(uintptr_t handle)
{
    return (mock_stream *)handle;
}

int32_t wci_mock_stream_open(const wc_request *request, const char *process, uint64_t attach,
                             int64_t from_ns, uintptr_t *out, wc_error **err)
{
    mock_stream *stream = wci_calloc(1, sizeof *stream);
    if (!stream)
        return wci_err_nomem(err);
    stream->attach = attach;
    stream->from_ns = from_ns;
    int32_t rc = wci_mock_target_open(request, process, &stream->reader, err);
    if (rc == WC_OK)
        rc = wci_mock_target_open(request, process, &stream->writer, err);
    if (rc) {
        wci_mock_stream_release(0, (uintptr_t)stream);
        return rc;
    }
    *out = (uintptr_t)stream;
    return WC_OK;
}

static int wants(const mock_stream *stream, const mock_step *step)
{
    uint64_t bit = step->channel == WC_STREAM_STDERR ? WC_ATTACH_STDERR : WC_ATTACH_STDOUT;
    return (stream->attach & bit) && step->time_ns >= stream->from_ns;
}

/* Steps until there is output to give, or there is none up to the time last synced. */
static mock_step next_wanted(mock_stream *stream)
{
    mock_step step;
    do
        step = wci_mock_vm_step(stream->reader.vm, stream->reader.now_ns);
    while (step.kind == MOCK_STEP_OUTPUT && !wants(stream, &step));
    return step;
}

static int32_t fill_pending(mock_stream *stream, wc_call *call, int64_t timeout_ns)
{
    int64_t deadline = wci_mock_deadline(timeout_ns);
    for (;;) {
        int32_t rc = wci_mock_target_sync(&stream->reader, call, call->err);
        if (rc)
            return rc;
        mock_step step = next_wanted(stream);
        if (step.kind == MOCK_STEP_ENDED)
            return WC_E_CLOSED;
        if (step.kind == MOCK_STEP_OUTPUT) {
            stream->pending = step.data;
            stream->pending_size = step.size;
            stream->pending_channel = step.channel;
            return WC_OK;
        }
        rc = wci_mock_target_pause(&stream->reader, call, &step, deadline, call->err);
        if (rc)
            return rc;
    }
}

int32_t wci_mock_stream_read(uintptr_t payload, wc_call *call, uintptr_t handle, int32_t *channel,
                             void *data, size_t size, size_t *got, int64_t timeout_ns)
{
    (void)payload;
    mock_stream *stream = stream_of(handle);
    if (!stream->pending_size) {
        int32_t rc = fill_pending(stream, call, timeout_ns);
        if (rc)
            return rc;
    }
    size_t n = stream->pending_size < size ? stream->pending_size : size;
    memcpy(data, stream->pending, n);
    stream->pending += n;
    stream->pending_size -= n;
    *channel = stream->pending_channel;
    *got = n;
    return WC_OK;
}

static int32_t write_record(mock_stream *stream, wc_call *call, int32_t kind, const char *data,
                            size_t size)
{
    mock_input input = {.kind = kind, .data = (char *)data, .size = (uint32_t)size};
    int32_t rc = wci_mock_target_input(&stream->writer, call, &input, call->err);
    if (rc != WC_E_STATE)
        return rc;
    wci_err_clear(call->err);
    return wci_err(call->err, WC_E_CLOSED, "standard input: the process has ended");
}

static int32_t check_stdin(const mock_stream *stream, wc_call *call)
{
    if (!(stream->attach & WC_ATTACH_STDIN) || !stream->writer.vm->run.open_stdin)
        return wci_err(call->err, WC_E_STATE, "standard input: is not open or not attached");
    return WC_OK;
}

int32_t wci_mock_stream_write(uintptr_t payload, wc_call *call, uintptr_t handle, const void *data,
                              size_t size, size_t *put, int64_t timeout_ns)
{
    (void)payload;
    (void)timeout_ns; /* never has to wait */
    mock_stream *stream = stream_of(handle);
    size_t done = 0;
    int32_t rc = check_stdin(stream, call);
    while (rc == WC_OK && done < size) {
        size_t n = size - done < LARGEST_RECORD ? size - done : LARGEST_RECORD;
        rc = write_record(stream, call, MOCK_INPUT_STDIN, (const char *)data + done, n);
        done += n;
    }
    if (rc == WC_OK)
        *put = size;
    return rc;
}

int32_t wci_mock_stream_close_write(uintptr_t payload, wc_call *call, uintptr_t handle)
{
    (void)payload;
    mock_stream *stream = stream_of(handle);
    int32_t rc = check_stdin(stream, call);
    if (rc == WC_OK)
        rc = write_record(stream, call, MOCK_INPUT_STDIN_END, NULL, 0);
    return rc == WC_E_CLOSED ? WC_OK : rc; /* nobody reads any more */
}

int32_t wci_mock_stream_resize(uintptr_t payload, wc_call *call, uintptr_t handle, uint32_t columns,
                               uint32_t rows)
{
    (void)payload;
    (void)columns; /* no action asks for the size */
    (void)rows;
    if (!stream_of(handle)->reader.vm->run.tty)
        return wci_err(call->err, WC_E_STATE, "terminal size: there is no terminal");
    return WC_OK;
}

void wci_mock_stream_release(uintptr_t payload, uintptr_t handle)
{
    (void)payload;
    mock_stream *stream = stream_of(handle);
    WCI_CALL_NONE(call);
    if ((stream->attach & WC_ATTACH_ONCE) && !stream->reader.vm->run.tty && !check_stdin(stream, &call))
        (void)write_record(stream, &call, MOCK_INPUT_STDIN_END, NULL, 0);
    wci_mock_target_close(&stream->reader);
    wci_mock_target_close(&stream->writer);
    wci_free(stream);
}
