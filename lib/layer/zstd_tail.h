/* SPDX-License-Identifier: Apache-2.0 */
/* The skippable frames behind the last frame of content in a zstd stream: where zstd:chunked keeps its tables. */
#ifndef WCI_LAYER_ZSTD_TAIL_H
#define WCI_LAYER_ZSTD_TAIL_H

#include <wincontainer/error.h>

#include "core/str.h"

enum {
    WCI_TAIL_FRAMES = 3,              /* table of contents, tar-split, footer */
    WCI_TAIL_MAX = 160 * 1024 * 1024, /* bytes kept of all of them */
};

typedef struct wci_tail_frame {
    uint64_t offset; /* of its payload in the stream */
    uint64_t size;
    wci_str data;     /* complete once the frame has ended, or empty when it is too large */
    int is_too_large; /* or there was no memory for it */
} wci_tail_frame;

typedef struct wci_zstd_tail {
    wci_tail_frame frames[WCI_TAIL_FRAMES]; /* the last ones there were */
    size_t count;
    uint64_t content_frames; /* that have ended */
} wci_zstd_tail;

/* Frames of content came: what stood before them is no tail. */
void wci_zstd_tail_clear(wci_zstd_tail *tail);
/* A skippable frame begins; its payload comes in pieces. */
void wci_zstd_tail_begin(wci_zstd_tail *tail, uint64_t offset, uint64_t size);
void wci_zstd_tail_add(wci_zstd_tail *tail, const void *data, size_t size);

/* All of it at once: the end of a stream, from `offset` on. WC_E_FORMAT when it is not whole skippable frames. */
int32_t wci_zstd_tail_read(wci_zstd_tail *tail, const void *data, size_t size, uint64_t offset, wc_error **err);

/* What the first bytes of a frame say; of the size of one that can be skipped. */
enum { WCI_ZSTD_SKIPPABLE_HEAD = 8 }; /* magic and size */
int wci_zstd_is_skippable(const unsigned char *head);
uint32_t wci_zstd_skippable_size(const unsigned char *head);

#endif
