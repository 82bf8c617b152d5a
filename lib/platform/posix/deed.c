/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/posix/deed.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "platform/posix/deputy.h"
#include "platform/posix/ids.h"
#include "platform/posix/posix.h"
#include "platform/posix/tree_name.h"
#include "platform/tree.h"

/* ---- By ourselves ------------------------------------------------------------------------------- */

/* Tries again while a rename anywhere on the way makes the kernel unsure (EAGAIN). */
static int open_resolving(const wci_deed *d)
{
    struct open_how how = {.flags = (unsigned)d->flags | O_CLOEXEC, .resolve = d->resolve};
    for (int attempt = 0;; attempt++) {
        int fd = (int)syscall(SYS_openat2, d->dir, d->name, &how, sizeof how);
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR) || attempt == 100)
            return wci_posix_off_stdio(fd);
    }
}

static int stat_of(const wci_deed *d)
{
    return d->name ? fstatat(d->dir, d->name, d->st, AT_SYMLINK_NOFOLLOW) : fstat(d->dir, d->st);
}

static int change_owner(const wci_deed *d)
{
    return fchownat(d->dir, d->name ? d->name : "", d->uid, d->gid, d->name ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH);
}

static int set_time(const wci_deed *d)
{
    const struct timespec times[2] = {d->time, d->time};
    return d->name ? utimensat(d->dir, d->name, times, AT_SYMLINK_NOFOLLOW) : futimens(d->dir, times);
}

/* The mode after the owner, since changing the owner drops setuid and setgid. */
static int finish(const wci_deed *d)
{
    int keep = d->uid == WCI_TREE_KEEP_ID && d->gid == WCI_TREE_KEEP_ID;
    return (!keep && fchown(d->dir, d->uid, d->gid)) || fchmod(d->dir, d->mode) || set_time(d) ? -1 : 0;
}

static int finish_all(const wci_deed *d)
{
    const wci_finish *all = d->value;
    int failed = d->value_size != d->file_count * sizeof *all ? EINVAL : 0;
    for (size_t i = 0; i < d->file_count && !failed; i++) {
        const wci_deed one = {.dir = d->files[i], .uid = all[i].uid, .gid = all[i].gid, .mode = all[i].mode,
                              .time = {(time_t)all[i].mtime_sec, all[i].mtime_nsec}};
        failed = finish(&one) ? errno : 0;
    }
    errno = failed;
    return failed ? -1 : 0;
}

static int remove_tree(const wci_deed *d)
{
    errno = wci_posix_remove_tree_alone(d->dir, d->name);
    return errno ? -1 : 0;
}

static ssize_t work_on_own_xattr(const wci_deed *d)
{
    switch (d->kind) {
    case WCI_DEED_SET_XATTR:
        return fsetxattr(d->dir, d->second, d->value, d->value_size, 0);
    case WCI_DEED_GET_XATTR:
        return fgetxattr(d->dir, d->second, d->out, d->room);
    default:
        return flistxattr(d->dir, d->out, d->room);
    }
}

/* There are no l*xattr calls relative to a descriptor (before Linux 6.13), but the kernel names the
 * directory. The name itself is not followed. */
static ssize_t work_on_entry_xattr(const wci_deed *d)
{
    char path[WCI_PROC_PATH_SIZE];
    if (snprintf(path, sizeof path, "/proc/self/fd/%d/%s", d->dir, d->name) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    switch (d->kind) {
    case WCI_DEED_SET_XATTR:
        return lsetxattr(path, d->second, d->value, d->value_size, 0);
    case WCI_DEED_GET_XATTR:
        return lgetxattr(path, d->second, d->out, d->room);
    default:
        return llistxattr(path, d->out, d->room);
    }
}

ssize_t wci_deed_perform(const wci_deed *d)
{
    switch (d->kind) {
    case WCI_DEED_OPEN:
        return wci_posix_open_at(d->dir, d->name, d->flags, d->mode);
    case WCI_DEED_RESOLVE:
        return open_resolving(d);
    case WCI_DEED_REOPEN:
        return wci_posix_reopen(d->dir, d->flags);
    case WCI_DEED_STAT:
        return stat_of(d);
    case WCI_DEED_MKDIR:
        return mkdirat(d->dir, d->name, d->mode);
    case WCI_DEED_MKNOD:
        return mknodat(d->dir, d->name, d->mode, d->device);
    case WCI_DEED_SYMLINK:
        return symlinkat(d->second, d->dir, d->name);
    case WCI_DEED_LINK:
        return linkat(d->dir, d->name, d->other, d->second, 0);
    case WCI_DEED_UNLINK:
        return unlinkat(d->dir, d->name, d->flags);
    case WCI_DEED_REMOVE_TREE:
        return remove_tree(d);
    case WCI_DEED_READLINK:
        return readlinkat(d->dir, d->name, d->out, d->room);
    case WCI_DEED_CHOWN:
        return change_owner(d);
    case WCI_DEED_CHMOD:
        return d->name ? wci_posix_chmod_at(d->dir, d->name, d->mode) : fchmod(d->dir, d->mode);
    case WCI_DEED_SET_TIME:
        return set_time(d);
    case WCI_DEED_FINISH:
        return finish(d);
    case WCI_DEED_FINISH_ALL:
        return finish_all(d);
    case WCI_DEED_SET_XATTR:
    case WCI_DEED_GET_XATTR:
    case WCI_DEED_LIST_XATTRS:
        return d->name ? work_on_entry_xattr(d) : work_on_own_xattr(d);
    default:
        errno = EINVAL;
        return -1;
    }
}

int wci_deed_opens(wci_deed_kind kind)
{
    return kind == WCI_DEED_OPEN || kind == WCI_DEED_RESOLVE || kind == WCI_DEED_REOPEN;
}

/* ---- By whoever may ------------------------------------------------------------------------------ */

/* Values that have ids in them mean something else outside of the namespace. */
static int has_ids(const char *key)
{
    return !strcmp(key, "security.capability") || !strncmp(key, "system.posix_acl_", 17);
}

/* What would be taken from us without a word, but done otherwise than asked for. */
static int is_for_deputy(const wci_deed *d)
{
    switch (d->kind) {
    case WCI_DEED_CHOWN:
        return !wci_ids_are_own(d->uid, d->gid);
    case WCI_DEED_FINISH: /* setgid is dropped without a word when the group is not ours */
        return !wci_ids_are_own(d->uid, d->gid) || d->mode & S_ISGID;
    case WCI_DEED_FINISH_ALL:
        return 1;
    case WCI_DEED_CHMOD:
        return (d->mode & S_ISGID) != 0;
    case WCI_DEED_SET_XATTR:
    case WCI_DEED_GET_XATTR:
        return has_ids(d->second);
    default:
        return 0;
    }
}

/* What only root of the host may do the deputy is refused, too. */
static int is_hopeless(const wci_deed *d)
{
    return (d->kind == WCI_DEED_MKNOD && (S_ISCHR(d->mode) || S_ISBLK(d->mode)) && d->device) ||
           (d->second && d->kind != WCI_DEED_SYMLINK && !strncmp(d->second, "trusted.", 8));
}

/* As the kernel calls owners here: what is ours. */
static ssize_t perform_outside(const wci_deed *d)
{
    wci_deed own = *d;
    if (d->kind == WCI_DEED_CHOWN || d->kind == WCI_DEED_FINISH)
        wci_ids_to_host(&own.uid, &own.gid);
    ssize_t done = wci_deed_perform(&own);
    if (done >= 0 && d->kind == WCI_DEED_STAT)
        wci_ids_from_host(&d->st->st_uid, &d->st->st_gid);
    return done;
}

ssize_t wci_deed_do(const wci_deed *d)
{
    if (!wci_ids_are_mapped())
        return wci_deed_perform(d);
    if (is_for_deputy(d))
        return wci_deputy_ask(d);
    ssize_t done = perform_outside(d);
    if (done >= 0 || (errno != EACCES && errno != EPERM) || is_hopeless(d))
        return done;
    return wci_deputy_ask(d);
}

/* ---- The usual ones ------------------------------------------------------------------------------ */

int wci_at_open(int dir, const char *name, int flags, unsigned mode)
{
    return (int)wci_deed_do(&(wci_deed){.kind = WCI_DEED_OPEN, .dir = dir, .name = name, .flags = flags, .mode = mode});
}

int wci_at_reopen(int fd, int flags)
{
    return (int)wci_deed_do(&(wci_deed){.kind = WCI_DEED_REOPEN, .dir = fd, .flags = flags});
}

int wci_at_stat(int dir, const char *name, struct stat *st)
{
    return (int)wci_deed_do(&(wci_deed){.kind = WCI_DEED_STAT, .dir = dir, .name = name, .st = st});
}

int wci_at_unlink(int dir, const char *name, int flags)
{
    return (int)wci_deed_do(&(wci_deed){.kind = WCI_DEED_UNLINK, .dir = dir, .name = name, .flags = flags});
}

int wci_at_chmod(int dir, const char *name, unsigned mode)
{
    return (int)wci_deed_do(&(wci_deed){.kind = WCI_DEED_CHMOD, .dir = dir, .name = name, .mode = mode});
}
