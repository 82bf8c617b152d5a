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

static const wci_field fields[] = {
    WCI_FIELD("memory", NUMBER, wci_config, memory),
    WCI_FIELD("memorySwap", NUMBER, wci_config, memory_swap),
    WCI_FIELD("nanoCpus", NUMBER, wci_config, nano_cpus),
    WCI_FIELD("cpuShares", NUMBER, wci_config, cpu_shares),
    WCI_FIELD("cpuset", TEXT, wci_config, cpuset),
    WCI_FIELD("pidsLimit", NUMBER, wci_config, pids_limit),
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
