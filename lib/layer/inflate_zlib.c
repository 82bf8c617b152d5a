/* SPDX-License-Identifier: Apache-2.0 */
/* Gzip by zlib: where ISA-L is missing, and to check it against. */
#include <limits.h>
#include <zlib.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/codec.h"

enum { GZIP_WINDOW_BITS = 15 + 16 };

static int32_t zlib_open(void **state, wc_error **err)
{
    z_stream *z = wci_calloc(1, sizeof *z);
    if (!z || inflateInit2(z, GZIP_WINDOW_BITS) != Z_OK) {
        wci_free(z);
        return wci_err_nomem(err);
    }
    *state = z;
    return WC_OK;
}

static void zlib_begin(void *state)
{
    inflateReset(state);
}

static uInt at_most_uint(size_t n)
{
    return n > UINT_MAX ? UINT_MAX : (uInt)n;
}

static int32_t zlib_step(void *state, wci_codec_io *io, int *ended, wc_error **err)
{
    z_stream *z = state;
    uInt in = at_most_uint(io->in_size), out = at_most_uint(io->out_size);
    z->next_in = (unsigned char *)io->in;
    z->avail_in = in;
    z->next_out = io->out;
    z->avail_out = out;
    int rc = inflate(z, Z_NO_FLUSH);
    if (rc == Z_MEM_ERROR)
        return wci_err_nomem(err);
    if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
        return wci_err(err, WC_E_FORMAT, "gzip stream: damaged: %s", z->msg ? z->msg : "bad data");
    *ended = rc == Z_STREAM_END;
    io->in += in - z->avail_in;
    io->in_size -= in - z->avail_in;
    io->out += out - z->avail_out;
    io->out_size -= out - z->avail_out;
    return WC_OK;
}

static void zlib_close(void *state)
{
    inflateEnd(state);
    wci_free(state);
}

const wci_codec_ops wci_codec_zlib = {"gzip", zlib_open, zlib_begin, zlib_step, zlib_close};
