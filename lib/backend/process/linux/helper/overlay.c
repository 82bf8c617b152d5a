/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backend/process/linux/helper/fuse_overlay.h"
#include "backend/process/linux/helper/userns.h"
#include "backend/process/protocol.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"
#include "platform/mount.h"

#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif

/* Descriptors of the directories to merge, the highest first, then upper and work directory. */
typedef struct sources {
    wci_fd *fds;
    size_t count;
    wci_fd upper, work;
    wci_fd state; /* what holds both, when it is mounted for us; that mount ends with the descriptor */
} sources;

static int is_mount_root(const char *path)
{
    struct statx st;
    if (syscall(SYS_statx, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) != 0)
        return 0;
    return (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

/* Cuts `path` down to the mount point that holds it. */
static void to_mount_point(char *path)
{
    while (path[1] && !is_mount_root(path)) {
        char *slash = strrchr(path, '/');
        slash[slash == path] = '\0';
    }
}

int32_t overlay_enter(const char *run_dir, wc_error **err)
{
    char *point = NULL;
    int32_t rc = wci_path_real(run_dir, &point, err);
    if (rc)
        return rc;
    to_mount_point(point);
    if (unshare(CLONE_NEWNS) != 0)
        rc = wci_mount_is_forbidden(errno) ? wci_mount_forbidden(errno, "mount namespace", err)
                                 : wci_err_errno(err, errno, "mount namespace: cannot be made");
    else if (mount(NULL, point, NULL, MS_SLAVE, NULL) != 0)
        rc = wci_mount_is_forbidden(errno) ? wci_mount_forbidden(errno, "mount", err)
                                 : wci_err_errno(err, errno, "mount '%s': cannot be kept from the host", point);
    wci_free(point);
    return rc;
}

int32_t overlay_keep_from_host(const char *dir, wc_error **err)
{
    char *point = NULL;
    int32_t rc = wci_path_real(dir, &point, err);
    if (rc)
        return rc;
    to_mount_point(point);
    if (mount(NULL, point, NULL, MS_SLAVE, NULL) != 0)
        rc = wci_err_errno(err, errno, "mount '%s': cannot be kept from the host", point);
    wci_free(point);
    return rc;
}

static void close_sources(sources *s)
{
    for (size_t i = 0; i < s->count; i++)
        wci_fd_close(s->fds[i]);
    wci_free(s->fds);
    wci_fd_close(s->upper);
    wci_fd_close(s->work);
    wci_fd_close(s->state);
}

static int32_t open_dir(const char *path, wci_fd *out, wc_error **err)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return wci_err_errno(err, errno, "layer '%s'", path);
    *out = fd;
    return WC_OK;
}

/* An image without layers stands on an empty directory. */
static int32_t open_lower(const request *req, sources *s, wc_error **err)
{
    size_t count = req->layers.count ? req->layers.count : 1;
    s->fds = wci_malloc(count * sizeof *s->fds);
    char *empty = wci_path_join(req->run_dir, "empty");
    int32_t rc = s->fds && empty ? WC_OK : wci_err_nomem(err);
    if (!rc && !req->layers.count)
        rc = wci_dir_make(empty, 0755, err);
    while (!rc && s->count < count) {
        const char *path = req->layers.count ? req->layers.items[count - 1 - s->count] : empty;
        rc = open_dir(path, &s->fds[s->count], err);
        s->count += !rc;
    }
    wci_free(empty);
    return rc;
}

/* The merged root looks like the upper directory, which begins as the highest layer's likeness. */
static int32_t make_upper(const char *path, wci_fd like, wc_error **err)
{
    struct stat st;
    int32_t rc = wci_dir_make_new(path, 0755, err);
    if (rc == WC_E_EXISTS) {
        wci_err_clear(err);
        return WC_OK;
    }
    if (rc)
        return rc;
    if (fstat((int)like, &st) != 0 || chown(path, st.st_uid, st.st_gid) != 0 ||
        chmod(path, st.st_mode & 07777) != 0)
        return wci_err_errno(err, errno, "directory '%s'", path);
    return WC_OK;
}

/* The work directory holds nothing of value between mounts, but perhaps the mark of one that was
 * never unmounted. */
static int32_t open_upper(const request *req, sources *s, wc_error **err)
{
    char *upper = wci_path_join(req->state_dir, "upper");
    char *work = wci_path_join(req->state_dir, "work");
    int32_t rc = upper && work ? WC_OK : wci_err_nomem(err);
    if (!rc)
        rc = make_upper(upper, s->fds[0], err);
    if (!rc)
        rc = wci_dir_remove_all(work, err);
    if (!rc)
        rc = wci_dir_make(work, 0700, err);
    if (!rc)
        rc = open_dir(upper, &s->upper, err);
    if (!rc)
        rc = open_dir(work, &s->work, err);
    wci_free(upper);
    wci_free(work);
    return rc;
}

/* Upper and work directory have to be of one mount. */
static int32_t shift_own(const request *req, wci_fd ns, sources *s, wc_error **err)
{
    int32_t rc = open_dir(req->state_dir, &s->state, err);
    if (!rc)
        rc = userns_shift(ns, &s->state, err);
    wci_fd_close(s->upper);
    wci_fd_close(s->work);
    s->upper = rc ? WCI_FD_NONE : openat((int)s->state, "upper", O_PATH | O_DIRECTORY | O_CLOEXEC);
    s->work = rc ? WCI_FD_NONE : openat((int)s->state, "work", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (!rc && (s->upper < 0 || s->work < 0))
        rc = wci_err_errno(err, errno, "directory '%s'", req->state_dir);
    return rc;
}

static int32_t shift(const request *req, sources *s, wc_error **err)
{
    wci_fd ns = WCI_FD_NONE;
    int32_t rc = userns_open(req, &ns, err);
    for (size_t i = 0; i < s->count && !rc; i++)
        rc = userns_shift(ns, &s->fds[i], err);
    if (!rc)
        rc = shift_own(req, ns, s, err);
    wci_fd_close(ns);
    return rc;
}

static int32_t mount_sources(const request *req, const wci_overlay *overlay, wc_error **err)
{
    wc_error *why = NULL;
    if (userns_is_own(req) && !userns_is_shifted(req))
        return fuse_overlay_mount(req, overlay, NULL, err);
    int32_t rc = wci_overlay_mount(overlay, &why);
    if (!fuse_overlay_may_help(rc))
        return rc ? wci_err_move(err, why) : WC_OK;
    rc = fuse_overlay_mount(req, overlay, why, err);
    wc_error_unref(why);
    return rc;
}

int32_t overlay_mount(const request *req, wc_error **err)
{
    sources s = {NULL, 0, WCI_FD_NONE, WCI_FD_NONE, WCI_FD_NONE};
    char *target = wci_path_join(req->run_dir, WCI_RUN_ROOTFS);
    int32_t rc = target ? wci_dir_make(target, 0755, err) : wci_err_nomem(err);
    if (!rc)
        rc = open_lower(req, &s, err);
    if (!rc)
        rc = open_upper(req, &s, err);
    if (!rc && userns_is_shifted(req))
        rc = shift(req, &s, err);
    userns_act_as_root_of(req, 1);
    if (!rc)
        rc = mount_sources(req, &(wci_overlay){s.fds, s.count, s.upper, s.work, req->auto_remove, "overlay", target,
                                               req->store_root ? req->store_root : req->state_dir}, err);
    userns_act_as_root_of(req, 0);
    close_sources(&s);
    wci_free(target);
    return rc;
}

/* 1 when it is not the kernel's own. */
static int is_fuse(const char *target)
{
    struct statfs fs;
    return statfs(target, &fs) == 0 && fs.f_type == FUSE_SUPER_MAGIC;
}

void overlay_unmount(const request *req)
{
    char *target = wci_path_join(req->run_dir, WCI_RUN_ROOTFS);
    int was_fuse = target && is_fuse(target);
    if (target)
        (void)umount2(target, MNT_DETACH);
    char *upper = was_fuse ? wci_path_join(req->state_dir, "upper") : NULL;
    if (upper)
        fuse_overlay_settle(upper);
    wci_free(upper);
    wci_free(target);
}
