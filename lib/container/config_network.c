/* SPDX-License-Identifier: Apache-2.0 */
/* Names and networks. */
#include "container/config.h"

static const wci_field fields[] = {
    WCI_FIELD("hostname", TEXT, wci_config, hostname),
    WCI_FIELD("network", TEXT, wci_config, network),
    WCI_FIELD("ports", TEXTS, wci_config, ports),
};
const wci_fields wci_config_network = WCI_FIELDS(fields, wci_config);
