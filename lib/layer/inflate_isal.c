/* SPDX-License-Identifier: Apache-2.0 */
/* Gzip by ISA-L, two to three times as fast as zlib. Headers are read here: ISA-L 2.30 refuses a
 * header checksum when the header comes in pieces. */
#include "layer/codec.h"

#ifdef WC_HAVE_ISAL
#include <isa-l/igzip_lib.h>
#include <zlib.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/lazy.h"

/* RFC 1952, section 2.3, in the order of the stream. */
typedef enum header_part {
    PART_FIXED,
    PART_EXTRA_SIZE,
    PART_EXTRA,
    PART_NAME,
    PART_COMMENT,
    PART_CHECKSUM,
    PART_DONE,
} header_part;

enum {
    FLAG_CHECKSUM = 2,
    FLAG_EXTRA = 4,
    FLAG_NAME = 8,
    FLAG_COMMENT = 16,
    FLAGS_UNKNOWN = 0xe0,
    FIXED_SIZE = 10,
};

typedef struct header {
    header_part part;
    unsigned at;    /* byte of the part */
    unsigned flags;
    unsigned value; /* of a part that is a number */
    unsigned extra_size;
    uLong crc;      /* of all parts but the last */
} header;

typedef struct decoder {
    struct inflate_state inflate;
    header header;
} decoder;

static int32_t bad_header(const char *why, wc_error **err)
{
    return wci_err(err, WC_E_FORMAT, "gzip stream: damaged: %s", why);
}

static int has_part(const header *h, header_part part)
{
    switch (part) {
    case PART_EXTRA_SIZE:
        return h->flags & FLAG_EXTRA;
    case PART_EXTRA:
        return h->extra_size > 0;
    case PART_NAME:
        return h->flags & FLAG_NAME;
    case PART_COMMENT:
        return h->flags & FLAG_COMMENT;
    case PART_CHECKSUM:
        return h->flags & FLAG_CHECKSUM;
    default:
        return 1;
    }
}

static void next_part(header *h)
{
    do
        h->part++;
    while (!has_part(h, h->part));
    h->at = 0;
    h->value = 0;
}

static int32_t take_fixed(header *h, unsigned char byte, wc_error **err)
{
    static const unsigned char magic[] = {0x1f, 0x8b, 8};
    if (h->at < sizeof magic && byte != magic[h->at])
        return bad_header("no gzip header", err);
    if (h->at == 3) {
        if (byte & FLAGS_UNKNOWN)
            return bad_header("unknown flags", err);
        h->flags = byte;
    }
    if (++h->at == FIXED_SIZE)
        next_part(h);
    return WC_OK;
}

/* Two bytes, the low one first; 1 when both are there. */
static int take_number(header *h, unsigned char byte)
{
    h->value |= (unsigned)byte << 8 * h->at;
    return ++h->at == 2;
}

static int32_t take_header_byte(header *h, unsigned char byte, wc_error **err)
{
    if (h->part != PART_CHECKSUM)
        h->crc = crc32(h->crc, &byte, 1);
    switch (h->part) {
    case PART_FIXED:
        return take_fixed(h, byte, err);
    case PART_EXTRA_SIZE:
        if (take_number(h, byte)) {
            h->extra_size = h->value;
            next_part(h);
        }
        return WC_OK;
    case PART_EXTRA:
        if (++h->at == h->extra_size)
            next_part(h);
        return WC_OK;
    case PART_NAME:
    case PART_COMMENT:
        if (!byte)
            next_part(h);
        return WC_OK;
    default:
        if (take_number(h, byte)) {
            if (h->value != (h->crc & 0xffff))
                return bad_header("incorrect checksum of the header", err);
            next_part(h);
        }
        return WC_OK;
    }
}

static int32_t take_header(header *h, wci_codec_io *io, wc_error **err)
{
    while (io->in_size && h->part != PART_DONE) {
        int32_t rc = take_header_byte(h, *io->in, err);
        if (rc)
            return rc;
        io->in++;
        io->in_size--;
    }
    return WC_OK;
}

static int32_t isal_open(void **state, wc_error **err)
{
    int32_t rc = wci_lazy_isal(err);
    if (rc)
        return rc;
    decoder *d = wci_calloc(1, sizeof *d);
    if (!d)
        return wci_err_nomem(err);
    isal_inflate_init(&d->inflate);
    *state = d;
    return WC_OK;
}

static void isal_begin(void *state)
{
    decoder *d = state;
    isal_inflate_reset(&d->inflate);
    d->inflate.crc_flag = ISAL_GZIP_NO_HDR_VER;
    d->header = (header){.crc = crc32(0, NULL, 0)};
}

static uint32_t at_most_u32(size_t n)
{
    return n > UINT32_MAX ? UINT32_MAX : (uint32_t)n;
}

static int32_t isal_step(void *state, wci_codec_io *io, int *ended, wc_error **err)
{
    decoder *d = state;
    struct inflate_state *s = &d->inflate;
    int32_t rc = take_header(&d->header, io, err);
    if (rc || d->header.part != PART_DONE)
        return rc;
    uint32_t in = at_most_u32(io->in_size), out = at_most_u32(io->out_size);
    s->next_in = (uint8_t *)io->in;
    s->avail_in = in;
    s->next_out = io->out;
    s->avail_out = out;
    int result = isal_inflate(s);
    if (result < 0)
        return wci_err(err, WC_E_FORMAT, "gzip stream: damaged: %s",
                       result == ISAL_INCORRECT_CHECKSUM ? "incorrect checksum or length"
                                                         : "invalid block");
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
