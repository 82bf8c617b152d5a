/* SPDX-License-Identifier: Apache-2.0 */
/* Zstandard. zstd:chunked is read as what it also is, plain zstd: its table of contents lies in
 * skippable frames and is never looked at, so it cannot disagree with the stream. */
#include <zstd.h>
#include <zstd_errors.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/codec.h"

enum { MAX_WINDOW_LOG = 27 };

static int32_t zstd_open(void **state, wc_error **err)
{
    ZSTD_DCtx *z = ZSTD_createDCtx();
    if (!z)
        return wci_err_nomem(err);
    ZSTD_DCtx_setParameter(z, ZSTD_d_windowLogMax, MAX_WINDOW_LOG);
    *state = z;
    return WC_OK;
}

static void zstd_begin(void *state)
{
    ZSTD_DCtx_reset(state, ZSTD_reset_session_only);
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

static int32_t zstd_step(void *state, wci_codec_io *io, int *ended, wc_error **err)
{
    ZSTD_inBuffer in = {io->in, io->in_size, 0};
    ZSTD_outBuffer out = {io->out, io->out_size, 0};
    size_t rc = ZSTD_decompressStream(state, &out, &in);
    if (ZSTD_isError(rc))
        return zstd_error(rc, err);
    *ended = rc == 0;
    io->in += in.pos;
    io->in_size -= in.pos;
    io->out += out.pos;
    io->out_size -= out.pos;
    return WC_OK;
}

static void zstd_close(void *state)
{
    ZSTD_freeDCtx(state);
}

const wci_codec_ops wci_codec_zstd = {"zstd", zstd_open, zstd_begin, zstd_step, zstd_close};
