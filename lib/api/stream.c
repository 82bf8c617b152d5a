/* SPDX-License-Identifier: Apache-2.0 */
#include <wincontainer/stream.h>

#include "api/context.h"
#include "container/container.h"

static int32_t begin(wc_stream *stream, wc_cancel *cancel, wc_call *call, wc_error **err)
{
    WCI_REQUIRE(stream, "stream is NULL");
    return wci_api_begin_engine(stream->engine, cancel, call, err);
}

int32_t wc_stream_read(wc_stream *stream, int32_t *channel, void *data, size_t size, size_t *got, int64_t timeout_ns,
                       wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(stream, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE(channel && data && size && got, "channel, data, size or got is missing");
    return wci_backend_stream_read(stream->backend, &call, stream->handle, channel, data, size, got, timeout_ns, err);
}

int32_t wc_stream_write(wc_stream *stream, const void *data, size_t size, size_t *put, int64_t timeout_ns,
                        wc_cancel *cancel, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(stream, cancel, &call, err);
    if (rc)
        return rc;
    WCI_REQUIRE((data || !size) && put, "data or put is NULL");
    return wci_backend_stream_write(stream->backend, &call, stream->handle, data, size, put, timeout_ns, err);
}

int32_t wc_stream_close_write(wc_stream *stream, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(stream, NULL, &call, err);
    return rc ? rc : wci_backend_stream_close_write(stream->backend, &call, stream->handle, err);
}

int32_t wc_stream_resize(wc_stream *stream, uint32_t columns, uint32_t rows, wc_error **err)
{
    wc_call call;
    int32_t rc = begin(stream, NULL, &call, err);
    return rc ? rc : wci_backend_stream_resize(stream->backend, &call, stream->handle, columns, rows, err);
}

intptr_t wc_stream_fd(const wc_stream *stream)
{
    return stream && wci_api_is_ours(stream->engine) ? wci_backend_stream_fd(stream->backend, stream->handle) : -1;
}

intptr_t wc_stream_write_fd(const wc_stream *stream)
{
    return stream && wci_api_is_ours(stream->engine) ? wci_backend_stream_write_fd(stream->backend, stream->handle) : -1;
}

wc_stream *wc_stream_ref(wc_stream *stream)
{
    if (stream)
        wci_ref_take(&stream->refs);
    return stream;
}

void wc_stream_unref(wc_stream *stream)
{
    if (stream && wci_ref_drop(&stream->refs))
        wci_stream_free(stream);
}
