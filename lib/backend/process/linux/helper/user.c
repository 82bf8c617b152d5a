/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/helper/user.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/process/linux/helper/launch.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"
#include "platform/host.h"
#include "platform/userns.h"

#ifndef NS_GET_OWNER_UID
#define NS_GET_OWNER_UID _IO(0xb7, 0x4)
#endif

#define DIRECTORY "userns"
#define LOCK "userns.lock"

/* ---- One that is there -------------------------------------------------------------------------- */

/* Of a process that is the one meant, and of this user. The namespace is open before the process is looked at. */
static int open_of(int64_t pid, int64_t start)
{
    char path[64];
    uid_t owner = (uid_t)-1;
    snprintf(path, sizeof path, "/proc/%lld/ns/user", (long long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && (wci_host_process_start(pid) != start || ioctl(fd, NS_GET_OWNER_UID, &owner) != 0 ||
                    owner != geteuid())) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Of the first who is still there; entries of others go when `clear`. -1: nobody. */
static int find_in(const char *dir, int clear)
{
    wci_strv names = WCI_STRV_INIT;
    int found = -1;
    if (wci_dir_list(dir, &names, NULL))
        return -1;
    for (size_t i = 0; i < names.count && found < 0; i++) {
        long long pid = 0, start = 0;
        if (sscanf(names.items[i], "%lld-%lld", &pid, &start) == 2)
            found = open_of(pid, start);
        char *path = found < 0 && clear ? wci_path_join(dir, names.items[i]) : NULL;
        if (path)
            unlink(path);
        wci_free(path);
    }
    wci_strv_free(&names);
    return found;
}

/* 1: entered, 0: there is none. */
static int enter_existing(const char *dir, int clear)
{
    int fd = find_in(dir, clear);
    int entered = fd >= 0 && setns(fd, CLONE_NEWUSER) == 0;
    if (fd >= 0)
        close(fd);
    return entered;
}

/* ---- A new one ---------------------------------------------------------------------------------- */

static void run_program(const char *program, char **argv)
{
    execv(program, argv);
    fprintf(stderr, "%s: %s", program, strerror(errno));
    _exit(127);
}

/* `newuidmap PID INSIDE OUTSIDE COUNT …`; its words go where standard error does. */
static int give_map(const char *name, pid_t target, const wci_id_map *map)
{
    char words[1 + 3 * WCI_ID_RANGES_MAX][16], *argv[3 + 3 * WCI_ID_RANGES_MAX];
    int n = 0, status = 0;
    char *program = wci_host_find_program(name);
    if (!program)
        return -1;
    snprintf(words[n++], sizeof words[0], "%d", (int)target);
    for (size_t i = 0; i < map->count; i++) {
        const wci_id_range *r = &map->ranges[i];
        snprintf(words[n++], sizeof words[0], "%u", r->inside);
        snprintf(words[n++], sizeof words[0], "%u", r->outside);
        snprintf(words[n++], sizeof words[0], "%u", r->count);
    }
    argv[0] = program;
    for (int i = 0; i < n; i++)
        argv[i + 1] = words[i];
    argv[n + 1] = NULL;
    pid_t pid = fork();
    if (pid == 0)
        run_program(program, argv);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    wci_free(program);
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* The child stays outside: only from there more than one id can be given. What it says is why it failed. */
static void give_maps(pid_t target, const wci_user_ids *ids, int ready, int words)
{
    char byte;
    if (read(ready, &byte, 1) != 1)
        _exit(1);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(words, 2) < 0)
        _exit(1);
    if (give_map("newuidmap", target, &ids->uids) != 0 || give_map("newgidmap", target, &ids->gids) != 0)
        _exit(1);
    _exit(0);
}

static int write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int failed = fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text), why = errno;
    if (fd >= 0)
        close(fd);
    errno = why;
    return failed ? -1 : 0;
}

static int32_t take_one_id(const wci_user_ids *ids, wc_error **err)
{
    char uid[32], gid[32];
    snprintf(uid, sizeof uid, "0 %u 1\n", ids->uids.ranges[0].outside);
    snprintf(gid, sizeof gid, "0 %u 1\n", ids->gids.ranges[0].outside);
    if (write_file("/proc/self/setgroups", "deny") != 0 || write_file("/proc/self/uid_map", uid) != 0 ||
        write_file("/proc/self/gid_map", gid) != 0)
        return wci_err_errno(err, errno, "user namespace: its map is not taken");
    return WC_OK;
}

static int32_t unshare_user(wc_error **err)
{
    if (unshare(CLONE_NEWUSER) == 0)
        return WC_OK;
    int why = errno;
    const char *forbidden = wci_userns_forbidden();
    if (!forbidden)
        return wci_err_errno(err, why, "user namespace: cannot be made; see user.max_user_namespaces");
    return wci_err_native(err, WC_E_PERMISSION, WC_DOMAIN_ERRNO, why, "user namespace: cannot be made: %s", forbidden);
}

static void read_words(int fd, char *out, size_t size)
{
    size_t used = 0;
    ssize_t n;
    while (used < size - 1 && ((n = read(fd, out + used, size - 1 - used)) > 0 || (n < 0 && errno == EINTR)))
        used += n > 0 ? (size_t)n : 0;
    out[used] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

static int32_t maps_failed(const char *words, wc_error **err)
{
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        return wci_err(err, WC_E_PERMISSION, "user namespace: newuidmap cannot work in a process that may gain no "
                                             "privileges (no-new-privs); run it outside of such a sandbox");
    return wci_err(err, WC_E_PERMISSION, "user namespace: its ids are not given: %s; see /etc/subuid and /etc/subgid",
                   *words ? words : "newuidmap failed");
}

static int32_t take_many_ids(const wci_user_ids *ids, wc_error **err)
{
    int ready[2], words[2], status = -1;
    char text[300];
    if (pipe2(ready, O_CLOEXEC) != 0)
        return wci_err_errno(err, errno, "user namespace");
    if (pipe2(words, O_CLOEXEC) != 0) {
        int why = errno;
        close(ready[0]);
        close(ready[1]);
        return wci_err_errno(err, why, "user namespace");
    }
    pid_t self = getpid(), pid = fork();
    if (pid == 0) {
        close(ready[1]);
        give_maps(self, ids, ready[0], words[1]);
    }
    close(ready[0]);
    close(words[1]);
    int32_t rc = pid < 0 ? wci_err_errno(err, errno, "user namespace") : unshare_user(err);
    if (!rc)
        (void)!write(ready[1], "y", 1);
    close(ready[1]);
    read_words(words[0], text, sizeof text);
    close(words[0]);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!rc && status != 0)
        rc = maps_failed(text, err);
    return rc;
}

static int32_t enter_new(wc_error **err)
{
    wci_user_ids ids;
    wci_user_ids_read(&ids);
    if (!ids.lacking[0])
        return take_many_ids(&ids, err);
    int32_t rc = unshare_user(err);
    return rc ? rc : take_one_id(&ids, err);
}

/* ---- Both --------------------------------------------------------------------------------------- */

static char *own_entry(const char *run_root)
{
    return wci_asprintf("%s/" DIRECTORY "/%lld-%lld", run_root, (long long)wci_host_pid(),
                        (long long)wci_host_process_start(wci_host_pid()));
}

static int32_t write_entry(const char *run_root, wc_error **err)
{
    char *path = own_entry(run_root);
    wci_fd fd = WCI_FD_NONE;
    int32_t rc = path ? wci_file_open(path, WCI_OPEN_WRITE | WCI_OPEN_CREATE, 0600, &fd, err) : wci_err_nomem(err);
    wci_fd_close(fd);
    wci_free(path);
    return rc;
}

static int32_t become_root(wc_error **err)
{
    if (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0)
        return wci_err_errno(err, errno, "user namespace: root of it cannot be had");
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* the library looks at us below /proc */
    return WC_OK;
}

/* One at a time, so that there are no two. */
static int32_t enter_to_stay(const char *run_root, const char *dir, wc_error **err)
{
    wci_lock *lock = NULL;
    char *path = wci_path_join(run_root, LOCK);
    WCI_CALL_NONE(call);
    int32_t rc = path ? wci_dir_make(dir, 0700, err) : wci_err_nomem(err);
    if (!rc)
        rc = wci_lock_acquire(&call, path, WCI_LOCK_EXCLUSIVE, &lock, err);
    if (!rc && !enter_existing(dir, 1))
        rc = enter_new(err);
    if (!rc)
        rc = write_entry(run_root, err);
    wci_lock_release(lock);
    wci_free(path);
    return rc;
}

int32_t user_enter(const char *run_root, int stays, wc_error **err)
{
    if (wci_host_is_root())
        return WC_OK;
    if (!run_root && stays)
        return wci_err(err, WC_E_INVALID, "wc-helper: the request has no 'runRoot'");
    char *dir = wci_path_join(run_root ? run_root : "/", DIRECTORY);
    int32_t rc = dir ? WC_OK : wci_err_nomem(err);
    if (!rc && stays)
        rc = enter_to_stay(run_root, dir, err);
    else if (!rc && !enter_existing(dir, 0))
        rc = enter_new(err);
    wci_free(dir);
    return rc ? rc : become_root(err);
}

void user_leave(const char *run_root)
{
    char *path = run_root ? own_entry(run_root) : NULL;
    if (path)
        unlink(path);
    wci_free(path);
}
