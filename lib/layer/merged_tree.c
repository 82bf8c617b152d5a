/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/merged_tree.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"

enum { FIRST_BUCKETS = 1024 };
/* Of names and attributes: some ten million files. */
#define MAX_MEMORY ((size_t)2 << 30)

static const wci_merged_file implied_dir = {.type = WCI_ENTRY_DIR, .attrs = {.mode = 0755}, .link = ""};

int32_t wci_merged_too_large(wc_error **err)
{
    return wci_err(err, WC_E_LIMIT, "the names of all files take more than the memory that is there for them");
}

/* ---- Nodes ------------------------------------------------------------------------------------------ */

static wci_merged_node **bucket_of(const wci_merged *m, const wci_merged_node *parent, const char *name, size_t size)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ (uintptr_t)parent;
    for (size_t i = 0; i < size; i++)
        h = (h ^ (unsigned char)name[i]) * UINT64_C(0x100000001b3);
    return &m->buckets[(size_t)(h ^ h >> 29) & (m->bucket_count - 1)];
}

static int grow_buckets(wci_merged *m)
{
    size_t old_count = m->bucket_count, count = old_count ? old_count * 2 : FIRST_BUCKETS;
    wci_merged_node **old = m->buckets, **fresh = wci_calloc(count, sizeof *fresh);
    if (!fresh)
        return 0;
    m->buckets = fresh;
    m->bucket_count = count;
    for (size_t i = 0; i < old_count; i++) {
        for (wci_merged_node *node = old[i], *next; node; node = next) {
            wci_merged_node **bucket = bucket_of(m, node->parent, node->name, strlen(node->name));
            next = node->bucket_next;
            node->bucket_next = *bucket;
            *bucket = node;
        }
    }
    wci_free(old);
    return 1;
}

static wci_merged_node *add_node(wci_merged *m, wci_merged_node *parent, const char *name, size_t size)
{
    if (m->node_count >= m->bucket_count && !grow_buckets(m))
        return NULL;
    wci_merged_node *node = wci_arena_alloc(&m->arena, sizeof *node + size + 1);
    if (!node)
        return NULL;
    memcpy(node->name, name, size);
    node->parent = parent;
    if (parent) {
        wci_merged_node **bucket = bucket_of(m, parent, name, size);
        node->bucket_next = *bucket;
        *bucket = node;
        node->sibling = parent->child;
        parent->child = node;
    }
    m->node_count++;
    return node;
}

wci_merged_node *wci_merged_child(const wci_merged *m, const wci_merged_node *parent, const char *name, size_t size)
{
    wci_merged_node *node = *bucket_of(m, parent, name, size);
    while (node && !(node->parent == parent && !strncmp(node->name, name, size) && !node->name[size]))
        node = node->bucket_next;
    return node;
}

int wci_merged_is_dir(const wci_merged_node *node)
{
    return node && node->file && node->file->type == WCI_ENTRY_DIR;
}

wci_merged_node *wci_merged_find(const wci_merged *m, const char *path)
{
    wci_merged_node *node = m->root;
    while (*path && node) {
        size_t size = strcspn(path, "/");
        node = wci_merged_is_dir(node) ? wci_merged_child(m, node, path, size) : NULL;
        path += size + (path[size] == '/');
    }
    return node && node->file ? node : NULL;
}

wci_merged_node *wci_merged_next(const wci_merged_node *node, int beside)
{
    if (!beside && node->child)
        return node->child;
    while (node && !node->sibling)
        node = node->parent;
    return node ? node->sibling : NULL;
}

void wci_merged_drop(wci_merged_node *node)
{
    wci_merged_node *end = wci_merged_next(node, 1);
    for (; node != end; node = wci_merged_next(node, 0))
        node->file = NULL;
}

wci_merged_node *wci_merged_make(wci_merged *m, const char *path, uint32_t layer)
{
    wci_merged_node *node = m->root;
    while (*path && node) {
        size_t size = strcspn(path, "/");
        if (!wci_merged_is_dir(node)) {
            wci_merged_drop(node);
            node->file = (wci_merged_file *)(uintptr_t)m->implied;
            node->layer = layer;
        }
        wci_merged_node *child = wci_merged_child(m, node, path, size);
        node = child ? child : add_node(m, node, path, size);
        path += size + (path[size] == '/');
    }
    return node;
}

/* ---- Order ------------------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
    return strcmp((*(wci_merged_node *const *)a)->name, (*(wci_merged_node *const *)b)->name);
}

typedef struct children {
    wci_merged_node **items;
    size_t cap;
} children;

static int sort_children(wci_merged_node *dir, children *list)
{
    size_t count = 0;
    for (wci_merged_node *child = dir->child; child; child = child->sibling) {
        if (!wci_grow(&list->items, &list->cap, count + 1, sizeof *list->items))
            return 0;
        list->items[count++] = child;
    }
    if (count)
        qsort(list->items, count, sizeof *list->items, by_name);
    wci_merged_node **end = &dir->child;
    for (size_t i = 0; i < count; i++, end = &(*end)->sibling)
        *end = list->items[i];
    *end = NULL;
    return 1;
}

int32_t wci_merged_sort(wci_merged *m, wc_error **err)
{
    children list = {NULL, 0};
    int good = 1;
    for (wci_merged_node *node = m->root; node && good; node = wci_merged_next(node, 0))
        good = sort_children(node, &list);
    wci_free(list.items);
    return good ? WC_OK : wci_err_nomem(err);
}

static void append_path(const wci_merged_node *node, wci_str *out)
{
    const wci_merged_node *way[2048]; /* a path of that many parts would be longer than any may be */
    size_t depth = 0;
    for (; node->parent && depth < sizeof way / sizeof *way; node = node->parent)
        way[depth++] = node;
    while (depth) {
        if (out->size)
            wci_str_append_c(out, '/');
        wci_str_append(out, way[--depth]->name);
    }
}

int32_t wci_merged_path(const wci_merged_node *node, wci_str *out, wc_error **err)
{
    wci_str_clear(out);
    wci_str_append(out, "");
    append_path(node, out);
    return out->failed ? wci_err_nomem(err) : WC_OK;
}

/* ---- The whole -------------------------------------------------------------------------------------- */

wci_merged_file *wci_merged_add_file(wci_merged *m)
{
    wci_merged_file *file = wci_arena_alloc(&m->arena, sizeof *file);
    if (file)
        file->link = "";
    return file;
}

int32_t wci_merged_new(wci_merged **out, wc_error **err)
{
    wci_merged *m = wci_calloc(1, sizeof *m);
    if (!m)
        return wci_err_nomem(err);
    m->arena.max = MAX_MEMORY;
    m->implied = &implied_dir;
    m->root = add_node(m, NULL, "", 0);
    if (!m->root) {
        wci_merged_free(m);
        return wci_err_nomem(err);
    }
    m->root->file = (wci_merged_file *)(uintptr_t)m->implied;
    *out = m;
    return WC_OK;
}

void wci_merged_free(wci_merged *m)
{
    if (!m)
        return;
    wci_arena_free(&m->arena);
    wci_free(m->buckets);
    wci_free(m->contents);
    wci_free(m);
}
