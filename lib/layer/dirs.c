/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/dirs.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"

enum {
    MAX_OPEN = 64,
    FIRST_BUCKETS = 256,
    MAX_MEMORY = 256 * 1024 * 1024, /* of notes; a million directories with ordinary names */
};

struct wci_dirs {
    wci_dir *root;
    wci_dir **buckets;
    size_t bucket_count; /* a power of two */
    size_t count;
    size_t memory;
    wci_dir *newest, *oldest;
    wci_dir *kept; /* not closed, whatever else is opened */
    int open_count;
};

static size_t hash(const wci_dir *parent, const char *name, size_t size)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ (uintptr_t)parent;
    for (size_t i = 0; i < size; i++)
        h = (h ^ (unsigned char)name[i]) * UINT64_C(0x100000001b3);
    return (size_t)(h ^ h >> 29);
}

static wci_dir **bucket_of(const wci_dirs *dirs, const wci_dir *parent, const char *name,
                           size_t size)
{
    return &dirs->buckets[hash(parent, name, size) & (dirs->bucket_count - 1)];
}

wci_dir *wci_dirs_root(wci_dirs *dirs)
{
    return dirs->root;
}

wci_dir *wci_dirs_find(const wci_dirs *dirs, const wci_dir *parent, const char *name, size_t size)
{
    wci_dir *dir = *bucket_of(dirs, parent, name, size);
    while (dir && !(dir->parent == parent && dir->name_size == size &&
                    memcmp(dir->name, name, size) == 0))
        dir = dir->bucket_next;
    return dir;
}

/* ---- Descriptors ------------------------------------------------------------------------------ */

static void unlist(wci_dirs *dirs, wci_dir *dir)
{
    *(dir->newer ? &dir->newer->older : &dirs->newest) = dir->older;
    *(dir->older ? &dir->older->newer : &dirs->oldest) = dir->newer;
    dir->newer = dir->older = NULL;
}

static void list_newest(wci_dirs *dirs, wci_dir *dir)
{
    dir->older = dirs->newest;
    *(dirs->newest ? &dirs->newest->newer : &dirs->oldest) = dir;
    dirs->newest = dir;
}

static void close_dir(wci_dirs *dirs, wci_dir *dir)
{
    if (dir->fd == WCI_FD_NONE || dir == dirs->root)
        return;
    unlist(dirs, dir);
    wci_fd_close(dir->fd);
    dir->fd = WCI_FD_NONE;
    dirs->open_count--;
}

static int32_t open_child(wci_dirs *dirs, wci_fd parent, wci_dir *dir, wc_error **err)
{
    int32_t rc = wci_tree_open_dir(parent, dir->name, &dir->fd, err);
    if (rc)
        return rc;
    list_newest(dirs, dir);
    if (++dirs->open_count > MAX_OPEN)
        close_dir(dirs, dirs->oldest == dirs->kept ? dirs->oldest->newer : dirs->oldest);
    return WC_OK;
}

static wci_dir *step_towards(wci_dir *from, wci_dir *to)
{
    while (to->parent != from)
        to = to->parent;
    return to;
}

int32_t wci_dirs_open(wci_dirs *dirs, wci_dir *dir, wci_fd *out, wc_error **err)
{
    wci_dir *open = dir;
    while (open->fd == WCI_FD_NONE)
        open = open->parent;
    while (open != dir) {
        wci_dir *next = step_towards(open, dir);
        int32_t rc = open_child(dirs, open->fd, next, err);
        if (rc)
            return rc;
        open = next;
    }
    if (dir != dirs->root && dirs->newest != dir) {
        unlist(dirs, dir);
        list_newest(dirs, dir);
    }
    *out = dir->fd;
    return WC_OK;
}

int32_t wci_dirs_open_two(wci_dirs *dirs, wci_dir *a, wci_fd *a_fd, wci_dir *b, wci_fd *b_fd,
                          wc_error **err)
{
    int32_t rc = wci_dirs_open(dirs, a, a_fd, err);
    if (rc)
        return rc;
    dirs->kept = a;
    rc = wci_dirs_open(dirs, b, b_fd, err);
    dirs->kept = NULL;
    return rc;
}

/* ---- Notes ------------------------------------------------------------------------------------ */

static void rehash(wci_dirs *dirs, wci_dir **buckets, size_t count)
{
    wci_dir **old = dirs->buckets;
    size_t old_count = dirs->bucket_count;
    dirs->buckets = buckets;
    dirs->bucket_count = count;
    for (size_t i = 0; i < old_count; i++) {
        for (wci_dir *dir = old[i], *next; dir; dir = next) {
            next = dir->bucket_next;
            wci_dir **bucket = bucket_of(dirs, dir->parent, dir->name, dir->name_size);
            dir->bucket_next = *bucket;
            *bucket = dir;
        }
    }
    wci_free(old);
}

static void link_sibling(wci_dir *dir)
{
    dir->next = dir->parent->child;
    if (dir->next)
        dir->next->prev = dir;
    dir->parent->child = dir;
}

static int32_t charge(wci_dirs *dirs, size_t size, wc_error **err)
{
    if (size > MAX_MEMORY - dirs->memory)
        return wci_err(err, WC_E_LIMIT,
                       "unpack: the directories of this layer take more than %d MiB to note",
                       MAX_MEMORY >> 20);
    dirs->memory += size;
    return WC_OK;
}

static wci_dir *new_dir(const char *name, size_t size)
{
    wci_dir *dir = wci_calloc(1, sizeof *dir + size + 1);
    if (!dir)
        return NULL;
    dir->fd = WCI_FD_NONE;
    dir->name_size = size;
    memcpy(dir->name, name, size);
    return dir;
}

int32_t wci_dirs_add(wci_dirs *dirs, wci_dir *parent, const char *name, size_t size,
                     wci_dir **out, wc_error **err)
{
    if (dirs->count >= dirs->bucket_count) {
        wci_dir **buckets = wci_calloc(dirs->bucket_count * 2, sizeof *buckets);
        if (!buckets)
            return wci_err_nomem(err);
        rehash(dirs, buckets, dirs->bucket_count * 2);
    }
    int32_t rc = charge(dirs, sizeof(wci_dir) + size + 1, err);
    if (rc)
        return rc;
    wci_dir *dir = new_dir(name, size);
    if (!dir)
        return wci_err_nomem(err);
    wci_dir **bucket = bucket_of(dirs, parent, name, size);
    dir->parent = parent;
    dir->bucket_next = *bucket;
    *bucket = dir;
    link_sibling(dir);
    dirs->count++;
    *out = dir;
    return WC_OK;
}

static void remove_one(wci_dirs *dirs, wci_dir *dir)
{
    wci_dir **at = bucket_of(dirs, dir->parent, dir->name, dir->name_size);
    while (*at != dir)
        at = &(*at)->bucket_next;
    *at = dir->bucket_next;
    *(dir->prev ? &dir->prev->next : &dir->parent->child) = dir->next;
    if (dir->next)
        dir->next->prev = dir->prev;
    close_dir(dirs, dir);
    dirs->memory -= sizeof *dir + dir->name_size + 1;
    dirs->count--;
    wci_free((void *)dir->attrs.xattrs);
    wci_free(dir->target);
    wci_free(dir);
}

void wci_dirs_remove(wci_dirs *dirs, wci_dir *dir)
{
    for (wci_dir *at = dir;;) {
        while (at->child)
            at = at->child;
        wci_dir *parent = at->parent;
        int was_last = at == dir;
        remove_one(dirs, at);
        if (was_last)
            return;
        at = parent;
    }
}

int32_t wci_dirs_new(wci_fd root, wci_dirs **out, wc_error **err)
{
    wci_dirs *dirs = wci_calloc(1, sizeof *dirs);
    wci_dir **buckets = wci_calloc(FIRST_BUCKETS, sizeof *buckets);
    wci_dir *top = new_dir("", 0);
    if (!dirs || !buckets || !top) {
        wci_free(dirs);
        wci_free(buckets);
        wci_free(top);
        wci_fd_close(root);
        return wci_err_nomem(err);
    }
    dirs->buckets = buckets;
    dirs->bucket_count = FIRST_BUCKETS;
    dirs->root = top;
    top->fd = root;
    *out = dirs;
    return WC_OK;
}

void wci_dirs_free(wci_dirs *dirs)
{
    if (!dirs)
        return;
    while (dirs->root->child)
        wci_dirs_remove(dirs, dirs->root->child);
    wci_fd_close(dirs->root->fd);
    wci_free((void *)dirs->root->attrs.xattrs);
    wci_free(dirs->root);
    wci_free(dirs->buckets);
    wci_free(dirs);
}

/* Array and texts in one piece. */
static wci_xattr *copy_xattrs(const wci_xattr *from, size_t count, size_t size)
{
    wci_xattr *to = wci_malloc(size);
    if (!to)
        return NULL;
    char *text = (char *)(to + count);
    for (size_t i = 0; i < count; i++) {
        size_t key_size = strlen(from[i].key) + 1;
        to[i].key = memcpy(text, from[i].key, key_size);
        text += key_size;
        to[i].value = from[i].size ? memcpy(text, from[i].value, from[i].size) : text;
        to[i].size = from[i].size;
        text += from[i].size;
    }
    return to;
}

int32_t wci_dirs_set_attrs(wci_dirs *dirs, wci_dir *dir, const wci_attrs *attrs, wc_error **err)
{
    wci_xattr *xattrs = NULL;
    if (attrs->xattr_count) {
        size_t size = attrs->xattr_count * sizeof *xattrs;
        for (size_t i = 0; i < attrs->xattr_count; i++)
            size += strlen(attrs->xattrs[i].key) + 1 + attrs->xattrs[i].size;
        int32_t rc = charge(dirs, size, err);
        if (rc)
            return rc;
        xattrs = copy_xattrs(attrs->xattrs, attrs->xattr_count, size);
        if (!xattrs)
            return wci_err_nomem(err);
    }
    wci_free((void *)dir->attrs.xattrs);
    dir->attrs = *attrs;
    dir->attrs.xattrs = xattrs;
    dir->flags |= WCI_DIR_NAMED;
    return WC_OK;
}

int32_t wci_dirs_set_link(wci_dirs *dirs, wci_dir *dir, const char *target, wc_error **err)
{
    int32_t rc = charge(dirs, strlen(target) + 1, err);
    if (rc)
        return rc;
    dir->target = wci_strdup(target);
    if (!dir->target)
        return wci_err_nomem(err);
    dir->flags |= WCI_DIR_LINK;
    return WC_OK;
}

void wci_dirs_path(const wci_dir *dir, wci_str *out)
{
    size_t size = 0;
    for (const wci_dir *d = dir; d->parent; d = d->parent)
        size += d->name_size + 1;
    if (!size)
        return;
    char *start = wci_str_reserve(out, size);
    if (!start)
        return;
    char *end = start + size - 1;
    for (const wci_dir *d = dir; d->parent; d = d->parent) {
        memcpy(end - d->name_size, d->name, d->name_size);
        end -= d->name_size;
        if (end > start)
            *--end = '/';
    }
    wci_str_added(out, size - 1);
}

wci_dir *wci_dirs_next_beside(wci_dir *dir)
{
    while (dir && !dir->next)
        dir = dir->parent;
    return dir ? dir->next : NULL;
}

wci_dir *wci_dirs_next(wci_dir *dir)
{
    return dir->child ? dir->child : wci_dirs_next_beside(dir);
}

wci_dir *wci_dirs_deepest(wci_dir *dir)
{
    while (dir->child)
        dir = dir->child;
    return dir;
}

wci_dir *wci_dirs_next_up(wci_dir *dir)
{
    return dir->next ? wci_dirs_deepest(dir->next) : dir->parent;
}
