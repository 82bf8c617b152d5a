/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a layer's compressed bytes from the store, also while they are still coming in. */
#ifndef WCI_IMAGE_LAYER_READER_H
#define WCI_IMAGE_LAYER_READER_H

#include "layer/layer.h"
#include "store/store.h"

typedef struct wci_layer_reader {
    wci_ingest *ingest; /* NULL: the blob is complete */
    wci_fd fd;
    uint64_t at;
    _Atomic uint64_t *position; /* `at` for others to see */
} wci_layer_reader;

/* Takes the ingest over (NULL: the blob is in the store), also on failure. */
int32_t wci_layer_reader_open(wci_store *store, const wci_digest *digest, wci_ingest *ingest,
                              _Atomic uint64_t *position, wci_layer_reader *out, wc_error **err);
/* Looks at the first bytes: what a layer is compressed with is told more reliably by them than by
 * its media type. */
int32_t wci_layer_reader_codec(wci_layer_reader *reader, wci_codec *out, wc_error **err);
/* A wci_source. */
int32_t wci_layer_reader_read(void *self, void *data, size_t size, size_t *got, wc_error **err);
void wci_layer_reader_close(wci_layer_reader *reader);

#endif
