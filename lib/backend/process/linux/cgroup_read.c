/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/cgroup_read.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/process/linux/cgroup.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"

#define CGROUP_ROOT "/sys/fs/cgroup"
#define FILE_MAX (64 * 1024)
#define DEPTH_MAX 16
#define CRUN_GROUP "/container" /* in a scope of systemd, where crun sets the limits */

/* Of a file of the group in a hierarchy ("" is that of version 2); "" when it cannot be read. */
static const char *read_text(const char *hierarchy, const char *path, const char *file, char text[FILE_MAX])
{
    char name[WCI_CGROUP_PATH_SIZE + 128];
    size_t used = 0;
    ssize_t n = 0;
    snprintf(name, sizeof name, CGROUP_ROOT "%s%s/%s", hierarchy, path, file);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && used < FILE_MAX - 1 && (n = read(fd, text + used, FILE_MAX - 1 - used)) > 0)
        used += (size_t)n;
    if (fd >= 0)
        close(fd);
    text[used] = '\0';
    return text;
}

static int64_t read_number(const char *hierarchy, const char *path, const char *file, char text[FILE_MAX])
{
    return strtoll(read_text(hierarchy, path, file, text), NULL, 10);
}

/* The number after a word that begins a line; `missing` when none does. */
static int64_t after_word(const char *text, const char *word, int64_t missing)
{
    size_t size = strlen(word);
    for (const char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!strncmp(line, word, size) && line[size] == ' ')
            return strtoll(line + size, NULL, 10);
    }
    return missing;
}

/* Of every number that follows the word. */
static int64_t sum_after(const char *text, const char *word)
{
    int64_t sum = 0;
    for (const char *at = text; (at = strstr(at, word)); )
        sum += strtoll(at += strlen(word), NULL, 10);
    return sum;
}

static int64_t host_memory(void)
{
    return (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
}

static int64_t without_cache(int64_t used, int64_t cache)
{
    return used > cache ? used - cache : used;
}

/* ---- Version 1 ---- */

static void read_v1(const char *path, wci_cgroup_figures *out, char text[FILE_MAX])
{
    out->cpu_ns = read_number("/cpuacct", path, "cpuacct.usage", text);
    out->pids = read_number("/pids", path, "pids.current", text);
    out->memory = read_number("/memory", path, "memory.usage_in_bytes", text);
    read_text("/memory", path, "memory.stat", text);
    out->memory = without_cache(out->memory, after_word(text, "total_inactive_file", 0));
    out->memory_limit = after_word(text, "hierarchical_memory_limit", INT64_MAX);
    read_text("/blkio", path, "blkio.throttle.io_service_bytes_recursive", text);
    if (!*text)
        read_text("/blkio", path, "blkio.throttle.io_service_bytes", text);
    out->read_bytes = sum_after(text, " Read ");
    out->written_bytes = sum_after(text, " Write ");
}

/* ---- Version 2 ---- */

/* The least of its own and of the groups that it is in. */
static int64_t limit_v2(const char *path, char text[FILE_MAX])
{
    char group[WCI_CGROUP_PATH_SIZE];
    int64_t least = INT64_MAX;
    snprintf(group, sizeof group, "%s" CRUN_GROUP, path);
    if (!wci_ends_with(path, ".scope") || !wci_cgroup_exists(group))
        snprintf(group, sizeof group, "%s", path);
    for (char *end = group + strlen(group); end > group; end = strrchr(group, '/'), *end = '\0') {
        read_text("", group, "memory.max", text);
        int64_t limit = *text >= '0' && *text <= '9' ? strtoll(text, NULL, 10) : INT64_MAX;
        least = limit < least ? limit : least;
    }
    return least;
}

static void read_v2(const char *path, wci_cgroup_figures *out, char text[FILE_MAX])
{
    out->cpu_ns = after_word(read_text("", path, "cpu.stat", text), "usage_usec", 0) * 1000;
    out->pids = read_number("", path, "pids.current", text);
    out->memory = read_number("", path, "memory.current", text);
    read_text("", path, "memory.stat", text);
    out->memory = without_cache(out->memory, after_word(text, "inactive_file", 0));
    out->memory_limit = limit_v2(path, text);
    read_text("", path, "io.stat", text);
    out->read_bytes = sum_after(text, "rbytes=");
    out->written_bytes = sum_after(text, "wbytes=");
}

int32_t wci_cgroup_measure(const char *path, wci_cgroup_figures *out, wc_error **err)
{
    char *text = wci_malloc(FILE_MAX);
    if (!text)
        return wci_err_nomem(err);
    memset(out, 0, sizeof *out);
    int there = wci_cgroup_exists(path);
    if (there && wci_cgroup_is_unified())
        read_v2(path, out, text);
    else if (there)
        read_v1(path, out, text);
    if (out->memory_limit > host_memory())
        out->memory_limit = host_memory();
    wci_free(text);
    return there ? WC_OK : wci_err(err, WC_E_STATE, "control group '%s': there is none", path);
}

/* ---- Processes ---- */

typedef struct pid_list {
    int64_t *items;
    size_t count, cap;
} pid_list;

static int add_pids(int dir, pid_list *list)
{
    int fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC), failed = 0;
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
    int64_t pid;
    if (fd >= 0 && !file)
        close(fd);
    while (file && !failed && fscanf(file, "%" SCNd64, &pid) == 1) {
        failed = !wci_grow(&list->items, &list->cap, list->count + 1, sizeof *list->items);
        if (!failed)
            list->items[list->count++] = pid;
    }
    if (file)
        fclose(file);
    return failed;
}

/* Takes the descriptor over. */
static int add_tree(int fd, int depth, pid_list *list)
{
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return 0;
    }
    int failed = add_pids(fd, list);
    struct dirent *d;
    while (!failed && depth < DEPTH_MAX && (d = readdir(dir))) {
        if (d->d_type != DT_DIR || d->d_name[0] == '.')
            continue;
        int below = openat(fd, d->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below >= 0)
            failed = add_tree(below, depth + 1, list);
    }
    closedir(dir);
    return failed;
}

/* In any hierarchy: the runtime puts them into all. */
static int open_group(const char *path)
{
    static const char *const hierarchies[] = {"", "/pids", "/memory", "/cpu", "/devices", "/freezer"};
    char name[WCI_CGROUP_PATH_SIZE + 64];
    int fd = -1;
    for (size_t i = 0; i < sizeof hierarchies / sizeof *hierarchies && fd < 0; i++) {
        snprintf(name, sizeof name, CGROUP_ROOT "%s%s", hierarchies[i], path);
        fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    return fd;
}

int32_t wci_cgroup_processes(const char *path, int64_t **pids, size_t *count, wc_error **err)
{
    pid_list list = {NULL, 0, 0};
    int fd = open_group(path);
    if (fd < 0)
        return wci_err(err, WC_E_STATE, "control group '%s': there is none", path);
    if (add_tree(fd, 0, &list)) {
        wci_free(list.items);
        return wci_err_nomem(err);
    }
    *pids = list.items;
    *count = list.count;
    return WC_OK;
}
