/* SPDX-License-Identifier: Apache-2.0 */
/* Removing volumes: the row first, then the directory, which is moved to a scratch directory and deleted there. */
#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "store/volume_rows.h"

/* ---- Rows --------------------------------------------------------------------------------------- */

int32_t wci_volume_no_such(const char *name, wc_error **err)
{
    return wci_err(err, WC_E_NOT_FOUND, "volume '%.255s': no such volume", name);
}

int32_t wci_volume_is_there(wci_db *db, const char *name, int *there, wc_error **err)
{
    int64_t found = 0;
    int32_t rc = wci_db_get_int(db, "SELECT count(*) FROM volumes WHERE name = ?", WCI_BIND(WCI_TEXT(name)), 0, &found,
                                err);
    *there = found != 0;
    return rc;
}

int32_t wci_volume_event(wci_store *store, const char *action, const char *name, const char *driver, wc_error **err)
{
    json_t *json = json_pack("{s:s}", "driver", driver);
    char *text = json ? wci_json_dump_text(json) : NULL;
    int32_t rc = text ? wci_event_put(store, "volume", action, name, text, err) : wci_err_nomem(err);
    json_decref(json);
    wci_free(text);
    return rc;
}

static int32_t check_unused(wci_db *db, const char *name, wc_error **err)
{
    char *user = NULL;
    int32_t rc = wci_db_get_text(db,
                                 "SELECT c.name || ''' (' || substr(c.id, 1, 12) || ')' FROM volume_uses"
                                 " JOIN containers c ON c.id = container WHERE volume = ? LIMIT 1",
                                 WCI_BIND(WCI_TEXT(name)), &user, err);
    if (!rc && user)
        rc = wci_err(err, WC_E_IN_USE, "volume '%s': container '%s uses it; remove that first", name, user);
    wci_free(user);
    return rc;
}

static int32_t delete_row(wci_store *store, const char *name, wc_error **err)
{
    char *driver = NULL;
    int32_t rc = wci_db_get_text(store->db, "SELECT driver FROM volumes WHERE name = ?", WCI_BIND(WCI_TEXT(name)),
                                 &driver, err);
    if (!rc && !driver)
        rc = wci_volume_no_such(name, err);
    if (!rc)
        rc = wci_db_run(store->db, "DELETE FROM volumes WHERE name = ?", WCI_BIND(WCI_TEXT(name)), err);
    if (!rc)
        rc = wci_volume_event(store, "destroy", name, driver, err);
    wci_free(driver);
    return rc;
}

static int32_t delete_unused(wci_store *store, const char *name, wc_error **err)
{
    int32_t rc = check_unused(store->db, name, err);
    return rc ? rc : delete_row(store, name, err);
}

int32_t wci_volumes_forget(wci_store *store, const char *container, wci_strv *volumes, wc_error **err)
{
    int32_t rc = WC_OK;
    size_t first = volumes ? volumes->count : 0;
    if (volumes)
        rc = wci_db_list(store->db,
                         "SELECT DISTINCT volume FROM volume_uses u JOIN volumes ON name = volume"
                         " WHERE container = ?1 AND is_anonymous AND NOT EXISTS"
                         " (SELECT 1 FROM volume_uses o WHERE o.volume = u.volume AND o.container <> ?1)",
                         WCI_BIND(WCI_TEXT(container)), volumes, err);
    if (!rc)
        rc = wci_db_run(store->db, "DELETE FROM volume_uses WHERE container = ?", WCI_BIND(WCI_TEXT(container)), err);
    for (size_t i = first; volumes && !rc && i < volumes->count; i++)
        rc = delete_row(store, volumes->items[i], err);
    return rc;
}

/* ---- Directories -------------------------------------------------------------------------------- */

int32_t wci_volume_throw(wci_store *store, const char *dir, uint64_t *bytes, wc_error **err)
{
    wci_scratch trash;
    uint64_t size = 0, entries = 0;
    int32_t rc = wci_scratch_new(store, &trash, err);
    if (rc)
        return rc;
    char *to = wci_path_join(trash.dir, "volume");
    wc_error *why = NULL;
    rc = to ? wci_file_rename(dir, to, &why) : wci_err_nomem(&why);
    if (!rc && bytes && !wci_dir_usage(to, &size, &entries, NULL))
        *bytes += size;
    wci_scratch_free(&trash);
    wci_free(to);
    if (rc != WC_E_NOT_FOUND)
        return rc ? wci_err_move(err, why) : WC_OK;
    wc_error_unref(why); /* a prune has taken it already */
    return WC_OK;
}

static int32_t throw_named(wci_store *store, const char *name, uint64_t *bytes, wc_error **err)
{
    char *dir = wci_volume_dir(store, name);
    int32_t rc = dir ? wci_volume_throw(store, dir, bytes, err) : wci_err_nomem(err);
    wci_free(dir);
    return rc;
}

/* Somebody may have made one of that name meanwhile. */
static void throw_unless_there(wc_call *call, wci_store *store, const char *name)
{
    wci_lock *lock = NULL;
    int there = 1;
    if (wci_volume_lock(call, store, name, &lock, NULL))
        return;
    if (!wci_tx_begin(store, call, WCI_TX_READ, NULL))
        (void)wci_tx_end(store, wci_volume_is_there(store->db, name, &there, NULL), NULL);
    if (!there)
        (void)throw_named(store, name, NULL, NULL);
    wci_lock_release_remove(lock);
}

void wci_volumes_throw(wc_call *call, wci_store *store, const wci_strv *names)
{
    for (size_t i = 0; i < names->count; i++)
        throw_unless_there(call, store, names->items[i]);
}

/* ---- Removing ----------------------------------------------------------------------------------- */

static int32_t remove_locked(wc_call *call, wci_store *store, const char *name, uint64_t *bytes, wc_error **err)
{
    int32_t rc = wci_tx_begin(store, call, WCI_TX_DURABLE, err);
    if (!rc)
        rc = wci_tx_end(store, delete_unused(store, name, err), err);
    return rc ? rc : throw_named(store, name, bytes, err);
}

int32_t wci_volume_remove(wc_call *call, wci_store *store, const char *name, uint64_t *bytes, wc_error **err)
{
    wci_lock *lock = NULL;
    if (wci_volume_name_check(name, NULL))
        return wci_volume_no_such(name, err);
    int32_t rc = wci_volume_lock(call, store, name, &lock, err);
    if (rc)
        return rc;
    rc = remove_locked(call, store, name, bytes, err);
    wci_lock_release_remove(lock);
    return rc;
}

/* Somebody may have come to use it, or have removed it, since it was listed. */
static int32_t prune_one(wc_call *call, wci_store *store, const char *name, wci_strv *removed, uint64_t *bytes,
                         wc_error **err)
{
    wc_error *why = NULL;
    int32_t rc = wci_volume_remove(call, store, name, bytes, &why);
    if (rc == WC_E_IN_USE || rc == WC_E_NOT_FOUND) {
        wc_error_unref(why);
        return WC_OK;
    }
    if (rc)
        return wci_err_move(err, why);
    return wci_strv_add(removed, name) ? wci_err_nomem(err) : WC_OK;
}

int32_t wci_volume_prune(wc_call *call, wci_store *store, int all, wci_strv *removed, uint64_t *bytes, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    int32_t rc = wci_tx_begin(store, call, WCI_TX_READ, err);
    if (!rc)
        rc = wci_tx_end(store,
                        wci_db_list(store->db,
                                    "SELECT name FROM volumes WHERE (is_anonymous OR ?)"
                                    " AND name NOT IN (SELECT volume FROM volume_uses) ORDER BY name",
                                    WCI_BIND(WCI_INT(all)), &names, err),
                        err);
    for (size_t i = 0; !rc && i < names.count; i++) {
        rc = wci_call_check(call, err);
        if (!rc)
            rc = prune_one(call, store, names.items[i], removed, bytes, err);
    }
    wci_strv_free(&names);
    return rc;
}
