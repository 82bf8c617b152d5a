/* SPDX-License-Identifier: Apache-2.0 */
/* What the tar of a zstd:chunked layer holds, noted in short while it passes, so that the tables behind it can
 * be compared with it. An entry takes 16 bytes, whatever its size. */
#ifndef WCI_LAYER_LEDGER_H
#define WCI_LAYER_LEDGER_H

#include "layer/tar_header.h"

/* An entry as a tar and a table of contents both describe it. */
typedef struct wci_listed {
    wci_entry_type type;
    const char *name, *link;
    uint64_t size;
    uint32_t mode, uid, gid, major, minor;
    const wci_xattr *xattrs;
    size_t xattr_count;
    const char *digest; /* of a file's content; "" when it is empty */
} wci_listed;

/* All of a tar but the content of its files: the bytes, and where which content belongs between them. */
typedef struct wci_skeleton {
    wci_hasher *bytes, *places;
    uint64_t size;
} wci_skeleton;

typedef struct wci_skeleton_sum {
    wci_digest bytes, places;
} wci_skeleton_sum;

int32_t wci_skeleton_init(wci_skeleton *s, wc_error **err);
void wci_skeleton_bytes(wci_skeleton *s, const void *data, size_t size);
void wci_skeleton_content(wci_skeleton *s, const char *name, uint64_t size);
int32_t wci_skeleton_end(wci_skeleton *s, wci_skeleton_sum *out, wc_error **err);
void wci_skeleton_free(wci_skeleton *s);

typedef struct wci_ledger wci_ledger;

/* `content_frames` counts the frames that have ended. In zstd:chunked each file's content begins a frame of its
 * own; once the first has begun amid one, nothing is noted any more, and no table can be right. */
int32_t wci_ledger_new(const uint64_t *content_frames, wci_ledger **out, wc_error **err);
void wci_ledger_free(wci_ledger *l); /* NULL accepted */

/* For the tar reader. */
void wci_ledger_take_bytes(wci_ledger *l, const void *data, size_t size); /* not content */
int32_t wci_ledger_take_entry(wci_ledger *l, const wci_tar_entry *entry, wc_error **err);
void wci_ledger_take_content(wci_ledger *l, const void *data, size_t size);
/* After the last byte. */
int32_t wci_ledger_end(wci_ledger *l, wc_error **err);

/* For the comparison. WC_E_FORMAT for a layer that cannot have tables. */
int32_t wci_ledger_check_usable(const wci_ledger *l, wc_error **err);
/* The next entry of the tar is that one; WC_E_FORMAT. */
int32_t wci_ledger_compare(wci_ledger *l, const wci_listed *entry, wc_error **err);
/* There is no further one. */
int32_t wci_ledger_compare_end(const wci_ledger *l, wc_error **err);
const wci_skeleton_sum *wci_ledger_skeleton(const wci_ledger *l);

#endif
