/* SPDX-License-Identifier: Apache-2.0 */
/* A plain serial reference for layers: a tree in memory to which the entries of one layer after the
 * other are applied, as `tar` into one directory would, whiteouts of a layer first. It knows nothing
 * of overlays, T or X. Names come from a small alphabet, so that things collide. */
#ifndef WC_LAYER_MODEL_H
#define WC_LAYER_MODEL_H

#include <stdint.h>

enum {
    MODEL_NAMES = 4, /* "a" to "d" */
    MODEL_DEPTH = 4,
};

typedef struct model_path {
    int depth; /* 0: the root */
    unsigned char name[MODEL_DEPTH];
} model_path;

typedef enum model_type {
    MODEL_FILE,
    MODEL_DIR,
    MODEL_SYMLINK,
    MODEL_FIFO,
    MODEL_DEVICE,
} model_type;

typedef struct model_attrs {
    unsigned mode, uid, gid;
    long long mtime;
    int mtime_ns;
    int xattr; /* value of trusted.wctest; 0: none */
} model_attrs;

/* What hard links share. */
typedef struct model_inode {
    int refs;
    model_type type;
    model_attrs attrs;
    int content; /* of files and symbolic links */
} model_inode;

typedef struct model_node {
    model_inode *inode;
    int of_layer; /* 1: the layer being applied made it */
    struct model_node *children[MODEL_NAMES];
} model_node;

typedef enum model_op_kind {
    MODEL_PUT,      /* type, attrs, content */
    MODEL_LINK,     /* target */
    MODEL_WHITEOUT, /* hides path */
    MODEL_OPAQUE,   /* makes path opaque */
} model_op_kind;

typedef struct model_op {
    model_op_kind kind;
    model_path path, target;
    model_type type;
    model_attrs attrs;
    int content;
} model_op;

enum { MODEL_MAX_OPS = 16 };
typedef struct model_layer {
    model_op ops[MODEL_MAX_OPS];
    int count;
} model_layer;

model_node *model_new(void); /* an empty root with implied attributes */
void model_free(model_node *root);
model_node *model_find(model_node *root, const model_path *path);
void model_apply(model_node **root, const model_layer *layer);
/* Whether the links of a layer that was made for another root have their targets on this one, too. */
int model_can_apply(model_node *root, const model_layer *layer);
/* A random layer whose links all have targets when it is applied to root. */
void model_random_layer(uint64_t *random, model_node *root, model_layer *out);
uint64_t model_random(uint64_t *state);
/* "a/b/c"; prefix of the last name: ".wh." or "". */
void model_path_text(const model_path *path, const char *prefix, char *out);

#endif
