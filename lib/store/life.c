/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_life.h"

#include <stdio.h>

#include "core/error.h"
#include "store/internal.h"

const char *wci_health_text(wci_health health)
{
    static const char *const texts[] = {"none", "starting", "healthy", "unhealthy"};
    int known = health >= WCI_HEALTH_NONE && health <= WCI_HEALTH_UNHEALTHY;
    return known ? texts[health] : texts[0];
}

int32_t wci_container_set_stopped(wci_store *store, const char *id, wc_error **err)
{
    WCI_CALL_NONE(call);
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_WRITE, err);
    if (rc)
        return rc;
    rc = wci_db_run(store->db, "UPDATE containers SET user_stopped = 1 WHERE id = ?", WCI_BIND(WCI_TEXT(id)), err);
    if (!rc && wci_db_changes(store->db) == 0)
        rc = wci_err(err, WC_E_NOT_FOUND, "container '%s': no such container", id);
    return wci_tx_end(store, rc, err);
}

static int32_t set_health(wci_store *store, const char *id, int64_t generation, wci_health health, wc_error **err)
{
    char action[48];
    int32_t rc = wci_db_run(store->db,
                            "UPDATE containers SET health = ?2 WHERE id = ?1 AND generation = ?3 AND health <> ?2"
                            " AND status IN (?4, ?5)",
                            WCI_BIND(WCI_TEXT(id), WCI_INT(health), WCI_INT(generation), WCI_INT(WCI_STATUS_RUNNING),
                                     WCI_INT(WCI_STATUS_PAUSED)),
                            err);
    if (rc || wci_db_changes(store->db) == 0)
        return rc;
    snprintf(action, sizeof action, "health_status: %s", wci_health_text(health));
    return wci_container_put_event(store, action, id, NULL, err);
}

int32_t wci_container_set_health(wci_store *store, const char *id, int64_t generation, wci_health health,
                                 wc_error **err)
{
    WCI_CALL_NONE(call);
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_WRITE, err);
    return rc ? rc : wci_tx_end(store, set_health(store, id, generation, health, err), err);
}

static int32_t set_config(wci_store *store, const char *id, const char *seen, const char *config, int *changed,
                          wc_error **err)
{
    int32_t rc = wci_db_run(store->db, "UPDATE containers SET config = ?3 WHERE id = ?1 AND config = ?2",
                            WCI_BIND(WCI_TEXT(id), WCI_TEXT(seen), WCI_TEXT(config)), err);
    *changed = !rc && wci_db_changes(store->db) == 1;
    return *changed ? wci_container_put_event(store, "update", id, NULL, err) : rc;
}

int32_t wci_container_set_config(wci_store *store, const char *id, const char *seen, const char *config, int *changed,
                                 wc_error **err)
{
    WCI_CALL_NONE(call);
    *changed = 0;
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_DURABLE, err);
    return rc ? rc : wci_tx_end(store, set_config(store, id, seen, config, changed, err), err);
}
