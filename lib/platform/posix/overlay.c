/* SPDX-License-Identifier: Apache-2.0 */
/* overlayfs. Documentation: Linux, filesystems/overlayfs.rst. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/mount.h"
#include "platform/posix/posix.h"
#include "platform/userns.h"

/* glibc has it since 2.36 only, and its <sys/mount.h> clashes with the kernel's header. */
int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
#define MAX_LAYERS 500 /* OVL_MAX_STACK of the kernel */
#define MOUNT_SAFE (1ul | 2ul | 4ul) /* MS_RDONLY, MS_NOSUID, MS_NODEV */

int32_t wci_mount_forbidden(int why, const char *what, wc_error **err)
{
    return wci_err_native(err, WC_E_PERMISSION, WC_DOMAIN_ERRNO, why,
                          "%s: this process may not do that, although it is root: a seccomp profile or a security "
                          "module (AppArmor, SELinux) forbids it; run it without", what);
}

int wci_mount_is_forbidden(int why)
{
    return why == EPERM || why == EACCES;
}

static int is_read_only(const wci_overlay *o)
{
    return o->upper == WCI_FD_NONE;
}

static int set(int fs, const char *key, const char *value)
{
    return (int)syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, value, 0);
}

/* By descriptor where the kernel takes that, else by its path below /proc. */
static int set_dir(int fs, const char *key, wci_fd dir)
{
    char path[40];
    if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_FD, key, NULL, FD(dir)) == 0)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", FD(dir));
    return set(fs, key, path);
}

/* In a user namespace overlayfs may only write marks of its own that users may write, too. */
static int configure_marks(int fs)
{
    if (wci_userns_is_inside())
        return (int)syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, "userxattr", NULL, 0);
    /* A planted redirect would be followed by default. */
    return set(fs, "redirect_dir", "nofollow") != 0 || set(fs, "metacopy", "off") != 0 ? -1 : 0;
}

static int configure(int fs, const wci_overlay *o)
{
    for (size_t i = 0; i < o->count; i++)
        if (set_dir(fs, "lowerdir+", o->lower[i]) != 0)
            return -1;
    if (!is_read_only(o) && (set_dir(fs, "upperdir", o->upper) != 0 || set_dir(fs, "workdir", o->work) != 0))
        return -1;
    if (set(fs, "source", o->source) != 0 || set(fs, "index", "off") != 0 || configure_marks(fs) != 0)
        return -1;
    if (o->is_passing)
        (void)syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, "volatile", NULL, 0);
    return (int)syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

static int attach(int fs, const wci_overlay *o)
{
    unsigned attrs = is_read_only(o) ? MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV : 0;
    int at = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attrs);
    if (at < 0)
        return -1;
    int result = (int)syscall(SYS_move_mount, at, "", AT_FDCWD, o->target, MOVE_MOUNT_F_EMPTY_PATH);
    int why = errno;
    close(at);
    errno = why;
    return result;
}

/* 0, -1 with errno, or 1 when the kernel is too old for it. */
static int mount_by_descriptors(const wci_overlay *o)
{
    int fs = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
    if (fs < 0)
        return errno == ENOSYS ? 1 : -1;
    int result = -1;
    if (configure(fs, o) == 0)
        result = attach(fs, o);
    else if (errno == EINVAL) /* no "lowerdir+" before Linux 6.5 */
        result = 1;
    int why = errno;
    close(fs);
    errno = why;
    return result;
}

static int32_t explain(int why, const wci_overlay *o, wc_error **err)
{
    if (why == ENODEV)
        return wci_err_native(err, WC_E_MISSING, WC_DOMAIN_ERRNO, why,
                              "overlay: this kernel has no overlayfs; load the module 'overlay'");
    if (why == EINVAL)
        return wci_err_native(err, WC_E_UNSUPPORTED, WC_DOMAIN_ERRNO, why,
                              "overlay: the file system of '%s' cannot carry one; put the store on ext4, xfs, btrfs "
                              "or tmpfs, inside a container on a volume", o->store);
    if (wci_mount_is_forbidden(why))
        return wci_mount_forbidden(why, "overlay", err);
    return wci_err_errno(err, why, "overlay: cannot be mounted on '%s'", o->target);
}

static int32_t mount_by_options(const wci_overlay *o, wc_error **err)
{
    wci_str options = WCI_STR_INIT;
    wci_str_append(&options, "lowerdir=");
    for (size_t i = 0; i < o->count; i++)
        wci_str_printf(&options, "%s/proc/self/fd/%d", i ? ":" : "", FD(o->lower[i]));
    if (!is_read_only(o))
        wci_str_printf(&options, ",upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d", FD(o->upper), FD(o->work));
    wci_str_append(&options, wci_userns_is_inside() ? ",userxattr,index=off"
                                                    : ",redirect_dir=nofollow,metacopy=off,index=off");
    int32_t rc = WC_OK;
    if (options.failed)
        rc = wci_err_nomem(err);
    else if (options.size >= (size_t)sysconf(_SC_PAGESIZE))
        rc = wci_err(err, WC_E_LIMIT, "overlay: %zu layers: too many for this kernel; from Linux 6.5 on it takes %d; or make them "
                     "fewer with 'wcctl edit --squash'", o->count, MAX_LAYERS);
    else if (mount(o->source, o->target, "overlay", is_read_only(o) ? MOUNT_SAFE : 0, options.data) != 0)
        rc = explain(errno, o, err);
    wci_str_free(&options);
    return rc;
}

int32_t wci_overlay_mount(const wci_overlay *overlay, wc_error **err)
{
    if (overlay->count > MAX_LAYERS)
        return wci_err(err, WC_E_LIMIT, "overlay: %zu layers: Linux takes at most %d; make them fewer with "
                       "'wcctl edit --squash'", overlay->count, MAX_LAYERS);
    int result = mount_by_descriptors(overlay);
    if (result > 0)
        return mount_by_options(overlay, err);
    return result == 0 ? WC_OK : explain(errno, overlay, err);
}

/* ---- From paths ----------------------------------------------------------------------------------- */

static int32_t open_dir(const char *path, wci_fd *out, wc_error **err)
{
    int fd = wci_posix_open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0);
    if (fd < 0)
        return wci_err_errno(err, errno, "layer '%s'", path);
    *out = fd;
    return WC_OK;
}

static int32_t open_empty(const char *dir, size_t number, wci_fd *out, wc_error **err)
{
    char *path = wci_asprintf("%s/%zu", dir, number);
    int32_t rc = path ? wci_dir_make(path, 0755, err) : wci_err_nomem(err);
    if (!rc)
        rc = open_dir(path, out, err);
    wci_free(path);
    return rc;
}

/* The kernel wants at least two, and not one of them twice, where nothing is written. */
int32_t wci_overlay_mount_paths(const wci_strv *layers, const char *empty, const char *source, const char *target,
                                const char *store, wc_error **err)
{
    wci_fd *fds = wci_calloc(layers->count + 2, sizeof *fds);
    size_t count = 0;
    int32_t rc = fds ? WC_OK : wci_err_nomem(err);
    for (size_t i = layers->count; i-- > 0 && !rc; count += !rc)
        rc = open_dir(layers->items[i], &fds[count], err);
    while (!rc && count < 2) {
        rc = open_empty(empty, count, &fds[count], err);
        count += !rc;
    }
    const wci_overlay overlay = {fds, count, WCI_FD_NONE, WCI_FD_NONE, 0, source, target, store};
    if (!rc)
        rc = wci_overlay_mount(&overlay, err);
    for (size_t i = 0; i < count; i++)
        wci_fd_close(fds[i]);
    wci_free(fds);
    return rc;
}
