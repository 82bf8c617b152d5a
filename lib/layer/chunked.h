/* SPDX-License-Identifier: Apache-2.0 */
/* zstd:chunked: a zstd stream of a tar with tables behind it that tell what is where in it, so that others can
 * fetch single files. We read the stream, and refuse a layer whose tables say something else: it would be
 * another image to those who believe them. */
#ifndef WCI_LAYER_CHUNKED_H
#define WCI_LAYER_CHUNKED_H

#include "layer/ledger.h"
#include "layer/zstd_tail.h"

/* Compares the tables in the tail, as far as there are some, with what the ledger noted of the whole stream.
 * *table is then the digest of the table of contents as it is stored, which annotations name, or empty.
 * WC_E_FORMAT, WC_E_LIMIT. */
int32_t wci_chunked_check(const wci_zstd_tail *tail, wci_ledger *ledger, wci_digest *table,
                          wc_error **err);

/* The two tables, from their decoded text. */

/* The table of contents (JSON): gives each entry that is not just a piece of a file to the ledger. *tar_split is
 * the digest that it names of the other table, or empty. */
int32_t wci_chunked_read_contents(const wci_source *text, wci_ledger *ledger, wci_digest *tar_split,
                                  wc_error **err);
/* The tar-split (lines of JSON): must describe that skeleton. */
int32_t wci_chunked_read_split(const wci_source *text, const wci_skeleton_sum *wanted, wc_error **err);

#endif
