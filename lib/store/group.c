/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_group.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "store/internal.h"

void wci_group_record_clear(wci_group_record *record)
{
    wci_free(record->name);
    wci_free(record->id);
    wci_free(record->config);
    *record = (wci_group_record){.name = NULL};
}

void wci_group_records_free(wci_group_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++)
        wci_group_record_clear(&records[i]);
    wci_free(records);
}

static int32_t check_name(const char *name, wc_error **err)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    static const char later[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    size_t size = strlen(name);
    if (size >= 2 && size <= WCI_GROUP_NAME_MAX && strchr(first, *name) && strspn(name, later) == size)
        return WC_OK;
    return wci_err(err, WC_E_INVALID,
                   "group name '%.80s': must be 2 to 128 letters, digits, '_', '.' or '-', and begin with a letter or "
                   "digit",
                   name);
}

int32_t wci_group_lock(wc_call *call, wci_store *store, const char *name, wci_lock **out, wc_error **err)
{
    char *path = wci_asprintf("%s/" WCI_DIR_LOCKS "/group-%s", store->root, name);
    int32_t rc = path ? wci_lock_acquire(call, path, WCI_LOCK_EXCLUSIVE, out, err) : wci_err_nomem(err);
    wci_free(path);
    return rc;
}

/* ---- Reading ------------------------------------------------------------------------------------ */

#define COLUMNS "SELECT name, id, config, created_ns FROM groups"

static int32_t take_row(sqlite3_stmt *row, void *to, wc_error **err)
{
    wci_group_record *out = to;
    *out = (wci_group_record){
        .name = wci_strdup(wci_db_text(row, 0)),
        .id = wci_strdup(wci_db_text(row, 1)),
        .config = wci_strdup(wci_db_text(row, 2)),
        .created_ns = wci_db_int(row, 3),
    };
    return out->name && out->id && out->config ? WC_OK : wci_err_nomem(err);
}

static int32_t read_all(wci_store *store, const char *sql, const wci_value *values, size_t value_count,
                        wci_group_record **out, size_t *count, wc_error **err)
{
    WCI_CALL_NONE(call);
    wci_group_record *list = NULL;
    size_t found = 0;
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_READ, err);
    if (rc)
        return rc;
    rc = wci_tx_end(store,
                    wci_db_records(store->db, sql, values, value_count, sizeof *list, take_row, &list, &found, err),
                    err);
    if (rc) {
        wci_group_records_free(list, found);
        return rc;
    }
    *out = list;
    *count = found;
    return WC_OK;
}

int32_t wci_group_list(wci_store *store, wci_group_record **out, size_t *count, wc_error **err)
{
    return read_all(store, COLUMNS " ORDER BY name", WCI_BIND_NONE, out, count, err);
}

static int32_t no_such(const char *name, wc_error **err)
{
    return wci_err(err, WC_E_NOT_FOUND, "group '%.128s': no such group", name);
}

int32_t wci_group_find(wci_store *store, const char *name, wci_group_record *out, wc_error **err)
{
    wci_group_record *list = NULL;
    size_t count = 0;
    int32_t rc = read_all(store, COLUMNS " WHERE name = ?", WCI_BIND(WCI_TEXT(name)), &list, &count, err);
    if (!rc && !count)
        rc = no_such(name, err);
    if (!rc) {
        *out = list[0];
        list[0] = (wci_group_record){.name = NULL};
    }
    wci_group_records_free(list, count);
    return rc;
}

/* ---- Changing ----------------------------------------------------------------------------------- */

static int32_t is_there(wci_db *db, const char *name, int64_t *there, wc_error **err)
{
    return wci_db_get_int(db, "SELECT count(*) FROM groups WHERE name = ?", WCI_BIND(WCI_TEXT(name)), 0, there, err);
}

int32_t wci_group_require(wci_store *store, const char *name, wc_error **err)
{
    int64_t there = 1;
    int32_t rc = name && *name ? is_there(store->db, name, &there, err) : WC_OK;
    return rc || there ? rc : no_such(name, err);
}

static int32_t insert(wci_store *store, const wci_group_record *r, wc_error **err)
{
    int64_t there = 0;
    int32_t rc = is_there(store->db, r->name, &there, err);
    if (!rc && there)
        rc = wci_err(err, WC_E_EXISTS, "group '%s': is there already", r->name);
    if (!rc)
        rc = wci_db_run(store->db, "INSERT INTO groups (name, id, config, created_ns) VALUES (?, ?, ?, ?)",
                        WCI_BIND(WCI_TEXT(r->name), WCI_TEXT(r->id), WCI_TEXT(r->config), WCI_INT(r->created_ns)), err);
    return rc ? rc : wci_event_put_named(store, "group", "create", r->id, r->name, err);
}

int32_t wci_group_create(wc_call *call, wci_store *store, wci_group_record *record, wc_error **err)
{
    char id[65];
    int32_t rc = check_name(record->name, err);
    if (!rc)
        rc = wci_random_hex(32, id, err);
    if (!rc && wci_replace(&record->id, id))
        rc = wci_err_nomem(err);
    record->created_ns = wci_now_ns();
    if (!rc)
        rc = wci_tx_begin(store, call, WCI_TX_DURABLE, err);
    return rc ? rc : wci_tx_end(store, insert(store, record, err), err);
}

static int32_t update(wci_store *store, const wci_group_record *r, const char *config, wc_error **err)
{
    int32_t rc = wci_db_run(store->db, "UPDATE groups SET config = ? WHERE name = ? AND id = ?",
                            WCI_BIND(WCI_TEXT(config), WCI_TEXT(r->name), WCI_TEXT(r->id)), err);
    if (!rc && !wci_db_changes(store->db))
        rc = no_such(r->name, err);
    return rc ? rc : wci_event_put_named(store, "group", "update", r->id, r->name, err);
}

int32_t wci_group_set_config(wc_call *call, wci_store *store, const wci_group_record *record, const char *config,
                             wc_error **err)
{
    int32_t rc = wci_tx_begin(store, call, WCI_TX_DURABLE, err);
    return rc ? rc : wci_tx_end(store, update(store, record, config, err), err);
}

static int32_t check_unused(wci_db *db, const char *name, wc_error **err)
{
    char *user = NULL;
    int32_t rc = wci_db_get_text(db,
                                 "SELECT name || ''' (' || substr(id, 1, 12) || ')' FROM containers"
                                 " WHERE group_name = ? LIMIT 1",
                                 WCI_BIND(WCI_TEXT(name)), &user, err);
    if (!rc && user)
        rc = wci_err(err, WC_E_IN_USE, "group '%s': container '%s is in it; remove that first", name, user);
    wci_free(user);
    return rc;
}

static int32_t remove_row(wci_store *store, const char *name, wc_error **err)
{
    char *id = NULL;
    int32_t rc = wci_db_get_text(store->db, "SELECT id FROM groups WHERE name = ?", WCI_BIND(WCI_TEXT(name)), &id, err);
    if (!rc && !id)
        rc = no_such(name, err);
    if (!rc)
        rc = check_unused(store->db, name, err);
    if (!rc)
        rc = wci_db_run(store->db, "DELETE FROM groups WHERE name = ?", WCI_BIND(WCI_TEXT(name)), err);
    if (!rc)
        rc = wci_event_put_named(store, "group", "destroy", id, name, err);
    wci_free(id);
    return rc;
}

int32_t wci_group_remove(wc_call *call, wci_store *store, const char *name, wc_error **err)
{
    int32_t rc = wci_tx_begin(store, call, WCI_TX_DURABLE, err);
    return rc ? rc : wci_tx_end(store, remove_row(store, name, err), err);
}
