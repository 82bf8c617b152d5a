/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCI_IMAGE_CHECK_H
#define WCI_IMAGE_CHECK_H

#include "store/store.h"

/* Everything that wci_store_check() does; then compares the trees of every image with what its blobs
 * unpack to. One line per finding. With `repair` a damaged or missing tree is made again, unless a
 * container runs on it. */
int32_t wci_images_check(wc_call *call, wci_store *store, int repair, wci_strv *findings,
                         wc_error **err);

#endif
