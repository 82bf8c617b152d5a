/* SPDX-License-Identifier: Apache-2.0 */
#include "container/options.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "platform/thread.h"

#define MIN_MEMORY (6 * 1024 * 1024)
#define NANO 1000000000
#define MAX_CGROUP 255
#define MAX_PIDS 4194304 /* PID_MAX_LIMIT of Linux */

int32_t wc_container_options_set_memory(wc_container_options *options, int64_t bytes, wc_error **err)
{
    return wci_option_set_number(options, options ? &options->settings.memory : NULL, bytes,
                      bytes == 0 || bytes >= MIN_MEMORY, "memory limit",
                      "must be 0 (none) or at least 6 MiB", err);
}

int32_t wc_container_options_set_memory_swap(wc_container_options *options, int64_t bytes, wc_error **err)
{
    return wci_option_set_number(options, options ? &options->settings.memory_swap : NULL, bytes, bytes >= -1,
                      "memory and swap limit", "must be -1 (unlimited swap), 0 (default) or bytes",
                      err);
}

int32_t wc_container_options_set_memory_reservation(wc_container_options *options, int64_t bytes, wc_error **err)
{
    return wci_option_set_number(options, options ? &options->settings.memory_reservation : NULL, bytes,
                      bytes == 0 || bytes >= MIN_MEMORY, "memory reservation",
                      "must be 0 (none) or at least 6 MiB", err);
}

int32_t wc_container_options_set_memory_swappiness(wc_container_options *options, int64_t swappiness, wc_error **err)
{
    return wci_option_set_number(options, options ? &options->settings.memory_swappiness : NULL, swappiness,
                      swappiness >= -1 && swappiness <= 100, "memory swappiness",
                      "must be -1 (the host's) or from 0 to 100", err);
}

int32_t wc_container_options_set_oom_kill_disable(wc_container_options *options, int32_t disable, wc_error **err)
{
    return wci_option_set_flag(options, options ? &options->settings.oom_kill_disable : NULL, disable,
                               "disabling the out-of-memory killer", err);
}

int32_t wc_container_options_set_oom_score_adj(wc_container_options *options, int64_t score, wc_error **err)
{
    return wci_option_set_number(options, options ? &options->settings.oom_score_adj : NULL, score,
                      score >= -1000 && score <= 1000, "out-of-memory score", "must be from -1000 to 1000", err);
}

int32_t wc_container_options_set_shm_size(wc_container_options *options, int64_t bytes, wc_error **err)
{
    return wci_option_set_number(options, options ? &options->settings.shm_size : NULL, bytes, bytes >= 0,
                      "size of /dev/shm", "must be 0 (64 MiB) or bytes", err);
}

int32_t wc_container_options_set_nano_cpus(wc_container_options *options, int64_t nano_cpus, wc_error **err)
{
    int64_t there = wci_cpu_count();
    if (nano_cpus && (nano_cpus < NANO / 100 || nano_cpus > there * NANO))
        return wci_err(err, WC_E_INVALID,
                       "processor limit of %.12g processors: must be 0 (none) or from 0.01 to %lld, the processors that "
                       "can be used here",
                       (double)nano_cpus / NANO, (long long)there);
    return wci_option_set_number(options, options ? &options->settings.nano_cpus : NULL, nano_cpus, 1, "processor limit", "",
                      err);
}

static int is_period(int64_t us)
{
    return us == 0 || (us >= 1000 && us <= 1000000);
}

int32_t wc_container_options_set_cpu_quota(wc_container_options *options, int64_t period_us, int64_t quota_us,
                                           wc_error **err)
{
    int32_t rc = wci_option_set_number(options, options ? &options->settings.cpu_quota : NULL, quota_us,
                            is_period(period_us) && (quota_us == 0 || quota_us == -1 || quota_us >= 1000),
                            "processor quota",
                            "must be 0 (default), -1 (none) or at least 1000 microseconds, and the period from 1000 to "
                            "1000000",
                            err);
    if (!rc)
        options->settings.cpu_period = period_us;
    return rc;
}

int32_t wc_container_options_set_cpu_realtime(wc_container_options *options, int64_t period_us, int64_t runtime_us,
                                              wc_error **err)
{
    int32_t rc = wci_option_set_number(options, options ? &options->settings.cpu_rt_runtime : NULL, runtime_us,
                            period_us >= 0 && runtime_us >= 0 && (!period_us || runtime_us <= period_us),
                            "real-time runtime", "must be 0 (default) or microseconds, and not above the period", err);
    if (!rc)
        options->settings.cpu_rt_period = period_us;
    return rc;
}

int32_t wc_container_options_set_cpu_shares(wc_container_options *options, int64_t shares, wc_error **err)
{
    return wci_option_set_number(options, options ? &options->settings.cpu_shares : NULL, shares,
                      shares == 0 || (shares >= 2 && shares <= 262144), "processor shares",
                      "must be 0 (default) or from 2 to 262144", err);
}

int32_t wc_container_options_set_pids_limit(wc_container_options *options, int64_t limit, wc_error **err)
{
    return wci_option_set_number(options, options ? &options->settings.pids_limit : NULL, limit,
                      limit >= -1 && limit <= MAX_PIDS, "process limit",
                      "must be -1 or 0 (none), or from 1 to 4194304, the most that Linux counts", err);
}

/* "0-2,7": what the kernel's cpuset files take. Tells the highest number in it. */
static int is_cpu_list(const char *text, unsigned long *highest)
{
    *highest = 0;
    for (const char *p = text;; p++) {
        char *end;
        if (*p < '0' || *p > '9')
            return 0;
        unsigned long first = strtoul(p, &end, 10), last = first;
        if (*end == '-' && end[1] >= '0' && end[1] <= '9')
            last = strtoul(end + 1, &end, 10);
        if (first > last)
            return 0;
        if (last > *highest)
            *highest = last;
        if (!*end)
            return 1;
        if (*end != ',')
            return 0;
        p = end;
    }
}

int32_t wc_container_options_set_cpuset(wc_container_options *options, const char *cpus, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, cpus, "cpuset", err);
    unsigned long highest = 0;
    if (!rc && *cpus && !is_cpu_list(cpus, &highest))
        rc = wci_err(err, WC_E_INVALID, "cpuset '%.80s': must be a list such as '0-2,7'", cpus);
    if (!rc && highest >= (unsigned long)wci_cpu_limit())
        rc = wci_err(err, WC_E_INVALID, "cpuset '%.80s': there is no processor %lu, this host has 0 to %d", cpus, highest,
                     wci_cpu_limit() - 1);
    return rc ? rc : wci_option_set_text(options, &options->settings.cpuset, cpus, "cpuset", err);
}

int32_t wc_container_options_set_cpuset_mems(wc_container_options *options, const char *nodes, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, nodes, "memory nodes", err);
    unsigned long highest = 0;
    if (!rc && *nodes && !is_cpu_list(nodes, &highest))
        rc = wci_err(err, WC_E_INVALID, "memory nodes '%.80s': must be a list such as '0-2,7'", nodes);
    return rc ? rc : wci_option_set_text(options, &options->settings.cpuset_mems, nodes, "memory nodes", err);
}

/* No part is empty, "." or "..". */
static int is_plain_path(const char *path)
{
    for (const char *p = path; *p; p += *p == '/') {
        size_t size = strcspn(p, "/");
        if (size == 0 || size > 255 || (p[0] == '.' && (size == 1 || (size == 2 && p[1] == '.'))))
            return 0;
        p += size;
    }
    return 1;
}

int32_t wc_container_options_set_cgroup_parent(wc_container_options *options, const char *path, wc_error **err)
{
    char clean[MAX_CGROUP + 2] = "/";
    int32_t rc = wci_option_check_text(options, path, "cgroup parent", err);
    if (rc)
        return rc;
    const char *below = path + (*path == '/');
    if (strlen(below) > MAX_CGROUP || !is_plain_path(below) || strpbrk(below, ":\n"))
        return wci_err(err, WC_E_INVALID,
                       "cgroup parent '%.80s': must be a path such as '/limits/web', of at most %d characters, without "
                       "'..' and ':'",
                       path, MAX_CGROUP);
    size_t size = strlen(below);
    memcpy(clean + 1, below, size);
    while (size && clean[size] == '/')
        size--;
    clean[size + 1] = '\0';
    return wci_option_set_text(options, &options->settings.cgroup_parent, size ? clean : "", "cgroup parent", err);
}

int32_t wc_container_options_set_group(wc_container_options *options, const char *name, wc_error **err)
{
    return wci_option_set_text(options, options ? &options->settings.group : NULL, name, "group", err);
}

/* What the kernel has for each network or IPC namespace; the rest would change the host. */
static int is_namespaced_sysctl(const char *name)
{
    static const char *const ipc[] = {"kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
                                      "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced"};
    for (size_t i = 0; i < sizeof ipc / sizeof *ipc; i++)
        if (!strcmp(name, ipc[i]))
            return 1;
    return wci_starts_with(name, "net.") || wci_starts_with(name, "fs.mqueue.");
}

int32_t wc_container_options_add_sysctl(wc_container_options *options, const char *name, const char *value,
                                        wc_error **err)
{
    int32_t rc = wci_option_check_text(options, name, "sysctl", err);
    if (!rc)
        rc = wci_option_check_text(options, value, "value of a sysctl", err);
    if (rc)
        return rc;
    if (!is_namespaced_sysctl(name) || strchr(name, '/') || strstr(name, ".."))
        return wci_err(err, WC_E_INVALID,
                       "sysctl '%.80s': not allowed; a container has its own of 'net.', 'fs.mqueue.', and of the "
                       "'kernel.' ones for messages, semaphores and shared memory",
                       name);
    return wci_config_add_sysctl(&options->settings, name, value) ? wci_err_nomem(err) : WC_OK;
}

static int is_rlimit(const char *name)
{
    static const char *const names[] = {"as",      "core",  "cpu",        "data",   "fsize",  "locks",
                                        "memlock", "msgqueue", "nice",    "nofile", "nproc",  "rss",
                                        "rtprio",  "rttime", "sigpending", "stack"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(names[i], name))
            return 1;
    return 0;
}

int32_t wc_container_options_add_rlimit(wc_container_options *options, const char *name, int64_t soft,
                                        int64_t hard, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, name, "resource limit", err);
    if (rc)
        return rc;
    if (!is_rlimit(name))
        return wci_err(err, WC_E_INVALID, "resource limit '%.40s': not known; examples are 'nofile' and 'nproc'",
                       name);
    if (soft < -1 || hard < -1)
        return wci_err(err, WC_E_INVALID, "resource limit '%s': must be -1 (unlimited) or more", name);
    if (hard >= 0 && (soft < 0 || soft > hard))
        return wci_err(err, WC_E_INVALID, "resource limit '%s': the soft limit is above the hard limit", name);
    if (wci_config_add_rlimit(&options->settings, name, soft, hard))
        return wci_err_nomem(err);
    return WC_OK;
}
