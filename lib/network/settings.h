/* SPDX-License-Identifier: Apache-2.0 */
/* What a network is, as the store keeps it in JSON. */
#ifndef WCI_NETWORK_SETTINGS_H
#define WCI_NETWORK_SETTINGS_H

#include <jansson.h>

#include "core/str.h"
#include "network/address.h"

typedef struct wci_network_subnet {
    wci_subnet subnet, range; /* range: where addresses are chosen; all of it without has_range */
    wci_ip gateway;           /* chosen without has_gateway */
    int has_range, has_gateway;
} wci_network_subnet;

typedef struct wci_network_settings {
    char *driver; /* "bridge", "macvlan", "ipvlan" */
    int32_t is_internal, has_ipv6, has_names, is_isolated;
    int64_t mtu;          /* 0: the system's */
    char *parent, *mode;  /* of macvlan and ipvlan; or "" */
    char *device;         /* the bridge's name on the host, or "" */
    wci_network_subnet *subnets;
    size_t subnet_count, subnet_cap;
    wci_strv option_keys, option_values, label_keys, label_values;
} wci_network_settings;

#define WCI_NETWORK_DEFAULT "bridge"

int32_t wci_network_settings_init(wci_network_settings *s, wc_error **err); /* a bridge */
void wci_network_settings_free(wci_network_settings *s);                   /* the contents */

/* "bridge", "macvlan", "ipvlan"; WC_E_UNSUPPORTED for others. */
int32_t wci_network_set_driver(wci_network_settings *s, const char *driver, wc_error **err);
/* Texts as the user gives them; gateway and range may be NULL. WC_E_INVALID. */
int32_t wci_network_add_subnet(wci_network_settings *s, const char *subnet, const char *gateway, const char *range,
                               wc_error **err);
/* Docker's and podman's driver options: mtu, isolate, parent, mode and the long names of the first. WC_E_UNSUPPORTED
 * for an unknown key, WC_E_INVALID for a bad value. */
int32_t wci_network_set_option(wci_network_settings *s, const char *key, const char *value, wc_error **err);
int32_t wci_network_set_label(wci_network_settings *s, const char *key, const char *value, wc_error **err);
/* What goes together: called once all is set. */
int32_t wci_network_settings_check(const wci_network_settings *s, wc_error **err);

char *wci_network_settings_to_json(const wci_network_settings *s); /* owned; NULL: out of memory */
/* WC_E_CORRUPT when `text` is not what the above wrote. `out` is initialised by it. */
int32_t wci_network_settings_from_json(const char *text, wci_network_settings *out, wc_error **err);
/* Docker's IPAM.Config. */
json_t *wci_network_subnets_to_json(const wci_network_settings *s);
json_t *wci_network_pairs_to_json(const wci_strv *keys, const wci_strv *values);

/* [a-zA-Z0-9][a-zA-Z0-9_.-]*, and none of the names that mean something else. WC_E_INVALID. */
int32_t wci_network_name_check(const char *name, wc_error **err);

#endif
