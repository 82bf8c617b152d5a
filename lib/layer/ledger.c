/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/path.h"
#include "platform/hash.h"

enum {
    MARK_SIZE = 16, /* of SHA-256: enough that nobody finds two entries with one mark */
};

typedef struct mark {
    unsigned char bytes[MARK_SIZE];
} mark;

struct wci_ledger {
    const uint64_t *content_frames;
    int has_content; /* the first byte of a file has come */
    int is_off;      /* its content does not begin a frame */
    int has_sparse;
    wci_skeleton skeleton;
    wci_skeleton_sum sum;
    mark *marks;
    size_t count, cap;
    size_t compared;
    wci_str open;        /* the entry whose content is coming */
    wci_hasher *content; /* of it */
};

/* ---- Skeletons -------------------------------------------------------------------------------- */

int32_t wci_skeleton_init(wci_skeleton *s, wc_error **err)
{
    *s = (wci_skeleton){NULL, NULL, 0};
    int32_t rc = wci_hasher_new(WCI_SHA256, &s->bytes, err);
    return rc ? rc : wci_hasher_new(WCI_SHA256, &s->places, err);
}

void wci_skeleton_bytes(wci_skeleton *s, const void *data, size_t size)
{
    wci_hasher_update(s->bytes, data, size);
    s->size += size;
}

void wci_skeleton_content(wci_skeleton *s, const char *name, uint64_t size)
{
    const uint64_t place[2] = {s->size, size};
    wci_hasher_update(s->places, place, sizeof place);
    wci_hasher_update(s->places, name, strlen(name) + 1);
}

int32_t wci_skeleton_end(wci_skeleton *s, wci_skeleton_sum *out, wc_error **err)
{
    int32_t rc = wci_hasher_final(s->bytes, &out->bytes, err);
    return rc ? rc : wci_hasher_final(s->places, &out->places, err);
}

void wci_skeleton_free(wci_skeleton *s)
{
    wci_hasher_free(s->bytes);
    wci_hasher_free(s->places);
    *s = (wci_skeleton){NULL, NULL, 0};
}

/* ---- Entries as text -------------------------------------------------------------------------- */

static int is_link(wci_entry_type type)
{
    return type == WCI_ENTRY_SYMLINK || type == WCI_ENTRY_HARDLINK;
}

static int is_device(wci_entry_type type)
{
    return type == WCI_ENTRY_CHAR || type == WCI_ENTRY_BLOCK;
}

/* With a zero behind it, which no text has in itself. */
static void append_text(wci_str *out, const char *text)
{
    wci_str_append_utf8(out, text);
    wci_str_append_c(out, '\0');
}

static int by_key(const void *a, const void *b)
{
    const wci_xattr *const *x = a, *const *y = b;
    return strcmp((*x)->key, (*y)->key);
}

/* In the order of their names; empty ones do not count, as not all writers list them. */
static int32_t append_xattrs(wci_str *out, const wci_listed *entry, wc_error **err)
{
    size_t count = 0;
    const wci_xattr **sorted = wci_calloc(entry->xattr_count + 1, sizeof *sorted);
    if (!sorted)
        return wci_err_nomem(err);
    for (size_t i = 0; i < entry->xattr_count; i++)
        if (entry->xattrs[i].size)
            sorted[count++] = &entry->xattrs[i];
    qsort(sorted, count, sizeof *sorted, by_key);
    for (size_t i = 0; i < count; i++) {
        append_text(out, sorted[i]->key);
        wci_str_printf(out, "%zu:", sorted[i]->size);
        wci_str_append_n(out, sorted[i]->value, sorted[i]->size);
    }
    wci_free(sorted);
    return WC_OK;
}

/* All but the digest, in a form that is different for different entries. What has no meaning for the type, or
 * is not said by all tars, does not count. */
static int32_t write_entry(wci_str *out, const wci_listed *entry, wc_error **err)
{
    wci_entry_type type = entry->type;
    wci_str_clear(out);
    wci_str_printf(out, "%d %o %u %u %llu ", (int)type, (unsigned)entry->mode & 07777u, (unsigned)entry->uid,
                   (unsigned)entry->gid, type == WCI_ENTRY_FILE ? (unsigned long long)entry->size : 0ull);
    wci_str_printf(out, "%u %u ", is_device(type) ? (unsigned)entry->major : 0,
                   is_device(type) ? (unsigned)entry->minor : 0);
    append_text(out, entry->name);
    append_text(out, is_link(type) ? entry->link : "");
    int32_t rc = append_xattrs(out, entry, err);
    append_text(out, "");
    return !rc && out->failed ? wci_err_nomem(err) : rc;
}

/* Appends the digest of the content, which ends the text, and gives the mark. */
static int32_t make_mark(wci_str *text, const char *digest, mark *out, wc_error **err)
{
    unsigned char sum[WCI_HASH_MAX_SIZE];
    wci_hash *hash = NULL;
    wci_str_append(text, digest);
    if (text->failed)
        return wci_err_nomem(err);
    int32_t rc = wci_hash_new(256, &hash, err);
    if (!rc && !(wci_hash_update(hash, text->data, text->size) && wci_hash_final(hash, sum)))
        rc = wci_err(err, WC_E_INTERNAL, "layer: hashing an entry failed");
    wci_hash_free(hash);
    if (!rc)
        memcpy(out->bytes, sum, sizeof out->bytes);
    return rc;
}

/* ---- Noting ----------------------------------------------------------------------------------- */

int32_t wci_ledger_new(const uint64_t *content_frames, wci_ledger **out, wc_error **err)
{
    wci_ledger *l = wci_calloc(1, sizeof *l);
    if (!l)
        return wci_err_nomem(err);
    l->content_frames = content_frames;
    int32_t rc = wci_skeleton_init(&l->skeleton, err);
    if (rc) {
        wci_ledger_free(l);
        return rc;
    }
    *out = l;
    return WC_OK;
}

static void forget(wci_ledger *l)
{
    wci_skeleton_free(&l->skeleton);
    wci_hasher_free(l->content);
    wci_str_free(&l->open);
    wci_free(l->marks);
    l->content = NULL;
    l->marks = NULL;
    l->count = l->cap = 0;
}

void wci_ledger_free(wci_ledger *l)
{
    if (!l)
        return;
    forget(l);
    wci_free(l);
}

void wci_ledger_take_bytes(wci_ledger *l, const void *data, size_t size)
{
    if (!l->is_off)
        wci_skeleton_bytes(&l->skeleton, data, size);
}

/* The first frame has ended by now if this does not belong to it. */
static void see_first_content(wci_ledger *l)
{
    l->has_content = 1;
    if (*l->content_frames == 0) {
        l->is_off = 1;
        forget(l);
    }
}

void wci_ledger_take_content(wci_ledger *l, const void *data, size_t size)
{
    if (!l->has_content)
        see_first_content(l);
    if (l->content)
        wci_hasher_update(l->content, data, size);
}

static int32_t add_mark(wci_ledger *l, const char *digest, wc_error **err)
{
    if (!wci_grow(&l->marks, &l->cap, l->count + 1, sizeof *l->marks))
        return wci_err_nomem(err);
    int32_t rc = make_mark(&l->open, digest, &l->marks[l->count], err);
    l->count += !rc;
    return rc;
}

static int32_t finish_content(wci_ledger *l, wc_error **err)
{
    wci_digest digest;
    if (!l->content)
        return WC_OK;
    int32_t rc = wci_hasher_final(l->content, &digest, err);
    wci_hasher_free(l->content);
    l->content = NULL;
    return rc ? rc : add_mark(l, digest.text, err);
}

static int32_t begin_content(wci_ledger *l, const wci_tar_entry *entry, wc_error **err)
{
    wci_skeleton_content(&l->skeleton, entry->name, entry->size);
    return wci_hasher_new(WCI_SHA256, &l->content, err);
}

int32_t wci_ledger_take_entry(wci_ledger *l, const wci_tar_entry *entry, wc_error **err)
{
    const wci_attrs *attrs = &entry->attrs;
    const wci_listed listed = {entry->type,   entry->name,      entry->link,       entry->size,
                               attrs->mode,   attrs->uid,       attrs->gid,        entry->dev_major,
                               entry->dev_minor, attrs->xattrs, attrs->xattr_count, ""};
    if (l->is_off || entry->type == WCI_ENTRY_IGNORED)
        return WC_OK;
    l->has_sparse |= entry->is_sparse;
    int32_t rc = finish_content(l, err);
    if (!rc)
        rc = write_entry(&l->open, &listed, err);
    if (rc)
        return rc;
    return entry->data_size ? begin_content(l, entry, err) : add_mark(l, "", err);
}

int32_t wci_ledger_end(wci_ledger *l, wc_error **err)
{
    if (l->is_off)
        return WC_OK;
    int32_t rc = finish_content(l, err);
    return rc ? rc : wci_skeleton_end(&l->skeleton, &l->sum, err);
}

/* ---- Comparing -------------------------------------------------------------------------------- */

int32_t wci_ledger_check_usable(const wci_ledger *l, wc_error **err)
{
    if (l->is_off)
        return wci_err(err, WC_E_FORMAT, "has files whose content begins amid a frame");
    if (l->has_sparse)
        return wci_err(err, WC_E_FORMAT, "has sparse files, which it cannot describe");
    return WC_OK;
}

int32_t wci_ledger_compare(wci_ledger *l, const wci_listed *entry, wc_error **err)
{
    mark found;
    char shown[WCI_SHOWN_SIZE];
    int32_t rc = write_entry(&l->open, entry, err);
    if (!rc)
        rc = make_mark(&l->open, entry->digest, &found, err);
    if (rc)
        return rc;
    if (l->compared == l->count || memcmp(&l->marks[l->compared], &found, sizeof found) != 0)
        return wci_err(err, WC_E_FORMAT, "entry %zu, '%s', is not what the layer has there",
                       l->compared + 1, wci_path_shown(entry->name, shown));
    l->compared++;
    return WC_OK;
}

int32_t wci_ledger_compare_end(const wci_ledger *l, wc_error **err)
{
    if (l->compared != l->count)
        return wci_err(err, WC_E_FORMAT, "has %zu entries, the layer %zu", l->compared, l->count);
    return WC_OK;
}

const wci_skeleton_sum *wci_ledger_skeleton(const wci_ledger *l)
{
    return &l->sum;
}
