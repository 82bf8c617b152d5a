/* SPDX-License-Identifier: Apache-2.0 */
#include "container/options.h"

#include <string.h>

#include "container/caps.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/file.h"

int32_t wc_container_options_set_privileged(wc_container_options *options, int32_t privileged, wc_error **err)
{
    return wci_option_set_flag(options, options ? &options->settings.privileged : NULL, privileged,
                               "privileged", err);
}

static int32_t add_capability(const void *options, wci_strv *list, const char *name, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, name, "capability", err);
    if (rc)
        return rc;
    const char *known = wci_cap_normalise(name);
    if (!known)
        return wci_err(err, WC_E_INVALID, "capability '%.40s': not known; examples are 'NET_ADMIN' and 'ALL'",
                       name);
    if (!wci_strv_contains(list, known) && wci_strv_add(list, known))
        return wci_err_nomem(err);
    return WC_OK;
}

int32_t wc_container_options_add_capability(wc_container_options *options, const char *name, wc_error **err)
{
    return add_capability(options, options ? &options->settings.cap_add : NULL, name, err);
}

int32_t wc_container_options_drop_capability(wc_container_options *options, const char *name, wc_error **err)
{
    return add_capability(options, options ? &options->settings.cap_drop : NULL, name, err);
}

static int32_t set_seccomp(wc_container_options *options, const char *value, wc_error **err)
{
    char *file = NULL;
    if (!strcmp(value, "builtin")) /* Docker's word for it */
        value = "default";
    if (strcmp(value, "unconfined") && strcmp(value, "default")) {
        int32_t rc = wci_path_absolute(value, &file, err);
        if (rc)
            return rc;
    }
    if (wci_replace(&options->settings.seccomp, file ? "default" : value)) {
        wci_free(file);
        return wci_err_nomem(err);
    }
    wci_free(options->seccomp_file);
    options->seccomp_file = file;
    return WC_OK;
}

static int32_t set_no_new_privileges(wc_container_options *options, const char *value, wc_error **err)
{
    if (strcmp(value, "true") && strcmp(value, "false"))
        return wci_err(err, WC_E_INVALID, "security option 'no-new-privileges=%.40s': must be 'true' or 'false'",
                       value);
    options->settings.no_new_privileges = !strcmp(value, "true");
    return WC_OK;
}

static int32_t set_apparmor(wc_container_options *options, const char *value, wc_error **err)
{
    return wci_option_set_text(options, &options->settings.apparmor, value, "AppArmor profile", err);
}

/* `label=disable`, or one part of the label. */
static int32_t add_label(wc_container_options *options, const char *value, wc_error **err)
{
    static const char *const parts[] = {"user:", "role:", "type:", "level:", "filetype:"};
    int known = !strcmp(value, "disable");
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        known |= wci_starts_with(value, parts[i]) && value[strlen(parts[i])];
    if (!known)
        return wci_err(err, WC_E_INVALID,
                       "security option 'label=%.80s': must be 'disable', 'user:USER', 'role:ROLE', 'type:TYPE', "
                       "'level:LEVEL' or 'filetype:TYPE'",
                       value);
    return wci_strv_add(&options->settings.selinux, value) ? wci_err_nomem(err) : WC_OK;
}

static int32_t set_system_paths(wc_container_options *options, const char *value, wc_error **err)
{
    if (strcmp(value, "unconfined"))
        return wci_err(err, WC_E_INVALID, "security option 'systempaths=%.80s': must be 'unconfined'", value);
    return wci_strv_add(&options->settings.unmask, "ALL") ? wci_err_nomem(err) : WC_OK;
}

/* Paths with colons between them. */
static int32_t add_paths(wci_strv *list, const char *text, int with_all, wc_error **err)
{
    int32_t rc = WC_OK;
    for (const char *p = text; !rc;) {
        size_t size = strcspn(p, ":");
        int is_all = with_all && size == 3 && !memcmp(p, "ALL", 3);
        if (*p != '/' && !is_all)
            return wci_err(err, WC_E_INVALID, "path '%.80s': must be absolute%s", p, with_all ? ", or 'ALL'" : "");
        if (wci_strv_add_take(list, wci_strndup(p, size)))
            rc = wci_err_nomem(err);
        if (!p[size])
            break;
        p += size + 1;
    }
    return rc;
}

static int32_t add_mask(wc_container_options *options, const char *value, wc_error **err)
{
    int32_t rc = add_paths(&options->settings.mask, value, 0, err);
    return rc ? wci_err_wrap(err, rc, "security option 'mask'") : WC_OK;
}

static int32_t add_unmask(wc_container_options *options, const char *value, wc_error **err)
{
    int32_t rc = add_paths(&options->settings.unmask, value, 1, err);
    return rc ? wci_err_wrap(err, rc, "security option 'unmask'") : WC_OK;
}

static int32_t set_security(wc_container_options *options, const char *option, wc_error **err)
{
    static const struct {
        const char *name;
        int32_t (*set)(wc_container_options *, const char *, wc_error **);
    } known[] = {
        {"seccomp", set_seccomp}, {"no-new-privileges", set_no_new_privileges}, {"apparmor", set_apparmor},
        {"label", add_label},     {"systempaths", set_system_paths},            {"mask", add_mask},
        {"unmask", add_unmask},
    };
    size_t size = strcspn(option, "=");
    if (!option[size]) /* as it was written long ago */
        size = strcspn(option, ":");
    for (size_t i = 0; option[size] && option[size + 1] && i < sizeof known / sizeof *known; i++)
        if (strlen(known[i].name) == size && !memcmp(option, known[i].name, size))
            return known[i].set(options, option + size + 1, err);
    return wci_err(err, WC_E_INVALID,
                   "security option '%.80s': must be 'seccomp=unconfined|FILE', 'no-new-privileges', 'apparmor=PROFILE', "
                   "'label=…', 'systempaths=unconfined', 'mask=PATH' or 'unmask=ALL|PATH'",
                   option);
}

int32_t wc_container_options_add_security(wc_container_options *options, const char *option, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, option, "security option", err);
    if (rc)
        return rc;
    if (!strcmp(option, "no-new-privileges"))
        option = "no-new-privileges=true";
    else if (!strcmp(option, "disable"))
        option = "label=disable";
    return set_security(options, option, err);
}

int32_t wc_container_options_add_group(wc_container_options *options, const char *group, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, group, "group", err);
    if (!rc && (!*group || strchr(group, ':')))
        rc = wci_err(err, WC_E_INVALID, "group '%.80s': must be a name or a number", group);
    if (!rc && wci_strv_add(&options->settings.group_add, group))
        rc = wci_err_nomem(err);
    return rc;
}
