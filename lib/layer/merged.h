/* SPDX-License-Identifier: Apache-2.0 */
/* Several layers as one, from their tars alone: nothing is unpacked or mounted, so that owners, attributes and
 * devices are those of the tars, whoever runs this. The rules are those of docs/layers.md. The tars are read twice:
 * to learn what the view holds, and to write it. */
#ifndef WCI_LAYER_MERGED_H
#define WCI_LAYER_MERGED_H

#include "layer/layer.h"

/* The layers, the lowest first. */
typedef struct wci_tar_stack {
    size_t count;
    /* The layer's file, compressed or not; closed by whoever asked. */
    int32_t (*open)(void *self, size_t layer, wci_fd *out, wc_error **err);
    /* What its tar must have as DiffID: WC_E_DIGEST. NULL: anything will do. */
    const wci_digest *(*diff_id)(void *self, size_t layer);
    void *self;
} wci_tar_stack;

typedef struct wci_merged wci_merged;

enum {
    WCI_MERGED_CONTENT = 1, /* hashes the content of files, for wci_merged_diff() */
};
/* Learns the view. WC_E_FORMAT for layers that could not be unpacked either, WC_E_LIMIT. */
int32_t wci_merged_read(wc_call *call, const wci_tar_stack *stack, size_t below, int flags,
                        wci_merged **out, wc_error **err);
void wci_merged_free(wci_merged *merged); /* NULL accepted */

enum {
    /* Directories come after what is in them, for programs that set the time of a directory as it goes by. */
    WCI_MERGED_DIRS_LAST = 1,
};
/* Writes a plain tar: what makes the view of all layers of that of the first `below` ones, which is the whole view
 * when that is 0. The same layers give the same bytes. */
int32_t wci_merged_write(wc_call *call, wci_merged *merged, const wci_tar_stack *stack, int flags,
                         const wci_sink *to, wc_error **err);

/* What differs between two views: `kind` as in Docker's API. */
enum { WCI_CHANGED = 0, WCI_ADDED = 1, WCI_DELETED = 2 };
enum {
    WCI_DIFFERS_TYPE = 1,
    WCI_DIFFERS_CONTENT = 2, /* also the target of a link, the numbers of a device */
    WCI_DIFFERS_MODE = 4,
    WCI_DIFFERS_OWNER = 8,
    WCI_DIFFERS_XATTRS = 16,
};
typedef struct wci_difference {
    int kind;
    unsigned what;      /* WCI_DIFFERS_* of something changed */
    const char *path;   /* "a/b" */
    int64_t old_size, new_size; /* of regular files; -1: is none */
} wci_difference;
/* In order of path. Of a deleted directory only itself is told. Times alone are no difference. */
int32_t wci_merged_diff(const wci_merged *from, const wci_merged *to,
                        int32_t (*tell)(void *self, const wci_difference *difference, wc_error **err), void *self,
                        wc_error **err);

#endif
