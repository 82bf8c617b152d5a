/* SPDX-License-Identifier: Apache-2.0 */
#include "container/spec.h"

#include "container/namespace.h"
#include "core/alloc.h"
#include "platform/file.h"

int wci_host_has_cgroup2(void)
{
    return wci_file_exists("/sys/fs/cgroup/cgroup.controllers");
}

/* Another container's is a file by then. */
static json_t *joined(const char *run_dir, wci_ns_kind kind)
{
    char *path = wci_ns_joined_path(run_dir, kind);
    json_t *json = path ? json_pack("{s:s, s:s}", "type", wci_ns_kind_name(kind), "path", path) : NULL;
    wci_free(path);
    return json;
}

static int add(json_t *list, const wci_spec_input *in, wci_ns_kind kind)
{
    switch (wci_ns_mode_of(in->config, kind)) {
    case WCI_NS_HOST:
        return 0;
    case WCI_NS_CONTAINER:
        return json_array_append_new(list, joined(in->run_dir, kind));
    default:
        return json_array_append_new(list, json_pack("{s:s}", "type", wci_ns_kind_name(kind)));
    }
}

json_t *wci_spec_namespaces(const wci_spec_input *in)
{
    json_t *list = json_pack("[{s:s}]", "type", "mount");
    int failed = !list;
    for (int kind = 0; kind < WCI_NS_KINDS && !failed; kind++)
        failed = add(list, in, (wci_ns_kind)kind);
    if (!failed && in->network != WCI_NETWORK_HOST)
        failed = json_array_append_new(list, json_pack("{s:s}", "type", "network"));
    if (failed) {
        json_decref(list);
        return NULL;
    }
    return list;
}
