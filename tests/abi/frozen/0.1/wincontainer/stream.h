/* SPDX-License-Identifier: Apache-2.0 */
/** @file stream.h Standard input, output and error of a container or process. */
#ifndef WINCONTAINER_STREAM_H
#define WINCONTAINER_STREAM_H

#include <wincontainer/base.h>

WC_BEGIN_DECLS

/** Channels. With a terminal everything comes on WC_STREAM_STDOUT. @since 0.1 */
enum {
    WC_STREAM_STDIN = 0,
    WC_STREAM_STDOUT = 1,
    WC_STREAM_STDERR = 2
};

/**
 * Reads what the process wrote.
 *
 * @param channel    WC_STREAM_STDOUT or WC_STREAM_STDERR.
 * @param got        bytes read, at least 1.
 * @param timeout_ns 0 does not wait, negative waits for ever.
 * Thread-safety: one reader and one writer at a time. Blocking: as the timeout says.
 * @return WC_OK, WC_E_TIMEOUT, WC_E_CLOSED when all output has been read and the process has ended,
 *         WC_E_BUSY when the monitor dropped a reader that was too slow, WC_E_CANCELLED. @since 0.1
 */
WC_API int32_t wc_stream_read(wc_stream *stream, int32_t *channel, void *data, size_t size, size_t *got,
                              int64_t timeout_ns, wc_cancel *cancel, wc_error **err);
/**
 * Writes to standard input; waits while the process does not read.
 *
 * @param put bytes taken; less than size only when the timeout passed after some were taken.
 * @return WC_OK, WC_E_TIMEOUT, WC_E_CLOSED when the process has closed its input or ended,
 *         WC_E_STATE when standard input was not opened, WC_E_CANCELLED. @since 0.1
 */
WC_API int32_t wc_stream_write(wc_stream *stream, const void *data, size_t size, size_t *put,
                               int64_t timeout_ns, wc_cancel *cancel, wc_error **err);
/** Closes standard input; output goes on. @since 0.1 */
WC_API int32_t wc_stream_close_write(wc_stream *stream, wc_error **err);
/** Size of the terminal in characters. WC_E_STATE without a terminal. @since 0.1 */
WC_API int32_t wc_stream_resize(wc_stream *stream, uint32_t columns, uint32_t rows, wc_error **err);
/** A descriptor (or HANDLE) that is readable when wc_stream_read() may have something. Lent; only
 * for waiting. -1 when the backend has none. @since 0.1 */
WC_API intptr_t wc_stream_fd(const wc_stream *stream);
/** A descriptor (or HANDLE) that is writable when wc_stream_write() with a timeout of 0 takes something; it may be that of
 * wc_stream_fd(). Lent; only for waiting. -1 when standard input is not open, or the backend has none. @since 0.1 */
WC_API intptr_t wc_stream_write_fd(const wc_stream *stream);
/** Takes a reference. Thread-safety: any thread. @since 0.1 */
WC_API wc_stream *wc_stream_ref(wc_stream *stream);
/** Drops a reference; the last one detaches. The process goes on. @since 0.1 */
WC_API void wc_stream_unref(wc_stream *stream);

WC_END_DECLS

#endif
