/* SPDX-License-Identifier: Apache-2.0 */
/* Control groups that systemd makes for the runtime: a scope for each container, in a slice. */
#include "backend/process/linux/cgroup.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/str.h"

#define DEFAULT_SLICE "system.slice"
#define PREFIX "wincontainer"
#define SUFFIX ".slice"
#define RUNS "/run/systemd/system" /* there while systemd is the init: sd_booted(3) */

/* Words with '-' between them, and ".slice"; "-.slice" is the root. */
static int is_slice(const char *name)
{
    size_t size = strlen(name);
    if (size <= strlen(SUFFIX) || size > 200 || !wci_ends_with(name, SUFFIX) || strchr(name, '/'))
        return 0;
    if (!strcmp(name, "-" SUFFIX))
        return 1;
    return name[0] != '-' && name[size - strlen(SUFFIX) - 1] != '-' && !strstr(name, "--");
}

int32_t wci_systemd_slice_path(const char *slice, char *out, size_t size, wc_error **err)
{
    if (!is_slice(slice))
        return wci_err(err, WC_E_INVALID,
                       "cgroup parent '%.80s': with systemd it must be a valid slice, named as \"xxx.slice\"", slice);
    *out = '\0';
    if (!strcmp(slice, "-" SUFFIX))
        return WC_OK;
    size_t words = strlen(slice) - strlen(SUFFIX), used = 0;
    for (size_t i = 1; i <= words; i++) /* "a-b.slice" is "/a.slice/a-b.slice" */
        if ((i == words || slice[i] == '-') && used < size)
            used += (size_t)snprintf(out + used, size - used, "/%.*s" SUFFIX, (int)i, slice);
    return used < size ? WC_OK
                       : wci_err(err, WC_E_INVALID, "cgroup parent '%.80s': the slice has too many parts", slice);
}

static const char *text_of(json_t *config, const char *key)
{
    const char *text = json_string_value(json_object_get(config, key));
    return text ? text : "";
}

static int32_t place(json_t *config, const char *id, wci_cgroup *out, wc_error **err)
{
    char slice_path[WCI_CGROUP_PATH_SIZE - 100];
    const char *parent = text_of(config, "cgroupParent"), *slice = *parent == '/' ? parent + 1 : parent;
    if (*text_of(config, "group"))
        return wci_err(err, WC_E_UNSUPPORTED,
                       "group '%.128s': not with systemd as driver of control groups; use cgroupfs, or a slice as cgroup "
                       "parent",
                       text_of(config, "group"));
    if (!*slice)
        slice = DEFAULT_SLICE;
    int32_t rc = wci_systemd_slice_path(slice, slice_path, sizeof slice_path, err);
    if (rc)
        return rc;
    snprintf(out->path, sizeof out->path, "%s/" PREFIX "-%.64s.scope", slice_path, id);
    snprintf(out->for_runtime, sizeof out->for_runtime, "%s:" PREFIX ":%.64s", slice, id);
    return WC_OK;
}

int32_t wci_cgroup_by_systemd(const wc_request *request, wci_cgroup *out, wc_error **err)
{
    if (access(RUNS, F_OK) != 0)
        return wci_err(err, WC_E_MISSING,
                       "control groups: systemd does not run here (there is no '" RUNS "'); use the driver cgroupfs");
    json_t *config = json_loads(wc_request_config(request), 0, NULL);
    int32_t rc = place(config, wc_request_container_id(request), out, err);
    json_decref(config);
    return rc;
}

void wci_cgroup_find_scope(const wc_request *request, wci_cgroup *group)
{
    wci_cgroup scope;
    json_t *config = json_loads(wc_request_config(request), 0, NULL);
    if (!place(config, wc_request_container_id(request), &scope, NULL) && wci_cgroup_exists(scope.path))
        *group = scope;
    json_decref(config);
}
