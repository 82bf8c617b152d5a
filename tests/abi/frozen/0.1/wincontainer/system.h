/* SPDX-License-Identifier: Apache-2.0 */
/** @file system.h The host, and the upkeep of the store. */
#ifndef WINCONTAINER_SYSTEM_H
#define WINCONTAINER_SYSTEM_H

#include <wincontainer/base.h>

WC_BEGIN_DECLS

/**
 * What was found on the host, what is missing, and what each absence costs, as one JSON object (see
 * docs/system-info.md).
 *
 * Ownership: the caller releases *out. Thread-safety: any thread. Blocking: briefly; it may run
 * `--version` of runtimes and a trial container.
 * @return WC_OK, WC_E_CANCELLED … @since 0.1
 */
WC_API int32_t wc_system_info(wc_context *context, wc_cancel *cancel, wc_buf **out, wc_error **err);
/**
 * Use of the disk as one JSON object; sizes in bytes:
 *
 *  - "Usage": a list of {"Type", "TotalCount", "Active", "Size", "Reclaimable"}, as `docker system df` has them; what
 *    several images share counts once;
 *  - "Images": {"Id", "Digest", "Names", "Created", "Size", "SharedSize", "UniqueSize", "Containers"}: blobs and
 *    unpacked layers; the unique size is what goes with the image, the rest other images need, too;
 *  - "Containers": {"Id", "Name", "Image", "State", "Size"};
 *  - "Volumes": {"Name", "Links", "Size"}: how many containers use it;
 *  - "Layers": {"DiffId", "Size", "Images"}: unpacked, and how many images have it.
 *
 * The caller releases *out. Thread-safety: any thread. Blocking: on the disk. @since 0.1
 */
WC_API int32_t wc_system_df(wc_context *context, wc_cancel *cancel, wc_buf **out, wc_error **err);

/** For wc_system_prune(). @since 0.1 */
enum {
    WC_PRUNE_CONTAINERS = 1, /**< containers that do not run */
    WC_PRUNE_DANGLING = 2,   /**< images without a name that no container uses */
    WC_PRUNE_UNUSED = 4,     /**< all images that no container uses */
    WC_PRUNE_PARTIAL = 8,    /**< downloads that were broken off and could still go on */
    WC_PRUNE_VOLUMES = 16    /**< anonymous volumes that no container uses */
};
/**
 * Reclaims what killed processes left behind, and what `flags` say. Never what is in use.
 *
 * @param reclaimed bytes; may be NULL.
 * @param removed   one line each; may be NULL; the caller releases it.
 * @since 0.1
 */
WC_API int32_t wc_system_prune(wc_context *context, uint64_t flags, wc_cancel *cancel, int64_t *reclaimed,
                               wc_list **removed, wc_error **err);
/**
 * Removes images that no container uses, the least recently used first, until all images together take at most
 * max_bytes or none is left that may go; and what killed processes left behind. An image is used when it comes
 * in and while there is a container that was made from it.
 *
 * @param max_bytes at least 0.
 * @param reclaimed bytes; may be NULL.
 * @param removed   one line each; may be NULL; the caller releases it.
 * @since 0.1
 */
WC_API int32_t wc_system_prune_to_size(wc_context *context, int64_t max_bytes, wc_cancel *cancel, int64_t *reclaimed,
                                       wc_list **removed, wc_error **err);
/**
 * Verifies every digest, every reference and every unpacked tree of the store. Trees are compared with what
 * their blobs unpack to: this takes as long as unpacking, and room for the largest layer.
 *
 * @param repair   1: mends what can be mended and puts the rest aside; damaged trees are made again from their
 *                 blobs, but not under a container that runs.
 * @param findings one line each; empty when all is well; the caller releases it.
 * @return WC_OK also with findings. @since 0.1
 */
WC_API int32_t wc_system_check(wc_context *context, int32_t repair, wc_cancel *cancel, wc_list **findings,
                               wc_error **err);

/**
 * Starts what its restart policy wants to run and what does not, the oldest first: for a host that has booted, where
 * the systemd unit wincontainer-restore.service calls it by `wcctl system restore`. Those with "always"; with
 * "unless-stopped" unless a user has stopped them; with "on-failure" when they ended with another code than 0, not
 * stopped by a user. Containers that were never started stay as they are. Opening a store starts nothing by itself.
 *
 * @param started ids; may be NULL; the caller releases it. One that fails keeps no other from starting; the first
 *                failure is returned when all were tried.
 * Thread-safety: any thread, and several processes at once: each container is started once.
 * Blocking: until all run. @return WC_OK, WC_E_CANCELLED, or as wc_container_start(). @since 0.1
 */
WC_API int32_t wc_system_apply_restart_policy(wc_context *context, wc_cancel *cancel, wc_list **started, wc_error **err);

WC_END_DECLS

#endif
