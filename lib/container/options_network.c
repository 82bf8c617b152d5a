/* SPDX-License-Identifier: Apache-2.0 */
#include "container/options.h"

#include <string.h>

#include "core/error.h"

int32_t wc_container_options_set_hostname(wc_container_options *options, const char *hostname, wc_error **err)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    int32_t rc = wci_option_check_text(options, hostname, "hostname", err);
    if (rc)
        return rc;
    size_t size = strlen(hostname);
    if (!size || size > 64 || strspn(hostname, allowed) != size)
        return wci_err(err, WC_E_INVALID,
                       "hostname '%.80s': must be 1 to 64 letters, digits, '-', '.' or '_'", hostname);
    return wci_option_set_text(options, &options->settings.hostname, hostname, "hostname", err);
}

int32_t wc_container_options_set_network(wc_container_options *options, const char *mode, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, mode, "network", err);
    if (!rc && !*mode)
        rc = wci_err(err, WC_E_INVALID, "network: the mode must not be empty");
    return rc ? rc : wci_option_set_text(options, &options->settings.network, mode, "network", err);
}
