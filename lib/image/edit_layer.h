/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCI_IMAGE_EDIT_LAYER_H
#define WCI_IMAGE_EDIT_LAYER_H

#include "image/edit.h"

typedef struct wci_new_layer {
    wci_digest digest, diff_id;
    uint64_t size; /* of the blob */
} wci_new_layer;

/* Gives the plain bytes of a layer to the sink. */
typedef struct wci_layer_fill {
    int32_t (*fill)(void *self, wc_call *call, const wci_sink *to, wc_error **err);
    void *self;
} wci_layer_fill;

/* Writes the layer's blob into the directory `blobs` (of an OCI layout) under its digest. */
int32_t wci_edit_layer_fill(wc_call *call, const wci_layer_fill *from, wci_codec codec, const char *blobs,
                            wci_new_layer *out, wc_error **err);
/* The same from a directory or tar. */
int32_t wci_edit_layer_write(wc_call *call, const wci_edit_layer *layer, wci_codec codec, int64_t latest_sec,
                             const char *blobs, wci_new_layer *out, wc_error **err);
/* Hands the decoded bytes of an open file on, whatever its codec; at most what a layer may have. */
int32_t wci_edit_layer_decode(wci_fd file, const wci_sink *to, wc_error **err);

#endif
