/* SPDX-License-Identifier: Apache-2.0 */
/* Root file systems out of the store, as plain tars. */
#ifndef WCI_IMAGE_EXPORT_H
#define WCI_IMAGE_EXPORT_H

#include "image/edit.h"

/* The file system that the edit's image would have. A file is written beside its place and renamed when whole. */
int32_t wci_export_to_file(wc_call *call, wci_store *store, const wci_edit *edit, const char *path, wc_error **err);
/* The descriptor is lent. WC_E_CLOSED when nobody reads. */
int32_t wci_export_to_fd(wc_call *call, wci_store *store, const wci_edit *edit, wci_fd fd, wc_error **err);

/* That of an image, to a file, or where path is NULL to a descriptor. */
int32_t wci_image_export(wc_call *call, wci_store *store, const wci_image_record *record, const char *path, wci_fd fd,
                         wc_error **err);

#endif
