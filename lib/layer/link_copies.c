/* SPDX-License-Identifier: Apache-2.0 */
/* Hard links to files of layers below: the file is copied into X with every name that still shows
 * it, so that all of them go on being one file. */
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/copy.h"
#include "layer/linker.h"

static int32_t copy_entry(wci_linker *l, const wci_place *from, wci_dir *parent, const char *name,
                          wc_error **err)
{
    wci_fd dir;
    wci_attrs_read read;
    int32_t rc = wci_dirs_open(l->x.dirs, parent, &dir, err);
    if (!rc)
        rc = wci_attrs_read_of(from->dir, from->name, &read, err);
    if (rc)
        return rc;
    rc = wci_copy_entry(&l->x.rules, from->dir, from->name, &read, dir, name, NULL, err);
    wci_attrs_read_free(&read);
    return rc;
}

/* ---- Other names of the same file ------------------------------------------------------------- */

/* Gives the copy one more name; nothing happens when it has it. */
static int32_t add_name(wci_linker *l, const char *first, const char *path, wc_error **err)
{
    wci_dir *from, *dir;
    const char *from_name, *name;
    if (strcmp(first, path) == 0)
        return WC_OK;
    int32_t rc = wci_linker_parent(l, first, &from, &from_name, err);
    if (!rc)
        rc = wci_linker_parent(l, path, &dir, &name, err);
    return rc ? rc : wci_extract_link(&l->x, from, from_name, dir, name, err);
}

/* Another name of the same file goes along where this layer leaves it alone. */
static int32_t bring_along(wci_linker *l, const char *name, const char *first, wc_error **err)
{
    wci_found found;
    wci_place place = WCI_PLACE_NONE;
    int32_t rc = wci_tree_look(l->tree, name, &found, &place, err);
    wci_place_close(&place);
    if (rc || found != WCI_FOUND_NOTHING || l->opaque_root)
        return rc;
    return add_name(l, first, name, err);
}

static int32_t add_alias(wci_linker *l, const char *name, wc_error **err)
{
    wci_found found;
    wci_place place = WCI_PLACE_NONE;
    int32_t rc = wci_linker_look_below(l, name, &found, &place, err);
    wci_place_close(&place);
    if (rc || found != WCI_FOUND_ENTRY || place.info.links < 2)
        return rc;
    char *copy = wci_strdup(name);
    if (!copy || !wci_grow(&l->aliases, &l->alias_cap, l->alias_count + 1, sizeof *l->aliases)) {
        wci_free(copy);
        return wci_err_nomem(err);
    }
    l->aliases[l->alias_count++] = (wci_alias){place.info.inode, place.info.device, copy};
    return WC_OK;
}

static int by_inode(const void *a, const void *b)
{
    const wci_alias *x = a, *y = b;
    if (x->inode != y->inode)
        return x->inode < y->inode ? -1 : 1;
    if (x->device != y->device)
        return x->device < y->device ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Every file below with several names has them in the records of hard links. */
static int32_t find_aliases(wci_linker *l, wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; !rc && i < l->below_count; i++) {
        wci_records records = {NULL, NULL, 0};
        rc = wci_records_read(l->below[i].records, &records, err);
        for (size_t k = 0; !rc && k < records.count; k++) {
            const wci_record *r = &records.items[k];
            if (r->kind != WCI_RECORD_LINK && r->kind != WCI_RECORD_FOREIGN)
                continue;
            if (!(rc = add_alias(l, r->path, err)))
                rc = add_alias(l, r->other, err);
        }
        wci_records_free(&records);
    }
    if (!rc && l->alias_count)
        qsort(l->aliases, l->alias_count, sizeof *l->aliases, by_inode);
    l->has_aliases = !rc;
    return rc;
}

static int32_t bring_group(wci_linker *l, const wci_node_info *info, const char *first,
                           wc_error **err)
{
    char no_name[] = "";
    const wci_alias wanted = {info->inode, info->device, no_name};
    int32_t rc = l->has_aliases ? WC_OK : find_aliases(l, err);
    size_t low = 0, high = l->alias_count;
    while (!rc && low < high) {
        size_t middle = low + (high - low) / 2;
        if (by_inode(&l->aliases[middle], &wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (size_t i = low; !rc && i < l->alias_count; i++) {
        if (l->aliases[i].inode != info->inode || l->aliases[i].device != info->device)
            break;
        if (i == low || strcmp(l->aliases[i].name, l->aliases[i - 1].name) != 0)
            rc = bring_along(l, l->aliases[i].name, first, err);
    }
    return rc;
}

static int32_t copy_with_group(wci_linker *l, const wci_place *from, const char *target,
                               const char *path, wc_error **err)
{
    wci_dir *dir;
    const char *name;
    int32_t rc = wci_linker_parent(l, path, &dir, &name, err);
    if (!rc)
        rc = copy_entry(l, from, dir, name, err);
    if (!rc)
        rc = wci_inode_map_add(&l->copies, &from->info, path, err);
    if (!rc)
        rc = bring_along(l, target, path, err);
    if (!rc && from->info.links > 1)
        rc = bring_group(l, &from->info, path, err);
    return rc;
}

/* ---- What no layer has here ---------------------------------------------------------------------- */

/* Looks for `*target` in one level; goes on from where that links to. */
static int is_left_out_in(const wci_records *records, wci_str *target)
{
    for (size_t i = 0; i < records->count; i++) {
        const wci_record *r = &records->items[i];
        if (strcmp(r->path, target->data) != 0)
            continue;
        if (r->kind == WCI_RECORD_LEFT_OUT)
            return 1;
        if (r->kind == WCI_RECORD_FOREIGN) {
            wci_str_clear(target);
            wci_str_append(target, r->other);
            return target->failed;
        }
    }
    return 0;
}

static int32_t was_left_out(wci_linker *l, const char *target, int *left_out, wc_error **err)
{
    wci_str name = WCI_STR_INIT;
    wci_str_append(&name, target);
    int32_t rc = name.failed ? wci_err_nomem(err) : WC_OK;
    for (size_t i = l->below_count; !rc && !*left_out && i-- > 0;) {
        wci_records records = {NULL, NULL, 0};
        rc = wci_records_read(l->below[i].records, &records, err);
        *left_out = !rc && is_left_out_in(&records, &name);
        wci_records_free(&records);
    }
    if (!rc && name.failed)
        rc = wci_err_nomem(err);
    wci_str_free(&name);
    return rc;
}

/* A link whose target is not below is an error, unless that is a device which could not be made here. */
static int32_t miss_target(wci_linker *l, const char *path, const char *target, wc_error **err)
{
    char link[WCI_SHOWN_SIZE], shown[WCI_SHOWN_SIZE];
    int left_out = 0;
    int32_t rc = was_left_out(l, target, &left_out, err);
    if (rc || left_out)
        return rc ? rc : wci_linker_hold_place(l, path, err);
    return wci_err(err, WC_E_FORMAT,
                   "layer: hard link '%s': its target '%s' is no file of this layer or of those below",
                   wci_path_shown(path, link), wci_path_shown(target, shown));
}

/* Makes `path` a link to what the view below shows at `target`. */
int32_t wci_linker_copy(wci_linker *l, const char *path, const char *target, wc_error **err)
{
    wci_found found;
    wci_place place = WCI_PLACE_NONE;
    int32_t rc = wci_linker_look_below(l, target, &found, &place, err);
    if (rc)
        return rc;
    if (found != WCI_FOUND_ENTRY || place.info.type == WCI_NODE_DIR) {
        wci_place_close(&place);
        return miss_target(l, path, target, err);
    }
    const char *copy = wci_inode_map_find(&l->copies, &place.info);
    rc = copy ? add_name(l, copy, path, err)
              : copy_with_group(l, &place, target, path, err);
    wci_place_close(&place);
    return rc;
}

void wci_linker_free_copies(wci_linker *l)
{
    for (size_t i = 0; i < l->alias_count; i++)
        wci_free(l->aliases[i].name);
    wci_inode_map_free(&l->copies);
    wci_free(l->aliases);
}
