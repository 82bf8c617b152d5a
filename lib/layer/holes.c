/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/holes.h"

#include <string.h>

#include "platform/tree.h"

enum {
    BLOCK = 4096,
    MIN_HOLE = 64 * 1024, /* shorter ones are not worth the fragments */
};

/* What of it has been looked at, and where that begins which is not written. */
typedef struct piece {
    const unsigned char *data;
    size_t at, start;
} piece;

/* Up to the next block of the file. */
static size_t block_size(const wci_holes *h, const piece *p, size_t size)
{
    size_t room = BLOCK - (size_t)((h->size + p->at) % BLOCK);
    return size - p->at < room ? size - p->at : room;
}

/* Content shows with its first bytes mostly. */
static int is_zero(const unsigned char *data, size_t size)
{
    return !data[0] && !memcmp(data, data + 1, size - 1);
}

static int32_t write_until(wci_holes *h, piece *p, size_t end, wc_error **err)
{
    int32_t rc = end > p->start ? wci_tree_file_write_at(h->file, p->data + p->start, end - p->start, h->size + p->start, err)
                                : WC_OK;
    p->start = p->at;
    return rc;
}

/* There is content at p->at. Zeros of pieces before this one were not written. */
static int32_t end_zeros(wci_holes *h, piece *p, wc_error **err)
{
    int32_t rc = h->zeros >= MIN_HOLE ? write_until(h, p, h->zeros < p->at ? p->at - (size_t)h->zeros : 0, err) : WC_OK;
    h->zeros = 0;
    return rc;
}

int32_t wci_holes_write(wci_holes *h, const void *data, size_t size, wc_error **err)
{
    piece p = {data, 0, 0};
    int32_t rc = WC_OK;
    for (size_t n; p.at < size && !rc; p.at += n) {
        n = block_size(h, &p, size);
        if (is_zero(p.data + p.at, n))
            h->zeros += n;
        else
            rc = end_zeros(h, &p, err);
    }
    if (!rc)
        rc = write_until(h, &p, h->zeros < size ? size - (size_t)h->zeros : 0, err);
    h->size += size;
    return rc;
}

int32_t wci_holes_end(const wci_holes *h, wc_error **err)
{
    return h->zeros ? wci_fd_truncate(h->file, h->size, err) : WC_OK;
}
