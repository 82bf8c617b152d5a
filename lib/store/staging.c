/* SPDX-License-Identifier: Apache-2.0 */
/* Layer trees. A tree has one maker at a time, who has its lock file. On commit the tree moves into
 * place with a row that names its maker, and the lock is given back: holding it until the image is
 * published would let two pulls wait for each other. Such a row counts while the maker lives; who
 * needs the tree before it is published syncs and publishes it himself. A row without a maker
 * ('') has been synced and counts for ever. */
#include "core/alloc.h"
#include "core/error.h"
#include "store/internal.h"

struct wci_staging {
    wci_tree_kind kind;
    wci_digest key;
    wci_scratch scratch;
    wci_lock *lock; /* until the commit */
    int committed, is_empty;
};

typedef struct tree_row {
    int present, is_empty;
    char *owner;
} tree_row;

const char *wci_tree_dir_name(wci_tree_kind kind)
{
    return kind == WCI_TREE_LAYER ? WCI_DIR_TREES : WCI_DIR_LINKS;
}

char *wci_tree_location(const wci_store *store, wci_tree_kind kind, const wci_digest *key)
{
    return wci_store_path(store, wci_tree_dir_name(kind), wci_digest_hex(key));
}

char *wci_tree_lock_path(const wci_store *store, wci_tree_kind kind, const wci_digest *key)
{
    return wci_store_lock_path(store, kind == WCI_TREE_LAYER ? "tree-" : "links-", key);
}

static int is_on_disk(const wci_store *store, wci_tree_kind kind, const wci_digest *key)
{
    char *path = wci_tree_location(store, kind, key);
    int there = path && wci_file_exists(path);
    wci_free(path);
    return there;
}

/* ---- Looking ----------------------------------------------------------------------------------
 */

static int32_t take_row(sqlite3_stmt *row, void *to, wc_error **err)
{
    tree_row *out = to;
    *out = (tree_row){1, (int)wci_db_int(row, 1), wci_strdup(wci_db_text(row, 0))};
    return out->owner ? WC_OK : wci_err_nomem(err);
}

static int32_t find_row(wci_db *db, wci_tree_kind kind, const wci_digest *key, tree_row *out, wc_error **err)
{
    *out = (tree_row){0, 0, NULL};
    return wci_db_each(db, "SELECT owner, is_empty FROM trees WHERE kind = ? AND key = ?",
                       WCI_BIND(WCI_INT(kind), WCI_TEXT(key->text)), take_row, out, err);
}

static int32_t read_row(const wc_call *call, wci_store *store, wci_tree_kind kind,
                        const wci_digest *key, tree_row *out, wc_error **err)
{
    int32_t rc = wci_tx_begin(store, call, WCI_TX_READ, err);
    return rc ? rc : wci_tx_end(store, find_row(store->db, kind, key, out, err), err);
}

/* A recorded tree whose directory is gone is made anew. */
static int is_there(const wci_store *store, wci_tree_kind kind, const wci_digest *key,
                    const tree_row *row)
{
    return row->present && (row->is_empty || is_on_disk(store, kind, key));
}

static int32_t look_recorded(const wc_call *call, wci_store *store, wci_tree_kind kind,
                             const wci_digest *key, int *there, wc_error **err)
{
    tree_row row;
    int32_t rc = read_row(call, store, kind, key, &row, err);
    if (rc)
        return rc;
    *there = row.present && !*row.owner && is_there(store, kind, key, &row);
    wci_free(row.owner);
    return WC_OK;
}

int32_t wci_tree_path(wci_store *store, wci_tree_kind kind, const wci_digest *key, char **out,
                      wc_error **err)
{
    WCI_CALL_NONE(call);
    tree_row row;
    int32_t rc = read_row(&call, store, kind, key, &row, err);
    if (rc)
        return rc;
    int counts =
        is_there(store, kind, key, &row) && (!*row.owner || wci_scratch_is_owned(store, row.owner));
    wci_free(row.owner);
    if (!counts)
        return wci_err(err, WC_E_NOT_FOUND, "layer '%s': not unpacked in the store", key->text);
    if (row.is_empty) {
        *out = NULL;
        return WC_OK;
    }
    char *path =
        wci_asprintf("%s/%s/%s/fs", store->root, wci_tree_dir_name(kind), wci_digest_hex(key));
    if (!path)
        return wci_err_nomem(err);
    *out = path;
    return WC_OK;
}

static int32_t list_rows(wci_db *db, wci_strv *out, wc_error **err)
{
    return wci_db_list(db, "SELECT key FROM trees WHERE kind = ? AND owner = '' ORDER BY key",
                       WCI_BIND(WCI_INT(WCI_TREE_LAYER)), out, err);
}

int32_t wci_trees_all(wc_call *call, wci_store *store, wci_strv *out, wc_error **err)
{
    int32_t rc = wci_tx_begin(store, call, WCI_TX_READ, err);
    return rc ? rc : wci_tx_end(store, list_rows(store->db, out, err), err);
}

/* ---- Beginning --------------------------------------------------------------------------------
 */

static int32_t publish_for(wc_call *call, wci_store *store, wci_tree_kind kind,
                           const wci_digest *key, const char *owner, wc_error **err)
{
    int32_t rc = wci_fs_sync(store->root, err);
    if (!rc)
        rc = wci_tx_begin(store, call, WCI_TX_DURABLE, err);
    if (rc)
        return rc;
    rc = wci_db_run(store->db,
                    "UPDATE trees SET owner = '' WHERE kind = ? AND key = ? AND owner = ?",
                    WCI_BIND(WCI_INT(kind), WCI_TEXT(key->text), WCI_TEXT(owner)), err);
    return wci_tx_end(store, rc, err);
}

/* With the tree's lock: publishes what a living maker has committed. */
static int32_t adopt(wc_call *call, wci_store *store, wci_tree_kind kind, const wci_digest *key,
                     wc_error **err)
{
    tree_row row;
    int32_t rc = read_row(call, store, kind, key, &row, err);
    if (rc)
        return rc;
    if (row.present && *row.owner && wci_scratch_is_owned(store, row.owner))
        rc = publish_for(call, store, kind, key, row.owner, err);
    wci_free(row.owner);
    return rc;
}

/* With the tree's lock: puts aside what a killed maker left in the place. */
static int32_t clear_place(wci_staging *staging, wc_error **err)
{
    wci_store *store = staging->scratch.store;
    wci_scratch trash;
    if (!is_on_disk(store, staging->kind, &staging->key))
        return WC_OK;
    int32_t rc = wci_scratch_new(store, &trash, err);
    if (rc)
        return rc;
    char *from = wci_tree_location(store, staging->kind, &staging->key);
    char *to = wci_path_join(trash.dir, "tree");
    rc = from && to ? wci_file_rename(from, to, err) : wci_err_nomem(err);
    wci_free(from);
    wci_free(to);
    wci_scratch_free(&trash);
    return rc;
}

/* Takes the lock over, also on failure. */
static int32_t make_staging(wci_store *store, wci_tree_kind kind, const wci_digest *key,
                            wci_lock *lock, wci_staging **out, wc_error **err)
{
    wci_staging *staging = wci_calloc(1, sizeof *staging);
    if (!staging) {
        wci_lock_release_remove(lock);
        return wci_err_nomem(err);
    }
    staging->kind = kind;
    staging->key = *key;
    staging->lock = lock;
    int32_t rc = wci_scratch_new(store, &staging->scratch, err);
    if (rc) {
        wci_lock_release_remove(lock);
        wci_free(staging);
        return rc;
    }
    wci_store_ref(store);
    rc = clear_place(staging, err);
    if (rc)
        wci_staging_free(staging);
    else
        *out = staging;
    return rc;
}

int32_t wci_staging_begin(wc_call *call, wci_hold *hold, wci_tree_kind kind, const wci_digest *key,
                          wci_staging **out, wc_error **err)
{
    wci_store *store = wci_hold_store(hold);
    int there = 0;
    int32_t rc = wci_hold_add(call, hold, key, err);
    if (!rc)
        rc = look_recorded(call, store, kind, key, &there, err);
    if (rc || there) {
        if (!rc)
            *out = NULL;
        return rc;
    }
    char *path = wci_tree_lock_path(store, kind, key);
    if (!path)
        return wci_err_nomem(err);
    wci_lock *lock = NULL;
    rc = wci_lock_acquire(call, path, WCI_LOCK_EXCLUSIVE, &lock, err);
    wci_free(path);
    if (rc)
        return rc;
    rc = adopt(call, store, kind, key, err);
    if (!rc)
        rc = look_recorded(call, store, kind, key, &there, err);
    if (!rc && !there)
        return make_staging(store, kind, key, lock, out, err);
    wci_lock_release_remove(lock);
    if (!rc)
        *out = NULL;
    return rc;
}

const char *wci_staging_dir(const wci_staging *staging)
{
    return staging->scratch.dir;
}

/* ---- Committing -------------------------------------------------------------------------------
 */

static int32_t move_into_place(wci_staging *staging, wc_error **err)
{
    char *place = wci_tree_location(staging->scratch.store, staging->kind, &staging->key);
    if (!place)
        return wci_err_nomem(err);
    int32_t rc = wci_file_rename_new(staging->scratch.dir, place, err);
    wci_free(place);
    return rc;
}

static int32_t insert_row(wci_staging *staging, uint64_t bytes, uint64_t entries, wc_error **err)
{
    WCI_CALL_NONE(call);
    wci_store *store = staging->scratch.store;
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_WRITE, err);
    if (rc)
        return rc;
    rc = wci_db_run(store->db,
                    "INSERT OR REPLACE INTO trees (kind, key, id, owner, is_empty, bytes, entries)"
                    " VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6)",
                    WCI_BIND(WCI_INT(staging->kind), WCI_TEXT(staging->key.text),
                             WCI_TEXT(staging->scratch.name), WCI_INT(staging->is_empty),
                             WCI_INT(bytes), WCI_INT(entries)),
                    err);
    return wci_tx_end(store, rc, err);
}

int32_t wci_staging_commit(wci_staging *staging, uint64_t bytes, uint64_t entries, int is_empty,
                           wc_error **err)
{
    if (staging->committed)
        return wci_err(err, WC_E_STATE, "layer '%s': committed already", staging->key.text);
    int32_t rc = wci_store_check_fork(staging->scratch.store, err);
    staging->is_empty = is_empty != 0;
    if (!rc && !is_empty)
        rc = move_into_place(staging, err);
    if (!rc)
        rc = insert_row(staging, bytes, entries, err);
    if (rc)
        return rc;
    staging->committed = 1;
    wci_lock_release_remove(staging->lock);
    staging->lock = NULL;
    return WC_OK;
}

/* ---- Publishing -------------------------------------------------------------------------------
 */

static int32_t record(wci_store *store, const wci_staging *staging, wc_error **err)
{
    if (!staging->committed)
        return wci_err(err, WC_E_STATE, "layer '%s': not committed yet", staging->key.text);
    int32_t rc = wci_db_run(store->db,
                            "UPDATE trees SET owner = '' WHERE kind = ? AND key = ? AND owner = ?",
                            WCI_BIND(WCI_INT(staging->kind), WCI_TEXT(staging->key.text),
                                     WCI_TEXT(staging->scratch.name)),
                            err);
    tree_row row = {0, 0, NULL}; /* somebody else may have published it */
    if (!rc)
        rc = find_row(store->db, staging->kind, &staging->key, &row, err);
    int recorded = row.present && !*row.owner;
    wci_free(row.owner);
    if (!rc && !recorded)
        rc = wci_err(err, WC_E_CORRUPT,
                     "layer '%s': its tree is not in the store any more; pull "
                     "the image again",
                     staging->key.text);
    return rc;
}

int32_t wci_trees_record(wci_store *store, wci_staging **stagings, size_t count, wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; i < count && !rc; i++)
        if (stagings[i])
            rc = record(store, stagings[i], err);
    return rc;
}

static void release(wci_staging *staging)
{
    wci_store *store = staging->scratch.store;
    wci_scratch_free(&staging->scratch);
    if (wci_store_is_ours(store))
        wci_lock_release_remove(staging->lock);
    wci_store_unref(store);
    wci_free(staging);
}

void wci_trees_recorded(wci_staging **stagings, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (stagings[i])
            release(stagings[i]);
        stagings[i] = NULL;
    }
}

int32_t wci_trees_publish(wc_call *call, wci_store *store, wci_staging **stagings, size_t count,
                          wc_error **err)
{
    if (count == 0)
        return WC_OK;
    int32_t rc = wci_fs_sync(store->root, err);
    if (!rc)
        rc = wci_tx_begin(store, call, WCI_TX_DURABLE, err);
    if (!rc)
        rc = wci_tx_end(store, wci_trees_record(store, stagings, count, err), err);
    if (!rc)
        wci_trees_recorded(stagings, count);
    return rc;
}

/* ---- Giving up --------------------------------------------------------------------------------
 */

static int32_t delete_own_row(const wci_staging *staging, int *deleted)
{
    WCI_CALL_NONE(call);
    wci_store *store = staging->scratch.store;
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_WRITE, NULL);
    if (rc)
        return rc;
    rc = wci_db_run(store->db, "DELETE FROM trees WHERE kind = ? AND key = ? AND owner = ?",
                    WCI_BIND(WCI_INT(staging->kind), WCI_TEXT(staging->key.text),
                             WCI_TEXT(staging->scratch.name)),
                    NULL);
    int changed = !rc && wci_db_changes(store->db) > 0;
    rc = wci_tx_end(store, rc, NULL);
    *deleted = !rc && changed;
    return rc;
}

/* Takes a committed tree back unless somebody has published it meanwhile. When its lock is taken,
 * that one deals with it. */
static void take_back(wci_staging *staging)
{
    wci_store *store = staging->scratch.store;
    char *lock_path = wci_tree_lock_path(store, staging->kind, &staging->key);
    char *place = wci_tree_location(store, staging->kind, &staging->key);
    wci_lock *lock = NULL;
    int deleted = 0;
    if (lock_path && place && !wci_lock_try(lock_path, WCI_LOCK_EXCLUSIVE, &lock, NULL)) {
        if (!delete_own_row(staging, &deleted) && deleted && !staging->is_empty)
            wci_file_rename(place, staging->scratch.dir, NULL);
        wci_lock_release_remove(lock);
    }
    wci_free(lock_path);
    wci_free(place);
}

void wci_staging_free(wci_staging *staging)
{
    if (!staging)
        return;
    if (staging->committed && wci_store_is_ours(staging->scratch.store))
        take_back(staging);
    release(staging);
}
