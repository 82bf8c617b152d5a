/* SPDX-License-Identifier: Apache-2.0 */
#include "image/layer_reader.h"

#include <stdatomic.h>

#include "core/error.h"

int32_t wci_layer_reader_open(wci_store *store, const wci_digest *digest, wci_ingest *ingest,
                              _Atomic uint64_t *position, wci_layer_reader *out, wc_error **err)
{
    wci_layer_reader reader = {ingest, WCI_FD_NONE, 0, position};
    uint64_t size;
    if (ingest) {
        reader.fd = wci_ingest_fd(ingest);
    } else {
        int32_t code = wci_blob_open(store, digest, &reader.fd, &size, err);
        if (code)
            return code;
    }
    atomic_store(position, 0);
    *out = reader;
    return WC_OK;
}

void wci_layer_reader_close(wci_layer_reader *reader)
{
    if (!reader->ingest)
        wci_fd_close(reader->fd);
    wci_ingest_unref(reader->ingest);
}

/* Fills what has arrived; waits when that is nothing. A writer that starts over makes the file
 * shorter for a while, so an empty read is the end only when the writer says so. */
static int32_t read_arriving(wci_layer_reader *r, uint64_t at, void *data, size_t size,
                             size_t *got, wc_error **err)
{
    for (int ended = 0;;) {
        uint64_t total = 0;
        int32_t code = wci_ingest_wait(r->ingest, at, &total, &ended, err);
        if (code)
            return code;
        uint64_t left = total > at ? total - at : 0;
        code = wci_fd_pread(r->fd, data, left < size ? (size_t)left : size, at, got, err);
        if (code || *got || ended)
            return code;
    }
}

int32_t wci_layer_reader_read(void *self, void *data, size_t size, size_t *got, wc_error **err)
{
    wci_layer_reader *r = self;
    int32_t code = r->ingest ? read_arriving(r, r->at, data, size, got, err)
                             : wci_fd_pread(r->fd, data, size, r->at, got, err);
    if (code)
        return code;
    r->at += *got;
    atomic_store_explicit(r->position, r->at, memory_order_relaxed);
    return WC_OK;
}

int32_t wci_layer_reader_codec(wci_layer_reader *r, wci_codec *out, wc_error **err)
{
    unsigned char head[8];
    size_t have = 0, got = 1;
    while (have < sizeof head && got) {
        int32_t code = r->ingest ? read_arriving(r, have, head + have, sizeof head - have, &got, err)
                                 : wci_fd_pread(r->fd, head + have, sizeof head - have, have, &got,
                                                err);
        if (code)
            return code;
        have += got;
    }
    *out = wci_codec_guess(head, have);
    return WC_OK;
}
