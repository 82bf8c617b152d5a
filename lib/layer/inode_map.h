/* SPDX-License-Identifier: Apache-2.0 */
/* From files, by inode, to the name that each was first met under. */
#ifndef WCI_LAYER_INODE_MAP_H
#define WCI_LAYER_INODE_MAP_H

#include "platform/tree.h"

typedef struct wci_inode_slot {
    uint64_t inode, device;
    char *name; /* NULL: free */
} wci_inode_slot;

typedef struct wci_inode_map {
    wci_inode_slot *slots;
    size_t cap; /* a power of two */
    size_t count;
} wci_inode_map;

#define WCI_INODE_MAP_INIT {NULL, 0, 0}

/* Lent, or NULL. */
const char *wci_inode_map_find(const wci_inode_map *map, const wci_node_info *info);
int32_t wci_inode_map_add(wci_inode_map *map, const wci_node_info *info, const char *name,
                          wc_error **err);
void wci_inode_map_free(wci_inode_map *map);

#endif
