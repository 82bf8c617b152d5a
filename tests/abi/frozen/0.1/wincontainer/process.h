/* SPDX-License-Identifier: Apache-2.0 */
/** @file process.h Further processes in a running container (exec). */
#ifndef WINCONTAINER_PROCESS_H
#define WINCONTAINER_PROCESS_H

#include <wincontainer/base.h>
#include <wincontainer/stream.h>

WC_BEGIN_DECLS

/** What to execute. @since 0.1 */
typedef struct wc_exec_options wc_exec_options;

/** Options for a command; the caller releases *out. @param args copied, at least one. @since 0.1 */
WC_API int32_t wc_exec_options_new(const char *const *args, size_t count, wc_exec_options **out, wc_error **err);
/** Drops the options. @since 0.1 */
WC_API void wc_exec_options_unref(wc_exec_options *options);
/** One variable more than the container's. Copied. @since 0.1 */
WC_API int32_t wc_exec_options_add_env(wc_exec_options *options, const char *name, const char *value, wc_error **err);
/** Absolute path in the container; default the container's. Copied. @since 0.1 */
WC_API int32_t wc_exec_options_set_workdir(wc_exec_options *options, const char *path, wc_error **err);
/** "user[:group]"; default the container's. Copied. @since 0.1 */
WC_API int32_t wc_exec_options_set_user(wc_exec_options *options, const char *user, wc_error **err);
/** 1: a terminal. @since 0.1 */
WC_API int32_t wc_exec_options_set_tty(wc_exec_options *options, int32_t tty, wc_error **err);
/** As wc_container_options_set_console_size(). @since 0.1 */
WC_API int32_t wc_exec_options_set_console_size(wc_exec_options *options, uint32_t columns, uint32_t rows,
                                                wc_error **err);
/** 1: every capability. @since 0.1 */
WC_API int32_t wc_exec_options_set_privileged(wc_exec_options *options, int32_t privileged, wc_error **err);

/**
 * Executes a command in a running container.
 *
 * @param attach WC_ATTACH_*; 0 runs it detached, its output is dropped.
 * @param out    the process; the caller releases it.
 * @param stream its streams when attach is not 0, else unused; the caller releases it.
 * Thread-safety: any thread. Blocking: until it runs or failed.
 * @return WC_OK, WC_E_STATE when the container does not run, WC_E_COMMAND_NOT_FOUND,
 *         WC_E_COMMAND_NOT_EXECUTABLE, WC_E_RUNTIME … @since 0.1
 */
WC_API int32_t wc_container_exec(wc_container *container, const wc_exec_options *options, uint64_t attach,
                                 wc_cancel *cancel, wc_process **out, wc_stream **stream, wc_error **err);
/** Waits for its end. @param exit_code 128 + N when signal N ended it. @since 0.1 */
WC_API int32_t wc_process_wait(wc_process *process, wc_cancel *cancel, int32_t *exit_code, wc_error **err);
/** Sends a signal by name or number. WC_E_STATE when it has ended. @since 0.1 */
WC_API int32_t wc_process_kill(wc_process *process, const char *signal, wc_error **err);
/** Id of the process, unique in its container. Lent. @since 0.1 */
WC_API const char *wc_process_id(const wc_process *process);
/** Process id on the host; 0 where the backend has none. @since 0.1 */
WC_API int64_t wc_process_pid(const wc_process *process);
/** Takes a reference. Thread-safety: any thread. @since 0.1 */
WC_API wc_process *wc_process_ref(wc_process *process);
/** Drops a reference; the process goes on. @since 0.1 */
WC_API void wc_process_unref(wc_process *process);

WC_END_DECLS

#endif
