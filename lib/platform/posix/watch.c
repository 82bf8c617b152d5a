/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/watch.h"

#include <errno.h>
#include <limits.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/posix/posix.h"

struct wci_watch {
    int fd;
};

static int32_t open_failed(int errnum, const char *path, wc_error **err)
{
    if (errnum == EMFILE || errnum == ENOSPC)
        return wci_err_native(err, WC_E_LIMIT, WC_DOMAIN_ERRNO, errnum,
                              "watch of '%s': this user has too many; raise "
                              "fs.inotify.max_user_instances or max_user_watches",
                              path);
    return wci_err_errno(err, errnum, "watch of '%s': making", path);
}

int32_t wci_watch_new(const char *path, wci_watch **out, wc_error **err)
{
    int fd = wci_posix_off_stdio(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (fd < 0)
        return open_failed(errno, path, err);
    if (inotify_add_watch(fd, path, IN_MODIFY | IN_ATTRIB) < 0) {
        int saved = errno;
        close(fd);
        return open_failed(saved, path, err);
    }
    wci_watch *watch = wci_calloc(1, sizeof *watch);
    if (!watch) {
        close(fd);
        return wci_err_nomem(err);
    }
    watch->fd = fd;
    *out = watch;
    return WC_OK;
}

wci_fd wci_watch_fd(const wci_watch *watch)
{
    return watch->fd;
}

void wci_watch_clear(wci_watch *watch)
{
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t n;
    do
        n = read(watch->fd, events, sizeof events);
    while (n > 0 || (n < 0 && errno == EINTR));
}

void wci_watch_free(wci_watch *watch)
{
    if (!watch)
        return;
    close(watch->fd);
    wci_free(watch);
}
