/* SPDX-License-Identifier: Apache-2.0 */
#include "network/mode.h"

#include <string.h>

#include "core/error.h"

static const char *const names[] = {[WCI_NETWORK_NONE] = "none", [WCI_NETWORK_HOST] = "host"};

int32_t wci_network_mode_parse(const char *text, wci_network_mode *out, wc_error **err)
{
    if (!*text)
        return wci_err(err, WC_E_INVALID, "network: the mode must not be empty");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(text, names[i])) {
            *out = (wci_network_mode)i;
            return WC_OK;
        }
    return wci_err(err, WC_E_UNSUPPORTED,
                   "network '%.80s': this version has 'none' and 'host'; bridges, networks by name "
                   "and 'container:NAME' come in a later one",
                   text);
}

const char *wci_network_mode_name(wci_network_mode mode)
{
    return names[mode];
}
