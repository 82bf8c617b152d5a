/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of tar: one header block and the pax records before it, turned into an entry. */
#ifndef WCI_LAYER_TAR_HEADER_H
#define WCI_LAYER_TAR_HEADER_H

#include "layer/layer.h"

enum { WCI_TAR_BLOCK = 512 };

typedef enum wci_entry_type {
    WCI_ENTRY_FILE,
    WCI_ENTRY_DIR,
    WCI_ENTRY_SYMLINK,
    WCI_ENTRY_HARDLINK,
    WCI_ENTRY_CHAR,
    WCI_ENTRY_BLOCK,
    WCI_ENTRY_FIFO,
    WCI_ENTRY_IGNORED, /* volume labels */
} wci_entry_type;

typedef struct wci_xattr {
    const char *key;
    const void *value;
    size_t size;
} wci_xattr;

typedef struct wci_attrs {
    uint32_t mode, uid, gid;
    int32_t mtime_nsec;
    int64_t mtime_sec;
    const wci_xattr *xattrs;
    size_t xattr_count;
} wci_attrs;

typedef struct wci_sparse_region {
    uint64_t offset, size;
} wci_sparse_region;

/* What the records of a Windows layer say (windows_attrs.h). */
typedef struct wci_windows_attrs {
    int is_present; /* there are some */
    int is_junction;
    uint32_t file_attributes;
} wci_windows_attrs;

typedef struct wci_tar_entry {
    wci_entry_type type;
    const char *name; /* as in the archive */
    const char *link; /* target, "" for others than links */
    wci_attrs attrs;
    uint32_t dev_major, dev_minor;
    uint64_t size;      /* of the file */
    uint64_t data_size; /* stored in the archive */
    int is_sparse;
    wci_windows_attrs windows;
} wci_tar_entry;

/* What one entry gathers from headers before its own, and the memory its texts live in. Reused. */
typedef struct wci_tar_parts {
    wci_str long_name, long_link; /* GNU */
    wci_str pax, pax_global;      /* records as they came */
    wci_str work;                 /* both, taken apart */
    wci_str name, link;
    wci_xattr *xattrs;
    size_t xattr_count, xattr_cap;
    wci_sparse_region *regions;
    size_t region_count, region_cap;
    int has_map_in_data; /* GNU sparse 1.0: the map comes before the data */
} wci_tar_parts;

void wci_tar_parts_free(wci_tar_parts *parts);

/* The raw number fields: octal text, or base 256. */
int32_t wci_tar_number(const unsigned char *field, size_t size, const char *what, int64_t *out,
                       wc_error **err);
/* Strict decimal digits up to `end`. */
int wci_tar_decimal(const char *text, const char *end, uint64_t max, uint64_t *out);
int wci_tar_is_zero_block(const unsigned char *block);
int32_t wci_tar_check_sum(const unsigned char *block, wc_error **err);
char wci_tar_type_flag(const unsigned char *block);
/* Makes the entry from its header block and the parts before it; consumes the parts. */
int32_t wci_tar_entry_parse(wci_tar_parts *parts, const unsigned char *block,
                            wci_tar_entry *entry, wc_error **err);
typedef struct wci_pax_record {
    char *key, *value;
    size_t value_size;
} wci_pax_record;
/* Takes one record from *p, ending key and value with zero bytes in place. */
int32_t wci_pax_next(char **p, char *end, wci_pax_record *out, wc_error **err);
/* Applies pax records (tar_pax.c) over what the header block said. */
int32_t wci_tar_pax_apply(wci_tar_parts *parts, wci_tar_entry *entry, wc_error **err);
/* Adds one region, which must follow the last and end before the file does. */
int32_t wci_tar_add_region(wci_tar_parts *parts, uint64_t offset, uint64_t size, wc_error **err);
/* The old GNU form goes on in further blocks: whether one follows, and taking it. */
int wci_tar_sparse_is_extended(const unsigned char *header);
int32_t wci_tar_sparse_extension(wci_tar_parts *parts, const unsigned char *block, int *more,
                                 wc_error **err);
/* The regions fill data_size exactly and lie inside the file. */
int32_t wci_tar_check_regions(const wci_tar_parts *parts, const wci_tar_entry *entry,
                              wc_error **err);

#endif
