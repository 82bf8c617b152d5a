/* SPDX-License-Identifier: Apache-2.0 */
#include "container/spec.h"

#include <stdlib.h>
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

json_t *wci_spec_device(const char *path, const wci_node_info *node)
{
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I}", "path", path, "type",
                     node->type == WCI_NODE_CHAR ? "c" : "b", "major", (json_int_t)node->dev_major, "minor",
                     (json_int_t)node->dev_minor, "fileMode", (json_int_t)node->mode, "uid", (json_int_t)node->uid,
                     "gid", (json_int_t)node->gid);
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
        if (json_array_append_new(list, wci_spec_device(path, &info)))
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

/* Those of a directory; `prefix` is what it is called in the container. */
static int32_t devices_in(const char *dir_path, const char *prefix, json_t *list, wc_error **err)
{
    wci_fd dir;
    int32_t rc = wci_tree_open_root(dir_path, &dir, err);
    if (rc)
        return rc;
    rc = add_devices(list, dir, prefix, 0, err);
    wci_fd_close(dir);
    return rc;
}

/* ---- Devices that were asked for ---------------------------------------------------------------- */

int32_t wci_spec_node(const char *path, wci_node_info *out, wc_error **err)
{
    char *real = NULL, *parent = NULL;
    wci_fd dir = WCI_FD_NONE;
    int32_t rc = wci_path_real(path, &real, err);
    if (!rc && !(parent = wci_path_parent(real)))
        rc = wci_err_nomem(err);
    if (!rc)
        rc = wci_tree_open_root(parent, &dir, err);
    if (!rc)
        rc = wci_tree_stat(dir, *wci_path_base(real) ? wci_path_base(real) : NULL, out, err);
    wci_fd_close(dir);
    wci_free(real);
    wci_free(parent);
    return rc;
}

json_t *wci_spec_device_rule(const wci_node_info *node, const char *access)
{
    return json_pack("{s:b, s:s, s:I, s:I, s:s}", "allow", 1, "type", node->type == WCI_NODE_CHAR ? "c" : "b", "major",
                     (json_int_t)node->dev_major, "minor", (json_int_t)node->dev_minor, "access", access);
}

static int is_in(json_t *list, const char *path)
{
    json_t *device;
    size_t i;
    json_array_foreach(list, i, device)
        if (wci_streq(json_string_value(json_object_get(device, "path")), path))
            return 1;
    return 0;
}

/* Those that are not there yet, and a rule for each; what came first stays. */
static int take_over(json_t *found, const char *access, json_t *devices, json_t *rules)
{
    json_t *device;
    size_t i;
    int failed = 0;
    json_array_foreach(found, i, device) {
        if (!is_in(devices, json_string_value(json_object_get(device, "path"))))
            failed |= json_array_append(devices, device);
        failed |= json_array_append_new(
            rules, json_pack("{s:b, s:O, s:O, s:O, s:s}", "allow", 1, "type", json_object_get(device, "type"), "major",
                             json_object_get(device, "major"), "minor", json_object_get(device, "minor"), "access",
                             access));
    }
    return failed;
}

static int32_t find_nodes(const wci_device *device, json_t *found, wc_error **err)
{
    wci_node_info node;
    int32_t rc = wci_spec_node(device->host, &node, err);
    if (!rc && node.type == WCI_NODE_DIR)
        rc = devices_in(device->host, device->target, found, err);
    else if (!rc && node.type != WCI_NODE_CHAR && node.type != WCI_NODE_BLOCK)
        rc = wci_err(err, WC_E_INVALID, "is no device node");
    else if (!rc && json_array_append_new(found, wci_spec_device(device->target, &node)))
        rc = wci_err_nomem(err);
    if (!rc && !json_array_size(found))
        rc = wci_err(err, WC_E_INVALID, "the directory has no device nodes");
    return rc ? wci_err_wrap(err, rc, "device '%s'", device->host) : WC_OK;
}

static int32_t add_asked(const wci_config *config, json_t *devices, json_t *rules, wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; !rc && i < config->device_count; i++) {
        json_t *found = json_array();
        rc = found ? find_nodes(&config->devices[i], found, err) : wci_err_nomem(err);
        if (!rc && take_over(found, config->devices[i].access, devices, rules))
            rc = wci_err_nomem(err);
        json_decref(found);
    }
    return rc;
}

/* ---- Rules that were asked for ------------------------------------------------------------------ */

static const char *set_device_number(json_t *rule, const char *key, const char *text, int *failed)
{
    if (*text == '*')
        return text + 1;
    char *end;
    *failed |= json_object_set_new(rule, key, json_integer(strtol(text, &end, 10)));
    return end;
}

/* "c 1:3 rwm", which the option has checked. */
static int add_rule(json_t *rules, const char *text)
{
    char type[2] = {text[0], '\0'};
    json_t *rule = json_pack("{s:b, s:s}", "allow", 1, "type", type);
    int failed = !rule;
    const char *p = set_device_number(rule, "major", text + 2, &failed);
    p = set_device_number(rule, "minor", p + 1, &failed);
    failed |= json_object_set_new(rule, "access", json_string(p + 1));
    return json_array_append_new(rules, rule) || failed;
}

int32_t wci_spec_devices(const wci_config *config, json_t *os, wc_error **err)
{
    json_t *devices = json_array(), *rules = json_object_get(json_object_get(os, "resources"), "devices");
    int32_t rc = devices ? WC_OK : wci_err_nomem(err);
    if (!rc && config->privileged)
        rc = devices_in("/dev", "/dev", devices, err);
    if (!rc)
        rc = add_asked(config, devices, rules, err);
    for (size_t i = 0; !rc && i < config->device_rules.count; i++)
        if (add_rule(rules, config->device_rules.items[i]))
            rc = wci_err_nomem(err);
    if (!rc && json_array_size(devices) && json_object_set(os, "devices", devices))
        rc = wci_err_nomem(err);
    json_decref(devices);
    return rc;
}
