/* SPDX-License-Identifier: Apache-2.0 */
#include "container/spec.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"
#include "platform/tree.h"

/* Nothing, but what every container has: null, zero, full, random, urandom, tty, console, ptmx and
 * terminals; and making any node, which is of no use without the right to open it. */
json_t *wci_spec_device_rules(const wci_config *config)
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

static int32_t host_devices(json_t **out, wc_error **err)
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

int32_t wci_spec_devices(const wci_config *config, json_t *os, wc_error **err)
{
    json_t *devices = NULL;
    int32_t rc = config->privileged ? host_devices(&devices, err) : WC_OK;
    if (!rc && devices && json_object_set_new(os, "devices", devices))
        rc = wci_err_nomem(err);
    return rc;
}
