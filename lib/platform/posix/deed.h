/* SPDX-License-Identifier: Apache-2.0 */
/* System calls on the files of trees, which an ordinary user may not make on files of his subordinate ids. What he is
 * refused his deputy does for him: wc-helper as root of his user namespace, which gets descriptors and names, and gives
 * descriptors back. So nobody above has to know whose files a tree has.
 *
 * Owners are those inside of the namespace: to whom the files belong for the containers. */
#ifndef WCI_POSIX_DEED_H
#define WCI_POSIX_DEED_H

#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include "platform/file.h"

typedef enum wci_deed_kind {
    WCI_DEED_NONE,
    WCI_DEED_OPEN,    /* name, flags, mode; gives a descriptor */
    WCI_DEED_RESOLVE, /* name: a path, flags, resolve (openat2); gives a descriptor */
    WCI_DEED_REOPEN,  /* what the descriptor `dir` stands for, flags */
    WCI_DEED_STAT,
    WCI_DEED_MKDIR,   /* mode */
    WCI_DEED_MKNOD,   /* mode, device */
    WCI_DEED_SYMLINK, /* second: the target */
    WCI_DEED_LINK,    /* of `name`, as `second` in the directory `other` */
    WCI_DEED_UNLINK,  /* flags */
    WCI_DEED_REMOVE_TREE,
    WCI_DEED_READLINK,
    WCI_DEED_CHOWN, /* name NULL, here and below: `dir` itself, which may be any file */
    WCI_DEED_CHMOD,
    WCI_DEED_SET_TIME,
    WCI_DEED_FINISH, /* name NULL: owner, mode and time of a file */
    WCI_DEED_FINISH_ALL, /* the same of `files`; value: what each one gets */
    WCI_DEED_SET_XATTR,
    WCI_DEED_GET_XATTR,
    WCI_DEED_LIST_XATTRS,
    WCI_DEED_COUNT,
} wci_deed_kind;

/* What a file gets. */
typedef struct wci_finish {
    uint32_t uid, gid, mode;
    int32_t mtime_nsec;
    int64_t mtime_sec;
} wci_finish;

typedef struct wci_deed {
    wci_deed_kind kind;
    int dir, other;     /* AT_FDCWD: the name is a whole path */
    const char *name;   /* one component, or a path where the kind says so */
    const char *second; /* the key of an attribute, a target, a new name */
    const void *value;  /* of an attribute */
    size_t value_size;
    int flags;
    unsigned resolve, mode;
    uint32_t uid, gid; /* WCI_TREE_KEEP_ID: stays */
    dev_t device;
    struct timespec time;
    void *out; /* of what reads: where to, as the system call has it */
    size_t room;
    struct stat *st;
    const int *files;
    size_t file_count;
} wci_deed;

/* As the system call: -1 with errno, else what it gives. The deputy is asked where that helps. */
ssize_t wci_deed_do(const wci_deed *deed);
/* By ourselves. Owners are what the kernel calls them here. */
ssize_t wci_deed_perform(const wci_deed *deed);
/* What it gives is a descriptor. */
int wci_deed_opens(wci_deed_kind kind);

/* The usual ones. */
int wci_at_open(int dir, const char *name, int flags, unsigned mode);
int wci_at_reopen(int fd, int flags);
int wci_at_stat(int dir, const char *name, struct stat *st); /* no link is followed */
int wci_at_unlink(int dir, const char *name, int flags);
int wci_at_chmod(int dir, const char *name, unsigned mode);

#endif
