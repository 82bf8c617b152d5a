/* SPDX-License-Identifier: Apache-2.0 */
/* Life: what ends it and what comes after. */
#include "container/config.h"

static const wci_field fields[] = {
    WCI_FIELD("autoRemove", FLAG, wci_config, auto_remove),
    WCI_FIELD("stopSignal", TEXT, wci_config, stop_signal),
    WCI_FIELD("stopTimeoutNs", NUMBER, wci_config, stop_timeout_ns),
    WCI_FIELD("restartPolicy", TEXT, wci_config, restart_policy),
    WCI_FIELD("restartMax", NUMBER, wci_config, restart_max),
};
const wci_fields wci_config_life = WCI_FIELDS(fields, wci_config);
