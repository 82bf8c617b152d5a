/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/rootless.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "core/str.h"
#include "platform/file.h"
#include "platform/host.h"
#include "platform/userns.h"

int wci_rootless(void)
{
    return !wci_host_is_root() || wci_userns_is_inside();
}

/* ---- Control groups ------------------------------------------------------------------------------ */

const char *wci_rootless_why_no_cgroup(void)
{
    if (!wci_cgroup_is_unified())
        return "the host has control groups of version 1, which users cannot have; run it as root, or boot the host with "
               "version 2 alone (systemd.unified_cgroup_hierarchy=1)";
    return "no control group was given to this user; run it in one, as by: systemd-run --user --scope COMMAND";
}

int32_t wci_rootless_need_cgroup(const char *what, const char *cgroup, wc_error **err)
{
    if (*cgroup)
        return WC_OK;
    return wci_err(err, WC_E_UNSUPPORTED, "%s: cannot be had by an ordinary user here: %s", what,
                   wci_rootless_why_no_cgroup());
}

/* Sections of the document's resources, what users call them, and the controller of version 2. */
static const struct {
    const char *section, *name, *controller;
} limits[] = {
    {"memory", "memory limits", "memory"},
    {"cpu", "cpu limits", "cpu"},
    {"pids", "the limit of processes", "pids"},
    {"blockIO", "limits of block devices", "io"},
};

static int has_controller(const char *name)
{
    char base[WCI_CGROUP_PATH_SIZE], path[WCI_CGROUP_PATH_SIZE + 64], text[512], *rest = NULL;
    if (!wci_cgroup_user_base(base, sizeof base))
        return 0;
    snprintf(path, sizeof path, "/sys/fs/cgroup%s/cgroup.controllers", base);
    if (!wci_cgroup_read(-1, path, text, sizeof text))
        return 0;
    for (char *word = strtok_r(text, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest))
        if (!strcmp(word, name))
            return 1;
    return 0;
}

static int32_t check_limits(json_t *resources, const char *cgroup, wc_error **err)
{
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        if (!json_object_size(json_object_get(resources, limits[i].section)))
            continue;
        int32_t rc = wci_rootless_need_cgroup(limits[i].name, cgroup, err);
        if (!rc && !has_controller(limits[i].controller))
            rc = wci_err(err, WC_E_UNSUPPORTED,
                         "%s: the control group of this user has no controller '%s'; have it delegated to him "
                         "(systemd: Delegate= of user@.service)", limits[i].name, limits[i].controller);
        if (rc)
            return rc;
    }
    return WC_OK;
}

static int32_t amend_cgroup(json_t *os, const char *cgroup, wc_error **err)
{
    json_t *resources = json_object_get(os, "resources");
    int32_t rc = check_limits(resources, cgroup, err);
    if (rc)
        return rc;
    json_object_del(resources, "devices"); /* rules for devices are root's */
    if (!*cgroup) {
        json_object_del(os, "resources");
        json_object_del(os, "cgroupsPath");
    }
    return WC_OK;
}

/* ---- Ids ----------------------------------------------------------------------------------------- */

/* How many ids there are, from 0 on. */
static json_int_t count_ids(const wci_id_map *map)
{
    const wci_id_range *last = map->count ? &map->ranges[map->count - 1] : NULL;
    return last ? (json_int_t)last->inside + last->count : 0;
}

static int32_t check_id(json_t *user, const char *key, json_int_t count, const wci_user_ids *ids, wc_error **err)
{
    json_int_t id = json_integer_value(json_object_get(user, key));
    if (id < count)
        return WC_OK;
    return wci_err(err, WC_E_UNSUPPORTED, "%s %lld: there are only %lld ids here%s%s; give this user more of them in /etc/subuid and "
                   "/etc/subgid", !strcmp(key, "uid") ? "user" : "group", (long long)id, (long long)count,
                   ids->lacking[0] ? ": " : "", ids->lacking);
}

/* Of the namespace that we are in, or that a helper of ours will be in. */
static void read_ids(wci_user_ids *ids)
{
    if (wci_userns_is_inside() && wci_host_is_root())
        wci_userns_read(ids);
    else
        wci_user_ids_read(ids);
}

static int32_t amend_user(json_t *user, wc_error **err)
{
    wci_user_ids ids;
    read_ids(&ids);
    json_int_t gids = count_ids(&ids.gids);
    int32_t rc = check_id(user, "uid", count_ids(&ids.uids), &ids, err);
    if (!rc)
        rc = check_id(user, "gid", gids, &ids, err);
    json_t *groups = json_object_get(user, "additionalGids");
    for (size_t i = json_array_size(groups); i-- > 0;)
        if (ids.gids.count < 2 || json_integer_value(json_array_get(groups, i)) >= gids)
            json_array_remove(groups, i);
    if (!json_array_size(groups))
        json_object_del(user, "additionalGids");
    return rc;
}

/* ---- Mounts -------------------------------------------------------------------------------------- */

static int has_namespace(json_t *os, const char *type)
{
    json_t *namespace;
    size_t i;
    json_array_foreach(json_object_get(os, "namespaces"), i, namespace)
    {
        const char *text = json_string_value(json_object_get(namespace, "type"));
        if (text && !strcmp(text, type))
            return 1;
    }
    return 0;
}

/* A file system of the kernel's cannot be mounted for a namespace of the host; what the host has there can. */
static int bind_hosts(json_t *mount)
{
    json_t *options = json_object_get(mount, "options");
    const char *target = json_string_value(json_object_get(mount, "destination"));
    return json_object_set_new(mount, "type", json_string("bind")) ||
           json_object_set_new(mount, "source", json_string(target)) ||
           json_array_insert_new(options, 0, json_string("rbind"));
}

static int drop_option(json_t *mount, const char *name)
{
    json_t *options = json_object_get(mount, "options"), *option;
    size_t i;
    json_array_foreach(options, i, option)
        if (!strcmp(json_string_value(option), name))
            return json_array_remove(options, i);
    return 0;
}

static int amend_mount(json_t *os, json_t *mount, json_int_t gids)
{
    static const struct {
        const char *type, *namespace;
    } kinds[] = {{"proc", "pid"}, {"sysfs", "network"}, {"mqueue", "ipc"}};
    const char *type = json_string_value(json_object_get(mount, "type"));
    for (size_t i = 0; type && i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(type, kinds[i].type))
            return has_namespace(os, kinds[i].namespace) ? 0 : bind_hosts(mount);
    return type && !strcmp(type, "devpts") && gids <= 5 ? drop_option(mount, "gid=5") : 0;
}

/* Not every host has one of message queues. */
static int is_missing(json_t *mount)
{
    const char *source = json_string_value(json_object_get(mount, "source"));
    return source && !strcmp(source, "/dev/mqueue") && !wci_file_exists(source);
}

static int amend_mounts(json_t *spec, json_t *os, json_int_t gids)
{
    json_t *mounts = json_object_get(spec, "mounts");
    int failed = 0;
    for (size_t i = json_array_size(mounts); i-- > 0;) {
        json_t *mount = json_array_get(mounts, i);
        failed |= amend_mount(os, mount, gids);
        if (is_missing(mount))
            failed |= json_array_remove(mounts, i);
    }
    return failed;
}

/* ---- Devices ------------------------------------------------------------------------------------- */

/* Where the host has it, when it is one that was asked for; owned. */
static char *host_path(json_t *devices, const char *path)
{
    json_t *device;
    size_t i;
    json_array_foreach(devices, i, device)
    {
        const char *host = json_string_value(json_object_get(device, "host"));
        const char *target = json_string_value(json_object_get(device, "target"));
        size_t size = target ? strlen(target) : 0;
        if (host && size && !strncmp(path, target, size) && (!path[size] || path[size] == '/'))
            return wci_asprintf("%s%s", host, path + size);
    }
    return NULL;
}

/* Nobody makes nodes here, and runtimes that bind the host's take the container's name of it for the host's. */
static int bind_devices(json_t *spec, json_t *os, const char *settings)
{
    json_t *config = json_loads(settings, 0, NULL), *devices = json_object_get(os, "devices");
    int failed = 0;
    for (size_t i = json_array_size(devices); i-- > 0;) {
        const char *path = json_string_value(json_object_get(json_array_get(devices, i), "path"));
        char *host = path ? host_path(json_object_get(config, "devices"), path) : NULL;
        if (host)
            failed |= json_array_append_new(json_object_get(spec, "mounts"),
                                            json_pack("{s:s, s:s, s:s, s:[s,s,s,s]}", "destination", path, "type", "bind",
                                                      "source", host, "options", "bind", "rprivate", "nosuid", "noexec")) ||
                      json_array_remove(devices, i);
        wci_free(host);
    }
    json_decref(config);
    return failed;
}

/* ---- Sysctls ------------------------------------------------------------------------------------- */

/* Only groups that there are. */
static int amend_sysctls(json_t *os, json_int_t gids)
{
    static const char ping[] = "net.ipv4.ping_group_range";
    char range[48];
    json_t *sysctls = json_object_get(os, "sysctl");
    const char *text = json_string_value(json_object_get(sysctls, ping));
    if (!text || strcmp(text, "0 2147483647"))
        return 0;
    snprintf(range, sizeof range, "0 %lld", (long long)gids - 1);
    return json_object_set_new(sysctls, ping, json_string(range));
}

/* ---- All of it ----------------------------------------------------------------------------------- */

static json_int_t own_gids(void)
{
    wci_user_ids ids;
    read_ids(&ids);
    return count_ids(&ids.gids);
}

int32_t wci_rootless_amend_process(json_t *process, wc_error **err)
{
    return wci_rootless() ? amend_user(json_object_get(process, "user"), err) : WC_OK;
}

int32_t wci_rootless_amend(json_t *spec, const char *cgroup, const char *settings, wc_error **err)
{
    json_t *os = json_object_get(spec, "linux");
    if (!wci_rootless())
        return WC_OK;
    int32_t rc = wci_cgroup_is_users() ? amend_cgroup(os, cgroup, err) : WC_OK;
    json_int_t gids = own_gids();
    if (!rc && (amend_mounts(spec, os, gids) || bind_devices(spec, os, settings) || amend_sysctls(os, gids)))
        rc = wci_err_nomem(err);
    return rc ? rc : wci_rootless_amend_process(json_object_get(spec, "process"), err);
}

int32_t wci_rootless_check(const wc_request *request, const wci_cgroup *group, wc_error **err)
{
    if (!wci_cgroup_is_users())
        return WC_OK;
    json_t *config = json_loads(wc_request_config(request), 0, NULL);
    const char *parent = json_string_value(json_object_get(config, "cgroupParent"));
    const char *domain = json_string_value(json_object_get(config, "domainname"));
    int32_t rc = WC_OK;
    if (domain && *domain)
        rc = wci_err(err, WC_E_UNSUPPORTED, "domain name '%s': the kernel lets only root of the host set one; leave it out, or "
                     "run it as root", domain);
    const char *mode = json_string_value(json_object_get(config, "userMode"));
    int keeps_id = mode && !strncmp(mode, "keep-id", strlen("keep-id"));
    if (!rc && !keeps_id && json_array_size(json_object_get(config, "uidMaps")))
        rc = wci_err(err, WC_E_UNSUPPORTED, "user namespace: a user's containers are in his own, with the ids of /etc/subuid; "
                     "maps of their own take root");
    if (!rc && parent && *parent)
        rc = wci_rootless_need_cgroup("a control group above the container's", group->path, err);
    if (!rc && json_array_size(json_object_get(config, "deviceRules")))
        rc = wci_err(err, WC_E_UNSUPPORTED, "rules for devices: an ordinary user cannot have them; run it as root");
    json_decref(config);
    return rc;
}
