/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/wake.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/error.h"
#include "platform/posix/posix.h"

int32_t wci_wake_new(wci_fd *out, wc_error **err)
{
    int fd = wci_posix_off_stdio(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (fd < 0)
        return wci_err_errno(err, errno, "event descriptor: making");
    *out = fd;
    return WC_OK;
}

void wci_wake_set(wci_fd wake)
{
    int saved = errno;
    const uint64_t one = 1;
    /* It can only fail when the counter is full, and then it is readable already. */
    ssize_t n = write(FD(wake), &one, sizeof one);
    (void)n;
    errno = saved;
}

void wci_wake_free(wci_fd wake)
{
    wci_fd_close(wake);
}
