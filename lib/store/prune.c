/* SPDX-License-Identifier: Apache-2.0 */
/* Reclaiming what nobody needs, and on demand images. */
#include "core/alloc.h"
#include "core/error.h"
#include "store/internal.h"

/* ---- Images -----------------------------------------------------------------------------------
 */

#define UNUSED "SELECT manifest FROM images WHERE manifest NOT IN (SELECT image FROM image_uses)"

static int32_t list_images(wc_call *call, wci_store *store, const char *sql, wci_strv *out,
                           wc_error **err)
{
    int32_t rc = wci_tx_begin(store, call, WCI_TX_READ, err);
    return rc ? rc : wci_tx_end(store, wci_db_list(store->db, sql, WCI_BIND_NONE, out, err), err);
}

/* Somebody may have come to use it, or have removed it, since it was listed. */
static int32_t drop_image(wc_call *call, wci_gc *gc, const char *text, wci_strv *removed,
                          wc_error **err)
{
    wci_digest manifest;
    wc_error *why = NULL;
    int32_t rc = wci_digest_parse(text, &manifest, err);
    if (rc || wci_gc_is_held(gc, text))
        return rc;
    rc = wci_image_drop(call, gc, &manifest, 0, removed, &why);
    if (rc == WC_E_IN_USE || rc == WC_E_NOT_FOUND) {
        wc_error_unref(why);
        return WC_OK;
    }
    return rc ? wci_err_move(err, why) : WC_OK;
}

static int32_t prune_images(wc_call *call, wci_gc *gc, int what, wci_strv *removed, wc_error **err)
{
    wci_strv images = WCI_STRV_INIT;
    const char *sql = what & WCI_PRUNE_UNUSED
                          ? UNUSED
                          : UNUSED " AND manifest NOT IN (SELECT manifest FROM names)";
    int32_t rc = list_images(call, gc->store, sql, &images, err);
    for (size_t i = 0; i < images.count && !rc; i++)
        rc = drop_image(call, gc, images.items[i], removed, err);
    wci_strv_free(&images);
    return rc;
}

static int32_t is_too_large(wc_call *call, wci_store *store, uint64_t max_bytes, int *too_large,
                            wc_error **err)
{
    uint64_t bytes = 0;
    int32_t rc = wci_tx_begin(store, call, WCI_TX_READ, err);
    if (!rc)
        rc = wci_tx_end(store, wci_images_bytes(store, &bytes, err), err);
    *too_large = !rc && bytes > max_bytes;
    return rc;
}

static int32_t prune_oldest(wc_call *call, wci_gc *gc, uint64_t max_bytes, wci_strv *removed,
                            wc_error **err)
{
    wci_strv images = WCI_STRV_INIT;
    int too_large = 0;
    int32_t rc = list_images(call, gc->store, UNUSED " ORDER BY used_ns, manifest", &images, err);
    for (size_t i = 0; i < images.count && !rc; i++) {
        rc = is_too_large(call, gc->store, max_bytes, &too_large, err);
        if (rc || !too_large)
            break;
        rc = drop_image(call, gc, images.items[i], removed, err);
    }
    wci_strv_free(&images);
    return rc;
}

/* ---- Litter -----------------------------------------------------------------------------------
 */

static int32_t delete_rows(wci_db *db, const wci_litter *litter, wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; i < litter->blobs.count && !rc; i++)
        rc = wci_db_run(db, "DELETE FROM blobs WHERE digest = ?",
                        WCI_BIND(WCI_TEXT(litter->blobs.items[i])), err);
    for (int kind = WCI_TREE_LAYER; kind <= WCI_TREE_LINKS; kind++)
        for (size_t i = 0; i < litter->trees[kind].count && !rc; i++)
            rc = wci_db_run(db, "DELETE FROM trees WHERE kind = ? AND key = ?",
                            WCI_BIND(WCI_INT(kind), WCI_TEXT(litter->trees[kind].items[i])), err);
    return rc;
}

static int32_t forget_rows(wc_call *call, wci_store *store, const wci_litter *litter,
                           wc_error **err)
{
    if (!litter->blobs.count && !litter->trees[WCI_TREE_LAYER].count &&
        !litter->trees[WCI_TREE_LINKS].count)
        return WC_OK;
    int32_t rc = wci_tx_begin(store, call, WCI_TX_DURABLE, err);
    return rc ? rc : wci_tx_end(store, delete_rows(store->db, litter, err), err);
}

/* The owner may have seemed dead only because he had not locked his file yet: who has the lock decides. */
static int32_t throw_scratch(wci_gc *gc, const char *name, wc_error **err)
{
    wci_lock *lock = NULL;
    if (wci_scratch_claim(gc->store, name, &lock, NULL))
        return WC_OK;
    char *dir = wci_store_path(gc->store, WCI_DIR_STAGING, name);
    int32_t rc = dir ? wci_gc_throw(gc, dir, err) : wci_err_nomem(err);
    wci_lock_release_remove(lock);
    wci_free(dir);
    return rc;
}

static int32_t prune_litter(wc_call *call, wci_gc *gc, int what, wc_error **err)
{
    wci_litter litter;
    int32_t rc = wci_litter_find(call, gc->store, &gc->held, what, &litter, err);
    if (rc)
        return rc;
    rc = forget_rows(call, gc->store, &litter, err);
    for (size_t i = 0; i < litter.paths.count && !rc; i++)
        rc = wci_gc_throw(gc, litter.paths.items[i], err);
    for (size_t i = 0; i < litter.scratch.count && !rc; i++)
        rc = throw_scratch(gc, litter.scratch.items[i], err);
    wci_litter_free(&litter);
    return rc;
}

/* Directories of containers in the run root whose row is gone; another file system than the root,
 * so they cannot be moved to the trash. */
static int32_t prune_run_dirs(wc_call *call, wci_store *store, wc_error **err)
{
    char *dir = wci_path_join(store->run_root, WCI_DIR_CONTAINERS);
    wci_strv names = WCI_STRV_INIT;
    int32_t rc = dir ? wci_dir_list(dir, &names, err) : wci_err_nomem(err);
    for (size_t i = 0; i < names.count && !rc; i++) {
        int64_t there = 1;
        rc = wci_tx_begin(store, call, WCI_TX_READ, err);
        if (!rc)
            rc =
                wci_tx_end(store,
                           wci_db_get_int(store->db, "SELECT count(*) FROM containers WHERE id = ?",
                                          WCI_BIND(WCI_TEXT(names.items[i])), 0, &there, err),
                           err);
        char *path = rc || there ? NULL : wci_path_join(dir, names.items[i]);
        if (path)
            rc = wci_dir_remove_all(path, err);
        wci_free(path);
    }
    wci_strv_free(&names);
    wci_free(dir);
    return rc;
}

/* ---- Lock files -------------------------------------------------------------------------------
 */

static int is_permanent(const char *name)
{
    return wci_streq(name, "gc") || wci_streq(name, "schema") || wci_streq(name, "create");
}

/* Removes the lock files that nobody holds. */
static int32_t sweep_locks(wci_store *store, const char *dir_name, wc_error **err)
{
    char *dir = wci_path_join(store->root, dir_name);
    wci_strv names = WCI_STRV_INIT;
    int32_t rc = dir ? wci_dir_list(dir, &names, err) : wci_err_nomem(err);
    for (size_t i = 0; i < names.count && !rc; i++) {
        wci_lock *lock = NULL;
        char *path = is_permanent(names.items[i]) ? NULL : wci_path_join(dir, names.items[i]);
        if (path && !wci_lock_try(path, WCI_LOCK_EXCLUSIVE, &lock, NULL))
            wci_lock_release_remove(lock);
        wci_free(path);
    }
    wci_strv_free(&names);
    wci_free(dir);
    return rc;
}

static int32_t sweep_all_locks(wci_store *store, wc_error **err)
{
    int32_t rc = sweep_locks(store, WCI_DIR_LOCKS, err);
    if (!rc)
        rc = sweep_locks(store, WCI_DIR_HOLDS, err);
    return rc ? rc : sweep_locks(store, WCI_DIR_HOSTS, err);
}

/* ---- Prune ------------------------------------------------------------------------------------
 */

/* All that is not an image. Ends the gc. */
static int32_t finish(wc_call *call, wci_gc *gc, int what, int32_t rc, uint64_t *reclaimed_bytes,
                      wc_error **err)
{
    uint64_t bytes = 0;
    if (!rc)
        rc = prune_litter(call, gc, what, err);
    if (!rc)
        rc = prune_run_dirs(call, gc->store, err);
    if (!rc)
        rc = sweep_all_locks(gc->store, err);
    wci_gc_end(gc, &bytes);
    if (!rc && reclaimed_bytes)
        *reclaimed_bytes = bytes;
    return rc;
}

int32_t wci_store_prune(wc_call *call, wci_store *store, int what, wci_strv *removed,
                        uint64_t *reclaimed_bytes, wc_error **err)
{
    wci_gc gc;
    int32_t rc = wci_gc_begin(call, store, &gc, err);
    if (rc)
        return rc;
    if (what & (WCI_PRUNE_DANGLING | WCI_PRUNE_UNUSED))
        rc = prune_images(call, &gc, what, removed, err);
    return finish(call, &gc, what, rc, reclaimed_bytes, err);
}

int32_t wci_store_prune_to(wc_call *call, wci_store *store, uint64_t max_bytes, wci_strv *removed,
                           uint64_t *reclaimed_bytes, wc_error **err)
{
    wci_gc gc;
    int32_t rc = wci_gc_begin(call, store, &gc, err);
    if (rc)
        return rc;
    rc = prune_oldest(call, &gc, max_bytes, removed, err);
    return finish(call, &gc, 0, rc, reclaimed_bytes, err);
}
