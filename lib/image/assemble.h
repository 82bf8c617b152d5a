/* SPDX-License-Identifier: Apache-2.0 */
/* Indexes made of images of the store. */
#ifndef WCI_IMAGE_ASSEMBLE_H
#define WCI_IMAGE_ASSEMBLE_H

#include "core/call.h"
#include "image/transfer.h"
#include "store/store.h"

/* Makes an index of the images, in their order, and gives it the name. With `amend` what the name leads to stays in
 * it, but for platforms that are among the images. The name stands for the image of this host, or the first.
 * WC_E_INVALID for two of one platform. */
int32_t wci_index_create(wc_call *call, wci_store *store, const char *name, const char *const *images, size_t count,
                         int amend, const wci_transfer *transfer, wc_error **err);
/* Gives another name to the index that an image's name leads to, or to a part of it. */
int32_t wci_index_tag(wc_call *call, wci_store *store, const wci_image_record *image, const char *had,
                      const char *name, const wci_transfer *transfer, wc_error **err);

#endif
