/* SPDX-License-Identifier: Apache-2.0 */
/* A stack of layers made after the model, unpacked each into its T, linked into its X, mounted, and compared with
 * the model. */
#ifndef WC_LAYER_STACK_H
#define WC_LAYER_STACK_H

#include "support/tarball.h"

#include "layer_model.h"

enum { MAX_LAYERS = 5 };

typedef struct stack {
    char dir[64];
    int layers;
    model_layer layer[MAX_LAYERS];
    wci_level levels[MAX_LAYERS];
    char *paths[MAX_LAYERS * 3];
    model_node *model;
    model_inode *inodes[64]; /* which model inode has which number on disk */
    ino_t numbers[64];
    int inode_count;
    char problem[256];
} stack;

/* The problem is kept, the first one counts. */
__attribute__((format(printf, 2, 3))) void stack_differs(stack *s, const char *fmt, ...);
/* What a call of the library says. */
void stack_failed(stack *s, const char *what, int layer, wc_error *err);
/* The tar of layer n of the model. */
void stack_tar(const stack *s, int n, tarball *out);
/* Unpacks a tar as the n-th level, and links it. */
void stack_add(stack *s, int n, const tarball *tar);
/* The n-th level is an earlier one once more. */
void stack_repeat(stack *s, int n, int earlier);
/* Mounts all levels at DIR/view. */
void stack_mount(stack *s);
void stack_compare(stack *s);
/* The same of a directory that something else made. */
void stack_compare_at(stack *s, const char *dir);
/* Tells the problem, if any, and ends the test; otherwise removes everything. */
void stack_end(stack *s, unsigned long long seed);
/* The test program: runs `one` for each of `stacks` seeds, in a directory to work in, where this process can mount for
 * itself alone; arguments [stacks [first seed]]. Skipped where mounts are not possible. */
int stack_main(const char *name, void (*one)(const char *base, unsigned long long seed), int stacks, int argc, char **argv);

#endif
