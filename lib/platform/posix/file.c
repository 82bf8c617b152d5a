/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "platform/posix/deed.h"
#include "platform/posix/posix.h"

static int open_flags(int flags)
{
    int write_only = (flags & (WCI_OPEN_READ | WCI_OPEN_WRITE)) == WCI_OPEN_WRITE;
    int f = flags & WCI_OPEN_WRITE ? (write_only ? O_WRONLY : O_RDWR) : O_RDONLY;
    if (flags & WCI_OPEN_TRUNC)
        f |= O_TRUNC;
    if (flags & WCI_OPEN_APPEND)
        f |= O_APPEND;
    if (flags & WCI_OPEN_NOFOLLOW)
        f |= O_NOFOLLOW;
    return f;
}

/* A new file gets exactly this mode, whatever the umask; one that is there keeps its own. */
static int create(const char *path, int flags, uint32_t mode, int must_be_new)
{
    for (int attempt = 0; attempt < 8; attempt++) {
        int fd = wci_posix_open_at(AT_FDCWD, path, flags | O_CREAT | O_EXCL, mode);
        if (fd >= 0 && fchmod(fd, mode)) {
            close(fd);
            return -1;
        }
        if (fd >= 0 || errno != EEXIST || must_be_new)
            return fd;
        fd = wci_posix_open_at(AT_FDCWD, path, flags, 0);
        if (fd >= 0 || errno != ENOENT)
            return fd;
    }
    /* A link that leads nowhere. */
    return wci_posix_open_at(AT_FDCWD, path, flags | O_CREAT, mode);
}

int32_t wci_file_open(const char *path, int flags, uint32_t mode, wci_fd *out, wc_error **err)
{
    int fd = flags & WCI_OPEN_CREATE
                 ? create(path, open_flags(flags), mode, flags & WCI_OPEN_EXCL)
                 : wci_posix_open_at(AT_FDCWD, path, open_flags(flags), 0);
    if (fd < 0)
        return wci_err_errno(err, errno, "file '%s': opening", path);
    *out = fd;
    return WC_OK;
}

static void fill_info(const struct stat *st, wci_file_info *out)
{
    *out = (wci_file_info){
        .type = S_ISREG(st->st_mode)   ? WCI_FILE_REGULAR
                : S_ISDIR(st->st_mode) ? WCI_FILE_DIRECTORY
                : S_ISLNK(st->st_mode) ? WCI_FILE_SYMLINK
                                       : WCI_FILE_OTHER,
        .size = (uint64_t)st->st_size,
        .blocks_bytes = (uint64_t)st->st_blocks * 512,
        .mtime_ns = st->st_mtim.tv_sec * 1000000000LL + st->st_mtim.tv_nsec,
        .mode = st->st_mode & 07777,
        .uid = st->st_uid,
    };
}

int32_t wci_fd_info(wci_fd fd, wci_file_info *out, wc_error **err)
{
    struct stat st;
    if (fstat(FD(fd), &st))
        return wci_err_errno(err, errno, "file: reading its attributes");
    fill_info(&st, out);
    return WC_OK;
}

int32_t wci_file_info_of(const char *path, wci_file_info *out, wc_error **err)
{
    struct stat st;
    if (wci_at_stat(AT_FDCWD, path, &st))
        return wci_err_errno(err, errno, "file '%s': reading its attributes", path);
    fill_info(&st, out);
    return WC_OK;
}

int wci_file_exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

/* Sizes that the kernel reports may be wrong (/proc) or change, so the end is where reading ends. */
static int32_t read_all(const char *path, wci_fd fd, size_t hint, size_t max, wci_str *s,
                        wc_error **err)
{
    for (size_t step = hint + 1;; step = 16384) {
        size_t got;
        char *to = wci_str_reserve(s, step);
        if (!to)
            return wci_err_nomem(err);
        int32_t rc = wci_fd_read(fd, to, step, &got, err);
        if (rc)
            return wci_err_wrap(err, rc, "file '%s'", path);
        wci_str_added(s, got);
        if (s->size > max)
            return wci_err(err, WC_E_LIMIT, "file '%s': larger than %zu bytes", path, max);
        if (got < step)
            return WC_OK;
    }
}

static int32_t read_file(const char *path, size_t max, int is_secret, wc_buf **out, wc_error **err)
{
    wci_fd fd = WCI_FD_NONE;
    wci_file_info info = {0};
    int32_t rc = wci_file_open(path, WCI_OPEN_READ, 0, &fd, err);
    if (rc)
        return rc;
    wci_str s = {.is_secret = is_secret};
    rc = wci_fd_info(fd, &info, err);
    if (!rc && info.size > max)
        rc = wci_err(err, WC_E_LIMIT, "file '%s': larger than %zu bytes", path, max);
    if (!rc)
        rc = read_all(path, fd, (size_t)info.size, max, &s, err);
    wci_fd_close(fd);
    if (!rc)
        return wci_str_to_buf(&s, out, err);
    wci_str_free(&s);
    return rc;
}

int32_t wci_file_read_all(const char *path, size_t max, wc_buf **out, wc_error **err)
{
    return read_file(path, max, 0, out, err);
}

int32_t wci_file_read_secret(const char *path, size_t max, wc_buf **out, wc_error **err)
{
    return read_file(path, max, 1, out, err);
}

static int32_t sync_parent(const char *path, wc_error **err)
{
    char *parent = wci_path_parent(path);
    if (!parent)
        return wci_err_nomem(err);
    int32_t rc = wci_dir_sync(parent, err);
    wci_free(parent);
    return rc;
}

int32_t wci_file_write_atomic(const char *path, const void *data, size_t size, uint32_t mode,
                              int sync, wc_error **err)
{
    wci_fd fd;
    char *beside = NULL;
    int32_t rc = wci_file_open_unseen(path, mode, &fd, &beside, err);
    if (rc)
        return rc;
    rc = wci_fd_write(fd, data, size, err);
    if (!rc && sync)
        rc = wci_fd_sync(fd, err);
    if (!rc)
        rc = wci_file_publish(fd, beside, path, err);
    if (close(FD(fd)) && !rc && errno != EINTR)
        rc = wci_err_errno(err, errno, "file '%s': closing", path);
    if (rc && beside)
        unlink(beside);
    wci_free(beside);
    return rc || !sync ? rc : sync_parent(path, err);
}

int32_t wci_file_rename(const char *from, const char *to, wc_error **err)
{
    if (rename(from, to))
        return wci_err_errno(err, errno, "file '%s': renaming to '%s'", from, to);
    return WC_OK;
}

/* For file systems without RENAME_NOREPLACE: a link refuses an existing name by itself; directories
 * cannot be linked, but renaming over one that is not empty fails as well. */
static int rename_new_by_link(const char *from, const char *to)
{
    if (link(from, to) == 0)
        return unlink(from);
    if (errno != EPERM)
        return -1;
    if (wci_file_exists(to)) {
        errno = EEXIST;
        return -1;
    }
    return rename(from, to);
}

int32_t wci_file_rename_new(const char *from, const char *to, wc_error **err)
{
    int failed = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
    if (failed && (errno == EINVAL || errno == ENOSYS))
        failed = rename_new_by_link(from, to);
    if (failed)
        return wci_err_errno(err, errno, "file '%s': renaming to '%s'", from, to);
    return WC_OK;
}

int32_t wci_file_remove(const char *path, wc_error **err)
{
    if (unlink(path) && errno != ENOENT)
        return wci_err_errno(err, errno, "file '%s': removing", path);
    return WC_OK;
}
