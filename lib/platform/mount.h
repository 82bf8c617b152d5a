/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts of directories that are merged. */
#ifndef WCI_PLATFORM_MOUNT_H
#define WCI_PLATFORM_MOUNT_H

#include "core/str.h"
#include "platform/file.h"

typedef struct wci_overlay {
    const wci_fd *lower; /* directories, the highest first */
    size_t count;
    wci_fd upper, work;  /* WCI_FD_NONE: it is read-only, without devices and set-id programs */
    int is_passing;      /* what is written need not reach the disk */
    const char *source;  /* what the table of mounts calls it */
    const char *target;
    const char *store;   /* where the directories are, for errors */
} wci_overlay;

/* Mounts one. WC_E_MISSING (no overlayfs), WC_E_UNSUPPORTED (the file system), WC_E_PERMISSION, WC_E_LIMIT. */
int32_t wci_overlay_mount(const wci_overlay *overlay, wc_error **err);
/* The same read-only from paths, the lowest first; `empty` is a directory for empty ones, which have to stay there. */
int32_t wci_overlay_mount_paths(const wci_strv *layers, const char *empty, const char *source, const char *target,
                                const char *store, wc_error **err);
/* EPERM and EACCES in spite of the capability, which was checked before. */
int wci_mount_is_forbidden(int why);
int32_t wci_mount_forbidden(int why, const char *what, wc_error **err);

/* Where what the table of mounts calls so is mounted; owned, *out NULL: nowhere. *is_covered: something else is mounted
 * over it. */
int32_t wci_mount_find(const char *source, char **out, int *is_covered, wc_error **err);
/* WC_E_IN_USE. */
int32_t wci_mount_remove(const char *path, wc_error **err);
/* Which table of mounts this process sees: of which boot, and "boot table"; owned. */
int32_t wci_mount_scope(char **boot, char **table, wc_error **err);

#endif
