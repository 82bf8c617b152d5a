/* SPDX-License-Identifier: Apache-2.0 */
#include "layer_model.h"

#include <stdlib.h>
#include <string.h>

static const model_attrs implied_attrs = {0755, 0, 0, 0, 0, 0};

uint64_t model_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static int below(uint64_t *random, int n)
{
    return (int)(model_random(random) % (uint64_t)n);
}

void model_path_text(const model_path *path, const char *prefix, char *out)
{
    *out = '\0';
    for (int i = 0; i < path->depth; i++) {
        if (i)
            strcat(out, "/");
        if (i == path->depth - 1)
            strcat(out, prefix);
        strncat(out, &"abcd"[path->name[i]], 1);
    }
}

/* ---- The tree ---------------------------------------------------------------------------------- */

static model_inode *new_inode(model_type type, const model_attrs *attrs, int content)
{
    model_inode *inode = calloc(1, sizeof *inode);
    if (!inode)
        abort();
    *inode = (model_inode){1, type, *attrs, content};
    return inode;
}

static model_node *new_node(model_inode *inode)
{
    model_node *node = calloc(1, sizeof *node);
    if (!node)
        abort();
    node->inode = inode;
    return node;
}

model_node *model_new(void)
{
    return new_node(new_inode(MODEL_DIR, &implied_attrs, 0));
}

void model_free(model_node *node)
{
    if (!node)
        return;
    for (int i = 0; i < MODEL_NAMES; i++)
        model_free(node->children[i]);
    if (--node->inode->refs == 0)
        free(node->inode);
    free(node);
}

static int is_dir(const model_node *node)
{
    return node && node->inode->type == MODEL_DIR;
}

/* Files stay the same inodes in the copy, directories do not. */
static model_node *copy_tree(const model_node *node)
{
    if (!node)
        return NULL;
    model_inode *inode = node->inode;
    if (is_dir(node))
        inode = new_inode(MODEL_DIR, &inode->attrs, 0);
    else
        inode->refs++;
    model_node *copy = new_node(inode);
    for (int i = 0; i < MODEL_NAMES; i++)
        copy->children[i] = copy_tree(node->children[i]);
    return copy;
}

static void forget_layer(model_node *node)
{
    if (!node)
        return;
    node->of_layer = 0;
    for (int i = 0; i < MODEL_NAMES; i++)
        forget_layer(node->children[i]);
}

model_node *model_find(model_node *root, const model_path *path)
{
    for (int i = 0; i < path->depth && root; i++)
        root = is_dir(root) ? root->children[path->name[i]] : NULL;
    return root;
}

static void drop(model_node **slot)
{
    model_free(*slot);
    *slot = NULL;
}

/* ---- Applying ---------------------------------------------------------------------------------- */

/* The slot of path, its parents made where they are not directories. */
static model_node **make_slot(model_node **root, const model_path *path)
{
    model_node **slot = root;
    for (int i = 0; i < path->depth; i++) {
        if (!is_dir(*slot)) {
            drop(slot);
            *slot = new_node(new_inode(MODEL_DIR, &implied_attrs, 0));
        }
        (*slot)->of_layer = 1;
        slot = &(*slot)->children[path->name[i]];
    }
    return slot;
}

static void apply_whiteout(model_node *root, const model_op *op)
{
    model_path parent = op->path;
    if (op->kind == MODEL_WHITEOUT)
        parent.depth--;
    model_node *dir = model_find(root, &parent);
    if (!is_dir(dir))
        return;
    if (op->kind == MODEL_WHITEOUT)
        drop(&dir->children[op->path.name[parent.depth]]);
    else
        for (int i = 0; i < MODEL_NAMES; i++)
            drop(&dir->children[i]);
}

static void put(model_node **root, const model_op *op)
{
    model_node **slot = make_slot(root, &op->path);
    if (op->type == MODEL_DIR && is_dir(*slot)) {
        (*slot)->inode->attrs = op->attrs;
    } else {
        drop(slot);
        *slot = new_node(new_inode(op->type, &op->attrs, op->content));
    }
    (*slot)->of_layer = 1;
}

/* What a link to `path` means: a file of this layer, else one of the view below it. */
static model_inode *link_target(model_node *now, model_node *before, const model_path *path)
{
    model_node *node = model_find(now, path);
    if (!node || !node->of_layer)
        node = model_find(before, path);
    return node && !is_dir(node) ? node->inode : NULL;
}

static void apply_op(model_node **root, model_node *before, const model_op *op)
{
    if (op->kind == MODEL_PUT)
        put(root, op);
    if (op->kind != MODEL_LINK)
        return;
    model_inode *inode = link_target(*root, before, &op->target);
    if (!inode)
        abort(); /* the generator promised */
    inode->refs++;
    model_node **slot = make_slot(root, &op->path);
    drop(slot);
    *slot = new_node(inode);
    (*slot)->of_layer = 1;
}

static void apply_whiteouts(model_node *root, const model_layer *layer)
{
    for (int i = 0; i < layer->count; i++)
        if (layer->ops[i].kind == MODEL_WHITEOUT || layer->ops[i].kind == MODEL_OPAQUE)
            apply_whiteout(root, &layer->ops[i]);
}

void model_apply(model_node **root, const model_layer *layer)
{
    model_node *before = copy_tree(*root);
    forget_layer(*root);
    apply_whiteouts(*root, layer);
    for (int i = 0; i < layer->count; i++)
        apply_op(root, before, &layer->ops[i]);
    model_free(before);
}

/* ---- Random layers ----------------------------------------------------------------------------- */

static model_path random_path(uint64_t *random, int min_depth)
{
    model_path path = {0, {0}};
    path.depth = min_depth + below(random, MODEL_DEPTH - min_depth);
    for (int i = 0; i < path.depth; i++)
        path.name[i] = (unsigned char)below(random, MODEL_NAMES);
    return path;
}

static model_attrs random_attrs(uint64_t *random)
{
    static const unsigned modes[] = {0755, 0700, 0644, 04755, 02775, 01777, 0, 0111};
    model_attrs attrs = {
        .mode = modes[below(random, 8)],
        .uid = (unsigned)below(random, 3) * 1000,
        .gid = (unsigned)below(random, 3) * 7,
        .mtime = 1000000000 + below(random, 1000000),
        .mtime_ns = below(random, 2) ? 0 : below(random, 1000000000),
        .xattr = below(random, 4) ? 0 : 1 + below(random, 9),
    };
    return attrs;
}

static int is_prefix(const model_path *a, const model_path *b)
{
    return a->depth <= b->depth && memcmp(a->name, b->name, (size_t)a->depth) == 0;
}

/* `now` is what the layer has made so far and `before` what was below it. */
static int link_is_possible(model_node *now, model_node *before, const model_op *op)
{
    model_node *node = model_find(now, &op->target);
    if (is_prefix(&op->path, &op->target) || is_prefix(&op->target, &op->path))
        return 0;
    if (node && node->of_layer)
        return !is_dir(node);
    return link_target(now, before, &op->target) != NULL;
}

static void random_put(uint64_t *random, model_op *op)
{
    static const model_type types[] = {MODEL_FILE, MODEL_FILE,    MODEL_FILE, MODEL_DIR,
                                       MODEL_DIR,  MODEL_SYMLINK, MODEL_FIFO, MODEL_DEVICE};
    op->kind = MODEL_PUT;
    op->type = types[below(random, 8)];
    op->path = random_path(random, op->type == MODEL_DIR ? 0 : 1);
    op->attrs = random_attrs(random);
    op->content = below(random, 1000);
    if (op->type == MODEL_SYMLINK)
        op->attrs.mode = 0777;
}

static int random_op(uint64_t *random, model_node *now, model_node *before, model_op *op)
{
    int dice = below(random, 16);
    memset(op, 0, sizeof *op);
    if (dice < 9) {
        random_put(random, op);
        return 1;
    }
    op->path = random_path(random, 1);
    if (dice < 12) {
        op->kind = MODEL_LINK;
        op->target = random_path(random, 1);
        return link_is_possible(now, before, op);
    }
    op->kind = dice < 15 ? MODEL_WHITEOUT : MODEL_OPAQUE;
    if (op->kind == MODEL_OPAQUE)
        op->path.depth -= below(random, 2);
    return 1;
}

int model_can_apply(model_node *root, const model_layer *layer)
{
    model_node *now = copy_tree(root);
    int possible = 1;
    forget_layer(now);
    apply_whiteouts(now, layer);
    for (int i = 0; i < layer->count && possible; i++) {
        possible = layer->ops[i].kind != MODEL_LINK || link_is_possible(now, root, &layer->ops[i]);
        if (possible)
            apply_op(&now, root, &layer->ops[i]);
    }
    model_free(now);
    return possible;
}

/* Whiteouts act first whatever their place; a plan is made with all of them, then tried. */
void model_random_layer(uint64_t *random, model_node *root, model_layer *out)
{
    int want = 1 + below(random, MODEL_MAX_OPS - 1);
    out->count = 0;
    while (out->count < want) {
        model_node *now = copy_tree(root);
        forget_layer(now);
        apply_whiteouts(now, out);
        for (int i = 0; i < out->count; i++)
            apply_op(&now, root, &out->ops[i]);
        if (random_op(random, now, root, &out->ops[out->count]))
            out->count++;
        model_free(now);
    }
}
