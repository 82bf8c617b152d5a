/* SPDX-License-Identifier: Apache-2.0 */
/* Making what tar entries say below one directory, component by component, no link followed. The
 * layer rules are in unpack.c; this knows none. */
#ifndef WCI_LAYER_EXTRACT_H
#define WCI_LAYER_EXTRACT_H

#include "layer/attrs.h"
#include "layer/dirs.h"
#include "layer/later.h"
#include "layer/path.h"
#include "layer/tar_reader.h"

typedef struct wci_extract {
    wci_dirs *dirs;
    const wci_limits *limits;
    wci_attr_rules rules;
    /* 1: the tree was empty, what stands in the way came from the same tar and gives way. 0: only
     * files are replaced by files. */
    int is_ours;
    wci_str path, target;  /* clean forms of the present entry's name and link */
    wci_dir *last_parent;  /* of the entry before */
    wci_str last_path;
    wci_case_set *cases;   /* of a Windows layer, from when that is known; NULL for others */
    wci_str stream_owner;  /* the file or directory whose alternate streams may follow */
    uint64_t content_bytes;
    wci_later_files later; /* written, but not yet given to whom they belong */
    wci_strv left_out;     /* device nodes, which may not be made here */
} wci_extract;

/* How far wci_extract_parent() may go to give the directory of a path. */
typedef enum wci_enter {
    WCI_ENTER_MAKE,   /* makes what is missing, replaces what is in the way */
    WCI_ENTER_MISSING, /* makes what is missing; NULL when something is in the way */
    WCI_ENTER_FIND,   /* NULL when it is not there */
} wci_enter;

/* Takes root over, also on failure. */
int32_t wci_extract_init(wci_extract *x, wci_fd root, const wci_limits *limits, int is_ours,
                         wci_strv *skipped, wc_error **err);
void wci_extract_free(wci_extract *x);
/* Cleans the entry's name into x->path and checks it, and what else only Windows minds. */
int32_t wci_extract_take_path(wci_extract *x, const wci_tar_entry *entry, wc_error **err);
/* The directory that `path` is in, and its last component, which points into path. */
int32_t wci_extract_parent(wci_extract *x, wci_str *path, wci_enter how, wci_dir **parent,
                           char **name, wc_error **err);
/* The directory of that name in parent, made when it is missing. */
int32_t wci_extract_dir(wci_extract *x, wci_dir *parent, const char *name, wci_enter how,
                        wci_dir **out, wc_error **err);
/* Anything but directories and hard links. */
int32_t wci_extract_node(wci_extract *x, wci_tar_reader *reader, const wci_tar_entry *entry,
                         wci_dir *parent, const char *name, wc_error **err);
/* A hard link to what was made before; WC_E_NOT_FOUND, with `name` untouched, when it was not. */
int32_t wci_extract_link(wci_extract *x, wci_dir *from, const char *from_name, wci_dir *parent,
                         const char *name, wc_error **err);
/* Adds the entry to x->left_out: for hard links to what is there. */
int32_t wci_extract_leave_out(wci_extract *x, wc_error **err);
/* A whiteout, replacing what is there. */
int32_t wci_extract_whiteout(wci_extract *x, wci_dir *parent, const char *name, wc_error **err);
/* Removes what has that name. */
int32_t wci_extract_remove(wci_extract *x, wci_dir *parent, const char *name, wc_error **err);
/* Gives the directories their attributes, the deepest first; those only implied get `implied`
 * (NULL: are left as they are). */
int32_t wci_extract_finish(wci_extract *x, const wci_attrs *implied, wc_error **err);

#endif
