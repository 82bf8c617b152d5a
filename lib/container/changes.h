/* SPDX-License-Identifier: Apache-2.0 */
/* What a container has changed of its image's files. */
#ifndef WCI_CTR_CHANGES_H
#define WCI_CTR_CHANGES_H

#include "container/container.h"
#include "image/edit.h"

/* [{"Path", "Kind"}] as Docker's API has it: 0 changed, 1 added, 2 deleted. */
int32_t wci_ctr_diff(wc_call *call, wc_container *c, wc_buf **out, wc_error **err);
/* The whole file system as a tar, to a file, or where path is NULL to a descriptor. */
int32_t wci_ctr_export(wc_call *call, wc_container *c, const char *path, wci_fd fd, wc_error **err);
/* An edit of the container's image that has its changes as one more layer. */
int32_t wci_ctr_edit(wc_call *call, wc_container *c, wci_edit *out, wc_error **err);

#endif
