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

int32_t wc_container_options_add_security(wc_container_options *options, const char *option, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, option, "security option", err);
    if (rc)
        return rc;
    if (wci_starts_with(option, "seccomp=") && option[8])
        return set_seccomp(options, option + 8, err);
    const char *value = wci_starts_with(option, "no-new-privileges") ? option + 17 : "?";
    if (!*value || !strcmp(value, "=true") || !strcmp(value, ":true")) {
        options->settings.no_new_privileges = 1;
        return WC_OK;
    }
    if (!strcmp(value, "=false") || !strcmp(value, ":false")) {
        options->settings.no_new_privileges = 0;
        return WC_OK;
    }
    return wci_err(err, WC_E_INVALID,
                   "security option '%.80s': must be 'seccomp=unconfined', 'seccomp=FILE' or 'no-new-privileges'",
                   option);
}
