/* SPDX-License-Identifier: Apache-2.0 */
#include "container/spec.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"
#include "platform/tree.h"

#define CPU_PERIOD_US 100000

int wci_host_has_cgroup2(void)
{
    return wci_file_exists("/sys/fs/cgroup/cgroup.controllers");
}

/* Without swap accounting a v1 kernel has no such file, and a runtime fails on the setting. */
static int counts_swap(void)
{
    return wci_host_has_cgroup2() ||
           wci_file_exists("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes");
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

/* ---- Resources -------------------------------------------------------------------------------- */

/* Nothing, but what every container has: null, zero, full, random, urandom, tty, console, ptmx and
 * terminals; and making any node, which is of no use without the right to open it. */
static json_t *device_rules(const wci_config *config)
{
    static const struct {
        int major, minor; /* -1: all */
    } allowed[] = {{1, 5}, {1, 3}, {1, 9}, {1, 8}, {1, 7}, {5, 0}, {5, 1}, {5, 2}, {136, -1}};
    if (config->privileged)
        return json_pack("[{s:b, s:s}]", "allow", 1, "access", "rwm");
    json_t *list =
        json_pack("[{s:b, s:s}, {s:b, s:s, s:s}, {s:b, s:s, s:s}]", "allow", 0, "access", "rwm",
                  "allow", 1, "type", "c", "access", "m", "allow", 1, "type", "b", "access", "m");
    int failed = !list;
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        json_t *rule = json_pack("{s:b, s:s, s:i, s:s}", "allow", 1, "type", "c", "major",
                                 allowed[i].major, "access", "rwm");
        if (allowed[i].minor >= 0)
            failed |= json_object_set_new(rule, "minor", json_integer(allowed[i].minor));
        failed |= json_array_append_new(list, rule);
    }
    if (failed) {
        json_decref(list);
        return NULL;
    }
    return list;
}

static int add_memory(json_t *resources, const wci_config *config)
{
    if (!config->memory)
        return 0;
    json_t *memory = json_pack("{s:I}", "limit", (json_int_t)config->memory);
    int64_t swap = config->memory_swap;
    int failed = !memory;
    /* As Docker: as much swap again, unless said otherwise. */
    if (!swap && counts_swap())
        swap = config->memory <= INT64_MAX / 2 ? config->memory * 2 : -1;
    if (swap)
        failed |= json_object_set_new(memory, "swap", json_integer(swap));
    return json_object_set_new(resources, "memory", memory) || failed;
}

static int add_cpu(json_t *resources, const wci_config *config)
{
    if (!config->nano_cpus && !config->cpu_shares && !*config->cpuset)
        return 0;
    json_t *cpu = json_object();
    int failed = !cpu;
    if (config->cpu_shares)
        failed |= json_object_set_new(cpu, "shares", json_integer(config->cpu_shares));
    if (config->nano_cpus) {
        json_int_t quota = config->nano_cpus / (1000000000 / CPU_PERIOD_US);
        failed |= json_object_set_new(cpu, "period", json_integer(CPU_PERIOD_US));
        failed |= json_object_set_new(cpu, "quota", json_integer(quota));
    }
    if (*config->cpuset)
        failed |= json_object_set_new(cpu, "cpus", json_string(config->cpuset));
    return json_object_set_new(resources, "cpu", cpu) || failed;
}

static int add_pids(json_t *resources, const wci_config *config)
{
    if (config->pids_limit <= 0)
        return 0;
    return json_object_set_new(resources, "pids",
                               json_pack("{s:I}", "limit", (json_int_t)config->pids_limit));
}

json_t *wci_spec_resources(const wci_config *config)
{
    json_t *resources = json_pack("{s:o}", "devices", device_rules(config));
    if (resources && !add_memory(resources, config) && !add_cpu(resources, config) &&
        !add_pids(resources, config))
        return resources;
    json_decref(resources);
    return NULL;
}

/* ---- Devices of the host ---------------------------------------------------------------------- */

static int is_skipped(const char *name)
{
    static const char *const names[] = {"pts", "shm", "fd", "mqueue", "console", "ptmx",
                                        ".lxc", ".lxd-mounts", ".udev", NULL};
    for (const char *const *p = names; *p; p++)
        if (!strcmp(*p, name))
            return 1;
    return 0;
}

static int add_device(json_t *list, const char *path, const wci_node_info *info)
{
    return json_array_append_new(
        list, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "path", path, "type",
                        info->type == WCI_NODE_CHAR ? "c" : "b", "major",
                        (json_int_t)info->dev_major, "minor", (json_int_t)info->dev_minor,
                        "fileMode", (json_int_t)info->mode, "uid", (json_int_t)info->uid, "gid",
                        (json_int_t)info->gid));
}

static int32_t add_devices(json_t *list, wci_fd dir, const char *prefix, int depth, wc_error **err);

static int32_t add_entry(json_t *list, wci_fd dir, const char *prefix, const char *name, int depth,
                         wc_error **err)
{
    wci_node_info info;
    if (is_skipped(name) || wci_tree_stat(dir, name, &info, NULL))
        return WC_OK; /* devices come and go while we look */
    char *path = wci_path_join(prefix, name);
    int32_t rc = path ? WC_OK : wci_err_nomem(err);
    wci_fd below;
    if (!rc && (info.type == WCI_NODE_CHAR || info.type == WCI_NODE_BLOCK)) {
        if (add_device(list, path, &info))
            rc = wci_err_nomem(err);
    } else if (!rc && info.type == WCI_NODE_DIR && depth < 8 &&
               !wci_tree_open_dir(dir, name, &below, NULL)) {
        rc = add_devices(list, below, path, depth + 1, err);
        wci_fd_close(below);
    }
    wci_free(path);
    return rc;
}

static int32_t add_devices(json_t *list, wci_fd dir, const char *prefix, int depth, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    int32_t rc = wci_tree_list(dir, &names, err);
    for (size_t i = 0; !rc && i < names.count; i++)
        rc = add_entry(list, dir, prefix, names.items[i], depth, err);
    wci_strv_free(&names);
    return rc;
}

int32_t wci_spec_host_devices(json_t **out, wc_error **err)
{
    json_t *list = json_array();
    wci_fd dir;
    int32_t rc = wci_tree_open_root("/dev", &dir, err);
    if (!rc) {
        rc = list ? add_devices(list, dir, "/dev", 0, err) : wci_err_nomem(err);
        wci_fd_close(dir);
    }
    if (rc)
        json_decref(list);
    else
        *out = list;
    return rc;
}
