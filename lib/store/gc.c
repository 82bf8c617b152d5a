/* SPDX-License-Identifier: Apache-2.0 */
/* Taking things away while others work. The gc lock keeps digests from becoming held between the
 * look at the holds and the removal; deleting, which takes long, comes after it is given back. */
#include "core/alloc.h"
#include "core/error.h"
#include "store/internal.h"

static int32_t lock(wc_call *call, wci_store *store, wci_lock **out, wc_error **err)
{
    char *path = wci_store_path(store, WCI_DIR_LOCKS, "gc");
    if (!path)
        return wci_err_nomem(err);
    int32_t rc = wci_lock_acquire(call, path, WCI_LOCK_EXCLUSIVE, out, err);
    wci_free(path);
    return rc;
}

int32_t wci_gc_begin(wc_call *call, wci_store *store, wci_gc *gc, wc_error **err)
{
    wci_gc g = {.store = store};
    int32_t rc = wci_scratch_new(store, &g.trash, err);
    if (rc)
        return rc;
    rc = lock(call, store, &g.lock, err);
    if (!rc)
        rc = wci_holds_read(store, &g.held, err);
    if (rc)
        wci_gc_end(&g, NULL);
    else
        *gc = g;
    return rc;
}

int wci_gc_is_held(const wci_gc *gc, const char *digest)
{
    return wci_holds_contain(&gc->held, digest);
}

int32_t wci_gc_throw(wci_gc *gc, const char *path, wc_error **err)
{
    char *to = wci_asprintf("%s/%u", gc->trash.dir, gc->thrown);
    if (!to)
        return wci_err_nomem(err);
    wc_error *why = NULL;
    int32_t rc = wci_file_rename(path, to, &why);
    wci_free(to);
    if (rc == WC_E_NOT_FOUND) {
        wc_error_unref(why);
        return WC_OK;
    }
    if (rc)
        return wci_err_move(err, why);
    gc->thrown++;
    return WC_OK;
}

void wci_gc_end(wci_gc *gc, uint64_t *bytes)
{
    wci_lock_release(gc->lock);
    uint64_t trash_bytes = 0, entries;
    if (bytes && gc->thrown && !wci_dir_usage(gc->trash.dir, &trash_bytes, &entries, NULL))
        *bytes += trash_bytes;
    wci_scratch_free(&gc->trash);
    wci_strv_free(&gc->held);
}

int32_t wci_blob_is_needed(wci_store *store, const char *digest, int *needed, wc_error **err)
{
    int64_t found;
    int32_t rc = wci_db_get_int(store->db,
                                "SELECT EXISTS (SELECT 1 FROM images WHERE manifest = ?1)"
                                " OR EXISTS (SELECT 1 FROM images WHERE config = ?1)"
                                " OR EXISTS (SELECT 1 FROM images WHERE idx = ?1)"
                                " OR EXISTS (SELECT 1 FROM names WHERE idx = ?1)"
                                " OR EXISTS (SELECT 1 FROM image_layers WHERE digest = ?1)"
                                " OR EXISTS (SELECT 1 FROM kept_by WHERE digest = ?1)",
                                WCI_BIND(WCI_TEXT(digest)), 0, &found, err);
    if (!rc)
        *needed = found != 0;
    return rc;
}

int32_t wci_tree_is_needed(wci_store *store, wci_tree_kind kind, const char *key, int *needed,
                           wc_error **err)
{
    const char *sql = kind == WCI_TREE_LAYER
                          ? "SELECT EXISTS (SELECT 1 FROM image_layers WHERE diff_id = ?)"
                          : "SELECT EXISTS (SELECT 1 FROM image_layers WHERE chain_id = ?)";
    int64_t found;
    int32_t rc = wci_db_get_int(store->db, sql, WCI_BIND(WCI_TEXT(key)), 0, &found, err);
    if (!rc)
        *needed = found != 0;
    return rc;
}
