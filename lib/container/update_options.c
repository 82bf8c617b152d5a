/* SPDX-License-Identifier: Apache-2.0 */
/* Setters of wc_update_options: checked as those of a new container. */
#include "container/update.h"

#include "core/alloc.h"
#include "core/error.h"

int32_t wc_update_options_new(wc_update_options **out, wc_error **err)
{
    if (!out)
        return wci_err(err, WC_E_INVALID, "update options: out must not be NULL");
    wc_update_options *o = wci_calloc(1, sizeof *o);
    if (!o)
        return wci_err_nomem(err);
    int32_t rc = wc_container_options_new("-", &o->values, err); /* no image is looked for */
    if (rc)
        wci_free(o);
    else
        *out = o;
    return rc;
}

void wc_update_options_unref(wc_update_options *options)
{
    if (!options)
        return;
    wc_container_options_unref(options->values);
    wci_free(options);
}

static wc_container_options *values_of(wc_update_options *options)
{
    return options ? options->values : NULL;
}

static int32_t note(int32_t rc, wc_update_options *options, uint32_t what)
{
    if (!rc)
        options->set |= what;
    return rc;
}

int32_t wc_update_options_set_memory(wc_update_options *options, int64_t bytes, wc_error **err)
{
    return note(wc_container_options_set_memory(values_of(options), bytes, err), options, WCI_UPDATE_MEMORY);
}

int32_t wc_update_options_set_memory_swap(wc_update_options *options, int64_t bytes, wc_error **err)
{
    return note(wc_container_options_set_memory_swap(values_of(options), bytes, err), options, WCI_UPDATE_SWAP);
}

int32_t wc_update_options_set_memory_reservation(wc_update_options *options, int64_t bytes, wc_error **err)
{
    return note(wc_container_options_set_memory_reservation(values_of(options), bytes, err), options,
                WCI_UPDATE_RESERVATION);
}

int32_t wc_update_options_set_nano_cpus(wc_update_options *options, int64_t nano_cpus, wc_error **err)
{
    return note(wc_container_options_set_nano_cpus(values_of(options), nano_cpus, err), options, WCI_UPDATE_CPUS);
}

int32_t wc_update_options_set_cpu_quota(wc_update_options *options, int64_t period_us, int64_t quota_us, wc_error **err)
{
    return note(wc_container_options_set_cpu_quota(values_of(options), period_us, quota_us, err), options,
                WCI_UPDATE_QUOTA);
}

int32_t wc_update_options_set_cpu_shares(wc_update_options *options, int64_t shares, wc_error **err)
{
    return note(wc_container_options_set_cpu_shares(values_of(options), shares, err), options, WCI_UPDATE_SHARES);
}

int32_t wc_update_options_set_cpuset(wc_update_options *options, const char *cpus, wc_error **err)
{
    return note(wc_container_options_set_cpuset(values_of(options), cpus, err), options, WCI_UPDATE_CPUSET);
}

int32_t wc_update_options_set_cpuset_mems(wc_update_options *options, const char *nodes, wc_error **err)
{
    return note(wc_container_options_set_cpuset_mems(values_of(options), nodes, err), options, WCI_UPDATE_MEMS);
}

int32_t wc_update_options_set_pids_limit(wc_update_options *options, int64_t limit, wc_error **err)
{
    return note(wc_container_options_set_pids_limit(values_of(options), limit, err), options, WCI_UPDATE_PIDS);
}

int32_t wc_update_options_set_restart_policy(wc_update_options *options, const char *policy, int64_t max_retries,
                                             wc_error **err)
{
    return note(wc_container_options_set_restart_policy(values_of(options), policy, max_retries, err), options,
                WCI_UPDATE_RESTART);
}
