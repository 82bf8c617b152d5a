/* SPDX-License-Identifier: Apache-2.0 */
/* Life: what ends it and what comes after. */
#include "container/config.h"

static const wci_field fields[] = {
    WCI_FIELD("autoRemove", FLAG, wci_config, auto_remove),
    WCI_FIELD("stopSignal", TEXT, wci_config, stop_signal),
    WCI_FIELD("stopTimeoutNs", NUMBER, wci_config, stop_timeout_ns),
    WCI_FIELD("restartPolicy", TEXT, wci_config, restart_policy),
    WCI_FIELD("restartMax", NUMBER, wci_config, restart_max),
    WCI_FIELD("healthTest", TEXTS, wci_config, health_test),
    WCI_FIELD("healthIntervalNs", NUMBER, wci_config, health_interval_ns),
    WCI_FIELD("healthTimeoutNs", NUMBER, wci_config, health_timeout_ns),
    WCI_FIELD("healthStartPeriodNs", NUMBER, wci_config, health_start_period_ns),
    WCI_FIELD("healthStartIntervalNs", NUMBER, wci_config, health_start_interval_ns),
    WCI_FIELD("healthRetries", NUMBER, wci_config, health_retries),
};
const wci_fields wci_config_life = WCI_FIELDS(fields, wci_config);
