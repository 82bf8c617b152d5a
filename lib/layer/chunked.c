/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/chunked.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/chunked_table.h"
#include "layer/codec.h"

enum {
    FOOTER_SIZE = 64,
    OLD_FOOTER_SIZE = 40, /* no tar-split */
    MAGIC_SIZE = 8,
    TYPE_CRFS = 1,
};

/* Of a table's text; readers in use take less than half of it. */
#define TABLE_MAX (UINT64_C(512) << 20)

/* Where a table lies in the stream; size 0: there is none. */
typedef struct place {
    uint64_t offset, size, text_size;
} place;

typedef struct footer {
    place contents, split;
    uint64_t type;
} footer;

/* ---- Footer ----------------------------------------------------------------------------------- */

static uint64_t get64(const char *p)
{
    uint64_t value = 0;
    for (int i = 7; i >= 0; i--)
        value = value << 8 | (unsigned char)p[i];
    return value;
}

static place get_place(const char *p)
{
    return (place){get64(p), get64(p + 8), get64(p + 16)};
}

static int read_footer(const wci_zstd_tail *tail, footer *out)
{
    const wci_str *data = tail->count ? &tail->frames[tail->count - 1].data : NULL;
    if (!data || (data->size != FOOTER_SIZE && data->size != OLD_FOOTER_SIZE))
        return 0;
    const char *magic = data->data + data->size - MAGIC_SIZE;
    if (memcmp(magic, "GNUlInUx", MAGIC_SIZE) != 0 && memcmp(magic, "GnUlInUx", MAGIC_SIZE) != 0)
        return 0;
    *out = (footer){.contents = get_place(data->data), .type = get64(data->data + 24)};
    if (data->size == FOOTER_SIZE)
        out->split = get_place(data->data + 32);
    return 1;
}

/* ---- Tables ----------------------------------------------------------------------------------- */

static int32_t find_table(const wci_zstd_tail *tail, const place *at, const wci_str **out, wc_error **err)
{
    for (size_t i = 0; i + 1 < tail->count; i++) {
        const wci_tail_frame *frame = &tail->frames[i];
        if (frame->offset != at->offset || frame->size != at->size)
            continue;
        if (frame->is_too_large || at->text_size > TABLE_MAX)
            return wci_err(err, WC_E_LIMIT, "is too large: %llu bytes, %llu unpacked",
                           (unsigned long long)at->size, (unsigned long long)at->text_size);
        *out = &frame->data;
        return WC_OK;
    }
    return wci_err(err, WC_E_FORMAT, "is not where the footer says");
}

/* Decodes a table; it has just as many bytes as the footer says. */
struct wci_table_source {
    const wci_str *stored;
    size_t at;
    uint64_t left;
    wci_decoder *decoder;
};

static int32_t read_stored(void *self, void *data, size_t size, size_t *got, wc_error **err)
{
    wci_table_source *s = self;
    (void)err;
    *got = s->stored->size - s->at < size ? s->stored->size - s->at : size;
    if (*got)
        memcpy(data, s->stored->data + s->at, *got);
    s->at += *got;
    return WC_OK;
}

int32_t wci_table_read(void *self, void *data, size_t size, size_t *got, wc_error **err)
{
    wci_table_source *s = self;
    int32_t rc = wci_decoder_read(s->decoder, data, size, got, err);
    if (!rc && (*got > s->left || (!*got && s->left)))
        rc = wci_err(err, WC_E_FORMAT, "has another size than the footer says");
    if (!rc)
        s->left -= *got;
    return rc;
}

static int32_t open_table(const wci_str *stored, const place *at, wci_table_source **out, wc_error **err)
{
    wci_table_source *s = wci_calloc(1, sizeof *s);
    if (!s)
        return wci_err_nomem(err);
    const wci_source from = {read_stored, s};
    *s = (wci_table_source){.stored = stored, .left = at->text_size};
    int32_t rc = wci_decoder_new(WCI_CODEC_ZSTD, &from, &s->decoder, err);
    if (rc)
        wci_free(s);
    else
        *out = s;
    return rc;
}

void wci_table_close(wci_table_source *s)
{
    if (!s)
        return;
    wci_decoder_free(s->decoder);
    wci_free(s);
}

/* ---- Reading them ----------------------------------------------------------------------------- */

/* *table is its digest as it is stored, which must be `named` where that is given. */
static int32_t find_named(const wci_zstd_tail *tail, const place *at, const char *named, const wci_str **stored,
                          wci_digest *found, wc_error **err)
{
    int32_t rc = find_table(tail, at, stored, err);
    if (!rc)
        rc = wci_digest_of(WCI_SHA256, (*stored)->data, (*stored)->size, found, err);
    if (!rc && named && *named && strcmp(named, found->text) != 0)
        rc = wci_err(err, WC_E_FORMAT, "is not the one that is named");
    return rc;
}

static int32_t read_contents(const wci_zstd_tail *tail, const place *at, const char *named, wci_ledger *ledger,
                             const wci_chunked_taker *taker, wci_digest *table, wci_digest *split, wc_error **err)
{
    wci_table_source *s = NULL;
    const wci_str *stored = NULL;
    int32_t rc = find_named(tail, at, named, &stored, table, err);
    if (!rc)
        rc = open_table(stored, at, &s, err);
    const wci_source text = {wci_table_read, s};
    if (!rc)
        rc = wci_chunked_read_contents(&text, ledger, taker, split, err);
    wci_table_close(s);
    return rc;
}

static int32_t check_split(const wci_zstd_tail *tail, const place *at, const wci_ledger *ledger,
                           const wci_digest *named, wc_error **err)
{
    wci_table_source *s = NULL;
    wci_digest found;
    const wci_str *stored = NULL;
    int32_t rc = find_named(tail, at, named->text, &stored, &found, err);
    if (!rc)
        rc = open_table(stored, at, &s, err);
    const wci_source text = {wci_table_read, s};
    if (!rc)
        rc = wci_chunked_read_split(&text, wci_ledger_skeleton(ledger), err);
    wci_table_close(s);
    return rc;
}

static int32_t check_contents(const wci_zstd_tail *tail, const place *at, wci_ledger *ledger,
                              const wci_chunked_taker *taker, wci_digest *table, wci_digest *split, wc_error **err)
{
    int32_t rc = wci_ledger_check_usable(ledger, err);
    return rc ? rc : read_contents(tail, at, NULL, ledger, taker, table, split, err);
}

static int32_t check_footer(const footer *f, wc_error **err)
{
    if (f->type == TYPE_CRFS)
        return WC_OK;
    return wci_err(err, WC_E_UNSUPPORTED, "zstd:chunked footer: type %llu is not known", (unsigned long long)f->type);
}

int32_t wci_chunked_check(const wci_zstd_tail *tail, wci_ledger *ledger, const wci_chunked_taker *taker,
                          wci_digest *table, wc_error **err)
{
    footer f;
    wci_digest split = {{0}};
    *table = (wci_digest){{0}};
    if (!read_footer(tail, &f))
        return WC_OK;
    int32_t rc = check_footer(&f, err);
    if (!rc)
        rc = wci_ledger_end(ledger, err);
    if (rc)
        return rc;
    if ((rc = check_contents(tail, &f.contents, ledger, taker, table, &split, err)))
        return wci_err_wrap(err, rc, "zstd:chunked table of contents");
    if (!f.split.size && wci_digest_is_set(&split))
        return wci_err(err, WC_E_FORMAT, "zstd:chunked tar-split: the table of contents names one, the footer none");
    if (f.split.size && (rc = check_split(tail, &f.split, ledger, &split, err)))
        return wci_err_wrap(err, rc, "zstd:chunked tar-split");
    return rc;
}

/* ---- Without the stream ------------------------------------------------------------------------ */

static int32_t read_whole_footer(const wci_zstd_tail *tail, footer *f, wc_error **err)
{
    if (!read_footer(tail, f) || !f->split.size)
        return wci_err(err, WC_E_FORMAT, "zstd:chunked: no footer that leads to two tables");
    return check_footer(f, err);
}

int32_t wci_chunked_list(const wci_zstd_tail *tail, const char *table, const wci_chunked_taker *taker, wc_error **err)
{
    footer f;
    wci_digest found, split = {{0}};
    const wci_str *stored = NULL;
    int32_t rc = read_whole_footer(tail, &f, err);
    if (!rc && (rc = read_contents(tail, &f.contents, table, NULL, taker, &found, &split, err)))
        return wci_err_wrap(err, rc, "zstd:chunked table of contents");
    if (!rc && !wci_digest_is_set(&split))
        return wci_err(err, WC_E_FORMAT, "zstd:chunked table of contents: names no tar-split");
    if (!rc && (rc = find_named(tail, &f.split, split.text, &stored, &found, err)))
        return wci_err_wrap(err, rc, "zstd:chunked tar-split");
    return rc;
}

int32_t wci_table_open_split(const wci_zstd_tail *tail, wci_table_source **out, wc_error **err)
{
    footer f;
    const wci_str *stored = NULL;
    int32_t rc = read_whole_footer(tail, &f, err);
    if (!rc)
        rc = find_table(tail, &f.split, &stored, err);
    return rc ? rc : open_table(stored, &f.split, out, err);
}
