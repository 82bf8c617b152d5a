/* SPDX-License-Identifier: Apache-2.0 */
#include "container/spec.h"

#include <string.h>

#include "core/error.h"
#include "platform/file.h"

#define CPU_PERIOD_US 100000
#define CONTROLLERS_MAX 4096

/* Without swap accounting a v1 kernel has no such file, and a runtime fails on the setting. */
static int counts_swap(void)
{
    return wci_host_has_cgroup2() ||
           wci_file_exists("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes");
}

int wci_host_swappiness(void)
{
    return wci_file_exists("/sys/fs/cgroup/memory/memory.swappiness");
}

int wci_host_oom_control(void)
{
    return wci_file_exists("/sys/fs/cgroup/memory/memory.oom_control") ||
           (!wci_host_has_cgroup2() && wci_file_exists("/sys/fs/cgroup/memory/memory.usage_in_bytes"));
}

int wci_host_realtime(void)
{
    return wci_file_exists("/sys/fs/cgroup/cpu/cpu.rt_runtime_us");
}

/* Whether version 2 has the controller of block devices. */
static int has_io(void)
{
    wc_buf *text = NULL;
    if (wci_file_read_all("/sys/fs/cgroup/cgroup.controllers", CONTROLLERS_MAX, &text, NULL))
        return 0;
    const char *names = wc_buf_data(text), *at = strstr(names, "io");
    while (at && ((at > names && at[-1] != ' ') || !strchr(" \n", at[2])))
        at = strstr(at + 1, "io");
    wc_buf_unref(text);
    return at != NULL;
}

/* The root group of BFQ has no weight, those below have. */
int wci_host_block_weight(void)
{
    return has_io() || wci_file_exists("/sys/fs/cgroup/blkio/blkio.weight") ||
           wci_file_exists("/sys/fs/cgroup/blkio/blkio.bfq.io_serviced");
}

/* 0 or not: memory ran out. An object without members says nothing. */
static int set_section(json_t *resources, const char *name, json_t *section)
{
    if (section && !json_object_size(section)) {
        json_decref(section);
        return 0;
    }
    return json_object_set_new(resources, name, section);
}

static int set_number(json_t *section, const char *name, int64_t value)
{
    return value ? json_object_set_new(section, name, json_integer(value)) : 0;
}

static int add_memory(json_t *resources, const wci_config *config)
{
    json_t *memory = json_object();
    int64_t swap = config->memory_swap;
    /* As Docker: as much swap again, unless said otherwise. */
    if (config->memory && !swap && counts_swap())
        swap = config->memory <= INT64_MAX / 2 ? config->memory * 2 : -1;
    int failed = !memory || set_number(memory, "limit", config->memory) ||
                 set_number(memory, "swap", config->memory ? swap : 0) ||
                 set_number(memory, "reservation", config->memory_reservation);
    if (config->memory_swappiness >= 0 && wci_host_swappiness())
        failed |= json_object_set_new(memory, "swappiness", json_integer(config->memory_swappiness));
    if (config->oom_kill_disable && wci_host_oom_control())
        failed |= json_object_set_new(memory, "disableOOMKiller", json_true());
    return set_section(resources, "memory", memory) || failed;
}

static int set_list(json_t *section, const char *name, const char *list)
{
    return list && *list ? json_object_set_new(section, name, json_string(list)) : 0;
}

static int add_cpu(json_t *resources, const wci_config *config)
{
    json_t *cpu = json_object();
    int64_t period = config->cpu_period, quota = config->cpu_quota;
    if (config->nano_cpus) {
        period = CPU_PERIOD_US;
        quota = config->nano_cpus / (1000000000 / CPU_PERIOD_US);
    }
    int failed = !cpu || set_number(cpu, "shares", config->cpu_shares) || set_number(cpu, "period", period) ||
                 set_number(cpu, "quota", quota) || set_list(cpu, "cpus", config->cpuset) ||
                 set_list(cpu, "mems", config->cpuset_mems) ||
                 set_number(cpu, "realtimePeriod", config->cpu_rt_period) ||
                 set_number(cpu, "realtimeRuntime", config->cpu_rt_runtime);
    return set_section(resources, "cpu", cpu) || failed;
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

/* ---- Block devices ----------------------------------------------------------------------------- */

/* The list of the runtime document that a kind goes to, and what its number is called there. */
static const struct {
    const char *kind, *list, *number;
} block_lists[] = {
    {"weight", "weightDevice", "weight"},
    {"read-bps", "throttleReadBpsDevice", "rate"},
    {"write-bps", "throttleWriteBpsDevice", "rate"},
    {"read-iops", "throttleReadIOPSDevice", "rate"},
    {"write-iops", "throttleWriteIOPSDevice", "rate"},
};

static int append(json_t *object, const char *name, json_t *item)
{
    json_t *list = json_object_get(object, name);
    if (!list && json_object_set_new(object, name, json_array()) == 0)
        list = json_object_get(object, name);
    return json_array_append_new(list, item);
}

static int32_t add_block_limit(json_t *io, const wci_block_limit *limit, wc_error **err)
{
    wci_node_info node;
    int32_t rc = wci_spec_node(limit->path, &node, err);
    if (rc)
        return wci_err_wrap(err, rc, "block device '%s'", limit->path);
    if (node.type != WCI_NODE_BLOCK)
        return wci_err(err, WC_E_INVALID, "block device '%s': is no block device", limit->path);
    for (size_t i = 0; i < sizeof block_lists / sizeof *block_lists; i++)
        if (!strcmp(block_lists[i].kind, limit->kind) &&
            append(io, block_lists[i].list,
                   json_pack("{s:I, s:I, s:I}", "major", (json_int_t)node.dev_major, "minor", (json_int_t)node.dev_minor,
                             block_lists[i].number, (json_int_t)limit->value)))
            return wci_err_nomem(err);
    return WC_OK;
}

int32_t wci_spec_block_io(const wci_config *config, json_t *resources, wc_error **err)
{
    json_t *io = json_object();
    int weight = wci_host_block_weight();
    int32_t rc = !io || (weight && set_number(io, "weight", config->blkio_weight)) ? wci_err_nomem(err) : WC_OK;
    for (size_t i = 0; !rc && i < config->block_limit_count; i++)
        if (weight || strcmp(config->block_limits[i].kind, "weight"))
            rc = add_block_limit(io, &config->block_limits[i], err);
    if (!rc && set_section(resources, "blockIO", json_incref(io)))
        rc = wci_err_nomem(err);
    json_decref(io);
    return rc;
}
