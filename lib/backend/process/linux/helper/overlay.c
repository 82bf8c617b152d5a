/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backend/process/protocol.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"

/* glibc has these since 2.36 only, and its <sys/mount.h> clashes with the kernel's header. */
int mount(const char *source, const char *target, const char *type, unsigned long flags,
          const void *data);
int umount2(const char *target, int flags);
#define MOUNT_SLAVE (1ul << 19)
#define MOUNT_REC (1ul << 14)
#define UNMOUNT_DETACH 2
#ifndef STATX_ATTR_MOUNT_ROOT
#define STATX_ATTR_MOUNT_ROOT 0x2000
#endif

/* Descriptors of the directories to merge, the highest first, then upper and work directory. */
typedef struct sources {
    int *fds;
    size_t count;
    int upper, work;
} sources;

static int is_mount_root(const char *path)
{
    struct statx st;
    if (syscall(SYS_statx, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) != 0)
        return 0;
    return (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

/* EPERM and EACCES in spite of the capability, which the library has checked. */
static int32_t forbidden(int why, const char *what, wc_error **err)
{
    return wci_err_native(err, WC_E_PERMISSION, WC_DOMAIN_ERRNO, why,
                          "%s: this process may not do that, although it is root: a seccomp profile or a security "
                          "module (AppArmor, SELinux) forbids it; run it without", what);
}

static int is_forbidden(int why)
{
    return why == EPERM || why == EACCES;
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
        rc = is_forbidden(errno) ? forbidden(errno, "mount namespace", err)
                                 : wci_err_errno(err, errno, "mount namespace: cannot be made");
    else if (mount(NULL, point, NULL, MOUNT_SLAVE, NULL) != 0)
        rc = is_forbidden(errno) ? forbidden(errno, "mount", err)
                                 : wci_err_errno(err, errno, "mount '%s': cannot be kept from the host", point);
    wci_free(point);
    return rc;
}

static void close_sources(sources *s)
{
    for (size_t i = 0; i < s->count; i++)
        close(s->fds[i]);
    wci_free(s->fds);
    if (s->upper >= 0)
        close(s->upper);
    if (s->work >= 0)
        close(s->work);
}

static int open_dir(const char *path, wc_error **err)
{
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        wci_err_errno(err, errno, "layer '%s'", path);
    return fd;
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
        int fd = open_dir(path, err);
        if (fd < 0)
            rc = WC_E_IO;
        else
            s->fds[s->count++] = fd;
    }
    wci_free(empty);
    return rc;
}

/* The merged root looks like the upper directory, which begins as the highest layer's likeness. */
static int32_t make_upper(const char *path, int like, wc_error **err)
{
    struct stat st;
    int32_t rc = wci_dir_make_new(path, 0755, err);
    if (rc == WC_E_EXISTS) {
        wci_err_clear(err);
        return WC_OK;
    }
    if (rc)
        return rc;
    if (fstat(like, &st) != 0 || chown(path, st.st_uid, st.st_gid) != 0 ||
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
    if (!rc && (s->upper = open_dir(upper, err)) < 0)
        rc = WC_E_IO;
    if (!rc && (s->work = open_dir(work, err)) < 0)
        rc = WC_E_IO;
    wci_free(upper);
    wci_free(work);
    return rc;
}

static int set(int fs, const char *key, const char *value)
{
    return (int)syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, value, 0);
}

/* By descriptor where the kernel takes that, else by its path below /proc. */
static int set_dir(int fs, const char *key, int dir)
{
    char path[40];
    if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_FD, key, NULL, dir) == 0)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", dir);
    return set(fs, key, path);
}

static int configure(int fs, const sources *s, int passing)
{
    for (size_t i = 0; i < s->count; i++)
        if (set_dir(fs, "lowerdir+", s->fds[i]) != 0)
            return -1;
    if (set_dir(fs, "upperdir", s->upper) != 0 || set_dir(fs, "workdir", s->work) != 0)
        return -1;
    /* A planted redirect would be followed by default. */
    if (set(fs, "redirect_dir", "nofollow") != 0 || set(fs, "metacopy", "off") != 0 ||
        set(fs, "index", "off") != 0)
        return -1;
    /* What is thrown away at the end need not reach the disk. */
    if (passing)
        (void)syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, "volatile", NULL, 0);
    return (int)syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

/* 0, -1 with errno, or 1 when the kernel is too old for it. */
static int mount_by_descriptors(const sources *s, const char *target, int passing)
{
    int fs = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
    if (fs < 0)
        return errno == ENOSYS ? 1 : -1;
    int result = -1;
    if (configure(fs, s, passing) == 0) {
        int at = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
        if (at >= 0) {
            result = (int)syscall(SYS_move_mount, at, "", AT_FDCWD, target,
                                  MOVE_MOUNT_F_EMPTY_PATH);
            close(at);
        }
    } else if (errno == EINVAL) { /* no "lowerdir+" before Linux 6.5 */
        result = 1;
    }
    int why = errno;
    close(fs);
    errno = why;
    return result;
}

static int32_t explain_mount(int why, const request *req, wc_error **err)
{
    if (why == ENODEV)
        return wci_err_native(err, WC_E_MISSING, WC_DOMAIN_ERRNO, why,
                              "overlay: this kernel has no overlayfs; load the module 'overlay'");
    if (why == EINVAL)
        return wci_err_native(err, WC_E_UNSUPPORTED, WC_DOMAIN_ERRNO, why,
                              "overlay: the file system of '%s' cannot carry one; put the store on ext4, xfs, btrfs "
                              "or tmpfs, inside a container on a volume", req->store_root ? req->store_root : req->state_dir);
    if (is_forbidden(why))
        return forbidden(why, "overlay", err);
    return wci_err_errno(err, why, "overlay: cannot be mounted on '%s/" WCI_RUN_ROOTFS "'", req->run_dir);
}

static int mount_by_options(const sources *s, const char *target, const request *req, wc_error **err)
{
    wci_str options = WCI_STR_INIT;
    wci_str_append(&options, "lowerdir=");
    for (size_t i = 0; i < s->count; i++)
        wci_str_printf(&options, "%s/proc/self/fd/%d", i ? ":" : "", s->fds[i]);
    wci_str_printf(&options,
                   ",upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d,redirect_dir=nofollow,"
                   "metacopy=off,index=off",
                   s->upper, s->work);
    int32_t rc = WC_OK;
    if (options.failed)
        rc = wci_err_nomem(err);
    else if (options.size >= (size_t)sysconf(_SC_PAGESIZE))
        rc = wci_err(err, WC_E_LIMIT, "overlay: %zu layers: too many for this kernel; Linux 6.5 "
                                      "takes more",
                     s->count);
    else if (mount("overlay", target, "overlay", 0, options.data) != 0)
        rc = explain_mount(errno, req, err);
    wci_str_free(&options);
    return rc;
}

static int32_t mount_sources(const sources *s, const char *target, const request *req, wc_error **err)
{
    int result = mount_by_descriptors(s, target, req->auto_remove);
    if (result > 0)
        return mount_by_options(s, target, req, err);
    return result == 0 ? WC_OK : explain_mount(errno, req, err);
}

int32_t overlay_mount(const request *req, wc_error **err)
{
    sources s = {NULL, 0, -1, -1};
    char *target = wci_path_join(req->run_dir, WCI_RUN_ROOTFS);
    int32_t rc = target ? wci_dir_make(target, 0755, err) : wci_err_nomem(err);
    if (!rc)
        rc = open_lower(req, &s, err);
    if (!rc)
        rc = open_upper(req, &s, err);
    if (!rc)
        rc = mount_sources(&s, target, req, err);
    close_sources(&s);
    wci_free(target);
    return rc;
}

void overlay_unmount(const char *run_dir)
{
    char *target = wci_path_join(run_dir, WCI_RUN_ROOTFS);
    if (target)
        (void)umount2(target, UNMOUNT_DETACH);
    wci_free(target);
}
