/* SPDX-License-Identifier: Apache-2.0 */
#include "container/options.h"

#include "core/signal.h"
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"

int32_t wc_container_options_set_auto_remove(wc_container_options *options, int32_t remove, wc_error **err)
{
    return wci_option_set_flag(options, options ? &options->settings.auto_remove : NULL, remove,
                               "auto-remove", err);
}

int32_t wc_container_options_set_stop_signal(wc_container_options *options, const char *signal, wc_error **err)
{
    int number;
    char name[WCI_SIGNAL_NAME_SIZE];
    int32_t rc = wci_option_check_text(options, signal, "stop signal", err);
    if (!rc)
        rc = wci_signal_parse(signal, &number, err);
    if (rc)
        return rc;
    wci_signal_name(number, name);
    return wci_option_set_text(options, &options->settings.stop_signal, name, "stop signal", err);
}

int32_t wc_container_options_set_stop_timeout(wc_container_options *options, int64_t timeout_ns, wc_error **err)
{
    return wci_option_set_number(options, options ? &options->settings.stop_timeout_ns : NULL, timeout_ns,
                      timeout_ns >= 0, "stop timeout", "must not be negative", err);
}

int32_t wci_restart_policy_check(const char *policy, int64_t max_retries, wc_error **err)
{
    static const char *const known[] = {"no", "always", "unless-stopped", "on-failure"};
    size_t i = 0;
    while (i < sizeof known / sizeof *known && strcmp(policy, known[i]) != 0)
        i++;
    if (i == sizeof known / sizeof *known)
        return wci_err(err, WC_E_INVALID, "restart policy '%.40s': must be no, always, unless-stopped or on-failure",
                       policy);
    if (max_retries < 0)
        return wci_err(err, WC_E_INVALID, "restart policy '%s': the number of restarts must not be negative", policy);
    if (max_retries && strcmp(policy, "on-failure") != 0)
        return wci_err(err, WC_E_INVALID, "restart policy '%s': has no greatest number of restarts; on-failure has one",
                       policy);
    return WC_OK;
}

int32_t wc_container_options_set_restart_policy(wc_container_options *options, const char *policy, int64_t max_retries,
                                                wc_error **err)
{
    int32_t rc = wci_option_check_text(options, policy, "restart policy", err);
    if (!rc)
        rc = wci_restart_policy_check(policy, max_retries, err);
    if (!rc)
        rc = wci_option_set_text(options, &options->settings.restart_policy, policy, "restart policy", err);
    if (!rc)
        options->settings.restart_max = max_retries;
    return rc;
}
