/* SPDX-License-Identifier: Apache-2.0 */
/* Setters of wc_network_options. */
#include "container/network.h"
#include "container/options.h"
#include "core/alloc.h"
#include "core/error.h"

int32_t wc_network_options_new(const char *name, wc_network_options **out, wc_error **err)
{
    if (!out)
        return wci_err(err, WC_E_INVALID, "network options: out must not be NULL");
    int32_t rc = wci_option_check_text(out, name, "network", err);
    if (!rc)
        rc = wci_network_name_check(name, err);
    if (rc)
        return rc;
    wc_network_options *o = wci_calloc(1, sizeof *o);
    if (!o)
        return wci_err_nomem(err);
    rc = wci_network_settings_init(&o->settings, err);
    if (!rc && wci_replace(&o->name, name)) {
        wci_network_settings_free(&o->settings);
        rc = wci_err_nomem(err);
    }
    if (rc)
        wci_free(o);
    else
        *out = o;
    return rc;
}

void wc_network_options_unref(wc_network_options *options)
{
    if (!options)
        return;
    wci_network_settings_free(&options->settings);
    wci_free(options->name);
    wci_free(options);
}

int32_t wc_network_options_set_driver(wc_network_options *options, const char *driver, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, driver, "network driver", err);
    return rc ? rc : wci_network_set_driver(&options->settings, driver, err);
}

int32_t wc_network_options_set_internal(wc_network_options *options, int32_t internal, wc_error **err)
{
    return wci_option_set_flag(options, options ? &options->settings.is_internal : NULL, internal, "internal", err);
}

int32_t wc_network_options_set_ipv6(wc_network_options *options, int32_t ipv6, wc_error **err)
{
    return wci_option_set_flag(options, options ? &options->settings.has_ipv6 : NULL, ipv6, "IPv6", err);
}

int32_t wc_network_options_set_dns(wc_network_options *options, int32_t dns, wc_error **err)
{
    return wci_option_set_flag(options, options ? &options->settings.has_names : NULL, dns, "names", err);
}

int32_t wc_network_options_add_subnet(wc_network_options *options, const char *subnet, const char *gateway,
                                      const char *range, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, subnet, "subnet", err);
    return rc ? rc : wci_network_add_subnet(&options->settings, subnet, gateway, range, err);
}

static int32_t check_pair(const void *options, const char *key, const char *value, const char *what, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, key, what, err);
    if (!rc)
        rc = wci_option_check_text(options, value, what, err);
    return !rc && !*key ? wci_err(err, WC_E_INVALID, "%s: the key must not be empty", what) : rc;
}

int32_t wc_network_options_add_option(wc_network_options *options, const char *key, const char *value, wc_error **err)
{
    int32_t rc = check_pair(options, key, value, "network option", err);
    return rc ? rc : wci_network_set_option(&options->settings, key, value, err);
}

int32_t wc_network_options_add_label(wc_network_options *options, const char *key, const char *value, wc_error **err)
{
    int32_t rc = check_pair(options, key, value, "label", err);
    return rc ? rc : wci_network_set_label(&options->settings, key, value, err);
}
