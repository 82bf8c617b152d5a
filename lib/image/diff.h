/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCI_IMAGE_DIFF_H
#define WCI_IMAGE_DIFF_H

#include <wincontainer/memory.h>

#include "core/call.h"
#include "store/store.h"

/* What the file systems of two images have of each other not, as include/wincontainer/image.h tells. */
int32_t wci_image_diff(wc_call *call, wci_store *store, const wci_image_record *from, const wci_image_record *to,
                       wc_buf **out, wc_error **err);

#endif
