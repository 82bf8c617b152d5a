/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/posix/deed.h"
#include "platform/posix/posix.h"
#include "platform/posix/tree_name.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW)

/* One directory on the way down. */
typedef struct frame {
    char *name; /* in its parent; NULL for the first */
    dev_t dev;
    ino_t ino;
    wci_strv subdirs;
    size_t next;
} frame;

typedef struct state {
    wci_walk *walk;
    frame *frames;
    size_t depth, cap;
    int fd; /* of the deepest frame */
} state;

/* Who removes does all that he may himself, and leaves the rest to the deputy as one deed. */
static ssize_t act(int alone, const wci_deed *deed)
{
    return alone ? wci_deed_perform(deed) : wci_deed_do(deed);
}

static int open_at(int alone, int dir, const char *name, int flags)
{
    return (int)act(alone, &(wci_deed){.kind = WCI_DEED_OPEN, .dir = dir, .name = name, .flags = flags});
}

/* ---- Reading directories ---------------------------------------------------------------------- */

/* A stream of its own: the descriptor may be shared, and with it its position. */
static DIR *open_stream(int alone, int dir)
{
    int fd = open_at(alone, dir, ".", O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return NULL;
    DIR *stream = fdopendir(fd);
    if (!stream)
        close(fd);
    return stream;
}

static int is_dot_name(const char *name)
{
    return name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2]));
}

/* The next entry but "." and ".."; NULL with errno 0 at the end. */
static struct dirent *next_entry(DIR *stream)
{
    struct dirent *entry;
    do {
        errno = 0;
        entry = readdir(stream);
    } while (entry && is_dot_name(entry->d_name));
    return entry;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int32_t wci_posix_list(int dir, const char *what, wci_strv *names, wc_error **err)
{
    DIR *stream = open_stream(0, dir);
    if (!stream)
        return wci_err_errno(err, errno, "directory '%s': reading", what);
    wci_strv found = WCI_STRV_INIT;
    int failed = 0;
    struct dirent *entry;
    while (!failed && (entry = next_entry(stream)))
        failed = wci_strv_add(&found, entry->d_name) ? ENOMEM : 0;
    if (!failed)
        failed = errno;
    closedir(stream);
    if (failed) {
        wci_strv_free(&found);
        return wci_err_errno(err, failed, "directory '%s': reading", what);
    }
    if (found.count)
        qsort(found.items, found.count, sizeof *found.items, compare_names);
    wci_strv_free(names);
    *names = found;
    return WC_OK;
}

/* ---- Walking ---------------------------------------------------------------------------------- */

static int entry_is_dir(int dir, const struct dirent *entry)
{
    if (entry->d_type != DT_UNKNOWN)
        return entry->d_type == DT_DIR;
    struct stat st;
    return wci_at_stat(dir, entry->d_name, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Handles what is not a directory and collects what is. */
static int read_frame(state *s, frame *f)
{
    DIR *stream = open_stream(s->walk->force, s->fd);
    if (!stream)
        return errno;
    int failed = 0;
    struct dirent *entry;
    while (!failed && (entry = next_entry(stream))) {
        if (entry_is_dir(s->fd, entry))
            failed = wci_strv_add(&f->subdirs, entry->d_name) ? ENOMEM : 0;
        else
            failed = s->walk->file(s->walk, s->fd, entry->d_name);
    }
    if (!failed)
        failed = errno;
    closedir(stream);
    return failed;
}

/* Makes `fd`, which is taken over, the deepest frame. */
static int push(state *s, int fd, const char *name)
{
    struct stat st;
    int failed = fstat(fd, &st) ? errno : 0;
    if (!failed && s->walk->force && (st.st_mode & 0700) != 0700 &&
        act(1, &(wci_deed){.kind = WCI_DEED_CHMOD, .dir = fd, .mode = (st.st_mode & 07777) | 0700}))
        failed = errno;
    char *copy = name ? wci_strdup(name) : NULL;
    if (!failed && ((name && !copy) ||
                    !wci_grow(&s->frames, &s->cap, s->depth + 1, sizeof *s->frames)))
        failed = ENOMEM;
    if (!failed && s->walk->enter)
        failed = s->walk->enter(s->walk, fd, &st);
    if (failed) {
        wci_free(copy);
        close(fd);
        return failed;
    }
    if (s->fd >= 0)
        close(s->fd);
    s->fd = fd;
    frame *f = &s->frames[s->depth++];
    *f = (frame){.name = copy, .dev = st.st_dev, .ino = st.st_ino};
    return read_frame(s, f);
}

static int open_within_mount(int dir, const char *name)
{
    int fd = (int)act(1, &(wci_deed){.kind = WCI_DEED_RESOLVE, .dir = dir, .name = name, .flags = DIR_FLAGS,
                                     .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS});
    if (fd >= 0 || (errno != ENOSYS && errno != EPERM))
        return fd;

    /* No openat2() here: then at least the device tells most mount points. */
    fd = open_at(1, dir, name, DIR_FLAGS);
    struct stat outer, inner;
    if (fd >= 0 && fstat(dir, &outer) == 0 && fstat(fd, &inner) == 0 &&
        outer.st_dev != inner.st_dev) {
        close(fd);
        errno = EXDEV;
        return -1;
    }
    return fd;
}

/* Overrides modes, but does not leave the mount. */
static int open_forced(int dir, const char *name)
{
    int fd = open_within_mount(dir, name);
    if (fd < 0 && errno == EACCES && wci_posix_chmod_at(dir, name, 0700) == 0)
        fd = open_within_mount(dir, name);
    return fd;
}

/* Back to the parent of the deepest frame, which is still there as that frame's predecessor. */
static int pop(state *s)
{
    frame *f = &s->frames[s->depth - 1];
    const frame *parent = f - 1;
    int fd = open_at(s->walk->force, s->fd, "..", O_RDONLY | O_DIRECTORY);
    if (fd < 0)
        return errno;
    struct stat st;
    if (fstat(fd, &st) || st.st_dev != parent->dev || st.st_ino != parent->ino) {
        close(fd);
        return ESTALE; /* somebody moved it meanwhile */
    }
    close(s->fd);
    s->fd = fd;
    int failed = s->walk->leave ? s->walk->leave(s->walk, fd, f->name) : 0;
    wci_free(f->name);
    wci_strv_free(&f->subdirs);
    s->depth--;
    return failed;
}

static int step(state *s)
{
    frame *f = &s->frames[s->depth - 1];
    if (f->next == f->subdirs.count)
        return pop(s);
    const char *name = f->subdirs.items[f->next++];
    int fd = s->walk->force ? open_forced(s->fd, name)
                            : open_at(0, s->fd, name, DIR_FLAGS);
    if (fd < 0)
        return errno == ENOENT ? 0 : errno;
    return push(s, fd, name);
}

int wci_posix_walk(wci_walk *walk, int dir)
{
    state s = {.walk = walk, .fd = -1};
    int failed = push(&s, dir, NULL);
    while (!failed && (s.depth > 1 || s.frames[0].next < s.frames[0].subdirs.count))
        failed = step(&s);
    for (; s.depth; s.depth--) {
        wci_free(s.frames[s.depth - 1].name);
        wci_strv_free(&s.frames[s.depth - 1].subdirs);
    }
    wci_free(s.frames);
    if (s.fd >= 0)
        close(s.fd);
    return failed;
}

/* ---- Removing --------------------------------------------------------------------------------- */

static int remove_file(wci_walk *walk, int dir, const char *name)
{
    (void)walk;
    return unlinkat(dir, name, 0) && errno != ENOENT ? errno : 0;
}

static int remove_dir(wci_walk *walk, int dir, const char *name)
{
    (void)walk;
    return unlinkat(dir, name, AT_REMOVEDIR) && errno != ENOENT ? errno : 0;
}

int wci_posix_remove_tree_alone(int dir, const char *name)
{
    wci_walk walk = {.file = remove_file, .leave = remove_dir, .force = 1};
    if (!wci_posix_is_name(name))
        return EINVAL;
    if (unlinkat(dir, name, AT_REMOVEDIR) == 0)
        return 0;
    int fd = open_forced(dir, name);
    if (fd < 0)
        return errno;
    int failed = wci_posix_walk(&walk, fd);
    return failed ? failed : remove_dir(&walk, dir, name);
}

int wci_posix_remove_tree(int dir, const char *name)
{
    return wci_deed_do(&(wci_deed){.kind = WCI_DEED_REMOVE_TREE, .dir = dir, .name = name}) ? errno : 0;
}
