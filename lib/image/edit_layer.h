/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCI_IMAGE_EDIT_LAYER_H
#define WCI_IMAGE_EDIT_LAYER_H

#include "image/edit.h"

typedef struct wci_new_layer {
    wci_digest digest, diff_id;
    uint64_t size; /* of the blob */
} wci_new_layer;

/* Writes the layer's blob into the directory `blobs` (of an OCI layout) under its digest. */
int32_t wci_edit_layer_write(wc_call *call, const wci_edit_layer *layer, wci_codec codec, int64_t latest_sec,
                             const char *blobs, wci_new_layer *out, wc_error **err);

#endif
