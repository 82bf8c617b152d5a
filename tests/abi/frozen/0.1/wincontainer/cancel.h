/* SPDX-License-Identifier: Apache-2.0 */
/** @file cancel.h Ending calls from outside, and watching them. */
#ifndef WINCONTAINER_CANCEL_H
#define WINCONTAINER_CANCEL_H

#include <wincontainer/base.h>

WC_BEGIN_DECLS

/**
 * A cancel handle. One may serve many calls; once triggered it stays so.
 *
 * Ownership: the caller releases *out. Thread-safety: any thread. Blocking: no.
 * @return WC_OK, WC_E_INVALID, WC_E_NOMEM, WC_E_IO. @since 0.1
 */
WC_API int32_t wc_cancel_new(wc_cancel **out, wc_error **err);

/**
 * Ends every call that uses the handle with WC_E_CANCELLED, stalled transfers included.
 *
 * Thread-safety: any thread, also from a signal handler. Blocking: no.
 * @since 0.1
 */
WC_API void wc_cancel_trigger(wc_cancel *cancel);

/** 1 once triggered. Thread-safety: any thread. @since 0.1 */
WC_API int32_t wc_cancel_triggered(const wc_cancel *cancel);

/**
 * Sets a deadline after which calls end with WC_E_TIMEOUT.
 *
 * @param timeout_ns from now, on the monotonic clock; negative takes the deadline away.
 * Thread-safety: any thread; calls already running may keep the deadline they began with.
 * @since 0.1
 */
WC_API void wc_cancel_set_timeout(wc_cancel *cancel, int64_t timeout_ns);

/** Takes a reference. Thread-safety: any thread. @since 0.1 */
WC_API wc_cancel *wc_cancel_ref(wc_cancel *cancel);
/** Drops a reference. Thread-safety: any thread. @since 0.1 */
WC_API void wc_cancel_unref(wc_cancel *cancel);

/** What a progress report is about. @since 0.1 */
enum {
    WC_PROGRESS_RESOLVE = 1,  /**< looking a name up */
    WC_PROGRESS_DOWNLOAD = 2, /**< bytes of one blob are coming in */
    WC_PROGRESS_UNPACK = 3,   /**< bytes of one layer are being unpacked */
    WC_PROGRESS_WRITE = 4,    /**< bytes of one blob are going out to a file or directory */
    WC_PROGRESS_EXISTS = 5,   /**< one blob or layer is there already */
    WC_PROGRESS_DONE = 6,     /**< one blob or layer is complete */
    WC_PROGRESS_WAIT = 7,     /**< waiting for another thread or process that does the same */
    WC_PROGRESS_MESSAGE = 8,  /**< a line for the user */
    WC_PROGRESS_UPLOAD = 9    /**< bytes of one blob are going to a registry */
};

/**
 * Called now and then by a long call, on the thread that made it and with no lock held. The
 * report lives only for the duration of the callback. Non-zero ends the call with
 * WC_E_CANCELLED.
 * @since 0.1
 */
typedef int32_t (*wc_progress_cb)(const wc_progress *progress, uintptr_t payload);

/** WC_PROGRESS_*. @since 0.1 */
WC_API int32_t wc_progress_kind(const wc_progress *progress);
/** Digest or name that the report is about. Lent for the callback. @since 0.1 */
WC_API const char *wc_progress_id(const wc_progress *progress);
/** Free text, may be empty. Lent for the callback. @since 0.1 */
WC_API const char *wc_progress_message(const wc_progress *progress);
/** Bytes done. @since 0.1 */
WC_API int64_t wc_progress_current(const wc_progress *progress);
/** Bytes in all, or -1 when not known. @since 0.1 */
WC_API int64_t wc_progress_total(const wc_progress *progress);

WC_END_DECLS

#endif
