/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file update.h
 * Other limits and another restart policy for a container that is there, as `docker update`.
 */
#ifndef WINCONTAINER_UPDATE_H
#define WINCONTAINER_UPDATE_H

#include <wincontainer/base.h>

WC_BEGIN_DECLS

/** What is to change of a container; what is not set stays. @since 0.1 */
typedef struct wc_update_options wc_update_options;

/** No change yet; the caller releases *out. @since 0.1 */
WC_API int32_t wc_update_options_new(wc_update_options **out, wc_error **err);
/** Drops the options. @since 0.1 */
WC_API void wc_update_options_unref(wc_update_options *options);
/** As wc_container_options_set_memory(). @since 0.1 */
WC_API int32_t wc_update_options_set_memory(wc_update_options *options, int64_t bytes, wc_error **err);
/** As wc_container_options_set_memory_swap(). @since 0.1 */
WC_API int32_t wc_update_options_set_memory_swap(wc_update_options *options, int64_t bytes, wc_error **err);
/** As wc_container_options_set_memory_reservation(). @since 0.1 */
WC_API int32_t wc_update_options_set_memory_reservation(wc_update_options *options, int64_t bytes, wc_error **err);
/** As wc_container_options_set_nano_cpus(). @since 0.1 */
WC_API int32_t wc_update_options_set_nano_cpus(wc_update_options *options, int64_t nano_cpus, wc_error **err);
/** As wc_container_options_set_cpu_quota(). @since 0.1 */
WC_API int32_t wc_update_options_set_cpu_quota(wc_update_options *options, int64_t period_us, int64_t quota_us,
                                               wc_error **err);
/** As wc_container_options_set_cpu_shares(). @since 0.1 */
WC_API int32_t wc_update_options_set_cpu_shares(wc_update_options *options, int64_t shares, wc_error **err);
/** As wc_container_options_set_cpuset(). @since 0.1 */
WC_API int32_t wc_update_options_set_cpuset(wc_update_options *options, const char *cpus, wc_error **err);
/** As wc_container_options_set_cpuset_mems(). @since 0.1 */
WC_API int32_t wc_update_options_set_cpuset_mems(wc_update_options *options, const char *nodes, wc_error **err);
/** As wc_container_options_set_pids_limit(). @since 0.1 */
WC_API int32_t wc_update_options_set_pids_limit(wc_update_options *options, int64_t limit, wc_error **err);
/** As wc_container_options_set_restart_policy(). @since 0.1 */
WC_API int32_t wc_update_options_set_restart_policy(wc_update_options *options, const char *policy, int64_t max_retries,
                                                    wc_error **err);

/**
 * Changes a container; event "update". Limits of one that runs count at once, and for its later runs; a restart
 * policy counts from the next end on.
 *
 * Thread-safety: any thread. Blocking: briefly.
 * @return WC_OK, WC_E_INVALID when the limits do not go together, WC_E_STATE while it is being removed,
 *         WC_E_UNSUPPORTED (backend), WC_E_RUNTIME when the kernel refuses a limit: then nothing is recorded.
 * @since 0.1
 */
WC_API int32_t wc_container_update(wc_container *container, const wc_update_options *options, wc_cancel *cancel,
                                   wc_error **err);

WC_END_DECLS

#endif
