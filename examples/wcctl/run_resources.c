/* SPDX-License-Identifier: Apache-2.0 */
#include "run_options.h"

#include <stdlib.h>

static const char *memory, *memory_swap, *reservation, *swappiness, *oom_score, *shm_size;
static const char *cpus, *cpu_shares, *cpu_period, *cpu_quota, *rt_period, *rt_runtime, *cpuset, *mems, *pids;
static const char *cgroup_parent, *group;
static int oom_kill_disable;
static text_list ulimits, sysctls;

static const option options[] = {
    {'m', "memory", OPTION_TEXT, "SIZE", "memory limit", &memory},
    {0, "memory-swap", OPTION_TEXT, "SIZE", "memory plus swap, -1: unlimited", &memory_swap},
    {0, "memory-reservation", OPTION_TEXT, "SIZE", "memory it keeps when memory is short", &reservation},
    {0, "memory-swappiness", OPTION_TEXT, "NUMBER", "how readily it is swapped, 0 to 100", &swappiness},
    {0, "oom-kill-disable", OPTION_FLAG, NULL, "wait at the memory limit instead of dying", &oom_kill_disable},
    {0, "oom-score-adj", OPTION_TEXT, "NUMBER", "how soon the host kills it, -1000 to 1000", &oom_score},
    {0, "shm-size", OPTION_TEXT, "SIZE", "size of /dev/shm", &shm_size},
    {0, "cpus", OPTION_TEXT, "NUMBER", "processors, may be a fraction", &cpus},
    {'c', "cpu-shares", OPTION_TEXT, "NUMBER", "relative weight", &cpu_shares},
    {0, "cpu-period", OPTION_TEXT, "MICROSECONDS", "period of the quota", &cpu_period},
    {0, "cpu-quota", OPTION_TEXT, "MICROSECONDS", "processor time in a period", &cpu_quota},
    {0, "cpu-rt-period", OPTION_TEXT, "MICROSECONDS", "period of the real-time runtime", &rt_period},
    {0, "cpu-rt-runtime", OPTION_TEXT, "MICROSECONDS", "real-time scheduling in a period", &rt_runtime},
    {0, "cpuset-cpus", OPTION_MAYBE, "LIST", "processors it may use", &cpuset},
    {0, "cpuset-mems", OPTION_MAYBE, "LIST", "memory nodes it may use", &mems},
    {0, "pids-limit", OPTION_TEXT, "NUMBER", "processes and threads", &pids},
    {0, "ulimit", OPTION_LIST, "NAME=SOFT[:HARD]", "resource limit", &ulimits},
    {0, "sysctl", OPTION_LIST, "NAME=VALUE", "kernel parameter of its own", &sysctls},
    {0, "group", OPTION_MAYBE, "GROUP", "group that it is in", &group},
    {0, "cgroup-parent", OPTION_MAYBE, "PATH", "control group to make its own in", &cgroup_parent},
};

static void add_ulimit(wc_container_options *to, const char *text)
{
    wc_error *err = NULL;
    char *name, *soft;
    const char *value, *hard;
    cut_text(text, '=', &name, &value);
    if (!value)
        die_usage("--ulimit '%s': write NAME=SOFT[:HARD]", text);
    cut_text(value, ':', &soft, &hard);
    int64_t low = value_number("--ulimit", soft);
    TRY(wc_container_options_add_rlimit(to, name, low, hard ? value_number("--ulimit", hard) : low, &err));
    free(name);
    free(soft);
}

static void add_sysctl(wc_container_options *to, const char *text)
{
    wc_error *err = NULL;
    char *name;
    const char *value;
    cut_text(text, '=', &name, &value);
    if (!value)
        die_usage("--sysctl '%s': write NAME=VALUE", text);
    TRY(wc_container_options_add_sysctl(to, name, value, &err));
    free(name);
}

static int64_t number(const char *what, const char *text)
{
    return text ? value_number(what, text) : 0;
}

static void apply_memory(wc_container_options *to)
{
    wc_error *err = NULL;
    if (reservation)
        TRY(wc_container_options_set_memory_reservation(to, value_bytes("--memory-reservation", reservation), &err));
    if (swappiness)
        TRY(wc_container_options_set_memory_swappiness(to, value_number("--memory-swappiness", swappiness), &err));
    if (oom_score)
        TRY(wc_container_options_set_oom_score_adj(to, value_number("--oom-score-adj", oom_score), &err));
    if (shm_size)
        TRY(wc_container_options_set_shm_size(to, value_bytes("--shm-size", shm_size), &err));
    TRY(wc_container_options_set_oom_kill_disable(to, oom_kill_disable, &err));
}

static void apply_quota(wc_container_options *to)
{
    wc_error *err = NULL;
    if (cpu_period || cpu_quota)
        TRY(wc_container_options_set_cpu_quota(to, number("--cpu-period", cpu_period), number("--cpu-quota", cpu_quota),
                                               &err));
    if (rt_period || rt_runtime)
        TRY(wc_container_options_set_cpu_realtime(to, number("--cpu-rt-period", rt_period),
                                                  number("--cpu-rt-runtime", rt_runtime), &err));
}

static void apply(wc_container_options *to)
{
    wc_error *err = NULL;
    apply_memory(to);
    apply_quota(to);
    if (memory)
        TRY(wc_container_options_set_memory(to, value_bytes("--memory", memory), &err));
    if (memory_swap)
        TRY(wc_container_options_set_memory_swap(to, value_bytes("--memory-swap", memory_swap), &err));
    if (cpus)
        TRY(wc_container_options_set_nano_cpus(to, value_nano_cpus("--cpus", cpus), &err));
    if (cpu_shares)
        TRY(wc_container_options_set_cpu_shares(to, value_number("--cpu-shares", cpu_shares), &err));
    if (pids)
        TRY(wc_container_options_set_pids_limit(to, value_number("--pids-limit", pids), &err));
    run_set(to, cpuset, wc_container_options_set_cpuset);
    run_set(to, mems, wc_container_options_set_cpuset_mems);
    run_set(to, group, wc_container_options_set_group);
    run_set(to, cgroup_parent, wc_container_options_set_cgroup_parent);
    run_each(&ulimits, to, add_ulimit);
    run_each(&sysctls, to, add_sysctl);
}

const option_group run_resources = {options, countof(options), apply};
