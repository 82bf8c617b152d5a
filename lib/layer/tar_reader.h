/* SPDX-License-Identifier: Apache-2.0 */
/* A strict pull parser for tar: v7, ustar, pax, GNU long names, big numbers and all sparse forms.
 * Payload is lent out of one buffer, and the whole stream, padding and trailer included, is hashed
 * and counted on its way. */
#ifndef WCI_LAYER_TAR_READER_H
#define WCI_LAYER_TAR_READER_H

#include "core/digest.h"
#include "layer/ledger.h"
#include "layer/tar_header.h"

typedef struct wci_tar_input {
    wci_source source; /* the decoded stream */
    const wci_limits *limits;
    const _Atomic int *stop;    /* may be NULL */
    wci_hasher *hasher;         /* may be NULL */
    const uint64_t *compressed; /* bytes taken so far, for the ratio; may be NULL */
    wci_ledger *ledger;         /* may be NULL */
    /* Leaves bytes of the source out, for files; may be NULL. Not together with a ledger. */
    int32_t (*skip)(void *self, uint64_t size, wc_error **err);
} wci_tar_input;

typedef struct wci_tar_reader wci_tar_reader;

int32_t wci_tar_reader_new(const wci_tar_input *input, wci_tar_reader **out, wc_error **err);
void wci_tar_reader_free(wci_tar_reader *r);
/* The next entry, lent until the next call; NULL at the end, when the stream has been read to its
 * last byte. Payload not read is skipped. */
int32_t wci_tar_reader_next(wci_tar_reader *r, const wci_tar_entry **entry, wc_error **err);
/* A piece of the payload, lent until the next call, and its place in the file; *size 0 when there
 * is no more. What lies between pieces of a sparse file is zero. */
int32_t wci_tar_reader_data(wci_tar_reader *r, const void **data, size_t *size, uint64_t *offset,
                            wc_error **err);
/* Where the headers of the present entry begin in the stream, which is where the entry before it ends; after the last
 * one, where the end of the archive begins. */
uint64_t wci_tar_reader_header_offset(const wci_tar_reader *r);
/* Where the payload of the present entry begins in the stream. */
uint64_t wci_tar_reader_data_offset(const wci_tar_reader *r);
/* Where the pieces of the present entry lie, when it is a sparse file. */
const wci_sparse_region *wci_tar_reader_regions(const wci_tar_reader *r, size_t *count);
uint64_t wci_tar_reader_bytes(const wci_tar_reader *r);
uint64_t wci_tar_reader_entries(const wci_tar_reader *r);

#endif
