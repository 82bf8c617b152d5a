/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a table that a zstd tail holds. */
#ifndef WCI_LAYER_CHUNKED_TABLE_H
#define WCI_LAYER_CHUNKED_TABLE_H

#include "layer/layer.h"
#include "layer/zstd_tail.h"

typedef struct wci_table_source wci_table_source;

/* The tar-split to which the footer leads. The tail must outlive it. */
int32_t wci_table_open_split(const wci_zstd_tail *tail, wci_table_source **out, wc_error **err);
/* The read() of a source. */
int32_t wci_table_read(void *table, void *data, size_t size, size_t *got, wc_error **err);
void wci_table_close(wci_table_source *s); /* NULL accepted */

#endif
