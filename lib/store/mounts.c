/* SPDX-License-Identifier: Apache-2.0 */
/* Images that are mounted on the host. A row is there before its mount, and says which table of mounts that is in: one
 * of an earlier boot is gone, and so is one that is not found in the table that we see; another process may have
 * another table, and that it cannot know. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "platform/mount.h"
#include "store/internal.h"

void wci_mount_records_free(wci_mount_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        wci_free(records[i].path);
        wci_free(records[i].scope);
        wci_free(records[i].source);
        wci_free(records[i].name);
    }
    wci_free(records);
}

/* ---- Whether they are there ----------------------------------------------------------------------- */

static int32_t judge(const wci_mount_record *record, wci_mount_state *state, wc_error **err)
{
    char *boot = NULL, *table = NULL, *point = NULL;
    int is_covered = 0;
    int32_t rc = wci_mount_scope(&boot, &table, err);
    if (!rc && !wci_starts_with(record->scope, boot))
        *state = WCI_MOUNT_GONE;
    else if (!rc && strcmp(record->scope, table))
        *state = WCI_MOUNT_ELSEWHERE;
    else if (!rc)
        rc = wci_mount_find(record->source, &point, &is_covered, err);
    if (!rc && !strcmp(record->scope, table))
        *state = !point ? WCI_MOUNT_GONE : is_covered ? WCI_MOUNT_COVERED : WCI_MOUNT_HERE;
    wci_free(boot);
    wci_free(table);
    wci_free(point);
    return rc;
}

/* ---- Rows ----------------------------------------------------------------------------------------- */

static int32_t take_row(sqlite3_stmt *row, void *to, wc_error **err)
{
    wci_mount_record *out = to;
    *out = (wci_mount_record){.path = wci_strdup(wci_db_text(row, 0)), .scope = wci_strdup(wci_db_text(row, 2)),
                              .source = wci_strdup(wci_db_text(row, 3)), .name = wci_strdup(wci_db_text(row, 4))};
    return out->path && out->scope && out->source && out->name ? wci_digest_parse(wci_db_text(row, 1), &out->manifest, err)
                                                               : wci_err_nomem(err);
}

/* In a transaction. The statement has one parameter. */
static int32_t read_rows(wci_db *db, const char *sql, const char *value, wci_mount_record **out, size_t *count,
                         wc_error **err)
{
    return wci_db_records(db, sql, WCI_BIND(WCI_TEXT(value)), sizeof **out, take_row, out, count, err);
}

#define COLUMNS "SELECT path, manifest, scope, source, name FROM mounts WHERE "

int32_t wci_mount_list(wci_store *store, const char *path, wci_mount_record **out, size_t *count, wc_error **err)
{
    WCI_CALL_NONE(call);
    wci_mount_record *list = NULL;
    size_t found = 0;
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_READ, err);
    if (rc)
        return rc;
    rc = wci_tx_end(store,
                    read_rows(store->db, path ? COLUMNS "path = ?" : COLUMNS "? = '' ORDER BY path", path ? path : "",
                              &list, &found, err),
                    err);
    for (size_t i = 0; i < found && !rc; i++)
        rc = judge(&list[i], &list[i].state, err);
    if (rc) {
        wci_mount_records_free(list, found);
        return rc;
    }
    *out = list;
    *count = found;
    return WC_OK;
}

int32_t wci_mounts_check_unused(wci_store *store, const char *manifest, const char *shown, wc_error **err)
{
    wci_mount_record *list = NULL;
    size_t count = 0;
    int32_t rc = read_rows(store->db, COLUMNS "manifest = ?", manifest, &list, &count, err);
    for (size_t i = 0; i < count && !rc; i++) {
        rc = judge(&list[i], &list[i].state, err);
        if (!rc && list[i].state != WCI_MOUNT_GONE)
            rc = wci_err(err, WC_E_IN_USE, "image '%s': it is mounted on '%s'; unmount it first", shown, list[i].path);
    }
    wci_mount_records_free(list, count);
    return rc;
}

static int32_t insert(wci_store *store, const wci_mount_record *record, wc_error **err)
{
    int64_t there = 0;
    int32_t rc = wci_db_get_int(store->db, "SELECT count(*) FROM images WHERE manifest = ?",
                                WCI_BIND(WCI_TEXT(record->manifest.text)), 0, &there, err);
    if (!rc && !there)
        rc = wci_err(err, WC_E_NOT_FOUND, "image '%s': not in the store any more", record->manifest.text);
    return rc ? rc
              : wci_db_run(store->db, "INSERT INTO mounts (path, manifest, scope, source, name) VALUES (?, ?, ?, ?, ?)",
                           WCI_BIND(WCI_TEXT(record->path), WCI_TEXT(record->manifest.text), WCI_TEXT(record->scope),
                                    WCI_TEXT(record->source), WCI_TEXT(record->name)),
                           err);
}

int32_t wci_mounts_lock(wc_call *call, wci_store *store, wci_lock **out, wc_error **err)
{
    char *path = wci_store_path(store, WCI_DIR_LOCKS, "mounts");
    int32_t rc = path ? wci_lock_acquire(call, path, WCI_LOCK_EXCLUSIVE, out, err) : wci_err_nomem(err);
    wci_free(path);
    return rc;
}

int32_t wci_mount_insert(wci_store *store, const char *path, const wci_digest *manifest, const char *name, char **source,
                         wc_error **err)
{
    WCI_CALL_NONE(call);
    char id[17], *boot = NULL;
    wci_mount_record record = {.path = (char *)(uintptr_t)path, .manifest = *manifest, .name = (char *)(uintptr_t)name};
    int32_t rc = wci_random_hex(8, id, err);
    if (!rc)
        rc = wci_mount_scope(&boot, &record.scope, err);
    if (!rc && !(record.source = wci_asprintf("wincontainer-%s", id)))
        rc = wci_err_nomem(err);
    if (!rc)
        rc = wci_tx_begin(store, &call, WCI_TX_DURABLE, err);
    if (!rc)
        rc = wci_tx_end(store, insert(store, &record, err), err);
    if (!rc) {
        *source = record.source;
        record.source = NULL;
    }
    wci_free(boot);
    wci_free(record.scope);
    wci_free(record.source);
    return rc;
}

int32_t wci_mount_delete(wci_store *store, const char *source, int *deleted, wc_error **err)
{
    WCI_CALL_NONE(call);
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_DURABLE, err);
    if (rc)
        return rc;
    rc = wci_db_run(store->db, "DELETE FROM mounts WHERE source = ?", WCI_BIND(WCI_TEXT(source)), err);
    *deleted = !rc && wci_db_changes(store->db) > 0;
    return wci_tx_end(store, rc, err);
}

int32_t wci_mount_empty_dir(wci_store *store, char **out, wc_error **err)
{
    char *dir = wci_path_join(store->root, "empty");
    int32_t rc = dir ? wci_dir_make(dir, 0755, err) : wci_err_nomem(err);
    if (rc)
        wci_free(dir);
    else
        *out = dir;
    return rc;
}
