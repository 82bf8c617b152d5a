/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file group.h
 * Groups: limits that several containers have together.
 *
 * A group is a control group with limits of its own that the control groups of its containers are made in
 * (wc_container_options_set_group()). What a container may take is bounded by its own limits and by what the group has
 * left; the weights of its containers (processor shares, block weight) count against each other within the group. A
 * group has nothing on the host until its first container starts. Its limits can change while containers run.
 */
#ifndef WINCONTAINER_GROUP_H
#define WINCONTAINER_GROUP_H

#include <wincontainer/base.h>

WC_BEGIN_DECLS

/** Limits of a group. @since 0.1 */
typedef struct wc_group_options wc_group_options;

/* ---- Options: words and bounds are those of wc_container_options. None blocks; one thread at a time per object. */

/** No limits yet. Ownership: the caller releases *out. @since 0.1 */
WC_API int32_t wc_group_options_new(wc_group_options **out, wc_error **err);
/** Drops the options. @since 0.1 */
WC_API void wc_group_options_unref(wc_group_options *options);
/** Bytes of all its containers together; 0: no limit. @since 0.1 */
WC_API int32_t wc_group_options_set_memory(wc_group_options *options, int64_t bytes, wc_error **err);
/** Memory plus swap in bytes; -1: unlimited swap; 0: twice the memory. @since 0.1 */
WC_API int32_t wc_group_options_set_memory_swap(wc_group_options *options, int64_t bytes, wc_error **err);
/** Bytes that it keeps when memory is short; 0: none. @since 0.1 */
WC_API int32_t wc_group_options_set_memory_reservation(wc_group_options *options, int64_t bytes, wc_error **err);
/** Processor time in 10^-9 processors; 0: no limit. @since 0.1 */
WC_API int32_t wc_group_options_set_nano_cpus(wc_group_options *options, int64_t nano_cpus, wc_error **err);
/** Weight against other groups and containers beside it, 2 to 262144; 0: 1024. @since 0.1 */
WC_API int32_t wc_group_options_set_cpu_shares(wc_group_options *options, int64_t shares, wc_error **err);
/** Processors of the host that it may use, "0-2,7"; "": all. @since 0.1 */
WC_API int32_t wc_group_options_set_cpuset(wc_group_options *options, const char *cpus, wc_error **err);
/** Memory nodes of the host that it may use, "0,1"; "": all. @since 0.1 */
WC_API int32_t wc_group_options_set_cpuset_mems(wc_group_options *options, const char *nodes, wc_error **err);
/** Processes and threads; 0 or -1: no limit. @since 0.1 */
WC_API int32_t wc_group_options_set_pids_limit(wc_group_options *options, int64_t limit, wc_error **err);
/** Weight of reads and writes against others beside it, 10 to 1000; 0: default. Where the kernel has no weights, setting
 * one is WC_E_UNSUPPORTED when the first container starts. @since 0.1 */
WC_API int32_t wc_group_options_set_blkio_weight(wc_group_options *options, int64_t weight, wc_error **err);

/* ---- Groups -------------------------------------------------------------------------------------- */

/**
 * Makes a group.
 *
 * @param name    2 to 128 of [a-zA-Z0-9_.-], the first of [a-zA-Z0-9].
 * @param options NULL: no limits.
 * Ownership: the caller releases *out. Thread-safety: any thread. Blocking: on the store.
 * @return WC_OK, WC_E_EXISTS, WC_E_INVALID when limits contradict each other … @since 0.1
 */
WC_API int32_t wc_group_create(wc_context *context, const char *name, const wc_group_options *options, wc_cancel *cancel,
                               wc_group **out, wc_error **err);
/** A group of the store by its whole name. @return WC_OK, WC_E_NOT_FOUND. @since 0.1 */
WC_API int32_t wc_group_open(wc_context *context, const char *name, wc_group **out, wc_error **err);
/** All groups by name, see wc_list_group(). The caller releases *out. @since 0.1 */
WC_API int32_t wc_group_list(wc_context *context, wc_list **out, wc_error **err);
/**
 * What it is, as one JSON object: "Name", "Id", "CreatedAt", "CgroupPath", "Limits" in the words of `docker container
 * inspect` ("Memory", "NanoCpus" …), "Containers": ids of those in it.
 *
 * The caller releases *out. @return WC_OK, WC_E_NOT_FOUND when it was removed. @since 0.1
 */
WC_API int32_t wc_group_inspect(wc_group *group, wc_buf **out, wc_error **err);
/**
 * How its limits are divided and used, as one JSON object: "Name"; "Containers" and "Running", their numbers; "Limits"
 * and "Usage" of the group; "Promised": the sums of the limits of its containers that run, which may be above the
 * group's; "Members": of each container that runs "Id", "Name", "Limits", "Usage" and "CpuWeight", its part of 1 of the
 * group's processor time when all want it. A usage has "Memory" in bytes, "Cpu" in nanoseconds of processor time so far,
 * and "Pids".
 *
 * The caller releases *out. Thread-safety: any thread. Blocking: on the store, and the host's control groups.
 * @return WC_OK, WC_E_NOT_FOUND when it was removed … @since 0.1
 */
WC_API int32_t wc_group_report(wc_group *group, wc_cancel *cancel, wc_buf **out, wc_error **err);
/**
 * Other limits, at once for containers that run. What `options` was not told stays.
 *
 * Thread-safety: any thread. Blocking: while a container of it starts.
 * @return WC_OK; WC_E_STATE when its containers use more memory already and it cannot be taken from them, WC_E_NOT_FOUND,
 *         WC_E_INVALID, WC_E_UNSUPPORTED for what the host's control groups do not have. @since 0.1
 */
WC_API int32_t wc_group_update(wc_group *group, const wc_group_options *options, wc_cancel *cancel, wc_error **err);
/**
 * Removes a group.
 *
 * Thread-safety: any thread. Blocking: while a container of it starts.
 * @return WC_OK, WC_E_IN_USE while there is a container in it, running or not; WC_E_BUSY when somebody else's processes
 *         are in its control group; WC_E_NOT_FOUND. @since 0.1
 */
WC_API int32_t wc_group_remove(wc_group *group, wc_cancel *cancel, wc_error **err);

/** Lent. @since 0.1 */
WC_API const char *wc_group_name(const wc_group *group);
/** Takes a reference. Thread-safety: any thread. @since 0.1 */
WC_API wc_group *wc_group_ref(wc_group *group);
/** Drops a reference; the group stays. Thread-safety: any thread. @since 0.1 */
WC_API void wc_group_unref(wc_group *group);

WC_END_DECLS

#endif
