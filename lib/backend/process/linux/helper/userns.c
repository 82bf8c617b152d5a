/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/process/linux/helper/child.h"
#include "backend/process/linux/helper/launch.h"
#include "backend/process/linux/helper/overlay.h"
#include "backend/process/linux/helper/volumes.h"
#include "backend/process/protocol.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/host.h"
#include "platform/userns.h"

/* As joins.c: glibc has them since 2.36 only. */
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#define OPEN_TREE_CLOEXEC O_CLOEXEC
#define MOVE_MOUNT_F_EMPTY_PATH 4
#define MOUNT_ATTR_IDMAP 0x00100000
struct mount_attr {
    uint64_t attr_set, attr_clr, propagation, userns_fd;
};
#endif

/* ---- Maps --------------------------------------------------------------------------------------- */

int32_t userns_read(json_t *settings, request *out, wc_error **err)
{
    static const char what[] = "settings of the container";
    if (!settings)
        return WC_OK;
    int32_t rc = wci_json_get_strings(settings, "uidMaps", what, &out->uid_maps, err);
    return rc ? rc : wci_json_get_strings(settings, "gidMaps", what, &out->gid_maps, err);
}

void userns_free(request *req)
{
    wci_strv_free(&req->uid_maps);
    wci_strv_free(&req->gid_maps);
}

int userns_is_own(const request *req)
{
    return req->uid_maps.count && req->gid_maps.count;
}

int userns_is_shifted(const request *req)
{
    return userns_is_own(req) && !wci_userns_is_inside();
}

/* "0:100000:65536" as the kernel wants it: "0 100000 65536". */
static int write_map(pid_t pid, const char *name, const wci_strv *maps)
{
    char path[64];
    wci_str text = WCI_STR_INIT;
    for (size_t i = 0; i < maps->count; i++)
        wci_str_printf(&text, "%s\n", maps->items[i]);
    for (size_t i = 0; !text.failed && i < text.size; i++)
        if (text.data[i] == ':')
            text.data[i] = ' ';
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = text.failed ? -1 : open(path, O_WRONLY | O_CLOEXEC);
    int failed = fd < 0 || write(fd, text.data, text.size) != (ssize_t)text.size, why = errno;
    if (fd >= 0)
        close(fd);
    wci_str_free(&text);
    errno = why;
    return failed ? -1 : 0;
}

/* A child that has the namespace, and waits to be killed; its word is one byte. */
static pid_t start_holder(void)
{
    int word[2];
    char byte = 0;
    pid_t self = getpid();
    if (pipe2(word, O_CLOEXEC) != 0)
        return -1;
    pid_t pid = fork();
    if (pid == 0) {
        child_begin(self);
        byte = unshare(CLONE_NEWUSER) == 0 ? 'y' : 'n';
        (void)!write(word[1], &byte, 1);
        for (;;)
            pause();
    }
    close(word[1]);
    int said = pid > 0 && read(word[0], &byte, 1) == 1 && byte == 'y';
    close(word[0]);
    if (pid > 0 && !said) {
        kill(pid, SIGKILL);
        reap(pid);
        errno = ENOSPC; /* as when there are too many */
        return -1;
    }
    return pid;
}

int32_t userns_open(const request *req, wci_fd *out, wc_error **err)
{
    char path[64];
    pid_t pid = start_holder();
    if (pid < 0)
        return wci_err_errno(err, errno, "user namespace: cannot be made; see user.max_user_namespaces");
    snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
    int fd = -1;
    int failed = write_map(pid, "uid_map", &req->uid_maps) != 0 || write_map(pid, "gid_map", &req->gid_maps) != 0 ||
                 (fd = open(path, O_RDONLY | O_CLOEXEC)) < 0;
    int why = errno;
    kill(pid, SIGKILL);
    reap(pid);
    if (failed)
        return wci_err_errno(err, why, "user namespace: its maps are not taken; their ranges must not overlap");
    *out = fd;
    return WC_OK;
}

int32_t userns_bind(const request *req, wci_fd *out, wc_error **err)
{
    char path[64];
    int32_t rc = userns_open(req, out, err);
    if (rc)
        return rc;
    snprintf(path, sizeof path, "/proc/self/fd/%d", (int)*out);
    int file = open(WCI_RUN_USERNS, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || mount(path, WCI_RUN_USERNS, NULL, MS_BIND, NULL) != 0)
        rc = wci_err_errno(err, errno, "user namespace: cannot be bound");
    if (file >= 0)
        close(file);
    return rc;
}

void userns_unbind(void)
{
    if (umount2(WCI_RUN_USERNS, MNT_DETACH) == 0 || errno == EINVAL)
        unlink(WCI_RUN_USERNS);
}

/* ---- Shifted directories ------------------------------------------------------------------------ */

int32_t userns_shift(wci_fd ns, wci_fd *dir, wc_error **err)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)ns};
    int tree = (int)syscall(SYS_open_tree, (int)*dir, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    if (tree < 0)
        return wci_err_errno(err, errno, "user namespace: a layer cannot be mounted");
    if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof attr) != 0) {
        int why = errno;
        close(tree);
        return wci_err_native(err, why == EINVAL || why == ENOSYS ? WC_E_UNSUPPORTED : wci_host_code_of_errno(why),
                              WC_DOMAIN_ERRNO, why,
                              "user namespace: this kernel cannot shift the ids of the store's file system; it takes "
                              "Linux 6.15 and ext4, xfs, btrfs or tmpfs");
    }
    wci_fd_close(*dir);
    *dir = tree;
    return WC_OK;
}

static uint32_t root_of(const wci_strv *maps)
{
    for (size_t i = 0; i < maps->count; i++)
        if (!strncmp(maps->items[i], "0:", 2))
            return (uint32_t)strtoul(maps->items[i] + 2, NULL, 10);
    return 0;
}

/* Overlayfs keeps the rights and ids of whoever mounts it; ours, shifted, are none. */
void userns_act_as_root_of(const request *req, int on)
{
    if (!userns_is_shifted(req))
        return;
    if (on)
        prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP); /* the rights stay */
    setfsgid(on ? root_of(&req->gid_maps) : 0);
    setfsuid(on ? root_of(&req->uid_maps) : 0);
    if (!on)
        prctl(PR_SET_SECUREBITS, 0);
}

/* ---- Volumes ------------------------------------------------------------------------------------ */

/* Where the runtime takes a volume from; owned, NULL for other mounts. */
static char *source_of(const request *req, const volume *v)
{
    if (strcmp(v->type, "volume") != 0)
        return NULL;
    return volume_has_place(v) ? volume_place(req, v) : wci_path_join(v->source, "data");
}

static int32_t shift_volume(const request *req, const volume *v, wci_fd ns, wc_error **err)
{
    char *path = source_of(req, v);
    if (!path)
        return WC_OK;
    wci_fd tree = open(path, O_PATH | O_CLOEXEC);
    int32_t rc = tree < 0 ? wci_err_errno(err, errno, "volume '%s'", v->name) : userns_shift(ns, &tree, err);
    if (!rc)
        rc = overlay_keep_from_host(path, err);
    if (!rc && syscall(SYS_move_mount, (int)tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) != 0)
        rc = wci_err_errno(err, errno, "volume '%s': cannot be mounted", v->name);
    wci_fd_close(tree);
    wci_free(path);
    return rc;
}

static void hide_volume(const request *req, const volume *v)
{
    char *path = source_of(req, v);
    if (path && !volume_has_place(v)) /* places go as a whole */
        (void)umount2(path, MNT_DETACH);
    wci_free(path);
}

int32_t userns_shift_volumes(const request *req, wc_error **err)
{
    wci_fd ns = WCI_FD_NONE;
    if (!userns_is_shifted(req) || !req->volume_count)
        return WC_OK;
    int32_t rc = userns_open(req, &ns, err);
    for (size_t i = 0; i < req->volume_count && !rc; i++)
        rc = shift_volume(req, &req->volumes[i], ns, err);
    wci_fd_close(ns);
    return rc;
}

/* ---- A root that can be reached ----------------------------------------------------------------- */

static char *shown_at(const request *req)
{
    return wci_path_join(WCI_USERNS_ROOTS, req->id);
}

static int32_t give_files(const request *req, wc_error **err)
{
    static const char *const names[] = {"hosts", "hostname", "resolv.conf"};
    int32_t rc = WC_OK;
    for (size_t i = 0; i < sizeof names / sizeof *names && !rc; i++) {
        char *path = wci_path_join(req->state_dir, names[i]);
        if (!path)
            rc = wci_err_nomem(err);
        else if (lchown(path, root_of(&req->uid_maps), root_of(&req->gid_maps)) != 0 && errno != ENOENT)
            rc = wci_err_errno(err, errno, "file '%s'", path);
        wci_free(path);
    }
    return rc;
}

int32_t userns_show_root(const request *req, wc_error **err)
{
    if (!userns_is_shifted(req))
        return WC_OK;
    char *path = shown_at(req);
    int32_t rc = path ? wci_dir_make(WCI_USERNS_ROOTS, 0711, err) : wci_err_nomem(err);
    if (!rc)
        rc = overlay_keep_from_host(WCI_USERNS_ROOTS, err);
    if (!rc)
        rc = wci_dir_make(path, 0711, err);
    if (!rc && mount(WCI_RUN_ROOTFS, path, NULL, MS_BIND, NULL) != 0)
        rc = wci_err_errno(err, errno, "root of the container: cannot be mounted on '%s'", path);
    wci_free(path);
    return rc ? rc : give_files(req, err);
}

void userns_hide_root(const request *req)
{
    if (!userns_is_shifted(req))
        return;
    char *path = shown_at(req);
    if (path && (umount2(path, MNT_DETACH) == 0 || errno == EINVAL))
        rmdir(path); /* the runtime of an exec wants to find it in the host's namespace, too */
    wci_free(path);
    for (size_t i = 0; i < req->volume_count; i++)
        hide_volume(req, &req->volumes[i]);
}

/* ---- Streams ------------------------------------------------------------------------------------ */

/* Where id 0 of a process lies; 0 also when it cannot be told. */
static uint32_t root_of_process(int64_t pid, const char *map)
{
    char path[64];
    unsigned long inside, outside, size;
    uint32_t found = 0;
    snprintf(path, sizeof path, "/proc/%lld/%s", (long long)pid, map);
    FILE *f = pid > 0 ? fopen(path, "re") : NULL;
    while (f && fscanf(f, "%lu %lu %lu", &inside, &outside, &size) == 3)
        if (!inside)
            found = (uint32_t)outside;
    if (f)
        fclose(f);
    return found;
}

void userns_give_pipes(const request *req, const int *fds, size_t count)
{
    uint32_t uid = userns_is_own(req) ? root_of(&req->uid_maps) : root_of_process(req->pid, "uid_map");
    uint32_t gid = userns_is_own(req) ? root_of(&req->gid_maps) : root_of_process(req->pid, "gid_map");
    for (size_t i = 0; i < count && (uid || gid); i++)
        if (fds[i] >= 0)
            (void)!fchown(fds[i], uid, gid);
}

/* ---- Entering ----------------------------------------------------------------------------------- */

int32_t userns_enter(int64_t pid, wc_error **err)
{
    char path[64];
    struct stat own, other;
    snprintf(path, sizeof path, "/proc/%lld/ns/user", (long long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int32_t rc = WC_OK;
    if (fd < 0 || fstat(fd, &other) != 0 || stat("/proc/self/ns/user", &own) != 0)
        rc = wci_err_errno(err, errno, "user namespace of process %lld", (long long)pid);
    else if (own.st_ino != other.st_ino &&
             (setns(fd, CLONE_NEWUSER) != 0 || setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0))
        rc = wci_err_errno(err, errno, "user namespace of process %lld", (long long)pid);
    if (fd >= 0)
        close(fd);
    return rc;
}
