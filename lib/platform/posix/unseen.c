/* SPDX-License-Identifier: Apache-2.0 */
/* Files without a name until they are whole: a killed process leaves nothing of them behind. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "platform/posix/posix.h"

static int32_t name_beside(const char *path, char **out, wc_error **err)
{
    char suffix[17];
    int32_t rc = wci_random_hex(8, suffix, err);
    if (rc)
        return rc;
    *out = wci_asprintf("%s.part-%s", path, suffix);
    return *out ? WC_OK : wci_err_nomem(err);
}

static int open_nameless(const char *path, uint32_t mode)
{
    char *dir = wci_path_parent(path);
    int fd = dir ? wci_posix_open_at(AT_FDCWD, dir, O_TMPFILE | O_RDWR, mode) : -1;
    wci_free(dir);
    if (fd >= 0 && fchmod(fd, mode)) {
        close(fd);
        return -1;
    }
    return fd;
}

int32_t wci_file_open_unseen(const char *path, uint32_t mode, wci_fd *out, char **beside, wc_error **err)
{
    char *name = NULL;
    int fd = open_nameless(path, mode);
    *beside = NULL;
    if (fd >= 0) {
        *out = fd;
        return WC_OK;
    }
    int32_t rc = name_beside(path, &name, err);
    if (!rc)
        rc = wci_file_open(name, WCI_OPEN_READ | WCI_OPEN_WRITE | WCI_OPEN_CREATE | WCI_OPEN_EXCL, mode, out, err);
    if (rc)
        wci_free(name);
    else
        *beside = name;
    return rc;
}

/* 0, or -1 with errno. */
static int give_name(int fd, const char *path)
{
    char self[WCI_PROC_PATH_SIZE];
    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    return linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

int32_t wci_file_publish(wci_fd fd, const char *beside, const char *path, wc_error **err)
{
    char *name = NULL;
    if (beside)
        return wci_file_rename(beside, path, err);
    if (give_name(FD(fd), path) == 0)
        return WC_OK;
    if (errno != EEXIST)
        return wci_err_errno(err, errno, "file '%s': giving it its place", path);
    /* Only a name can replace another. */
    int32_t rc = name_beside(path, &name, err);
    if (!rc && give_name(FD(fd), name))
        rc = wci_err_errno(err, errno, "file '%s': giving it its place", path);
    if (!rc && (rc = wci_file_rename(name, path, err)))
        unlink(name);
    wci_free(name);
    return rc;
}
