/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/parts.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/chunked.h"
#include "layer/regular.h"
#include "layer/split.h"
#include "platform/tree.h"

enum {
    MAX_CONTENTS = 1 << 20,
    ASK_EVERY = 1 << 10, /* contents */
};

/* ---- What the tables say ---------------------------------------------------------------------- */

typedef struct listing {
    const wc_call *call;
    wci_layer_parts *parts;
} listing;

static uint64_t end_of_last(const wci_layer_parts *parts)
{
    return parts->count ? parts->items[parts->count - 1].end : 1; /* no tar begins with content */
}

static int32_t take_file(void *self, const wci_chunked_file *file, wc_error **err)
{
    const listing *l = self;
    wci_layer_parts *parts = l->parts;
    wci_digest digest;
    wci_part_content item = {.size = file->size, .offset = file->offset, .end = file->end};
    int32_t rc = parts->count % ASK_EVERY ? WC_OK : wci_call_check(l->call, err);
    if (!rc)
        rc = wci_digest_parse(file->digest, &digest, err);
    if (!rc && !wci_content_key_of(&digest, &item.key))
        rc = wci_err(err, WC_E_UNSUPPORTED, "has digests that are not SHA-256");
    if (rc)
        return rc;
    if (item.offset < end_of_last(parts) || item.end <= item.offset || item.end > parts->tables_at)
        return wci_err(err, WC_E_FORMAT, "has content where none can be, at %llu to %llu",
                       (unsigned long long)item.offset, (unsigned long long)item.end);
    if (parts->count == MAX_CONTENTS)
        return wci_err(err, WC_E_LIMIT, "has more than %d files with content", MAX_CONTENTS);
    if (!wci_grow(&parts->items, &parts->cap, parts->count + 1, sizeof *parts->items))
        return wci_err_nomem(err);
    parts->items[parts->count++] = item;
    return WC_OK;
}

int32_t wci_layer_parts_read(const wc_call *call, const void *end, size_t size, uint64_t at, const char *table,
                             wci_layer_parts *out, wc_error **err)
{
    wci_layer_parts parts = {.tables_at = at, .tables_size = size};
    listing l = {call, &parts};
    const wci_chunked_taker taker = {take_file, &l};
    int32_t rc = wci_zstd_tail_read(&parts.tables, end, size, at, err);
    if (!rc)
        rc = wci_chunked_list(&parts.tables, table, &taker, err);
    if (rc)
        wci_layer_parts_free(&parts);
    else
        *out = parts;
    return rc;
}

void wci_layer_parts_free(wci_layer_parts *parts)
{
    for (size_t i = 0; i < parts->count; i++)
        wci_free(parts->items[i].name);
    wci_free(parts->items);
    wci_zstd_tail_clear(&parts->tables);
    *parts = (wci_layer_parts){.count = 0};
}

/* ---- Rebuilding ------------------------------------------------------------------------------- */

struct wci_rebuild {
    const wci_layer_parts *parts;
    wci_fd frames;
    const _Atomic int *stop;
    wci_split_reader *split;
    uint64_t consumed;
    size_t next;         /* content */
    wci_split_item item; /* of the tar; */
    uint64_t done;       /* of that */
    const char *root_of; /* the tree that is open */
    wci_fd root, file;   /* file: the content's, or none */
    wci_decoder *decoder; /* … or its frames */
    uint64_t at, end;     /* of those */
};

/* The source of the decoder. */
static int32_t read_frames(void *self, void *data, size_t size, size_t *got, wc_error **err)
{
    wci_rebuild *r = self;
    uint64_t left = r->end - r->at;
    int32_t rc = wci_fd_pread(r->frames, data, left < size ? (size_t)left : size, r->at, got, err);
    if (!rc)
        r->at += *got;
    return rc;
}

static int32_t open_root(wci_rebuild *r, const char *tree, wc_error **err)
{
    if (r->root_of == tree)
        return WC_OK;
    wci_fd_close(r->root);
    r->root = WCI_FD_NONE;
    r->root_of = NULL;
    int32_t rc = wci_tree_open_root(tree, &r->root, err);
    if (!rc)
        r->root_of = tree;
    return rc;
}

static int32_t open_content(wci_rebuild *r, const wci_part_content *content, wc_error **err)
{
    if (content->tree) {
        int32_t rc = open_root(r, content->tree, err);
        return rc ? rc : wci_regular_open(r->root, content->name, &r->file, NULL, err);
    }
    const wci_source from = {read_frames, r};
    r->at = content->offset;
    r->end = content->end;
    return wci_decoder_new(WCI_CODEC_ZSTD, &from, &r->decoder, err);
}

static int32_t begin_content(wci_rebuild *r, wc_error **err)
{
    if (r->next == r->parts->count || r->parts->items[r->next].size != r->item.size)
        return wci_err(err, WC_E_FORMAT, "zstd:chunked tables: they do not agree on content %zu", r->next + 1);
    const wci_part_content *content = &r->parts->items[r->next++];
    r->consumed += content->end - content->offset;
    return open_content(r, content, err);
}

/* The frames must not have more than the table says. */
static int32_t end_content(wci_rebuild *r, wc_error **err)
{
    char more;
    size_t got = 0;
    int32_t rc = r->decoder ? wci_decoder_read(r->decoder, &more, 1, &got, err) : WC_OK;
    if (!rc && got)
        rc = wci_err(err, WC_E_FORMAT, "zstd:chunked content %zu: is longer than the table says", r->next);
    wci_decoder_free(r->decoder);
    wci_fd_close(r->file);
    r->decoder = NULL;
    r->file = WCI_FD_NONE;
    return rc;
}

/* Goes to the next item when one is through; at the end it has no size. */
static int32_t advance(wci_rebuild *r, wc_error **err)
{
    int more = 0;
    if (r->done < r->item.size)
        return WC_OK;
    int32_t rc = end_content(r, err);
    r->done = 0;
    if (!rc)
        rc = wci_split_reader_next(r->split, &r->item, &more, err);
    return rc || !more || r->item.bytes ? rc : begin_content(r, err);
}

static int32_t read_content(wci_rebuild *r, void *data, size_t size, size_t *got, wc_error **err)
{
    int32_t rc = r->decoder ? wci_decoder_read(r->decoder, data, size, got, err)
                            : wci_fd_pread(r->file, data, size, r->done, got, err);
    return rc || *got ? rc
                      : wci_err(err, WC_E_FORMAT, "zstd:chunked content %zu: is shorter than the table says", r->next);
}

static int32_t check_end(const wci_rebuild *r, wc_error **err)
{
    if (r->next == r->parts->count)
        return WC_OK;
    return wci_err(err, WC_E_FORMAT, "zstd:chunked tables: they do not agree on how many contents there are");
}

int32_t wci_rebuild_read(void *rebuild, void *data, size_t size, size_t *got, wc_error **err)
{
    wci_rebuild *r = rebuild;
    *got = 0;
    if (r->stop && *r->stop)
        return wci_err(err, WC_E_CANCELLED, "layer: ended");
    int32_t rc = advance(r, err);
    if (rc || !r->item.size)
        return rc ? rc : check_end(r, err);
    uint64_t left = r->item.size - r->done;
    size_t part = left < size ? (size_t)left : size;
    if (r->item.bytes) {
        memcpy(data, r->item.bytes + r->done, part);
        *got = part;
    } else {
        rc = read_content(r, data, part, got, err);
    }
    r->done += *got;
    return rc;
}

const uint64_t *wci_rebuild_consumed(const wci_rebuild *r)
{
    return &r->consumed;
}

int32_t wci_rebuild_new(const wci_layer_parts *parts, wci_fd frames, const _Atomic int *stop, wci_rebuild **out,
                        wc_error **err)
{
    wci_rebuild *r = wci_calloc(1, sizeof *r);
    if (!r)
        return wci_err_nomem(err);
    *r = (wci_rebuild){.parts = parts, .frames = frames, .stop = stop, .consumed = parts->tables_size,
                       .root = WCI_FD_NONE, .file = WCI_FD_NONE};
    int32_t rc = wci_split_reader_open(&parts->tables, &r->split, err);
    if (rc)
        wci_rebuild_free(r);
    else
        *out = r;
    return rc;
}

void wci_rebuild_free(wci_rebuild *r)
{
    if (!r)
        return;
    wci_split_reader_free(r->split);
    wci_decoder_free(r->decoder);
    wci_fd_close(r->file);
    wci_fd_close(r->root);
    wci_free(r);
}

/* ---- What is kept of it ------------------------------------------------------------------------ */

int32_t wci_layer_split_parts(const wci_layer_parts *parts, wci_fd frames, const wci_digest *diff_id,
                              const char *dir, const _Atomic int *stop, wc_error **err)
{
    uint64_t kept;
    wci_rebuild *rebuild = NULL;
    char *fs = wci_path_join(dir, "fs"), *split = wci_path_join(dir, "split");
    int32_t rc = fs && split ? wci_rebuild_new(parts, frames, stop, &rebuild, err) : wci_err_nomem(err);
    const wci_source tar = {wci_rebuild_read, rebuild};
    if (!rc)
        rc = wci_layer_split(&tar, WCI_CODEC_NONE, diff_id, fs, split, &kept, err);
    wci_rebuild_free(rebuild);
    wci_free(split);
    wci_free(fs);
    return rc;
}
