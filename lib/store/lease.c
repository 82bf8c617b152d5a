/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and published ports, and which run of a container has them. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "store/internal.h"
#include "store/network.h"

/* Not those of a run that has ended: created and exited containers, and earlier runs. One that is being removed may
 * still have its interfaces. */
#define IS_OVER(table)                                                                                                 \
    "NOT EXISTS (SELECT 1 FROM containers WHERE containers.id = " table ".container"                                   \
    " AND containers.generation = " table ".generation AND containers.status NOT IN (0, 4))"

static int32_t forget_ended(wci_db *db, wc_error **err)
{
    int32_t rc = wci_db_run(db, "DELETE FROM leases WHERE " IS_OVER("leases"), WCI_BIND_NONE, err);
    return rc ? rc : wci_db_run(db, "DELETE FROM ports WHERE " IS_OVER("ports"), WCI_BIND_NONE, err);
}

/* After a power cut nothing runs, so leases need not outlive one. */
int32_t wci_leases_begin(const wc_call *call, wci_store *store, wc_error **err)
{
    int32_t rc = wci_tx_begin(store, call, WCI_TX_WRITE, err);
    if (rc)
        return rc;
    rc = forget_ended(store->db, err);
    return rc ? wci_tx_end(store, rc, err) : WC_OK;
}

int32_t wci_leases_end(wci_store *store, int32_t rc, wc_error **err)
{
    return wci_tx_end(store, rc, err);
}

/* ---- Addresses ------------------------------------------------------------------------------------ */

int32_t wci_lease_taken(wci_store *store, const char *network, wci_strv *out, wc_error **err)
{
    return wci_db_list(store->db, "SELECT address FROM leases WHERE network = ?", WCI_BIND(WCI_TEXT(network)), out, err);
}

static int32_t check_address(wci_store *store, const char *network, const char *address, wc_error **err)
{
    char *holder = NULL;
    int32_t rc = wci_db_get_text(store->db,
                                 "SELECT coalesce((SELECT name FROM containers WHERE id = container), container)"
                                 " FROM leases WHERE network = ? AND address = ?",
                                 WCI_BIND(WCI_TEXT(network), WCI_TEXT(address)), &holder, err);
    if (!rc && holder)
        rc = wci_err(err, WC_E_IN_USE, "address %s: container '%s' has it; choose another", address, holder);
    wci_free(holder);
    return rc;
}

int32_t wci_lease_add(wci_store *store, const char *network, const char *address, const char *container,
                      int64_t generation, int is_static, wc_error **err)
{
    int32_t rc = check_address(store, network, address, err);
    return rc ? rc
              : wci_db_run(store->db,
                           "INSERT INTO leases (network, address, container, generation, is_static)"
                           " VALUES (?, ?, ?, ?, ?)",
                           WCI_BIND(WCI_TEXT(network), WCI_TEXT(address), WCI_TEXT(container), WCI_INT(generation),
                                    WCI_INT(is_static)),
                           err);
}

int32_t wci_endpoint_set_state(wci_store *store, const char *container, const char *network, const char *state,
                               wc_error **err)
{
    return wci_db_run(store->db, "UPDATE endpoints SET state = ? WHERE container = ? AND network = ?",
                      WCI_BIND(WCI_TEXT(state), WCI_TEXT(container), WCI_TEXT(network)), err);
}

/* ---- Ports ---------------------------------------------------------------------------------------- */

/* A port of every address and the same port of one of them exclude each other. */
static int32_t find_holder(wci_store *store, const wci_port_record *port, char **holder, wc_error **err)
{
    return wci_db_get_text(store->db,
                           "SELECT coalesce((SELECT name FROM containers WHERE id = container), container) FROM ports"
                           " WHERE protocol = ?1 AND host_port = ?2"
                           " AND (host_ip = ?3 OR host_ip IN ('', '0.0.0.0', '::') OR ?3 IN ('', '0.0.0.0', '::'))"
                           " LIMIT 1",
                           WCI_BIND(WCI_TEXT(port->protocol), WCI_INT(port->host_port), WCI_TEXT(port->host_ip)),
                           holder, err);
}

int32_t wci_port_is_taken(wci_store *store, const wci_port_record *port, int *taken, wc_error **err)
{
    char *holder = NULL;
    int32_t rc = find_holder(store, port, &holder, err);
    *taken = holder != NULL;
    wci_free(holder);
    return rc;
}

int32_t wci_port_add(wci_store *store, const wci_port_record *port, const char *container, int64_t generation,
                     wc_error **err)
{
    char *holder = NULL;
    int32_t rc = find_holder(store, port, &holder, err);
    if (!rc && holder)
        rc = wci_err(err, WC_E_IN_USE, "port %d/%s: it is already allocated, by container '%s'; choose another",
                     port->host_port, port->protocol, holder);
    wci_free(holder);
    return rc ? rc
              : wci_db_run(store->db,
                           "INSERT INTO ports (protocol, host_ip, host_port, container_port, container, generation)"
                           " VALUES (?, ?, ?, ?, ?, ?)",
                           WCI_BIND(WCI_TEXT(port->protocol), WCI_TEXT(port->host_ip), WCI_INT(port->host_port),
                                    WCI_INT(port->container_port), WCI_TEXT(container), WCI_INT(generation)),
                           err);
}

void wci_ports_free(wci_port_record *ports, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        wci_free(ports[i].protocol);
        wci_free(ports[i].host_ip);
    }
    wci_free(ports);
}

static int32_t take_port(sqlite3_stmt *row, void *to, wc_error **err)
{
    wci_port_record *p = to;
    *p = (wci_port_record){wci_strdup(wci_db_text(row, 0)), wci_strdup(wci_db_text(row, 1)),
                           (int32_t)wci_db_int(row, 2), (int32_t)wci_db_int(row, 3)};
    return p->protocol && p->host_ip ? WC_OK : wci_err_nomem(err);
}

static int32_t read_ports(wci_store *store, const char *container, wci_port_record **out, size_t *count,
                          wc_error **err)
{
    return wci_db_records(store->db,
                          "SELECT protocol, host_ip, host_port, container_port FROM ports WHERE container = ?"
                          " AND NOT " IS_OVER("ports") " ORDER BY container_port, protocol, host_ip, host_port",
                          WCI_BIND(WCI_TEXT(container)), sizeof **out, take_port, out, count, err);
}

int32_t wci_port_list(wci_store *store, const char *container, wci_port_record **out, size_t *count, wc_error **err)
{
    WCI_CALL_NONE(call);
    wci_port_record *found = NULL;
    size_t n = 0;
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_READ, err);
    if (rc)
        return rc;
    rc = wci_tx_end(store, read_ports(store, container, &found, &n, err), err);
    if (rc) {
        wci_ports_free(found, n);
        return rc;
    }
    *out = found;
    *count = n;
    return WC_OK;
}
