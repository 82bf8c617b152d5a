/* SPDX-License-Identifier: Apache-2.0 */
#include "run_options.h"

#include <stdlib.h>

static const char *memory, *memory_swap, *cpus, *cpu_shares, *cpuset, *pids;
static text_list ulimits;

static const option options[] = {
    {'m', "memory", OPTION_TEXT, "SIZE", "memory limit", &memory},
    {0, "memory-swap", OPTION_TEXT, "SIZE", "memory plus swap, -1: unlimited", &memory_swap},
    {0, "cpus", OPTION_TEXT, "NUMBER", "processors, may be a fraction", &cpus},
    {'c', "cpu-shares", OPTION_TEXT, "NUMBER", "relative weight", &cpu_shares},
    {0, "cpuset-cpus", OPTION_MAYBE, "LIST", "processors it may use", &cpuset},
    {0, "pids-limit", OPTION_TEXT, "NUMBER", "processes and threads", &pids},
    {0, "ulimit", OPTION_LIST, "NAME=SOFT[:HARD]", "resource limit", &ulimits},
};

static void add_ulimit(wc_container_options *to, const char *text)
{
    wc_error *err = NULL;
    char *name, *soft;
    const char *value, *hard;
    run_cut(text, '=', &name, &value);
    if (!value)
        die_usage("--ulimit '%s': write NAME=SOFT[:HARD]", text);
    run_cut(value, ':', &soft, &hard);
    int64_t low = value_number("--ulimit", soft);
    TRY(wc_container_options_add_rlimit(to, name, low, hard ? value_number("--ulimit", hard) : low, &err));
    free(name);
    free(soft);
}

static void apply(wc_container_options *to)
{
    wc_error *err = NULL;
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
    run_each(&ulimits, to, add_ulimit);
}

const option_group run_resources = {options, countof(options), apply};
