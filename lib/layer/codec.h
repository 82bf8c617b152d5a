/* SPDX-License-Identifier: Apache-2.0 */
/* One decompressor behind the decoder of layer.h: works on one gzip member or zstd frame at a
 * time; the decoder joins them. */
#ifndef WCI_LAYER_CODEC_H
#define WCI_LAYER_CODEC_H

#include "layer/layer.h"
#include "layer/zstd_tail.h"

/* Input and output of one step; the step moves the pointers on. */
typedef struct wci_codec_io {
    const unsigned char *in;
    size_t in_size;
    unsigned char *out;
    size_t out_size;
} wci_codec_io;

typedef struct wci_codec_ops {
    const char *format; /* for errors: "gzip" */
    int32_t (*open)(void **state, wc_error **err);
    /* Before each member. */
    void (*begin)(void *state);
    /* Decodes until the input is used up, the output is full, or the member has ended. */
    int32_t (*step)(void *state, wci_codec_io *io, int *ended, wc_error **err);
    void (*close)(void *state);
} wci_codec_ops;

extern const wci_codec_ops wci_codec_zlib;
extern const wci_codec_ops wci_codec_zstd;
const wci_zstd_tail *wci_zstd_tail_of(const void *zstd_state);
/* NULL in builds without ISA-L. */
extern const wci_codec_ops *const wci_codec_isal;

/* As wci_decoder_new() with the given decompressor, NULL for none. */
int32_t wci_decoder_new_with(const wci_codec_ops *ops, const wci_source *from, wci_decoder **out,
                             wc_error **err);
/* Where the decoder counts the compressed bytes it has taken. */
const uint64_t *wci_decoder_consumed(const wci_decoder *d);
/* Where the decoder keeps the tail of a zstd stream; NULL for other codecs. */
const wci_zstd_tail *wci_decoder_tail(const wci_decoder *d);

#endif
