/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/posix/posix.h"
#include "platform/posix/tree_name.h"
#include "platform/tree.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452 /* the same on every architecture but alpha */
#endif

/* Without fchmodat2() (before Linux 6.6): through a descriptor that follows nothing. */
static int chmod_by_descriptor(int dir, const char *name, unsigned mode)
{
    int fd = wci_posix_open_at(dir, name, O_PATH | O_NOFOLLOW, 0);
    if (fd < 0)
        return -1;
    struct stat st;
    char path[WCI_PROC_PATH_SIZE];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int failed = fstat(fd, &st) || (!S_ISLNK(st.st_mode) && chmod(path, mode)) ? errno : 0;
    close(fd);
    errno = failed;
    return failed ? -1 : 0;
}

int wci_posix_chmod_at(int dir, const char *name, unsigned mode)
{
    static atomic_int missing;
    if (!atomic_load_explicit(&missing, memory_order_relaxed)) {
        if (syscall(SYS_fchmodat2, dir, name, mode, AT_SYMLINK_NOFOLLOW) == 0 ||
            errno == EOPNOTSUPP)
            return 0;
        /* A system call filter that does not know it may say EPERM. */
        if (errno != ENOSYS && errno != EPERM)
            return -1;
        if (errno == ENOSYS)
            atomic_store(&missing, 1);
    }
    return chmod_by_descriptor(dir, name, mode);
}

int32_t wci_tree_chown(wci_fd dir, const char *name, uint32_t uid, uint32_t gid, wc_error **err)
{
    if (name && !wci_posix_is_name(name))
        return wci_posix_bad_name(name, err);
    if (fchownat(FD(dir), name ? name : "", uid, gid, name ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH))
        return wci_posix_entry_failed(name, errno, "changing its owner", err);
    return WC_OK;
}

int32_t wci_tree_chmod(wci_fd dir, const char *name, uint32_t mode, wc_error **err)
{
    if (name && !wci_posix_is_name(name))
        return wci_posix_bad_name(name, err);
    if (name ? wci_posix_chmod_at(FD(dir), name, mode) : fchmod(FD(dir), mode))
        return wci_posix_entry_failed(name, errno, "changing its mode", err);
    return WC_OK;
}

int32_t wci_tree_set_mtime(wci_fd dir, const char *name, int64_t sec, int32_t nsec,
                           wc_error **err)
{
    const struct timespec times[2] = {{(time_t)sec, nsec}, {(time_t)sec, nsec}};
    if (name && !wci_posix_is_name(name))
        return wci_posix_bad_name(name, err);
    if (name ? utimensat(FD(dir), name, times, AT_SYMLINK_NOFOLLOW) : futimens(FD(dir), times))
        return wci_posix_entry_failed(name, errno, "setting its time", err);
    return WC_OK;
}

int32_t wci_tree_finish_file(wci_fd file, uint32_t uid, uint32_t gid, uint32_t mode,
                             int64_t mtime_sec, int32_t mtime_nsec, wc_error **err)
{
    const struct timespec times[2] = {{(time_t)mtime_sec, mtime_nsec},
                                      {(time_t)mtime_sec, mtime_nsec}};
    /* The mode after the owner, since changing the owner drops setuid and setgid. */
    int keep = uid == WCI_TREE_KEEP_ID && gid == WCI_TREE_KEEP_ID;
    if (!keep && fchown(FD(file), uid, gid))
        return wci_err_errno(err, errno, "file: changing its owner");
    if (fchmod(FD(file), mode))
        return wci_err_errno(err, errno, "file: changing its mode");
    if (futimens(FD(file), times))
        return wci_err_errno(err, errno, "file: setting its time");
    return WC_OK;
}

int32_t wci_tree_file_write_at(wci_fd file, const void *data, size_t size, uint64_t offset,
                               wc_error **err)
{
    const char *p = data;
    while (size) {
        ssize_t n = pwrite(FD(file), p, size, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return wci_err_errno(err, errno, "file: writing");
        p += n;
        size -= (size_t)n;
        offset += (uint64_t)n;
    }
    return WC_OK;
}

/* ---- Extended attributes ---------------------------------------------------------------------- */

/* There are no l*xattr calls relative to a descriptor (before Linux 6.13), but the kernel names the
 * directory. The name itself is not followed. */
static int entry_path(wci_fd dir, const char *name, char path[WCI_PROC_PATH_SIZE])
{
    int n = snprintf(path, WCI_PROC_PATH_SIZE, "/proc/self/fd/%d%s%s", FD(dir), name ? "/" : "/.",
                     name ? name : "");
    if (n < WCI_PROC_PATH_SIZE)
        return 0;
    errno = ENAMETOOLONG;
    return -1;
}

static int32_t xattr_failed(const char *name, const char *key, int errnum, const char *doing,
                            wc_error **err)
{
    char entry[WCI_SHOWN_SIZE], attribute[WCI_SHOWN_SIZE];
    wci_show(name ? name : ".", entry);
    wci_show(key, attribute);
    return wci_err_errno(err, errnum, "entry '%s': %s the extended attribute '%s'", entry, doing,
                         attribute);
}

int32_t wci_tree_set_xattr(wci_fd dir, const char *name, const char *key, const void *value,
                           size_t size, wc_error **err)
{
    char path[WCI_PROC_PATH_SIZE];
    if (name && !wci_posix_is_name(name))
        return wci_posix_bad_name(name, err);
    if (entry_path(dir, name, path) || lsetxattr(path, key, value, size, 0))
        return xattr_failed(name, key, errno, "setting", err);
    return WC_OK;
}

int32_t wci_tree_file_set_xattr(wci_fd file, const char *key, const void *value, size_t size,
                                wc_error **err)
{
    if (fsetxattr(FD(file), key, value, size, 0))
        return xattr_failed(NULL, key, errno, "setting", err);
    return WC_OK;
}

/* Appends what `read` gives; tries again when it grows between asking for the size and reading. */
static int read_growing(ssize_t (*read)(const char *path, const char *key, void *to, size_t size),
                        const char *path, const char *key, wci_str *s)
{
    for (;;) {
        ssize_t size = read(path, key, NULL, 0);
        if (size < 0)
            return errno;
        char *to = wci_str_reserve(s, (size_t)size + 1);
        if (!to)
            return ENOMEM;
        ssize_t got = read(path, key, to, (size_t)size + 1);
        if (got >= 0) {
            wci_str_added(s, (size_t)got);
            return 0;
        }
        if (errno != ERANGE)
            return errno;
    }
}

static ssize_t read_value(const char *path, const char *key, void *to, size_t size)
{
    return lgetxattr(path, key, to, size);
}

static ssize_t read_keys(const char *path, const char *key, void *to, size_t size)
{
    (void)key;
    return llistxattr(path, to, size);
}

int32_t wci_tree_get_xattr(wci_fd dir, const char *name, const char *key, wc_buf **value,
                           wc_error **err)
{
    char path[WCI_PROC_PATH_SIZE];
    if (name && !wci_posix_is_name(name))
        return wci_posix_bad_name(name, err);
    wci_str s = WCI_STR_INIT;
    int failed = entry_path(dir, name, path) ? errno : read_growing(read_value, path, key, &s);
    if (!failed)
        return wci_str_to_buf(&s, value, err);
    wci_str_free(&s);
    return xattr_failed(name, key, failed, "reading", err);
}

int32_t wci_tree_list_xattrs(wci_fd dir, const char *name, wci_strv *keys, wc_error **err)
{
    char path[WCI_PROC_PATH_SIZE];
    if (name && !wci_posix_is_name(name))
        return wci_posix_bad_name(name, err);
    wci_str s = WCI_STR_INIT;
    wci_strv found = WCI_STRV_INIT;
    int failed = entry_path(dir, name, path) ? errno : read_growing(read_keys, path, NULL, &s);
    if (failed == EOPNOTSUPP)
        failed = 0; /* a file system without them has none */
    for (size_t at = 0; !failed && at < s.size; at += strlen(s.data + at) + 1)
        failed = wci_strv_add(&found, s.data + at) ? ENOMEM : 0;
    wci_str_free(&s);
    if (failed) {
        wci_strv_free(&found);
        return wci_posix_entry_failed(name, failed, "listing its extended attributes", err);
    }
    wci_strv_free(keys);
    *keys = found;
    return WC_OK;
}

/* ---- Overlayfs marks -------------------------------------------------------------------------- */

int32_t wci_tree_make_whiteout(wci_fd dir, const char *name, wc_error **err)
{
    return wci_tree_make_node(dir, name, WCI_NODE_CHAR, 0, 0, 0, err);
}

/* Only who may set "trusted." attributes mounts with them; anybody else's overlay reads "user.". */
int32_t wci_tree_set_opaque(wci_fd dir, const char *name, wc_error **err)
{
    wc_error *why = NULL;
    int32_t rc = wci_tree_set_xattr(dir, name, "trusted.overlay.opaque", "y", 1, &why);
    if (rc != WC_E_PERMISSION)
        return rc ? wci_err_move(err, why) : WC_OK;
    wc_error_unref(why);
    return wci_tree_set_xattr(dir, name, "user.overlay.opaque", "y", 1, err);
}

int wci_tree_is_whiteout(const wci_node_info *info)
{
    return info->type == WCI_NODE_CHAR && info->dev_major == 0 && info->dev_minor == 0;
}

int wci_tree_is_opaque(wci_fd dir, const char *name)
{
    static const char *const keys[] = {"trusted.overlay.opaque", "user.overlay.opaque"};
    char path[WCI_PROC_PATH_SIZE], value;
    if ((name && !wci_posix_is_name(name)) || entry_path(dir, name, path))
        return 0;
    for (size_t i = 0; i < 2; i++)
        if (lgetxattr(path, keys[i], &value, 1) == 1 && value == 'y')
            return 1;
    return 0;
}
