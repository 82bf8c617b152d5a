/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a layout or archive, by name: a directory or a tar. */
#ifndef WCI_IMAGE_MEMBERS_H
#define WCI_IMAGE_MEMBERS_H

#include "image/origin.h"
#include "layer/layer.h"

typedef struct wci_members {
    wci_fd dir;           /* of a directory, or WCI_FD_NONE */
    wci_fd archive;       /* the tar, or WCI_FD_NONE */
    wci_tar_index *index; /* of the tar */
} wci_members;

#define WCI_MEMBERS_NONE {WCI_FD_NONE, WCI_FD_NONE, NULL}

int32_t wci_members_open_dir(const char *path, wci_members *out, wc_error **err);
/* Takes the descriptor over, also on failure. */
int32_t wci_members_open_tar(wc_call *call, wci_fd archive, wci_members *out, wc_error **err);
/* "blobs/sha256/…". In a directory no symbolic link is followed. WC_E_NOT_FOUND. */
int32_t wci_members_find(const wci_members *members, const char *name, wci_extent *out,
                         wc_error **err);
int32_t wci_members_read(const wci_members *members, const char *name, size_t max, wc_buf **out,
                         wc_error **err);
void wci_members_close(wci_members *members);

#endif
