/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/inode_map.h"

#include "core/alloc.h"
#include "core/error.h"

enum { FIRST_CAP = 64 };

static wci_inode_slot *slot_of(wci_inode_slot *slots, size_t cap, uint64_t inode, uint64_t device)
{
    size_t i = (size_t)((inode ^ device << 32) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (cap - 1);
    while (slots[i].name && (slots[i].inode != inode || slots[i].device != device))
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

const char *wci_inode_map_find(const wci_inode_map *map, const wci_node_info *info)
{
    return map->cap ? slot_of(map->slots, map->cap, info->inode, info->device)->name : NULL;
}

static int grow(wci_inode_map *map)
{
    size_t cap = map->cap ? map->cap * 2 : FIRST_CAP;
    wci_inode_slot *slots = wci_calloc(cap, sizeof *slots);
    if (!slots)
        return 0;
    for (size_t i = 0; i < map->cap; i++) {
        const wci_inode_slot *old = &map->slots[i];
        if (old->name)
            *slot_of(slots, cap, old->inode, old->device) = *old;
    }
    wci_free(map->slots);
    map->slots = slots;
    map->cap = cap;
    return 1;
}

int32_t wci_inode_map_add(wci_inode_map *map, const wci_node_info *info, const char *name,
                          wc_error **err)
{
    char *copy = wci_strdup(name);
    if (!copy || (map->count * 2 >= map->cap && !grow(map))) {
        wci_free(copy);
        return wci_err_nomem(err);
    }
    wci_inode_slot *slot = slot_of(map->slots, map->cap, info->inode, info->device);
    map->count += slot->name == NULL;
    wci_free(slot->name);
    *slot = (wci_inode_slot){info->inode, info->device, copy};
    return WC_OK;
}

void wci_inode_map_free(wci_inode_map *map)
{
    for (size_t i = 0; i < map->cap; i++)
        wci_free(map->slots[i].name);
    wci_free(map->slots);
    *map = (wci_inode_map)WCI_INODE_MAP_INIT;
}
