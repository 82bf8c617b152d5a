/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "core/error.h"
#include "platform/posix/posix.h"

int wci_posix_off_stdio(int fd)
{
    if (fd < 0 || fd > 2)
        return fd;
    int high = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    int saved = errno;
    close(fd);
    errno = saved;
    return high;
}

int wci_stdio_fill(void)
{
    int filled = 0;
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null < 0 || null > 2) { /* none free any more: the host opened it */
            wci_fd_close(null);
            break;
        }
        filled |= 1 << null;
    }
    return filled;
}

void wci_stdio_release(int filled)
{
    for (int fd = 0; fd <= 2; fd++)
        if (filled & 1 << fd)
            close(fd);
}

int wci_posix_open_at(int dir, const char *path, int flags, unsigned mode)
{
    int fd;
    do
        fd = openat(dir, path, flags | O_CLOEXEC | O_NOCTTY, mode);
    while (fd < 0 && errno == EINTR);
    return wci_posix_off_stdio(fd);
}

int wci_posix_reopen(int fd, int flags)
{
    char path[WCI_PROC_PATH_SIZE];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return wci_posix_open_at(AT_FDCWD, path, flags, 0);
}

static ssize_t write_hiding_eintr(int fd, const void *data, size_t size)
{
    ssize_t n;
    do
        n = write(fd, data, size);
    while (n < 0 && errno == EINTR);
    return n;
}

/* Blocks SIGPIPE for this thread and takes it away again if this very write raised it. */
static ssize_t write_without_sigpipe(int fd, const void *data, size_t size)
{
    sigset_t pipe_set, old, pending;
    sigemptyset(&pipe_set);
    sigaddset(&pipe_set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_set, &old);
    sigemptyset(&pending);
    if (sigismember(&old, SIGPIPE))
        sigpending(&pending);

    ssize_t n = write_hiding_eintr(fd, data, size);
    int saved = errno;
    if (n < 0 && errno == EPIPE && !sigismember(&pending, SIGPIPE)) {
        const struct timespec at_once = {0, 0};
        while (sigtimedwait(&pipe_set, NULL, &at_once) < 0 && errno == EINTR)
            ;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    errno = saved;
    return n;
}

ssize_t wci_posix_write(int fd, const void *data, size_t size)
{
    /* What can seek raises no SIGPIPE; asking is cheaper than changing the signal mask. */
    if (lseek(fd, 0, SEEK_CUR) >= 0)
        return write_hiding_eintr(fd, data, size);
    return write_without_sigpipe(fd, data, size);
}

void wci_fd_close(wci_fd fd)
{
    if (fd != WCI_FD_NONE)
        close(FD(fd));
}

int32_t wci_fd_read(wci_fd fd, void *data, size_t size, size_t *got, wc_error **err)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = read(FD(fd), (char *)data + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return wci_err_errno(err, errno, "file: reading");
        if (n == 0)
            break;
        done += (size_t)n;
    }
    *got = done;
    return WC_OK;
}

int32_t wci_fd_pread(wci_fd fd, void *data, size_t size, uint64_t offset, size_t *got,
                     wc_error **err)
{
    size_t done = 0;
    while (done < size) {
        ssize_t n = pread(FD(fd), (char *)data + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return wci_err_errno(err, errno, "file: reading");
        if (n == 0)
            break;
        done += (size_t)n;
    }
    *got = done;
    return WC_OK;
}

int32_t wci_fd_write(wci_fd fd, const void *data, size_t size, wc_error **err)
{
    const char *from = data;
    while (size) {
        ssize_t n = wci_posix_write(FD(fd), from, size);
        if (n < 0)
            return wci_err_errno(err, errno, "file: writing");
        from += n;
        size -= (size_t)n;
    }
    return WC_OK;
}

int32_t wci_fd_truncate(wci_fd fd, uint64_t size, wc_error **err)
{
    if (ftruncate(FD(fd), (off_t)size))
        return wci_err_errno(err, errno, "file: changing its size");
    return WC_OK;
}

int32_t wci_fd_allocate(wci_fd fd, uint64_t size, wc_error **err)
{
    int failed;
    do
        failed = posix_fallocate(FD(fd), 0, (off_t)size);
    while (failed == EINTR);
    return failed ? wci_err_errno(err, failed, "file: taking room for it") : WC_OK;
}

int32_t wci_fd_sync(wci_fd fd, wc_error **err)
{
    if (fsync(FD(fd)))
        return wci_err_errno(err, errno, "file: writing it back to the disk");
    return WC_OK;
}

void wci_fd_next_data(wci_fd fd, uint64_t offset, uint64_t size, uint64_t *start, uint64_t *end)
{
    off_t data = lseek(FD(fd), (off_t)offset, SEEK_DATA);
    off_t hole = data < 0 ? -1 : lseek(FD(fd), data, SEEK_HOLE);
    if (data < 0) { /* ENXIO: only a hole is left */
        *start = errno == ENXIO ? size : offset;
        *end = size;
        return;
    }
    *start = (uint64_t)data < size ? (uint64_t)data : size;
    *end = hole < 0 || (uint64_t)hole > size ? size : (uint64_t)hole;
}

/* Copies in the kernel as far as it goes; the rest is for read and write. */
static uint64_t copy_in_kernel(int from, uint64_t offset, uint64_t size, int to)
{
    uint64_t done = 0;
    while (done < size) {
        off_t at = (off_t)(offset + done);
        uint64_t left = size - done;
        ssize_t n = copy_file_range(from, &at, to, NULL,
                                    left > SSIZE_MAX / 2 ? SSIZE_MAX / 2 : (size_t)left, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        done += (uint64_t)n;
    }
    return done;
}

int32_t wci_fd_copy(wci_fd from, uint64_t offset, uint64_t size, wci_fd to, wc_error **err)
{
    uint64_t done = copy_in_kernel(FD(from), offset, size, FD(to));
    char buffer[16384];
    while (done < size) {
        uint64_t left = size - done;
        size_t want = left > sizeof buffer ? sizeof buffer : (size_t)left, got;
        int32_t rc = wci_fd_pread(from, buffer, want, offset + done, &got, err);
        if (!rc && got < want)
            rc = wci_err(err, WC_E_IO, "file: shorter than it should be");
        if (!rc)
            rc = wci_fd_write(to, buffer, want, err);
        if (rc)
            return rc;
        done += want;
    }
    return WC_OK;
}
