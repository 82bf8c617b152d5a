/* SPDX-License-Identifier: Apache-2.0 */
#include "container/network.h"

#include <stdio.h>
#include <string.h>

#include "container/endpoint.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "core/list.h"
#include "platform/host.h"

void wci_net_host_name(const char *id, char out[WCI_NET_HOST_NAME_SIZE])
{
    snprintf(out, WCI_NET_HOST_NAME_SIZE, "wc-%.8s", id);
}

/* ---- Subnets -------------------------------------------------------------------------------------- */

/* What a new subnet must keep clear of: other networks of the store, and all that the host has. */
typedef struct taken {
    wci_subnet *items;
    size_t count, cap;
} taken;

static int add_taken(taken *t, const wci_subnet *subnet)
{
    if (!wci_grow(&t->items, &t->cap, t->count + 1, sizeof *t->items))
        return WC_E_NOMEM;
    t->items[t->count++] = *subnet;
    return 0;
}

static int32_t take_networks(wci_network_record *const *records, size_t count, taken *out, wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; i < count && !rc; i++) {
        wci_network_settings s;
        rc = wci_network_settings_from_json(records[i]->config, &s, err);
        for (size_t j = 0; !rc && j < s.subnet_count; j++)
            if (add_taken(out, &s.subnets[j].subnet))
                rc = wci_err_nomem(err);
        if (!rc)
            wci_network_settings_free(&s);
    }
    return rc;
}

static int32_t take_routes(taken *out, wc_error **err)
{
    wci_strv routes = WCI_STRV_INIT;
    int32_t rc = wci_net_routes(&routes, err);
    for (size_t i = 0; i < routes.count && !rc; i++) {
        wci_subnet subnet;
        if (wci_subnet_parse(routes.items[i], &subnet) && add_taken(out, &subnet))
            rc = wci_err_nomem(err);
    }
    wci_strv_free(&routes);
    return rc;
}

static int has_family(const wci_network_settings *s, int size)
{
    for (size_t i = 0; i < s->subnet_count; i++)
        if (s->subnets[i].subnet.base.size == size)
            return 1;
    return 0;
}

static int32_t add_chosen(wci_network_settings *s, const wci_subnet *subnet, wc_error **err)
{
    char text[WCI_SUBNET_SIZE];
    wci_subnet_format(subnet, text);
    return wci_network_add_subnet(s, text, NULL, NULL, err);
}

static int32_t choose_subnets(int is_default, wci_network_settings *s, const taken *t, wc_error **err)
{
    wci_subnet subnet;
    uint8_t random[7];
    int32_t rc = WC_OK;
    if (!has_family(s, 4) && !s->subnet_count) {
        if (!wci_subnet_choose(is_default, t->items, t->count, &subnet))
            return wci_err(err, WC_E_LIMIT, "network: every subnet of the private ranges is in use; name one");
        rc = add_chosen(s, &subnet, err);
    }
    if (!rc && s->has_ipv6 && !has_family(s, 16)) {
        rc = wci_random_bytes(random, sizeof random, err);
        wci_subnet_local6(random, &subnet);
        if (!rc)
            rc = add_chosen(s, &subnet, err);
    }
    return rc;
}

/* The user's own subnets may be those of the host, as with macvlan, but not another network's. */
static int32_t check_own(const wci_network_settings *s, const taken *networks, wc_error **err)
{
    for (size_t i = 0; i < s->subnet_count; i++)
        for (size_t j = 0; j < networks->count; j++)
            if (wci_subnet_overlaps(&s->subnets[i].subnet, &networks->items[j])) {
                char text[WCI_SUBNET_SIZE];
                wci_subnet_format(&networks->items[j], text);
                return wci_err(err, WC_E_IN_USE,
                               "subnet: Pool overlaps with other one on this address space: a network has %s; choose another",
                               text);
            }
    return WC_OK;
}

static void set_gateways(wci_network_settings *s)
{
    for (size_t i = 0; i < s->subnet_count; i++)
        if (!s->subnets[i].has_gateway) {
            wci_subnet_first_usable(&s->subnets[i].subnet, &s->subnets[i].gateway);
            s->subnets[i].has_gateway = 1;
        }
}

/* ---- Making --------------------------------------------------------------------------------------- */

typedef struct making {
    wci_network_settings *settings;
    int is_default;
} making;

static int32_t settle(void *payload, wci_network_record *const *others, size_t count, wci_network_record *record,
                      wc_error **err)
{
    making *m = payload;
    taken t = {NULL, 0, 0};
    int32_t rc = take_networks(others, count, &t, err);
    if (!rc)
        rc = check_own(m->settings, &t, err);
    if (!rc)
        rc = take_routes(&t, err);
    if (!rc)
        rc = choose_subnets(m->is_default, m->settings, &t, err);
    if (!rc) {
        set_gateways(m->settings);
        record->config = wci_network_settings_to_json(m->settings);
        rc = record->config ? WC_OK : wci_err_nomem(err);
    }
    wci_free(t.items);
    return rc;
}

static int32_t fill(const char *name, const wci_network_settings *s, wci_network_record *r, wc_error **err)
{
    char host_name[WCI_NET_HOST_NAME_SIZE];
    int is_bridge = !strcmp(s->driver, "bridge");
    int32_t rc = wci_random_hex(32, r->id, err);
    if (rc)
        return rc;
    wci_net_host_name(r->id, host_name);
    r->name = wci_strdup(name);
    r->driver = wci_strdup(s->driver);
    r->device = wci_strdup(!is_bridge ? s->parent : *s->device ? s->device : host_name);
    r->created_ns = wci_now_ns();
    return r->name && r->driver && r->device ? WC_OK : wci_err_nomem(err);
}

static int32_t make(wc_call *call, wci_engine *engine, const char *name, wci_network_settings *s,
                    wci_network_record **out, wc_error **err)
{
    making m = {s, !strcmp(name, WCI_NETWORK_DEFAULT)};
    wci_network_record *record = wci_calloc(1, sizeof *record);
    int32_t rc = record ? fill(name, s, record, err) : wci_err_nomem(err);
    if (!rc)
        rc = wci_network_insert(call, engine->store, record, settle, &m, err);
    if (rc)
        wci_network_record_free(record);
    else
        *out = record;
    return rc;
}

/* As Docker's: containers on it do not know each other by name. */
static int32_t make_default(wc_call *call, wci_engine *engine, wci_network_record **out, wc_error **err)
{
    wci_network_settings s;
    wc_error *why = NULL;
    int32_t rc = wci_network_settings_init(&s, err);
    if (rc)
        return rc;
    s.has_names = 0;
    rc = make(call, engine, WCI_NETWORK_DEFAULT, &s, out, &why);
    wci_network_settings_free(&s);
    if (rc != WC_E_EXISTS)
        return rc ? wci_err_move(err, why) : WC_OK;
    wc_error_unref(why); /* another process was faster */
    return wci_network_find(engine->store, WCI_NETWORK_DEFAULT, out, err);
}

int32_t wci_net_find(wc_call *call, wci_engine *engine, const char *id_or_name, wci_network_record **out,
                     wc_error **err)
{
    wc_error *why = NULL;
    int32_t rc = wci_network_find(engine->store, id_or_name, out, &why);
    if (rc != WC_E_NOT_FOUND || strcmp(id_or_name, WCI_NETWORK_DEFAULT))
        return rc ? wci_err_move(err, why) : WC_OK;
    wc_error_unref(why);
    return make_default(call, engine, out, err);
}

/* ---- Handles -------------------------------------------------------------------------------------- */

/* Takes the record over, also on failure. */
static int32_t wrap(wci_engine *engine, wci_network_record *record, wc_network **out, wc_error **err)
{
    wc_network *network = wci_calloc(1, sizeof *network);
    if (!network) {
        wci_network_record_free(record);
        return wci_err_nomem(err);
    }
    wci_ref_init(&network->refs);
    network->engine = wci_engine_ref(engine);
    network->record = record;
    *out = network;
    return WC_OK;
}

void wci_net_free(wc_network *network)
{
    wci_engine_unref(network->engine);
    wci_network_record_free(network->record);
    wci_free(network);
}

static int32_t copy_settings(const wci_network_settings *from, wci_network_settings *out, wc_error **err)
{
    char *text = wci_network_settings_to_json(from);
    int32_t rc = text ? wci_network_settings_from_json(text, out, err) : wci_err_nomem(err);
    wci_free(text);
    return rc;
}

int32_t wci_net_create(wc_call *call, wci_engine *engine, const wc_network_options *options, wc_network **out,
                       wc_error **err)
{
    wci_network_settings s;
    wci_network_record *record = NULL;
    if (!options->name)
        return wci_err(err, WC_E_INVALID, "network: the options have no name");
    int32_t rc = wci_call_check(call, err);
    if (!rc)
        rc = wci_network_settings_check(&options->settings, err);
    if (!rc)
        rc = copy_settings(&options->settings, &s, err);
    if (rc)
        return rc;
    rc = make(call, engine, options->name, &s, &record, err);
    wci_network_settings_free(&s);
    return rc ? rc : wrap(engine, record, out, err);
}

int32_t wci_net_open(wc_call *call, wci_engine *engine, const char *id_or_name, wc_network **out, wc_error **err)
{
    wci_network_record *record = NULL;
    int32_t rc = wci_net_find(call, engine, id_or_name, &record, err);
    return rc ? rc : wrap(engine, record, out, err);
}

static void release(void *network)
{
    wc_network_unref(network);
}

static int32_t add_all(wci_engine *engine, wci_network_record **records, size_t count, wc_list *list, wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; i < count && !rc; i++) {
        wc_network *network = NULL;
        rc = wrap(engine, records[i], &network, err);
        records[i] = NULL;
        if (!rc)
            rc = wci_list_add(list, network, err);
    }
    return rc;
}

int32_t wci_net_list(wc_call *call, wci_engine *engine, wc_list **out, wc_error **err)
{
    wci_network_record *first = NULL, **records = NULL;
    size_t count = 0;
    wc_list *list = NULL;
    (void)wci_net_find(call, engine, WCI_NETWORK_DEFAULT, &first, NULL); /* a store that is only read may lack it */
    wci_network_record_free(first);
    int32_t rc = wci_network_list(engine->store, &records, &count, err);
    if (!rc)
        rc = wci_list_new(WCI_LIST_NETWORK, release, &list, err);
    if (!rc)
        rc = add_all(engine, records, count, list, err);
    wci_network_records_free(records, count);
    if (rc)
        wc_list_unref(list);
    else
        *out = list;
    return rc;
}

/* ---- Inspect -------------------------------------------------------------------------------------- */

static json_t *containers_json(const wci_endpoint_record *endpoints, size_t count)
{
    json_t *object = json_object();
    for (size_t i = 0; i < count; i++) {
        wci_endpoint_state state;
        if (!endpoints[i].is_live || wci_endpoint_state_read(endpoints[i].state, &state))
            continue;
        json_t *item = json_pack("{s:s, s:s, s:s, s:s, s:s}", "Name", endpoints[i].container_name, "EndpointID",
                                 endpoints[i].container, "MacAddress", state.mac, "IPv4Address", state.cidr, "IPv6Address",
                                 state.cidr6);
        if (json_object_set_new(object, endpoints[i].container, item)) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *describe(const wci_network_record *r, const wci_network_settings *s,
                        const wci_endpoint_record *endpoints, size_t count)
{
    char created[WCI_TIME_TEXT_SIZE];
    wci_time_format(r->created_ns, created);
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:{s:s, s:{}, s:o}, s:b, s:b, s:b, s:b, s:o, s:o, s:o, s:s}", "Name",
                     r->name, "Id", r->id, "Created", created, "Scope", "local", "Driver", r->driver, "EnableIPv6",
                     s->has_ipv6, "IPAM", "Driver", "default", "Options", "Config", wci_network_subnets_to_json(s),
                     "Internal", s->is_internal, "Attachable", 0, "Ingress", 0, "ConfigOnly", 0, "Containers",
                     containers_json(endpoints, count), "Options",
                     wci_network_pairs_to_json(&s->option_keys, &s->option_values), "Labels",
                     wci_network_pairs_to_json(&s->label_keys, &s->label_values), "Interface", r->device);
}

int32_t wci_net_inspect(wc_network *network, wc_buf **out, wc_error **err)
{
    wci_network_settings s;
    wci_endpoint_record *endpoints = NULL;
    size_t count = 0;
    int32_t rc = wci_network_settings_from_json(network->record->config, &s, err);
    if (rc)
        return rc;
    rc = wci_endpoint_list(network->engine->store, NULL, network->record->id, &endpoints, &count, err);
    json_t *json = rc ? NULL : describe(network->record, &s, endpoints, count);
    if (!rc)
        rc = json ? wci_json_dump(json, out, err) : wci_err_nomem(err);
    json_decref(json);
    wci_endpoints_free(endpoints, count);
    wci_network_settings_free(&s);
    return rc;
}

/* ---- Removing ------------------------------------------------------------------------------------- */

int32_t wci_net_remove(wc_network *network, wc_error **err)
{
    if (!strcmp(network->record->name, WCI_NETWORK_DEFAULT))
        return wci_err(err, WC_E_INVALID, "network 'bridge': it is the default network and cannot be removed");
    return wci_network_delete(network->engine->store, network->record->id, err);
}

static int32_t prune_one(wci_store *store, const wci_network_record *record, wci_strv *removed, wc_error **err)
{
    wci_endpoint_record *endpoints = NULL;
    size_t count = 0;
    if (!strcmp(record->name, WCI_NETWORK_DEFAULT))
        return WC_OK;
    int32_t rc = wci_endpoint_list(store, NULL, record->id, &endpoints, &count, err);
    wci_endpoints_free(endpoints, count);
    if (rc || count)
        return rc;
    if (wci_network_delete(store, record->id, NULL)) /* somebody removed it, or has just come */
        return WC_OK;
    return wci_strv_add(removed, record->name) ? wci_err_nomem(err) : WC_OK;
}

int32_t wci_net_prune(wc_call *call, wci_engine *engine, wci_strv *removed, wc_error **err)
{
    wci_network_record **records = NULL;
    size_t count = 0;
    int32_t rc = wci_network_list(engine->store, &records, &count, err);
    for (size_t i = 0; i < count && !rc; i++) {
        rc = wci_call_check(call, err);
        if (!rc)
            rc = prune_one(engine->store, records[i], removed, err);
    }
    wci_network_records_free(records, count);
    return rc;
}
