/* SPDX-License-Identifier: Apache-2.0 */
#include "container/info.h"

int wci_info_add_resources(json_t *root, const wci_container_record *r, const wci_config *c)
{
    (void)r;
    json_t *json = json_pack("{s:I, s:I, s:I, s:I, s:I, s:s}", "Memory", (json_int_t)c->memory, "MemorySwap",
                             (json_int_t)c->memory_swap, "NanoCpus", (json_int_t)c->nano_cpus, "CpuShares",
                             (json_int_t)c->cpu_shares, "PidsLimit", (json_int_t)c->pids_limit, "CpusetCpus",
                             c->cpuset ? c->cpuset : "");
    return wci_info_put(root, "HostConfig", json);
}
