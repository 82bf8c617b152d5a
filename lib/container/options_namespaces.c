/* SPDX-License-Identifier: Apache-2.0 */
#include "container/options.h"

#include <string.h>

#include "container/idmap.h"
#include "container/namespace.h"
#include "core/error.h"

int32_t wc_container_options_set_namespace(wc_container_options *options, const char *kind, const char *mode,
                                           wc_error **err)
{
    wci_ns_kind which;
    wci_ns_mode parsed;
    int32_t rc = wci_option_check_text(options, kind, "namespace", err);
    if (!rc)
        rc = wci_option_check_text(options, mode, "mode of a namespace", err);
    if (!rc)
        rc = wci_ns_kind_parse(kind, &which, err);
    if (!rc)
        rc = wci_ns_mode_parse(which, mode, &parsed, err);
    return rc ? rc : wci_option_set_text(options, wci_ns_field(&options->settings, which), mode, kind, err);
}

int32_t wc_container_options_set_domainname(wc_container_options *options, const char *name, wc_error **err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    int32_t rc = wci_option_check_text(options, name, "domain name", err);
    if (rc)
        return rc;
    size_t size = strlen(name);
    if (!size || size > 64 || strspn(name, allowed) != size)
        return wci_err(err, WC_E_INVALID, "domain name '%.80s': must be 1 to 64 letters, digits, '-', '.' or '_'",
                       name);
    return wci_option_set_text(options, &options->settings.domainname, name, "domain name", err);
}

static int32_t add_map(const void *options, wci_strv *maps, const char *map, wc_error **err)
{
    wci_idmap parsed;
    int32_t rc = wci_option_check_text(options, map, "map of ids", err);
    if (!rc)
        rc = wci_idmap_parse(map, &parsed, err);
    if (!rc && wci_strv_add(maps, map))
        rc = wci_err_nomem(err);
    return rc;
}

int32_t wc_container_options_add_uid_map(wc_container_options *options, const char *map, wc_error **err)
{
    return add_map(options, options ? &options->settings.uid_maps : NULL, map, err);
}

int32_t wc_container_options_add_gid_map(wc_container_options *options, const char *map, wc_error **err)
{
    return add_map(options, options ? &options->settings.gid_maps : NULL, map, err);
}
