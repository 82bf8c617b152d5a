/* SPDX-License-Identifier: Apache-2.0 */
/* A zstd:chunked layer of which only a part was brought: its tables, and the frames of those contents that are not
 * to be had elsewhere. Tables and contents give its tar; that it is the right one, the DiffID tells, so that
 * nothing here need be believed. */
#ifndef WCI_LAYER_PARTS_H
#define WCI_LAYER_PARTS_H

#include "layer/contents.h"
#include "layer/layer.h"
#include "layer/zstd_tail.h"

/* The content of one file of the layer. */
typedef struct wci_part_content {
    wci_content_key key;
    uint64_t size;
    uint64_t offset, end; /* of its frames in the blob */
    const char *tree;     /* `fs` of the tree that has it, lent; NULL: it comes from the frames */
    char *name;           /* there */
} wci_part_content;

typedef struct wci_layer_parts {
    wci_zstd_tail tables;
    uint64_t tables_at;      /* where they begin in the blob */
    uint64_t tables_size;
    wci_part_content *items; /* in the order of the tar, and of the blob */
    size_t count, cap;
} wci_layer_parts;

/* From the end of a blob, `at` and behind: `table` is the digest of its table of contents. WC_E_FORMAT for tables
 * that are not whole, that lead out of the blob, or whose frames overlap; WC_E_LIMIT. */
int32_t wci_layer_parts_read(const wc_call *call, const void *end, size_t size, uint64_t at, const char *table,
                             wci_layer_parts *out, wc_error **err);
void wci_layer_parts_free(wci_layer_parts *parts);

/* The tar, made of all these. `frames` has the wanted bytes of the blob at their places. */
typedef struct wci_rebuild wci_rebuild;
int32_t wci_rebuild_new(const wci_layer_parts *parts, wci_fd frames, const _Atomic int *stop, wci_rebuild **out,
                        wc_error **err);
/* The read() of a source. WC_E_FORMAT when tables and frames do not fit together. */
int32_t wci_rebuild_read(void *rebuild, void *data, size_t size, size_t *got, wc_error **err);
/* What of the blob it has come to, as far as the tables say. */
const uint64_t *wci_rebuild_consumed(const wci_rebuild *r);
void wci_rebuild_free(wci_rebuild *r); /* NULL accepted */

/* As wci_layer_unpack(). */
int32_t wci_layer_unpack_parts(const wci_layer_parts *parts, wci_fd frames, const wci_digest *diff_id,
                               const char *dir, const wci_limits *limits, const _Atomic int *stop,
                               wci_unpack_stats *stats, wc_error **err);
/* Then: writes dir/split (layer/split.h), since there is no blob from which it could be made later. */
int32_t wci_layer_split_parts(const wci_layer_parts *parts, wci_fd frames, const wci_digest *diff_id,
                              const char *dir, const _Atomic int *stop, wc_error **err);

#endif
