/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/copy.h"

#include "core/alloc.h"
#include "core/error.h"
#include "layer/inode_map.h"
#include "layer/layer.h"
#include "layer/path.h"

enum { MAX_DEPTH = 256 /* each level holds two descriptors */ };
#define PIECE ((uint64_t)8 << 20) /* between two checks */

static int32_t ask(wci_copy_check check, wc_error **err)
{
    return check ? check(err) : WC_OK;
}

static int32_t copy_content(wci_fd from, uint64_t size, wci_fd to, wci_copy_check check, wc_error **err)
{
    int32_t rc = WC_OK;
    for (uint64_t done = 0; !rc && done < size; done += PIECE) {
        uint64_t left = size - done;
        rc = ask(check, err);
        if (!rc)
            rc = wci_fd_copy(from, done, left < PIECE ? left : PIECE, to, err);
    }
    return rc;
}

static int32_t copy_file(const wci_attr_rules *rules, wci_fd from, const char *from_name, const wci_attrs_read *read,
                         wci_fd to, const char *name, wci_copy_check check, wc_error **err)
{
    wci_fd source, file;
    int32_t rc = wci_tree_open_file(from, from_name, &source, err);
    if (rc)
        return rc;
    rc = wci_tree_create_file(to, name, 0600, &file, err);
    if (!rc) {
        rc = copy_content(source, read->info.size, file, check, err);
        if (!rc)
            rc = wci_attrs_apply_file(rules, file, &read->attrs, from_name, err);
        wci_fd_close(file);
    }
    wci_fd_close(source);
    return rc;
}

static int32_t copy_symlink(wci_fd from, const char *from_name, wci_fd to, const char *name, wc_error **err)
{
    char *target = NULL;
    int32_t rc = wci_tree_read_link(from, from_name, &target, err);
    if (!rc)
        rc = wci_tree_make_symlink(to, name, target, err);
    wci_free(target);
    return rc;
}

int32_t wci_copy_entry(const wci_attr_rules *rules, wci_fd from, const char *from_name, const wci_attrs_read *read,
                       wci_fd to, const char *name, wci_copy_check check, wc_error **err)
{
    wci_node_type type = read->info.type;
    if (type == WCI_NODE_FILE)
        return copy_file(rules, from, from_name, read, to, name, check, err);
    int32_t rc = type == WCI_NODE_SYMLINK
                     ? copy_symlink(from, from_name, to, name, err)
                     : wci_tree_make_node(to, name, type, 0600, read->info.dev_major, read->info.dev_minor, err);
    if (!rc)
        rc = wci_attrs_apply(rules, to, name, type, &read->attrs, name, err);
    return rc;
}

/* ---- Whole trees -------------------------------------------------------------------------------- */

typedef struct copier {
    wci_attr_rules rules;
    wci_fd root; /* of the copy */
    wci_inode_map links;
    wci_copy_check check;
} copier;

static int32_t copy_children(copier *c, wci_fd from, wci_fd to, const char *path, int depth, wc_error **err);

/* A further name of a file that has been copied under `first`, a path below the root. */
static int32_t link_to(copier *c, const char *first, wci_fd to, const char *name, wc_error **err)
{
    char *parent = wci_path_parent(first);
    wci_fd dir = WCI_FD_NONE;
    int32_t rc = parent ? wci_tree_resolve(c->root, parent, &dir, err) : wci_err_nomem(err);
    if (!rc)
        rc = wci_tree_link(dir, wci_path_base(first), to, name, err);
    wci_fd_close(dir);
    wci_free(parent);
    return rc;
}

static int32_t copy_leaf(copier *c, wci_fd from, const char *name, const wci_attrs_read *read, wci_fd to,
                         const char *path, wc_error **err)
{
    if (read->info.type == WCI_NODE_SOCKET) /* it means nothing without its process */
        return WC_OK;
    const char *first = read->info.links > 1 ? wci_inode_map_find(&c->links, &read->info) : NULL;
    if (first)
        return link_to(c, first, to, name, err);
    int32_t rc = wci_copy_entry(&c->rules, from, name, read, to, name, c->check, err);
    if (!rc && read->info.links > 1)
        rc = wci_inode_map_add(&c->links, &read->info, path, err);
    return rc;
}

static int32_t copy_dir(copier *c, wci_fd from_parent, const char *name, const wci_attrs_read *read, wci_fd to_parent,
                        const char *path, int depth, wc_error **err)
{
    wci_fd from = WCI_FD_NONE, to = WCI_FD_NONE;
    char shown[WCI_SHOWN_SIZE];
    if (depth > MAX_DEPTH)
        return wci_err(err, WC_E_LIMIT, "copying '%s': directories are deeper than %d levels",
                       wci_path_shown(path, shown), MAX_DEPTH);
    int32_t rc = wci_tree_open_dir(from_parent, name, &from, err);
    if (!rc)
        rc = wci_tree_make_dir(to_parent, name, 0700, err);
    if (!rc)
        rc = wci_tree_open_dir(to_parent, name, &to, err);
    if (!rc)
        rc = copy_children(c, from, to, path, depth + 1, err);
    if (!rc)
        rc = wci_attrs_apply(&c->rules, to, NULL, WCI_NODE_DIR, &read->attrs, path, err);
    wci_fd_close(from);
    wci_fd_close(to);
    return rc;
}

static int32_t copy_child(copier *c, wci_fd from, const char *name, wci_fd to, const char *path, int depth,
                          wc_error **err)
{
    wci_attrs_read read;
    int32_t rc = ask(c->check, err);
    if (!rc)
        rc = wci_attrs_read_of(from, name, &read, err);
    if (rc)
        return rc;
    rc = read.info.type == WCI_NODE_DIR ? copy_dir(c, from, name, &read, to, path, depth, err)
                                        : copy_leaf(c, from, name, &read, to, path, err);
    wci_attrs_read_free(&read);
    return rc;
}

static int32_t copy_children(copier *c, wci_fd from, wci_fd to, const char *path, int depth, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    int32_t rc = wci_tree_list(from, &names, err);
    for (size_t i = 0; !rc && i < names.count; i++) {
        char *child = wci_asprintf("%s/%s", path, names.items[i]);
        rc = child ? copy_child(c, from, names.items[i], to, child, depth, err) : wci_err_nomem(err);
        wci_free(child);
    }
    wci_strv_free(&names);
    return rc;
}

int32_t wci_tree_copy(wci_fd from, wci_fd to, int32_t (*check)(wc_error **err), wc_error **err)
{
    copier c = {.root = to, .links = WCI_INODE_MAP_INIT, .check = check};
    wci_attrs_read read;
    wci_attr_rules_init(&c.rules, NULL);
    int32_t rc = wci_attrs_read_of(from, NULL, &read, err);
    if (rc)
        return rc;
    rc = copy_children(&c, from, to, "", 0, err);
    if (!rc)
        rc = wci_attrs_apply(&c.rules, to, NULL, WCI_NODE_DIR, &read.attrs, ".", err);
    wci_attrs_read_free(&read);
    wci_inode_map_free(&c.links);
    return rc;
}
