/* SPDX-License-Identifier: Apache-2.0 */
/* Writing pax tars: ustar headers, with pax records only where ustar has no room. */
#ifndef WCI_LAYER_TAR_WRITER_H
#define WCI_LAYER_TAR_WRITER_H

#include "layer/tar_header.h"

typedef struct wci_tar_writer {
    wci_sink sink;
    wci_str records; /* of the present entry */
    wci_str more;    /* further pax records, whole ones, for each entry; cleared by whom it belongs to */
} wci_tar_writer;

/* Header of an entry; entry->data_size bytes are to follow by wci_tar_writer_data(). */
int32_t wci_tar_writer_entry(wci_tar_writer *w, const wci_tar_entry *entry, wc_error **err);

/* A sparse file on its way out, in the form 1.0 of GNU tar. */
typedef struct wci_sparse_writer {
    wci_tar_writer *tar;
    wci_sparse_region *regions; /* whole blocks, as GNU tar counts: others see no difference */
    size_t count, region;
    uint64_t at;     /* in the file, up to where it is written */
    uint64_t stored; /* in the archive */
} wci_sparse_writer;
/* Header and map of a file of entry->size bytes, of which only the regions hold something. */
int32_t wci_sparse_begin(wci_sparse_writer *s, wci_tar_writer *tar, const wci_tar_entry *entry,
                         const wci_sparse_region *regions, size_t count, wc_error **err);
/* A piece of one of the regions, in their order. */
int32_t wci_sparse_data(wci_sparse_writer *s, const void *data, size_t size, uint64_t offset, wc_error **err);
/* Zeros where nothing came, and the rest of the last block. */
int32_t wci_sparse_end(wci_sparse_writer *s, wc_error **err);
void wci_sparse_free(wci_sparse_writer *s);

/* Changes the permission bits in a header block. */
int32_t wci_tar_set_mode(unsigned char *block, uint32_t mode, wc_error **err);
/* Appends a pax record: "LENGTH KEY=VALUE\n". */
void wci_pax_add(wci_str *out, const char *key, const void *value, size_t size);
/* The same with a time: "SECONDS.FRACTION". */
void wci_pax_add_time(wci_str *out, const char *key, int64_t sec, int32_t nsec);

int32_t wci_tar_writer_data(wci_tar_writer *w, const void *data, size_t size, wc_error **err);
/* Fills the last block of `size` bytes of content. */
int32_t wci_tar_writer_pad(wci_tar_writer *w, uint64_t size, wc_error **err);
/* The two blocks of zeros. */
int32_t wci_tar_writer_end(wci_tar_writer *w, wc_error **err);
void wci_tar_writer_free(wci_tar_writer *w);

#endif
