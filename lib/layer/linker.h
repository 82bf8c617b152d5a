/* SPDX-License-Identifier: Apache-2.0 */
/* The making of one X, shared by link.c (directories, whiteouts) and link_copies.c (files). */
#ifndef WCI_LAYER_LINKER_H
#define WCI_LAYER_LINKER_H

#include "layer/extract.h"
#include "layer/inode_map.h"
#include "layer/records.h"
#include "layer/view.h"

/* A file by its inode, and one of its names. */
typedef struct wci_alias {
    uint64_t inode, device;
    char *name;
} wci_alias;

typedef struct wci_linker {
    const wci_level *below;
    size_t below_count;
    const char *tree; /* T */
    wci_records records;
    wci_strv inheriting;  /* implied directories, sorted */
    wci_extract x;        /* makes X */
    wci_inode_map copies; /* what has been copied into X, with a name there */
    wci_alias *aliases;   /* names that the view below shows of linked files, sorted by inode */
    size_t alias_count, alias_cap;
    int has_aliases;
    int opaque_root;
    int touched; /* X is not empty */
} wci_linker;

int32_t wci_linker_look_below(wci_linker *l, const char *path, wci_found *found, wci_place *out,
                              wc_error **err);
/* Makes the directory that `path` is in, as the merged view has it; *name is the last component. */
int32_t wci_linker_parent(wci_linker *l, const char *path, wci_dir **out, const char **name,
                          wc_error **err);
/* The whiteout that holds the place of the link `path` in T stays what one sees. */
int32_t wci_linker_hold_place(wci_linker *l, const char *path, wc_error **err);
/* Makes `path` in X a link to what the view below shows at `target`, copying it with all its names
 * when it has not been yet. */
int32_t wci_linker_copy(wci_linker *l, const char *path, const char *target, wc_error **err);
void wci_linker_free_copies(wci_linker *l);

#endif
