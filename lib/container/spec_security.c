/* SPDX-License-Identifier: Apache-2.0 */
/* Seccomp, and the paths that are hidden or cannot be written. */
#include "container/spec.h"

#include "container/idmap.h"
#include "container/lsm.h"
#include "container/seccomp.h"
#include "container/system_paths.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

static int32_t hide_paths(const wci_config *config, json_t *os, wc_error **err)
{
    wci_strv hidden = WCI_STRV_INIT, read_only = WCI_STRV_INIT;
    int failed = wci_system_paths(config, &hidden, &read_only);
    if (!failed && hidden.count)
        failed = json_object_set_new(os, "maskedPaths", wci_json_from_strv(&hidden));
    if (!failed && read_only.count)
        failed = json_object_set_new(os, "readonlyPaths", wci_json_from_strv(&read_only));
    wci_strv_free(&hidden);
    wci_strv_free(&read_only);
    return failed ? wci_err_nomem(err) : WC_OK;
}

static int32_t add_seccomp(json_t *os, const wci_config *config, const wci_strv *caps,
                           wc_error **err)
{
    json_t *profile = NULL;
    int32_t rc = wci_seccomp_make(config->seccomp, caps, &profile, err);
    if (!rc && profile && json_object_set_new(os, "seccomp", profile))
        rc = wci_err_nomem(err);
    return rc;
}

static int32_t add_maps(const wci_config *config, json_t *os, wc_error **err)
{
    if (config->uid_maps.count && (json_object_set_new(os, "uidMappings", wci_idmap_json(&config->uid_maps)) ||
                                   json_object_set_new(os, "gidMappings", wci_idmap_json(&config->gid_maps))))
        return wci_err_nomem(err);
    return WC_OK;
}

/* ---- Security modules --------------------------------------------------------------------------- */

static int32_t add_apparmor(const wci_config *config, json_t *process, wc_error **err)
{
    const char *profile = "";
    int32_t rc = wci_apparmor_profile(config, wci_host_apparmor(), &profile, err);
    if (!rc && *profile && json_object_set_new(process, "apparmorProfile", json_string(profile)))
        rc = wci_err_nomem(err);
    return rc;
}

/* Into either of the two members that is not NULL. */
static int32_t add_selinux(const wci_config *config, json_t *process, json_t *os, wc_error **err)
{
    char *own = NULL, *mounts = NULL;
    int32_t rc = config->selinux.count ? wci_selinux_labels(config, wci_host_has_selinux(), &own, &mounts, err) : WC_OK;
    if (!rc && process && own && json_object_set_new(process, "selinuxLabel", json_string(own)))
        rc = wci_err_nomem(err);
    if (!rc && os && mounts && json_object_set_new(os, "mountLabel", json_string(mounts)))
        rc = wci_err_nomem(err);
    wci_free(own);
    wci_free(mounts);
    return rc;
}

int32_t wci_spec_modules(const wci_config *config, json_t *process, wc_error **err)
{
    int32_t rc = add_apparmor(config, process, err);
    return rc ? rc : add_selinux(config, process, NULL, err);
}

int32_t wci_spec_security(const wci_config *config, const wci_strv *caps, json_t *os, wc_error **err)
{
    int32_t rc = hide_paths(config, os, err);
    if (!rc)
        rc = add_maps(config, os, err);
    if (!rc)
        rc = add_selinux(config, NULL, os, err);
    return rc || config->privileged ? rc : add_seccomp(os, config, caps, err);
}
