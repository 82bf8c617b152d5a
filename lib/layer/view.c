/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/view.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/path.h"

const char *wci_place_name(const wci_place *place)
{
    return *place->name ? place->name : NULL;
}

void wci_place_close(wci_place *place)
{
    wci_fd_close(place->dir);
    place->dir = WCI_FD_NONE;
}

/* Stats `name`; a missing one is no error. */
static int32_t look_at(wci_fd dir, const char *name, wci_node_info *info, int *exists,
                       wc_error **err)
{
    int32_t rc = wci_tree_stat(dir, name, info, err);
    *exists = rc == WC_OK;
    if (rc != WC_E_NOT_FOUND)
        return rc;
    wci_err_clear(err);
    return WC_OK;
}

/* One step: what the name is, and whether going on below or in lower trees makes sense. */
static int32_t look_step(wci_fd dir, const char *name, int is_last, wci_node_info *info,
                         wci_found *found, int *opaque, wc_error **err)
{
    int exists;
    int32_t rc = look_at(dir, name, info, &exists, err);
    if (rc)
        return rc;
    if (!exists)
        *found = *opaque ? WCI_FOUND_HIDDEN : WCI_FOUND_NOTHING;
    else if (wci_tree_is_whiteout(info) || (!is_last && info->type != WCI_NODE_DIR))
        *found = WCI_FOUND_HIDDEN;
    else
        *found = WCI_FOUND_ENTRY;
    if (*found == WCI_FOUND_ENTRY && !is_last && wci_tree_is_opaque(dir, name))
        *opaque = 1;
    return WC_OK;
}

static int32_t enter(wci_fd *dir, const char *name, wc_error **err)
{
    wci_fd next;
    int32_t rc = wci_tree_open_dir(*dir, name, &next, err);
    if (rc)
        return rc;
    wci_fd_close(*dir);
    *dir = next;
    return WC_OK;
}

/* Leaves *dir open where the last name is looked for. `path` is cut into names on the way. */
static int32_t look_down(wci_fd *dir, char *path, wci_node_info *info, wci_found *found,
                         wc_error **err)
{
    int opaque = 0;
    for (char *name = path;;) {
        char *slash = strchr(name, '/');
        if (slash)
            *slash = '\0';
        int32_t rc = look_step(*dir, name, !slash, info, found, &opaque, err);
        if (rc || *found != WCI_FOUND_ENTRY || !slash)
            return rc;
        if ((rc = enter(dir, name, err)))
            return rc;
        name = slash + 1;
    }
}

int32_t wci_tree_look(const char *tree, const char *path, wci_found *found, wci_place *out,
                      wc_error **err)
{
    wci_place place = {tree, WCI_FD_NONE, "", {.type = WCI_NODE_DIR}};
    int32_t rc = wci_tree_open_root(tree, &place.dir, err);
    if (rc)
        return rc;
    if (*path) {
        const char *slash = strrchr(path, '/');
        char *copy = wci_strdup(path);
        place.name = slash ? slash + 1 : path;
        rc = copy ? look_down(&place.dir, copy, &place.info, found, err) : wci_err_nomem(err);
        wci_free(copy);
    } else {
        *found = WCI_FOUND_ENTRY;
        rc = wci_tree_stat(place.dir, NULL, &place.info, err);
    }
    if (rc || *found != WCI_FOUND_ENTRY)
        wci_place_close(&place);
    else
        *out = place;
    return rc;
}

static int comes_again(const wci_level *levels, size_t count, size_t i)
{
    for (size_t above = i + 1; above < count; above++)
        if (levels[above].tree && !strcmp(levels[above].tree, levels[i].tree))
            return 1;
    return 0;
}

int32_t wci_levels_dirs(const wci_level *levels, size_t count, wci_strv *out, wc_error **err)
{
    for (size_t i = 0; i < count; i++) {
        const wci_level *level = &levels[i];
        if ((level->tree && !comes_again(levels, count, i) && wci_strv_add(out, level->tree)) ||
            (level->links && wci_strv_add(out, level->links)))
            return wci_err_nomem(err);
    }
    return WC_OK;
}

int32_t wci_view_look(const wci_level *levels, size_t count, const char *path, wci_found *found,
                      wci_place *out, wc_error **err)
{
    *found = WCI_FOUND_NOTHING;
    for (size_t i = count; i-- > 0;) {
        int32_t rc = WC_OK;
        if (levels[i].links)
            rc = wci_tree_look(levels[i].links, path, found, out, err);
        if (!rc && *found == WCI_FOUND_NOTHING)
            rc = wci_tree_look(levels[i].tree, path, found, out, err);
        if (rc || *found != WCI_FOUND_NOTHING)
            return rc;
    }
    return WC_OK;
}

int32_t wci_view_lookup(const wci_level *levels, size_t count, const char *path,
                        char **level_path, wc_error **err)
{
    wci_found found;
    wci_place place = WCI_PLACE_NONE;
    char shown[WCI_SHOWN_SIZE];
    int32_t rc = wci_view_look(levels, count, path, &found, &place, err);
    if (rc)
        return rc;
    wci_place_close(&place);
    if (found != WCI_FOUND_ENTRY)
        return wci_err(err, WC_E_NOT_FOUND, "path '%s': not in the image",
                       wci_path_shown(path, shown));
    char *joined = *path ? wci_path_join(place.tree, path) : wci_strdup(place.tree);
    if (!joined)
        return wci_err_nomem(err);
    *level_path = joined;
    return WC_OK;
}

/* Nothing when the tree has no such directory. */
static int32_t list_tree_dir(const char *tree, const char *path, wci_strv *out, wc_error **err)
{
    wci_found found = WCI_FOUND_NOTHING;
    wci_place place = WCI_PLACE_NONE;
    wci_fd dir = WCI_FD_NONE;
    int32_t rc = wci_tree_look(tree, path, &found, &place, err);
    if (rc || found != WCI_FOUND_ENTRY)
        return rc;
    if (place.info.type == WCI_NODE_DIR) {
        rc = *place.name ? wci_tree_open_dir(place.dir, place.name, &dir, err)
                         : wci_tree_reopen(place.dir, &dir, err);
        if (!rc)
            rc = wci_tree_list(dir, out, err);
        wci_fd_close(dir);
    }
    wci_place_close(&place);
    return rc;
}

/* 1 when the view shows this name in the directory. */
static int32_t is_shown(const wci_level *levels, size_t count, const char *path, const char *name, int *shown,
                        wc_error **err)
{
    wci_found found = WCI_FOUND_NOTHING;
    wci_place place = WCI_PLACE_NONE;
    char *child = *path ? wci_path_join(path, name) : wci_strdup(name);
    int32_t rc = child ? wci_view_look(levels, count, child, &found, &place, err) : wci_err_nomem(err);
    wci_place_close(&place);
    wci_free(child);
    *shown = found == WCI_FOUND_ENTRY;
    return rc;
}

static int32_t add_shown_names(const wci_level *levels, size_t count, const char *path, const wci_strv *names,
                               wci_strv *out, wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; !rc && i < names->count; i++) {
        int shown = 0;
        if (wci_strv_contains(out, names->items[i]))
            continue;
        rc = is_shown(levels, count, path, names->items[i], &shown, err);
        if (!rc && shown && wci_strv_add(out, names->items[i]))
            rc = wci_err_nomem(err);
    }
    return rc;
}

int32_t wci_view_list(const wci_level *levels, size_t count, const char *path, wci_strv *out, wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; !rc && i < count * 2; i++) {
        const char *tree = i % 2 ? levels[i / 2].links : levels[i / 2].tree;
        wci_strv names = WCI_STRV_INIT;
        if (!tree)
            continue;
        rc = list_tree_dir(tree, path, &names, err);
        if (!rc)
            rc = add_shown_names(levels, count, path, &names, out, err);
        wci_strv_free(&names);
    }
    return rc;
}
