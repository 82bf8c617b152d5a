/* SPDX-License-Identifier: Apache-2.0 */
/* Gzip by ISA-L, two to three times as fast as zlib. */
#include "layer/codec.h"

#ifdef WC_HAVE_ISAL
#include <isa-l/igzip_lib.h>
#include <limits.h>

#include "core/alloc.h"
#include "core/error.h"

static int32_t isal_open(void **state, wc_error **err)
{
    struct inflate_state *s = wci_calloc(1, sizeof *s);
    if (!s)
        return wci_err_nomem(err);
    isal_inflate_init(s);
    *state = s;
    return WC_OK;
}

static void isal_begin(void *state)
{
    struct inflate_state *s = state;
    isal_inflate_reset(s);
    s->crc_flag = ISAL_GZIP;
}

static const char *isal_problem(int rc)
{
    switch (rc) {
    case ISAL_INCORRECT_CHECKSUM:
        return "incorrect checksum or length";
    case ISAL_INVALID_WRAPPER:
        return "no gzip header";
    case ISAL_UNSUPPORTED_METHOD:
        return "unknown compression method";
    default:
        return "invalid block";
    }
}

static uint32_t at_most_u32(size_t n)
{
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static int32_t isal_step(void *state, wci_codec_io *io, int *ended, wc_error **err)
{
    struct inflate_state *s = state;
    uint32_t in = at_most_u32(io->in_size), out = at_most_u32(io->out_size);
    s->next_in = (uint8_t *)io->in;
    s->avail_in = in;
    s->next_out = io->out;
    s->avail_out = out;
    int rc = isal_inflate(s);
    if (rc < 0)
        return wci_err(err, WC_E_FORMAT, "gzip stream: damaged: %s", isal_problem(rc));
    *ended = s->block_state == ISAL_BLOCK_FINISH;
    io->in += in - s->avail_in;
    io->in_size -= in - s->avail_in;
    io->out += out - s->avail_out;
    io->out_size -= out - s->avail_out;
    return WC_OK;
}

static void isal_close(void *state)
{
    wci_free(state);
}

static const wci_codec_ops isal_ops = {"gzip", isal_open, isal_begin, isal_step, isal_close};
const wci_codec_ops *const wci_codec_isal = &isal_ops;
#else
const wci_codec_ops *const wci_codec_isal = NULL;
#endif
