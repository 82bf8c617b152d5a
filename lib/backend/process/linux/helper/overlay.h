/* SPDX-License-Identifier: Apache-2.0 */
/* The root file system of a container: its layers and its own directory, merged by overlayfs. */
#ifndef WC_HELPER_OVERLAY_H
#define WC_HELPER_OVERLAY_H

#include "backend/process/linux/helper/helper.h"

/* Gives us a mount namespace of our own. What the host mounts later still arrives in it; what is
 * mounted in the run directory stays in it. */
int32_t overlay_enter(const char *run_dir, wc_error **err);
/* The same for another directory, in that namespace. */
int32_t overlay_keep_from_host(const char *dir, wc_error **err);
/* Mounts run_dir/rootfs. Only one mount may exist at a time: hold run_dir/mount.lock. */
int32_t overlay_mount(const request *req, wc_error **err);
void overlay_unmount(const request *req);

#endif
