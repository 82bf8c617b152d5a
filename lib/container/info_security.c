/* SPDX-License-Identifier: Apache-2.0 */
#include "container/info.h"

#include <string.h>

#include "container/namespace.h"
#include "container/system_paths.h"
#include "core/alloc.h"
#include "core/json.h"

static int add_option(json_t *list, const char *name, const char *value)
{
    return json_array_append_new(list, json_sprintf("%s=%s", name, value));
}

/* The options as `run` takes them. */
static json_t *options(const wci_config *c)
{
    json_t *list = json_array();
    int failed = !list;
    if (c->no_new_privileges)
        failed |= json_array_append_new(list, json_string("no-new-privileges"));
    if (strcmp(c->seccomp, "default"))
        failed |= add_option(list, "seccomp", c->seccomp);
    if (*c->apparmor)
        failed |= add_option(list, "apparmor", c->apparmor);
    for (size_t i = 0; i < c->selinux.count; i++)
        failed |= add_option(list, "label", c->selinux.items[i]);
    for (size_t i = 0; i < c->mask.count; i++)
        failed |= add_option(list, "mask", c->mask.items[i]);
    for (size_t i = 0; i < c->unmask.count; i++)
        failed |= add_option(list, "unmask", c->unmask.items[i]);
    if (!failed)
        return list;
    json_decref(list);
    return NULL;
}

static int add_paths(json_t *root, const wci_config *c)
{
    wci_strv hidden = WCI_STRV_INIT, read_only = WCI_STRV_INIT;
    int failed = wci_system_paths(c, &hidden, &read_only) ||
                 wci_info_put(root, "HostConfig",
                              json_pack("{s:o, s:o}", "MaskedPaths", wci_json_from_strv(&hidden), "ReadonlyPaths",
                                        wci_json_from_strv(&read_only)));
    wci_strv_free(&hidden);
    wci_strv_free(&read_only);
    return failed;
}

/* Docker leaves the default empty but for these two. */
static const char *mode(const wci_config *c, wci_ns_kind kind)
{
    const char *text = wci_ns_text(c, kind);
    if (*text || (kind != WCI_NS_IPC && kind != WCI_NS_CGROUP))
        return text;
    return wci_ns_mode_of(c, kind) == WCI_NS_HOST ? "host" : "private";
}

int wci_info_add_security(json_t *root, const wci_container_record *r, const wci_config *c)
{
    (void)r;
    json_t *json = json_pack("{s:b, s:o, s:o, s:o, s:o, s:s, s:s, s:s, s:s, s:s}", "Privileged", c->privileged, "CapAdd",
                             wci_json_from_strv(&c->cap_add), "CapDrop", wci_json_from_strv(&c->cap_drop), "GroupAdd",
                             wci_json_from_strv(&c->group_add), "SecurityOpt", options(c), "PidMode",
                             mode(c, WCI_NS_PID), "IpcMode", mode(c, WCI_NS_IPC), "UTSMode", mode(c, WCI_NS_UTS),
                             "CgroupnsMode", mode(c, WCI_NS_CGROUP), "UsernsMode", mode(c, WCI_NS_USER));
    return wci_info_put(root, "HostConfig", json) || add_paths(root, c) ||
           wci_info_put(root, "Config", json_pack("{s:s}", "Domainname", c->domainname));
}
