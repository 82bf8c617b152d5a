/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/posix/deed.h"
#include "platform/posix/deputy.h"
#include "platform/posix/posix.h"
#include "platform/posix/tree_name.h"

int32_t wci_posix_bad_name(const char *name, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    wci_show(name, shown);
    return wci_err(err, WC_E_INVALID, "entry '%s': not the name of one entry", shown);
}

int32_t wci_posix_entry_failed(const char *name, int errnum, const char *doing, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    wci_show(name ? name : ".", shown);
    return wci_err_errno(err, errnum, "entry '%s': %s%s", shown, doing, wci_deputy_why());
}

static int is_symlink(int dir, const char *name)
{
    struct stat st;
    return wci_at_stat(dir, name, &st) == 0 && S_ISLNK(st.st_mode);
}

static int32_t open_failed(int dir, const char *name, int errnum, wc_error **err)
{
    if ((errnum == ELOOP || errnum == ENOTDIR) && is_symlink(dir, name)) {
        char shown[WCI_SHOWN_SIZE];
        wci_show(name, shown);
        return wci_err_native(err, WC_E_INVALID, WC_DOMAIN_ERRNO, errnum,
                              "entry '%s': opening: it is a symbolic link", shown);
    }
    return wci_posix_entry_failed(name, errnum, "opening", err);
}

int32_t wci_tree_open_root(const char *path, wci_fd *dir, wc_error **err)
{
    int fd = wci_at_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return wci_err_errno(err, errno, "directory '%s': opening", path);
    *dir = fd;
    return WC_OK;
}

int32_t wci_tree_reopen(wci_fd dir, wci_fd *out, wc_error **err)
{
    int fd = wci_at_open(FD(dir), ".", O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return wci_err_errno(err, errno, "directory: opening it again");
    *out = fd;
    return WC_OK;
}

int32_t wci_tree_open_dir(wci_fd dir, const char *name, wci_fd *out, wc_error **err)
{
    if (!wci_posix_is_name(name))
        return wci_posix_bad_name(name, err);
    int fd = wci_at_open(FD(dir), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
    if (fd < 0)
        return open_failed(FD(dir), name, errno, err);
    *out = fd;
    return WC_OK;
}

/* A device must not even be opened, so its kind is known before: O_PATH opens nothing. */
int32_t wci_tree_open_file(wci_fd dir, const char *name, wci_fd *out, wc_error **err)
{
    if (!wci_posix_is_name(name))
        return wci_posix_bad_name(name, err);
    int place = wci_at_open(FD(dir), name, O_PATH | O_NOFOLLOW, 0);
    if (place < 0)
        return wci_posix_entry_failed(name, errno, "opening", err);
    struct stat st;
    int failed = fstat(place, &st) ? errno : 0, fd = -1;
    if (!failed && S_ISREG(st.st_mode)) {
        fd = wci_at_reopen(place, O_RDONLY);
        failed = fd < 0 ? errno : 0;
    }
    close(place);
    if (failed)
        return wci_posix_entry_failed(name, failed, "opening", err);
    if (S_ISLNK(st.st_mode))
        return open_failed(FD(dir), name, ELOOP, err);
    if (fd < 0) {
        char shown[WCI_SHOWN_SIZE];
        wci_show(name, shown);
        return wci_err(err, WC_E_INVALID, "entry '%s': opening: it is not a regular file", shown);
    }
    *out = fd;
    return WC_OK;
}

int32_t wci_tree_create_file(wci_fd dir, const char *name, uint32_t mode, wci_fd *out,
                             wc_error **err)
{
    if (!wci_posix_is_name(name))
        return wci_posix_bad_name(name, err);
    int fd = wci_at_open(FD(dir), name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    if (fd < 0)
        return wci_posix_entry_failed(name, errno, "making the file", err);
    *out = fd;
    return WC_OK;
}

int32_t wci_tree_make_dir(wci_fd dir, const char *name, uint32_t mode, wc_error **err)
{
    if (!wci_posix_is_name(name))
        return wci_posix_bad_name(name, err);
    if (wci_deed_do(&(wci_deed){.kind = WCI_DEED_MKDIR, .dir = FD(dir), .name = name, .mode = mode}) ||
        wci_at_chmod(FD(dir), name, mode))
        return wci_posix_entry_failed(name, errno, "making the directory", err);
    return WC_OK;
}

int32_t wci_tree_make_symlink(wci_fd dir, const char *name, const char *target, wc_error **err)
{
    if (!wci_posix_is_name(name))
        return wci_posix_bad_name(name, err);
    if (wci_deed_do(&(wci_deed){.kind = WCI_DEED_SYMLINK, .dir = FD(dir), .name = name, .second = target}))
        return wci_posix_entry_failed(name, errno, "making the symbolic link", err);
    return WC_OK;
}

static mode_t node_kind(wci_node_type type)
{
    switch (type) {
    case WCI_NODE_FILE:
        return S_IFREG;
    case WCI_NODE_CHAR:
        return S_IFCHR;
    case WCI_NODE_BLOCK:
        return S_IFBLK;
    case WCI_NODE_FIFO:
        return S_IFIFO;
    case WCI_NODE_SOCKET:
        return S_IFSOCK;
    default:
        return 0;
    }
}

int32_t wci_tree_make_node(wci_fd dir, const char *name, wci_node_type type, uint32_t mode,
                           uint32_t dev_major, uint32_t dev_minor, wc_error **err)
{
    if (!wci_posix_is_name(name))
        return wci_posix_bad_name(name, err);
    mode_t kind = node_kind(type);
    if (!kind)
        return wci_err(err, WC_E_INVALID, "entry '%s': not a kind of node", name);
    dev_t device = makedev(dev_major, dev_minor);
    /* The kernel keeps 12 and 20 bits; more would silently become another device. */
    if (dev_major > 0xFFF || dev_minor > 0xFFFFF)
        return wci_err(err, WC_E_INVALID, "entry '%s': device number %u:%u is out of range", name,
                       dev_major, dev_minor);
    const wci_deed make = {.kind = WCI_DEED_MKNOD, .dir = FD(dir), .name = name, .mode = kind | (mode & 07777),
                           .device = device};
    if (wci_deed_do(&make) || wci_at_chmod(FD(dir), name, mode))
        return wci_posix_entry_failed(name, errno, "making the node", err);
    return WC_OK;
}

int32_t wci_tree_link(wci_fd from_dir, const char *from, wci_fd dir, const char *name,
                      wc_error **err)
{
    if (!wci_posix_is_name(from))
        return wci_posix_bad_name(from, err);
    if (!wci_posix_is_name(name))
        return wci_posix_bad_name(name, err);
    const wci_deed link = {.kind = WCI_DEED_LINK, .dir = FD(from_dir), .name = from, .other = FD(dir), .second = name};
    if (wci_deed_do(&link))
        return wci_posix_entry_failed(name, errno, "making the hard link", err);
    return WC_OK;
}

int32_t wci_tree_remove(wci_fd dir, const char *name, wc_error **err)
{
    if (!wci_posix_is_name(name))
        return wci_posix_bad_name(name, err);
    if (wci_at_unlink(FD(dir), name, 0) == 0)
        return WC_OK;
    int failed = errno;
    if (failed == EISDIR)
        failed = wci_posix_remove_tree(FD(dir), name);
    if (failed)
        return wci_posix_entry_failed(name, failed, "removing", err);
    return WC_OK;
}

int32_t wci_tree_list(wci_fd dir, wci_strv *names, wc_error **err)
{
    return wci_posix_list(FD(dir), ".", names, err);
}

static wci_node_type type_of(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return WCI_NODE_DIR;
    case S_IFLNK:
        return WCI_NODE_SYMLINK;
    case S_IFCHR:
        return WCI_NODE_CHAR;
    case S_IFBLK:
        return WCI_NODE_BLOCK;
    case S_IFIFO:
        return WCI_NODE_FIFO;
    case S_IFSOCK:
        return WCI_NODE_SOCKET;
    default:
        return WCI_NODE_FILE;
    }
}

int32_t wci_tree_stat(wci_fd dir, const char *name, wci_node_info *out, wc_error **err)
{
    struct stat st;
    if (name && !wci_posix_is_name(name))
        return wci_posix_bad_name(name, err);
    if (wci_at_stat(FD(dir), name, &st))
        return wci_posix_entry_failed(name, errno, "reading its attributes", err);
    *out = (wci_node_info){
        .type = type_of(st.st_mode),
        .mode = st.st_mode & 07777,
        .uid = st.st_uid,
        .gid = st.st_gid,
        .size = (uint64_t)st.st_size,
        .mtime_sec = st.st_mtim.tv_sec,
        .mtime_nsec = (int32_t)st.st_mtim.tv_nsec,
        .dev_major = major(st.st_rdev),
        .dev_minor = minor(st.st_rdev),
        .links = st.st_nlink,
        .inode = st.st_ino,
        .device = st.st_dev,
    };
    return WC_OK;
}

int32_t wci_tree_read_link(wci_fd dir, const char *name, char **target, wc_error **err)
{
    char text[PATH_MAX];
    if (!wci_posix_is_name(name))
        return wci_posix_bad_name(name, err);
    ssize_t n = wci_deed_do(
        &(wci_deed){.kind = WCI_DEED_READLINK, .dir = FD(dir), .name = name, .out = text, .room = sizeof text});
    if (n < 0)
        return wci_posix_entry_failed(name, errno, "reading the symbolic link", err);
    char *copy = wci_memdup(text, (size_t)n);
    if (!copy)
        return wci_err_nomem(err);
    *target = copy;
    return WC_OK;
}

int32_t wci_tree_resolve(wci_fd root, const char *path, wci_fd *out, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    wci_show(path, shown);
    int place = (int)wci_deed_do(&(wci_deed){.kind = WCI_DEED_RESOLVE, .dir = FD(root), .name = *path ? path : ".",
                                             .flags = O_PATH, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS});
    if (place < 0 && errno == ENOSYS)
        return wci_err(err, WC_E_MISSING,
                       "path '%s': the kernel lacks openat2; version 5.6 or newer is needed",
                       shown);
    if (place < 0)
        return wci_err_errno(err, errno, "path '%s': resolving", shown);
    struct stat st;
    int failed = fstat(place, &st) ? errno : 0;
    if (!failed && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))) {
        int fd = wci_at_reopen(place, O_RDONLY);
        failed = fd < 0 ? errno : 0;
        close(place);
        place = fd;
    }
    if (failed) {
        wci_fd_close(place);
        return wci_err_errno(err, failed, "path '%s': opening", shown);
    }
    *out = place;
    return WC_OK;
}
