/* SPDX-License-Identifier: Apache-2.0 */
/* tar-split: what a tar has besides the content of its files, as lines of JSON. A line has a segment of its
 * bytes, or stands for the content of a file. */
#include <string.h>

#include "core/alloc.h"
#include "core/base64.h"
#include "core/error.h"
#include "core/json.h"
#include "layer/chunked.h"
#include "layer/chunked_table.h"

#define WHAT "a line"

enum {
    PIECE_SIZE = 64 * 1024,
    MAX_LINE = 4 << 20, /* writers cut segments at 1 MiB, before base64 */
    TYPE_FILE = 1,
    TYPE_SEGMENT = 2,
};

static const char *const keys[] = {"type", "name", "name_raw", "size", "payload", "position", NULL};

struct wci_split_reader {
    wci_source text;
    wci_table_source *table; /* behind the text; NULL: the caller's */
    char *piece;             /* of the text */
    size_t at, got;
    int at_end;
    wci_str line;
    char *payload, *raw_name; /* of the present item */
    json_t *object;
};

/* ---- Lines ------------------------------------------------------------------------------------ */

static int32_t fill(wci_split_reader *r, wc_error **err)
{
    r->at = r->got = 0;
    int32_t rc = r->text.read(r->text.self, r->piece, PIECE_SIZE, &r->got, err);
    r->at_end = !rc && !r->got;
    return rc;
}

/* Adds to the line what the piece has of it; 1 when that was its end. */
static int take_to_end(wci_split_reader *r, size_t max)
{
    const char *from = r->piece + r->at;
    size_t left = r->got - r->at;
    const char *end = memchr(from, '\n', left);
    size_t size = end ? (size_t)(end - from) : left;
    wci_str_append_n(&r->line, from, size < max ? size : max + 1); /* which is too long, and is seen to be */
    r->at += size + (end != NULL);
    return end != NULL;
}

/* The next line that is not empty; at the end there is none. */
static int32_t next_line(wci_split_reader *r, wc_error **err)
{
    wci_str_clear(&r->line);
    for (int ended = 0; !r->at_end && !(ended && r->line.size);) {
        int32_t rc = r->at == r->got ? fill(r, err) : WC_OK;
        if (rc)
            return rc;
        ended = !r->at_end && take_to_end(r, MAX_LINE - r->line.size);
        if (r->line.failed)
            return wci_err_nomem(err);
        if (r->line.size > MAX_LINE)
            return wci_err(err, WC_E_LIMIT, WHAT ": has more than %d bytes", MAX_LINE);
    }
    return WC_OK;
}

/* ---- Items ------------------------------------------------------------------------------------ */

static int32_t decode(json_t *object, const char *key, char **data, size_t *size, wc_error **err)
{
    const char *text = "";
    int32_t rc = wci_json_get_string(object, key, WHAT, &text, err);
    if (!rc && !(*data = wci_base64_decode(text, size)))
        rc = wci_err(err, WC_E_FORMAT, WHAT ": '%s' is not base64", key);
    return rc;
}

static int32_t take_segment(wci_split_reader *r, wci_split_item *item, wc_error **err)
{
    size_t size = 0;
    int32_t rc = decode(r->object, "payload", &r->payload, &size, err);
    *item = (wci_split_item){.bytes = r->payload, .size = size};
    return rc;
}

/* Names that are not UTF-8 have a form of their own. The checksum that stands there too is of no use: what
 * content the name has, the table of contents says. */
static int32_t take_file(wci_split_reader *r, wci_split_item *item, wc_error **err)
{
    int64_t size = 0;
    size_t raw_size = 0;
    const char *name = "";
    int32_t rc = wci_json_get_int(r->object, "size", WHAT, 0, INT64_MAX, &size, err);
    if (!rc)
        rc = wci_json_get_string(r->object, "name", WHAT, &name, err);
    if (!rc)
        rc = decode(r->object, "name_raw", &r->raw_name, &raw_size, err);
    *item = (wci_split_item){.name = *name ? name : r->raw_name, .size = (uint64_t)size};
    return rc;
}

static void forget_item(wci_split_reader *r)
{
    wci_free(r->payload);
    wci_free(r->raw_name);
    json_decref(r->object);
    r->payload = r->raw_name = NULL;
    r->object = NULL;
}

static int32_t take_line(wci_split_reader *r, wci_split_item *item, wc_error **err)
{
    int64_t type = 0;
    int32_t rc = wci_json_parse(r->line.data, r->line.size, MAX_LINE, WHAT, &r->object, err);
    if (!rc)
        rc = wci_json_check_case(r->object, keys, WHAT, err);
    if (!rc)
        rc = wci_json_get_int(r->object, "type", WHAT, TYPE_FILE, TYPE_SEGMENT, &type, err);
    if (rc)
        return rc;
    return type == TYPE_SEGMENT ? take_segment(r, item, err)
           : type == TYPE_FILE  ? take_file(r, item, err)
                                : wci_err(err, WC_E_FORMAT, WHAT ": has no type");
}

int32_t wci_split_reader_next(wci_split_reader *r, wci_split_item *item, int *more, wc_error **err)
{
    *item = (wci_split_item){.size = 0};
    while (!item->size) {
        forget_item(r);
        int32_t rc = next_line(r, err);
        *more = !rc && r->line.size;
        if (rc || !*more)
            return rc;
        rc = take_line(r, item, err);
        if (rc)
            return rc;
    }
    return WC_OK;
}

/* ---- Life ------------------------------------------------------------------------------------- */

int32_t wci_split_reader_new(const wci_source *text, wci_split_reader **out, wc_error **err)
{
    wci_split_reader *r = wci_calloc(1, sizeof *r);
    if (!r || !(r->piece = wci_malloc(PIECE_SIZE))) {
        wci_free(r);
        return wci_err_nomem(err);
    }
    r->text = *text;
    *out = r;
    return WC_OK;
}

int32_t wci_split_reader_open(const wci_zstd_tail *tail, wci_split_reader **out, wc_error **err)
{
    wci_table_source *table = NULL;
    int32_t rc = wci_table_open_split(tail, &table, err);
    const wci_source text = {wci_table_read, table};
    if (!rc)
        rc = wci_split_reader_new(&text, out, err);
    if (rc)
        wci_table_close(table);
    else
        (*out)->table = table;
    return rc;
}

void wci_split_reader_free(wci_split_reader *r)
{
    if (!r)
        return;
    forget_item(r);
    wci_table_close(r->table);
    wci_str_free(&r->line);
    wci_free(r->piece);
    wci_free(r);
}

/* ---- Comparing -------------------------------------------------------------------------------- */

static int32_t take_all(wci_split_reader *r, wci_skeleton *skeleton, wc_error **err)
{
    for (int more = 1; more;) {
        wci_split_item item;
        int32_t rc = wci_split_reader_next(r, &item, &more, err);
        if (rc)
            return rc;
        if (more && item.bytes)
            wci_skeleton_bytes(skeleton, item.bytes, (size_t)item.size);
        else if (more)
            wci_skeleton_content(skeleton, item.name, item.size);
    }
    return WC_OK;
}

int32_t wci_chunked_read_split(const wci_source *text, const wci_skeleton_sum *wanted, wc_error **err)
{
    wci_split_reader *r = NULL;
    wci_skeleton skeleton;
    wci_skeleton_sum found;
    int32_t rc = wci_skeleton_init(&skeleton, err);
    if (!rc)
        rc = wci_split_reader_new(text, &r, err);
    if (!rc)
        rc = take_all(r, &skeleton, err);
    if (!rc)
        rc = wci_skeleton_end(&skeleton, &found, err);
    if (!rc && (!wci_digest_equal(&found.bytes, &wanted->bytes) ||
                !wci_digest_equal(&found.places, &wanted->places)))
        rc = wci_err(err, WC_E_FORMAT, "makes another tar than the layer is");
    wci_skeleton_free(&skeleton);
    wci_split_reader_free(r);
    return rc;
}
