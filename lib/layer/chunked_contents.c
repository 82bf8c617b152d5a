/* SPDX-License-Identifier: Apache-2.0 */
/* The table of contents of zstd:chunked: JSON in the form of CRFS, entries in the order of the tar. */
#include <string.h>

#include "core/alloc.h"
#include "core/base64.h"
#include "core/error.h"
#include "core/json_stream.h"
#include "layer/chunked.h"
#include "layer/path.h"

#define WHAT "its JSON"
#define DIGEST_OF_NOTHING "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

enum { PIECE_SIZE = 64 * 1024 };

static const char *const table_keys[] = {"version", "entries", "tarSplitDigest", NULL};
static const char *const entry_keys[] = {
    "type",        "name",      "linkName",   "mode",        "size",      "uid",      "gid",
    "userName",    "groupName", "modtime",    "accesstime",  "changetime", "devMajor", "devMinor",
    "NumLink",     "xattrs",    "digest",     "offset",      "endOffset", "chunkSize", "chunkOffset",
    "chunkDigest", "chunkType", "innerOffset", NULL};

typedef struct contents {
    wci_ledger *ledger;
    const wci_chunked_taker *taker;
    wci_str file; /* the last file's name: pieces of it may follow */
    int64_t file_size, piece_at;
    wci_xattr *xattrs; /* of the present entry, with owned values */
    size_t xattr_count, xattr_cap;
} contents;

static void forget_xattrs(contents *c)
{
    while (c->xattr_count)
        wci_free((void *)(uintptr_t)c->xattrs[--c->xattr_count].value);
}

static int32_t bad_entry(const char *name, const char *why, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    return wci_err(err, WC_E_FORMAT, "entry '%s' %s", wci_path_shown(name, shown), why);
}

static int32_t read_xattrs(contents *c, json_t *object, wc_error **err)
{
    json_t *all = NULL, *value;
    const char *key;
    int32_t rc = wci_json_get_object(object, "xattrs", WHAT, &all, err);
    if (rc || !all)
        return rc;
    json_object_foreach(all, key, value)
    {
        size_t size = 0;
        const char *text = json_string_value(value);
        if (!wci_grow(&c->xattrs, &c->xattr_cap, c->xattr_count + 1, sizeof *c->xattrs))
            return wci_err_nomem(err);
        char *data = text ? wci_base64_decode(text, &size) : NULL;
        if (!data)
            return wci_err(err, WC_E_FORMAT, "an extended attribute is not base64");
        c->xattrs[c->xattr_count++] = (wci_xattr){key, data, size};
    }
    return WC_OK;
}

static int32_t read_type(const char *text, const char *name, wci_entry_type *out, wc_error **err)
{
    static const struct {
        const char *text;
        wci_entry_type type;
    } types[] = {{"reg", WCI_ENTRY_FILE},     {"dir", WCI_ENTRY_DIR},         {"symlink", WCI_ENTRY_SYMLINK},
                 {"hardlink", WCI_ENTRY_HARDLINK}, {"char", WCI_ENTRY_CHAR},  {"block", WCI_ENTRY_BLOCK},
                 {"fifo", WCI_ENTRY_FIFO}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].text, text) == 0) {
            *out = types[i].type;
            return WC_OK;
        }
    }
    return bad_entry(name, "has an unknown type", err);
}

static int32_t read_u32(json_t *object, const char *key, uint32_t *out, wc_error **err)
{
    int64_t value = 0;
    int32_t rc = wci_json_get_int(object, key, WHAT, 0, UINT32_MAX, &value, err);
    *out = (uint32_t)value;
    return rc;
}

static int32_t read_numbers(json_t *object, wci_listed *entry, wc_error **err)
{
    int64_t size = 0;
    int32_t rc = wci_json_get_int(object, "size", WHAT, 0, INT64_MAX, &size, err);
    entry->size = (uint64_t)size;
    if (rc || (rc = read_u32(object, "mode", &entry->mode, err)) ||
        (rc = read_u32(object, "uid", &entry->uid, err)) ||
        (rc = read_u32(object, "gid", &entry->gid, err)) ||
        (rc = read_u32(object, "devMajor", &entry->major, err)))
        return rc;
    return read_u32(object, "devMinor", &entry->minor, err);
}

/* Of no content there is none, or that of nothing; the tar's side has none. */
static int32_t settle_digest(wci_listed *entry, wc_error **err)
{
    wci_digest digest;
    if (entry->type != WCI_ENTRY_FILE)
        entry->digest = "";
    else if (entry->size)
        return wci_digest_parse(entry->digest, &digest, err);
    else if (strcmp(entry->digest, DIGEST_OF_NOTHING) == 0)
        entry->digest = "";
    return WC_OK;
}

/* Where its frames are; a table may do without, as the rest of it is good for comparing. */
static int32_t give_file(contents *c, json_t *object, const wci_listed *entry, wc_error **err)
{
    int64_t offset = 0, end = 0;
    if (!c->taker || !*entry->digest)
        return WC_OK;
    int32_t rc = wci_json_get_int(object, "offset", WHAT, 0, INT64_MAX, &offset, err);
    if (!rc)
        rc = wci_json_get_int(object, "endOffset", WHAT, 0, INT64_MAX, &end, err);
    const wci_chunked_file file = {entry->name, entry->digest, entry->size, (uint64_t)offset, (uint64_t)end};
    return rc ? rc : c->taker->take(c->taker->self, &file, err);
}

static int32_t take_listed(contents *c, json_t *object, const char *type, const char *name, wc_error **err)
{
    wci_listed entry = {.name = name, .link = "", .digest = ""};
    int32_t rc = read_type(type, name, &entry.type, err);
    if (!rc)
        rc = wci_json_get_string(object, "linkName", WHAT, &entry.link, err);
    if (!rc)
        rc = wci_json_get_string(object, "digest", WHAT, &entry.digest, err);
    if (!rc)
        rc = read_numbers(object, &entry, err);
    if (!rc)
        rc = settle_digest(&entry, err);
    if (!rc)
        rc = read_xattrs(c, object, err);
    entry.xattrs = c->xattrs;
    entry.xattr_count = c->xattr_count;
    if (!rc && c->ledger)
        rc = wci_ledger_compare(c->ledger, &entry, err);
    if (!rc)
        rc = give_file(c, object, &entry, err);
    forget_xattrs(c);
    wci_str_clear(&c->file);
    wci_str_append(&c->file, entry.type == WCI_ENTRY_FILE ? name : "");
    c->file_size = (int64_t)entry.size;
    c->piece_at = 0;
    return !rc && c->file.failed ? wci_err_nomem(err) : rc;
}

/* A further piece of the file before it. Its digest needs no look: the file's tells. */
static int32_t take_piece(contents *c, json_t *object, const char *name, wc_error **err)
{
    int64_t at = 0;
    int32_t rc = wci_json_get_int(object, "chunkOffset", WHAT, 0, INT64_MAX, &at, err);
    if (rc)
        return rc;
    if (!c->file.size || strcmp(c->file.data, name) != 0)
        return bad_entry(name, "is a piece of no file", err);
    if (at <= c->piece_at || at >= c->file_size)
        return bad_entry(name, "is a piece out of its file or out of order", err);
    c->piece_at = at;
    return WC_OK;
}

static int32_t take_entry(void *self, json_t *object, wc_error **err)
{
    contents *c = self;
    const char *type = "", *name = "";
    int32_t rc = wci_json_check_case(object, entry_keys, WHAT, err);
    if (!rc)
        rc = wci_json_get_string(object, "type", WHAT, &type, err);
    if (!rc)
        rc = wci_json_get_string(object, "name", WHAT, &name, err);
    if (rc)
        return rc;
    return strcmp(type, "chunk") == 0 ? take_piece(c, object, name, err)
                                      : take_listed(c, object, type, name, err);
}

static int32_t feed_all(const wci_source *text, wci_json_stream *stream, wc_error **err)
{
    size_t got = 0;
    char *piece = wci_malloc(PIECE_SIZE);
    int32_t rc = piece ? WC_OK : wci_err_nomem(err);
    do {
        if (!rc)
            rc = text->read(text->self, piece, PIECE_SIZE, &got, err);
        if (!rc)
            rc = wci_json_stream_feed(stream, piece, got, err);
    } while (!rc && got);
    wci_free(piece);
    return rc;
}

static int32_t read_rest(json_t *rest, wci_digest *tar_split, wc_error **err)
{
    int64_t version = 0;
    const char *split = NULL;
    int32_t rc = wci_json_check_case(rest, table_keys, WHAT, err);
    if (!rc)
        rc = wci_json_get_int(rest, "version", WHAT, 0, INT64_MAX, &version, err);
    if (!rc && version != 1)
        rc = wci_err(err, WC_E_UNSUPPORTED, "version %lld is not known", (long long)version);
    if (!rc)
        rc = wci_json_get_string(rest, "tarSplitDigest", WHAT, &split, err);
    if (!rc && split && *split)
        rc = wci_digest_parse(split, tar_split, err);
    return rc;
}

int32_t wci_chunked_read_contents(const wci_source *text, wci_ledger *ledger, const wci_chunked_taker *taker,
                                  wci_digest *tar_split, wc_error **err)
{
    contents c = {.ledger = ledger, .taker = taker};
    json_t *rest = NULL;
    wci_json_stream *stream = NULL;
    const wci_json_stream_rules rules = {WHAT, "entries", take_entry, &c};
    int32_t rc = wci_json_stream_new(&rules, &stream, err);
    if (!rc)
        rc = feed_all(text, stream, err);
    if (!rc)
        rc = wci_json_stream_end(stream, &rest, err);
    if (!rc)
        rc = read_rest(rest, tar_split, err);
    if (!rc && ledger)
        rc = wci_ledger_compare_end(ledger, err);
    json_decref(rest);
    wci_json_stream_free(stream);
    forget_xattrs(&c);
    wci_free(c.xattrs);
    wci_str_free(&c.file);
    return rc;
}
