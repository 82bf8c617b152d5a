/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/proc_read.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"

#define END_TRIES 2000

/* Numbers of /proc/PID/stat that count, see proc_pid_stat(5). */
typedef struct figures {
    unsigned long long user, system, waited_user, waited_system, threads;
} figures;

static FILE *open_file(int64_t pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%" PRId64 "/%s", pid, name);
    return fopen(path, "re");
}

static int read_stat(int64_t pid, figures *out)
{
    char text[1024];
    FILE *f = open_file(pid, "stat");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f)
        fclose(f);
    text[n] = '\0';
    const char *at = strrchr(text, ')'); /* names may hold anything */
    return at && sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu %*d %*d %llu", &out->user,
                        &out->system, &out->waited_user, &out->waited_system, &out->threads) == 5;
}

/* ---- Whose it is --------------------------------------------------------------------------------- */

static ino_t namespace_of(int64_t pid, const char *type)
{
    char path[64];
    struct stat st;
    snprintf(path, sizeof path, "/proc/%" PRId64 "/ns/%s", pid, type);
    return stat(path, &st) == 0 ? st.st_ino : 0;
}

typedef struct who {
    const char *type;
    ino_t namespace;
} who;

static who who_is(int64_t pid)
{
    who w = {"pid", namespace_of(pid, "pid")};
    if (w.namespace && w.namespace == namespace_of(getpid(), "pid"))
        w = (who){"mnt", namespace_of(pid, "mnt")};
    return w;
}

int32_t wci_proc_processes(int64_t pid, int64_t **pids, size_t *count, wc_error **err)
{
    who w = who_is(pid);
    int64_t *list = NULL;
    size_t n = 0, cap = 0;
    struct dirent *d;
    DIR *proc = w.namespace ? opendir("/proc") : NULL;
    if (!proc)
        return wci_err(err, WC_E_STATE, "process %" PRId64 ": there is none", pid);
    int failed = 0;
    while (!failed && (d = readdir(proc))) {
        int64_t other = strtoll(d->d_name, NULL, 10);
        if (other <= 0 || namespace_of(other, w.type) != w.namespace)
            continue;
        failed = !wci_grow(&list, &cap, n + 1, sizeof *list);
        if (!failed)
            list[n++] = other;
    }
    closedir(proc);
    if (failed) {
        wci_free(list);
        return wci_err_nomem(err);
    }
    *pids = list;
    *count = n;
    return WC_OK;
}

/* ---- Ending -------------------------------------------------------------------------------------- */

int wci_proc_open_namespace(int64_t pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%" PRId64 "/ns/mnt", pid);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* How many there were. */
static int kill_in(ino_t namespace)
{
    struct dirent *d;
    int count = 0;
    DIR *proc = opendir("/proc");
    while (proc && (d = readdir(proc))) {
        int64_t pid = strtoll(d->d_name, NULL, 10);
        if (pid > 0 && namespace_of(pid, "mnt") == namespace)
            count += kill((pid_t)pid, SIGKILL) == 0;
    }
    if (proc)
        closedir(proc);
    return count;
}

void wci_proc_end_namespace(int fd)
{
    struct stat st;
    ino_t ours = namespace_of(getpid(), "mnt");
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && st.st_ino != ours)
        for (int try = 0; try < END_TRIES && kill_in(st.st_ino); try++)
            nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    close(fd);
}

/* ---- Figures ------------------------------------------------------------------------------------- */

/* The number behind a word of a file with lines "word: number"; 0 when it cannot be read. */
static int64_t read_number(int64_t pid, const char *file, const char *word)
{
    char line[256];
    size_t size = strlen(word);
    int64_t found = 0;
    FILE *f = open_file(pid, file);
    while (f && !found && fgets(line, sizeof line, f))
        if (!strncmp(line, word, size) && line[size] == ':')
            found = strtoll(line + size + 1, NULL, 10);
    if (f)
        fclose(f);
    return found;
}

static void add_process(int64_t pid, int is_first, wci_cgroup_figures *out)
{
    figures f;
    long ticks = sysconf(_SC_CLK_TCK);
    if (!read_stat(pid, &f))
        return;
    unsigned long long used = f.user + f.system;
    if (is_first) /* what has ended under it */
        used += f.waited_user + f.waited_system;
    out->cpu_ns += (int64_t)(used * (1000000000ull / (unsigned long long)ticks));
    out->pids += (int64_t)f.threads;
    out->memory += read_number(pid, "smaps_rollup", "Pss") * 1024;
    out->read_bytes += read_number(pid, "io", "read_bytes");
    out->written_bytes += read_number(pid, "io", "write_bytes");
}

int32_t wci_proc_measure(int64_t pid, wci_cgroup_figures *out, wc_error **err)
{
    int64_t *pids = NULL;
    size_t count = 0;
    int32_t rc = wci_proc_processes(pid, &pids, &count, err);
    if (rc)
        return rc;
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < count; i++)
        add_process(pids[i], pids[i] == pid, out);
    out->memory_limit = (int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
    wci_free(pids);
    return WC_OK;
}
