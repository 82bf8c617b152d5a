/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of this folder only. */
#ifndef WCI_POSIX_H
#define WCI_POSIX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "core/str.h"
#include "platform/file.h"

#define FD(fd) ((int)(fd))

/* "/proc/self/fd/<n>/<name>" with a name of at most 255 bytes */
#define WCI_PROC_PATH_SIZE 288

/* openat() with O_CLOEXEC, hiding EINTR, never giving one of the numbers 0 to 2: a host that has
 * closed its standard streams must not print into our files. -1 with errno. */
int wci_posix_open_at(int dir, const char *path, int flags, unsigned mode);
/* The same for a descriptor that something else made; takes it over. */
int wci_posix_off_stdio(int fd);
/* Closes all from first to last, which may be UINT_MAX; system calls only. */
void wci_posix_close_range(unsigned first, unsigned last);
/* Opens what an O_PATH descriptor stands for. */
int wci_posix_reopen(int fd, int flags);
/* write() hiding EINTR, without SIGPIPE. */
ssize_t wci_posix_write(int fd, const void *data, size_t size);
/* chmod without following a link; a link itself is left alone. 0, or -1 with errno. */
int wci_posix_chmod_at(int dir, const char *name, unsigned mode);
int32_t wci_posix_list(int dir, const char *what, wci_strv *names, wc_error **err);

/* A walk over a directory tree of any depth with one open descriptor and no recursion. It never
 * follows links, and coming back up it checks that ".." is where it came from. */
typedef struct wci_walk {
    /* On the directory just entered, also the first one. */
    int (*enter)(struct wci_walk *walk, int dir, const struct stat *st);
    /* On everything that is not a directory. */
    int (*file)(struct wci_walk *walk, int dir, const char *name);
    /* On each directory but the first, after its contents; `dir` is its parent. */
    int (*leave)(struct wci_walk *walk, int dir, const char *name);
    int force; /* override modes that keep us out, refuse to cross mount points; without the deputy of deed.h */
    void *arg;
} wci_walk;
/* 0, or an errno, which the functions above also return. Takes dir over. */
int wci_posix_walk(wci_walk *walk, int dir);
/* Removes the directory `name` with all it holds; 0 or errno. */
int wci_posix_remove_tree(int dir, const char *name);
int wci_posix_remove_tree_alone(int dir, const char *name); /* without the deputy of deed.h */

#endif
