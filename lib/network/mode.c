/* SPDX-License-Identifier: Apache-2.0 */
#include "network/mode.h"

#include <string.h>

#include "core/error.h"
#include "core/str.h"
#include "network/settings.h"

#define CONTAINER "container:"

int32_t wci_network_mode_parse(const char *text, wci_network_mode *out, wc_error **err)
{
    int32_t rc = WC_OK;
    if (!*text)
        return wci_err(err, WC_E_INVALID, "network: the mode must not be empty");
    if (!strcmp(text, "none"))
        *out = WCI_NETWORK_NONE;
    else if (!strcmp(text, "host"))
        *out = WCI_NETWORK_HOST;
    else if (wci_starts_with(text, CONTAINER) && text[sizeof CONTAINER - 1])
        *out = WCI_NETWORK_CONTAINER;
    else if (!(rc = wci_network_name_check(text, err)))
        *out = WCI_NETWORK_NAMED;
    return rc;
}

const char *wci_network_mode_target(const char *text)
{
    return text + sizeof CONTAINER - 1;
}
