/* SPDX-License-Identifier: Apache-2.0 */
/* User namespaces of containers. The layers and the upper directory keep the ids of the container on disk; they are
 * mounted with these ids shifted to the host's, so that nothing outside of the container has to know of it. */
#ifndef WC_HELPER_USERNS_H
#define WC_HELPER_USERNS_H

#include "backend/process/linux/helper/helper.h"
#include "platform/file.h"

/* From the settings of the container. */
int32_t userns_read(json_t *settings, request *out, wc_error **err);
void userns_free(request *req);
/* 1: the container has one. */
int userns_is_own(const request *req);
/* 1: and mounts have their ids shifted for it, which takes root of the host; fuse-overlayfs does that for users. */
int userns_is_shifted(const request *req);
/* A namespace with the maps of the container, to shift with. */
int32_t userns_open(const request *req, wci_fd *out, wc_error **err);
/* One that the runtime finds as WCI_RUN_USERNS in the run directory. The binding lives in this mount namespace. */
int32_t userns_bind(const request *req, wci_fd *out, wc_error **err);
void userns_unbind(void);
/* Replaces the directory by itself with ids shifted, open for paths. */
int32_t userns_shift(wci_fd ns, wci_fd *dir, wc_error **err);
/* What is created for the container's sake from now on belongs to its root; and back. */
void userns_act_as_root_of(const request *req, int on);
/* Volumes, too, keep on disk the ids that they have in the container; userns_hide_root() takes that away. */
int32_t userns_shift_volumes(const request *req, wc_error **err);
/* Makes the root, which is mounted, reachable by the container's root, who may not pass our directories, at
 * WCI_USERNS_ROOTS/ID; and takes that away. */
int32_t userns_show_root(const request *req, wc_error **err);
void userns_hide_root(const request *req);
/* Gives pipes (-1: none) to the container's root, who else could not open them by their names like /dev/stdout: of the
 * request's own maps, or of the process `pid` in it. */
void userns_give_pipes(const request *req, const int *fds, size_t count);
/* Enters that of a process, as root of it, when it is another one than ours. */
int32_t userns_enter(int64_t pid, wc_error **err);

#endif
