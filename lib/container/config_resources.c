/* SPDX-License-Identifier: Apache-2.0 */
/* Limits and devices. */
#include "container/config.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"

static const wci_field rlimit_fields[] = {
    WCI_FIELD("name", TEXT, wci_rlimit, name),
    WCI_FIELD("soft", NUMBER, wci_rlimit, soft),
    WCI_FIELD("hard", NUMBER, wci_rlimit, hard),
};
static const wci_fields rlimit_table = WCI_FIELDS(rlimit_fields, wci_rlimit);

static const wci_field block_fields[] = {
    WCI_FIELD("kind", TEXT, wci_block_limit, kind),
    WCI_FIELD("path", TEXT, wci_block_limit, path),
    WCI_FIELD("value", NUMBER, wci_block_limit, value),
};
static const wci_fields block_table = WCI_FIELDS(block_fields, wci_block_limit);

static const wci_field sysctl_fields[] = {
    WCI_FIELD("name", TEXT, wci_sysctl, name),
    WCI_FIELD("value", TEXT, wci_sysctl, value),
};
static const wci_fields sysctl_table = WCI_FIELDS(sysctl_fields, wci_sysctl);

static const wci_field device_fields[] = {
    WCI_FIELD("host", TEXT, wci_device, host),
    WCI_FIELD("target", TEXT, wci_device, target),
    WCI_FIELD("access", TEXT, wci_device, access),
};
static const wci_fields device_table = WCI_FIELDS(device_fields, wci_device);

static const wci_field fields[] = {
    WCI_FIELD("memory", NUMBER, wci_config, memory),
    WCI_FIELD("memorySwap", NUMBER, wci_config, memory_swap),
    WCI_FIELD("nanoCpus", NUMBER, wci_config, nano_cpus),
    WCI_FIELD("cpuShares", NUMBER, wci_config, cpu_shares),
    WCI_FIELD("cpuset", TEXT, wci_config, cpuset),
    WCI_FIELD("pidsLimit", NUMBER, wci_config, pids_limit),
    WCI_FIELD("memoryReservation", NUMBER, wci_config, memory_reservation),
    WCI_FIELD("memorySwappiness", NUMBER, wci_config, memory_swappiness),
    WCI_FIELD("oomKillDisable", FLAG, wci_config, oom_kill_disable),
    WCI_FIELD("oomScoreAdj", NUMBER, wci_config, oom_score_adj),
    WCI_FIELD("cpuPeriod", NUMBER, wci_config, cpu_period),
    WCI_FIELD("cpuQuota", NUMBER, wci_config, cpu_quota),
    WCI_FIELD("cpuRtPeriod", NUMBER, wci_config, cpu_rt_period),
    WCI_FIELD("cpuRtRuntime", NUMBER, wci_config, cpu_rt_runtime),
    WCI_FIELD("cpusetMems", TEXT, wci_config, cpuset_mems),
    WCI_FIELD("blkioWeight", NUMBER, wci_config, blkio_weight),
    WCI_FIELD_LIST("blockLimits", wci_config, block_limits, block_limit_count, block_limit_cap, &block_table),
    WCI_FIELD("shmSize", NUMBER, wci_config, shm_size),
    WCI_FIELD_LIST("sysctls", wci_config, sysctls, sysctl_count, sysctl_cap, &sysctl_table),
    WCI_FIELD("cgroupParent", TEXT, wci_config, cgroup_parent),
    WCI_FIELD("group", TEXT, wci_config, group),
    WCI_FIELD_LIST("devices", wci_config, devices, device_count, device_cap, &device_table),
    WCI_FIELD("deviceRules", TEXTS, wci_config, device_rules),
    WCI_FIELD("cdiDevices", TEXTS, wci_config, cdi_devices),
    WCI_FIELD_LIST("rlimits", wci_config, rlimits, rlimit_count, rlimit_cap, &rlimit_table),
};
const wci_fields wci_config_resources = WCI_FIELDS(fields, wci_config);

int wci_config_add_rlimit(wci_config *config, const char *name, int64_t soft, int64_t hard)
{
    for (size_t i = 0; i < config->rlimit_count; i++)
        if (!strcmp(config->rlimits[i].name, name)) {
            config->rlimits[i].soft = soft;
            config->rlimits[i].hard = hard;
            return WC_OK;
        }
    char *copy = wci_strdup(name);
    if (!copy || !wci_grow(&config->rlimits, &config->rlimit_cap, config->rlimit_count + 1,
                           sizeof *config->rlimits)) {
        wci_free(copy);
        return WC_E_NOMEM;
    }
    config->rlimits[config->rlimit_count++] = (wci_rlimit){copy, soft, hard};
    return WC_OK;
}

int wci_config_add_block_limit(wci_config *config, const char *kind, const char *path, int64_t value)
{
    for (size_t i = 0; i < config->block_limit_count; i++)
        if (!strcmp(config->block_limits[i].kind, kind) && !strcmp(config->block_limits[i].path, path)) {
            config->block_limits[i].value = value;
            return WC_OK;
        }
    wci_block_limit limit = {wci_strdup(kind), wci_strdup(path), value};
    if (!limit.kind || !limit.path ||
        !wci_grow(&config->block_limits, &config->block_limit_cap, config->block_limit_count + 1, sizeof limit)) {
        wci_fields_free(&block_table, &limit);
        return WC_E_NOMEM;
    }
    config->block_limits[config->block_limit_count++] = limit;
    return WC_OK;
}

int wci_config_add_sysctl(wci_config *config, const char *name, const char *value)
{
    for (size_t i = 0; i < config->sysctl_count; i++)
        if (!strcmp(config->sysctls[i].name, name))
            return wci_replace(&config->sysctls[i].value, value);
    wci_sysctl entry = {wci_strdup(name), wci_strdup(value)};
    if (!entry.name || !entry.value ||
        !wci_grow(&config->sysctls, &config->sysctl_cap, config->sysctl_count + 1, sizeof entry)) {
        wci_fields_free(&sysctl_table, &entry);
        return WC_E_NOMEM;
    }
    config->sysctls[config->sysctl_count++] = entry;
    return WC_OK;
}

int wci_config_add_device(wci_config *config, const char *host, const char *target, const char *access)
{
    wci_device device = {wci_strdup(host), wci_strdup(target), wci_strdup(access)};
    if (!device.host || !device.target || !device.access ||
        !wci_grow(&config->devices, &config->device_cap, config->device_count + 1, sizeof device)) {
        wci_fields_free(&device_table, &device);
        return WC_E_NOMEM;
    }
    config->devices[config->device_count++] = device;
    return WC_OK;
}
