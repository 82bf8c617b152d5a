/* SPDX-License-Identifier: Apache-2.0 */
#include "container/options.h"

#include <string.h>

#include "container/mount.h"
#include "core/error.h"

int32_t wc_container_options_set_read_only(wc_container_options *options, int32_t read_only, wc_error **err)
{
    return wci_option_set_flag(options, options ? &options->settings.read_only : NULL, read_only,
                               "read-only", err);
}

int32_t wc_container_options_add_mount(wc_container_options *options, const char *type, const char *source,
                                       const char *target, const char *flags, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, type, "type of a mount", err);
    if (!rc)
        rc = wci_option_check_text(options, source ? source : "", "source of a mount", err);
    if (!rc)
        rc = wci_option_check_text(options, target, "target of a mount", err);
    if (!rc)
        rc = wci_option_check_text(options, flags ? flags : "", "flags of a mount", err);
    return rc ? rc : wci_mount_add(&options->settings, type, source, target, flags, err);
}

int32_t wc_container_options_add_volumes_from(wc_container_options *options, const char *container, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, container, "volumes from", err);
    if (rc)
        return rc;
    const char *mode = strchr(container, ':');
    if (!*container || container == mode)
        return wci_err(err, WC_E_INVALID, "volumes from: the name of the container must not be empty");
    if (mode && strcmp(mode, ":ro") && strcmp(mode, ":rw"))
        return wci_err(err, WC_E_INVALID, "volumes from '%.200s': the mode must be 'ro' or 'rw'", container);
    return wci_strv_add(&options->settings.volumes_from, container) ? wci_err_nomem(err) : WC_OK;
}
