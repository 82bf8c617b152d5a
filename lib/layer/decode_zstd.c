/* SPDX-License-Identifier: Apache-2.0 */
/* Zstandard. zstd:chunked is read as what it also is, plain zstd; its tables, which lie in skippable frames at
 * the end, are kept for whoever wants to compare them with the stream. */
#include <zstd.h>
#include <zstd_errors.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/codec.h"

enum {
    MAX_WINDOW_LOG = 27,
    MAGIC_SIZE = 4,
};

typedef enum frame_kind {
    FRAME_UNKNOWN, /* its first bytes have not all come */
    FRAME_CONTENT,
    FRAME_SKIPPED,
} frame_kind;

typedef struct zstd_state {
    ZSTD_DCtx *z;
    frame_kind kind;
    unsigned char head[WCI_ZSTD_SKIPPABLE_HEAD];
    size_t head_size;
    size_t head_fed;    /* to the decompressor */
    uint64_t at;        /* in the stream */
    uint64_t skip_left; /* of a skippable frame */
    wci_zstd_tail tail;
} zstd_state;

static int32_t zstd_open(void **state, wc_error **err)
{
    zstd_state *s = wci_calloc(1, sizeof *s);
    if (!s)
        return wci_err_nomem(err);
    s->z = ZSTD_createDCtx();
    if (!s->z) {
        wci_free(s);
        return wci_err_nomem(err);
    }
    ZSTD_DCtx_setParameter(s->z, ZSTD_d_windowLogMax, MAX_WINDOW_LOG);
    *state = s;
    return WC_OK;
}

static void zstd_begin(void *state)
{
    zstd_state *s = state;
    ZSTD_DCtx_reset(s->z, ZSTD_reset_session_only);
    s->kind = FRAME_UNKNOWN;
    s->head_size = s->head_fed = 0;
}

static int32_t zstd_error(size_t rc, wc_error **err)
{
    ZSTD_ErrorCode code = ZSTD_getErrorCode(rc);
    if (code == ZSTD_error_memory_allocation)
        return wci_err_nomem(err);
    if (code == ZSTD_error_frameParameter_windowTooLarge)
        return wci_err_native(err, WC_E_LIMIT, WC_DOMAIN_ZSTD, code,
                              "zstd stream: wants a window of more than %d MiB",
                              1 << (MAX_WINDOW_LOG - 20));
    return wci_err_native(err, WC_E_FORMAT, WC_DOMAIN_ZSTD, code, "zstd stream: damaged: %s",
                          ZSTD_getErrorName(rc));
}

static void take_input(zstd_state *s, wci_codec_io *io, size_t size)
{
    io->in += size;
    io->in_size -= size;
    s->at += size;
}

/* Gathers the first bytes until they tell what kind of frame it is. */
static void take_head(zstd_state *s, wci_codec_io *io)
{
    while (s->kind == FRAME_UNKNOWN && io->in_size) {
        s->head[s->head_size++] = io->in[0];
        take_input(s, io, 1);
        if (s->head_size == MAGIC_SIZE && !wci_zstd_is_skippable(s->head)) {
            s->kind = FRAME_CONTENT;
            wci_zstd_tail_clear(&s->tail);
        } else if (s->head_size == WCI_ZSTD_SKIPPABLE_HEAD) {
            s->kind = FRAME_SKIPPED;
            s->skip_left = wci_zstd_skippable_size(s->head);
            wci_zstd_tail_begin(&s->tail, s->at, s->skip_left);
        }
    }
}

static void skip_some(zstd_state *s, wci_codec_io *io, int *ended)
{
    size_t size = io->in_size < s->skip_left ? io->in_size : (size_t)s->skip_left;
    wci_zstd_tail_add(&s->tail, io->in, size);
    take_input(s, io, size);
    s->skip_left -= size;
    *ended = s->skip_left == 0;
}

static int32_t feed(zstd_state *s, ZSTD_inBuffer *in, ZSTD_outBuffer *out, int *ended, wc_error **err)
{
    size_t rc = ZSTD_decompressStream(s->z, out, in);
    if (ZSTD_isError(rc))
        return zstd_error(rc, err);
    *ended = rc == 0;
    return WC_OK;
}

static int32_t decode_some(zstd_state *s, wci_codec_io *io, int *ended, wc_error **err)
{
    ZSTD_inBuffer head = {s->head, s->head_size, s->head_fed};
    ZSTD_inBuffer in = {io->in, io->in_size, 0};
    ZSTD_outBuffer out = {io->out, io->out_size, 0};
    int32_t rc = WC_OK;
    if (head.pos < head.size)
        rc = feed(s, &head, &out, ended, err);
    s->head_fed = head.pos;
    if (!rc && head.pos == head.size)
        rc = feed(s, &in, &out, ended, err);
    if (rc)
        return rc;
    take_input(s, io, in.pos);
    io->out += out.pos;
    io->out_size -= out.pos;
    s->tail.content_frames += *ended != 0;
    return WC_OK;
}

static int32_t zstd_step(void *state, wci_codec_io *io, int *ended, wc_error **err)
{
    zstd_state *s = state;
    take_head(s, io);
    if (s->kind == FRAME_CONTENT)
        return decode_some(s, io, ended, err);
    if (s->kind == FRAME_SKIPPED)
        skip_some(s, io, ended);
    return WC_OK;
}

static void zstd_close(void *state)
{
    zstd_state *s = state;
    wci_zstd_tail_clear(&s->tail);
    ZSTD_freeDCtx(s->z);
    wci_free(s);
}

const wci_zstd_tail *wci_zstd_tail_of(const void *state)
{
    return &((const zstd_state *)state)->tail;
}

const wci_codec_ops wci_codec_zstd = {"zstd", zstd_open, zstd_begin, zstd_step, zstd_close};
