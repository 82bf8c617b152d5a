/* SPDX-License-Identifier: Apache-2.0 */
/** @file stats.h What containers use, once or again and again, and their processes. */
#ifndef WINCONTAINER_STATS_H
#define WINCONTAINER_STATS_H

#include <wincontainer/base.h>

WC_BEGIN_DECLS

/** What one container used at one moment; never changes. @since 0.1 */
typedef struct wc_stats wc_stats;
/** Looks at containers again and again. @since 0.1 */
typedef struct wc_stats_reader wc_stats_reader;

/**
 * What a container uses now. Of one that does not run every figure is 0, as in Docker.
 *
 * Ownership: the caller releases *out. Thread-safety: any thread. Blocking: on the disk, briefly.
 * @return WC_OK, WC_E_NOT_FOUND, WC_E_UNSUPPORTED (backend), WC_E_CANCELLED. @since 0.1
 */
WC_API int32_t wc_container_stats(wc_container *container, wc_cancel *cancel, wc_stats **out, wc_error **err);
/**
 * Opens a reader.
 *
 * @param containers  `count` of them, referenced by the reader; with 0 those that run, asked anew each time.
 * @param interval_ns between two looks, above 0.
 * Ownership: the caller releases *out. Thread-safety: any thread.
 * @return WC_OK, WC_E_INVALID, WC_E_NOMEM. @since 0.1
 */
WC_API int32_t wc_stats_open(wc_context *context, wc_container *const *containers, size_t count, int64_t interval_ns,
                             wc_stats_reader **out, wc_error **err);
/**
 * The next look: the first at once, each further one when the interval since the one before has passed.
 *
 * @param out one wc_stats for each container, in the order given, or the newest first; what was removed is left
 *            out. See wc_list_stats(). The caller releases the list.
 * Thread-safety: one thread at a time. Blocking: until the interval has passed.
 * @return WC_OK, WC_E_CANCELLED, WC_E_TIMEOUT (of the cancel handle). @since 0.1
 */
WC_API int32_t wc_stats_next(wc_stats_reader *reader, wc_cancel *cancel, wc_list **out, wc_error **err);
/** Takes a reference. Thread-safety: any thread. @since 0.1 */
WC_API wc_stats_reader *wc_stats_reader_ref(wc_stats_reader *reader);
/** Drops a reference. Thread-safety: any thread. @since 0.1 */
WC_API void wc_stats_reader_unref(wc_stats_reader *reader);
/** Element of a list of wc_stats, lent; NULL for another kind of list or index. @since 0.1 */
WC_API wc_stats *wc_list_stats(const wc_list *list, size_t index);

/** Id of the container. Lent. @since 0.1 */
WC_API const char *wc_stats_id(const wc_stats *stats);
/** Name of the container. Lent. @since 0.1 */
WC_API const char *wc_stats_name(const wc_stats *stats);
/** When, in nanoseconds since the epoch. @since 0.1 */
WC_API int64_t wc_stats_time(const wc_stats *stats);
/** Processor time since its start, in nanoseconds. @since 0.1 */
WC_API int64_t wc_stats_cpu_time(const wc_stats *stats);
/** Processors kept busy since the reader looked before, in billionths of one; 0 in the first look and from
 * wc_container_stats(). @since 0.1 */
WC_API int64_t wc_stats_nano_cpus(const wc_stats *stats);
/** Bytes of memory, without what the kernel keeps of files and may drop at once. @since 0.1 */
WC_API int64_t wc_stats_memory(const wc_stats *stats);
/** Bytes it may use: its limit, or what the host has. @since 0.1 */
WC_API int64_t wc_stats_memory_limit(const wc_stats *stats);
/** Processes and threads. @since 0.1 */
WC_API int64_t wc_stats_pids(const wc_stats *stats);
/** Bytes read from block devices. @since 0.1 */
WC_API int64_t wc_stats_read_bytes(const wc_stats *stats);
/** Bytes written to block devices. @since 0.1 */
WC_API int64_t wc_stats_written_bytes(const wc_stats *stats);
/** Bytes received from its networks; 0 with the host's. @since 0.1 */
WC_API int64_t wc_stats_received_bytes(const wc_stats *stats);
/** Bytes sent to its networks; 0 with the host's. @since 0.1 */
WC_API int64_t wc_stats_sent_bytes(const wc_stats *stats);
/** All of it as JSON in the words of Docker's stats: "read", "cpu_stats", "memory_stats", "pids_stats",
 * "blkio_stats", "networks". Lent. @since 0.1 */
WC_API const char *wc_stats_json(const wc_stats *stats);
/** Takes a reference. Thread-safety: any thread. @since 0.1 */
WC_API wc_stats *wc_stats_ref(wc_stats *stats);
/** Drops a reference. Thread-safety: any thread. @since 0.1 */
WC_API void wc_stats_unref(wc_stats *stats);

/**
 * Processes of a running container as ps(1) of the host shows them, as `docker top`: one JSON object with "Titles",
 * an array, and "Processes", an array with an array of texts for each.
 *
 * @param ps_args `count` options for ps, whose output must have a PID column; with 0 "-ef".
 * Ownership: the caller releases *out. Thread-safety: any thread. Blocking: while ps runs.
 * @return WC_OK, WC_E_STATE when it does not run, WC_E_INVALID (what ps says of its options, or no PID column),
 *         WC_E_MISSING (no ps), WC_E_UNSUPPORTED (backend). @since 0.1
 */
WC_API int32_t wc_container_processes(wc_container *container, const char *const *ps_args, size_t count,
                                      wc_cancel *cancel, wc_buf **out, wc_error **err);

WC_END_DECLS

#endif
