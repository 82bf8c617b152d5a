/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/uplink.h"

#include <string.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/file.h"
#include "platform/host.h"
#include "platform/net.h"

#define REQUEST_MAX ((size_t)16 << 20)

static const char *const names[] = {"pasta", "slirp4netns"};
#define NAMES (sizeof names / sizeof *names)

static int32_t not_found(const char *setting, wc_error **err)
{
    if (setting)
        return wci_err(err, WC_E_MISSING,
                       "network of an ordinary user: '%s' was not found; install it (packages passt, slirp4netns) or name "
                       "the other, or use the network 'none' or 'host'",
                       setting);
    return wci_err(err, WC_E_MISSING,
                   "network of an ordinary user: neither pasta nor slirp4netns was found; install the package passt or "
                   "slirp4netns, or use the network 'none' or 'host'");
}

static const char *name_of(const char *path)
{
    const char *base = wci_path_base(path);
    for (size_t i = 0; i < NAMES; i++)
        if (wci_starts_with(base, names[i]))
            return names[i];
    return NULL;
}

static int32_t take_path(const char *path, wci_uplink_program *out, wc_error **err)
{
    out->name = name_of(path);
    if (!out->name)
        return wci_err(err, WC_E_INVALID,
                       "network of an ordinary user: the name of '%s' is neither pasta nor slirp4netns, so nobody knows how "
                       "it is called",
                       path);
    if (access(path, X_OK) != 0)
        return not_found(path, err);
    out->path = wci_strdup(path);
    return out->path ? WC_OK : wci_err_nomem(err);
}

/* pasta takes the interface of the default route for its pattern and does not work without one. */
static int fits(const char *name)
{
    return strcmp(name, "pasta") || wci_net_has_default_route();
}

static int take_name(const char *name, wci_uplink_program *out)
{
    out->path = wci_host_find_program(name);
    out->name = name;
    return out->path != NULL;
}

int32_t wci_uplink_find(const char *setting, wci_uplink_program *out, wc_error **err)
{
    memset(out, 0, sizeof *out);
    if (setting && wci_path_is_absolute(setting))
        return take_path(setting, out, err);
    for (size_t i = 0; i < NAMES; i++)
        if ((setting ? !strcmp(names[i], setting) : fits(names[i])) && take_name(names[i], out))
            return WC_OK;
    for (size_t i = 0; !setting && i < NAMES; i++) /* its own words say what lacks */
        if (take_name(names[i], out))
            return WC_OK;
    return not_found(setting, err);
}

int32_t wci_uplink_request(process_backend *b, const char *text, const char *key, json_t **out, wc_error **err)
{
    wci_uplink_program program = {0};
    json_t *wishes = NULL;
    int32_t rc = wci_json_parse(text, strlen(text), REQUEST_MAX, "connection of a container", &wishes, err);
    if (!rc)
        rc = wci_uplink_find(b->network_helper, &program, err);
    if (!rc && (json_object_set_new(wishes, "name", json_string(program.name)) ||
                json_object_set_new(wishes, "program", json_string(program.path)) ||
                !(*out = json_pack("{s:O}", key, wishes))))
        rc = wci_err_nomem(err);
    wci_free(program.path);
    json_decref(wishes);
    return rc;
}
