/* SPDX-License-Identifier: Apache-2.0 */
#include "run_options.h"

static int privileged;
static text_list cap_add, cap_drop, security, groups, uid_maps, gid_maps;
static const char *pid, *ipc, *uts, *cgroup, *user, *domainname;

static const option options[] = {
    {0, "privileged", OPTION_FLAG, NULL, "every right", &privileged},
    {0, "cap-add", OPTION_LIST, "CAPABILITY", "add a capability", &cap_add},
    {0, "cap-drop", OPTION_LIST, "CAPABILITY", "drop a capability", &cap_drop},
    {0, "security-opt", OPTION_LIST, "OPTION",
     "seccomp=FILE|unconfined, no-new-privileges, apparmor=, label=, systempaths=unconfined, mask=, unmask=", &security},
    {0, "group-add", OPTION_LIST, "GROUP", "a further group", &groups},
    {0, "pid", OPTION_MAYBE, "host|container:NAME", "whose processes it sees", &pid},
    {0, "ipc", OPTION_MAYBE, "MODE", "shared memory: private, shareable, none, host or container:NAME", &ipc},
    {0, "uts", OPTION_MAYBE, "host|container:NAME", "whose host name it has", &uts},
    {0, "cgroupns", OPTION_MAYBE, "MODE", "view of control groups: private, host or container:NAME", &cgroup},
    {0, "userns", OPTION_MAYBE, "host|private|keep-id", "user namespace", &user},
    {0, "uidmap", OPTION_LIST, "CONTAINER:HOST:SIZE", "users of a user namespace of its own", &uid_maps},
    {0, "gidmap", OPTION_LIST, "CONTAINER:HOST:SIZE", "groups of it; default: as the users", &gid_maps},
    {0, "domainname", OPTION_MAYBE, "NAME", "NIS domain name", &domainname},
};

static void set_run_each(wc_container_options *to, const text_list *list,
                     int32_t (*set)(wc_container_options *, const char *, wc_error **))
{
    for (size_t i = 0; i < list->count; i++)
        run_set(to, list->items[i], set);
}

static void set_namespaces(wc_container_options *to)
{
    const struct {
        const char *kind, *mode;
    } all[] = {{"pid", pid}, {"ipc", ipc}, {"uts", uts}, {"cgroup", cgroup}, {"user", user}};
    wc_error *err = NULL;
    for (size_t i = 0; i < countof(all); i++)
        if (all[i].mode && *all[i].mode)
            TRY(wc_container_options_set_namespace(to, all[i].kind, all[i].mode, &err));
}

static void apply(wc_container_options *to)
{
    wc_error *err = NULL;
    TRY(wc_container_options_set_privileged(to, privileged, &err));
    set_run_each(to, &cap_add, wc_container_options_add_capability);
    set_run_each(to, &cap_drop, wc_container_options_drop_capability);
    set_run_each(to, &security, wc_container_options_add_security);
    set_run_each(to, &groups, wc_container_options_add_group);
    set_namespaces(to);
    set_run_each(to, &uid_maps, wc_container_options_add_uid_map);
    set_run_each(to, &gid_maps, wc_container_options_add_gid_map);
    run_set(to, domainname, wc_container_options_set_domainname);
}

const option_group run_security = {options, countof(options), apply};
