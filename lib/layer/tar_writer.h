/* SPDX-License-Identifier: Apache-2.0 */
/* Writing pax tars: ustar headers, with pax records only where ustar has no room. */
#ifndef WCI_LAYER_TAR_WRITER_H
#define WCI_LAYER_TAR_WRITER_H

#include "layer/tar_header.h"

typedef struct wci_tar_writer {
    wci_sink sink;
    wci_str records; /* of the present entry */
} wci_tar_writer;

/* Header of an entry; entry->data_size bytes are to follow by wci_tar_writer_data(). */
int32_t wci_tar_writer_entry(wci_tar_writer *w, const wci_tar_entry *entry, wc_error **err);
/* Of a sparse file of entry->size bytes, of which only those of the regions follow: the form 1.0 of GNU tar. *stored
 * is what is to be filled up at the end. */
int32_t wci_tar_writer_sparse(wci_tar_writer *w, const wci_tar_entry *entry, const wci_sparse_region *regions,
                              size_t count, uint64_t *stored, wc_error **err);
int32_t wci_tar_writer_data(wci_tar_writer *w, const void *data, size_t size, wc_error **err);
/* Fills the last block of `size` bytes of content. */
int32_t wci_tar_writer_pad(wci_tar_writer *w, uint64_t size, wc_error **err);
/* The two blocks of zeros. */
int32_t wci_tar_writer_end(wci_tar_writer *w, wc_error **err);
void wci_tar_writer_free(wci_tar_writer *w);

#endif
