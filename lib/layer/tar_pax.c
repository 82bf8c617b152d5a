/* SPDX-License-Identifier: Apache-2.0 */
/* Pax extended headers: "LENGTH KEY=VALUE\n" records, POSIX.1-2017 pax, "pax Header Block". */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/path.h"
#include "layer/tar_header.h"
#include "layer/windows_attrs.h"

enum { MAX_XATTR_KEY = 255, MAX_XATTR_VALUE = 65536, MAX_XATTRS = 1024 };

static const char xattr_prefix[] = "SCHILY.xattr.";

typedef struct pax_state {
    wci_tar_parts *parts;
    wci_tar_entry *entry;
    uint64_t sparse_major, sparse_minor;
    uint64_t real_size;
    uint64_t region_offset; /* of version 0.0, where offset and size are records of their own */
    const char *sparse_name; /* the true one: "path" may name a made-up directory */
    int has_region_offset;
    int is_sparse, has_real_size;
} pax_state;

typedef wci_pax_record pax_record;

static int32_t bad_value(const pax_record *r, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    return wci_err(err, WC_E_FORMAT, "pax header: the value of '%s' is not acceptable",
                   wci_path_shown(r->key, shown));
}

static int32_t take_number(const pax_record *r, uint64_t max, uint64_t *out, wc_error **err)
{
    if (!wci_tar_decimal(r->value, r->value + r->value_size, max, out))
        return bad_value(r, err);
    return WC_OK;
}

static int32_t take_text(const pax_record *r, const char **out, wc_error **err)
{
    if (memchr(r->value, '\0', r->value_size))
        return bad_value(r, err);
    *out = r->value;
    return WC_OK;
}

static int32_t take_id(const pax_record *r, uint32_t *out, wc_error **err)
{
    uint64_t value = 0;
    int32_t rc = take_number(r, UINT32_MAX - 1, &value, err);
    if (!rc)
        *out = (uint32_t)value;
    return rc;
}

/* Nanoseconds of ".fraction", further digits dropped; -1 when malformed. */
static int32_t fraction_ns(const char *p, const char *end)
{
    int32_t ns = 0, unit = 100000000;
    if (p == end)
        return 0;
    if (*p++ != '.')
        return -1;
    for (; p < end; p++) {
        if (*p < '0' || *p > '9')
            return -1;
        ns += (*p - '0') * unit;
        unit /= 10;
    }
    return ns;
}

static int32_t take_time(const pax_record *r, wci_attrs *attrs, wc_error **err)
{
    const char *p = r->value, *end = r->value + r->value_size;
    int negative = p < end && *p == '-';
    p += negative;
    const char *point = p;
    while (point < end && *point != '.')
        point++;
    uint64_t whole = 0;
    int32_t ns = fraction_ns(point, end);
    if (ns < 0 || !wci_tar_decimal(p, point, INT64_MAX / 2, &whole))
        return bad_value(r, err);
    attrs->mtime_sec = negative ? -(int64_t)whole : (int64_t)whole;
    attrs->mtime_nsec = ns;
    if (negative && ns) { /* -1.25 is the second -2 and 0.75 */
        attrs->mtime_sec--;
        attrs->mtime_nsec = 1000000000 - ns;
    }
    return WC_OK;
}

static int32_t take_xattr(const pax_record *r, wci_tar_parts *parts, wc_error **err)
{
    const char *key = r->key + sizeof xattr_prefix - 1;
    if (!*key || strlen(key) > MAX_XATTR_KEY || r->value_size > MAX_XATTR_VALUE)
        return bad_value(r, err);
    wci_xattr x = {key, r->value, r->value_size};
    for (size_t i = 0; i < parts->xattr_count; i++) {
        if (strcmp(parts->xattrs[i].key, key) == 0) {
            parts->xattrs[i] = x;
            return WC_OK;
        }
    }
    if (parts->xattr_count >= MAX_XATTRS)
        return wci_err(err, WC_E_LIMIT, "pax header: more than %d extended attributes",
                       MAX_XATTRS);
    if (!wci_grow(&parts->xattrs, &parts->xattr_cap, parts->xattr_count + 1,
                  sizeof *parts->xattrs))
        return wci_err_nomem(err);
    parts->xattrs[parts->xattr_count++] = x;
    return WC_OK;
}

/* "offset,size,offset,size": version 0.1. */
static int32_t take_sparse_map(const pax_record *r, wci_tar_parts *parts, wc_error **err)
{
    const char *p = r->value, *end = r->value + r->value_size;
    parts->region_count = 0;
    while (p < end) {
        uint64_t pair[2];
        for (int i = 0; i < 2; i++) {
            const char *comma = memchr(p, ',', (size_t)(end - p));
            const char *stop = comma ? comma : end;
            if ((i == 0 && !comma) || !wci_tar_decimal(p, stop, INT64_MAX, &pair[i]))
                return bad_value(r, err);
            p = comma ? comma + 1 : end;
        }
        int32_t rc = wci_tar_add_region(parts, pair[0], pair[1], err);
        if (rc)
            return rc;
    }
    return WC_OK;
}

static int32_t take_region_size(const pax_record *r, pax_state *s, wc_error **err)
{
    uint64_t size = 0;
    int32_t rc = take_number(r, INT64_MAX, &size, err);
    if (rc)
        return rc;
    if (!s->has_region_offset)
        return bad_value(r, err);
    s->has_region_offset = 0;
    return wci_tar_add_region(s->parts, s->region_offset, size, err);
}

static int32_t take_sparse(const pax_record *r, pax_state *s, wc_error **err)
{
    const char *key = r->key + strlen("GNU.sparse.");
    uint64_t ignored = 0;
    s->is_sparse = 1;
    if (strcmp(key, "major") == 0)
        return take_number(r, 1, &s->sparse_major, err);
    if (strcmp(key, "minor") == 0)
        return take_number(r, 1, &s->sparse_minor, err);
    if (strcmp(key, "name") == 0)
        return take_text(r, &s->sparse_name, err);
    if (strcmp(key, "size") == 0 || strcmp(key, "realsize") == 0) {
        s->has_real_size = 1;
        return take_number(r, INT64_MAX, &s->real_size, err);
    }
    if (strcmp(key, "map") == 0)
        return take_sparse_map(r, s->parts, err);
    if (strcmp(key, "offset") == 0) {
        s->has_region_offset = 1;
        return take_number(r, INT64_MAX, &s->region_offset, err);
    }
    if (strcmp(key, "numbytes") == 0)
        return take_region_size(r, s, err);
    if (strcmp(key, "numblocks") == 0)
        return take_number(r, UINT64_MAX, &ignored, err);
    return bad_value(r, err);
}

static int32_t take_size(const pax_record *r, wci_tar_entry *entry, wc_error **err)
{
    uint64_t size = 0;
    int32_t rc = take_number(r, INT64_MAX, &size, err);
    if (!rc)
        entry->size = entry->data_size = size;
    return rc;
}

static int32_t take_record(const pax_record *r, pax_state *s, wc_error **err)
{
    wci_tar_entry *entry = s->entry;
    if (strncmp(r->key, xattr_prefix, sizeof xattr_prefix - 1) == 0)
        return take_xattr(r, s->parts, err);
    if (r->value_size == 0)
        return WC_OK; /* "as if there were no record" */
    if (strcmp(r->key, "path") == 0)
        return take_text(r, &entry->name, err);
    if (strcmp(r->key, "linkpath") == 0)
        return take_text(r, &entry->link, err);
    if (strcmp(r->key, "size") == 0)
        return take_size(r, entry, err);
    if (strcmp(r->key, "uid") == 0)
        return take_id(r, &entry->attrs.uid, err);
    if (strcmp(r->key, "gid") == 0)
        return take_id(r, &entry->attrs.gid, err);
    if (strcmp(r->key, "mtime") == 0)
        return take_time(r, &entry->attrs, err);
    if (strncmp(r->key, "GNU.sparse.", strlen("GNU.sparse.")) == 0)
        return take_sparse(r, s, err);
    if (wci_windows_is_record(r->key))
        return wci_windows_take_record(&entry->windows, r->key, r->value, r->value_size, err);
    return WC_OK; /* atime, ctime, names of users, comments … */
}

int32_t wci_pax_next(char **p, char *end, pax_record *r, wc_error **err)
{
    uint64_t size = 0;
    char *start = *p;
    char *space = memchr(start, ' ', (size_t)(end - start));
    if (!space || !wci_tar_decimal(start, space, (uint64_t)(end - start), &size) ||
        size < (uint64_t)(space - start) + 3 || start[size - 1] != '\n')
        return wci_err(err, WC_E_FORMAT, "pax header: a record has a wrong length");
    char *newline = start + size - 1;
    r->key = space + 1;
    char *equals = memchr(r->key, '=', (size_t)(newline - r->key));
    if (!equals || equals == r->key || memchr(r->key, '\0', (size_t)(equals - r->key)))
        return wci_err(err, WC_E_FORMAT, "pax header: a record has no proper key");
    *equals = '\0';
    *newline = '\0';
    r->value = equals + 1;
    r->value_size = (size_t)(newline - r->value);
    *p = newline + 1;
    return WC_OK;
}

static int32_t finish_sparse(pax_state *s, wc_error **err)
{
    if (!s->is_sparse)
        return WC_OK;
    if (s->has_region_offset || !s->has_real_size)
        return wci_err(err, WC_E_FORMAT, "sparse file: its pax header is not complete");
    s->parts->has_map_in_data = s->sparse_major == 1;
    s->entry->is_sparse = 1;
    s->entry->size = s->real_size;
    if (s->sparse_name)
        s->entry->name = s->sparse_name;
    return WC_OK;
}

int32_t wci_tar_pax_apply(wci_tar_parts *parts, wci_tar_entry *entry, wc_error **err)
{
    int32_t rc;
    pax_state s = {.parts = parts, .entry = entry};
    if (!parts->pax.size && !parts->pax_global.size)
        goto done;
    wci_str_clear(&parts->work);
    wci_str_append_n(&parts->work, parts->pax_global.data, parts->pax_global.size);
    wci_str_append_n(&parts->work, parts->pax.data, parts->pax.size);
    if (parts->work.failed)
        return wci_err_nomem(err);
    char *p = parts->work.data, *end = p + parts->work.size;
    while (p < end) {
        pax_record r;
        if ((rc = wci_pax_next(&p, end, &r, err)) || (rc = take_record(&r, &s, err)))
            return rc;
    }
    if ((rc = finish_sparse(&s, err)))
        return rc;
done:
    entry->attrs.xattrs = parts->xattrs;
    entry->attrs.xattr_count = parts->xattr_count;
    return WC_OK;
}
