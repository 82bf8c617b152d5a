/* SPDX-License-Identifier: Apache-2.0 */
/* Making X: what a layer's tree cannot say without the layers below. See docs/layers.md. */
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/linker.h"

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int32_t wci_linker_look_below(wci_linker *l, const char *path, wci_found *found, wci_place *out,
                              wc_error **err)
{
    return wci_view_look(l->below, l->below_count, path, found, out, err);
}

static int inherits(const wci_linker *l, const char *path)
{
    return l->inheriting.count &&
           bsearch(&path, l->inheriting.items, l->inheriting.count, sizeof path, by_text) != NULL;
}

/* ---- Directories of X ------------------------------------------------------------------------- */

static int is_dir(wci_found found, const wci_place *place)
{
    return found == WCI_FOUND_ENTRY && place->info.type == WCI_NODE_DIR;
}

/* Where the merged view of this layer and those below takes a directory's attributes from. */
static int32_t find_dir_source(wci_linker *l, const char *path, wci_place *out, wc_error **err)
{
    wci_found found;
    wci_place place = WCI_PLACE_NONE;
    char shown[WCI_SHOWN_SIZE];
    int32_t rc;
    if (inherits(l, path)) {
        if ((rc = wci_linker_look_below(l, path, &found, out, err)) || is_dir(found, out))
            return rc;
        wci_place_close(out);
    }
    if ((rc = wci_tree_look(l->tree, path, &found, &place, err)))
        return rc;
    if (!is_dir(found, &place)) {
        wci_place_close(&place);
        if ((rc = wci_linker_look_below(l, path, &found, &place, err)))
            return rc;
    }
    if (!is_dir(found, &place)) {
        wci_place_close(&place);
        return wci_err(err, WC_E_CORRUPT, "layer: its records and its tree disagree about '%s'",
                       wci_path_shown(path, shown));
    }
    *out = place;
    return WC_OK;
}

static int32_t take_dir_attrs(wci_linker *l, const char *path, wci_dir *dir, wc_error **err)
{
    wci_place source = WCI_PLACE_NONE;
    wci_attrs_read read;
    int32_t rc = find_dir_source(l, path, &source, err);
    if (rc)
        return rc;
    rc = wci_attrs_read_of(source.dir, wci_place_name(&source), &read, err);
    wci_place_close(&source);
    if (rc)
        return rc;
    rc = wci_dirs_set_attrs(l->x.dirs, dir, &read.attrs, err);
    wci_attrs_read_free(&read);
    return rc;
}

/* Makes the directory with all above it, each as the merged view has it. */
static int32_t make_dir(wci_linker *l, const char *path, wci_dir **out, wc_error **err)
{
    wci_str so_far = WCI_STR_INIT;
    wci_dir *dir = wci_dirs_root(l->x.dirs);
    int32_t rc = dir->flags & WCI_DIR_NAMED ? WC_OK : take_dir_attrs(l, "", dir, err);
    l->touched = 1;
    while (!rc && *path) {
        size_t size = strcspn(path, "/");
        size_t start = so_far.size + (so_far.size > 0);
        if (so_far.size)
            wci_str_append_c(&so_far, '/');
        wci_str_append_n(&so_far, path, size);
        if (so_far.failed) {
            rc = wci_err_nomem(err);
            break;
        }
        rc = wci_extract_dir(&l->x, dir, so_far.data + start, WCI_ENTER_MAKE, &dir, err);
        if (!rc && !(dir->flags & WCI_DIR_NAMED))
            rc = take_dir_attrs(l, so_far.data, dir, err);
        path += size + (path[size] == '/');
    }
    wci_str_free(&so_far);
    if (!rc)
        *out = dir;
    return rc;
}

/* Makes the directory that `path` is in; *name is its last component. */
int32_t wci_linker_parent(wci_linker *l, const char *path, wci_dir **out, const char **name,
                           wc_error **err)
{
    const char *slash = strrchr(path, '/');
    char *parent = wci_strndup(path, slash ? (size_t)(slash - path) : 0);
    if (!parent)
        return wci_err_nomem(err);
    int32_t rc = make_dir(l, parent, out, err);
    *name = slash ? slash + 1 : path;
    wci_free(parent);
    return rc;
}

static int32_t hide(wci_linker *l, const char *path, wc_error **err)
{
    wci_dir *dir;
    const char *name;
    int32_t rc = wci_linker_parent(l, path, &dir, &name, err);
    return rc ? rc : wci_extract_whiteout(&l->x, dir, name, err);
}

/* ---- Records ---------------------------------------------------------------------------------- */

static int32_t attrs_differ(wci_linker *l, const char *path, const wci_place *below, int *differ,
                            wc_error **err)
{
    wci_found found;
    wci_place own = WCI_PLACE_NONE;
    wci_attrs_read a, b;
    int32_t rc = wci_tree_look(l->tree, path, &found, &own, err);
    if (rc)
        return rc;
    *differ = 1;
    if (found != WCI_FOUND_ENTRY)
        return WC_OK;
    rc = wci_attrs_read_of(own.dir, wci_place_name(&own), &a, err);
    wci_place_close(&own);
    if (rc)
        return rc;
    if (!(rc = wci_attrs_read_of(below->dir, wci_place_name(below), &b, err))) {
        *differ = !wci_attrs_equal(&a, &b);
        wci_attrs_read_free(&b);
    }
    wci_attrs_read_free(&a);
    return rc;
}

/* A directory that the layer does not name looks as it does below. */
static int32_t link_implied(wci_linker *l, const char *path, int is_ghost, wc_error **err)
{
    wci_found found;
    wci_place place = WCI_PLACE_NONE;
    wci_dir *dir;
    int differ = 0;
    int32_t rc = wci_linker_look_below(l, path, &found, &place, err);
    if (rc)
        return rc;
    if (is_dir(found, &place)) {
        rc = attrs_differ(l, path, &place, &differ, err);
        if (!rc && differ)
            rc = make_dir(l, path, &dir, err);
    } else if (is_ghost && found == WCI_FOUND_ENTRY) {
        rc = wci_linker_copy(l, path, path, err); /* whiteouts below a file hide nothing */
    } else if (is_ghost) {
        rc = hide(l, path, err);
    }
    wci_place_close(&place);
    return rc;
}

/* Overlayfs lists whiteouts as devices in directories that it does not merge. */
static int32_t link_whiteouts(wci_linker *l, const char *path, wc_error **err)
{
    wci_found found;
    wci_place place = WCI_PLACE_NONE;
    wci_dir *dir;
    int32_t rc = wci_linker_look_below(l, path, &found, &place, err);
    if (rc)
        return rc;
    int merged = is_dir(found, &place);
    wci_place_close(&place);
    return merged ? WC_OK : make_dir(l, path, &dir, err);
}

int32_t wci_linker_hold_place(wci_linker *l, const char *path, wc_error **err)
{
    const char *slash = strrchr(path, '/');
    char *parent = wci_strndup(path, slash ? (size_t)(slash - path) : 0);
    int32_t rc = parent ? link_whiteouts(l, parent, err) : wci_err_nomem(err);
    wci_free(parent);
    return rc;
}

/* Overlayfs merges roots even when one is opaque: what is below is hidden name by name. */
static int32_t link_opaque_root(wci_linker *l, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    l->opaque_root = 1;
    int32_t rc = wci_view_list(l->below, l->below_count, "", &names, err);
    for (size_t i = 0; !rc && i < names.count; i++) {
        wci_found found;
        wci_place place = WCI_PLACE_NONE;
        rc = wci_tree_look(l->tree, names.items[i], &found, &place, err);
        wci_place_close(&place);
        if (!rc && found == WCI_FOUND_NOTHING)
            rc = hide(l, names.items[i], err);
    }
    wci_strv_free(&names);
    return rc;
}

static int32_t link_record(wci_linker *l, const wci_record *r, wc_error **err)
{
    switch (r->kind) {
    case WCI_RECORD_IMPLIED:
        return link_implied(l, r->path, 0, err);
    case WCI_RECORD_GHOST:
        return link_implied(l, r->path, 1, err);
    case WCI_RECORD_WHITEOUTS:
        return link_whiteouts(l, r->path, err);
    case WCI_RECORD_OPAQUE:
        return link_opaque_root(l, err);
    case WCI_RECORD_FOREIGN:
        return wci_linker_copy(l, r->path, r->other, err);
    default:
        return WC_OK;
    }
}

static int is_below(const char *path, const char *dir)
{
    size_t size = strlen(dir);
    return strncmp(path, dir, size) == 0 && path[size] == '/';
}

/* Records come parents first. What is below a directory that X hides or replaces is left out. */
static int32_t link_records(wci_linker *l, wc_error **err)
{
    const char *gone = NULL;
    for (size_t i = 0; i < l->records.count; i++) {
        const wci_record *r = &l->records.items[i];
        if (gone && (strcmp(r->path, gone) == 0 || is_below(r->path, gone)))
            continue;
        int32_t rc = link_record(l, r, err);
        if (rc)
            return rc;
        if (r->kind == WCI_RECORD_GHOST) {
            wci_found found;
            wci_place place = WCI_PLACE_NONE;
            if ((rc = wci_linker_look_below(l, r->path, &found, &place, err)))
                return rc;
            gone = is_dir(found, &place) ? gone : r->path;
            wci_place_close(&place);
        }
    }
    return WC_OK;
}

static int32_t sort_inheriting(wci_linker *l, wc_error **err)
{
    for (size_t i = 0; i < l->records.count; i++) {
        const wci_record *r = &l->records.items[i];
        if ((r->kind == WCI_RECORD_IMPLIED || r->kind == WCI_RECORD_GHOST) &&
            wci_strv_add(&l->inheriting, r->path))
            return wci_err_nomem(err);
    }
    if (l->inheriting.count)
        qsort(l->inheriting.items, l->inheriting.count, sizeof(char *), by_text);
    return WC_OK;
}

/* ---- The whole -------------------------------------------------------------------------------- */

static int32_t make_all(wci_linker *l, const char *fs, wc_error **err)
{
    wci_fd root;
    int32_t rc = wci_dir_make_new(fs, 0700, err);
    if (!rc)
        rc = wci_tree_open_root(fs, &root, err);
    if (!rc)
        rc = wci_extract_init(&l->x, root, &wci_limits_default, 1, NULL, err);
    if (!rc)
        rc = link_records(l, err);
    if (!rc && l->touched)
        rc = wci_extract_finish(&l->x, NULL, err);
    wci_extract_free(&l->x);
    if (!rc && !l->touched)
        rc = wci_dir_remove_empty(fs, err);
    return rc;
}

int32_t wci_layer_link(const wci_level *levels, size_t count, const char *dir, int *is_empty,
                       wc_error **err)
{
    if (!count)
        return wci_err(err, WC_E_INVALID, "layer: no level to link");
    const wci_level *top = &levels[count - 1];
    wci_linker l = {.below = levels, .below_count = count - 1, .tree = top->tree};
    char *fs = wci_path_join(dir, "fs");
    int32_t rc = fs ? wci_records_read(top->records, &l.records, err) : wci_err_nomem(err);
    if (!rc)
        rc = sort_inheriting(&l, err);
    if (!rc)
        rc = make_all(&l, fs, err);
    if (!rc)
        *is_empty = !l.touched;
    wci_strv_free(&l.inheriting);
    wci_records_free(&l.records);
    wci_linker_free_copies(&l);
    wci_free(fs);
    return rc;
}
