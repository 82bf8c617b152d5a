/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/tar_reader.h"

#include <stdatomic.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/path.h"

enum {
    BUFFER_SIZE = 256 * 1024, /* stays in the second-level cache between inflate, hash and write */
    RATIO_FREE_BYTES = 64 * 1024 * 1024,
};

struct wci_tar_reader {
    wci_tar_input input;
    unsigned char *buffer;
    size_t begin, end; /* what of the buffer has not been consumed */
    int at_end;        /* of the stream */
    uint64_t total;    /* bytes that came out of the source */
    uint64_t entries;
    wci_tar_parts parts;
    wci_tar_entry entry;
    uint64_t header_offset;
    uint64_t data_offset;
    uint64_t data_left; /* stored payload not yet lent */
    int is_payload;     /* what is consumed now */
    size_t padding;     /* after it */
    size_t region;      /* of a sparse file: where we are */
    uint64_t region_done;
    uint64_t dense_done;
};

const wci_limits wci_limits_default = {
    .max_bytes = UINT64_C(64) << 30,
    .max_entries = 4 << 20,
    .max_ratio = 1100,
    .max_path = 4096,
    .max_header = 1 << 20,
};

int32_t wci_tar_reader_new(const wci_tar_input *input, wci_tar_reader **out, wc_error **err)
{
    wci_tar_reader *r = wci_calloc(1, sizeof *r);
    if (!r)
        return wci_err_nomem(err);
    r->input = *input;
    r->buffer = wci_malloc(BUFFER_SIZE);
    if (!r->buffer) {
        wci_free(r);
        return wci_err_nomem(err);
    }
    *out = r;
    return WC_OK;
}

void wci_tar_reader_free(wci_tar_reader *r)
{
    if (!r)
        return;
    wci_tar_parts_free(&r->parts);
    wci_free(r->buffer);
    wci_free(r);
}

uint64_t wci_tar_reader_header_offset(const wci_tar_reader *r)
{
    return r->header_offset;
}

uint64_t wci_tar_reader_data_offset(const wci_tar_reader *r)
{
    return r->data_offset;
}

const wci_sparse_region *wci_tar_reader_regions(const wci_tar_reader *r, size_t *count)
{
    *count = r->parts.region_count;
    return r->parts.regions;
}

uint64_t wci_tar_reader_bytes(const wci_tar_reader *r)
{
    return r->total;
}

uint64_t wci_tar_reader_entries(const wci_tar_reader *r)
{
    return r->entries;
}

/* ---- The stream ------------------------------------------------------------------------------- */

static int32_t check_budget(const wci_tar_reader *r, wc_error **err)
{
    const wci_limits *limits = r->input.limits;
    if (r->input.stop && atomic_load_explicit(r->input.stop, memory_order_relaxed))
        return wci_err(err, WC_E_CANCELLED, "unpack: cancelled");
    if (r->total > limits->max_bytes)
        return wci_err(err, WC_E_LIMIT, "tar: has more than the %llu bytes that are allowed",
                       (unsigned long long)limits->max_bytes);
    if (r->input.compressed && limits->max_ratio && r->total > RATIO_FREE_BYTES &&
        r->total / limits->max_ratio > *r->input.compressed)
        return wci_err(err, WC_E_LIMIT,
                       "tar: grew to more than %llu times its compressed size",
                       (unsigned long long)limits->max_ratio);
    return WC_OK;
}

/* Moves what is left to the front and fills the rest of the buffer. */
static int32_t fill(wci_tar_reader *r, wc_error **err)
{
    size_t left = r->end - r->begin, got = 0;
    if (left)
        memmove(r->buffer, r->buffer + r->begin, left);
    r->begin = 0;
    r->end = left;
    int32_t rc = r->input.source.read(r->input.source.self, r->buffer + left, BUFFER_SIZE - left,
                                      &got, err);
    if (rc)
        return rc;
    if (r->input.hasher)
        wci_hasher_update(r->input.hasher, r->buffer + left, got);
    r->end += got;
    r->total += got;
    r->at_end = got == 0;
    return check_budget(r, err);
}

static size_t available(const wci_tar_reader *r)
{
    return r->end - r->begin;
}

static int32_t truncated(wc_error **err)
{
    return wci_err(err, WC_E_FORMAT, "tar: ends in the middle of an entry");
}

/* Makes `size` bytes stand in the buffer, fewer only at the end of the stream. */
static int32_t need(wci_tar_reader *r, size_t size, wc_error **err)
{
    while (available(r) < size && !r->at_end) {
        int32_t rc = fill(r, err);
        if (rc)
            return rc;
    }
    return WC_OK;
}

/* Lends what comes next, which is then consumed. */
static const unsigned char *consume(wci_tar_reader *r, size_t size)
{
    const unsigned char *data = r->buffer + r->begin;
    r->begin += size;
    if (r->input.ledger && r->is_payload)
        wci_ledger_take_content(r->input.ledger, data, size);
    else if (r->input.ledger)
        wci_ledger_take_bytes(r->input.ledger, data, size);
    return data;
}

static int32_t take_block(wci_tar_reader *r, const unsigned char **block, wc_error **err)
{
    int32_t rc = need(r, WCI_TAR_BLOCK, err);
    if (rc)
        return rc;
    if (available(r) < WCI_TAR_BLOCK)
        return truncated(err);
    *block = consume(r, WCI_TAR_BLOCK);
    return WC_OK;
}

/* Lends at most `max` bytes of what comes next. */
static int32_t take_some(wci_tar_reader *r, uint64_t max, const unsigned char **data, size_t *size,
                         wc_error **err)
{
    int32_t rc = need(r, 1, err);
    if (rc)
        return rc;
    if (!available(r))
        return truncated(err);
    *size = available(r) < max ? available(r) : (size_t)max;
    *data = consume(r, *size);
    return WC_OK;
}

static int32_t skip(wci_tar_reader *r, uint64_t size, wc_error **err)
{
    while (size) {
        int32_t rc;
        if (!available(r) && r->input.skip && size >= BUFFER_SIZE) {
            if ((rc = r->input.skip(r->input.source.self, size, err)))
                return rc;
            r->total += size;
            return check_budget(r, err);
        }
        const unsigned char *data;
        size_t got = 0;
        if ((rc = take_some(r, size, &data, &got, err)))
            return rc;
        size -= got;
    }
    return WC_OK;
}

static size_t padding_of(uint64_t size)
{
    return (size_t)(-size & (WCI_TAR_BLOCK - 1));
}

static int is_zero(const unsigned char *data, size_t size)
{
    return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

/* After the first block of zeros nothing but zeros may come. */
static int32_t read_trailer(wci_tar_reader *r, wc_error **err)
{
    do {
        if (!is_zero(r->buffer + r->begin, available(r)))
            return wci_err(err, WC_E_FORMAT, "tar: something follows the end of the archive");
        consume(r, available(r));
        int32_t rc = need(r, 1, err);
        if (rc)
            return rc;
    } while (available(r));
    return WC_OK;
}

/* ---- Headers ---------------------------------------------------------------------------------- */

/* Appends the payload of a pax header or long name to `out`. */
static int32_t take_meta(wci_tar_reader *r, const unsigned char *block, wci_str *out,
                         wc_error **err)
{
    int64_t size = 0;
    int32_t rc = wci_tar_number(block + 124, 12, "size", &size, err);
    if (rc)
        return rc;
    if (size < 0)
        return wci_err(err, WC_E_FORMAT, "tar header: its size is negative");
    if ((uint64_t)size > r->input.limits->max_header - out->size)
        return wci_err(err, WC_E_LIMIT,
                       "tar: the names and attributes of one entry take more than %u bytes",
                       (unsigned)r->input.limits->max_header);
    for (uint64_t left = (uint64_t)size; left;) {
        const unsigned char *data;
        size_t got = 0;
        if ((rc = take_some(r, left, &data, &got, err)))
            return rc;
        wci_str_append_n(out, data, got);
        left -= got;
    }
    if (out->failed)
        return wci_err_nomem(err);
    return skip(r, padding_of((uint64_t)size), err);
}

/* GNU names end at their first zero byte. */
static int32_t take_long_text(wci_tar_reader *r, const unsigned char *block, wci_str *out,
                              wc_error **err)
{
    wci_str_clear(out);
    int32_t rc = take_meta(r, block, out, err);
    if (!rc && out->size)
        out->size = strlen(out->data);
    return rc;
}

static int32_t take_old_extensions(wci_tar_reader *r, wc_error **err)
{
    for (int more = 1; more;) {
        const unsigned char *block;
        int32_t rc;
        if ((rc = take_block(r, &block, err)) ||
            (rc = wci_tar_sparse_extension(&r->parts, block, &more, err)))
            return rc;
    }
    return WC_OK;
}

/* One decimal line of the map that stands before the data of a GNU 1.0 sparse file. */
static int32_t take_map_number(wci_tar_reader *r, uint64_t *left, uint64_t *out, wc_error **err)
{
    char digits[24];
    size_t count = 0;
    for (;;) {
        const unsigned char *byte;
        size_t got = 0;
        if (!*left || count == sizeof digits)
            return wci_err(err, WC_E_FORMAT, "sparse file: its map is malformed");
        int32_t rc = take_some(r, 1, &byte, &got, err);
        if (rc)
            return rc;
        --*left;
        if (*byte == '\n')
            break;
        digits[count++] = (char)*byte;
    }
    if (!wci_tar_decimal(digits, digits + count, INT64_MAX, out))
        return wci_err(err, WC_E_FORMAT, "sparse file: its map is malformed");
    return WC_OK;
}

static int32_t take_data_map(wci_tar_reader *r, wc_error **err)
{
    uint64_t left = r->entry.data_size, count = 0;
    int32_t rc = take_map_number(r, &left, &count, err);
    for (; !rc && count; count--) {
        uint64_t offset = 0, size = 0;
        if ((rc = take_map_number(r, &left, &offset, err)) ||
            (rc = take_map_number(r, &left, &size, err)))
            return rc;
        rc = wci_tar_add_region(&r->parts, offset, size, err);
    }
    if (rc)
        return rc;
    size_t pad = padding_of(r->entry.data_size - left);
    if (pad > left)
        return wci_err(err, WC_E_FORMAT, "sparse file: its map is malformed");
    r->entry.data_size = left - pad;
    return skip(r, pad, err);
}

static int32_t begin_payload(wci_tar_reader *r, int has_extensions, wc_error **err)
{
    int32_t rc = WC_OK;
    r->padding = padding_of(r->entry.data_size); /* the map of sparse 1.0 is whole blocks */
    r->region = 0;
    r->region_done = 0;
    r->dense_done = 0;
    if (has_extensions)
        rc = take_old_extensions(r, err);
    else if (r->entry.is_sparse && r->parts.has_map_in_data)
        rc = take_data_map(r, err);
    if (!rc && r->entry.is_sparse)
        rc = wci_tar_check_regions(&r->parts, &r->entry, err);
    r->data_offset = r->total - available(r);
    r->data_left = r->entry.data_size;
    return rc;
}

static int32_t take_entry(wci_tar_reader *r, const unsigned char *block, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    int extended = wci_tar_type_flag(block) == 'S' && wci_tar_sparse_is_extended(block);
    int32_t rc = wci_tar_entry_parse(&r->parts, block, &r->entry, err);
    if (!rc)
        rc = begin_payload(r, extended, err);
    if (rc && r->entry.name && *r->entry.name)
        return wci_err_wrap(err, rc, "tar entry '%s'", wci_path_shown(r->entry.name, shown));
    if (!rc && ++r->entries > r->input.limits->max_entries)
        return wci_err(err, WC_E_LIMIT, "tar: has more than the %llu entries that are allowed",
                       (unsigned long long)r->input.limits->max_entries);
    if (!rc && r->input.ledger)
        rc = wci_ledger_take_entry(r->input.ledger, &r->entry, err);
    return rc;
}

static int32_t take_header(wci_tar_reader *r, const unsigned char *block, int *is_entry,
                           wc_error **err)
{
    *is_entry = 0;
    switch (wci_tar_type_flag(block)) {
    case 'L':
        return take_long_text(r, block, &r->parts.long_name, err);
    case 'K':
        return take_long_text(r, block, &r->parts.long_link, err);
    case 'x':
        return take_meta(r, block, &r->parts.pax, err);
    case 'g':
        return take_meta(r, block, &r->parts.pax_global, err);
    default:
        *is_entry = 1;
        return take_entry(r, block, err);
    }
}

static int has_pending_parts(const wci_tar_reader *r)
{
    return r->parts.pax.size || r->parts.long_name.size || r->parts.long_link.size;
}

/* It may be missing at the very end: umoci writes such layers, and Go takes them. */
static int32_t skip_padding(wci_tar_reader *r, wc_error **err)
{
    int32_t rc = need(r, r->padding, err);
    if (!rc)
        consume(r, r->padding < available(r) ? r->padding : available(r));
    return rc;
}

/* What is left of the payload, and the padding after it. */
static int32_t skip_payload(wci_tar_reader *r, wc_error **err)
{
    r->is_payload = 1;
    int32_t rc = skip(r, r->data_left, err);
    r->is_payload = 0;
    if (!rc)
        rc = skip_padding(r, err);
    r->data_left = r->padding = 0;
    return rc;
}

int32_t wci_tar_reader_next(wci_tar_reader *r, const wci_tar_entry **entry, wc_error **err)
{
    int32_t rc = skip_payload(r, err);
    r->header_offset = r->total - available(r);
    for (int is_entry = 0; !rc && !is_entry;) {
        unsigned char block[WCI_TAR_BLOCK]; /* the buffer moves on while it is still needed */
        const unsigned char *lent;
        if ((rc = need(r, 1, err)))
            return rc;
        if (!available(r)) { /* no trailer: Go takes that too */
            *entry = NULL;
            return has_pending_parts(r) ? truncated(err) : WC_OK;
        }
        if ((rc = take_block(r, &lent, err)))
            return rc;
        if (wci_tar_is_zero_block(lent)) {
            *entry = NULL;
            return read_trailer(r, err);
        }
        memcpy(block, lent, sizeof block);
        if ((rc = wci_tar_check_sum(block, err)))
            return rc;
        rc = take_header(r, block, &is_entry, err);
    }
    if (!rc)
        *entry = &r->entry;
    return rc;
}

/* ---- Payload ---------------------------------------------------------------------------------- */

/* Where the next stored byte belongs, and how many belong there in a row. */
static uint64_t place_next(wci_tar_reader *r, uint64_t *offset)
{
    if (!r->entry.is_sparse) {
        *offset = r->dense_done;
        return r->data_left;
    }
    while (r->parts.regions[r->region].size == r->region_done) {
        r->region++;
        r->region_done = 0;
    }
    const wci_sparse_region *region = &r->parts.regions[r->region];
    *offset = region->offset + r->region_done;
    return region->size - r->region_done;
}

int32_t wci_tar_reader_data(wci_tar_reader *r, const void **data, size_t *size, uint64_t *offset,
                            wc_error **err)
{
    if (!r->data_left) {
        *size = 0;
        return WC_OK;
    }
    const unsigned char *piece;
    uint64_t in_a_row = place_next(r, offset);
    r->is_payload = 1;
    int32_t rc = take_some(r, in_a_row, &piece, size, err);
    r->is_payload = 0;
    if (rc)
        return rc;
    *data = piece;
    r->data_left -= *size;
    r->region_done += *size;
    r->dense_done += *size;
    return WC_OK;
}
