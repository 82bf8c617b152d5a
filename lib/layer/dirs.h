/* SPDX-License-Identifier: Apache-2.0 */
/* The directories of a tree that is being made: what is known of each, and descriptors for those
 * used last. Entries of a tar mostly share the directory of the one before. */
#ifndef WCI_LAYER_DIRS_H
#define WCI_LAYER_DIRS_H

#include "layer/tar_header.h"
#include "platform/tree.h"

enum {
    WCI_DIR_NAMED = 1,     /* attrs are to be applied at the end */
    WCI_DIR_REAL = 2,      /* something other than whiteouts is in it or below */
    WCI_DIR_FRESH = 4,     /* has nothing to do with a directory of the same name below */
    WCI_DIR_OPAQUE = 8,    /* hides what is below */
    WCI_DIR_WHITEOUTS = 16, /* holds whiteouts */
    WCI_DIR_WAS_THERE = 32, /* not made by us: attributes stay unless it is named */
    WCI_DIR_HIDDEN = 128,   /* a directory above it is opaque */
    WCI_DIR_LINK = 64, /* no directory: a hard link to `target`, which is below this layer */
};

typedef struct wci_dir wci_dir;
struct wci_dir {
    wci_dir *parent, *child, *prev, *next; /* child: the first; prev, next: siblings */
    wci_dir *bucket_next;
    wci_dir *newer, *older; /* among those with a descriptor */
    wci_fd fd;
    unsigned flags;
    wci_attrs attrs; /* with owned xattrs */
    char *target;
    size_t name_size;
    char name[];
};

typedef struct wci_dirs wci_dirs;

/* Takes root over. */
int32_t wci_dirs_new(wci_fd root, wci_dirs **out, wc_error **err);
void wci_dirs_free(wci_dirs *dirs);
wci_dir *wci_dirs_root(wci_dirs *dirs);
wci_dir *wci_dirs_find(const wci_dirs *dirs, const wci_dir *parent, const char *name,
                       size_t size);
/* Only notes it; WC_E_LIMIT when the notes grow beyond bounds. */
int32_t wci_dirs_add(wci_dirs *dirs, wci_dir *parent, const char *name, size_t size,
                     wci_dir **out, wc_error **err);
/* Forgets it with all below. */
void wci_dirs_remove(wci_dirs *dirs, wci_dir *dir);
/* Its descriptor, lent until another directory is asked for. */
int32_t wci_dirs_open(wci_dirs *dirs, wci_dir *dir, wci_fd *out, wc_error **err);
/* Both at once. */
int32_t wci_dirs_open_two(wci_dirs *dirs, wci_dir *a, wci_fd *a_fd, wci_dir *b, wci_fd *b_fd,
                          wc_error **err);
/* Makes a noted name a hard link to what is below. */
int32_t wci_dirs_set_link(wci_dirs *dirs, wci_dir *dir, const char *target, wc_error **err);
/* Copies attrs, xattrs too. */
int32_t wci_dirs_set_attrs(wci_dirs *dirs, wci_dir *dir, const wci_attrs *attrs, wc_error **err);
/* Appends its path from the root. */
void wci_dirs_path(const wci_dir *dir, wci_str *out);
/* Walks: the next in pre-order (parents first), and the order in which children come first. Begin
 * with the root, or with wci_dirs_deepest(root). NULL at the end. */
wci_dir *wci_dirs_next(wci_dir *dir);
wci_dir *wci_dirs_next_beside(wci_dir *dir); /* leaves out what is below */
wci_dir *wci_dirs_deepest(wci_dir *dir);
wci_dir *wci_dirs_next_up(wci_dir *dir);

#endif
