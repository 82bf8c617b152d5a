/* SPDX-License-Identifier: Apache-2.0 */
/* Images mounted on the host, where somebody wants that: the only mounts of ours that the host sees. */
#ifndef WCI_CONTAINER_IMAGE_MOUNT_H
#define WCI_CONTAINER_IMAGE_MOUNT_H

#include "core/call.h"
#include "store/store.h"

int32_t wci_image_mount(wc_call *call, wci_store *store, const wci_image_record *image, const char *path,
                        wc_error **err);
/* `force`: also forgets one that is in another table of mounts. */
int32_t wci_image_unmount(wci_store *store, const char *path, int force, wc_error **err);
/* JSON; forgets those that are gone. */
int32_t wci_image_mounts(wci_store *store, wc_buf **out, wc_error **err);

#endif
