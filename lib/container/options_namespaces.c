/* SPDX-License-Identifier: Apache-2.0 */
#include "container/options.h"

#include <string.h>

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
