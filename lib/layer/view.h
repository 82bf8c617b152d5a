/* SPDX-License-Identifier: Apache-2.0 */
/* Looking names up in stacked trees as overlayfs would, without mounting. */
#ifndef WCI_LAYER_VIEW_H
#define WCI_LAYER_VIEW_H

#include "layer/layer.h"
#include "platform/tree.h"

typedef enum wci_found {
    WCI_FOUND_NOTHING, /* and what is below may show */
    WCI_FOUND_HIDDEN,  /* nothing, and what is below does not show either */
    WCI_FOUND_ENTRY,
} wci_found;

/* What one lookup gave. `dir` is open and holds `name`; name "" is the directory itself. */
typedef struct wci_place {
    const char *tree; /* path of the tree it is in */
    wci_fd dir;
    const char *name; /* points into the path that was looked up */
    wci_node_info info;
} wci_place;
#define WCI_PLACE_NONE {NULL, WCI_FD_NONE, "", {.type = WCI_NODE_FILE}}

/* For functions of platform/tree.h that take NULL for the directory itself. */
const char *wci_place_name(const wci_place *place);
void wci_place_close(wci_place *place);

/* In one tree alone. */
int32_t wci_tree_look(const char *tree, const char *path, wci_found *found, wci_place *out,
                      wc_error **err);
/* Through all levels, X above T in each. */
int32_t wci_view_look(const wci_level *levels, size_t count, const char *path, wci_found *found,
                      wci_place *out, wc_error **err);
/* Names in a directory of the view, sorted by level, whiteouts left out; "" is the root. */
int32_t wci_view_list(const wci_level *levels, size_t count, const char *path, wci_strv *out, wc_error **err);

#endif
