/* SPDX-License-Identifier: Apache-2.0 */
/* A file that a user names, which has its place once it is whole. */
#ifndef WCI_IMAGE_PART_FILE_H
#define WCI_IMAGE_PART_FILE_H

#include "platform/file.h"

typedef struct wci_part_file {
    wci_fd fd;
    char *path; /* where it goes: links are followed */
    char *part; /* the name that it has meanwhile, if any */
} wci_part_file;

#define WCI_PART_FILE_NONE {WCI_FD_NONE, NULL, NULL}

/* WC_E_INVALID for what is there and no regular file. */
int32_t wci_part_file_open(const char *path, wci_part_file *out, wc_error **err);
int32_t wci_part_file_finish(wci_part_file *file, wc_error **err);
/* Removes what was not finished. */
void wci_part_file_close(wci_part_file *file);

#endif
