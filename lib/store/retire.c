/* SPDX-License-Identifier: Apache-2.0 */
/* Damage is put aside, not deleted: somebody may want to look at it, until the next prune. */
#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "store/internal.h"

int32_t wci_quarantine(wci_store *store, const char *path, const char *kind, const char *hex,
                       wc_error **err)
{
    char id[17];
    int32_t rc = wci_random_hex(8, id, err);
    if (rc)
        return rc;
    char *to = wci_asprintf("%s/" WCI_DIR_QUARANTINE "/%s-%.16s-%s", store->root, kind, hex, id);
    if (!to)
        return wci_err_nomem(err);
    rc = wci_file_rename(path, to, err);
    wci_free(to);
    return rc;
}

/* Rows go before their files: as long as the row with an id is there, nobody has taken its tree
 * away or made it anew. */
int32_t wci_tree_id(wc_call *call, wci_store *store, wci_tree_kind kind, const wci_digest *key,
                    char **id, wc_error **err)
{
    int32_t rc = wci_tx_begin(store, call, WCI_TX_READ, err);
    if (rc)
        return rc;
    rc = wci_db_get_text(store->db, "SELECT id FROM trees WHERE kind = ? AND key = ? AND owner = ''",
                         WCI_BIND(WCI_INT(kind), WCI_TEXT(key->text)), id, err);
    return wci_tx_end(store, rc, err);
}

static int32_t is_running_on(wci_store *store, wci_tree_kind kind, const char *key,
                             int64_t *running, wc_error **err)
{
    const char *sql = kind == WCI_TREE_LAYER
                          ? "SELECT (SELECT count(*) FROM image_uses JOIN image_layers ON image = manifest"
                            " WHERE diff_id = ?1 AND status IN (1, 2, 3))"
                            " + (SELECT count(*) FROM mounts JOIN image_layers USING (manifest) WHERE diff_id = ?1)"
                          : "SELECT (SELECT count(*) FROM image_uses JOIN image_layers ON image = manifest"
                            " WHERE chain_id = ?1 AND status IN (1, 2, 3))"
                            " + (SELECT count(*) FROM mounts JOIN image_layers USING (manifest) WHERE chain_id = ?1)";
    return wci_db_get_int(store->db, sql, WCI_BIND(WCI_TEXT(key)), 0, running, err);
}

/* Deletes the row unless somebody works with the tree. */
static int32_t forget(wci_gc *gc, wci_tree_kind kind, const char *key, const char *id,
                      int *forgotten, wc_error **err)
{
    int64_t running = 0;
    int32_t rc = is_running_on(gc->store, kind, key, &running, err);
    if (rc || running || wci_gc_is_held(gc, key))
        return rc;
    rc = wci_db_run(gc->store->db, "DELETE FROM trees WHERE kind = ? AND key = ? AND id = ?",
                    WCI_BIND(WCI_INT(kind), WCI_TEXT(key), WCI_TEXT(id)), err);
    if (!rc)
        *forgotten = wci_db_changes(gc->store->db) > 0;
    return rc;
}

int32_t wci_tree_retire(wc_call *call, wci_store *store, wci_tree_kind kind, const wci_digest *key,
                        const char *id, int *retired, wc_error **err)
{
    wci_gc gc;
    char *path = wci_tree_location(store, kind, key);
    int32_t rc = path ? wci_gc_begin(call, store, &gc, err) : wci_err_nomem(err);
    if (rc) {
        wci_free(path);
        return rc;
    }
    *retired = 0;
    rc = wci_tx_begin(store, call, WCI_TX_DURABLE, err);
    if (!rc)
        rc = wci_tx_end(store, forget(&gc, kind, key->text, id, retired, err), err);
    if (!rc && *retired && wci_file_exists(path))
        rc = wci_quarantine(store, path, wci_tree_dir_name(kind), wci_digest_hex(key), err);
    wci_gc_end(&gc, NULL);
    wci_free(path);
    return rc;
}
