/* SPDX-License-Identifier: Apache-2.0 */
/* Images into the store. */
#ifndef WCI_IMAGE_PULL_H
#define WCI_IMAGE_PULL_H

#include "image/origin.h"
#include "image/place.h"
#include "image/transfer.h"
#include "store/store.h"

/* Brings the image of one place in. A registry's reference becomes a name of it. */
int32_t wci_image_pull(wc_call *call, wci_store *store, const wci_place *place,
                       const wci_transfer *transfer, wci_image_record **out, wc_error **err);
/* Brings the origin's first image in, without a name. */
int32_t wci_image_bring(wc_call *call, wci_store *store, wci_origin *origin, const wci_transfer *transfer,
                        wci_image_record **out, wc_error **err);
/* Brings every image of an archive in; its format is found out. */
int32_t wci_image_load(wc_call *call, wci_store *store, const char *path,
                       const wci_transfer *transfer, wci_image_record ***out, size_t *count,
                       wc_error **err);

#endif
