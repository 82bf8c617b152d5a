/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/posix/deed.h"
#include "platform/posix/posix.h"

/* While others may still put something into what is being removed. */
#define REMOVE_ATTEMPTS 100

/* 0 or errno. The mode is exact, whatever the umask. */
static int make_one(const char *path, uint32_t mode)
{
    if (mkdir(path, mode) || chmod(path, mode))
        return errno;
    return 0;
}

static int is_dir(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Makes the missing ones from the first to the last; `path` is taken apart and put together. */
static int make_with_parents(char *path, uint32_t mode)
{
    int failed = make_one(path, mode);
    if (failed != ENOENT)
        return failed == EEXIST && is_dir(path) ? 0 : failed;
    for (char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = '\0';
        failed = make_one(path, mode);
        if (failed && !is_dir(path))
            return failed;
        *p = '/';
    }
    failed = make_one(path, mode);
    return failed == EEXIST && is_dir(path) ? 0 : failed;
}

/* Somebody removes it again and again: that ends. */
#define MAKE_ATTEMPTS 100

int32_t wci_dir_make(const char *path, uint32_t mode, wc_error **err)
{
    char *copy = wci_strdup(path);
    int failed = EEXIST;
    struct stat st;
    if (!copy)
        return wci_err_nomem(err);
    for (int i = 0; i < MAKE_ATTEMPTS && failed == EEXIST; i++) {
        failed = make_with_parents(copy, mode);
        if (failed == EEXIST && lstat(path, &st) == 0)
            break;
    }
    wci_free(copy);
    if (failed)
        return wci_err_errno(err, failed, "directory '%s': making", path);
    return WC_OK;
}

int32_t wci_dir_make_new(const char *path, uint32_t mode, wc_error **err)
{
    int failed = make_one(path, mode);
    if (failed)
        return wci_err_errno(err, failed, "directory '%s': making", path);
    return WC_OK;
}

/* 0 or errno, for `name` in the directory `parent`. */
static int remove_in(const char *parent, const char *name)
{
    int dir = wci_at_open(AT_FDCWD, parent, O_PATH | O_DIRECTORY, 0);
    if (dir < 0)
        return errno;
    int failed = wci_at_unlink(dir, name, 0) ? errno : 0;
    if (failed == EISDIR)
        failed = wci_posix_remove_tree(dir, name);
    close(dir);
    return failed;
}

int32_t wci_dir_remove_all(const char *path, wc_error **err)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    char *bare = wci_strndup(path, n);
    char *parent = bare ? wci_path_parent(bare) : NULL;
    int failed = parent ? ENOTEMPTY : ENOMEM;
    for (int i = 0; failed == ENOTEMPTY && i < REMOVE_ATTEMPTS; i++)
        failed = remove_in(parent, wci_path_base(bare));
    wci_free(parent);
    wci_free(bare);
    if (failed == EXDEV)
        return wci_err(err, WC_E_IN_USE,
                       "directory '%s': removing: something is mounted in it; unmount it first",
                       path);
    if (failed && failed != ENOENT)
        return wci_err_errno(err, failed, "directory '%s': removing", path);
    return WC_OK;
}

int32_t wci_dir_remove_empty(const char *path, wc_error **err)
{
    if (rmdir(path) && errno != ENOENT)
        return wci_err_errno(err, errno, "directory '%s': removing", path);
    return WC_OK;
}

int32_t wci_dir_list(const char *path, wci_strv *names, wc_error **err)
{
    int fd = wci_at_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return wci_err_errno(err, errno, "directory '%s': opening", path);
    int32_t rc = wci_posix_list(fd, path, names, err);
    close(fd);
    return rc;
}

int32_t wci_dir_sync(const char *path, wc_error **err)
{
    int fd = wci_posix_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return wci_err_errno(err, errno, "directory '%s': opening", path);
    int failed = fsync(fd) ? errno : 0;
    close(fd);
    /* Some file systems cannot sync directories and keep them safe by themselves. */
    if (failed && failed != EINVAL)
        return wci_err_errno(err, failed, "directory '%s': writing it back to the disk", path);
    return WC_OK;
}

int32_t wci_fs_sync(const char *path, wc_error **err)
{
    int fd = wci_posix_open_at(AT_FDCWD, path, O_RDONLY, 0);
    if (fd < 0)
        return wci_err_errno(err, errno, "file '%s': opening", path);
    int failed = syncfs(fd) ? errno : 0;
    close(fd);
    if (failed)
        return wci_err_errno(err, failed, "file system of '%s': writing it back to the disk",
                             path);
    return WC_OK;
}

/* ---- Usage ------------------------------------------------------------------------------------ */

typedef struct linked_file {
    dev_t dev;
    ino_t ino;
} linked_file;

typedef struct usage {
    uint64_t bytes, entries;
    linked_file *seen; /* open addressing; ino 0 is an empty slot */
    size_t seen_count, seen_cap;
} usage;

static size_t slot_of(const linked_file *table, size_t cap, dev_t dev, ino_t ino)
{
    size_t i = (size_t)((uint64_t)ino * 0x9E3779B97F4A7C15u >> 16) & (cap - 1);
    while (table[i].ino && (table[i].ino != ino || table[i].dev != dev))
        i = (i + 1) & (cap - 1);
    return i;
}

static int grow_seen(usage *u)
{
    size_t cap = u->seen_cap ? u->seen_cap * 2 : 256;
    linked_file *table = wci_calloc(cap, sizeof *table);
    if (!table)
        return ENOMEM;
    for (size_t i = 0; i < u->seen_cap; i++)
        if (u->seen[i].ino)
            table[slot_of(table, cap, u->seen[i].dev, u->seen[i].ino)] = u->seen[i];
    wci_free(u->seen);
    u->seen = table;
    u->seen_cap = cap;
    return 0;
}

/* Sets *first when this is the first name met of a file with several. */
static int note_link(usage *u, const struct stat *st, int *first)
{
    if (2 * (u->seen_count + 1) > u->seen_cap && grow_seen(u))
        return ENOMEM;
    size_t i = slot_of(u->seen, u->seen_cap, st->st_dev, st->st_ino);
    *first = u->seen[i].ino == 0;
    u->seen_count += (size_t)*first;
    u->seen[i] = (linked_file){st->st_dev, st->st_ino};
    return 0;
}

static int usage_enter(wci_walk *walk, int dir, const struct stat *st)
{
    (void)dir;
    usage *u = walk->arg;
    u->bytes += (uint64_t)st->st_blocks * 512;
    u->entries++;
    return 0;
}

static int usage_file(wci_walk *walk, int dir, const char *name)
{
    usage *u = walk->arg;
    struct stat st;
    if (wci_at_stat(dir, name, &st))
        return errno == ENOENT ? 0 : errno;
    int first = 1;
    if (st.st_nlink > 1 && note_link(u, &st, &first))
        return ENOMEM;
    if (first)
        u->bytes += (uint64_t)st.st_blocks * 512;
    u->entries++;
    return 0;
}

int32_t wci_dir_usage(const char *path, uint64_t *bytes, uint64_t *entries, wc_error **err)
{
    int fd = wci_at_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0)
        return wci_err_errno(err, errno, "directory '%s': opening", path);
    usage u = {0};
    wci_walk walk = {.enter = usage_enter, .file = usage_file, .arg = &u};
    int failed = wci_posix_walk(&walk, fd);
    wci_free(u.seen);
    if (failed)
        return wci_err_errno(err, failed, "directory '%s': adding up its size", path);
    *bytes = u.bytes;
    *entries = u.entries;
    return WC_OK;
}
