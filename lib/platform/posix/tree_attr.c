/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/posix/deed.h"
#include "platform/posix/deputy.h"
#include "platform/posix/ids.h"
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

/* The kernel says no more than "invalid" of an owner that the namespace does not have. */
static int32_t owner_failed(const char *name, int errnum, uint32_t uid, uint32_t gid, wc_error **err)
{
    char shown[WCI_SHOWN_SIZE];
    if (errnum != EINVAL || !wci_ids_are_mapped())
        return wci_posix_entry_failed(name, errnum, "changing its owner", err);
    wci_show(name ? name : ".", shown);
    return wci_err_native(err, WC_E_PERMISSION, WC_DOMAIN_ERRNO, errnum,
                          "entry '%s': changing its owner to %u:%u: these are more ids than this user has; give him more "
                          "in /etc/subuid and /etc/subgid, in a new store",
                          shown, uid, gid);
}

int32_t wci_tree_chown(wci_fd dir, const char *name, uint32_t uid, uint32_t gid, wc_error **err)
{
    if (name && !wci_posix_is_name(name))
        return wci_posix_bad_name(name, err);
    if (wci_deed_do(&(wci_deed){.kind = WCI_DEED_CHOWN, .dir = FD(dir), .name = name, .uid = uid, .gid = gid}))
        return owner_failed(name, errno, uid, gid, err);
    return WC_OK;
}

int32_t wci_tree_chmod(wci_fd dir, const char *name, uint32_t mode, wc_error **err)
{
    if (name && !wci_posix_is_name(name))
        return wci_posix_bad_name(name, err);
    if (wci_at_chmod(FD(dir), name, mode))
        return wci_posix_entry_failed(name, errno, "changing its mode", err);
    return WC_OK;
}

int32_t wci_tree_set_mtime(wci_fd dir, const char *name, int64_t sec, int32_t nsec,
                           wc_error **err)
{
    const wci_deed deed = {.kind = WCI_DEED_SET_TIME, .dir = FD(dir), .name = name, .time = {(time_t)sec, nsec}};
    if (name && !wci_posix_is_name(name))
        return wci_posix_bad_name(name, err);
    if (wci_deed_do(&deed))
        return wci_posix_entry_failed(name, errno, "setting its time", err);
    return WC_OK;
}

int32_t wci_tree_finish_file(wci_fd file, uint32_t uid, uint32_t gid, uint32_t mode,
                             int64_t mtime_sec, int32_t mtime_nsec, wc_error **err)
{
    const wci_deed deed = {.kind = WCI_DEED_FINISH, .dir = FD(file), .uid = uid, .gid = gid, .mode = mode,
                           .time = {(time_t)mtime_sec, mtime_nsec}};
    if (wci_deed_do(&deed))
        return errno == EINVAL ? owner_failed("file", errno, uid, gid, err)
                               : wci_err_errno(err, errno, "file: setting its owner, mode and time%s", wci_deputy_why());
    return WC_OK;
}

int wci_tree_better_together(uint32_t uid, uint32_t gid)
{
    return wci_ids_are_mapped() && !wci_ids_are_own(uid, gid);
}

int32_t wci_tree_finish_files(const wci_tree_finish *files, size_t count, wc_error **err)
{
    wci_finish all[WCI_TREE_FINISH_MAX];
    int fds[WCI_TREE_FINISH_MAX];
    const wci_deed deed = {.kind = WCI_DEED_FINISH_ALL, .files = fds, .file_count = count, .value = all,
                           .value_size = count * sizeof *all};
    for (size_t i = 0; i < count; i++) {
        fds[i] = FD(files[i].file);
        all[i] = (wci_finish){files[i].uid, files[i].gid, files[i].mode, files[i].mtime_nsec, files[i].mtime_sec};
    }
    if (wci_deed_do(&deed))
        return wci_err_errno(err, errno, "files: setting their owners, modes and times%s", wci_deputy_why());
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
    const wci_deed deed = {.kind = WCI_DEED_SET_XATTR, .dir = FD(dir), .name = name, .second = key, .value = value,
                           .value_size = size};
    if (name && !wci_posix_is_name(name))
        return wci_posix_bad_name(name, err);
    if (wci_deed_do(&deed))
        return xattr_failed(name, key, errno, "setting", err);
    return WC_OK;
}

int32_t wci_tree_file_set_xattr(wci_fd file, const char *key, const void *value, size_t size,
                                wc_error **err)
{
    return wci_tree_set_xattr(file, NULL, key, value, size, err);
}

/* Appends what is read; tries again when it grows between asking for the size and reading. */
static int read_growing(wci_deed deed, wci_str *s)
{
    for (;;) {
        deed.out = NULL;
        deed.room = 0;
        ssize_t size = wci_deed_do(&deed);
        if (size < 0)
            return errno;
        deed.room = (size_t)size + 1;
        deed.out = wci_str_reserve(s, deed.room);
        if (!deed.out)
            return ENOMEM;
        ssize_t got = wci_deed_do(&deed);
        if (got >= 0) {
            wci_str_added(s, (size_t)got);
            return 0;
        }
        if (errno != ERANGE)
            return errno;
    }
}

int32_t wci_tree_get_xattr(wci_fd dir, const char *name, const char *key, wc_buf **value,
                           wc_error **err)
{
    const wci_deed deed = {.kind = WCI_DEED_GET_XATTR, .dir = FD(dir), .name = name, .second = key};
    if (name && !wci_posix_is_name(name))
        return wci_posix_bad_name(name, err);
    wci_str s = WCI_STR_INIT;
    int failed = read_growing(deed, &s);
    if (!failed)
        return wci_str_to_buf(&s, value, err);
    wci_str_free(&s);
    return xattr_failed(name, key, failed, "reading", err);
}

int32_t wci_tree_list_xattrs(wci_fd dir, const char *name, wci_strv *keys, wc_error **err)
{
    const wci_deed deed = {.kind = WCI_DEED_LIST_XATTRS, .dir = FD(dir), .name = name};
    if (name && !wci_posix_is_name(name))
        return wci_posix_bad_name(name, err);
    wci_str s = WCI_STR_INIT;
    wci_strv found = WCI_STRV_INIT;
    int failed = read_growing(deed, &s);
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
    char value;
    wci_deed deed = {.kind = WCI_DEED_GET_XATTR, .dir = FD(dir), .name = name, .out = &value, .room = 1};
    if (name && !wci_posix_is_name(name))
        return 0;
    for (size_t i = 0; i < 2; i++) {
        deed.second = keys[i];
        if (wci_deed_do(&deed) == 1 && value == 'y')
            return 1;
    }
    return 0;
}
