/* SPDX-License-Identifier: Apache-2.0 */
#include "container/options.h"

#include "core/signal.h"
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
