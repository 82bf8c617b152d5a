/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of a merged view in memory; shared by merged_read.c, merged_write.c and merged_diff.c. */
#ifndef WCI_LAYER_MERGED_TREE_H
#define WCI_LAYER_MERGED_TREE_H

#include "core/arena.h"
#include "layer/merged.h"
#include "layer/tar_header.h"

typedef struct wci_merged_node wci_merged_node;

/* A file as such, whatever its names. */
typedef struct wci_merged_file {
    wci_entry_type type;
    wci_attrs attrs;
    uint32_t dev_major, dev_minor;
    uint64_t size;       /* of a regular file */
    const char *link;    /* where a symbolic link leads, else "" */
    const char *content; /* digest; NULL: not asked for, or no regular file */
    uint64_t entry;      /* where it stands in its layer's tar, counted from 1 */
    uint32_t layer;
    /* While writing. */
    wci_merged_node *names, *last_name; /* new ones, chained by `other` */
    wci_merged_node *kept;              /* a name that the layers below show already */
} wci_merged_file;

/* A name. Those that the view does not show stay for what lies below. */
struct wci_merged_node {
    wci_merged_node *parent, *child, *sibling, *bucket_next;
    wci_merged_node *other;
    wci_merged_file *file; /* NULL: not in the view */
    uint32_t layer;        /* that put the file there */
    int was_below;         /* the layers below show something of this name */
    int hides_all;         /* while writing: of a directory whose names from below are all gone */
    char name[];
};

struct wci_merged {
    wci_arena arena;
    wci_merged_node *root;
    wci_merged_node **buckets;
    size_t bucket_count, node_count;
    wci_merged_file **contents; /* files that have bytes, in the order of layers and entries */
    size_t content_count, content_cap;
    const wci_merged_file *implied; /* a directory that is not named */
    size_t below;
};

int32_t wci_merged_new(wci_merged **out, wc_error **err);
/* A new file, zeros; NULL: out of memory. */
wci_merged_file *wci_merged_add_file(wci_merged *m);
int wci_merged_is_dir(const wci_merged_node *node); /* NULL accepted */
/* What the view shows at a clean path, or NULL. */
wci_merged_node *wci_merged_find(const wci_merged *m, const char *path);
wci_merged_node *wci_merged_child(const wci_merged *m, const wci_merged_node *parent, const char *name, size_t size);
/* The node of a path, which may be one that is not in the view; directories on the way are made, what is in their
 * way is dropped. NULL: out of memory. */
wci_merged_node *wci_merged_make(wci_merged *m, const char *path, uint32_t layer);
/* Takes it out of the view, with all below. */
void wci_merged_drop(wci_merged_node *node);
/* The next in pre-order; NULL at the end. With `beside` what is below the node is left out. */
wci_merged_node *wci_merged_next(const wci_merged_node *node, int beside);
/* Orders the children of all directories by name. */
int32_t wci_merged_sort(wci_merged *m, wc_error **err);
/* Replaces `out` by the path of the node, "" for the root. */
int32_t wci_merged_path(const wci_merged_node *node, wci_str *out, wc_error **err);
/* Out of memory, or what an image may take of it. */
int32_t wci_merged_too_large(wc_error **err);

/* The plain tar of one layer, being read. */
typedef struct wci_layer_tar {
    wc_call *call;
    wci_fd fd;
    uint64_t at;
    wci_decoder *decoder;
    wci_hasher *hasher;
    struct wci_tar_reader *reader;
} wci_layer_tar;
int32_t wci_layer_tar_open(wc_call *call, const wci_tar_stack *stack, size_t layer, wci_layer_tar *out,
                           wc_error **err);
/* After the last entry: whether it was the layer that it should be. */
int32_t wci_layer_tar_check(wci_layer_tar *tar, const wci_digest *diff_id, wc_error **err);
void wci_layer_tar_close(wci_layer_tar *tar);

#endif
