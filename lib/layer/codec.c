/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/codec.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/lazy.h"

enum { INPUT_SIZE = 128 * 1024 };

struct wci_decoder {
    const wci_codec_ops *ops; /* NULL: bytes pass as they are */
    wci_source from;
    void *state;
    unsigned char *input;
    const unsigned char *in;
    size_t in_size;
    uint64_t consumed;
    uint64_t members;
    int in_member;
    int at_end; /* of the source */
};

typedef struct media_type {
    const char *name;
    wci_codec codec;
} media_type;

static const media_type media_types[] = {
    {"application/vnd.oci.image.layer.v1.tar", WCI_CODEC_NONE},
    {"application/vnd.oci.image.layer.v1.tar+gzip", WCI_CODEC_GZIP},
    {"application/vnd.oci.image.layer.v1.tar+zstd", WCI_CODEC_ZSTD},
    {"application/vnd.oci.image.layer.nondistributable.v1.tar", WCI_CODEC_NONE},
    {"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", WCI_CODEC_GZIP},
    {"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", WCI_CODEC_ZSTD},
    {"application/vnd.docker.image.rootfs.diff.tar", WCI_CODEC_NONE},
    {"application/vnd.docker.image.rootfs.diff.tar.gzip", WCI_CODEC_GZIP},
    {"application/vnd.docker.image.rootfs.diff.tar.zstd", WCI_CODEC_ZSTD},
    {"application/vnd.docker.image.rootfs.foreign.diff.tar", WCI_CODEC_NONE},
    {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", WCI_CODEC_GZIP},
    {"application/vnd.docker.image.rootfs.foreign.diff.tar.zstd", WCI_CODEC_ZSTD},
};

int32_t wci_codec_of_media_type(const char *type, wci_codec *out, wc_error **err)
{
    size_t size = strcspn(type, "; "); /* parameters do not matter */
    for (size_t i = 0; i < sizeof media_types / sizeof *media_types; i++) {
        const media_type *known = &media_types[i];
        if (strlen(known->name) == size && memcmp(known->name, type, size) == 0) {
            *out = known->codec;
            return WC_OK;
        }
    }
    return wci_err(err, WC_E_UNSUPPORTED, "layer: media type '%.128s' is not one we can unpack",
                   type);
}

wci_codec wci_codec_guess(const void *head, size_t size)
{
    const unsigned char *h = head;
    if (size >= 2 && h[0] == 0x1f && h[1] == 0x8b)
        return WCI_CODEC_GZIP;
    if (size >= 4 && memcmp(h, "\x28\xb5\x2f\xfd", 4) == 0)
        return WCI_CODEC_ZSTD;
    /* A skippable frame: zstd:chunked and pzstd may begin with one. */
    if (size >= 4 && (h[0] & 0xf0) == 0x50 && memcmp(h + 1, "\x2a\x4d\x18", 3) == 0)
        return WCI_CODEC_ZSTD;
    return WCI_CODEC_NONE;
}

const char *wci_codec_foreign(const void *head, size_t size)
{
    if (size >= 6 && !memcmp(head, "\xfd" "7zXZ", 6))
        return "xz";
    if (size >= 3 && !memcmp(head, "BZh", 3))
        return "bzip2";
    return size >= 4 && !memcmp(head, "\x04\x22\x4d\x18", 4) ? "lz4" : NULL;
}

int32_t wci_decoder_new_with(const wci_codec_ops *ops, const wci_source *from, wci_decoder **out,
                             wc_error **err)
{
    wci_decoder *d = wci_calloc(1, sizeof *d);
    if (!d)
        return wci_err_nomem(err);
    d->ops = ops;
    d->from = *from;
    int32_t rc = WC_OK;
    if (ops) {
        d->input = wci_malloc(INPUT_SIZE);
        rc = d->input ? ops->open(&d->state, err) : wci_err_nomem(err);
    }
    if (rc) {
        wci_decoder_free(d);
        return rc;
    }
    *out = d;
    return WC_OK;
}

int32_t wci_source_read_file(void *file, void *data, size_t size, size_t *got, wc_error **err)
{
    const wci_fd *fd = file;
    return wci_fd_read(*fd, data, size, got, err);
}

int32_t wci_decoder_new(wci_codec codec, const wci_source *from, wci_decoder **out,
                        wc_error **err)
{
    const wci_codec_ops *ops = NULL;
    if (codec == WCI_CODEC_ZSTD)
        ops = &wci_codec_zstd;
    else if (codec == WCI_CODEC_GZIP)
        ops = wci_codec_isal && !wci_lazy_isal(NULL) ? wci_codec_isal : &wci_codec_zlib;
    return wci_decoder_new_with(ops, from, out, err);
}

void wci_decoder_free(wci_decoder *d)
{
    if (!d)
        return;
    if (d->state)
        d->ops->close(d->state);
    wci_free(d->input);
    wci_free(d);
}

const uint64_t *wci_decoder_consumed(const wci_decoder *d)
{
    return &d->consumed;
}

const wci_zstd_tail *wci_decoder_tail(const wci_decoder *d)
{
    return d->ops == &wci_codec_zstd ? wci_zstd_tail_of(d->state) : NULL;
}

static int32_t fill_input(wci_decoder *d, wc_error **err)
{
    if (d->in_size || d->at_end)
        return WC_OK;
    size_t got = 0;
    int32_t rc = d->from.read(d->from.self, d->input, INPUT_SIZE, &got, err);
    if (rc)
        return rc;
    d->in = d->input;
    d->in_size = got;
    d->consumed += got;
    d->at_end = got == 0;
    return WC_OK;
}

static int32_t step(wci_decoder *d, wci_codec_io *io, wc_error **err)
{
    size_t out_before = io->out_size;
    int ended = 0;
    io->in = d->in;
    io->in_size = d->in_size;
    int32_t rc = d->ops->step(d->state, io, &ended, err);
    if (rc)
        return d->members ? wci_err_wrap(err, rc, "%s stream: after %llu complete members",
                                         d->ops->format, (unsigned long long)d->members)
                          : rc;
    int moved = io->in_size != d->in_size || io->out_size != out_before;
    d->in = io->in;
    d->in_size = io->in_size;
    if (ended) {
        d->in_member = 0;
        d->members++;
    } else if (!moved && d->at_end) {
        return wci_err(err, WC_E_FORMAT, "%s stream: ends too early; get it again",
                       d->ops->format);
    }
    return WC_OK;
}

static int32_t decode(wci_decoder *d, wci_codec_io *io, wc_error **err)
{
    while (io->out_size) {
        int32_t rc = fill_input(d, err);
        if (rc)
            return rc;
        if (!d->in_member) {
            if (!d->in_size && d->members)
                return WC_OK;
            d->ops->begin(d->state);
            d->in_member = 1;
        }
        if ((rc = step(d, io, err)))
            return rc;
    }
    return WC_OK;
}

int32_t wci_decoder_read(void *decoder, void *data, size_t size, size_t *got, wc_error **err)
{
    wci_decoder *d = decoder;
    if (!d->ops) {
        int32_t rc = d->from.read(d->from.self, data, size, got, err);
        if (!rc)
            d->consumed += *got;
        return rc;
    }
    wci_codec_io io = {NULL, 0, data, size};
    int32_t rc = decode(d, &io, err);
    if (!rc)
        *got = size - io.out_size;
    return rc;
}
