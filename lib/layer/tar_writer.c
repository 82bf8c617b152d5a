/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/tar_writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"

enum {
    NAME_SIZE = 100,
    AT_MODE = 100,
    AT_UID = 108,
    AT_GID = 116,
    AT_SIZE = 124,
    AT_MTIME = 136,
    AT_CHECKSUM = 148,
    AT_TYPE = 156,
    AT_LINK = 157,
    AT_MAGIC = 257,
    AT_DEV_MAJOR = 329,
    AT_DEV_MINOR = 337,
    MAX_ID = 07777777,
};
#define MAX_OCTAL_12 UINT64_C(077777777777)

static const unsigned char zeros[2 * WCI_TAR_BLOCK];

int32_t wci_tar_writer_data(wci_tar_writer *w, const void *data, size_t size, wc_error **err)
{
    return w->sink.write(w->sink.self, data, size, err);
}

int32_t wci_tar_writer_pad(wci_tar_writer *w, uint64_t size, wc_error **err)
{
    size_t pad = (size_t)(-size & (WCI_TAR_BLOCK - 1));
    return pad ? wci_tar_writer_data(w, zeros, pad, err) : WC_OK;
}

int32_t wci_tar_writer_end(wci_tar_writer *w, wc_error **err)
{
    return wci_tar_writer_data(w, zeros, sizeof zeros, err);
}

void wci_tar_writer_free(wci_tar_writer *w)
{
    wci_str_free(&w->records);
    wci_str_free(&w->more);
}

/* "LENGTH KEY=VALUE\n", the length counting itself. */
static void add_record(wci_str *out, const char *prefix, const char *key, const void *value,
                       size_t size)
{
    size_t body = strlen(prefix) + strlen(key) + size + 3, total = body + 1;
    char digits[24];
    while ((size_t)snprintf(digits, sizeof digits, "%zu", total) + body != total)
        total = body + strlen(digits);
    wci_str_append(out, digits);
    wci_str_append_c(out, ' ');
    wci_str_append(out, prefix);
    wci_str_append(out, key);
    wci_str_append_c(out, '=');
    wci_str_append_n(out, value, size);
    wci_str_append_c(out, '\n');
}

void wci_pax_add(wci_str *out, const char *key, const void *value, size_t size)
{
    add_record(out, "", key, value, size);
}

static void add_number(wci_str *out, const char *key, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRIu64, value);
    add_record(out, "", key, text, strlen(text));
}

void wci_pax_add_time(wci_str *out, const char *key, int64_t sec, int32_t nsec)
{
    char text[40];
    int negative = sec < 0;
    if (negative && nsec) { /* second -2 and 0.75 is -1.25 */
        sec++;
        nsec = 1000000000 - nsec;
    }
    uint64_t whole = negative ? (uint64_t)-sec : (uint64_t)sec;
    int n = snprintf(text, sizeof text, "%s%" PRIu64, negative ? "-" : "", whole);
    if (nsec) {
        n += snprintf(text + n, sizeof text - (size_t)n, ".%09" PRId32, nsec);
        while (text[n - 1] == '0')
            text[--n] = '\0';
    }
    add_record(out, "", key, text, strlen(text));
}

static int fits(const char *text)
{
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] >= 0x80)
            return 0;
    return size <= NAME_SIZE;
}

static void collect_records(wci_tar_writer *w, const wci_tar_entry *entry)
{
    const wci_attrs *a = &entry->attrs;
    wci_str *out = &w->records;
    wci_str_clear(out);
    if (!fits(entry->name))
        add_record(out, "", "path", entry->name, strlen(entry->name));
    if (!fits(entry->link))
        add_record(out, "", "linkpath", entry->link, strlen(entry->link));
    if (entry->data_size > MAX_OCTAL_12)
        add_number(out, "size", entry->data_size);
    if (a->uid > MAX_ID)
        add_number(out, "uid", a->uid);
    if (a->gid > MAX_ID)
        add_number(out, "gid", a->gid);
    if (a->mtime_nsec || a->mtime_sec < 0 || (uint64_t)a->mtime_sec > MAX_OCTAL_12)
        wci_pax_add_time(out, "mtime", a->mtime_sec, a->mtime_nsec);
    for (size_t i = 0; i < a->xattr_count; i++)
        add_record(out, "SCHILY.xattr.", a->xattrs[i].key, a->xattrs[i].value, a->xattrs[i].size);
    wci_str_append_n(out, w->more.data, w->more.size);
    out->failed |= w->more.failed;
}

/* `size` counts the zero byte at the end. */
static void put_octal(unsigned char *field, size_t size, uint64_t value)
{
    field[--size] = '\0';
    while (size) {
        field[--size] = (unsigned char)('0' + (value & 7));
        value >>= 3;
    }
}

static void put_text(unsigned char *field, const char *text)
{
    size_t size = strnlen(text, NAME_SIZE);
    memcpy(field, text, size);
}

static void put_checksum(unsigned char *block)
{
    uint64_t sum = 0;
    memset(block + AT_CHECKSUM, ' ', 8);
    for (size_t i = 0; i < WCI_TAR_BLOCK; i++)
        sum += block[i];
    put_octal(block + AT_CHECKSUM, 7, sum);
}

int32_t wci_tar_set_mode(unsigned char *block, uint32_t mode, wc_error **err)
{
    int64_t old = 0;
    int32_t rc = wci_tar_number(block + AT_MODE, 8, "mode", &old, err);
    if (rc)
        return rc;
    put_octal(block + AT_MODE, 8, (uint64_t)(old & 0777777 & ~07777) | mode); /* some add the type */
    put_checksum(block);
    return WC_OK;
}

static char type_flag(wci_entry_type type)
{
    switch (type) {
    case WCI_ENTRY_DIR:
        return '5';
    case WCI_ENTRY_SYMLINK:
        return '2';
    case WCI_ENTRY_HARDLINK:
        return '1';
    case WCI_ENTRY_CHAR:
        return '3';
    case WCI_ENTRY_BLOCK:
        return '4';
    case WCI_ENTRY_FIFO:
        return '6';
    default:
        return '0';
    }
}

static uint64_t at_most(uint64_t value, uint64_t max)
{
    return value > max ? max : value;
}

static int32_t write_header(wci_tar_writer *w, const wci_tar_entry *entry, char flag,
                            wc_error **err)
{
    unsigned char block[WCI_TAR_BLOCK] = {0};
    const wci_attrs *a = &entry->attrs;
    put_text(block, entry->name);
    put_octal(block + AT_MODE, 8, a->mode);
    put_octal(block + AT_UID, 8, at_most(a->uid, MAX_ID));
    put_octal(block + AT_GID, 8, at_most(a->gid, MAX_ID));
    put_octal(block + AT_SIZE, 12, at_most(entry->data_size, MAX_OCTAL_12));
    put_octal(block + AT_MTIME, 12, a->mtime_sec < 0 ? 0
                                                     : at_most((uint64_t)a->mtime_sec,
                                                               MAX_OCTAL_12));
    block[AT_TYPE] = (unsigned char)flag;
    put_text(block + AT_LINK, entry->link);
    memcpy(block + AT_MAGIC, "ustar\0" "00", 8);
    put_octal(block + AT_DEV_MAJOR, 8, entry->dev_major);
    put_octal(block + AT_DEV_MINOR, 8, entry->dev_minor);
    put_checksum(block);
    return wci_tar_writer_data(w, block, sizeof block, err);
}

static int32_t write_records(wci_tar_writer *w, wc_error **err)
{
    const wci_tar_entry entry = {
        .name = "PaxHeaders/records",
        .link = "",
        .attrs = {.mode = 0644},
        .data_size = w->records.size,
    };
    if (w->records.failed)
        return wci_err_nomem(err);
    if (!w->records.size)
        return WC_OK;
    int32_t rc = write_header(w, &entry, 'x', err);
    if (!rc)
        rc = wci_tar_writer_data(w, w->records.data, w->records.size, err);
    return rc ? rc : wci_tar_writer_pad(w, w->records.size, err);
}

int32_t wci_tar_writer_entry(wci_tar_writer *w, const wci_tar_entry *entry, wc_error **err)
{
    collect_records(w, entry);
    int32_t rc = write_records(w, err);
    return rc ? rc : write_header(w, entry, type_flag(entry->type), err);
}

/* ---- Sparse files ------------------------------------------------------------------------------- */

static int32_t write_zeros(wci_tar_writer *w, uint64_t size, wc_error **err)
{
    int32_t rc = WC_OK;
    while (size && !rc) {
        size_t n = size < sizeof zeros ? (size_t)size : sizeof zeros;
        rc = wci_tar_writer_data(w, zeros, n, err);
        size -= n;
    }
    return rc;
}

/* GNU tar keeps each region in whole blocks and others in a row: whole blocks are the same for both. What follows
 * the last region is told by one of no bytes, without which GNU tar would leave the file short. */
static size_t align_regions(const wci_sparse_region *from, size_t count, uint64_t size, wci_sparse_region *to)
{
    const uint64_t mask = WCI_TAR_BLOCK - 1;
    size_t made = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t start = from[i].offset & ~mask, end = (from[i].offset + from[i].size + mask) & ~mask;
        end = end < size ? end : size;
        if (!from[i].size)
            continue;
        if (made && to[made - 1].offset + to[made - 1].size >= start)
            to[made - 1].size = end - to[made - 1].offset;
        else
            to[made++] = (wci_sparse_region){start, end - start};
    }
    if (!made || to[made - 1].offset + to[made - 1].size < size)
        to[made++] = (wci_sparse_region){size, 0};
    return made;
}

/* The number of regions and where each is, as text, filled up to whole blocks. */
static void list_regions(const wci_sparse_writer *s, wci_str *out)
{
    wci_str_printf(out, "%zu\n", s->count);
    for (size_t i = 0; i < s->count; i++)
        wci_str_printf(out, "%" PRIu64 "\n%" PRIu64 "\n", s->regions[i].offset, s->regions[i].size);
    wci_str_append_n(out, zeros, (size_t)(-out->size & (WCI_TAR_BLOCK - 1)));
}

static void collect_sparse_records(wci_tar_writer *w, const wci_tar_entry *header, const wci_tar_entry *entry)
{
    collect_records(w, header);
    add_number(&w->records, "GNU.sparse.major", 1);
    add_number(&w->records, "GNU.sparse.minor", 0);
    add_record(&w->records, "", "GNU.sparse.name", entry->name, strlen(entry->name));
    add_number(&w->records, "GNU.sparse.realsize", entry->size);
}

static int32_t write_sparse_head(wci_sparse_writer *s, const wci_tar_entry *entry, wc_error **err)
{
    wci_str map = WCI_STR_INIT;
    wci_tar_entry header = *entry;
    list_regions(s, &map);
    s->stored = map.size;
    for (size_t i = 0; i < s->count; i++)
        s->stored += s->regions[i].size;
    header.name = "GNUSparseFile.0/file";
    header.data_size = s->stored;
    collect_sparse_records(s->tar, &header, entry);
    int32_t rc = map.failed ? wci_err_nomem(err) : write_records(s->tar, err);
    if (!rc)
        rc = write_header(s->tar, &header, type_flag(header.type), err);
    if (!rc)
        rc = wci_tar_writer_data(s->tar, map.data, map.size, err);
    wci_str_free(&map);
    return rc;
}

int32_t wci_sparse_begin(wci_sparse_writer *s, wci_tar_writer *tar, const wci_tar_entry *entry,
                         const wci_sparse_region *regions, size_t count, wc_error **err)
{
    *s = (wci_sparse_writer){.tar = tar, .regions = wci_calloc(count + 1, sizeof *regions)};
    if (!s->regions)
        return wci_err_nomem(err);
    s->count = align_regions(regions, count, entry->size, s->regions);
    s->at = s->regions[0].offset;
    return write_sparse_head(s, entry, err);
}

/* Fills the regions up to the place of the file. */
static int32_t fill_to(wci_sparse_writer *s, uint64_t offset, wc_error **err)
{
    int32_t rc = WC_OK;
    while (!rc && s->region < s->count) {
        const wci_sparse_region *now = &s->regions[s->region];
        uint64_t end = now->offset + now->size, to = offset < end ? offset : end;
        if (to > s->at)
            rc = write_zeros(s->tar, to - s->at, err);
        s->at = to > s->at ? to : s->at;
        if (offset < end || s->region + 1 == s->count)
            break;
        s->at = s->regions[++s->region].offset;
    }
    return rc;
}

int32_t wci_sparse_data(wci_sparse_writer *s, const void *data, size_t size, uint64_t offset, wc_error **err)
{
    int32_t rc = fill_to(s, offset, err);
    if (!rc)
        rc = wci_tar_writer_data(s->tar, data, size, err);
    s->at = offset + size;
    return rc;
}

int32_t wci_sparse_end(wci_sparse_writer *s, wc_error **err)
{
    int32_t rc = fill_to(s, UINT64_MAX, err);
    return rc ? rc : wci_tar_writer_pad(s->tar, s->stored, err);
}

void wci_sparse_free(wci_sparse_writer *s)
{
    wci_free(s->regions);
    s->regions = NULL;
}
