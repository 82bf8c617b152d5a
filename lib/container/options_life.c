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

/* ---- Health ----------------------------------------------------------------------------------- */

int32_t wc_container_options_set_health_command(wc_container_options *options, const char *const *args, size_t count,
                                                int32_t is_shell, wc_error **err)
{
    wci_strv test = WCI_STRV_INIT, words = WCI_STRV_INIT;
    if (is_shell != 0 && is_shell != 1)
        return wci_err(err, WC_E_INVALID, "health command: is_shell is neither 0 nor 1");
    if (!count || (is_shell && count != 1))
        return wci_err(err, WC_E_INVALID, "health command: must be %s", is_shell ? "one line" : "at least one word");
    int32_t rc = wci_option_set_list(options, &words, args, count, "health command", err);
    if (!rc && (wci_strv_add(&test, is_shell ? "CMD-SHELL" : "CMD") || wci_strv_copy(&test, &words)))
        rc = wci_err_nomem(err);
    wci_strv_free(&words);
    if (rc) {
        wci_strv_free(&test);
        return rc;
    }
    wci_strv_free(&options->settings.health_test);
    options->settings.health_test = test;
    return WC_OK;
}

int32_t wc_container_options_disable_health(wc_container_options *options, wc_error **err)
{
    static const char *const none[] = {"NONE"};
    return wci_option_set_list(options, options ? &options->settings.health_test : NULL, none, 1, "health command", err);
}

int32_t wc_container_options_set_health_times(wc_container_options *options, int64_t interval_ns, int64_t timeout_ns,
                                              int64_t start_period_ns, int64_t start_interval_ns, wc_error **err)
{
    const struct {
        const char *what;
        int64_t value;
    } times[] = {{"health interval", interval_ns},
                 {"health timeout", timeout_ns},
                 {"health start period", start_period_ns},
                 {"health start interval", start_interval_ns}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (times[i].value && times[i].value < 1000000)
            return wci_err(err, WC_E_INVALID, "%s: must be 0 (default) or at least 1 ms", times[i].what);
    int64_t unused = 0;
    int32_t rc = wci_option_set_number(options, &unused, 0, 1, "health times", "", err);
    if (rc)
        return rc;
    options->settings.health_interval_ns = interval_ns;
    options->settings.health_timeout_ns = timeout_ns;
    options->settings.health_start_period_ns = start_period_ns;
    options->settings.health_start_interval_ns = start_interval_ns;
    return WC_OK;
}

int32_t wc_container_options_set_health_retries(wc_container_options *options, int64_t retries, wc_error **err)
{
    return wci_option_set_number(options, options ? &options->settings.health_retries : NULL, retries, retries >= 0,
                                 "health retries", "must not be negative", err);
}
