/* SPDX-License-Identifier: Apache-2.0 */
/** @file error.h Result codes and error objects. */
#ifndef WINCONTAINER_ERROR_H
#define WINCONTAINER_ERROR_H

#include <wincontainer/base.h>

WC_BEGIN_DECLS

/** Result codes. The numbers never change and are never reused. @since 0.1 */
enum {
    WC_OK = 0,                      /**< done */
    WC_E_NOMEM = -1,                /**< out of memory */
    WC_E_INVALID = -2,              /**< an argument is not acceptable */
    WC_E_NOT_FOUND = -3,            /**< no such image, container, file, tag … */
    WC_E_EXISTS = -4,               /**< the name is taken */
    WC_E_BUSY = -5,                 /**< somebody else holds it; try again */
    WC_E_CANCELLED = -6,            /**< the cancel handle or a callback ended the call */
    WC_E_TIMEOUT = -7,              /**< the deadline passed */
    WC_E_UNSUPPORTED = -8,          /**< this backend, host or build cannot do it */
    WC_E_PERMISSION = -9,           /**< the caller lacks a right */
    WC_E_IO = -10,                  /**< reading or writing failed */
    WC_E_NETWORK = -11,             /**< the peer could not be reached or broke off */
    WC_E_AUTH = -12,                /**< credentials are missing or refused */
    WC_E_DIGEST = -13,              /**< bytes do not match their digest or size */
    WC_E_FORMAT = -14,              /**< a document, archive or layer is malformed */
    WC_E_LIMIT = -15,               /**< a budget (bytes, entries, depth, time) is exceeded */
    WC_E_STATE = -16,               /**< not possible in the present state */
    WC_E_IN_USE = -17,              /**< something else still needs it */
    WC_E_CORRUPT = -18,             /**< the store is damaged; see wc_system_check() */
    WC_E_VERSION = -19,             /**< the store or peer speaks an incompatible version */
    WC_E_FORKED = -20,              /**< the handle was inherited through fork() */
    WC_E_GAP = -21,                 /**< events before the cursor were pruned */
    WC_E_MISSING = -22,             /**< a program, kernel feature or device is missing */
    WC_E_RUNTIME = -23,             /**< the OCI runtime or backend refused */
    WC_E_NO_SPACE = -24,            /**< disk, inodes or quota are used up */
    WC_E_CLOSED = -25,              /**< the stream or reader has ended */
    WC_E_PLATFORM = -26,            /**< nothing in the image fits the platform */
    WC_E_COMMAND_NOT_FOUND = -27,   /**< the container's command does not exist (exit code 127) */
    WC_E_COMMAND_NOT_EXECUTABLE = -28, /**< the container's command cannot be run (exit code 126) */
    WC_E_INTERNAL = -29,            /**< a defect of this library; please report it */
    WC_E_UNTRUSTED = -30            /**< not signed as the policy demands; see signature.h */
};

/** Where wc_error_native() numbers come from. @since 0.1 */
enum {
    WC_DOMAIN_NONE = 0,    /**< no native number */
    WC_DOMAIN_ERRNO = 1,   /**< errno */
    WC_DOMAIN_HTTP = 2,    /**< HTTP status */
    WC_DOMAIN_CURL = 3,    /**< CURLcode */
    WC_DOMAIN_SQLITE = 4,  /**< extended SQLite result code */
    WC_DOMAIN_HRESULT = 5, /**< HRESULT or Win32 error */
    WC_DOMAIN_EXIT = 6,    /**< exit code of a program that we ran */
    WC_DOMAIN_ZSTD = 7,    /**< ZSTD_ErrorCode */
    WC_DOMAIN_ARCHIVE = 8  /**< libarchive result */
};

/**
 * The WC_E_* code. Thread-safety: any thread. @return WC_OK for NULL. @since 0.1
 */
WC_API int32_t wc_error_code(const wc_error *err);

/** WC_DOMAIN_* of the native number. Thread-safety: any thread. @since 0.1 */
WC_API int32_t wc_error_domain(const wc_error *err);

/** The number that the system, server or library gave. Thread-safety: any thread. @since 0.1 */
WC_API int64_t wc_error_native(const wc_error *err);

/** 1 when the same call may well succeed later. Thread-safety: any thread. @since 0.1 */
WC_API int32_t wc_error_retryable(const wc_error *err);

/**
 * One line: what failed, on what, and what to do. Never NULL. UTF-8 without control characters, whatever it
 * quotes: those show as '?', line ends and tabs as a space.
 *
 * Ownership: lent for the life of err. Thread-safety: any thread.
 * @since 0.1
 */
WC_API const char *wc_error_message(const wc_error *err);

/**
 * The error underneath, or NULL.
 *
 * Ownership: lent for the life of err. Thread-safety: any thread.
 * @since 0.1
 */
WC_API const wc_error *wc_error_cause(const wc_error *err);

/**
 * The messages of the whole chain joined by ": ", as one line.
 *
 * Ownership: the caller releases *out. Thread-safety: any thread. Blocking: no.
 * @return WC_OK, WC_E_INVALID, WC_E_NOMEM. @since 0.1
 */
WC_API int32_t wc_error_format(const wc_error *err, wc_buf **out);

/** Takes a reference. Thread-safety: any thread. @return err. @since 0.1 */
WC_API wc_error *wc_error_ref(wc_error *err);

/** Drops a reference. Thread-safety: any thread. @since 0.1 */
WC_API void wc_error_unref(wc_error *err);

/** The name of a code, "WC_E_IO"; "WC_E_?" for unknown ones. Static. @since 0.1 */
WC_API const char *wc_code_name(int32_t code);

WC_END_DECLS

#endif
