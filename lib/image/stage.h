/* SPDX-License-Identifier: Apache-2.0 */
/* Blobs on their way from an origin to an outlet: opened where they lie, or fetched first, straight to their place
 * where the outlet has one. */
#ifndef WCI_IMAGE_STAGE_H
#define WCI_IMAGE_STAGE_H

#include "image/outlet.h"

/* Two ends, and what has passed between them. */
typedef struct wci_ferry {
    wc_call *call;
    wci_store *store;
    wci_origin *origin;
    wci_outlet *outlet;
    wci_hold *hold; /* what is taken from the store stays there meanwhile; or NULL */
} wci_ferry;

/* Some blobs, for as long as they are needed. Those that the outlet has already are not among them. */
typedef struct wci_stage {
    const wci_ferry *ferry;
    const wci_descriptor **blobs;
    size_t count;
    struct wci_staged *staged; /* NULL: they are opened where they lie */
    wci_blob_source source;
} wci_stage;

/* Room for staging without a place of the outlet's is scratch space: see wci_ferry_blobs(). */
int32_t wci_stage_open(wci_stage *stage, const wci_ferry *ferry, const wci_descriptor *const *blobs, size_t count,
                       wc_error **err);
void wci_stage_close(wci_stage *stage);

/* Brings all blobs over that the outlet has not, no more at a time than what fits the scratch space for them. */
int32_t wci_ferry_blobs(const wci_ferry *ferry, const wci_descriptor *const *blobs, size_t count, wc_error **err);

#endif
