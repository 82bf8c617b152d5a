/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/joins.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <wincontainer/container.h>

#include "backend/process/state.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/file.h"
#include "platform/host.h"

#define WHAT "namespaces of the request"
#define SHM "shm"
/* glibc has them since 2.36 only, and its <sys/mount.h> clashes with the kernel's header. */
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#define OPEN_TREE_CLOEXEC O_CLOEXEC
#define MOVE_MOUNT_F_EMPTY_PATH 4
#endif

/* ---- The request -------------------------------------------------------------------------------- */

void joins_free(request *req)
{
    wci_strv_free(&req->join_types);
    wci_strv_free(&req->join_containers);
}

static int32_t take(json_t *item, request *out, wc_error **err)
{
    const char *type = NULL, *container = NULL;
    int32_t rc = wci_json_get_string(item, "type", WHAT, &type, err);
    if (!rc)
        rc = wci_json_get_string(item, "container", WHAT, &container, err);
    if (!rc && (!type || !container || !*type || !*container || strchr(type, '/') || strchr(container, '/')))
        rc = wci_err(err, WC_E_FORMAT, WHAT ": not a name");
    if (!rc && (wci_strv_add(&out->join_types, type) || wci_strv_add(&out->join_containers, container)))
        rc = wci_err_nomem(err);
    return rc;
}

int32_t joins_read(json_t *joins, request *out, wc_error **err)
{
    json_t *item;
    size_t i;
    int32_t rc = WC_OK;
    json_array_foreach(joins, i, item)
        if ((rc = take(item, out, err)))
            break;
    return rc;
}

/* ---- The other container ------------------------------------------------------------------------ */

/* Its run directory lies beside ours. */
int32_t joins_find_process(const request *req, const char *container, wci_run_state *state, wc_error **err)
{
    char *parent = wci_path_parent(req->run_dir);
    char *dir = parent ? wci_path_join(parent, container) : NULL;
    int32_t rc = dir ? wci_run_state_read(dir, 1, state, err) : wci_err_nomem(err);
    int runs = !rc && (state->status == WC_STATUS_RUNNING || state->status == WC_STATUS_PAUSED);
    if (!rc && (!runs || state->pid <= 0))
        rc = wci_err(err, WC_E_STATE, "container '%.12s': does not run; start it first", container);
    wci_free(parent);
    wci_free(dir);
    return rc;
}

/* Opened first and the process looked at then: what is open belongs to that process and no later one. */
static int32_t open_namespace(const char *type, const char *container, const wci_run_state *state, int *out,
                              wc_error **err)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%lld/ns/%s", (long long)state->pid, type);
    int fd = open(path, O_RDONLY | O_CLOEXEC), why = errno;
    if (wci_host_process_start(state->pid) != state->pid_start) {
        if (fd >= 0)
            close(fd);
        return wci_err(err, WC_E_STATE, "container '%.12s': has just ended; start it first", container);
    }
    if (fd < 0)
        return wci_err_errno(err, why, "%s namespace of container '%.12s'", type, container);
    *out = fd;
    return WC_OK;
}

/* ---- Files that stand for namespaces ------------------------------------------------------------ */

static void name_of(const char *type, char *name, size_t size)
{
    snprintf(name, size, "ns-%.16s", type);
}

static int32_t bind_namespace(const char *type, int fd, wc_error **err)
{
    char name[32], source[40];
    name_of(type, name, sizeof name);
    snprintf(source, sizeof source, "/proc/self/fd/%d", fd);
    int file = open(name, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
        return wci_err_errno(err, errno, "file '%s'", name);
    close(file);
    if (mount(source, name, NULL, MS_BIND, NULL) != 0)
        return wci_err_errno(err, errno, "%s namespace: cannot be bound", type);
    return WC_OK;
}

/* ---- Shared memory ------------------------------------------------------------------------------ */

/* A tree of another mount namespace can be had there alone: in, and back to where we were. */
static int clone_there(int there, int home, int cwd, const char *path)
{
    if (setns(there, CLONE_NEWNS) != 0)
        return -1;
    int tree = (int)syscall(SYS_open_tree, AT_FDCWD, path,
                            OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
    int why = errno;
    if (setns(home, CLONE_NEWNS) != 0 || fchdir(cwd) != 0) /* nothing is safe to do from here */
        _exit(127);
    errno = why;
    return tree;
}

/* Its owner may have put something else there; no link was followed, so it is its own in any case. */
static int32_t mount_tree(int tree, const char *container, wc_error **err)
{
    struct statfs fs;
    if (fstatfs(tree, &fs) != 0 || fs.f_type != TMPFS_MAGIC)
        return wci_err(err, WC_E_STATE, "shared memory of container '%.12s': is no file system of its own", container);
    int32_t rc = wci_dir_make(SHM, 0700, err);
    if (!rc && syscall(SYS_move_mount, tree, "", AT_FDCWD, SHM, MOVE_MOUNT_F_EMPTY_PATH) != 0)
        rc = wci_err_errno(err, errno, "shared memory of container '%.12s': cannot be mounted", container);
    return rc;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

static int32_t share_memory(const char *container, const wci_run_state *state, wc_error **err)
{
    int there = -1, tree = -1;
    int home = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int32_t rc = home < 0 || cwd < 0 ? wci_err_errno(err, errno, "mount namespace") : WC_OK;
    if (!rc)
        rc = open_namespace("mnt", container, state, &there, err);
    if (!rc && (tree = clone_there(there, home, cwd, "/dev/shm")) < 0)
        rc = wci_err_errno(err, errno, "shared memory of container '%.12s'", container);
    if (!rc)
        rc = mount_tree(tree, container, err);
    close_fd(there);
    close_fd(tree);
    close_fd(home);
    close_fd(cwd);
    return rc;
}

/* ---- All of it ---------------------------------------------------------------------------------- */

static int32_t join(const request *req, const char *type, const char *container, wc_error **err)
{
    int fd = -1;
    wci_run_state state;
    int32_t rc = joins_find_process(req, container, &state, err);
    if (!rc)
        rc = open_namespace(type, container, &state, &fd, err);
    if (!rc)
        rc = bind_namespace(type, fd, err);
    if (!rc && !strcmp(type, "ipc"))
        rc = share_memory(container, &state, err);
    close_fd(fd);
    return rc ? wci_err_wrap(err, rc, "%s namespace", type) : WC_OK;
}

int32_t joins_begin(const request *req, wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; i < req->join_types.count && !rc; i++)
        rc = join(req, req->join_types.items[i], req->join_containers.items[i], err);
    return rc;
}

void joins_end(const request *req)
{
    char name[32];
    for (size_t i = 0; i < req->join_types.count; i++) {
        name_of(req->join_types.items[i], name, sizeof name);
        (void)umount2(name, MNT_DETACH);
        unlink(name);
    }
    if (!req->join_types.count)
        return;
    (void)umount2(SHM, MNT_DETACH);
    rmdir(SHM);
}
