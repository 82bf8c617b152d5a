/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/posix/posix.h"
#include "platform/process.h"

struct wci_lock {
    int fd;
    char path[];
};

static int set_lock(int fd, int type)
{
    struct flock lock = {.l_type = (short)type, .l_whence = SEEK_SET};
    return fcntl(fd, F_OFD_SETLK, &lock);
}

/* Whether what we have locked is still what others will find at the path. */
static int is_still_there(int fd, const char *path)
{
    struct stat ours, there;
    return fstat(fd, &ours) == 0 && lstat(path, &there) == 0 && ours.st_dev == there.st_dev &&
           ours.st_ino == there.st_ino;
}

static int open_lock_file(const char *path)
{
    int fd = wci_posix_open_at(AT_FDCWD, path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    if (fd >= 0)
        wci_fork_guard_add(fd);
    return fd;
}

static void close_lock_file(int fd)
{
    int saved = errno;
    wci_fork_guard_remove(fd);
    close(fd);
    errno = saved;
}

/* One attempt: a descriptor, or -1 with errno; EAGAIN when held by another. */
static int try_once(const char *path, int mode)
{
    for (;;) {
        int fd = open_lock_file(path);
        if (fd < 0)
            return -1;
        if (set_lock(fd, mode == WCI_LOCK_EXCLUSIVE ? F_WRLCK : F_RDLCK)) {
            close_lock_file(fd);
            if (errno == EACCES)
                errno = EAGAIN;
            return -1;
        }
        if (is_still_there(fd, path))
            return fd;
        close_lock_file(fd);
    }
}

static int32_t wrap_fd(int fd, const char *path, wci_lock **out, wc_error **err)
{
    size_t size = strlen(path) + 1;
    wci_lock *lock = wci_malloc(sizeof *lock + size);
    if (!lock) {
        close_lock_file(fd);
        return wci_err_nomem(err);
    }
    lock->fd = fd;
    memcpy(lock->path, path, size);
    *out = lock;
    return WC_OK;
}

int32_t wci_lock_try(const char *path, int mode, wci_lock **out, wc_error **err)
{
    int fd = try_once(path, mode);
    if (fd >= 0)
        return wrap_fd(fd, path, out, err);
    if (errno == EAGAIN)
        return wci_err(err, WC_E_BUSY, "lock '%s': held by another", path);
    return wci_err_errno(err, errno, "lock '%s': taking", path);
}

int32_t wci_lock_acquire(wc_call *call, const char *path, int mode, wci_lock **out,
                         wc_error **err)
{
    for (int64_t pause = 1;; pause = pause < 10 ? pause * 2 : 20) {
        int fd = try_once(path, mode);
        if (fd >= 0)
            return wrap_fd(fd, path, out, err);
        if (errno != EAGAIN)
            return wci_err_errno(err, errno, "lock '%s': taking", path);
        int32_t rc = wci_call_sleep_ms(call, pause, err);
        if (rc)
            return rc;
    }
}

int32_t wci_lock_byte(const char *path, int64_t offset, wci_lock **out, wc_error **err)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1};
    int fd = wci_posix_open_at(AT_FDCWD, path, O_RDWR | O_NOFOLLOW, 0);
    if (fd < 0)
        return wci_err_errno(err, errno, "lock '%s': opening", path);
    wci_fork_guard_add(fd);
    if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
        return wrap_fd(fd, path, out, err);
    int32_t rc = wci_err_errno(err, errno, "lock '%s': taking", path);
    close_lock_file(fd);
    return rc;
}

int wci_lock_is_held(const char *path)
{
    int fd = wci_posix_open_at(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW, 0);
    if (fd < 0)
        return 0;
    /* A shared lock would collide with nothing but an exclusive one. */
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    int held = fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    close(fd);
    return held;
}

void wci_lock_release(wci_lock *lock)
{
    if (!lock)
        return;
    /* Explicitly, because a forked child may still have the same open file. */
    set_lock(lock->fd, F_UNLCK);
    close_lock_file(lock->fd);
    wci_free(lock);
}

void wci_lock_release_remove(wci_lock *lock)
{
    if (!lock)
        return;
    /* Others may share it: then it is theirs to remove. */
    if (set_lock(lock->fd, F_WRLCK) == 0)
        unlink(lock->path);
    wci_lock_release(lock);
}
