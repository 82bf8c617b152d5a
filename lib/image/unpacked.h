/* SPDX-License-Identifier: Apache-2.0 */
/* An image as a directory of its layers' trees, for somebody to look at, change and carry away. docs/layers.md tells what
 * is in it. */
#ifndef WCI_IMAGE_UNPACKED_H
#define WCI_IMAGE_UNPACKED_H

#include <wincontainer/memory.h>

#include "core/call.h"
#include "image/transfer.h"
#include "store/store.h"

#define WCI_UNPACKED_FILE "unpacked.json"
#define WCI_UNPACKED_FORMAT "wincontainer unpacked image"
#define WCI_UNPACKED_MANIFEST "manifest.json"
#define WCI_UNPACKED_CONFIG "config.json"
#define WCI_UNPACKED_LAYERS "layers" /* directories "1", "2" …, the lowest first, and in each: */
#define WCI_UNPACKED_TREE "fs"
#define WCI_UNPACKED_SPLIT "split"     /* layer/split.h */
#define WCI_UNPACKED_LISTING "listing" /* layer/listing.h */

/* Digest of an open file, from its beginning; its position stays. */
int32_t wci_unpacked_digest(wc_call *call, wci_fd file, wci_digest *out, wc_error **err);

/* Makes the directory, which must not be there yet, or be empty. It is there once it is whole. */
int32_t wci_image_unpack(wc_call *call, wci_store *store, const wci_image_record *image, const char *path,
                         const wci_transfer *transfer, wc_error **err);
/* Makes an image of such a directory. `name` may be NULL. *changes (may be NULL): as include/wincontainer/image.h
 * tells. */
int32_t wci_image_pack(wc_call *call, wci_store *store, const char *path, const char *name, wci_image_record **out,
                       wc_buf **changes, wc_error **err);

#endif
