/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/merged_tree.h"

/* Where the comparison of two directories is. */
typedef struct place {
    const wci_merged_node *a, *b;
} place;

typedef struct comparison {
    int32_t (*tell)(void *self, const wci_difference *difference, wc_error **err);
    void *self;
    wci_str path;
    place *open; /* the innermost last: trees may be deep */
    size_t depth, cap;
} comparison;

/* ---- Two files -------------------------------------------------------------------------------------- */

static int has_xattr(const wci_attrs *attrs, const wci_xattr *wanted)
{
    for (size_t i = 0; i < attrs->xattr_count; i++) {
        const wci_xattr *x = &attrs->xattrs[i];
        if (!strcmp(x->key, wanted->key))
            return x->size == wanted->size && (!x->size || !memcmp(x->value, wanted->value, x->size));
    }
    return 0;
}

static int xattrs_differ(const wci_attrs *a, const wci_attrs *b)
{
    if (a->xattr_count != b->xattr_count)
        return 1;
    for (size_t i = 0; i < a->xattr_count; i++)
        if (!has_xattr(b, &a->xattrs[i]))
            return 1;
    return 0;
}

static int content_differs(const wci_merged_file *a, const wci_merged_file *b)
{
    return a->size != b->size || strcmp(a->link, b->link) || !wci_streq(a->content, b->content) ||
           a->dev_major != b->dev_major || a->dev_minor != b->dev_minor;
}

/* The modes of symbolic links mean nothing. */
static int mode_differs(const wci_merged_file *a, const wci_merged_file *b)
{
    return a->attrs.mode != b->attrs.mode && a->type != WCI_ENTRY_SYMLINK && b->type != WCI_ENTRY_SYMLINK;
}

static unsigned compare(const wci_merged_file *a, const wci_merged_file *b)
{
    unsigned what = 0;
    if (a->type != b->type)
        what |= WCI_DIFFERS_TYPE;
    else if (content_differs(a, b))
        what |= WCI_DIFFERS_CONTENT;
    if (mode_differs(a, b))
        what |= WCI_DIFFERS_MODE;
    if (a->attrs.uid != b->attrs.uid || a->attrs.gid != b->attrs.gid)
        what |= WCI_DIFFERS_OWNER;
    if (xattrs_differ(&a->attrs, &b->attrs))
        what |= WCI_DIFFERS_XATTRS;
    return what;
}

/* ---- Two trees -------------------------------------------------------------------------------------- */

static int64_t size_of(const wci_merged_node *node)
{
    return node && node->file->type == WCI_ENTRY_FILE ? (int64_t)node->file->size : -1;
}

static int32_t tell(comparison *c, int kind, unsigned what, const wci_merged_node *a, const wci_merged_node *b,
                    wc_error **err)
{
    int32_t rc = wci_merged_path(b ? b : a, &c->path, err);
    const wci_difference difference = {kind, what, c->path.data, size_of(a), size_of(b)};
    return rc ? rc : c->tell(c->self, &difference, err);
}

/* What the view does not show is not there. */
static const wci_merged_node *shown(const wci_merged_node *node)
{
    while (node && !node->file)
        node = node->sibling;
    return node;
}

static int32_t tell_added(comparison *c, const wci_merged_node *top, wc_error **err)
{
    const wci_merged_node *end = wci_merged_next(top, 1);
    int32_t rc = WC_OK;
    for (const wci_merged_node *node = top; node != end && !rc; node = wci_merged_next(node, !node->file))
        if (node->file)
            rc = tell(c, WCI_ADDED, 0, NULL, node, err);
    return rc;
}

static int32_t enter(comparison *c, const wci_merged_node *a, const wci_merged_node *b, wc_error **err)
{
    if (!wci_grow(&c->open, &c->cap, c->depth + 1, sizeof *c->open))
        return wci_err_nomem(err);
    c->open[c->depth++] = (place){shown(a), shown(b)};
    return WC_OK;
}

static int32_t compare_nodes(comparison *c, const wci_merged_node *a, const wci_merged_node *b, wc_error **err)
{
    unsigned what = compare(a->file, b->file);
    int32_t rc = what ? tell(c, WCI_CHANGED, what, a, b, err) : WC_OK;
    if (rc || !wci_merged_is_dir(b))
        return rc;
    return enter(c, wci_merged_is_dir(a) ? a->child : NULL, b->child, err);
}

/* One name of the innermost pair of directories. */
static int32_t step(comparison *c, wc_error **err)
{
    place *at = &c->open[c->depth - 1];
    const wci_merged_node *a = at->a, *b = at->b;
    int order = !a ? 1 : !b ? -1 : strcmp(a->name, b->name);
    if (order <= 0)
        at->a = shown(a->sibling);
    if (order >= 0)
        at->b = shown(b->sibling);
    return order < 0   ? tell(c, WCI_DELETED, 0, a, NULL, err)
           : order > 0 ? tell_added(c, b, err)
                       : compare_nodes(c, a, b, err);
}

static int32_t compare_all(comparison *c, const wci_merged_node *from, const wci_merged_node *to, wc_error **err)
{
    int32_t rc = compare_nodes(c, from, to, err);
    while (!rc && c->depth) {
        if (c->open[c->depth - 1].a || c->open[c->depth - 1].b)
            rc = step(c, err);
        else
            c->depth--;
    }
    return rc;
}

int32_t wci_merged_diff(const wci_merged *from, const wci_merged *to,
                        int32_t (*told)(void *self, const wci_difference *difference, wc_error **err), void *self,
                        wc_error **err)
{
    comparison c = {.tell = told, .self = self};
    int32_t rc = compare_all(&c, from->root, to->root, err);
    wci_str_free(&c.path);
    wci_free(c.open);
    return rc;
}
