/* SPDX-License-Identifier: Apache-2.0 */
#include "container/endpoint.h"

#include <stdio.h>
#include <string.h>

#include "container/network.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"

#define WHAT "endpoint of a container"
#define ENDPOINT_MAX ((size_t)1 << 20)

/* ---- As JSON -------------------------------------------------------------------------------------- */

static const struct {
    const char *key;
    size_t offset, size;
} state_texts[] = {
#define TEXT(key, member) {key, offsetof(wci_endpoint_state, member), sizeof(((wci_endpoint_state *)0)->member)}
    TEXT("interface", interface_name), TEXT("mac", mac),       TEXT("address", address),
    TEXT("cidr", cidr),                TEXT("gateway", gateway), TEXT("address6", address6),
    TEXT("cidr6", cidr6),              TEXT("gateway6", gateway6),
#undef TEXT
};
#define STATE_TEXTS (sizeof state_texts / sizeof *state_texts)

int wci_endpoint_state_read(const char *text, wci_endpoint_state *out)
{
    json_t *root = *text ? json_loads(text, 0, NULL) : NULL;
    int failed = !json_is_object(root);
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < STATE_TEXTS && !failed; i++) {
        const char *value = json_string_value(json_object_get(root, state_texts[i].key));
        failed = !value || strlen(value) >= state_texts[i].size;
        if (!failed)
            memcpy((char *)out + state_texts[i].offset, value, strlen(value) + 1);
    }
    json_decref(root);
    return failed ? -1 : 0;
}

char *wci_endpoint_state_write(const wci_endpoint_state *state)
{
    json_t *root = json_object();
    int failed = !root;
    for (size_t i = 0; i < STATE_TEXTS; i++)
        failed |= json_object_set_new(root, state_texts[i].key,
                                      json_string((const char *)state + state_texts[i].offset));
    char *text = failed ? NULL : wci_json_dump_text(root);
    json_decref(root);
    return text;
}

void wci_endpoint_wish_free(wci_endpoint_wish *wish)
{
    wci_fields_free(&wci_endpoint_wish_fields, wish);
    memset(wish, 0, sizeof *wish);
}

char *wci_endpoint_wish_write(const wci_endpoint_wish *wish)
{
    json_t *root = json_object();
    char *text = root && !wci_fields_write(&wci_endpoint_wish_fields, wish, root) ? wci_json_dump_text(root) : NULL;
    json_decref(root);
    return text;
}

int32_t wci_endpoint_wish_read(const char *text, wci_endpoint_wish *out, wc_error **err)
{
    json_t *root = NULL;
    memset(out, 0, sizeof *out);
    int32_t rc = wci_json_parse(text, strlen(text), ENDPOINT_MAX, WHAT, &root, err);
    if (!rc)
        rc = wci_fields_read(&wci_endpoint_wish_fields, root, WHAT, out, err);
    json_decref(root);
    if (rc)
        wci_endpoint_wish_free(out);
    return rc;
}

/* ---- Loading -------------------------------------------------------------------------------------- */

void wci_endpoint_free(wci_endpoint *e)
{
    wci_network_record_free(e->network);
    wci_network_settings_free(&e->settings);
    wci_endpoint_wish_free(&e->wish);
    memset(e, 0, sizeof *e);
}

int32_t wci_endpoint_load(wci_store *store, const wci_endpoint_record *record, wci_endpoint *out, wc_error **err)
{
    wci_endpoint e = {0};
    int32_t rc = wci_network_find(store, record->network, &e.network, err);
    if (!rc)
        rc = wci_network_settings_from_json(e.network->config, &e.settings, err);
    if (!rc)
        rc = wci_endpoint_wish_read(record->config, &e.wish, err);
    if (rc) {
        wci_endpoint_free(&e);
        return rc;
    }
    wci_net_host_name(e.network->id, e.host_name);
    *out = e;
    return WC_OK;
}

/* ---- Leasing -------------------------------------------------------------------------------------- */

static void note_address(const wci_network_subnet *subnet, const wci_ip *ip, int is_internal, wci_endpoint_state *s)
{
    int is_v6 = ip->size == 16;
    char *address = is_v6 ? s->address6 : s->address, *gateway = is_v6 ? s->gateway6 : s->gateway;
    wci_address_format(ip, address);
    snprintf(is_v6 ? s->cidr6 : s->cidr, WCI_SUBNET_SIZE, "%s/%d", address, subnet->subnet.bits);
    if (subnet->has_gateway && !is_internal)
        wci_address_format(&subnet->gateway, gateway);
}

static int32_t choose(const wci_network_settings *s, int family_size, const wci_strv *taken, wci_ip *out,
                      const wci_network_subnet **which, wc_error **err)
{
    int32_t rc = WC_E_NOT_FOUND;
    for (size_t i = 0; i < s->subnet_count && rc; i++) {
        if (s->subnets[i].subnet.base.size != family_size)
            continue;
        wci_err_clear(err);
        *which = &s->subnets[i];
        rc = wci_network_choose_address(*which, taken, out, err);
    }
    return rc == WC_E_NOT_FOUND ? WC_OK : rc;
}

static int32_t lease_family(wci_store *store, const char *container, int64_t generation, int family_size,
                            const char *wished, const wci_strv *taken, wci_endpoint *e, wc_error **err)
{
    const wci_network_subnet *subnet = NULL;
    char text[WCI_ADDRESS_SIZE];
    wci_ip ip = {{0}, 0};
    int is_static = wished && *wished;
    int32_t rc = is_static ? wci_network_check_address(&e->settings, wished, &ip, &subnet, err)
                           : choose(&e->settings, family_size, taken, &ip, &subnet, err);
    if (rc || !subnet)
        return rc;
    wci_address_format(&ip, text);
    rc = wci_lease_add(store, e->network->id, text, container, generation, is_static, err);
    if (rc)
        return rc;
    note_address(subnet, &ip, e->settings.is_internal, &e->state);
    if (!*e->state.mac)
        wci_network_mac(&ip, e->state.mac);
    return WC_OK;
}

static int32_t lease(wci_store *store, const char *container, int64_t generation, wci_endpoint *e, wc_error **err)
{
    wci_strv taken = WCI_STRV_INIT;
    char *text = NULL;
    int32_t rc = wci_lease_taken(store, e->network->id, &taken, err);
    snprintf(e->state.mac, sizeof e->state.mac, "%s", e->wish.mac);
    if (!rc)
        rc = lease_family(store, container, generation, 4, e->wish.ipv4, &taken, e, err);
    if (!rc && e->settings.has_ipv6)
        rc = lease_family(store, container, generation, 16, e->wish.ipv6, &taken, e, err);
    if (!rc)
        text = wci_endpoint_state_write(&e->state);
    if (!rc)
        rc = text ? wci_endpoint_set_state(store, container, e->network->id, text, err) : wci_err_nomem(err);
    wci_free(text);
    wci_strv_free(&taken);
    return rc;
}

int32_t wci_endpoint_lease(wci_store *store, const char *container, int64_t generation, wci_endpoint *e,
                           wc_error **err)
{
    if (*e->wish.ipv6 && !e->settings.has_ipv6)
        return wci_err(err, WC_E_INVALID, "network '%s': it has no IPv6, so there is no address %s", e->network->name,
                       e->wish.ipv6);
    int32_t rc = lease(store, container, generation, e, err);
    return rc ? wci_err_wrap(err, rc, "network '%s'", e->network->name) : WC_OK;
}

/* ---- netavark's document -------------------------------------------------------------------------- */

void wci_attachment_free(wci_attachment *a)
{
    wci_strv_free(&a->addresses);
    wci_strv_free(&a->aliases);
}

int wci_endpoint_attach(const wci_endpoint *e, const char *container, wci_attachment *out)
{
    const char *const addresses[] = {e->state.address, e->state.address6};
    *out = (wci_attachment){.network_id = e->network->id,
                            .network = &e->settings,
                            .name = e->host_name,
                            .device = e->network->device,
                            .interface_name = e->state.interface_name,
                            .mac = e->state.mac};
    int failed = 0;
    for (size_t i = 0; i < 2; i++)
        failed |= *addresses[i] && wci_strv_add(&out->addresses, addresses[i]);
    if (e->settings.has_names)
        failed |= wci_strv_copy(&out->aliases, &e->wish.aliases) ||
                  wci_strv_add_take(&out->aliases, wci_strndup(container, 12));
    if (failed)
        wci_attachment_free(out);
    return failed ? WC_E_NOMEM : 0;
}
