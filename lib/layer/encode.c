/* SPDX-License-Identifier: Apache-2.0 */
#include <zlib.h>
#include <zstd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/layer.h"

enum {
    OUT_SIZE = 256 * 1024,
    GZIP_LEVEL = 6,
    GZIP_WINDOW_BITS = 15 + 16,
    ZSTD_LEVEL = 3,
};

struct wci_encoder {
    wci_codec codec;
    wci_sink to;
    z_stream gzip;
    ZSTD_CCtx *zstd;
    unsigned char *out;
};

static int32_t open_gzip(wci_encoder *e, wc_error **err)
{
    /* The header that zlib writes by itself holds neither name nor time. */
    return deflateInit2(&e->gzip, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW_BITS, 8, Z_DEFAULT_STRATEGY) == Z_OK
               ? WC_OK
               : wci_err_nomem(err);
}

static int32_t open_zstd(wci_encoder *e, wc_error **err)
{
    e->zstd = ZSTD_createCCtx();
    if (!e->zstd)
        return wci_err_nomem(err);
    ZSTD_CCtx_setParameter(e->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
    ZSTD_CCtx_setParameter(e->zstd, ZSTD_c_checksumFlag, 1);
    return WC_OK;
}

int32_t wci_encoder_new(wci_codec codec, const wci_sink *to, wci_encoder **out, wc_error **err)
{
    wci_encoder *e = wci_calloc(1, sizeof *e);
    if (!e)
        return wci_err_nomem(err);
    e->codec = codec;
    e->to = *to;
    e->out = wci_malloc(OUT_SIZE);
    int32_t rc = e->out ? WC_OK : wci_err_nomem(err);
    if (!rc && codec == WCI_CODEC_GZIP)
        rc = open_gzip(e, err);
    if (!rc && codec == WCI_CODEC_ZSTD)
        rc = open_zstd(e, err);
    if (rc)
        wci_encoder_free(e);
    else
        *out = e;
    return rc;
}

void wci_encoder_free(wci_encoder *encoder)
{
    if (!encoder)
        return;
    if (encoder->codec == WCI_CODEC_GZIP && encoder->gzip.state)
        deflateEnd(&encoder->gzip);
    ZSTD_freeCCtx(encoder->zstd);
    wci_free(encoder->out);
    wci_free(encoder);
}

static int32_t gzip_step(wci_encoder *e, const void *data, size_t size, int last, wc_error **err)
{
    e->gzip.next_in = (unsigned char *)(uintptr_t)data;
    e->gzip.avail_in = (uInt)size;
    int result;
    do {
        e->gzip.next_out = e->out;
        e->gzip.avail_out = OUT_SIZE;
        result = deflate(&e->gzip, last ? Z_FINISH : Z_NO_FLUSH);
        if (result == Z_STREAM_ERROR)
            return wci_err(err, WC_E_INTERNAL, "gzip: cannot compress");
        int32_t rc = e->to.write(e->to.self, e->out, OUT_SIZE - e->gzip.avail_out, err);
        if (rc)
            return rc;
    } while (last ? result != Z_STREAM_END : !e->gzip.avail_out);
    return WC_OK;
}

static int32_t zstd_step(wci_encoder *e, const void *data, size_t size, int last, wc_error **err)
{
    ZSTD_inBuffer in = {data, size, 0};
    size_t left;
    do {
        ZSTD_outBuffer out = {e->out, OUT_SIZE, 0};
        left = ZSTD_compressStream2(e->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left))
            return wci_err(err, WC_E_INTERNAL, "zstd: %s", ZSTD_getErrorName(left));
        int32_t rc = out.pos ? e->to.write(e->to.self, e->out, out.pos, err) : WC_OK;
        if (rc)
            return rc;
    } while (last ? left != 0 : in.pos < in.size);
    return WC_OK;
}

static int32_t step(wci_encoder *e, const void *data, size_t size, int last, wc_error **err)
{
    switch (e->codec) {
    case WCI_CODEC_GZIP:
        return gzip_step(e, data, size, last, err);
    case WCI_CODEC_ZSTD:
        return zstd_step(e, data, size, last, err);
    default:
        return size ? e->to.write(e->to.self, data, size, err) : WC_OK;
    }
}

/* Pieces that zlib's counters hold. */
int32_t wci_encoder_write(void *encoder, const void *data, size_t size, wc_error **err)
{
    const char *at = data;
    int32_t rc = WC_OK;
    for (size_t n; !rc && size; at += n, size -= n) {
        n = size < ((size_t)1 << 30) ? size : (size_t)1 << 30;
        rc = step(encoder, at, n, 0, err);
    }
    return rc;
}

int32_t wci_encoder_end(wci_encoder *encoder, wc_error **err)
{
    return step(encoder, "", 0, 1, err);
}
