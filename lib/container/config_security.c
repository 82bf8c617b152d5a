/* SPDX-License-Identifier: Apache-2.0 */
/* Rights and namespaces. */
#include "container/config.h"

static const wci_field fields[] = {
    WCI_FIELD("privileged", FLAG, wci_config, privileged),
    WCI_FIELD("noNewPrivileges", FLAG, wci_config, no_new_privileges),
    WCI_FIELD("capAdd", TEXTS, wci_config, cap_add),
    WCI_FIELD("capDrop", TEXTS, wci_config, cap_drop),
};
const wci_fields wci_config_security = WCI_FIELDS(fields, wci_config);
