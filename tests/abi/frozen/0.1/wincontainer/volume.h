/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file volume.h
 * Volumes: directories of the store that outlive containers and that several of them may mount.
 *
 * Containers name them in wc_container_options_add_mount(); one that is not there is made when the container is
 * created. A volume that is empty gets what the image has at its target when a container starts with it for the first
 * time. Words and rules are those of `docker volume`.
 */
#ifndef WINCONTAINER_VOLUME_H
#define WINCONTAINER_VOLUME_H

#include <wincontainer/base.h>

WC_BEGIN_DECLS

/** What a new volume is to be. @since 0.1 */
typedef struct wc_volume_options wc_volume_options;

/** Options for a volume of the driver "local". Ownership: the caller releases *out. @since 0.1 */
WC_API int32_t wc_volume_options_new(wc_volume_options **out, wc_error **err);
/** Drops the options. @since 0.1 */
WC_API void wc_volume_options_unref(wc_volume_options *options);
/** "local", the only one. WC_E_UNSUPPORTED for others. @since 0.1 */
WC_API int32_t wc_volume_options_set_driver(wc_volume_options *options, const char *driver, wc_error **err);
/**
 * An option of the driver; one that is there already is replaced. With "type", "device" and "o" each container mounts
 * them, as mount(8) would with -t and -o, in the place of a directory of the store: "none" with o=bind for a directory
 * of the host, "nfs" with o=addr=ADDRESS, "tmpfs" (of which each container has its own), or a file system on a block
 * device.
 *
 * @param key "type", "device" or "o"; "size" is WC_E_UNSUPPORTED. @since 0.1
 */
WC_API int32_t wc_volume_options_add_option(wc_volume_options *options, const char *key, const char *value,
                                            wc_error **err);
/** One label; one that is there already is replaced. @since 0.1 */
WC_API int32_t wc_volume_options_add_label(wc_volume_options *options, const char *key, const char *value,
                                           wc_error **err);

/**
 * Makes a volume. When one of that name is there with the same driver and options, that one is given.
 *
 * @param name    2 to 255 of [a-zA-Z0-9_.-], the first of [a-zA-Z0-9]; NULL: an anonymous one with 64 hex digits.
 * @param options NULL: none.
 * Ownership: the caller releases *out. Thread-safety: any thread. Blocking: while somebody makes or removes the same.
 * @return WC_OK, WC_E_EXISTS when it is there with another driver or other options, WC_E_CANCELLED … @since 0.1
 */
WC_API int32_t wc_volume_create(wc_context *context, const char *name, const wc_volume_options *options,
                                wc_cancel *cancel, wc_volume **out, wc_error **err);
/** A volume of the store by its whole name. @return WC_OK, WC_E_NOT_FOUND. @since 0.1 */
WC_API int32_t wc_volume_open(wc_context *context, const char *name, wc_volume **out, wc_error **err);
/** All volumes by name, see wc_list_volume(). The caller releases *out. @since 0.1 */
WC_API int32_t wc_volume_list(wc_context *context, wc_list **out, wc_error **err);
/**
 * What it is, as one JSON object in the words of `docker volume inspect`: "Name", "Driver", "Mountpoint", "CreatedAt",
 * "Labels", "Options", "Scope"; and "Anonymous" and "Containers", the ids of those that use it.
 *
 * The caller releases *out. @return WC_OK, WC_E_NOT_FOUND when it was removed. @since 0.1
 */
WC_API int32_t wc_volume_inspect(wc_volume *volume, wc_buf **out, wc_error **err);
/** Bytes that it takes in the store, which is nothing of what its driver options mount. Blocking: on the disk.
 * @return WC_OK, WC_E_NOT_FOUND … @since 0.1 */
WC_API int32_t wc_volume_size(wc_volume *volume, wc_cancel *cancel, int64_t *bytes, wc_error **err);

/** For wc_volume_remove(). @since 0.1 */
enum {
    WC_VOLUME_FORCE = 1 /**< that it is gone already is no error */
};
/**
 * Removes a volume with what it holds. What driver options mount stays as it is.
 *
 * Thread-safety: any thread. Blocking: while somebody makes or fills it, and on the disk.
 * @return WC_OK, WC_E_IN_USE while there is a container that uses it, running or not, WC_E_NOT_FOUND … @since 0.1
 */
WC_API int32_t wc_volume_remove(wc_volume *volume, uint64_t flags, wc_cancel *cancel, wc_error **err);

/** For wc_volume_prune(). @since 0.1 */
enum {
    WC_VOLUME_PRUNE_ALL = 1 /**< named ones, too */
};
/**
 * Removes the anonymous volumes that no container uses.
 *
 * @param reclaimed bytes; may be NULL.
 * @param removed   their names; may be NULL; the caller releases it.
 * @since 0.1
 */
WC_API int32_t wc_volume_prune(wc_context *context, uint64_t flags, wc_cancel *cancel, int64_t *reclaimed,
                               wc_list **removed, wc_error **err);

/**
 * Writes what it holds as a tar to a descriptor: names begin with "./"; owners, modes, times, extended attributes,
 * links, devices and holes of files are kept. Containers that use it should be idle.
 *
 * @param fd a file, pipe or socket open for writing; lent, its flags stay. On Windows a HANDLE.
 * Thread-safety: any thread. Blocking: until all is written, cancelled or failed; part of it is written then.
 * @return WC_OK, WC_E_NOT_FOUND, WC_E_CLOSED when nobody reads, WC_E_UNSUPPORTED when its driver options mount
 *         something else than a directory of the host … Specification: POSIX pax. @since 0.1
 */
WC_API int32_t wc_volume_export_fd(wc_volume *volume, intptr_t fd, wc_cancel *cancel, wc_error **err);
/**
 * Unpacks a tar that comes from a descriptor into it. What is there stays, files of the same name are replaced; owners
 * and times are those of the tar. Nothing outside the volume is touched.
 *
 * @param fd open for reading, read to its end; plain, or compressed with gzip or zstd; lent, its flags stay. On Windows
 *           a HANDLE.
 * Thread-safety: any thread. Blocking: until the end has come, cancelled or failed; part of it is there then.
 * @return as wc_volume_export_fd(), and WC_E_FORMAT, WC_E_NO_SPACE … @since 0.1
 */
WC_API int32_t wc_volume_import_fd(wc_volume *volume, intptr_t fd, wc_cancel *cancel, wc_error **err);

/** Lent. @since 0.1 */
WC_API const char *wc_volume_name(const wc_volume *volume);
/** The directory of the host that containers mount; lent. @since 0.1 */
WC_API const char *wc_volume_path(const wc_volume *volume);
/** Takes a reference. Thread-safety: any thread. @since 0.1 */
WC_API wc_volume *wc_volume_ref(wc_volume *volume);
/** Drops a reference; the volume stays. Thread-safety: any thread. @since 0.1 */
WC_API void wc_volume_unref(wc_volume *volume);

WC_END_DECLS

#endif
