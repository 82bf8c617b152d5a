/* SPDX-License-Identifier: Apache-2.0 */
#include "container/connect.h"

#include <string.h>

#include "container/net_plan.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"

/* ---- At creation ---------------------------------------------------------------------------------- */

/* As Docker: the default network knows no names, and its addresses are its own choice. */
static int32_t check_wish(const wci_network_record *network, const wci_endpoint_wish *wish, wc_error **err)
{
    int is_default = !strcmp(network->name, WCI_NETWORK_DEFAULT);
    if (is_default && wish->aliases.count)
        return wci_err(err, WC_E_INVALID,
                       "network alias '%s': network-scoped alias is supported only for containers in user defined "
                       "networks; create one",
                       wish->aliases.items[0]);
    if (is_default && ((wish->ipv4 && *wish->ipv4) || (wish->ipv6 && *wish->ipv6)))
        return wci_err(err, WC_E_INVALID,
                       "network address: user specified IP address is supported on user defined networks only; create "
                       "one");
    return WC_OK;
}

static int32_t add_wish(wc_call *call, wci_engine *engine, const wci_endpoint_wish *wish, wci_endpoint_record *out,
                        wc_error **err)
{
    wci_network_record *network = NULL;
    int32_t rc = wci_net_find(call, engine, wish->network, &network, err);
    if (!rc)
        rc = check_wish(network, wish, err);
    if (!rc) {
        memcpy(out->network, network->id, sizeof out->network);
        out->config = wci_endpoint_wish_write(wish);
        rc = out->config ? WC_OK : wci_err_nomem(err);
    }
    wci_network_record_free(network);
    return rc;
}

int32_t wci_net_wishes(wc_call *call, wci_engine *engine, const wci_config *config, wci_endpoint_record **out,
                       size_t *count, wc_error **err)
{
    wci_endpoint_record *list = wci_calloc(config->endpoint_count + 1, sizeof *list);
    int32_t rc = list ? WC_OK : wci_err_nomem(err);
    for (size_t i = 0; i < config->endpoint_count && !rc; i++) {
        rc = add_wish(call, engine, &config->endpoints[i], &list[i], err);
        for (size_t j = 0; j < i && !rc; j++)
            if (!strcmp(list[i].network, list[j].network))
                rc = wci_err(err, WC_E_INVALID, "network '%s': it is named twice", config->endpoints[i].network);
    }
    if (rc) {
        wci_endpoints_free(list, list ? config->endpoint_count : 0);
        return rc;
    }
    *out = list;
    *count = config->endpoint_count;
    return WC_OK;
}

/* ---- While it runs -------------------------------------------------------------------------------- */

typedef struct change {
    wci_engine *engine;
    const wc_network *network;
    wci_container_record *record;
    wci_config config;
    wci_net_plan plan;
    wci_lock *lock;
} change;

static void change_free(change *c)
{
    wci_net_plan_free(&c->plan);
    wci_config_free(&c->config);
    wci_container_record_free(c->record);
    wci_lock_release(c->lock);
}

/* Docker's words. */
static int32_t check_mode(const wci_config *config, wc_error **err)
{
    wci_network_mode mode;
    int32_t rc = wci_network_mode_parse(config->network, &mode, err);
    if (!rc && mode == WCI_NETWORK_HOST)
        rc = wci_err(err, WC_E_STATE, "network: container cannot be disconnected from host network or connected to others");
    else if (!rc && mode == WCI_NETWORK_CONTAINER)
        rc = wci_err(err, WC_E_STATE, "network: container sharing network namespace with another container cannot be "
                     "connected to any other network");
    else if (!rc && mode == WCI_NETWORK_NONE)
        rc = wci_err(err, WC_E_STATE, "network: container cannot be connected to multiple networks with one of the "
                     "networks in private (none) mode");
    return rc;
}

/* Its container has nothing else, and nobody else's has it. */
static int32_t check_uplink(const change *c, wc_error **err)
{
    if (wci_host_is_root() ||
        (strcmp(c->config.network, WCI_NETWORK_DEFAULT) && strcmp(c->network->record->name, WCI_NETWORK_DEFAULT)))
        return WC_OK;
    return wci_err(err, WC_E_UNSUPPORTED,
                   "network 'bridge': an ordinary user's container has it from its creation on, and alone; create one with "
                   "the networks that it needs, or run as root");
}

static int32_t change_begin(wc_call *call, wc_network *network, wc_container *container, change *c, wc_error **err)
{
    memset(c, 0, sizeof *c);
    c->engine = container->engine;
    c->network = network;
    int32_t rc = wci_call_check(call, err);
    if (!rc)
        rc = wci_ctr_lock(call, c->engine, container->id, &c->lock, err);
    if (!rc)
        rc = wci_ctr_record(call, c->engine, container->id, &c->record, err);
    if (!rc)
        rc = wci_config_from_json(c->record->config, &c->config, err);
    if (!rc)
        rc = check_mode(&c->config, err);
    return rc ? rc : check_uplink(c, err);
}

static wci_endpoint *find_endpoint(change *c)
{
    for (size_t i = 0; i < c->plan.endpoint_count; i++)
        if (!strcmp(c->plan.endpoints[i].network->id, c->network->record->id))
            return &c->plan.endpoints[i];
    return NULL;
}

/* Tells the backend of one endpoint. */
static int32_t tell(wc_call *call, change *c, wci_op what, const wci_endpoint *e, wc_error **err)
{
    wci_ctr_call op;
    char *document = NULL;
    int32_t rc = wci_ctr_call_init(call, c->engine, c->record, &op, err);
    if (rc)
        return rc;
    rc = wci_net_plan_document(c->engine, c->record, &c->config, e, 1, &document, err);
    if (!rc && wci_request_set_string(&op.request, "network-document", document))
        rc = wci_err_nomem(err);
    if (!rc)
        rc = wci_ctr_call_run(&op, what, call, err);
    wci_free(document);
    wci_ctr_call_free(&op);
    return rc;
}

static int32_t lease(wc_call *call, change *c, wci_endpoint *e, wc_error **err)
{
    wci_net_plan_name_interface(c->plan.endpoints, c->plan.endpoint_count, e);
    int32_t rc = wci_leases_begin(call, c->engine->store, err);
    if (rc)
        return rc;
    rc = wci_endpoint_lease(c->engine->store, c->record->id, c->record->generation, e, err);
    return wci_leases_end(c->engine->store, rc, err);
}

static int32_t connect_running(wc_call *call, change *c, wc_error **err)
{
    int32_t rc = wci_net_plan_load(c->engine, c->record, &c->config, &c->plan, err);
    wci_endpoint *e = rc ? NULL : find_endpoint(c);
    if (!rc && !e)
        rc = wci_err(err, WC_E_NOT_FOUND, "network '%s': it is gone", c->network->record->name);
    if (!rc)
        rc = lease(call, c, e, err);
    if (!rc)
        rc = tell(call, c, WCI_OP_NETWORK_CONNECT, e, err);
    return rc ? rc : wci_net_files_write(&c->plan, &c->config, 1, err);
}

static int32_t insert(change *c, const wc_endpoint_options *options, wc_error **err)
{
    wci_endpoint_wish none = {0};
    const wci_endpoint_wish *wish = options ? &options->wish : &none;
    int32_t rc = check_wish(c->network->record, wish, err);
    char *text = rc ? NULL : wci_endpoint_wish_write(wish);
    if (!rc && !text)
        rc = wci_err_nomem(err);
    if (!rc)
        rc = wci_endpoint_insert(c->engine->store, c->record->id, c->network->record->id, text, err);
    wci_free(text);
    return rc;
}

int32_t wci_net_connect(wc_call *call, wc_network *network, wc_container *container,
                        const wc_endpoint_options *options, wc_error **err)
{
    change c;
    int32_t rc = change_begin(call, network, container, &c, err);
    if (!rc)
        rc = insert(&c, options, err);
    if (!rc && wci_status_is_live(c.record->status)) {
        rc = connect_running(call, &c, err);
        if (rc)
            (void)wci_endpoint_delete(c.engine->store, c.record->id, network->record->id, NULL);
    }
    change_free(&c);
    return rc;
}

static void forget(wci_net_plan *plan, wci_endpoint *e)
{
    size_t at = (size_t)(e - plan->endpoints);
    wci_endpoint_free(e);
    memmove(e, e + 1, (plan->endpoint_count - at - 1) * sizeof *e);
    plan->endpoint_count--;
}

static int32_t disconnect_running(wc_call *call, change *c, wc_error **err)
{
    int32_t rc = wci_net_plan_load(c->engine, c->record, &c->config, &c->plan, err);
    wci_endpoint *e = rc ? NULL : find_endpoint(c);
    if (rc || !e) /* it is not connected: the row will say so */
        return rc;
    rc = tell(call, c, WCI_OP_NETWORK_DISCONNECT, e, err);
    if (!rc) {
        forget(&c->plan, e);
        rc = wci_net_files_write(&c->plan, &c->config, 1, err);
    }
    return rc;
}

int32_t wci_net_disconnect(wc_call *call, wc_network *network, wc_container *container, wc_error **err)
{
    change c;
    int32_t rc = change_begin(call, network, container, &c, err);
    if (!rc && wci_status_is_live(c.record->status))
        rc = disconnect_running(call, &c, err);
    if (!rc)
        rc = wci_endpoint_delete(c.engine->store, c.record->id, network->record->id, err);
    change_free(&c);
    return rc;
}
