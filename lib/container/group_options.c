/* SPDX-License-Identifier: Apache-2.0 */
/* Setters of wc_group_options: those of containers, and a note that they were called. */
#include "container/group.h"

#include "core/alloc.h"
#include "core/error.h"

int32_t wci_grp_options_new(wc_group_options **out, wc_error **err)
{
    wc_group_options *options = wci_calloc(1, sizeof *options);
    if (!options)
        return wci_err_nomem(err);
    options->limits.settings.memory_swappiness = -1;
    *out = options;
    return WC_OK;
}

void wci_grp_options_free(wc_group_options *options)
{
    wci_config_free(&options->limits.settings);
    wci_free(options);
}

static wc_container_options *limits_of(wc_group_options *options)
{
    return options ? &options->limits : NULL;
}

static int32_t note(wc_group_options *options, wci_group_given given, int32_t rc)
{
    if (!rc)
        options->given |= (uint32_t)given;
    return rc;
}

int32_t wc_group_options_set_memory(wc_group_options *options, int64_t bytes, wc_error **err)
{
    return note(options, WCI_GIVEN_MEMORY, wc_container_options_set_memory(limits_of(options), bytes, err));
}

int32_t wc_group_options_set_memory_swap(wc_group_options *options, int64_t bytes, wc_error **err)
{
    return note(options, WCI_GIVEN_SWAP, wc_container_options_set_memory_swap(limits_of(options), bytes, err));
}

int32_t wc_group_options_set_memory_reservation(wc_group_options *options, int64_t bytes, wc_error **err)
{
    return note(options, WCI_GIVEN_RESERVATION,
                wc_container_options_set_memory_reservation(limits_of(options), bytes, err));
}

int32_t wc_group_options_set_nano_cpus(wc_group_options *options, int64_t nano_cpus, wc_error **err)
{
    return note(options, WCI_GIVEN_CPUS, wc_container_options_set_nano_cpus(limits_of(options), nano_cpus, err));
}

int32_t wc_group_options_set_cpu_shares(wc_group_options *options, int64_t shares, wc_error **err)
{
    return note(options, WCI_GIVEN_SHARES, wc_container_options_set_cpu_shares(limits_of(options), shares, err));
}

int32_t wc_group_options_set_cpuset(wc_group_options *options, const char *cpus, wc_error **err)
{
    return note(options, WCI_GIVEN_CPUSET, wc_container_options_set_cpuset(limits_of(options), cpus, err));
}

int32_t wc_group_options_set_cpuset_mems(wc_group_options *options, const char *nodes, wc_error **err)
{
    return note(options, WCI_GIVEN_MEMS, wc_container_options_set_cpuset_mems(limits_of(options), nodes, err));
}

int32_t wc_group_options_set_pids_limit(wc_group_options *options, int64_t limit, wc_error **err)
{
    return note(options, WCI_GIVEN_PIDS, wc_container_options_set_pids_limit(limits_of(options), limit, err));
}

int32_t wc_group_options_set_blkio_weight(wc_group_options *options, int64_t weight, wc_error **err)
{
    return note(options, WCI_GIVEN_WEIGHT, wc_container_options_set_blkio_weight(limits_of(options), weight, err));
}
