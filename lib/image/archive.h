/* SPDX-License-Identifier: Apache-2.0 */
/* Archive files: opening what may be compressed, and writing tars. */
#ifndef WCI_IMAGE_ARCHIVE_H
#define WCI_IMAGE_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include "core/call.h"
#include "platform/file.h"
#include "store/store.h"

/* A file without a name that goes with its descriptor, for what passes through. */
int32_t wci_archive_scratch(wci_store *store, wci_fd *out, wc_error **err);
/* Opens an archive; one that is compressed as a whole is unpacked into a scratch file first. */
int32_t wci_archive_open(wc_call *call, wci_store *store, const char *path, wci_fd *out,
                         wc_error **err);

/* A tar being written beside its place. */
typedef struct wci_archive_writer wci_archive_writer;
int32_t wci_archive_writer_open(const char *path, wci_archive_writer **out, wc_error **err);
/* A file of exactly `size` bytes, which are then written. */
int32_t wci_archive_writer_begin(wci_archive_writer *tar, const char *name, uint64_t size,
                             wc_error **err);
int32_t wci_archive_writer_write(wci_archive_writer *tar, const void *data, size_t size, wc_error **err);
/* A whole small file. */
int32_t wci_archive_writer_put(wci_archive_writer *tar, const char *name, const void *data, size_t size,
                           wc_error **err);
/* Ends the tar and renames it to its place. */
int32_t wci_archive_writer_finish(wci_archive_writer *tar, wc_error **err);
/* Removes what was not finished. NULL accepted. */
void wci_archive_writer_close(wci_archive_writer *tar);

#endif
