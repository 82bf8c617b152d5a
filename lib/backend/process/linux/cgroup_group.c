/* SPDX-License-Identifier: Apache-2.0 */
/* Control groups that hold those of containers: made by us, with limits out of a runtime document. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "backend/process/linux/backend.h"
#include "backend/process/linux/cgroup.h"
#include "backend/process/linux/cgroup_read.h"
#include "backend/process/linux/rootless.h"
#include "core/error.h"
#include "core/json.h"
#include "core/str.h"

#define RESOURCES_MAX ((size_t)1 << 20)
#define VALUE_SIZE 256

/* ---- Files and what goes into them --------------------------------------------------------------- */

/* Numbers of version 2 that are counted otherwise than in the document. */
typedef void (*conversion)(json_t *section, int64_t value, char out[VALUE_SIZE]);

static void swap_alone(json_t *section, int64_t value, char out[VALUE_SIZE])
{
    int64_t memory = json_integer_value(json_object_get(section, "limit"));
    snprintf(out, VALUE_SIZE, "%" PRId64, value - memory);
    if (value < 0)
        snprintf(out, VALUE_SIZE, "max");
}

static void cpu_weight(json_t *section, int64_t value, char out[VALUE_SIZE])
{
    (void)section;
    snprintf(out, VALUE_SIZE, "%" PRId64, 1 + (value - 2) * 9999 / 262142);
}

static void cpu_max(json_t *section, int64_t value, char out[VALUE_SIZE])
{
    int64_t period = json_integer_value(json_object_get(section, "period"));
    snprintf(out, VALUE_SIZE, "%" PRId64 " %" PRId64, value, period ? period : 100000);
    if (value < 0)
        snprintf(out, VALUE_SIZE, "max");
}

static void io_weight(json_t *section, int64_t value, char out[VALUE_SIZE])
{
    (void)section;
    snprintf(out, VALUE_SIZE, "%" PRId64, 1 + (value - 10) * 9999 / 990);
}

/* `none`: what means no limit; NULL: what the parent has. */
typedef struct limit {
    const char *section, *key, *file, *none;
    conversion convert;
    int may_fail; /* it is written again further down */
} limit;

/* Memory plus swap cannot be below memory: whichever way both go, one order of writing them works. */
static const limit version1[] = {
    {"memory", "swap", "memory.memsw.limit_in_bytes", "-1", NULL, 1},
    {"memory", "limit", "memory.limit_in_bytes", "-1", NULL, 0},
    {"memory", "swap", "memory.memsw.limit_in_bytes", "-1", NULL, 0},
    {"memory", "reservation", "memory.soft_limit_in_bytes", "-1", NULL, 0},
    {"cpu", "shares", "cpu.shares", "1024", NULL, 0},
    {"cpu", "period", "cpu.cfs_period_us", "100000", NULL, 0},
    {"cpu", "quota", "cpu.cfs_quota_us", "-1", NULL, 0},
    {"cpu", "cpus", "cpuset.cpus", NULL, NULL, 0},
    {"cpu", "mems", "cpuset.mems", NULL, NULL, 0},
    {"pids", "limit", "pids.max", "max", NULL, 0},
    {"blockIO", "weight", "blkio.bfq.weight", "100", NULL, 0},
    {"blockIO", "weight", "blkio.weight", "500", NULL, 0},
};
static const limit version2[] = {
    {"memory", "limit", "memory.max", "max", NULL, 0},
    {"memory", "swap", "memory.swap.max", "max", swap_alone, 0},
    {"memory", "reservation", "memory.low", "0", NULL, 0},
    {"cpu", "shares", "cpu.weight", "100", cpu_weight, 0},
    {"cpu", "quota", "cpu.max", "max 100000", cpu_max, 0},
    {"cpu", "cpus", "cpuset.cpus", "\n", NULL, 0},
    {"cpu", "mems", "cpuset.mems", "\n", NULL, 0},
    {"pids", "limit", "pids.max", "max", NULL, 0},
    {"blockIO", "weight", "io.bfq.weight", "100", NULL, 0},
    {"blockIO", "weight", "io.weight", "100", io_weight, 0},
};
#define LIMITS (sizeof version1 / sizeof *version1)

typedef struct work {
    const char *path;
    json_t *resources;
    const limit *limits;
    size_t count;
    int is_v2;
    unsigned done; /* a bit for each limit that had a file */
    int32_t rc;
    wc_error **err;
} work;

static int fail(work *w, const char *what, const char *value)
{
    int why = errno;
    if (why == EBUSY)
        w->rc = wci_err_native(w->err, WC_E_STATE, WC_DOMAIN_ERRNO, why,
                               "control group '%s': %s cannot be %s, its containers use more and cannot do without",
                               w->path, what, value);
    else
        w->rc = wci_err_errno(w->err, why, "control group '%s': %s%s%s", w->path, what, *value ? ": " : "", value);
    return 1;
}

/* 0, or -1 with errno. */
static int put(int dir, const char *file, const char *value)
{
    int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t n = write(fd, value, strlen(value));
    int why = errno;
    close(fd);
    errno = why;
    return n < 0 ? -1 : 0;
}

/* Whether the document says something; *value is what goes into the file. */
static int value_of(const work *w, const limit *l, int dir, char value[VALUE_SIZE])
{
    json_t *section = json_object_get(w->resources, l->section), *said = json_object_get(section, l->key);
    if (json_is_integer(said) && l->convert)
        l->convert(section, json_integer_value(said), value);
    else if (json_is_integer(said))
        snprintf(value, VALUE_SIZE, "%" PRId64, (int64_t)json_integer_value(said));
    else if (json_is_string(said))
        snprintf(value, VALUE_SIZE, "%s", json_string_value(said));
    else if (l->none)
        snprintf(value, VALUE_SIZE, "%s", l->none);
    else {
        char parent[VALUE_SIZE];
        snprintf(parent, sizeof parent, "../%s", l->file);
        if (!wci_cgroup_read(dir, parent, value, VALUE_SIZE))
            *value = '\0';
    }
    return said != NULL;
}

/* 1 when it went wrong. */
static int put_limits(work *w, int dir)
{
    char value[VALUE_SIZE];
    for (size_t i = 0; i < w->count; i++) {
        const limit *l = &w->limits[i];
        if (faccessat(dir, l->file, F_OK, 0) != 0)
            continue;
        int said = value_of(w, l, dir, value);
        w->done |= 1u << i;
        value[strcspn(value, "\n") + (l->none && *l->none == '\n' && !said)] = '\0';
        if (put(dir, l->file, value) != 0 && !l->may_fail && (said || errno != EINVAL))
            return fail(w, l->file, value);
    }
    return 0;
}

/* ---- Directories --------------------------------------------------------------------------------- */

/* Version 1 has new cpusets empty, which nothing can enter. */
static void fill_cpuset(int parent, int dir)
{
    static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
    char own[VALUE_SIZE], above[VALUE_SIZE];
    for (size_t i = 0; i < 2; i++)
        if (wci_cgroup_read(dir, files[i], own, sizeof own) && own[strspn(own, "\n")] == '\0' &&
            wci_cgroup_read(parent, files[i], above, sizeof above))
            (void)put(dir, files[i], above);
}

/* Version 2: what the groups in this one are to have must be handed on. One that cannot be is of no use to us. */
static void hand_on(int dir)
{
    char names[VALUE_SIZE], word[VALUE_SIZE + 1], *rest = names, *name;
    if (!wci_cgroup_read(dir, "cgroup.controllers", names, sizeof names))
        return;
    while ((name = strsep(&rest, " \n"))) {
        snprintf(word, sizeof word, "+%s", name);
        if (*name)
            (void)put(dir, "cgroup.subtree_control", word);
    }
}

static int prepare(const work *w, int parent, int dir)
{
    char text[VALUE_SIZE];
    if (w->is_v2)
        hand_on(dir);
    else
        fill_cpuset(parent, dir);
    if (!w->is_v2 && wci_cgroup_read(dir, "memory.use_hierarchy", text, sizeof text) && *text == '0')
        (void)put(dir, "memory.use_hierarchy", "1");
    return dir;
}

/* The group's directory in this hierarchy, made with those above it; -1 with errno. */
static int make_group(const work *w, int hierarchy)
{
    char name[NAME_MAX + 1];
    int dir = openat(hierarchy, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir >= 0 && w->is_v2)
        hand_on(dir);
    for (const char *p = w->path; dir >= 0 && *p;) {
        size_t size = strcspn(++p, "/");
        snprintf(name, sizeof name, "%.*s", (int)size, p);
        p += size;
        int next = mkdirat(dir, name, 0755) == 0 || errno == EEXIST
                       ? openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
                       : -1;
        int why = errno;
        if (next >= 0)
            prepare(w, dir, next);
        close(dir);
        errno = why;
        dir = next;
    }
    if (dir >= 0) /* keeps prune away until the container has come */
        (void)futimens(dir, NULL);
    return dir;
}

static int is_hierarchy(int dir, int *is_v2)
{
    struct statfs fs;
    if (fstatfs(dir, &fs) != 0)
        return 0;
    *is_v2 = fs.f_type == CGROUP2_SUPER_MAGIC;
    /* On a hybrid host the unified side has no controllers, and the runtime makes what it needs there. */
    return fs.f_type == CGROUP_SUPER_MAGIC || (*is_v2 && wci_cgroup_is_unified());
}

static int update_in(int hierarchy, const char *name, void *arg)
{
    work *w = arg;
    (void)name;
    if (!is_hierarchy(hierarchy, &w->is_v2))
        return 0;
    w->limits = w->is_v2 ? version2 : version1;
    w->count = w->is_v2 ? sizeof version2 / sizeof *version2 : LIMITS;
    int dir = make_group(w, hierarchy);
    if (dir < 0)
        return fail(w, "making it", "");
    int failed = put_limits(w, dir);
    close(dir);
    return failed;
}

/* A limit that was asked for and has no file in any hierarchy. */
static void check_done(work *w)
{
    for (size_t i = 0; i < w->count && !w->rc; i++) {
        const limit *l = &w->limits[i];
        int had = 0;
        for (size_t k = 0; k < w->count; k++)
            had |= (w->done >> k & 1) && !strcmp(w->limits[k].section, l->section) && !strcmp(w->limits[k].key, l->key);
        if (!had && json_object_get(json_object_get(w->resources, l->section), l->key))
            w->rc = wci_err(w->err, WC_E_UNSUPPORTED, "control group '%s': this host's control groups have no '%s'",
                            w->path, l->file);
    }
}

static int32_t check_path(const char *path, wc_error **err)
{
    if (path && *path == '/' && path[1] && strlen(path) < WCI_CGROUP_PATH_SIZE && !strstr(path, "//") &&
        !strstr(path, "/.") && !wci_ends_with(path, "/"))
        return WC_OK;
    return wci_err(err, WC_E_INVALID, "control group '%.80s': is no path of one", path ? path : "");
}

/* ---- The operations ------------------------------------------------------------------------------ */

/* Where the group of the request is; "" where an ordinary user can have none. */
static int32_t find_path(const wc_request *request, char out[WCI_CGROUP_PATH_SIZE], wc_error **err)
{
    const char *path = wc_request_string(request, "group");
    int32_t rc = check_path(path, err);
    if (!rc)
        wci_cgroup_place(path, out);
    return rc;
}

int32_t wci_process_group_update(uintptr_t payload, wc_call *call, const wc_request *request, wc_response *response)
{
    (void)payload, (void)response;
    char own[WCI_CGROUP_PATH_SIZE];
    const char *text = wc_request_string(request, "resources");
    work w = {.path = own, .limits = version1, .err = call->err};
    int32_t rc = find_path(request, own, call->err);
    if (!rc)
        rc = wci_cgroup_is_users() ? wci_rootless_need_cgroup("a group of containers", own, call->err)
                                   : wci_cgroup_check(call->err);
    if (!rc)
        rc = wci_json_parse(text ? text : "{}", strlen(text ? text : "{}"), RESOURCES_MAX, "resources", &w.resources,
                            call->err);
    if (!rc)
        (void)wci_cgroup_each(update_in, &w);
    if (!rc && !w.rc)
        check_done(&w);
    json_decref(w.resources);
    return rc ? rc : w.rc;
}

int32_t wci_process_group_remove(uintptr_t payload, wc_call *call, const wc_request *request, wc_response *response)
{
    (void)payload, (void)response;
    char path[WCI_CGROUP_PATH_SIZE];
    int32_t rc = find_path(request, path, call->err);
    return rc ? rc : wci_cgroup_remove_empty(path, call->err);
}

int32_t wci_process_group_report(uintptr_t payload, wc_call *call, const wc_request *request, wc_response *response)
{
    (void)payload;
    char path[WCI_CGROUP_PATH_SIZE];
    wci_cgroup_figures use;
    char text[160] = "{}";
    int32_t rc = find_path(request, path, call->err);
    if (rc)
        return rc;
    if (wci_cgroup_exists(path) && !wci_cgroup_measure(path, &use, NULL))
        snprintf(text, sizeof text, "{\"Memory\":%" PRId64 ",\"Cpu\":%" PRId64 ",\"Pids\":%" PRId64 "}", use.memory,
                 use.cpu_ns, use.pids);
    return wc_response_set_text(response, text) ? wci_err_nomem(call->err) : WC_OK;
}
