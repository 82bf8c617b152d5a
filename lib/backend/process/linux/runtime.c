/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/linux/runtime.h"

#include <string.h>
#include <unistd.h>

#include "backend/process/linux/cgroup.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"
#include "platform/file.h"
#include "platform/host.h"
#include "platform/process.h"

void wci_runtime_free(wci_runtime *runtime)
{
    wci_free(runtime->name);
    wci_free(runtime->path);
    wci_free(runtime->version);
}

static int32_t look_at(const char *name, int wanted, wci_runtime *out, wc_error **err)
{
    out->name = wci_strdup(name);
    if (!out->name)
        return wci_err_nomem(err);
    out->path = wci_path_is_absolute(name) ? wci_strdup(name) : wci_host_find_program(name);
    out->version = NULL;
    out->why = NULL;
    if (!out->path || !wci_is_program(out->path)) {
        out->why = out->path && wci_file_exists(out->path) ? "it is not a program that can be executed" : "not found";
        wci_free(out->path);
        out->path = NULL;
    } else if (!wanted && strcmp(name, "crun") == 0 && wci_cgroup_is_mixed()) {
        out->why = "it refuses hybrid control groups whose unified side has controllers";
    }
    return WC_OK;
}

int32_t wci_runtime_list(const char *wanted, wci_runtime *out, size_t max, size_t *count,
                         wc_error **err)
{
    static const char *const known[] = {"crun", "runc"};
    const char *const *names = wanted ? &wanted : known;
    size_t n = wanted ? 1 : sizeof known / sizeof *known;
    for (*count = 0; *count < n && *count < max; ++*count) {
        int32_t rc = look_at(names[*count], wanted != NULL, &out[*count], err);
        if (rc)
            return rc;
    }
    return WC_OK;
}

static int32_t none_fit(const wci_runtime *list, size_t count, const char *wanted, wc_error **err)
{
    if (wanted)
        return wci_err(err, WC_E_MISSING, "OCI runtime '%s': %s; install it or name another, such as crun or runc",
                       wanted, list[0].why);
    wci_str seen = WCI_STR_INIT;
    for (size_t i = 0; i < count; i++)
        wci_str_printf(&seen, "%s%s: %s", i ? ", " : "", list[i].name, list[i].why);
    int32_t rc = wci_err(err, WC_E_MISSING,
                         "OCI runtime: none that works here (%s); install the package runc or crun",
                         seen.data ? seen.data : "");
    wci_str_free(&seen);
    return rc;
}

int32_t wci_runtime_choose(const wci_runtime *list, size_t count, const char *wanted,
                           const wci_runtime **out, wc_error **err)
{
    for (size_t i = 0; i < count; i++) {
        if (!list[i].why) {
            *out = &list[i];
            return WC_OK;
        }
    }
    return none_fit(list, count, wanted, err);
}

int32_t wci_init_find(char **path, wc_error **err)
{
    static const char *const names[] = {"catatonit", "docker-init", "tini-static"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *found = wci_host_find_program(names[i]);
        if (found) {
            *path = found;
            return WC_OK;
        }
    }
    return wci_err(err, WC_E_MISSING,
                   "init: neither catatonit nor tini-static was found; install the package "
                   "catatonit, or tini");
}
