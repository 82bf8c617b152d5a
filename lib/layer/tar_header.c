/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/tar_header.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/path.h"

/* Offsets in a header block: POSIX.1-2017 pax, "ustar Interchange Format"; GNU tar, tar.h. */
enum {
    AT_NAME = 0,
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
    AT_PREFIX = 345,
    AT_STAR_MAGIC = 508,
    AT_GNU_REGIONS = 386,
    AT_GNU_IS_EXTENDED = 482,
    AT_GNU_REAL_SIZE = 483,

    NAME_SIZE = 100,
    PREFIX_SIZE = 155,
    STAR_PREFIX_SIZE = 131,
    GNU_REGIONS = 4,
    EXTENSION_REGIONS = 21,
    AT_EXTENSION_MORE = 504,
    GNU_REGION_SIZE = 24,

    MAX_REGIONS = 1 << 17,
    MAX_MAJOR = (1 << 12) - 1,
    MAX_MINOR = (1 << 20) - 1,
};

void wci_tar_parts_free(wci_tar_parts *parts)
{
    wci_str_free(&parts->long_name);
    wci_str_free(&parts->long_link);
    wci_str_free(&parts->pax);
    wci_str_free(&parts->pax_global);
    wci_str_free(&parts->work);
    wci_str_free(&parts->name);
    wci_str_free(&parts->link);
    wci_free(parts->xattrs);
    wci_free(parts->regions);
}

static int32_t bad_number(const char *what, wc_error **err)
{
    return wci_err(err, WC_E_FORMAT, "tar header: its %s is not a number we can take", what);
}

static int32_t base256(const unsigned char *field, size_t size, const char *what, int64_t *out,
                       wc_error **err)
{
    int negative = (field[0] & 0x40) != 0;
    uint64_t fill = negative ? 0xff : 0;
    uint64_t value = negative ? UINT64_MAX : 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = field[i];
        if (i == 0)
            byte = negative ? byte | 0x80 : byte & 0x7f;
        if (i + 8 < size && byte != fill)
            return bad_number(what, err);
        value = value << 8 | byte;
    }
    if ((int64_t)value < 0 ? !negative : negative)
        return bad_number(what, err);
    *out = (int64_t)value;
    return WC_OK;
}

int32_t wci_tar_number(const unsigned char *field, size_t size, const char *what, int64_t *out,
                       wc_error **err)
{
    if (field[0] & 0x80)
        return base256(field, size, what, out, err);
    const unsigned char *p = field, *end = field + size;
    uint64_t value = 0;
    while (p < end && *p == ' ')
        p++;
    for (; p < end && *p >= '0' && *p <= '7'; p++)
        value = value << 3 | (uint64_t)(*p - '0'); /* 12 digits at most: fits */
    while (p < end && (*p == ' ' || *p == '\0'))
        p++;
    if (p != end)
        return bad_number(what, err);
    *out = (int64_t)value;
    return WC_OK;
}

int wci_tar_decimal(const char *text, const char *end, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    if (text == end)
        return 0;
    for (; text < end; text++) {
        if (*text < '0' || *text > '9')
            return 0;
        uint64_t digit = (uint64_t)(*text - '0');
        if (value > (max - digit) / 10)
            return 0;
        value = value * 10 + digit;
    }
    *out = value;
    return 1;
}

int wci_tar_is_zero_block(const unsigned char *block)
{
    return block[0] == 0 && memcmp(block, block + 1, WCI_TAR_BLOCK - 1) == 0;
}

/* With the checksum itself taken as spaces. Some old writers summed signed bytes. */
static int64_t sum_of(const unsigned char *block, int as_signed)
{
    int64_t sum = 0;
    for (size_t i = 0; i < WCI_TAR_BLOCK; i++)
        sum += as_signed ? (signed char)block[i] : block[i];
    for (size_t i = AT_CHECKSUM; i < AT_CHECKSUM + 8; i++)
        sum += ' ' - (as_signed ? (signed char)block[i] : block[i]);
    return sum;
}

int32_t wci_tar_check_sum(const unsigned char *block, wc_error **err)
{
    int64_t stored = 0;
    int32_t rc = wci_tar_number(block + AT_CHECKSUM, 8, "checksum", &stored, err);
    if (rc)
        return wci_err_wrap(err, rc, "tar: damaged, or not a tar at all");
    if (stored != sum_of(block, 0) && stored != sum_of(block, 1))
        return wci_err(err, WC_E_FORMAT,
                       "tar: a header has a wrong checksum: damaged, or not a tar at all");
    return WC_OK;
}

char wci_tar_type_flag(const unsigned char *block)
{
    return (char)block[AT_TYPE];
}

static void take_text(wci_str *out, const unsigned char *field, size_t size)
{
    wci_str_append_n(out, field, strnlen((const char *)field, size));
}

static void take_name(wci_tar_parts *parts, const unsigned char *block)
{
    wci_str_clear(&parts->name);
    if (parts->long_name.size) {
        wci_str_append(&parts->name, parts->long_name.data);
        return;
    }
    if (memcmp(block + AT_MAGIC, "ustar\0", 6) == 0 && block[AT_PREFIX]) {
        int is_star = memcmp(block + AT_STAR_MAGIC, "tar\0", 4) == 0;
        take_text(&parts->name, block + AT_PREFIX, is_star ? STAR_PREFIX_SIZE : PREFIX_SIZE);
        wci_str_append_c(&parts->name, '/');
    }
    take_text(&parts->name, block + AT_NAME, NAME_SIZE);
}

static void take_link(wci_tar_parts *parts, const unsigned char *block)
{
    wci_str_clear(&parts->link);
    if (parts->long_link.size)
        wci_str_append(&parts->link, parts->long_link.data);
    else
        take_text(&parts->link, block + AT_LINK, NAME_SIZE);
}

static int32_t take_u32(const unsigned char *field, uint32_t max, const char *what, uint32_t *out,
                        wc_error **err)
{
    int64_t value = 0;
    int32_t rc = wci_tar_number(field, 8, what, &value, err);
    if (rc)
        return rc;
    if (value < 0 || value > (int64_t)max)
        return wci_err(err, WC_E_FORMAT, "tar header: its %s %lld is out of range", what,
                       (long long)value);
    *out = (uint32_t)value;
    return WC_OK;
}

static int32_t take_numbers(const unsigned char *block, wci_tar_entry *entry, wc_error **err)
{
    int64_t mode = 0, size = 0;
    int32_t rc;
    if ((rc = wci_tar_number(block + AT_MODE, 8, "mode", &mode, err)) ||
        (rc = take_u32(block + AT_UID, UINT32_MAX - 1, "owner", &entry->attrs.uid, err)) ||
        (rc = take_u32(block + AT_GID, UINT32_MAX - 1, "group", &entry->attrs.gid, err)) ||
        (rc = wci_tar_number(block + AT_SIZE, 12, "size", &size, err)) ||
        (rc = wci_tar_number(block + AT_MTIME, 12, "time", &entry->attrs.mtime_sec, err)))
        return rc;
    if (size < 0)
        return wci_err(err, WC_E_FORMAT, "tar header: its size is negative");
    entry->attrs.mode = (uint32_t)mode & 07777;
    entry->size = (uint64_t)size;
    return WC_OK;
}

static int32_t take_device(const unsigned char *block, wci_tar_entry *entry, wc_error **err)
{
    int32_t rc = take_u32(block + AT_DEV_MAJOR, MAX_MAJOR, "device number", &entry->dev_major,
                          err);
    return rc ? rc
              : take_u32(block + AT_DEV_MINOR, MAX_MINOR, "device number", &entry->dev_minor, err);
}

static int32_t take_type(char flag, wci_tar_entry *entry, wc_error **err)
{
    static const char flags[] = {'0', '\0', '7', 'S', '1', '2', '3', '4', '5', '6', 'V'};
    static const wci_entry_type types[] = {
        WCI_ENTRY_FILE,    WCI_ENTRY_FILE, WCI_ENTRY_FILE,  WCI_ENTRY_FILE,
        WCI_ENTRY_HARDLINK, WCI_ENTRY_SYMLINK, WCI_ENTRY_CHAR, WCI_ENTRY_BLOCK,
        WCI_ENTRY_DIR,     WCI_ENTRY_FIFO, WCI_ENTRY_IGNORED,
    };
    for (size_t i = 0; i < sizeof flags; i++) {
        if (flags[i] == flag) {
            entry->type = types[i];
            return WC_OK;
        }
    }
    return wci_err(err, WC_E_FORMAT, "tar header: unknown type of entry 0x%02x",
                   (unsigned)(unsigned char)flag);
}

int32_t wci_tar_add_region(wci_tar_parts *parts, uint64_t offset, uint64_t size, wc_error **err)
{
    if (parts->region_count >= MAX_REGIONS)
        return wci_err(err, WC_E_LIMIT, "sparse file: has more than %d regions", MAX_REGIONS);
    uint64_t last_end = 0;
    if (parts->region_count) {
        const wci_sparse_region *last = &parts->regions[parts->region_count - 1];
        last_end = last->offset + last->size;
    }
    if (offset < last_end || size > INT64_MAX || offset > INT64_MAX - size)
        return wci_err(err, WC_E_FORMAT, "sparse file: its regions overlap or are out of order");
    if (!wci_grow(&parts->regions, &parts->region_cap, parts->region_count + 1,
                  sizeof *parts->regions))
        return wci_err_nomem(err);
    parts->regions[parts->region_count++] = (wci_sparse_region){offset, size};
    return WC_OK;
}

/* Offset and size, 12 bytes each; an empty one ends the list. */
static int32_t add_old_regions(wci_tar_parts *parts, const unsigned char *field, size_t count,
                               wc_error **err)
{
    for (size_t i = 0; i < count && field[0]; i++, field += GNU_REGION_SIZE) {
        int64_t offset = 0, size = 0;
        int32_t rc;
        if ((rc = wci_tar_number(field, 12, "sparse offset", &offset, err)) ||
            (rc = wci_tar_number(field + 12, 12, "sparse size", &size, err)))
            return rc;
        if (offset < 0 || size < 0)
            return wci_err(err, WC_E_FORMAT, "sparse file: has a negative region");
        if ((rc = wci_tar_add_region(parts, (uint64_t)offset, (uint64_t)size, err)))
            return rc;
    }
    return WC_OK;
}

int wci_tar_sparse_is_extended(const unsigned char *header)
{
    return header[AT_GNU_IS_EXTENDED] != 0;
}

int32_t wci_tar_sparse_extension(wci_tar_parts *parts, const unsigned char *block, int *more,
                                 wc_error **err)
{
    *more = block[AT_EXTENSION_MORE] != 0;
    return add_old_regions(parts, block, EXTENSION_REGIONS, err);
}

int32_t wci_tar_check_regions(const wci_tar_parts *parts, const wci_tar_entry *entry,
                              wc_error **err)
{
    uint64_t stored = 0, end = 0;
    for (size_t i = 0; i < parts->region_count; i++) {
        stored += parts->regions[i].size; /* below 2^63 each and in order: no overflow */
        end = parts->regions[i].offset + parts->regions[i].size;
    }
    if (stored != entry->data_size || end > entry->size)
        return wci_err(err, WC_E_FORMAT, "sparse file: its map does not fit its size");
    return WC_OK;
}

/* In the block itself; further blocks of regions are the reader's. */
static int32_t take_old_sparse(wci_tar_parts *parts, const unsigned char *block,
                               wci_tar_entry *entry, wc_error **err)
{
    int64_t real_size = 0;
    int32_t rc = wci_tar_number(block + AT_GNU_REAL_SIZE, 12, "real size", &real_size, err);
    if (rc)
        return rc;
    if (real_size < 0)
        return wci_err(err, WC_E_FORMAT, "tar header: its real size is negative");
    entry->is_sparse = 1;
    entry->size = (uint64_t)real_size;
    return add_old_regions(parts, block + AT_GNU_REGIONS, GNU_REGIONS, err);
}

static void settle_type(wci_tar_entry *entry)
{
    size_t size = strlen(entry->name);
    if (entry->type == WCI_ENTRY_FILE && size && entry->name[size - 1] == '/')
        entry->type = WCI_ENTRY_DIR; /* how tars older than POSIX mark them */
    if (entry->type != WCI_ENTRY_FILE) {
        /* Go's reader, which wrote most layers, takes no data after these whatever they say. */
        entry->size = entry->data_size = 0;
        entry->is_sparse = 0;
    }
}

static void forget_parts(wci_tar_parts *parts)
{
    parts->xattr_count = 0;
    parts->region_count = 0;
    parts->has_map_in_data = 0;
}

int32_t wci_tar_entry_parse(wci_tar_parts *parts, const unsigned char *block,
                            wci_tar_entry *entry, wc_error **err)
{
    int32_t rc;
    char flag = wci_tar_type_flag(block);
    memset(entry, 0, sizeof *entry);
    forget_parts(parts);
    take_name(parts, block);
    take_link(parts, block);
    if (parts->name.failed || parts->link.failed)
        return wci_err_nomem(err);
    entry->name = parts->name.data;
    entry->link = parts->link.data;
    if ((rc = take_type(flag, entry, err)) || (rc = take_numbers(block, entry, err)))
        return rc;
    if (entry->type == WCI_ENTRY_CHAR || entry->type == WCI_ENTRY_BLOCK)
        if ((rc = take_device(block, entry, err)))
            return rc;
    entry->data_size = entry->size;
    if (flag == 'S' && (rc = take_old_sparse(parts, block, entry, err)))
        return rc;
    if ((rc = wci_tar_pax_apply(parts, entry, err)))
        return rc;
    settle_type(entry);
    wci_str_clear(&parts->long_name);
    wci_str_clear(&parts->long_link);
    wci_str_clear(&parts->pax);
    return WC_OK;
}
