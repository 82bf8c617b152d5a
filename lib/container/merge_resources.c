/* SPDX-License-Identifier: Apache-2.0 */
#include "container/merge.h"

#include <string.h>

#include <wincontainer/context.h>

#include "container/spec.h"
#include "core/error.h"

static int32_t check_memory(const wci_config *c, wc_error **err)
{
    if (c->memory_swap && !c->memory)
        return wci_err(err, WC_E_INVALID, "memory and swap limit: needs a memory limit as well");
    if (c->memory_swap > 0 && c->memory_swap < c->memory)
        return wci_err(err, WC_E_INVALID,
                       "memory and swap limit: is below the memory limit; it counts both together");
    if (c->memory && c->memory < c->memory_reservation)
        return wci_err(err, WC_E_INVALID, "memory limit: is below the memory reservation");
    return WC_OK;
}

static int32_t check_cpu(const wci_config *c, wc_error **err)
{
    if (c->nano_cpus && (c->cpu_period || c->cpu_quota))
        return wci_err(err, WC_E_INVALID,
                       "processor limit: a number of processors and a quota or period exclude each other");
    if ((c->cpu_rt_period || c->cpu_rt_runtime) && !wci_host_realtime())
        return wci_err(err, WC_E_UNSUPPORTED,
                       "real-time runtime: this host's control groups have none (version 1 with CONFIG_RT_GROUP_SCHED)");
    return WC_OK;
}

static int32_t check_sysctls(const wci_config *c, wc_error **err)
{
    if (strcmp(c->network, "host"))
        return WC_OK;
    for (size_t i = 0; i < c->sysctl_count; i++)
        if (wci_starts_with(c->sysctls[i].name, "net."))
            return wci_err(err, WC_E_INVALID, "sysctl '%s': not allowed on the host's network", c->sysctls[i].name);
    return WC_OK;
}

int32_t wci_resources_check(const wci_config *c, wc_error **err)
{
    int32_t rc = check_memory(c, err);
    return rc ? rc : check_cpu(c, err);
}

int32_t wci_merge_resources(const wci_merge *in, wci_config *c, wc_error **err)
{
    (void)in;
    int32_t rc = wci_resources_check(c, err);
    return rc ? rc : check_sysctls(c, err);
}

/* ---- What Docker leaves out with a warning ------------------------------------------------------- */

static int has_weights(const wci_config *c)
{
    for (size_t i = 0; i < c->block_limit_count; i++)
        if (!strcmp(c->block_limits[i].kind, "weight"))
            return 1;
    return c->blkio_weight != 0;
}

void wci_resources_warn(const wci_config *c, wci_log *log)
{
    const struct {
        int wished, there;
        const char *what;
    } wishes[] = {
        {c->memory_swappiness >= 0, wci_host_swappiness(), "memory swappiness"},
        {c->oom_kill_disable, wci_host_oom_control(), "disabling the out-of-memory killer"},
        {has_weights(c), wci_host_block_weight(), "block weight"},
    };
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++)
        if (wishes[i].wished && !wishes[i].there)
            wci_log_printf(log, WC_LOG_WARN, "%s: this host's control groups have none; it is left out",
                           wishes[i].what);
    if (c->oom_kill_disable && !c->memory && wci_host_oom_control())
        wci_log_printf(log, WC_LOG_WARN,
                       "disabling the out-of-memory killer: without a memory limit that may be dangerous");
}
