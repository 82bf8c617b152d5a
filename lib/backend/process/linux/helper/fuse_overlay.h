/* SPDX-License-Identifier: Apache-2.0 */
/* The overlay of ordinary users where the kernel has none for them: fuse-overlayfs, a program that serves the mount as long
 * as it is there, and ends with the helper that started it. */
#ifndef WC_HELPER_FUSE_OVERLAY_H
#define WC_HELPER_FUSE_OVERLAY_H

#include "backend/process/linux/helper/helper.h"
#include "platform/mount.h"

/* 1: a kernel that refused so may still let this work. */
int fuse_overlay_may_help(int32_t refused);
/* As wci_overlay_mount(), with ids shifted as the maps of a container's user namespace say, if it has one. `why` is why the
 * kernel's was refused, or NULL. WC_E_MISSING without the program. */
int32_t fuse_overlay_mount(const request *req, const wci_overlay *overlay, const wc_error *why, wc_error **err);
/* After it was unmounted: marks what was removed below `upper` as the kernel would, which is what all others read. */
void fuse_overlay_settle(const char *upper);

#endif
