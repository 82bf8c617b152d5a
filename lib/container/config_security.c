/* SPDX-License-Identifier: Apache-2.0 */
/* Rights and namespaces. */
#include "container/config.h"

static const wci_field fields[] = {
    WCI_FIELD("privileged", FLAG, wci_config, privileged),
    WCI_FIELD("noNewPrivileges", FLAG, wci_config, no_new_privileges),
    WCI_FIELD("capAdd", TEXTS, wci_config, cap_add),
    WCI_FIELD("capDrop", TEXTS, wci_config, cap_drop),
    WCI_FIELD("apparmor", TEXT, wci_config, apparmor),
    WCI_FIELD("selinuxLabels", TEXTS, wci_config, selinux),
    WCI_FIELD("mask", TEXTS, wci_config, mask),
    WCI_FIELD("unmask", TEXTS, wci_config, unmask),
    WCI_FIELD("groupAdd", TEXTS, wci_config, group_add),
    WCI_FIELD("pidMode", TEXT, wci_config, pid_mode),
    WCI_FIELD("ipcMode", TEXT, wci_config, ipc_mode),
    WCI_FIELD("utsMode", TEXT, wci_config, uts_mode),
    WCI_FIELD("cgroupMode", TEXT, wci_config, cgroup_mode),
    WCI_FIELD("userMode", TEXT, wci_config, user_mode),
    WCI_FIELD("uidMaps", TEXTS, wci_config, uid_maps),
    WCI_FIELD("gidMaps", TEXTS, wci_config, gid_maps),
    WCI_FIELD("domainname", TEXT, wci_config, domainname),
};
const wci_fields wci_config_security = WCI_FIELDS(fields, wci_config);
