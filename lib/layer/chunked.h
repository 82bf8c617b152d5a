/* SPDX-License-Identifier: Apache-2.0 */
/* zstd:chunked: a zstd stream of a tar with tables behind it that tell what is where in it, so that single files
 * can be fetched. Where we read the stream, we refuse a layer whose tables say something else: it would be another
 * image to those who believe them. Where we fetch single files (layer/parts.h), they are all there is, and the
 * DiffID decides. */
#ifndef WCI_LAYER_CHUNKED_H
#define WCI_LAYER_CHUNKED_H

#include "layer/ledger.h"
#include "layer/zstd_tail.h"

/* A file with content, as the table of contents lists it. */
typedef struct wci_chunked_file {
    const char *name;
    const char *digest;
    uint64_t size;
    uint64_t offset, end; /* of its frames in the stream; both 0: it does not say */
} wci_chunked_file;

/* Gets each such file, in the order of the tar. */
typedef struct wci_chunked_taker {
    int32_t (*take)(void *self, const wci_chunked_file *file, wc_error **err);
    void *self;
} wci_chunked_taker;

/* Compares the tables in the tail, as far as there are some, with what the ledger noted of the whole stream, and
 * gives the files on the way, which count only once this has succeeded. *table is then the digest of the table of
 * contents as it is stored, which annotations name, or empty. WC_E_FORMAT, WC_E_LIMIT. */
int32_t wci_chunked_check(const wci_zstd_tail *tail, wci_ledger *ledger, const wci_chunked_taker *taker,
                          wci_digest *table, wc_error **err);
/* The files, by the tables alone: the table of contents must have the digest `table`, and name the tar-split.
 * WC_E_FORMAT, also when something is not there. */
int32_t wci_chunked_list(const wci_zstd_tail *tail, const char *table, const wci_chunked_taker *taker, wc_error **err);

/* ---- The table of contents, from its decoded text (JSON) --------------------------------------- */

/* Gives each entry that is not just a piece of a file to the ledger, those with content to the taker; both may be
 * NULL. *tar_split is the digest that it names of the other table, or empty. */
int32_t wci_chunked_read_contents(const wci_source *text, wci_ledger *ledger, const wci_chunked_taker *taker,
                                  wci_digest *tar_split, wc_error **err);

/* ---- The tar-split (lines of JSON) ------------------------------------------------------------- */

/* The next thing in the tar: bytes of its own, or the content of a file. */
typedef struct wci_split_item {
    const char *bytes; /* lent until the next one; NULL: */
    const char *name;  /* … of the file */
    uint64_t size;     /* never 0 */
} wci_split_item;

typedef struct wci_split_reader wci_split_reader;
/* From its decoded text. */
int32_t wci_split_reader_new(const wci_source *text, wci_split_reader **out, wc_error **err);
/* The stored table of a tail, which must outlive it. */
int32_t wci_split_reader_open(const wci_zstd_tail *tail, wci_split_reader **out, wc_error **err);
/* *more 0: that was all. */
int32_t wci_split_reader_next(wci_split_reader *r, wci_split_item *item, int *more, wc_error **err);
void wci_split_reader_free(wci_split_reader *r); /* NULL accepted */

/* Must describe that skeleton. */
int32_t wci_chunked_read_split(const wci_source *text, const wci_skeleton_sum *wanted, wc_error **err);

#endif
