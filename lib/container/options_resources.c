/* SPDX-License-Identifier: Apache-2.0 */
#include "container/options.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "platform/thread.h"

#define MIN_MEMORY (6 * 1024 * 1024)
#define NANO 1000000000
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
