/* SPDX-License-Identifier: Apache-2.0 */
/* tar-split: what a tar has besides the content of its files, as lines of JSON. A line has a segment of its
 * bytes, or stands for the content of a file. */
#include <string.h>

#include "core/alloc.h"
#include "core/base64.h"
#include "core/error.h"
#include "core/json.h"
#include "layer/chunked.h"

#define WHAT "a line"

enum {
    PIECE_SIZE = 64 * 1024,
    MAX_LINE = 4 << 20, /* writers cut segments at 1 MiB, before base64 */
    TYPE_FILE = 1,
    TYPE_SEGMENT = 2,
};

static const char *const keys[] = {"type", "name", "name_raw", "size", "payload", "position", NULL};

typedef struct split {
    wci_skeleton skeleton;
    wci_str line;
} split;

static int32_t decode(json_t *object, const char *key, char **data, size_t *size, wc_error **err)
{
    const char *text = "";
    int32_t rc = wci_json_get_string(object, key, WHAT, &text, err);
    if (!rc && !(*data = wci_base64_decode(text, size)))
        rc = wci_err(err, WC_E_FORMAT, WHAT ": '%s' is not base64", key);
    return rc;
}

static int32_t take_segment(split *s, json_t *object, wc_error **err)
{
    char *data = NULL;
    size_t size = 0;
    int32_t rc = decode(object, "payload", &data, &size, err);
    if (!rc)
        wci_skeleton_bytes(&s->skeleton, data, size);
    wci_free(data);
    return rc;
}

/* Names that are not UTF-8 have a form of their own. The checksum that stands there too is of no use: what
 * content the name has, the table of contents says. */
static int32_t take_file(split *s, json_t *object, wc_error **err)
{
    int64_t size = 0;
    char *raw = NULL;
    size_t raw_size = 0;
    const char *name = "";
    int32_t rc = wci_json_get_int(object, "size", WHAT, 0, INT64_MAX, &size, err);
    if (!rc)
        rc = wci_json_get_string(object, "name", WHAT, &name, err);
    if (!rc)
        rc = decode(object, "name_raw", &raw, &raw_size, err);
    if (!rc && size)
        wci_skeleton_content(&s->skeleton, *name ? name : raw, (uint64_t)size);
    wci_free(raw);
    return rc;
}

static int32_t take_line(split *s, wc_error **err)
{
    json_t *object = NULL;
    int64_t type = 0;
    int32_t rc = wci_json_parse(s->line.data, s->line.size, MAX_LINE, WHAT, &object, err);
    if (!rc)
        rc = wci_json_check_case(object, keys, WHAT, err);
    if (!rc)
        rc = wci_json_get_int(object, "type", WHAT, TYPE_FILE, TYPE_SEGMENT, &type, err);
    if (!rc)
        rc = type == TYPE_SEGMENT ? take_segment(s, object, err)
             : type == TYPE_FILE  ? take_file(s, object, err)
                                  : wci_err(err, WC_E_FORMAT, WHAT ": has no type");
    json_decref(object);
    wci_str_clear(&s->line);
    return rc;
}

static int32_t take_text(split *s, const char *data, size_t size, wc_error **err)
{
    while (size) {
        const char *end = memchr(data, '\n', size);
        size_t part = end ? (size_t)(end - data) : size;
        if (part > MAX_LINE - s->line.size)
            return wci_err(err, WC_E_LIMIT, WHAT ": has more than %d bytes", MAX_LINE);
        wci_str_append_n(&s->line, data, part);
        if (s->line.failed)
            return wci_err_nomem(err);
        int32_t rc = end && s->line.size ? take_line(s, err) : WC_OK;
        if (rc)
            return rc;
        part += end != NULL;
        data += part;
        size -= part;
    }
    return WC_OK;
}

static int32_t take_all(split *s, const wci_source *text, wc_error **err)
{
    size_t got = 0;
    char *piece = wci_malloc(PIECE_SIZE);
    int32_t rc = piece ? WC_OK : wci_err_nomem(err);
    do {
        if (!rc)
            rc = text->read(text->self, piece, PIECE_SIZE, &got, err);
        if (!rc)
            rc = take_text(s, piece, got, err);
    } while (!rc && got);
    if (!rc && s->line.size)
        rc = take_line(s, err);
    wci_free(piece);
    return rc;
}

int32_t wci_chunked_read_split(const wci_source *text, const wci_skeleton_sum *wanted, wc_error **err)
{
    split s = {.line = WCI_STR_INIT};
    wci_skeleton_sum found;
    int32_t rc = wci_skeleton_init(&s.skeleton, err);
    if (!rc)
        rc = take_all(&s, text, err);
    if (!rc)
        rc = wci_skeleton_end(&s.skeleton, &found, err);
    if (!rc && (!wci_digest_equal(&found.bytes, &wanted->bytes) ||
                !wci_digest_equal(&found.places, &wanted->places)))
        rc = wci_err(err, WC_E_FORMAT, "makes another tar than the layer is");
    wci_skeleton_free(&s.skeleton);
    wci_str_free(&s.line);
    return rc;
}
