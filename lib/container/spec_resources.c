/* SPDX-License-Identifier: Apache-2.0 */
#include "container/spec.h"

#include "platform/file.h"

#define CPU_PERIOD_US 100000

/* Without swap accounting a v1 kernel has no such file, and a runtime fails on the setting. */
static int counts_swap(void)
{
    return wci_host_has_cgroup2() ||
           wci_file_exists("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes");
}

static int add_memory(json_t *resources, const wci_config *config)
{
    if (!config->memory)
        return 0;
    json_t *memory = json_pack("{s:I}", "limit", (json_int_t)config->memory);
    int64_t swap = config->memory_swap;
    int failed = !memory;
    /* As Docker: as much swap again, unless said otherwise. */
    if (!swap && counts_swap())
        swap = config->memory <= INT64_MAX / 2 ? config->memory * 2 : -1;
    if (swap)
        failed |= json_object_set_new(memory, "swap", json_integer(swap));
    return json_object_set_new(resources, "memory", memory) || failed;
}

static int add_cpu(json_t *resources, const wci_config *config)
{
    if (!config->nano_cpus && !config->cpu_shares && !*config->cpuset)
        return 0;
    json_t *cpu = json_object();
    int failed = !cpu;
    if (config->cpu_shares)
        failed |= json_object_set_new(cpu, "shares", json_integer(config->cpu_shares));
    if (config->nano_cpus) {
        json_int_t quota = config->nano_cpus / (1000000000 / CPU_PERIOD_US);
        failed |= json_object_set_new(cpu, "period", json_integer(CPU_PERIOD_US));
        failed |= json_object_set_new(cpu, "quota", json_integer(quota));
    }
    if (*config->cpuset)
        failed |= json_object_set_new(cpu, "cpus", json_string(config->cpuset));
    return json_object_set_new(resources, "cpu", cpu) || failed;
}

static int add_pids(json_t *resources, const wci_config *config)
{
    if (config->pids_limit <= 0)
        return 0;
    return json_object_set_new(resources, "pids",
                               json_pack("{s:I}", "limit", (json_int_t)config->pids_limit));
}

json_t *wci_spec_resources(const wci_config *config)
{
    json_t *resources = json_pack("{s:o}", "devices", wci_spec_device_rules(config));
    if (resources && !add_memory(resources, config) && !add_cpu(resources, config) &&
        !add_pids(resources, config))
        return resources;
    json_decref(resources);
    return NULL;
}
