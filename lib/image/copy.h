/* SPDX-License-Identifier: Apache-2.0 */
/* Images out of the store, and between places. */
#ifndef WCI_IMAGE_COPY_H
#define WCI_IMAGE_COPY_H

#include "image/transfer.h"
#include "store/store.h"

/* Writes images of the store, by name or id, to one archive or layout. */
int32_t wci_image_save(wc_call *call, wci_store *store, const char *const *names, size_t count,
                       const char *target, const wci_transfer *transfer, wc_error **err);
/* To a registry. `target` NULL: the name itself. */
int32_t wci_image_push(wc_call *call, wci_store *store, const char *name, const char *target,
                       const wci_transfer *transfer, wc_error **err);
/* One image between two places, of which one may be the store: "wc-store:NAME". */
int32_t wci_image_copy(wc_call *call, wci_store *store, const char *source, const char *target,
                       const wci_transfer *transfer, wc_error **err);

#endif
