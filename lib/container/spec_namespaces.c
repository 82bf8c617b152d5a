/* SPDX-License-Identifier: Apache-2.0 */
#include "container/spec.h"

#include "platform/file.h"

int wci_host_has_cgroup2(void)
{
    return wci_file_exists("/sys/fs/cgroup/cgroup.controllers");
}

json_t *wci_spec_namespaces(wci_network_mode network)
{
    json_t *list = json_pack("[{s:s}, {s:s}, {s:s}, {s:s}]", "type", "mount", "type", "uts",
                             "type", "pid", "type", "ipc");
    int failed = !list;
    if (network != WCI_NETWORK_HOST)
        failed |= json_array_append_new(list, json_pack("{s:s}", "type", "network"));
    /* As Docker: private where the v2 tree is the only one. */
    if (wci_host_has_cgroup2())
        failed |= json_array_append_new(list, json_pack("{s:s}", "type", "cgroup"));
    if (failed) {
        json_decref(list);
        return NULL;
    }
    return list;
}
