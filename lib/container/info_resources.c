/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "container/info.h"
#include "core/json.h"

static const char *text(const char *value)
{
    return value ? value : "";
}

/* What the runtime is told: as much swap as memory, when nothing was said. */
static json_int_t swap_limit(const wci_config *c)
{
    return (json_int_t)(c->memory && !c->memory_swap ? 2 * c->memory : c->memory_swap);
}

static json_t *limits_json(const wci_config *c)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:s, s:s, s:I, s:I, s:I, s:I}", "Memory", (json_int_t)c->memory,
                     "MemorySwap", swap_limit(c), "NanoCpus", (json_int_t)c->nano_cpus, "CpuShares",
                     (json_int_t)c->cpu_shares, "PidsLimit", (json_int_t)c->pids_limit, "CpusetCpus", text(c->cpuset),
                     "CpusetMems", text(c->cpuset_mems), "CpuPeriod", (json_int_t)c->cpu_period, "CpuQuota",
                     (json_int_t)c->cpu_quota, "CpuRealtimePeriod", (json_int_t)c->cpu_rt_period, "CpuRealtimeRuntime",
                     (json_int_t)c->cpu_rt_runtime);
}

static json_t *more_json(const wci_config *c)
{
    json_t *swappiness = c->memory_swappiness < 0 ? json_null() : json_integer(c->memory_swappiness);
    return json_pack("{s:I, s:o, s:b, s:I, s:I, s:s, s:s, s:I}", "MemoryReservation", (json_int_t)c->memory_reservation,
                     "MemorySwappiness", swappiness, "OomKillDisable", c->oom_kill_disable, "OomScoreAdj",
                     (json_int_t)c->oom_score_adj, "ShmSize", (json_int_t)(c->shm_size ? c->shm_size : 64 << 20),
                     "CgroupParent", text(c->cgroup_parent), "Group", text(c->group), "BlkioWeight",
                     (json_int_t)c->blkio_weight);
}

/* ---- Lists --------------------------------------------------------------------------------------- */

static json_t *block_json(const wci_config *c)
{
    static const struct {
        const char *kind, *list, *number;
    } lists[] = {{"weight", "BlkioWeightDevice", "Weight"},
                 {"read-bps", "BlkioDeviceReadBps", "Rate"},
                 {"write-bps", "BlkioDeviceWriteBps", "Rate"},
                 {"read-iops", "BlkioDeviceReadIOps", "Rate"},
                 {"write-iops", "BlkioDeviceWriteIOps", "Rate"}};
    json_t *json = json_object();
    int failed = 0;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        json_t *list = json_array();
        for (size_t k = 0; k < c->block_limit_count; k++)
            if (!strcmp(c->block_limits[k].kind, lists[i].kind))
                failed |= json_array_append_new(list, json_pack("{s:s, s:I}", "Path", c->block_limits[k].path,
                                                                lists[i].number, (json_int_t)c->block_limits[k].value));
        failed |= json_object_set_new(json, lists[i].list, list);
    }
    if (!failed)
        return json;
    json_decref(json);
    return NULL;
}

static json_t *sysctls_json(const wci_config *c)
{
    json_t *json = json_object();
    for (size_t i = 0; json && i < c->sysctl_count; i++)
        if (json_object_set_new(json, c->sysctls[i].name, json_string(c->sysctls[i].value))) {
            json_decref(json);
            return NULL;
        }
    return json;
}

static json_t *devices_json(const wci_config *c)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < c->device_count; i++)
        if (json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "PathOnHost", c->devices[i].host, "PathInContainer",
                                                  c->devices[i].target, "CgroupPermissions", c->devices[i].access))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *rlimits_json(const wci_config *c)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < c->rlimit_count; i++)
        if (json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "Name", c->rlimits[i].name, "Soft",
                                                  (json_int_t)c->rlimits[i].soft, "Hard",
                                                  (json_int_t)c->rlimits[i].hard))) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *lists_json(const wci_config *c)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o}", "Sysctls", sysctls_json(c), "Devices", devices_json(c),
                     "DeviceCgroupRules", wci_json_from_strv(&c->device_rules), "CdiDevices",
                     wci_json_from_strv(&c->cdi_devices), "Ulimits", rlimits_json(c));
}

int wci_info_add_resources(json_t *root, const wci_container_record *r, const wci_config *c)
{
    (void)r;
    return wci_info_put(root, "HostConfig", limits_json(c)) || wci_info_put(root, "HostConfig", more_json(c)) ||
           wci_info_put(root, "HostConfig", block_json(c)) || wci_info_put(root, "HostConfig", lists_json(c));
}
