/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "core/error.h"
#include "core/str.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define GONE_TRIES 2000 /* of 1 ms or more */
#define SYSTEMD_MS 3000 /* that it has to notice */
#define NEW_SECONDS 600 /* long enough between making a group and entering it */

int wci_cgroup_is_unified(void)
{
    struct statfs fs;
    return statfs(CGROUP_ROOT, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
}

wci_cgroup wci_cgroup_of(const char *id, const char *parent)
{
    wci_cgroup group;
    snprintf(group.path, sizeof group.path, "%.400s/%s", parent && *parent == '/' ? parent : WCI_CGROUP_PARENT, id);
    memcpy(group.for_runtime, group.path, sizeof group.for_runtime);
    return group;
}

/* The same for a user. */
static wci_cgroup users_group(const char *id, const char *parent)
{
    wci_cgroup group = wci_cgroup_of(id, parent);
    wci_cgroup_place(group.path, group.for_runtime);
    memcpy(group.path, group.for_runtime, sizeof group.path);
    return group;
}

wci_cgroup wci_cgroup_of_request(const wc_request *request)
{
    json_t *config = json_loads(wc_request_config(request), 0, NULL);
    const char *id = wc_request_container_id(request);
    const char *parent = json_string_value(json_object_get(config, "cgroupParent"));
    wci_cgroup group = wci_cgroup_is_users() ? users_group(id, parent) : wci_cgroup_of(id, parent);
    json_decref(config);
    return group;
}

static int visit_path(const char *path, wci_cgroup_visit visit, void *arg)
{
    int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    int result = dir >= 0 ? visit(dir, path, arg) : 0;
    if (dir >= 0)
        close(dir);
    return result;
}

int wci_cgroup_each(wci_cgroup_visit visit, void *arg)
{
    char path[512];
    int result = 0;
    if (wci_cgroup_is_unified())
        return visit_path(CGROUP_ROOT, visit, arg);
    DIR *root = opendir(CGROUP_ROOT);
    struct dirent *d;
    while (root && !result && (d = readdir(root))) {
        if (d->d_name[0] == '.' || d->d_type == DT_LNK)
            continue;
        snprintf(path, sizeof path, CGROUP_ROOT "/%s", d->d_name);
        result = visit_path(path, visit, arg);
    }
    if (root)
        closedir(root);
    return result;
}

typedef struct group_call {
    const char *path;
    int (*visit)(int dir, const char *name, void *arg);
    void *arg;
} group_call;

static int visit_group(int hierarchy, const char *path, void *arg)
{
    const group_call *call = arg;
    const char *name = strrchr(call->path, '/') + 1;
    char parent[WCI_CGROUP_PATH_SIZE];
    (void)path;
    snprintf(parent, sizeof parent, ".%.*s", (int)(name - call->path), call->path);
    int dir = openat(hierarchy, parent, O_PATH | O_DIRECTORY | O_CLOEXEC), result = 0;
    if (dir >= 0 && faccessat(dir, name, F_OK, 0) == 0)
        result = call->visit(dir, name, call->arg);
    if (dir >= 0)
        close(dir);
    return result;
}

int wci_cgroup_each_group(const char *path, wci_cgroup_visit visit, void *arg)
{
    group_call call = {path, visit, arg};
    return *path ? wci_cgroup_each(visit_group, &call) : 0;
}

/* ---- Whether there are any ---- */

typedef struct check {
    int count;
    int why; /* errno of the first that cannot be written */
    char path[512];
} check;

/* What runtimes make groups in. On a hybrid host they do without the unified side. */
static int check_hierarchy(int dir, const char *path, void *arg)
{
    check *c = arg;
    struct statfs fs;
    if (fstatfs(dir, &fs) != 0 || (fs.f_type != CGROUP_SUPER_MAGIC && !wci_cgroup_is_unified()))
        return 0;
    c->count++;
    if (faccessat(dir, ".", W_OK, 0) == 0)
        return 0;
    c->why = errno;
    snprintf(c->path, sizeof c->path, "%s", path);
    return 1;
}

int32_t wci_cgroup_check(wc_error **err)
{
    check c = {0, 0, ""};
    (void)wci_cgroup_each(check_hierarchy, &c);
    if (c.why)
        return wci_err_native(err, WC_E_PERMISSION, WC_DOMAIN_ERRNO, c.why,
                              "control groups: '%s' cannot be written; mount it for writing, or, if this is in a "
                              "container, run that one with --privileged",
                              c.path);
    if (!c.count)
        return wci_err(err, WC_E_MISSING,
                       "control groups: none are mounted on '" CGROUP_ROOT "'; run: mount -t cgroup2 none " CGROUP_ROOT);
    return WC_OK;
}

int wci_cgroup_read(int dir, const char *path, char *out, size_t size)
{
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, out, size - 1);
    close(fd);
    if (n < 0)
        return 0;
    out[n] = '\0';
    return 1;
}

int wci_cgroup_is_mixed(void)
{
    char controllers[256];
    if (wci_cgroup_is_unified())
        return 0;
    return wci_cgroup_read(AT_FDCWD, CGROUP_ROOT "/unified/cgroup.controllers", controllers,
                      sizeof controllers) &&
           controllers[strspn(controllers, " \n")] != '\0';
}

static int found(int dir, const char *name, void *arg)
{
    (void)dir, (void)name, (void)arg;
    return 1;
}

int wci_cgroup_exists(const char *path)
{
    return wci_cgroup_each_group(path, found, NULL);
}

static int count_oom_kills(int dir, const char *name, void *arg)
{
    (void)arg;
    static const char *const files[] = {"memory.oom_control", "memory.events"};
    char path[300], text[512];
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", name, files[i]);
        const char *at = wci_cgroup_read(dir, path, text, sizeof text) ? strstr(text, "oom_kill ") : NULL;
        if (at)
            return strtoul(at + strlen("oom_kill "), NULL, 10) > 0;
    }
    return 0;
}

int wci_cgroup_oom_killed(const char *path)
{
    return wci_cgroup_each_group(path, count_oom_kills, NULL);
}

static void write_if_there(int dir, const char *path, const char *text)
{
    int fd = openat(dir, path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t ignored = write(fd, text, strlen(text));
    (void)ignored;
    close(fd);
}

static int unlimit_pids(int dir, const char *name, void *arg)
{
    char path[300];
    (void)arg;
    snprintf(path, sizeof path, "%s/pids.max", name);
    write_if_there(dir, path, "max");
    return 0;
}

void wci_cgroup_unlimit_pids(const char *path)
{
    (void)wci_cgroup_each_group(path, unlimit_pids, NULL);
}

/* A group that holds still while we kill it cannot fork faster than we do. */
static void kill_processes(int group)
{
    write_if_there(group, "cgroup.kill", "1");
    write_if_there(group, "freezer.state", "FROZEN");
    int fd = openat(group, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    FILE *procs = fd < 0 ? NULL : fdopen(fd, "r");
    long pid;
    while (procs && fscanf(procs, "%ld", &pid) == 1) {
        if (pid > 0)
            kill((pid_t)pid, SIGKILL);
    }
    if (procs)
        fclose(procs);
    else if (fd >= 0)
        close(fd);
    write_if_there(group, "freezer.state", "THAWED");
}

/* errno of the first group that could not be removed, or 0. Groups inside go first. */
static int remove_group(int parent, const char *name, int kill_first)
{
    if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return 0;
    int group = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (group < 0)
        return errno == ENOENT ? 0 : errno;
    if (kill_first)
        kill_processes(group);
    /* Where /sys/fs/cgroup/unified is no mount, crun makes plain directories and this file there. In a
     * control group it cannot be unlinked. */
    (void)unlinkat(group, "cgroup.procs", 0);
    DIR *dir = fdopendir(group);
    struct dirent *d;
    int result = 0;
    while (dir && !result && (d = readdir(dir))) {
        if (d->d_type == DT_DIR && d->d_name[0] != '.')
            result = remove_group(dirfd(dir), d->d_name, kill_first);
    }
    if (dir)
        closedir(dir);
    else
        close(group);
    if (result)
        return result;
    return unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : errno;
}

static int visit_remove(int dir, const char *name, void *arg)
{
    return remove_group(dir, name, *(int *)arg);
}

/* What is inside of it, and never the group itself: systemd has to see that it becomes empty. */
static int visit_empty(int dir, const char *name, void *arg)
{
    int group = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), kill_first = 1;
    (void)arg;
    if (group < 0)
        return 0;
    kill_processes(group);
    DIR *inside = fdopendir(group);
    struct dirent *d;
    while (inside && (d = readdir(inside)))
        if (d->d_type == DT_DIR && d->d_name[0] != '.')
            (void)remove_group(dirfd(inside), d->d_name, kill_first);
    if (inside)
        closedir(inside);
    else
        close(group);
    return 0;
}

/* A group that goes before systemd has noticed that it is empty leaves the scope behind, for ever. */
static void leave_to_systemd(const char *path)
{
    for (int waited = 0; waited < SYSTEMD_MS && wci_cgroup_exists(path); waited++) {
        (void)wci_cgroup_each_group(path, visit_empty, NULL);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

int32_t wci_cgroup_remove(const char *path, wc_error **err)
{
    int failed = 0;
    if (wci_ends_with(path, ".scope"))
        leave_to_systemd(path);
    for (int try = 0; try < GONE_TRIES; try++) {
        int kill_first = try > 0; /* as a rule nothing is left */
        failed = wci_cgroup_each_group(path, visit_remove, &kill_first);
        if (failed != EBUSY)
            break;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    if (!failed)
        return WC_OK;
    if (failed != EBUSY)
        return wci_err_errno(err, failed, "control groups '%s': removing them", path);
    return wci_err_native(err, WC_E_BUSY, WC_DOMAIN_ERRNO, failed,
                          "control groups '%s': cannot be removed: processes in them do not end", path);
}

int32_t wci_cgroup_remove_empty(const char *path, wc_error **err)
{
    int kill_first = 0;
    int failed = wci_cgroup_each_group(path, visit_remove, &kill_first);
    if (failed)
        return wci_err_native(err, failed == EBUSY ? WC_E_BUSY : WC_E_IO, WC_DOMAIN_ERRNO, failed,
                              "control group '%s': cannot be removed: %s", path,
                              failed == EBUSY ? "there are processes in it" : strerror(failed));
    return WC_OK;
}

/* ---- Groups that nobody has ---- */

static int is_id(const char *name)
{
    return strlen(name) == 64 && strspn(name, "0123456789abcdef") == 64;
}

/* "NAME-" and the first 12 digits of an id: what a group of containers is called. */
static int is_group_of_many(const char *name)
{
    const char *dash = strrchr(name, '-');
    return dash && strlen(dash + 1) == 12 && strspn(dash + 1, "0123456789abcdef") == 12;
}

typedef struct found_groups {
    wci_strv containers; /* paths */
    wci_strv parents;    /* of groups of containers; empty ones, when their turn comes, are of stores that are gone */
} found_groups;

static void collect(const char *path, wci_strv *paths)
{
    if (!wci_strv_contains(paths, path))
        (void)wci_strv_add(paths, path);
}

/* What is in this one, and in those that it holds. */
static void collect_in(int hierarchy, const char *parent, int depth, found_groups *to)
{
    char path[WCI_CGROUP_PATH_SIZE];
    int fd = openat(hierarchy, parent + 1, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *d;
    while (dir && (d = readdir(dir))) {
        if (d->d_type != DT_DIR || d->d_name[0] == '.' ||
            snprintf(path, sizeof path, "%s/%s", parent, d->d_name) >= (int)sizeof path)
            continue;
        if (is_id(d->d_name))
            collect(path, &to->containers);
        else if (depth)
            collect_in(hierarchy, path, depth - 1, to);
        if (depth && is_group_of_many(d->d_name))
            collect(path, &to->parents);
    }
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
}

static int collect_paths(int hierarchy, const char *path, void *arg)
{
    char parent[WCI_CGROUP_PATH_SIZE];
    (void)path;
    wci_cgroup_place(WCI_CGROUP_PARENT, parent);
    if (*parent)
        collect_in(hierarchy, parent, 1, arg);
    return 0;
}

/* Also when that cannot be told. */
static int has_processes(int parent, const char *name)
{
    char byte[2];
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *d;
    int result = !dir || !wci_cgroup_read(fd, "cgroup.procs", byte, sizeof byte) || byte[0];
    while (!result && (d = readdir(dir)))
        if (d->d_type == DT_DIR && d->d_name[0] != '.')
            result = has_processes(fd, d->d_name);
    if (dir)
        closedir(dir);
    else if (fd >= 0)
        close(fd);
    return result;
}

static int is_in_use(int dir, const char *name, void *arg)
{
    struct stat st;
    struct statfs fs;
    (void)arg;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 || time(NULL) - st.st_mtime < NEW_SECONDS ||
        fstatfs(dir, &fs) != 0)
        return 1;
    int is_group = fs.f_type == CGROUP_SUPER_MAGIC || fs.f_type == CGROUP2_SUPER_MAGIC;
    return is_group && has_processes(dir, name);
}

static size_t prune_paths(const wci_strv *paths)
{
    int kill_first = 0;
    size_t count = 0;
    for (size_t i = 0; i < paths->count; i++)
        if (!wci_cgroup_each_group(paths->items[i], is_in_use, NULL) &&
            !wci_cgroup_each_group(paths->items[i], visit_remove, &kill_first))
            count++;
    return count;
}

size_t wci_cgroup_prune(void)
{
    found_groups found = {WCI_STRV_INIT, WCI_STRV_INIT};
    (void)wci_cgroup_each(collect_paths, &found);
    size_t count = prune_paths(&found.containers);
    (void)prune_paths(&found.parents);
    wci_strv_free(&found.containers);
    wci_strv_free(&found.parents);
    return count;
}
