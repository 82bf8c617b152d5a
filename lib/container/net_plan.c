/* SPDX-License-Identifier: Apache-2.0 */
#include "container/net_plan.h"

#include <stdio.h>
#include <string.h>

#include "container/join.h"
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/host.h"

void wci_net_plan_free(wci_net_plan *plan)
{
    for (size_t i = 0; i < plan->endpoint_count; i++)
        wci_endpoint_free(&plan->endpoints[i]);
    wci_free(plan->endpoints);
    wci_free(plan->target);
    wci_free(plan->etc_dir);
    wci_free(plan->document);
    wci_free(plan->uplink);
    memset(plan, 0, sizeof *plan);
}

/* ---- Endpoints ------------------------------------------------------------------------------------ */

static int32_t load_all(wci_store *store, const wci_endpoint_record *records, size_t count, wci_net_plan *plan,
                        wc_error **err)
{
    int32_t rc = WC_OK;
    plan->endpoints = wci_calloc(count + 1, sizeof *plan->endpoints);
    if (!plan->endpoints)
        return wci_err_nomem(err);
    for (size_t i = 0; i < count && !rc; i++) {
        wci_endpoint *e = &plan->endpoints[i];
        rc = wci_endpoint_load(store, &records[i], e, err);
        if (rc == WC_E_NOT_FOUND)
            return wci_err_wrap(err, rc, "container '%s': one of its networks was removed; create it again and "
                                "connect it, or disconnect the container from it", records[i].container_name);
        if (!rc)
            plan->endpoint_count++;
        if (!rc && records[i].is_live)
            (void)wci_endpoint_state_read(records[i].state, &e->state);
    }
    return rc;
}

static int32_t load(wci_store *store, const char *container, wci_net_plan *plan, wc_error **err)
{
    wci_endpoint_record *records = NULL;
    size_t count = 0;
    int32_t rc = wci_endpoint_list(store, container, NULL, &records, &count, err);
    if (!rc)
        rc = load_all(store, records, count, plan, err);
    wci_endpoints_free(records, count);
    return rc;
}

void wci_net_plan_name_interface(const wci_endpoint *others, size_t count, wci_endpoint *e)
{
    for (size_t n = 0;; n++) {
        size_t i = 0;
        snprintf(e->state.interface_name, sizeof e->state.interface_name, "eth%zu", n);
        while (i < count && (&others[i] == e || strcmp(others[i].state.interface_name, e->state.interface_name)))
            i++;
        if (i == count)
            return;
    }
}

static int32_t lease_all(wc_call *call, wci_engine *engine, const wci_container_record *record,
                         const wci_config *config, wci_net_plan *plan, wc_error **err)
{
    for (size_t i = 0; i < plan->endpoint_count; i++) {
        memset(&plan->endpoints[i].state, 0, sizeof plan->endpoints[i].state);
        wci_net_plan_name_interface(plan->endpoints, i, &plan->endpoints[i]);
    }
    int32_t rc = wci_leases_begin(call, engine->store, err);
    if (rc)
        return rc;
    if (wci_net_is_uplink(plan))
        rc = wci_net_uplink_settle(engine->store, record->id, &plan->endpoints[0], err);
    else
        for (size_t i = 0; i < plan->endpoint_count && !rc; i++)
            rc = wci_endpoint_lease(engine->store, record->id, record->generation, &plan->endpoints[i], err);
    if (!rc && plan->endpoint_count)
        rc = wci_net_ports_lease(engine->store, record, config, err);
    return wci_leases_end(engine->store, rc, err);
}

/* ---- The document --------------------------------------------------------------------------------- */

static int32_t make_document(const wci_container_record *record, const wci_config *config,
                             const wci_attachment *attachments, size_t count, const wci_port_record *ports,
                             size_t port_count, char **out, wc_error **err)
{
    wci_published *published = wci_calloc(port_count + 1, sizeof *published);
    for (size_t i = 0; published && i < port_count; i++)
        published[i] = (wci_published){ports[i].protocol, ports[i].host_ip, ports[i].host_port,
                                       ports[i].container_port};
    json_t *document = published ? wci_netavark_document(record->id, record->name, attachments, count, published,
                                                         port_count, &config->dns)
                                 : NULL;
    *out = document ? wci_json_dump_text(document) : NULL;
    json_decref(document);
    wci_free(published);
    return *out ? WC_OK : wci_err_nomem(err);
}

int32_t wci_net_plan_document(wci_engine *engine, const wci_container_record *record, const wci_config *config,
                              const wci_endpoint *endpoints, size_t count, char **out, wc_error **err)
{
    wci_attachment *attachments = wci_calloc(count + 1, sizeof *attachments);
    wci_port_record *ports = NULL;
    size_t port_count = 0;
    int32_t rc = attachments ? wci_port_list(engine->store, record->id, &ports, &port_count, err) : wci_err_nomem(err);
    for (size_t i = 0; i < count && !rc; i++)
        if (wci_endpoint_attach(&endpoints[i], record->id, &attachments[i]))
            rc = wci_err_nomem(err);
    if (!rc)
        rc = make_document(record, config, attachments, count, ports, port_count, out, err);
    for (size_t i = 0; attachments && i < count; i++)
        wci_attachment_free(&attachments[i]);
    wci_free(attachments);
    wci_ports_free(ports, port_count);
    return rc;
}

/* ---- Another container's namespace ---------------------------------------------------------------- */

static int32_t join(wc_call *call, wci_engine *engine, const wci_container_record *record, wci_config *config,
                    wci_net_plan *plan, wc_error **err)
{
    wci_container_record *target = NULL;
    wci_config other = {0};
    int32_t rc = wci_join_target(call, engine, record, wci_network_mode_target(config->network), "network", &target, err);
    if (!rc)
        rc = wci_config_from_json(target->config, &other, err);
    if (!rc && wci_replace(&config->hostname, other.hostname))
        rc = wci_err_nomem(err);
    if (!rc) {
        plan->target = wci_strdup(target->id);
        wci_free(plan->etc_dir);
        plan->etc_dir = wci_container_dir(engine->store, target->id);
        rc = plan->target && plan->etc_dir ? WC_OK : wci_err_nomem(err);
    }
    wci_config_free(&other);
    wci_container_record_free(target);
    return rc;
}

/* ---- The plan ------------------------------------------------------------------------------------- */

static int32_t begin(wci_engine *engine, const wci_container_record *record, const wci_config *config,
                     wci_net_plan *plan, wc_error **err)
{
    memset(plan, 0, sizeof *plan);
    plan->etc_dir = wci_container_dir(engine->store, record->id);
    return plan->etc_dir ? wci_network_mode_parse(config->network, &plan->mode, err) : wci_err_nomem(err);
}

static int32_t make_own(wc_call *call, wci_engine *engine, const wci_container_record *record,
                        const wci_config *config, wci_net_plan *plan, wc_error **err)
{
    int32_t rc = load(engine->store, record->id, plan, err);
    if (!rc)
        rc = wci_net_uplink_check(plan, err);
    if (!rc)
        rc = lease_all(call, engine, record, config, plan, err);
    if (!rc && plan->endpoint_count && !wci_host_is_root())
        rc = wci_net_uplink_text(engine->store, record->id, plan, &plan->uplink, err);
    if (!rc && plan->endpoint_count && !wci_net_is_uplink(plan))
        rc = wci_net_plan_document(engine, record, config, plan->endpoints, plan->endpoint_count, &plan->document, err);
    return rc;
}

int32_t wci_net_plan_make(wc_call *call, wci_engine *engine, const wci_container_record *record, wci_config *config,
                          wci_net_plan *out, wc_error **err)
{
    wci_net_plan plan;
    int32_t rc = begin(engine, record, config, &plan, err);
    if (!rc && plan.mode == WCI_NETWORK_CONTAINER)
        rc = join(call, engine, record, config, &plan, err);
    else if (!rc && plan.mode == WCI_NETWORK_NAMED)
        rc = make_own(call, engine, record, config, &plan, err);
    if (rc)
        wci_net_plan_free(&plan);
    else
        *out = plan;
    return rc;
}

int32_t wci_net_plan_load(wci_engine *engine, const wci_container_record *record, const wci_config *config,
                          wci_net_plan *out, wc_error **err)
{
    wci_net_plan plan;
    int32_t rc = begin(engine, record, config, &plan, err);
    if (!rc)
        rc = load(engine->store, record->id, &plan, err);
    if (rc)
        wci_net_plan_free(&plan);
    else
        *out = plan;
    return rc;
}
