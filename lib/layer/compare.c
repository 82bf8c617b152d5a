/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/compare.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/attrs.h"
#include "layer/dirs.h"
#include "layer/inode_map.h"
#include "layer/path.h"

enum { CHUNK_SIZE = 128 * 1024 };

/* One of the two trees. */
typedef struct side {
    wci_dirs *dirs;
    wci_inode_map links; /* files with several names that have been met */
    unsigned char *chunk;
} side;

/* The same directory of both. */
typedef struct pair {
    wci_dir *now, *expected;
} pair;

typedef struct comparison {
    const wc_call *call;
    side now, expected;
    pair *waiting; /* directories whose entries have not been looked at: trees may be deep */
    size_t count, cap;
    char *difference; /* set: the end */
} comparison;

/* The same entry of both. */
typedef struct spot {
    pair parent;
    wci_fd now, expected; /* of the parent */
    const char *name;     /* NULL: the directories themselves */
    const char *path;
} spot;

static int32_t differ(comparison *c, const char *path, const char *how, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    c->difference = wci_asprintf("'%s' %s", *path ? wci_path_shown(path, shown) : "/", how);
    return c->difference ? WC_OK : wci_err_nomem(err);
}

/* ---- Leaves ------------------------------------------------------------------------------------- */

static int32_t read_both(comparison *c, wci_fd now, wci_fd expected, size_t want, int *equal,
                         wc_error **err)
{
    size_t a = 0, b = 0;
    int32_t rc = wci_call_check(c->call, err);
    if (!rc)
        rc = wci_fd_read(now, c->now.chunk, want, &a, err);
    if (!rc)
        rc = wci_fd_read(expected, c->expected.chunk, want, &b, err);
    *equal = !rc && a == want && b == want && memcmp(c->now.chunk, c->expected.chunk, want) == 0;
    return rc;
}

static int32_t compare_content(comparison *c, const spot *at, uint64_t size, wc_error **err)
{
    wci_fd now = WCI_FD_NONE, expected = WCI_FD_NONE;
    int equal = 1;
    int32_t rc = wci_tree_open_file(at->now, at->name, &now, err);
    if (!rc)
        rc = wci_tree_open_file(at->expected, at->name, &expected, err);
    for (uint64_t left = size; left && equal && !rc;) {
        size_t want = left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE;
        rc = read_both(c, now, expected, want, &equal, err);
        left -= want;
    }
    wci_fd_close(now);
    wci_fd_close(expected);
    return rc || equal ? rc : differ(c, at->path, "has another content", err);
}

static int32_t compare_target(comparison *c, const spot *at, wc_error **err)
{
    char *now = NULL, *expected = NULL;
    int32_t rc = wci_tree_read_link(at->now, at->name, &now, err);
    if (!rc)
        rc = wci_tree_read_link(at->expected, at->name, &expected, err);
    if (!rc && strcmp(now, expected) != 0)
        rc = differ(c, at->path, "points elsewhere", err);
    wci_free(now);
    wci_free(expected);
    return rc;
}

/* *first: the name under which the same file was met before, NULL when this is the first. */
static int32_t meet(side *s, const wci_node_info *info, const char *path, const char **first,
                    wc_error **err)
{
    *first = info->links > 1 ? wci_inode_map_find(&s->links, info) : NULL;
    return *first || info->links < 2 ? WC_OK : wci_inode_map_add(&s->links, info, path, err);
}

static int32_t compare_leaf(comparison *c, const spot *at, const wci_node_info *now,
                            const wci_node_info *expected, wc_error **err)
{
    const char *a, *b;
    int32_t rc = meet(&c->now, now, at->path, &a, err);
    if (!rc)
        rc = meet(&c->expected, expected, at->path, &b, err);
    if (rc)
        return rc;
    if (!a != !b || (a && strcmp(a, b) != 0))
        return differ(c, at->path, "is linked to other files", err);
    if (a)
        return WC_OK;
    if (now->dev_major != expected->dev_major || now->dev_minor != expected->dev_minor)
        return differ(c, at->path, "is another device", err);
    if (now->type == WCI_NODE_SYMLINK)
        return compare_target(c, at, err);
    if (now->type != WCI_NODE_FILE)
        return WC_OK;
    return now->size == expected->size ? compare_content(c, at, now->size, err)
                                       : differ(c, at->path, "has another size", err);
}

/* ---- Directories -------------------------------------------------------------------------------- */

static int32_t wait_for_turn(comparison *c, wci_dir *now, wci_dir *expected, wc_error **err)
{
    if (!wci_grow(&c->waiting, &c->cap, c->count + 1, sizeof *c->waiting))
        return wci_err_nomem(err);
    c->waiting[c->count++] = (pair){now, expected};
    return WC_OK;
}

static int32_t compare_dir(comparison *c, const spot *at, wc_error **err)
{
    wci_dir *now, *expected;
    if (wci_tree_is_opaque(at->now, at->name) != wci_tree_is_opaque(at->expected, at->name))
        return differ(c, at->path, "hides other things", err);
    if (!at->name)
        return wait_for_turn(c, at->parent.now, at->parent.expected, err);
    size_t size = strlen(at->name);
    int32_t rc = wci_dirs_add(c->now.dirs, at->parent.now, at->name, size, &now, err);
    if (!rc)
        rc = wci_dirs_add(c->expected.dirs, at->parent.expected, at->name, size, &expected, err);
    return rc ? rc : wait_for_turn(c, now, expected, err);
}

static int32_t compare_read(comparison *c, const spot *at, const wci_attrs_read *now,
                            const wci_attrs_read *expected, wc_error **err)
{
    if (now->info.type != expected->info.type)
        return differ(c, at->path, "is another kind of file", err);
    if (wci_tree_is_whiteout(&now->info) && wci_tree_is_whiteout(&expected->info))
        return WC_OK; /* whose attributes say nothing */
    if (!wci_attrs_equal(now, expected))
        return differ(c, at->path, "has other attributes", err);
    return now->info.type == WCI_NODE_DIR
               ? compare_dir(c, at, err)
               : compare_leaf(c, at, &now->info, &expected->info, err);
}

static int32_t compare_spot(comparison *c, const spot *at, wc_error **err)
{
    wci_attrs_read now, expected;
    int32_t rc = wci_call_check(c->call, err);
    if (!rc)
        rc = wci_attrs_read_of(at->now, at->name, &now, err);
    if (rc)
        return rc;
    rc = wci_attrs_read_of(at->expected, at->name, &expected, err);
    if (!rc) {
        rc = compare_read(c, at, &now, &expected, err);
        wci_attrs_read_free(&expected);
    }
    wci_attrs_read_free(&now);
    return rc;
}

/* ---- Names -------------------------------------------------------------------------------------- */

/* `order` as strcmp() has it: the name is in both when 0, else only now, or only expected. */
static int32_t compare_name(comparison *c, spot *at, const char *name, int order, wc_error **err)
{
    wci_str path = WCI_STR_INIT;
    wci_dirs_path(at->parent.now, &path);
    if (path.size)
        wci_str_append_c(&path, '/');
    wci_str_append(&path, name);
    at->name = name;
    at->path = path.data;
    int32_t rc = path.failed ? wci_err_nomem(err)
                 : order     ? differ(c, path.data, order < 0 ? "is not in the layer" : "is missing", err)
                             : compare_spot(c, at, err);
    wci_str_free(&path);
    return rc;
}

/* Both lists are sorted, and the same up to the first difference. */
static int32_t compare_names(comparison *c, spot *at, const wci_strv *now,
                             const wci_strv *expected, wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; (i < now->count || i < expected->count) && !rc && !c->difference; i++) {
        int order = i == now->count        ? 1
                    : i == expected->count ? -1
                                           : strcmp(now->items[i], expected->items[i]);
        rc = compare_name(c, at, order > 0 ? expected->items[i] : now->items[i], order, err);
    }
    return rc;
}

static int32_t open_pair(comparison *c, const pair *dir, spot *out, wc_error **err)
{
    *out = (spot){.parent = *dir, .path = ""};
    int32_t rc = wci_dirs_open(c->now.dirs, dir->now, &out->now, err);
    return rc ? rc : wci_dirs_open(c->expected.dirs, dir->expected, &out->expected, err);
}

static int32_t compare_entries(comparison *c, const pair *dir, wc_error **err)
{
    wci_strv now = WCI_STRV_INIT, expected = WCI_STRV_INIT;
    spot at;
    int32_t rc = open_pair(c, dir, &at, err);
    if (!rc)
        rc = wci_tree_list(at.now, &now, err);
    if (!rc)
        rc = wci_tree_list(at.expected, &expected, err);
    if (!rc)
        rc = compare_names(c, &at, &now, &expected, err);
    wci_strv_free(&now);
    wci_strv_free(&expected);
    return rc;
}

/* ---- Both --------------------------------------------------------------------------------------- */

static int32_t open_side(side *s, const char *dir, wc_error **err)
{
    wci_fd root;
    char *fs = wci_path_join(dir, "fs");
    s->chunk = wci_malloc(CHUNK_SIZE);
    int32_t rc = fs && s->chunk ? wci_tree_open_root(fs, &root, err) : wci_err_nomem(err);
    wci_free(fs);
    return rc ? rc : wci_dirs_new(root, &s->dirs, err);
}

static void close_side(side *s)
{
    wci_dirs_free(s->dirs);
    wci_inode_map_free(&s->links);
    wci_free(s->chunk);
}

static int32_t compare_fs(comparison *c, wc_error **err)
{
    const pair root = {wci_dirs_root(c->now.dirs), wci_dirs_root(c->expected.dirs)};
    spot at;
    int32_t rc = open_pair(c, &root, &at, err);
    if (!rc)
        rc = compare_spot(c, &at, err);
    while (!rc && !c->difference && c->count) {
        const pair next = c->waiting[--c->count];
        rc = compare_entries(c, &next, err);
    }
    return rc;
}

/* Trees that join layers have none. */
static int32_t read_records(const char *dir, wc_buf **out, wc_error **err)
{
    char *path = wci_path_join(dir, "records");
    if (!path)
        return wci_err_nomem(err);
    int32_t rc = wci_file_exists(path) ? wci_file_read_all(path, (size_t)1 << 30, out, err) : WC_OK;
    wci_free(path);
    return rc;
}

static int is_equal(const wc_buf *a, const wc_buf *b)
{
    if (!a || !b)
        return a == b;
    return wc_buf_size(a) == wc_buf_size(b) &&
           memcmp(wc_buf_data(a), wc_buf_data(b), wc_buf_size(a)) == 0;
}

static int32_t compare_records(comparison *c, const char *dir, const char *expected_dir,
                               wc_error **err)
{
    wc_buf *now = NULL, *expected = NULL;
    int32_t rc = read_records(dir, &now, err);
    if (!rc)
        rc = read_records(expected_dir, &expected, err);
    if (!rc && !is_equal(now, expected) && !(c->difference = wci_strdup("its records differ")))
        rc = wci_err_nomem(err);
    wc_buf_unref(now);
    wc_buf_unref(expected);
    return rc;
}

int32_t wci_layer_compare(const wc_call *call, const char *dir, const char *expected_dir,
                          char **difference, wc_error **err)
{
    comparison c = {.call = call};
    int32_t rc = open_side(&c.now, dir, err);
    if (!rc)
        rc = open_side(&c.expected, expected_dir, err);
    if (!rc)
        rc = compare_fs(&c, err);
    if (!rc && !c.difference)
        rc = compare_records(&c, dir, expected_dir, err);
    close_side(&c.now);
    close_side(&c.expected);
    wci_free(c.waiting);
    if (rc)
        wci_free(c.difference);
    else
        *difference = c.difference;
    return rc;
}
