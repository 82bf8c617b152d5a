/* SPDX-License-Identifier: Apache-2.0 */
/** @file context.h Opening a store, and the log of what the library does with it. */
#ifndef WINCONTAINER_CONTEXT_H
#define WINCONTAINER_CONTEXT_H

#include <wincontainer/base.h>

WC_BEGIN_DECLS

/**
 * Options with the defaults of the host: the root of the invoking user, the "process" backend, the
 * first OCI runtime that works.
 *
 * Ownership: the caller releases *out. Thread-safety: one thread at a time per object. Blocking: no.
 * @return WC_OK, WC_E_INVALID, WC_E_NOMEM. @since 0.1
 */
WC_API int32_t wc_context_options_new(wc_context_options **out, wc_error **err);
/** Drops the options. @since 0.1 */
WC_API void wc_context_options_unref(wc_context_options *options);
/** Directory of the store; made when absent. Copied. @return WC_OK, WC_E_INVALID, WC_E_NOMEM. @since 0.1 */
WC_API int32_t wc_context_options_set_root(wc_context_options *options, const char *path, wc_error **err);
/** Directory of what does not outlive a reboot. Copied. Default: below /run, or inside the root when
 * only the root was set. @since 0.1 */
WC_API int32_t wc_context_options_set_run_root(wc_context_options *options, const char *path, wc_error **err);
/** Backend of new containers: "process", "mock", or the name of a registered one. Copied. @since 0.1 */
WC_API int32_t wc_context_options_set_backend(wc_context_options *options, const char *name, wc_error **err);
/** OCI runtime: a name ("runc") or an absolute path. Copied. Default: the first of crun, runc that
 * works on this host. @since 0.1 */
WC_API int32_t wc_context_options_set_runtime(wc_context_options *options, const char *runtime, wc_error **err);
/** Absolute path of wc-helper. Copied. Default: beside the library, then the installed place.
 * @since 0.1 */
WC_API int32_t wc_context_options_set_helper(wc_context_options *options, const char *path, wc_error **err);

/**
 * Who makes the control groups of containers.
 *
 * @param driver "cgroupfs", the default: the runtime, below "/wincontainer"; or "systemd", where that is the init: a scope
 *               in a slice, "system.slice" or the one of wc_container_options_set_cgroup_parent(). Starting is
 *               WC_E_MISSING elsewhere. Copied. @since 0.1
 */
WC_API int32_t wc_context_options_set_cgroup_driver(wc_context_options *options, const char *driver, wc_error **err);

/**
 * What connects containers to the default network when the host program is not root.
 *
 * @param program "pasta", "slirp4netns", or the absolute path of one of them, by which name the file's begins. Copied.
 *                Default: the first of these that is there; pasta where the host has a default route. @since 0.1
 */
WC_API int32_t wc_context_options_set_network_helper(wc_context_options *options, const char *program, wc_error **err);

/** Log levels. @since 0.1 */
enum {
    WC_LOG_NONE = 0,
    WC_LOG_ERROR = 1,
    WC_LOG_WARN = 2,
    WC_LOG_INFO = 3,
    WC_LOG_DEBUG = 4
};
/** What the log keeps; WC_LOG_NONE by default. @since 0.1 */
WC_API int32_t wc_context_options_set_log_level(wc_context_options *options, int32_t level, wc_error **err);

/** How many blobs the context fetches and sends at once, whatever the number of calls: 1 to 1024, 16 by default.
 * Each call has its own bound besides (wc_transfer_options_set_max_transfers()). @since 0.1 */
WC_API int32_t wc_context_options_set_max_transfers(wc_context_options *options, uint32_t count, wc_error **err);
/** Bytes per second that all transfers of the context may take together, at least 1024; 0, the default: as many
 * as there are. @since 0.1 */
WC_API int32_t wc_context_options_set_bandwidth(wc_context_options *options, int64_t bytes_per_second, wc_error **err);

/**
 * Opens the store, making it when absent. Starts, stops and changes nothing in it.
 *
 * @param options NULL for the defaults; not needed afterwards.
 * @param cancel  may be NULL.
 * Ownership: the caller releases *out. Thread-safety: any thread; the context may be shared.
 * Blocking: for a short time, on the disk.
 * @return WC_OK, WC_E_PERMISSION, WC_E_BUSY when another copy of the library in this process has it
 *         open, WC_E_VERSION, WC_E_UNSUPPORTED for file systems without locks, WC_E_CORRUPT …
 * @since 0.1
 */
WC_API int32_t wc_context_open(const wc_context_options *options, wc_cancel *cancel, wc_context **out,
                               wc_error **err);
/** Takes a reference. Thread-safety: any thread. @since 0.1 */
WC_API wc_context *wc_context_ref(wc_context *context);
/** Drops a reference. Thread-safety: any thread. @since 0.1 */
WC_API void wc_context_unref(wc_context *context);
/** Absolute path of the store. Lent. @since 0.1 */
WC_API const char *wc_context_root(const wc_context *context);
/** Name of the backend for new containers. Lent. @since 0.1 */
WC_API const char *wc_context_backend(const wc_context *context);

/**
 * Takes the oldest line from the log.
 *
 * @param level   WC_LOG_* of the line; may be NULL.
 * @param time_ns when it was written; may be NULL.
 * @param message one line, plain as wc_error_message() is; the caller releases it.
 * Thread-safety: any thread. Blocking: no.
 * @return WC_OK, WC_E_NOT_FOUND when the log is empty, WC_E_FORKED (no error object is made). @since 0.1
 */
WC_API int32_t wc_context_next_log(wc_context *context, int32_t *level, int64_t *time_ns,
                                   wc_buf **message);

WC_END_DECLS

#endif
