/* SPDX-License-Identifier: Apache-2.0 */
/* Networks and who is joined to them. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "store/internal.h"
#include "store/network.h"

#define ID_SIZE 65
/* A run that goes on. */
#define IS_LIVE "status IN (1, 2, 3)"

/* ---- Reading ------------------------------------------------------------------------------------ */

void wci_network_record_free(wci_network_record *record)
{
    if (!record)
        return;
    wci_free(record->name);
    wci_free(record->driver);
    wci_free(record->device);
    wci_free(record->config);
    wci_free(record);
}

void wci_network_records_free(wci_network_record **records, size_t count)
{
    for (size_t i = 0; i < count; i++)
        wci_network_record_free(records[i]);
    wci_free(records);
}

typedef struct list {
    wci_network_record **items;
    size_t count, cap;
} list;

static int32_t take_id(const char *id, char out[ID_SIZE], wc_error **err)
{
    if (strlen(id) >= ID_SIZE)
        return wci_err(err, WC_E_CORRUPT, "store database: id '%.70s' is too long", id);
    memcpy(out, id, strlen(id) + 1);
    return WC_OK;
}

static int32_t take_row(sqlite3_stmt *row, void *to, wc_error **err)
{
    list *found = to;
    wci_network_record *r = wci_calloc(1, sizeof *r);
    if (!r || !wci_grow(&found->items, &found->cap, found->count + 1, sizeof *found->items)) {
        wci_free(r);
        return wci_err_nomem(err);
    }
    found->items[found->count++] = r;
    r->name = wci_strdup(wci_db_text(row, 1));
    r->driver = wci_strdup(wci_db_text(row, 2));
    r->device = wci_strdup(wci_db_text(row, 3));
    r->config = wci_strdup(wci_db_text(row, 4));
    r->created_ns = wci_db_int(row, 5);
    return r->name && r->driver && r->device && r->config ? take_id(wci_db_text(row, 0), r->id, err)
                                                             : wci_err_nomem(err);
}

#define SELECT "SELECT id, name, driver, interface, config, created_ns FROM networks"

static int32_t read_all(wci_db *db, list *to, wc_error **err)
{
    return wci_db_each(db, SELECT " ORDER BY name", WCI_BIND_NONE, take_row, to, err);
}

int32_t wci_network_list(wci_store *store, wci_network_record ***out, size_t *count, wc_error **err)
{
    WCI_CALL_NONE(call);
    list found = {NULL, 0, 0};
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_READ, err);
    if (!rc)
        rc = wci_tx_end(store, read_all(store->db, &found, err), err);
    if (rc) {
        wci_network_records_free(found.items, found.count);
        return rc;
    }
    *out = found.items;
    *count = found.count;
    return WC_OK;
}

static int32_t find_prefix(wci_db *db, const char *prefix, list *to, wc_error **err)
{
    if (!*prefix || prefix[strspn(prefix, "0123456789abcdef")])
        return WC_OK;
    char *end = wci_asprintf("%sg", prefix); /* the first text after all hex digits */
    if (!end)
        return wci_err_nomem(err);
    int32_t rc = wci_db_each(db, SELECT " WHERE id >= ? AND id < ? LIMIT 2", WCI_BIND(WCI_TEXT(prefix), WCI_TEXT(end)),
                             take_row, to, err);
    wci_free(end);
    return rc;
}

static int32_t find(wci_db *db, const char *what, list *to, wc_error **err)
{
    int32_t rc = wci_db_each(db, SELECT " WHERE name = ?", WCI_BIND(WCI_TEXT(what)), take_row, to, err);
    if (!rc && !to->count)
        rc = wci_db_each(db, SELECT " WHERE id = ?", WCI_BIND(WCI_TEXT(what)), take_row, to, err);
    if (!rc && !to->count)
        rc = find_prefix(db, what, to, err);
    if (!rc && !to->count)
        rc = wci_err(err, WC_E_NOT_FOUND, "network '%.80s': no such network; create it first", what);
    if (!rc && to->count > 1)
        rc = wci_err(err, WC_E_INVALID, "network '%s': more than one id begins so; give more digits", what);
    return rc;
}

int32_t wci_network_find(wci_store *store, const char *id_or_name, wci_network_record **out, wc_error **err)
{
    WCI_CALL_NONE(call);
    list found = {NULL, 0, 0};
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_READ, err);
    if (!rc)
        rc = wci_tx_end(store, find(store->db, id_or_name, &found, err), err);
    if (!rc) {
        *out = found.items[0];
        found.items[0] = NULL;
    }
    wci_network_records_free(found.items, found.count);
    return rc;
}

/* ---- Making and removing -------------------------------------------------------------------------- */

static int32_t check_free(const list *others, const wci_network_record *r, wc_error **err)
{
    for (size_t i = 0; i < others->count; i++) {
        const wci_network_record *other = others->items[i];
        if (!strcmp(other->name, r->name))
            return wci_err(err, WC_E_EXISTS, "network '%s': it is there already; choose another name or remove it",
                           r->name);
        if (r->device && *r->device && !strcmp(other->device, r->device))
            return wci_err(err, WC_E_EXISTS, "network '%s': network '%s' has the interface '%s'", r->name, other->name,
                           r->device);
    }
    return WC_OK;
}

static int32_t insert(wci_store *store, wci_network_record *r, wci_network_settle settle, void *payload,
                      wc_error **err)
{
    list others = {NULL, 0, 0};
    int32_t rc = read_all(store->db, &others, err);
    if (!rc)
        rc = check_free(&others, r, err);
    if (!rc && settle)
        rc = settle(payload, others.items, others.count, r, err);
    if (!rc)
        rc = check_free(&others, r, err);
    if (!rc)
        rc = wci_db_run(store->db,
                        "INSERT INTO networks (id, name, driver, interface, config, created_ns)"
                        " VALUES (?, ?, ?, ?, ?, ?)",
                        WCI_BIND(WCI_TEXT(r->id), WCI_TEXT(r->name), WCI_TEXT(r->driver),
                                 WCI_TEXT(r->device && *r->device ? r->device : NULL), WCI_TEXT(r->config),
                                 WCI_INT(r->created_ns)),
                        err);
    if (!rc)
        rc = wci_event_put_named(store, "network", "create", r->id, r->name, err);
    wci_network_records_free(others.items, others.count);
    return rc;
}

int32_t wci_network_insert(wc_call *call, wci_store *store, wci_network_record *record, wci_network_settle settle,
                           void *payload, wc_error **err)
{
    int32_t rc = wci_tx_begin(store, call, WCI_TX_DURABLE, err);
    return rc ? rc : wci_tx_end(store, insert(store, record, settle, payload, err), err);
}

static int32_t check_unused(wci_store *store, const char *id, const char *name, wc_error **err)
{
    char *user = NULL;
    int32_t rc = wci_db_get_text(store->db,
                                 "SELECT containers.name FROM endpoints JOIN containers ON id = container"
                                 " WHERE network = ? AND " IS_LIVE " ORDER BY containers.name LIMIT 1",
                                 WCI_BIND(WCI_TEXT(id)), &user, err);
    if (!rc && user)
        rc = wci_err(err, WC_E_IN_USE,
                     "network '%s': container '%s' runs on it; stop or disconnect that one first", name, user);
    wci_free(user);
    return rc;
}

static int32_t delete_rows(wci_store *store, const char *id, wc_error **err)
{
    char *name = NULL;
    int32_t rc = wci_db_get_text(store->db, "SELECT name FROM networks WHERE id = ?", WCI_BIND(WCI_TEXT(id)), &name,
                                 err);
    if (!rc && !name)
        rc = wci_err(err, WC_E_NOT_FOUND, "network '%s': no such network", id);
    if (!rc)
        rc = check_unused(store, id, name, err);
    if (!rc)
        rc = wci_event_put_named(store, "network", "destroy", id, name, err);
    if (!rc)
        rc = wci_db_run(store->db, "DELETE FROM leases WHERE network = ?", WCI_BIND(WCI_TEXT(id)), err);
    if (!rc)
        rc = wci_db_run(store->db, "DELETE FROM networks WHERE id = ?", WCI_BIND(WCI_TEXT(id)), err);
    wci_free(name);
    return rc;
}

int32_t wci_network_delete(wci_store *store, const char *id, wc_error **err)
{
    WCI_CALL_NONE(call);
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_DURABLE, err);
    return rc ? rc : wci_tx_end(store, delete_rows(store, id, err), err);
}

/* ---- Endpoints ------------------------------------------------------------------------------------ */

void wci_endpoints_free(wci_endpoint_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        wci_free(records[i].container_name);
        wci_free(records[i].config);
        wci_free(records[i].state);
    }
    wci_free(records);
}

static int32_t take_endpoint(sqlite3_stmt *row, void *to, wc_error **err)
{
    wci_endpoint_record *out = to;
    *out = (wci_endpoint_record){.container_name = wci_strdup(wci_db_text(row, 2)),
                                 .config = wci_strdup(wci_db_text(row, 3)),
                                 .state = wci_strdup(wci_db_text(row, 4)),
                                 .is_live = wci_db_int(row, 5) != 0};
    int32_t rc = out->container_name && out->config && out->state ? WC_OK : wci_err_nomem(err);
    if (!rc)
        rc = take_id(wci_db_text(row, 0), out->container, err);
    return rc ? rc : take_id(wci_db_text(row, 1), out->network, err);
}

static int32_t read_endpoints(wci_db *db, const char *sql, const char *key, wci_endpoint_record **out, size_t *count,
                              wc_error **err)
{
    return wci_db_records(db, sql, WCI_BIND(WCI_TEXT(key)), sizeof **out, take_endpoint, out, count, err);
}

#define ENDPOINTS                                                                                                      \
    "SELECT container, network, containers.name, endpoints.config, state, " IS_LIVE                                    \
    " FROM endpoints JOIN containers ON containers.id = container WHERE "

int32_t wci_endpoint_list(wci_store *store, const char *container, const char *network, wci_endpoint_record **out,
                          size_t *count, wc_error **err)
{
    WCI_CALL_NONE(call);
    wci_endpoint_record *found = NULL;
    size_t n = 0;
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_READ, err);
    if (rc)
        return rc;
    rc = container ? read_endpoints(store->db, ENDPOINTS "container = ? ORDER BY position", container, &found, &n, err)
                   : read_endpoints(store->db, ENDPOINTS "network = ? ORDER BY containers.name", network, &found, &n,
                                    err);
    rc = wci_tx_end(store, rc, err);
    if (rc) {
        wci_endpoints_free(found, n);
        return rc;
    }
    *out = found;
    *count = n;
    return WC_OK;
}

static int32_t put_event(wci_store *store, const char *action, const char *container, const char *network,
                         wc_error **err)
{
    char *name = NULL, *attributes = NULL;
    int32_t rc = wci_db_get_text(store->db, "SELECT name FROM networks WHERE id = ?", WCI_BIND(WCI_TEXT(network)),
                                 &name, err);
    if (!rc) /* names of networks need no escapes */
        attributes = wci_asprintf("{\"name\":\"%s\",\"container\":\"%s\"}", name ? name : "", container);
    if (!rc)
        rc = attributes ? wci_event_put(store, "network", action, network, attributes, err) : wci_err_nomem(err);
    wci_free(name);
    wci_free(attributes);
    return rc;
}

int32_t wci_endpoint_put(wci_store *store, const char *container, const char *network, const char *config,
                         wc_error **err)
{
    int64_t there = 0;
    int32_t rc = wci_db_get_int(store->db, "SELECT count(*) FROM endpoints WHERE container = ? AND network = ?",
                                WCI_BIND(WCI_TEXT(container), WCI_TEXT(network)), 0, &there, err);
    if (!rc && there)
        rc = wci_err(err, WC_E_EXISTS, "container '%.12s': it is connected to network '%.12s' already", container,
                     network);
    if (!rc)
        rc = wci_db_run(store->db,
                        "INSERT INTO endpoints (container, network, position, config, state) VALUES (?1, ?2,"
                        " (SELECT coalesce(max(position), -1) + 1 FROM endpoints WHERE container = ?1), ?3, '')",
                        WCI_BIND(WCI_TEXT(container), WCI_TEXT(network), WCI_TEXT(config)), err);
    return rc;
}

static int32_t insert_endpoint(wci_store *store, const char *container, const char *network, const char *config,
                               wc_error **err)
{
    int64_t there = 0;
    int32_t rc = wci_db_get_int(store->db,
                                "SELECT (SELECT count(*) FROM containers WHERE id = ?)"
                                " * (SELECT count(*) FROM networks WHERE id = ?)",
                                WCI_BIND(WCI_TEXT(container), WCI_TEXT(network)), 0, &there, err);
    if (!rc && !there)
        rc = wci_err(err, WC_E_NOT_FOUND, "network '%.12s': it or container '%.12s' is gone", network, container);
    if (!rc)
        rc = wci_endpoint_put(store, container, network, config, err);
    return rc ? rc : put_event(store, "connect", container, network, err);
}

int32_t wci_endpoint_insert(wci_store *store, const char *container, const char *network, const char *config,
                            wc_error **err)
{
    WCI_CALL_NONE(call);
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_DURABLE, err);
    return rc ? rc : wci_tx_end(store, insert_endpoint(store, container, network, config, err), err);
}

static int32_t delete_endpoint(wci_store *store, const char *container, const char *network, wc_error **err)
{
    int32_t rc = wci_db_run(store->db, "DELETE FROM endpoints WHERE container = ? AND network = ?",
                            WCI_BIND(WCI_TEXT(container), WCI_TEXT(network)), err);
    if (!rc && wci_db_changes(store->db) == 0)
        rc = wci_err(err, WC_E_NOT_FOUND, "container '%.12s': it is not connected to network '%.12s'", container,
                     network);
    if (!rc)
        rc = wci_db_run(store->db, "DELETE FROM leases WHERE container = ? AND network = ?",
                        WCI_BIND(WCI_TEXT(container), WCI_TEXT(network)), err);
    return rc ? rc : put_event(store, "disconnect", container, network, err);
}

int32_t wci_endpoint_delete(wci_store *store, const char *container, const char *network, wc_error **err)
{
    WCI_CALL_NONE(call);
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_DURABLE, err);
    return rc ? rc : wci_tx_end(store, delete_endpoint(store, container, network, err), err);
}
