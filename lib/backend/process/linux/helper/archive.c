/* SPDX-License-Identifier: Apache-2.0 */
/* cp: packs from, or unpacks into, the root of a container, running or not. Paths are resolved as
 * in the container, and nothing of it is ever executed or loaded. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "backend/process/linux/helper/overlay.h"
#include "backend/process/linux/helper/userns.h"
#include "backend/process/linux/helper/volumes.h"
#include "backend/process/protocol.h"
#include "core/alloc.h"
#include "core/error.h"
#include "layer/layer.h"
#include "layer/path.h"
#include "platform/file.h"
#include "platform/host.h"
#include "platform/process.h"
#include "platform/tree.h"

/* Waits until the data descriptor is ready; the library's end of the link closed means stop. */
static int32_t wait_data(short events, wc_error **err)
{
    for (;;) {
        struct pollfd fds[] = {{HELPER_DATA, events, 0}, {HELPER_LINK, POLLIN, 0}};
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents)
            return wci_err(err, WC_E_CANCELLED, "cp: the caller gave it up");
        return WC_OK;
    }
}

static int32_t read_data(void *self, void *data, size_t size, size_t *got, wc_error **err)
{
    (void)self;
    int32_t rc = wait_data(POLLIN, err);
    while (!rc) {
        ssize_t n = read(HELPER_DATA, data, size);
        if (n >= 0) {
            *got = (size_t)n;
            return WC_OK;
        }
        rc = errno == EAGAIN ? wait_data(POLLIN, err)
             : errno == EINTR ? WC_OK
                              : wci_err_errno(err, errno, "cp: reading the archive");
    }
    return rc;
}

static int32_t write_data(void *self, const void *data, size_t size, wc_error **err)
{
    (void)self;
    const char *at = data;
    while (size) {
        int32_t rc = wait_data(POLLOUT, err);
        if (rc)
            return rc;
        ssize_t n = write(HELPER_DATA, at, size < 65536 ? size : 65536);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return wci_err_errno(err, errno, "cp: writing the archive");
        at += n > 0 ? n : 0;
        size -= n > 0 ? (size_t)n : 0;
    }
    return WC_OK;
}

static int32_t wait_mount_lock(wci_lock **lock, wc_error **err)
{
    for (;;) {
        int32_t rc = wci_lock_try(WCI_RUN_MOUNT_LOCK, WCI_LOCK_EXCLUSIVE, lock, err);
        if (rc != WC_E_BUSY)
            return rc;
        struct pollfd fd = {HELPER_LINK, POLLIN, 0};
        if (poll(&fd, 1, 5) > 0)
            return rc;
        wci_err_clear(err);
    }
}

/* As when it runs; volumes are mounts of their own. */
static int32_t protect_root(const request *req, wc_error **err)
{
    if (req->read_only_root && mount(NULL, WCI_RUN_ROOTFS, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) != 0)
        return wci_err_errno(err, errno, "root of the container: cannot be made read-only");
    return WC_OK;
}

/* A root of nobody's: mounted here, for us alone, with the volumes as the next start will find them. */
static int32_t open_stopped(const request *req, wci_fd *root, wci_lock **lock, wc_error **err)
{
    int32_t rc = wci_dir_make(req->run_dir, 0700, err);
    if (!rc)
        rc = overlay_enter(req->run_dir, err);
    if (!rc && chdir(req->run_dir) != 0)
        rc = wci_err_errno(err, errno, "directory '%s'", req->run_dir);
    if (!rc)
        rc = wait_mount_lock(lock, err);
    if (!rc)
        rc = overlay_mount(req, err);
    if (!rc)
        rc = volumes_prepare(req, err);
    if (!rc)
        rc = volumes_mount(req, err);
    if (!rc)
        rc = protect_root(req, err);
    return rc ? rc : wci_tree_open_root(WCI_RUN_ROOTFS, root, err);
}

/* As its first process sees it, volumes and all. */
static int32_t open_running(const request *req, wci_fd *root, wc_error **err)
{
    char path[48];
    snprintf(path, sizeof path, "/proc/%lld/root/.", (long long)req->pid);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || wci_host_process_start(req->pid) != req->pid_start) {
        if (fd >= 0)
            close(fd);
        return wci_err(err, WC_E_STATE, "container '%s': ended just now", req->id);
    }
    *root = fd;
    return userns_enter(req->pid, err); /* ids are the container's then */
}

static int32_t get(const request *req, wci_fd root, wc_error **err)
{
    static const wci_sink to = {write_data, NULL};
    const char *parent, *name;
    char *path = wci_strdup(req->path);
    wci_fd dir = WCI_FD_NONE;
    if (!path)
        return wci_err_nomem(err);
    wci_archive_split(path, &parent, &name);
    int32_t rc = wci_tree_resolve(root, *parent ? parent : "/", &dir, err);
    if (!rc)
        rc = wci_tar_pack(dir, name, *name ? name : ".", &to, NULL, err);
    wci_fd_close(dir);
    wci_free(path);
    return rc;
}

static int32_t put(const request *req, wci_fd root, wc_error **err)
{
    static const wci_source from = {read_data, NULL};
    wci_unpack_stats stats = {0};
    wci_fd dir = WCI_FD_NONE;
    wci_file_info info;
    int32_t rc = wci_tree_resolve(root, req->path, &dir, err);
    if (!rc)
        rc = wci_fd_info(dir, &info, err);
    if (!rc && info.type != WCI_FILE_DIRECTORY)
        rc = wci_err(err, WC_E_INVALID, "'%s': not a directory in the container", req->path);
    if (!rc)
        rc = wci_tar_apply(&from, dir, WCI_APPLY_KEEP_OWNER, &wci_limits_default, NULL, &stats,
                           err);
    wci_strv_free(&stats.skipped);
    wci_fd_close(dir);
    return rc;
}

int archive_main(request *req)
{
    wci_fd root = WCI_FD_NONE;
    wci_lock *lock = NULL;
    wc_error *err = NULL;
    int32_t rc = req->pid > 0 ? open_running(req, &root, &err)
                              : open_stopped(req, &root, &lock, &err);
    if (!rc)
        rc = strcmp(req->what, "put") == 0 ? put(req, root, &err) : get(req, root, &err);
    wci_fd_close(root);
    if (req->pid <= 0) {
        overlay_unmount(req);
        volumes_unmount(req->run_dir);
    }
    wci_lock_release(lock);
    if (rc)
        report_error(err);
    else
        report_ok(0, 0, NULL);
    wc_error_unref(err);
    return rc != 0;
}
