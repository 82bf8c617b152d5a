/* SPDX-License-Identifier: Apache-2.0 */
#include "network/settings.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

#define WHAT "configuration of a network"
#define SETTINGS_MAX ((size_t)1 << 20)
#define MTU_MIN 68
#define MTU_MAX 65535
#define DEVICE_MAX 15 /* IFNAMSIZ without its end */

int32_t wci_network_settings_init(wci_network_settings *s, wc_error **err)
{
    memset(s, 0, sizeof *s);
    s->has_names = s->is_isolated = 1;
    s->driver = wci_strdup("bridge");
    s->parent = wci_strdup("");
    s->mode = wci_strdup("");
    s->device = wci_strdup("");
    if (s->driver && s->parent && s->mode && s->device)
        return WC_OK;
    wci_network_settings_free(s);
    return wci_err_nomem(err);
}

void wci_network_settings_free(wci_network_settings *s)
{
    wci_free(s->driver);
    wci_free(s->parent);
    wci_free(s->mode);
    wci_free(s->device);
    wci_free(s->subnets);
    wci_strv_free(&s->option_keys);
    wci_strv_free(&s->option_values);
    wci_strv_free(&s->label_keys);
    wci_strv_free(&s->label_values);
    memset(s, 0, sizeof *s);
}

/* ---- Filling -------------------------------------------------------------------------------------- */

int32_t wci_network_name_check(const char *name, wc_error **err)
{
    static const char *const others[] = {"none", "host", "container", "default", "private", "pasta", "slirp4netns",
                                         NULL};
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t size = strlen(name);
    char shown[WCI_SHOWN_SIZE];
    wci_show(name, shown);
    for (const char *const *other = others; *other; other++)
        if (!strcmp(name, *other))
            return wci_err(err, WC_E_INVALID, "network '%s': the name means something else; choose another", name);
    if (!size || size > 128 || !strchr(letters, name[0]) ||
        name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")])
        return wci_err(err, WC_E_INVALID,
                       "network '%s': a name has at most 128 of a-z, A-Z, 0-9, '_', '.' and '-', and begins with a "
                       "letter or digit",
                       shown);
    return WC_OK;
}

int32_t wci_network_set_driver(wci_network_settings *s, const char *driver, wc_error **err)
{
    if (strcmp(driver, "bridge") && strcmp(driver, "macvlan") && strcmp(driver, "ipvlan"))
        return wci_err(err, WC_E_UNSUPPORTED, "network driver '%.80s': there are 'bridge', 'macvlan' and 'ipvlan'",
                       driver);
    return wci_replace(&s->driver, driver) ? wci_err_nomem(err) : WC_OK;
}

static int32_t parse_gateway(const char *text, wci_network_subnet *out, wc_error **err)
{
    if (!wci_ip_parse(text, &out->gateway) || !wci_subnet_is_usable(&out->subnet, &out->gateway))
        return wci_err(err, WC_E_INVALID, "gateway '%.80s': it is no address of its subnet for hosts", text);
    out->has_gateway = 1;
    return WC_OK;
}

static int32_t parse_range(const char *text, wci_network_subnet *out, wc_error **err)
{
    if (!wci_subnet_parse(text, &out->range) || out->range.bits < out->subnet.bits ||
        !wci_subnet_contains(&out->subnet, &out->range.base))
        return wci_err(err, WC_E_INVALID, "address range '%.80s': it is no part of its subnet, as 10.1.2.0/24 of 10.1.0.0/16",
                       text);
    out->has_range = 1;
    return WC_OK;
}

int32_t wci_network_add_subnet(wci_network_settings *s, const char *subnet, const char *gateway, const char *range,
                               wc_error **err)
{
    wci_network_subnet one = {.has_range = 0};
    if (!wci_subnet_parse(subnet, &one.subnet) || !one.subnet.bits)
        return wci_err(err, WC_E_INVALID, "subnet '%.80s': it is not like 10.1.0.0/16 or fd00:1::/64", subnet);
    if (8 * one.subnet.base.size - one.subnet.bits < 2)
        return wci_err(err, WC_E_INVALID, "subnet '%.80s': it has no room for a gateway and containers", subnet);
    for (size_t i = 0; i < s->subnet_count; i++)
        if (wci_subnet_overlaps(&s->subnets[i].subnet, &one.subnet))
            return wci_err(err, WC_E_INVALID, "subnet '%.80s': it overlaps another of the same network", subnet);
    int32_t rc = gateway && *gateway ? parse_gateway(gateway, &one, err) : WC_OK;
    if (!rc && range && *range)
        rc = parse_range(range, &one, err);
    if (!rc && !wci_grow(&s->subnets, &s->subnet_cap, s->subnet_count + 1, sizeof *s->subnets))
        rc = wci_err_nomem(err);
    if (!rc)
        s->subnets[s->subnet_count++] = one;
    return rc;
}

static int32_t set_flag(const char *key, const char *value, int32_t *flag, wc_error **err)
{
    if (!strcmp(value, "true") || !strcmp(value, "1"))
        *flag = 1;
    else if (!strcmp(value, "false") || !strcmp(value, "0"))
        *flag = 0;
    else
        return wci_err(err, WC_E_INVALID, "network option '%s': it is 'true' or 'false', not '%.80s'", key, value);
    return WC_OK;
}

static int32_t set_mtu(wci_network_settings *s, const char *value, wc_error **err)
{
    uint64_t mtu;
    if (!wci_parse_u64(value, MTU_MAX, &mtu) || mtu < MTU_MIN)
        return wci_err(err, WC_E_INVALID, "network option 'mtu': it is a number from %d to %d, not '%.80s'", MTU_MIN,
                       MTU_MAX, value);
    s->mtu = (int64_t)mtu;
    return WC_OK;
}

static int32_t set_device(const char *key, const char *value, char **field, wc_error **err)
{
    size_t size = strlen(value);
    if (!size || size > DEVICE_MAX || strpbrk(value, "/ \t\n%:") || value[0] == '.')
        return wci_err(err, WC_E_INVALID, "network option '%s': '%.80s' is no name of an interface", key, value);
    return wci_replace(field, value) ? wci_err_nomem(err) : WC_OK;
}

static int32_t apply_option(wci_network_settings *s, const char *key, const char *value, wc_error **err)
{
    if (!strcmp(key, "mtu") || !strcmp(key, "com.docker.network.driver.mtu"))
        return set_mtu(s, value, err);
    if (!strcmp(key, "isolate"))
        return set_flag(key, value, &s->is_isolated, err);
    if (!strcmp(key, "parent"))
        return set_device(key, value, &s->parent, err);
    if (!strcmp(key, "com.docker.network.bridge.name"))
        return set_device(key, value, &s->device, err);
    if (!strcmp(key, "mode") || !strcmp(key, "macvlan_mode") || !strcmp(key, "ipvlan_mode"))
        return wci_replace(&s->mode, value) ? wci_err_nomem(err) : WC_OK;
    return wci_err(err, WC_E_UNSUPPORTED,
                   "network option '%.80s': there are mtu, isolate, parent, mode and com.docker.network.bridge.name", key);
}

/* The value first: a value without key does no harm. */
static int32_t set_pair(wci_strv *keys, wci_strv *values, const char *key, const char *value, wc_error **err)
{
    for (size_t i = 0; i < keys->count; i++)
        if (!strcmp(keys->items[i], key))
            return wci_replace(&values->items[i], value) ? wci_err_nomem(err) : WC_OK;
    values->count = keys->count;
    if (wci_strv_add(values, value))
        return wci_err_nomem(err);
    if (wci_strv_add(keys, key)) {
        wci_free(values->items[--values->count]);
        return wci_err_nomem(err);
    }
    return WC_OK;
}

int32_t wci_network_set_option(wci_network_settings *s, const char *key, const char *value, wc_error **err)
{
    int32_t rc = apply_option(s, key, value, err);
    return rc ? rc : set_pair(&s->option_keys, &s->option_values, key, value, err);
}

int32_t wci_network_set_label(wci_network_settings *s, const char *key, const char *value, wc_error **err)
{
    return set_pair(&s->label_keys, &s->label_values, key, value, err);
}

static int32_t check_mode(const wci_network_settings *s, wc_error **err)
{
    static const char *const macvlan[] = {"bridge", "private", "vepa", "passthru", NULL};
    static const char *const ipvlan[] = {"l2", "l3", "l3s", NULL};
    if (!*s->mode)
        return WC_OK;
    for (const char *const *mode = !strcmp(s->driver, "ipvlan") ? ipvlan : macvlan; *mode; mode++)
        if (!strcmp(s->mode, *mode) && strcmp(s->driver, "bridge"))
            return WC_OK;
    return wci_err(err, WC_E_INVALID, "network option 'mode': driver '%s' has no '%.80s'", s->driver, s->mode);
}

int32_t wci_network_settings_check(const wci_network_settings *s, wc_error **err)
{
    int is_bridge = !strcmp(s->driver, "bridge");
    if (is_bridge && *s->parent)
        return wci_err(err, WC_E_INVALID, "network option 'parent': a bridge has none; use driver macvlan or ipvlan");
    if (!is_bridge && *s->device)
        return wci_err(err, WC_E_INVALID, "network option 'com.docker.network.bridge.name': driver '%s' has no bridge",
                       s->driver);
    if (!is_bridge && !s->subnet_count)
        return wci_err(err, WC_E_INVALID, "network driver '%s': addresses come from a subnet; give that of the parent",
                       s->driver);
    for (size_t i = 0; i < s->subnet_count; i++)
        if (s->subnets[i].subnet.base.size == 16 && !s->has_ipv6)
            return wci_err(err, WC_E_INVALID, "subnet: it is one of IPv6; ask for IPv6 as well");
    return check_mode(s, err);
}

/* ---- Writing -------------------------------------------------------------------------------------- */

json_t *wci_network_pairs_to_json(const wci_strv *keys, const wci_strv *values)
{
    json_t *object = json_object();
    for (size_t i = 0; i < keys->count; i++)
        if (json_object_set_new(object, keys->items[i], json_string(values->items[i]))) {
            json_decref(object);
            return NULL;
        }
    return object;
}

static json_t *subnet_to_json(const wci_network_subnet *one)
{
    char text[WCI_SUBNET_SIZE];
    wci_subnet_format(&one->subnet, text);
    json_t *item = json_pack("{s:s}", "Subnet", text);
    int failed = !item;
    if (one->has_range) {
        wci_subnet_format(&one->range, text);
        failed |= json_object_set_new(item, "IPRange", json_string(text));
    }
    if (one->has_gateway) {
        wci_address_format(&one->gateway, text);
        failed |= json_object_set_new(item, "Gateway", json_string(text));
    }
    if (!failed)
        return item;
    json_decref(item);
    return NULL;
}

json_t *wci_network_subnets_to_json(const wci_network_settings *s)
{
    json_t *array = json_array();
    for (size_t i = 0; i < s->subnet_count; i++)
        if (json_array_append_new(array, subnet_to_json(&s->subnets[i]))) {
            json_decref(array);
            return NULL;
        }
    return array;
}

char *wci_network_settings_to_json(const wci_network_settings *s)
{
    json_t *root = json_pack("{s:i, s:s, s:b, s:b, s:b, s:b, s:I, s:s, s:s, s:s, s:o, s:o, s:o}", "version", 1,
                             "driver", s->driver, "internal", s->is_internal, "ipv6", s->has_ipv6, "names",
                             s->has_names, "isolate", s->is_isolated, "mtu", (json_int_t)s->mtu, "parent", s->parent,
                             "mode", s->mode, "device", s->device, "subnets", wci_network_subnets_to_json(s),
                             "options", wci_network_pairs_to_json(&s->option_keys, &s->option_values), "labels",
                             wci_network_pairs_to_json(&s->label_keys, &s->label_values));
    char *text = root ? wci_json_dump_text(root) : NULL;
    json_decref(root);
    return text;
}

/* ---- Reading -------------------------------------------------------------------------------------- */

static int32_t read_text(json_t *root, const char *key, char **field, wc_error **err)
{
    const char *text = "";
    int32_t rc = wci_json_get_string(root, key, WHAT, &text, err);
    return rc ? rc : wci_replace(field, text) ? wci_err_nomem(err) : WC_OK;
}

static int32_t read_flag(json_t *root, const char *key, int32_t *field, wc_error **err)
{
    int flag = *field;
    int32_t rc = wci_json_get_bool(root, key, WHAT, &flag, err);
    *field = flag;
    return rc;
}

static int32_t read_subnets(json_t *root, wci_network_settings *out, wc_error **err)
{
    json_t *array = NULL, *item;
    size_t i;
    int32_t rc = wci_json_get_array(root, "subnets", WHAT, &array, err);
    json_array_foreach(array, i, item)
    {
        const char *subnet = "", *gateway = NULL, *range = NULL;
        if (!rc)
            rc = wci_json_get_string(item, "Subnet", WHAT, &subnet, err);
        if (!rc)
            rc = wci_json_get_string(item, "Gateway", WHAT, &gateway, err);
        if (!rc)
            rc = wci_json_get_string(item, "IPRange", WHAT, &range, err);
        if (!rc)
            rc = wci_network_add_subnet(out, subnet, gateway, range, err);
    }
    return rc;
}

static int32_t read_pairs(json_t *root, const char *key, wci_strv *keys, wci_strv *values, wc_error **err)
{
    json_t *object = NULL, *value;
    const char *name;
    int32_t rc = wci_json_get_object(root, key, WHAT, &object, err);
    if (rc)
        return rc;
    json_object_foreach(object, name, value)
        if (!rc && json_is_string(value))
            rc = set_pair(keys, values, name, json_string_value(value), err);
    return rc;
}

static int32_t read_all(json_t *root, wci_network_settings *out, wc_error **err)
{
    const struct {
        const char *key;
        char **field;
    } texts[] = {{"driver", &out->driver}, {"parent", &out->parent}, {"mode", &out->mode}, {"device", &out->device}};
    const struct {
        const char *key;
        int32_t *field;
    } flags[] = {{"internal", &out->is_internal}, {"ipv6", &out->has_ipv6}, {"names", &out->has_names},
                 {"isolate", &out->is_isolated}};
    int32_t rc = wci_json_get_int(root, "mtu", WHAT, 0, MTU_MAX, &out->mtu, err);
    for (size_t i = 0; !rc && i < sizeof texts / sizeof *texts; i++)
        rc = read_text(root, texts[i].key, texts[i].field, err);
    for (size_t i = 0; !rc && i < sizeof flags / sizeof *flags; i++)
        rc = read_flag(root, flags[i].key, flags[i].field, err);
    if (!rc)
        rc = read_subnets(root, out, err);
    if (!rc)
        rc = read_pairs(root, "options", &out->option_keys, &out->option_values, err);
    return rc ? rc : read_pairs(root, "labels", &out->label_keys, &out->label_values, err);
}

int32_t wci_network_settings_from_json(const char *text, wci_network_settings *out, wc_error **err)
{
    json_t *root = NULL;
    wci_network_settings s;
    int32_t rc = wci_network_settings_init(&s, err);
    if (rc)
        return rc;
    rc = wci_json_parse(text, strlen(text), SETTINGS_MAX, WHAT, &root, err);
    if (!rc)
        rc = json_is_object(root) ? read_all(root, &s, err) : WC_E_FORMAT;
    json_decref(root);
    if (!rc) {
        *out = s;
        return WC_OK;
    }
    wci_network_settings_free(&s);
    if (rc == WC_E_NOMEM)
        return rc;
    wci_err_clear(err);
    return wci_err(err, WC_E_CORRUPT, WHAT ": the record is damaged; remove the network and create it again");
}
