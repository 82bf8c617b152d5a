/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a container as its processes see them, read without mounting anything: the layers
 * of its image with what it wrote itself on top. The content may be hostile. */
#ifndef WCI_ROOTFS_H
#define WCI_ROOTFS_H

#include "core/call.h"
#include "layer/layer.h"
#include "store/store.h"

typedef struct wci_rootfs {
    wci_level *levels; /* the lowest first; the texts are owned */
    size_t count, cap;
} wci_rootfs;

/* Of an image; with `upper` (may be NULL) above it when that directory exists. WC_E_CORRUPT when a
 * layer is not unpacked. */
int32_t wci_rootfs_open(wci_store *store, const wci_image_record *image, const char *upper,
                        wci_rootfs *out, wc_error **err);
void wci_rootfs_free(wci_rootfs *rootfs);
/* The overlay directories, the lowest first. */
int32_t wci_rootfs_layers(const wci_rootfs *rootfs, wci_strv *out, wc_error **err);

/* Resolves `path` inside: links are followed as the kernel would with this root. *out is the path
 * inside without links, as wci_view_lookup() takes it; WC_E_NOT_FOUND when there is nothing. */
int32_t wci_rootfs_resolve(const wci_rootfs *rootfs, const char *path, char **out, wc_error **err);
/* What `path` leads to, links followed inside; `inside` as above, may be NULL. */
int32_t wci_rootfs_info(const wci_rootfs *rootfs, const char *path, char **inside, wci_file_info *out,
                        wc_error **err);
/* A regular file of at most `max` bytes: WC_E_LIMIT, WC_E_NOT_FOUND, WC_E_FORMAT for other kinds. */
int32_t wci_rootfs_read(const wci_rootfs *rootfs, const char *path, size_t max, wc_buf **out,
                        wc_error **err);

#endif
