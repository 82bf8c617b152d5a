/* SPDX-License-Identifier: Apache-2.0 */
/* A layer as a plain tree for somebody to look at and change, and the tar that it then gives. */
#ifndef WCI_LAYER_PLAIN_H
#define WCI_LAYER_PLAIN_H

#include "layer/layer.h"
#include "layer/listing.h"

/* Makes what the layer's tar names in the new directory `fs`, each entry as what it is: whiteouts and opaque marks are
 * empty files of their names. Left out are devices and pipes, and hard links to what is not in the layer. Without root
 * everything can be read and written by its owner. WC_E_DIGEST when it is not the layer `diff_id`. */
int32_t wci_plain_make(const wci_source *compressed, wci_codec codec, const wci_digest *diff_id, const char *fs,
                       const wci_limits *limits, wci_strv *skipped, wc_error **err);

/* What a changed layer is made from. */
typedef struct wci_plain_layer {
    wci_fd root;      /* of the tree */
    wci_fd records;   /* what wci_layer_split() wrote */
    const char *what; /* names the records in errors */
    int windows;      /* a layer of a Windows image */
    int64_t latest_sec; /* later times of what has changed become this one; negative: they stay */
    wci_survey *survey;
} wci_plain_layer;

/* Writes the layer's tar with what has changed in the tree. What has not is byte for byte as it was; changed files keep
 * what their headers say besides content, size and times; what is new comes at the end, sorted. */
int32_t wci_plain_pack(wc_call *call, const wci_plain_layer *layer, const wci_sink *to, wc_error **err);

#endif
