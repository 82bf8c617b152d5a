/* SPDX-License-Identifier: Apache-2.0 */
/* Streams and logs. */
#include "container/config.h"

static const wci_field fields[] = {
    WCI_FIELD("tty", FLAG, wci_config, tty),
    WCI_FIELD("openStdin", FLAG, wci_config, open_stdin),
    WCI_FIELD("consoleColumns", NUMBER, wci_config, console_columns),
    WCI_FIELD("consoleRows", NUMBER, wci_config, console_rows),
    WCI_FIELD("logMaxBytes", NUMBER, wci_config, log_max_bytes),
    WCI_FIELD("logMaxFiles", NUMBER, wci_config, log_max_files),
    WCI_FIELD("logDriver", TEXT, wci_config, log_driver),
    WCI_FIELD("logTag", TEXT, wci_config, log_tag),
};
const wci_fields wci_config_watch = WCI_FIELDS(fields, wci_config);
