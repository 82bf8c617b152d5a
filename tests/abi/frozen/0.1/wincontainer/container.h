/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file container.h
 * Containers: from an image to an exit code.
 *
 * A container outlives the process that started it; every process that opens the store sees it.
 * A wc_container names a container; what it is at one moment is a wc_container_info.
 * Words and defaults are those of `docker run`.
 */
#ifndef WINCONTAINER_CONTAINER_H
#define WINCONTAINER_CONTAINER_H

#include <wincontainer/base.h>
#include <wincontainer/container_options.h>
#include <wincontainer/stream.h>

WC_BEGIN_DECLS

/** How to read a log. @since 0.1 */
typedef struct wc_log_options wc_log_options;

/* ---- Life -------------------------------------------------------------------------------------- */

/**
 * Records a container; nothing runs yet.
 *
 * Ownership: the caller releases *out. Thread-safety: any thread. Blocking: on the disk, briefly.
 * @return WC_OK, WC_E_NOT_FOUND (image), WC_E_EXISTS (name), WC_E_INVALID, WC_E_UNSUPPORTED … @since 0.1
 */
WC_API int32_t wc_container_create(wc_context *context, const wc_container_options *options, wc_cancel *cancel,
                                   wc_container **out, wc_error **err);
/** A container by id, name, or unique beginning of its id; the caller releases *out.
 * @return WC_OK, WC_E_NOT_FOUND, WC_E_INVALID. @since 0.1 */
WC_API int32_t wc_container_open(wc_context *context, const char *id_or_name, wc_container **out, wc_error **err);

/** What to attach on start, attach and exec. @since 0.1 */
enum {
    WC_ATTACH_STDIN = 1,
    WC_ATTACH_STDOUT = 2,
    WC_ATTACH_STDERR = 4,
    /** With another: a reader that is behind holds the process back, as Docker does, instead of being dropped after two
     * seconds with WC_E_BUSY. All that was written can still be read after the end. */
    WC_ATTACH_WAIT = 8,
    /** With WC_ATTACH_STDIN: standard input ends with this stream, also when its holder is killed; as docker run -i and
     * exec -i. A terminal's does not end. */
    WC_ATTACH_ONCE = 16
};
/**
 * Starts a created or ended container.
 *
 * @param attach WC_ATTACH_*: attached from before the first instruction, so that nothing is missed; 0
 *               for none.
 * @param stream the stream when attach is not 0, else unused; the caller releases it.
 * Thread-safety: any thread. Blocking: until it runs or failed.
 * @return WC_OK, WC_E_STATE, WC_E_MISSING (no runtime, no kernel feature), WC_E_PERMISSION,
 *         WC_E_COMMAND_NOT_FOUND, WC_E_COMMAND_NOT_EXECUTABLE, WC_E_RUNTIME, WC_E_CANCELLED … @since 0.1
 */
WC_API int32_t wc_container_start(wc_container *container, uint64_t attach, wc_cancel *cancel,
                                  wc_stream **stream, wc_error **err);
/** Attaches to a running container; the caller releases *out. @return WC_OK, WC_E_STATE … @since 0.1 */
WC_API int32_t wc_container_attach(wc_container *container, uint64_t attach, wc_cancel *cancel,
                                   wc_stream **out, wc_error **err);

/** For wc_container_wait(). @since 0.1 */
enum {
    WC_WAIT_NOT_RUNNING = 0, /**< at once when it does not run */
    WC_WAIT_NEXT_EXIT = 1,   /**< the next end, also of a container not started yet */
    WC_WAIT_REMOVED = 2,     /**< until it is gone */
    WC_WAIT_RUN_END = 3      /**< the end of the run that this handle started or attached to, whatever came after it;
                                  without one the next end */
};
/**
 * Waits for the end.
 *
 * @param exit_code of the container's first process; 128 + N when signal N ended it. May be NULL.
 * Thread-safety: any thread. Blocking: until then, or cancelled.
 * @return WC_OK, WC_E_NOT_FOUND, WC_E_CANCELLED, WC_E_TIMEOUT. @since 0.1
 */
WC_API int32_t wc_container_wait(wc_container *container, int32_t condition, wc_cancel *cancel,
                                 int32_t *exit_code, wc_error **err);
/** For wc_container_wait_any(). @since 0.1 */
enum {
    WC_WAITS_NOT_RUNNING = 1, /**< at once when it does not run */
    WC_WAITS_NEXT_EXIT = 2,   /**< the next end */
    WC_WAITS_REMOVED = 4,
    WC_WAITS_RUNNING = 8,     /**< at once when it runs; one that is paused does not */
    WC_WAITS_HEALTHY = 16,
    WC_WAITS_UNHEALTHY = 32
};
/**
 * Waits for the first of several conditions.
 *
 * @param conditions WC_WAITS_*, one at least.
 * @param met        those that hold then; may be NULL.
 * @param exit_code  of its last run when it ended; else 0. May be NULL.
 * Thread-safety: any thread. Blocking: until then, or cancelled.
 * @return WC_OK, WC_E_NOT_FOUND when it is gone and that is no condition, WC_E_CANCELLED, WC_E_TIMEOUT. @since 0.1
 */
WC_API int32_t wc_container_wait_any(wc_container *container, uint64_t conditions, wc_cancel *cancel, uint64_t *met,
                                     int32_t *exit_code, wc_error **err);
/** Sends a signal, by name ("KILL", "SIGHUP") or number, to the first process. WC_E_STATE when it does
 * not run. @since 0.1 */
WC_API int32_t wc_container_kill(wc_container *container, const char *signal, wc_error **err);
/** Stop signal, then SIGKILL after timeout_ns (negative: the container's own timeout; INT64_MAX: never); waits
 * for the end. WC_OK when it does not run. @since 0.1 */
WC_API int32_t wc_container_stop(wc_container *container, int64_t timeout_ns, wc_cancel *cancel, wc_error **err);
/** Stops it as wc_container_stop() does, if it runs, and starts it again; event "restart". One that is removed at
 * its end stays, unless the start fails. @return WC_OK or what the two give. @since 0.1 */
WC_API int32_t wc_container_restart(wc_container *container, int64_t timeout_ns, wc_cancel *cancel, wc_error **err);
/**
 * Holds all processes of a running container, as `docker pause`; event "pause". They use no processor time, and
 * signals but those that end it wait until it goes on. A stop, or a kill by its stop signal or SIGKILL, lets it go on.
 *
 * Thread-safety: any thread. Blocking: briefly.
 * @return WC_OK, WC_E_STATE when it does not run or is paused already, WC_E_UNSUPPORTED (backend), WC_E_RUNTIME …
 * @since 0.1
 */
WC_API int32_t wc_container_pause(wc_container *container, wc_cancel *cancel, wc_error **err);
/** Lets the processes of a paused container go on; event "unpause".
 * @return WC_OK, WC_E_STATE when it is not paused, and as wc_container_pause(). @since 0.1 */
WC_API int32_t wc_container_unpause(wc_container *container, wc_cancel *cancel, wc_error **err);
/** Gives it another name, running or not; event "rename" with the attribute "oldName".
 * @param name as for wc_container_options_set_name().
 * @return WC_OK, WC_E_INVALID, WC_E_EXISTS naming the container that has it, WC_E_NOT_FOUND. @since 0.1 */
WC_API int32_t wc_container_rename(wc_container *container, const char *name, wc_error **err);
/** For wc_container_remove(), besides WC_REMOVE_FORCE of image.h. @since 0.1 */
enum {
    WC_REMOVE_VOLUMES = 2 /**< also its anonymous volumes that no other container uses */
};
/** Removes the container and its files. @param flags WC_REMOVE_FORCE kills it first; WC_REMOVE_VOLUMES.
 * @return WC_OK, WC_E_STATE while it runs … @since 0.1 */
WC_API int32_t wc_container_remove(wc_container *container, uint64_t flags, wc_cancel *cancel, wc_error **err);

/** Copies a file or tree of the host into the container, by the rules of `docker cp`; running or not.
 * Paths inside are resolved inside. @since 0.1 */
WC_API int32_t wc_container_copy_in(wc_container *container, const char *host_path, const char *container_path,
                                    wc_cancel *cancel, wc_error **err);
/** Copies a file or tree of the container to the host, by the rules of `docker cp`. @since 0.1 */
WC_API int32_t wc_container_copy_out(wc_container *container, const char *container_path, const char *host_path,
                                     wc_cancel *cancel, wc_error **err);
/**
 * Writes a file or tree of the container as a tar to a descriptor.
 *
 * @param container_path resolved inside; the names in the tar begin with its last component. A link there is
 *                       written as a link. "DIR/." is what DIR holds, named "./…".
 * @param fd             a file, pipe or socket open for writing; lent, its flags stay. On Windows a HANDLE.
 * Thread-safety: any thread. Blocking: until all is written, cancelled or failed; part of it is written then.
 * @return WC_OK, WC_E_NOT_FOUND, WC_E_CLOSED when nobody reads, WC_E_UNSUPPORTED (backend), WC_E_CANCELLED …
 * Specification: POSIX pax; Docker's API, GET /containers/{id}/archive. @since 0.1
 */
WC_API int32_t wc_container_get_archive(wc_container *container, const char *container_path, intptr_t fd,
                                        wc_cancel *cancel, wc_error **err);
/**
 * Unpacks a tar that comes from a descriptor into a directory of the container. What is there stays, files of
 * the same name are replaced; owners and times are those of the tar. Nothing outside the directory is touched.
 *
 * @param container_path the directory, links followed inside.
 * @param fd             open for reading, read to its end; plain, or compressed with gzip or zstd; lent, its
 *                       flags stay. On Windows a HANDLE.
 * Thread-safety: any thread. Blocking: until the end has come, cancelled or failed; part of it is there then.
 * @return WC_OK, WC_E_NOT_FOUND, WC_E_INVALID (not a directory), WC_E_FORMAT, WC_E_NO_SPACE, WC_E_UNSUPPORTED
 *         (backend), WC_E_CANCELLED … Specification: Docker's API, PUT /containers/{id}/archive. @since 0.1
 */
WC_API int32_t wc_container_put_archive(wc_container *container, const char *container_path, intptr_t fd,
                                        wc_cancel *cancel, wc_error **err);

/**
 * Writes the whole file system of a container as a tar, as `docker export`: what its image holds and what it has
 * changed, without what is mounted. It may run, and should then be idle: a file that is being written is taken as it
 * is in that moment. Owners, attributes and sparse files are those of the layers, also without root.
 *
 * @param path a file; written beside its place and renamed when whole.
 * Thread-safety: any thread. Blocking: until done, cancelled or failed; nothing is left then.
 * @return WC_OK, WC_E_NOT_FOUND, WC_E_STATE when its image was removed, WC_E_INVALID (path), WC_E_DIGEST when a
 *         layer of the store is damaged, WC_E_IO, WC_E_NO_SPACE, WC_E_CANCELLED … Specification: POSIX pax.
 * @since 0.1
 */
WC_API int32_t wc_container_export(wc_container *container, const char *path, wc_cancel *cancel, wc_error **err);
/**
 * The same to a descriptor.
 *
 * @param fd a file, pipe or socket open for writing; lent, its flags stay. On Windows a HANDLE.
 * Thread-safety: any thread. Blocking: until all is written, cancelled or failed; part of it is written then.
 * @return as wc_container_export(), and WC_E_CLOSED when nobody reads. @since 0.1
 */
WC_API int32_t wc_container_export_fd(wc_container *container, intptr_t fd, wc_cancel *cancel, wc_error **err);

/** The id, 64 hex digits. Lent. @since 0.1 */
WC_API const char *wc_container_id(const wc_container *container);
/** Takes a reference. Thread-safety: any thread. @since 0.1 */
WC_API wc_container *wc_container_ref(wc_container *container);
/** Drops a reference. Thread-safety: any thread. @since 0.1 */
WC_API void wc_container_unref(wc_container *container);

/* ---- Looking ----------------------------------------------------------------------------------- */

/** What the container is now; the caller releases *out. WC_E_NOT_FOUND when it is gone. @since 0.1 */
WC_API int32_t wc_container_inspect(wc_container *container, wc_container_info **out, wc_error **err);
/**
 * What the container has changed of its image's files.
 *
 * @param out JSON as Docker's API has it: [{"Path": "/etc/x", "Kind": 0}], kinds 0 changed, 1 added, 2 deleted,
 *            in the order of a walk. The caller releases it.
 * Thread-safety: any thread. Blocking: on the disk. @return WC_OK, WC_E_NOT_FOUND, WC_E_CANCELLED. @since 0.1
 */
WC_API int32_t wc_container_diff(wc_container *container, wc_cancel *cancel, wc_buf **out, wc_error **err);
/** All containers, the newest first, as wc_container_info; the caller releases the list. @since 0.1 */
WC_API int32_t wc_container_list(wc_context *context, wc_list **out, wc_error **err);

/** States. @since 0.1 */
enum {
    WC_STATUS_CREATED = 0,
    WC_STATUS_RUNNING = 2,
    WC_STATUS_PAUSED = 3,
    WC_STATUS_EXITED = 4,
    WC_STATUS_REMOVING = 5,
    WC_STATUS_DEAD = 6, /**< it could not be removed whole; one whose monitor was killed is EXITED with 255 */
    WC_STATUS_RESTARTING = 7 /**< between two runs, by its restart policy */
};
/** Health. @since 0.1 */
enum {
    WC_HEALTH_NONE = 0, /**< it has no check */
    WC_HEALTH_STARTING = 1,
    WC_HEALTH_HEALTHY = 2,
    WC_HEALTH_UNHEALTHY = 3 /**< also one that has ended */
};
/** Takes a reference. Thread-safety: any thread. @since 0.1 */
WC_API wc_container_info *wc_container_info_ref(wc_container_info *info);
/** Drops a reference. Thread-safety: any thread. @since 0.1 */
WC_API void wc_container_info_unref(wc_container_info *info);
/** The id. Lent. @since 0.1 */
WC_API const char *wc_container_info_id(const wc_container_info *info);
/** The name. Lent. @since 0.1 */
WC_API const char *wc_container_info_name(const wc_container_info *info);
/** Image as it was named at creation. Lent. @since 0.1 */
WC_API const char *wc_container_info_image(const wc_container_info *info);
/** Image ID, or "". Lent. @since 0.1 */
WC_API const char *wc_container_info_image_id(const wc_container_info *info);
/** Command line, for people. Lent. @since 0.1 */
WC_API const char *wc_container_info_command(const wc_container_info *info);
/** WC_STATUS_*. @since 0.1 */
WC_API int32_t wc_container_info_status(const wc_container_info *info);
/** "created", "running", "paused", "restarting", "exited", "removing", "dead". Static. @since 0.1 */
WC_API const char *wc_container_info_status_text(const wc_container_info *info);
/** Process id of the first process on the host, 0 when not running. @since 0.1 */
WC_API int64_t wc_container_info_pid(const wc_container_info *info);
/** Exit code of the last run; 0 while it runs. After a start that failed 127 (command not found), 126 (not
 * executable) or 128. @since 0.1 */
WC_API int32_t wc_container_info_exit_code(const wc_container_info *info);
/** @since 0.1 */
WC_API int64_t wc_container_info_created(const wc_container_info *info);
/** Start of the last run. @since 0.1 */
WC_API int64_t wc_container_info_started(const wc_container_info *info);
/** What its checks say; WC_HEALTH_*. @since 0.1 */
WC_API int32_t wc_container_info_health(const wc_container_info *info);
/** Restarts by its policy since a user started it. @since 0.1 */
WC_API int64_t wc_container_info_restart_count(const wc_container_info *info);
/** End of the last run. @since 0.1 */
WC_API int64_t wc_container_info_finished(const wc_container_info *info);
/** Value of a label, or NULL. Lent. @since 0.1 */
WC_API const char *wc_container_info_label(const wc_container_info *info, const char *key);
/** The published ports as JSON, as wc_container_ports() gives them; "{}" without any. Lent. @since 0.1 */
WC_API const char *wc_container_info_ports(const wc_container_info *info);
/** One JSON object with the field names of `docker container inspect`, made at the first call; "{}" when memory runs out
 * then. Lent. Thread-safety: any thread. @since 0.1 */
WC_API const char *wc_container_info_json(const wc_container_info *info);

/* ---- Logs -------------------------------------------------------------------------------------- */

/** Options: everything there is, then the end. The caller releases *out. @since 0.1 */
WC_API int32_t wc_log_options_new(wc_log_options **out, wc_error **err);
/** Drops the options. @since 0.1 */
WC_API void wc_log_options_unref(wc_log_options *options);
/** 1: wait for more until the container ends, or until the time of wc_log_options_set_until(). @since 0.1 */
WC_API int32_t wc_log_options_set_follow(wc_log_options *options, int32_t follow, wc_error **err);
/** Only the last `lines` of those that are there now; negative: all. As in Docker they are counted before
 * times choose among them. A line without an end is one with what follows it. @since 0.1 */
WC_API int32_t wc_log_options_set_tail(wc_log_options *options, int64_t lines, wc_error **err);
/** Only from the first line on that was written at or after this time. 0: no bound. @since 0.1 */
WC_API int32_t wc_log_options_set_since(wc_log_options *options, int64_t time_ns, wc_error **err);
/** The log ends before the first line that was written after this time; one of exactly this time is
 * given. 0: no bound. @since 0.1 */
WC_API int32_t wc_log_options_set_until(wc_log_options *options, int64_t time_ns, wc_error **err);
/** Opens the log; options NULL for the defaults. The caller releases *out. @since 0.1 */
WC_API int32_t wc_container_logs(wc_container *container, const wc_log_options *options, wc_logs **out,
                                 wc_error **err);
/**
 * The next line, with its line end when it had one; a line without end comes in pieces as written.
 *
 * @param channel WC_STREAM_STDOUT or WC_STREAM_STDERR; may be NULL.
 * @param time_ns when it was written; may be NULL.
 * @param line    the caller releases it.
 * Thread-safety: one thread at a time. Blocking: as the timeout says, 0 does not wait.
 * @return WC_OK, WC_E_CLOSED at the end, WC_E_TIMEOUT, WC_E_CANCELLED. @since 0.1
 */
WC_API int32_t wc_logs_next(wc_logs *logs, int32_t *channel, int64_t *time_ns, wc_buf **line,
                            int64_t timeout_ns, wc_cancel *cancel, wc_error **err);
/** A descriptor that is readable when there may be more, or -1. Lent. @since 0.1 */
WC_API intptr_t wc_logs_fd(const wc_logs *logs);
/** Takes a reference. Thread-safety: any thread. @since 0.1 */
WC_API wc_logs *wc_logs_ref(wc_logs *logs);
/** Drops a reference. Thread-safety: any thread. @since 0.1 */
WC_API void wc_logs_unref(wc_logs *logs);

WC_END_DECLS

#endif
