/* SPDX-License-Identifier: Apache-2.0 */
/* What a CDI description changes in a runtime document. */
#include "container/cdi.h"

#include <string.h>

#include "container/config.h"
#include "container/spec.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

/* The member, made when it is not there. */
static json_t *member(json_t *object, const char *key, int is_array)
{
    json_t *value = json_object_get(object, key);
    if (!value && object && json_object_set_new(object, key, is_array ? json_array() : json_object()) == 0)
        value = json_object_get(object, key);
    return value;
}

typedef struct edit {
    const char *what;
    json_t *spec;
} edit;

static int32_t required(json_t *object, const char *key, const edit *e, const char **out, wc_error **err)
{
    int32_t rc = wci_json_get_string(object, key, e->what, out, err);
    if (!rc && (!*out || !**out))
        rc = wci_err(err, WC_E_FORMAT, "%s: '%s' is missing", e->what, key);
    return rc;
}

/* ---- Environment --------------------------------------------------------------------------------- */

static int set_env(json_t *list, const char *entry)
{
    size_t i, size = strcspn(entry, "=") + 1;
    json_t *there;
    json_array_foreach(list, i, there)
        if (json_is_string(there) && !strncmp(json_string_value(there), entry, size))
            return json_array_set_new(list, i, json_string(entry));
    return json_array_append_new(list, json_string(entry));
}

static int32_t add_env(json_t *edits, const edit *e, wc_error **err)
{
    wci_strv entries = WCI_STRV_INIT;
    int32_t rc = wci_json_get_strings(edits, "env", e->what, &entries, err);
    json_t *list = member(member(e->spec, "process", 0), "env", 1);
    for (size_t i = 0; !rc && i < entries.count; i++) {
        const char *equals = strchr(entries.items[i], '=');
        if (!equals || equals == entries.items[i])
            rc = wci_err(err, WC_E_FORMAT, "%s: env '%.80s' is not NAME=VALUE", e->what, entries.items[i]);
        else if (set_env(list, entries.items[i]))
            rc = wci_err_nomem(err);
    }
    wci_strv_free(&entries);
    return rc;
}

/* ---- Device nodes -------------------------------------------------------------------------------- */

static int32_t get_number(json_t *node, const char *key, const edit *e, uint32_t *out, wc_error **err)
{
    int64_t value = *out;
    int32_t rc = wci_json_get_int(node, key, e->what, 0, UINT32_MAX, &value, err);
    *out = (uint32_t)value;
    return rc;
}

/* Of the host's node what the description does not say. */
static int32_t node_info(json_t *node, const char *path, const edit *e, wci_node_info *info, wc_error **err)
{
    const char *type = NULL, *host = path;
    int32_t rc = wci_json_get_string(node, "type", e->what, &type, err);
    if (!rc)
        rc = wci_json_get_string(node, "hostPath", e->what, &host, err);
    memset(info, 0, sizeof *info);
    info->mode = 0666;
    if (!rc && type && strcmp(type, "c") && strcmp(type, "u") && strcmp(type, "b"))
        rc = wci_err(err, WC_E_FORMAT, "%s: device '%.200s': the type '%.20s' is not known", e->what, path, type);
    if (rc)
        return rc;
    info->type = type && *type == 'b' ? WCI_NODE_BLOCK : WCI_NODE_CHAR;
    if (!type || !json_object_get(node, "major")) {
        rc = wci_spec_node(host && *host ? host : path, info, err);
        if (!rc && info->type != WCI_NODE_CHAR && info->type != WCI_NODE_BLOCK)
            rc = wci_err(err, WC_E_INVALID, "'%.200s': is no device node", host ? host : path);
    }
    if (!rc)
        rc = get_number(node, "major", e, &info->dev_major, err);
    if (!rc)
        rc = get_number(node, "minor", e, &info->dev_minor, err);
    if (!rc)
        rc = get_number(node, "fileMode", e, &info->mode, err);
    if (!rc)
        rc = get_number(node, "uid", e, &info->uid, err);
    return rc ? rc : get_number(node, "gid", e, &info->gid, err);
}

/* A device of the same path goes. */
static int put_device(json_t *devices, const char *path, const wci_node_info *info)
{
    json_t *there;
    size_t i;
    json_array_foreach(devices, i, there)
        if (wci_streq(json_string_value(json_object_get(there, "path")), path))
            return json_array_set_new(devices, i, wci_spec_device(path, info));
    return json_array_append_new(devices, wci_spec_device(path, info));
}

static int32_t add_node(json_t *node, const edit *e, wc_error **err)
{
    const char *path = NULL, *access = NULL;
    wci_node_info info;
    json_t *os = member(e->spec, "linux", 0);
    int32_t rc = required(node, "path", e, &path, err);
    if (!rc && path[0] != '/')
        rc = wci_err(err, WC_E_FORMAT, "%s: device '%.200s': is no absolute path", e->what, path);
    if (!rc)
        rc = wci_json_get_string(node, "permissions", e->what, &access, err);
    if (!rc && access && (strlen(access) > 3 || strspn(access, "rwm") != strlen(access)))
        rc = wci_err(err, WC_E_FORMAT, "%s: device '%.200s': permissions '%.20s'", e->what, path, access);
    if (!rc)
        rc = node_info(node, path, e, &info, err);
    if (!rc && put_device(member(os, "devices", 1), path, &info))
        rc = wci_err_nomem(err);
    if (!rc && json_array_append_new(member(member(os, "resources", 0), "devices", 1),
                                     wci_spec_device_rule(&info, access && *access ? access : "rwm")))
        rc = wci_err_nomem(err);
    return rc;
}

/* ---- Mounts, hooks and groups -------------------------------------------------------------------- */

static int32_t add_mount(json_t *mount, const edit *e, wc_error **err)
{
    const char *source = NULL, *target = NULL, *type = NULL;
    wci_strv options = WCI_STRV_INIT;
    int32_t rc = required(mount, "hostPath", e, &source, err);
    if (!rc)
        rc = required(mount, "containerPath", e, &target, err);
    if (!rc && target[0] != '/')
        rc = wci_err(err, WC_E_FORMAT, "%s: mount '%.200s': is no absolute path", e->what, target);
    if (!rc)
        rc = wci_json_get_string(mount, "type", e->what, &type, err);
    if (!rc)
        rc = wci_json_get_strings(mount, "options", e->what, &options, err);
    if (!rc && !options.count && (wci_strv_add(&options, "bind") || wci_strv_add(&options, "ro")))
        rc = wci_err_nomem(err);
    if (!rc && json_array_append_new(member(e->spec, "mounts", 1),
                                     json_pack("{s:s, s:s, s:s, s:o}", "destination", target, "type",
                                               type && *type ? type : "bind", "source", source, "options",
                                               wci_json_from_strv(&options))))
        rc = wci_err_nomem(err);
    wci_strv_free(&options);
    return rc;
}

static int is_hook(const char *name)
{
    static const char *const names[] = {"prestart",       "createRuntime", "createContainer",
                                        "startContainer", "poststart",     "poststop"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(name, names[i]))
            return 1;
    return 0;
}

static int32_t add_hook(json_t *hook, const edit *e, wc_error **err)
{
    static const char *const texts[] = {"args", "env"};
    const char *name = NULL, *path = NULL;
    int64_t timeout = 0;
    json_t *made = NULL;
    int32_t rc = required(hook, "hookName", e, &name, err);
    if (!rc && !is_hook(name))
        rc = wci_err(err, WC_E_FORMAT, "%s: hook '%.40s': is not known", e->what, name);
    if (!rc)
        rc = required(hook, "path", e, &path, err);
    if (!rc && path[0] != '/')
        rc = wci_err(err, WC_E_FORMAT, "%s: hook '%.200s': is no absolute path", e->what, path);
    if (!rc)
        rc = wci_json_get_int(hook, "timeout", e->what, 0, 86400, &timeout, err);
    if (!rc && !(made = json_pack("{s:s}", "path", path)))
        rc = wci_err_nomem(err);
    for (size_t i = 0; !rc && i < 2; i++) {
        wci_strv list = WCI_STRV_INIT;
        rc = wci_json_get_strings(hook, texts[i], e->what, &list, err);
        if (!rc && list.count && json_object_set_new(made, texts[i], wci_json_from_strv(&list)))
            rc = wci_err_nomem(err);
        wci_strv_free(&list);
    }
    if (!rc && timeout && json_object_set_new(made, "timeout", json_integer(timeout)))
        rc = wci_err_nomem(err);
    if (!rc && json_array_append(member(member(e->spec, "hooks", 0), name, 1), made))
        rc = wci_err_nomem(err);
    json_decref(made);
    return rc;
}

static int32_t add_group(json_t *group, const edit *e, wc_error **err)
{
    json_t *user = member(member(e->spec, "process", 0), "user", 0), *list = member(user, "additionalGids", 1), *there;
    size_t i;
    if (!json_is_integer(group) || json_integer_value(group) < 0 || json_integer_value(group) > UINT32_MAX)
        return wci_err(err, WC_E_FORMAT, "%s: additionalGids: a group is no number", e->what);
    json_array_foreach(list, i, there)
        if (json_equal(there, group))
            return WC_OK;
    return json_array_append(list, group) ? wci_err_nomem(err) : WC_OK;
}

/* ---- All of it ----------------------------------------------------------------------------------- */

static int32_t each(json_t *edits, const char *key, int is_objects, int32_t (*add)(json_t *, const edit *, wc_error **),
                    const edit *e, wc_error **err)
{
    json_t *list = NULL, *item;
    size_t i;
    int32_t rc = wci_json_get_array(edits, key, e->what, &list, err);
    json_array_foreach(list, i, item) {
        if (!rc && is_objects && !json_is_object(item))
            rc = wci_err(err, WC_E_FORMAT, "%s: an item of '%s' is no object", e->what, key);
        if (!rc)
            rc = add(item, e, err);
    }
    return rc;
}

int32_t wci_cdi_edit(json_t *edits, const char *what, json_t *spec, wc_error **err)
{
    static const char *const unknown[] = {"intelRdt", "netDevices"};
    const edit e = {what, spec};
    if (!json_is_object(edits))
        return WC_OK;
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        if (json_object_get(edits, unknown[i]))
            return wci_err(err, WC_E_UNSUPPORTED, "%s: '%s' is not known here", what, unknown[i]);
    int32_t rc = add_env(edits, &e, err);
    if (!rc)
        rc = each(edits, "deviceNodes", 1, add_node, &e, err);
    if (!rc)
        rc = each(edits, "mounts", 1, add_mount, &e, err);
    if (!rc)
        rc = each(edits, "hooks", 1, add_hook, &e, err);
    return rc ? rc : each(edits, "additionalGids", 0, add_group, &e, err);
}
