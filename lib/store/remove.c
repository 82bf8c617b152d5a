/* SPDX-License-Identifier: Apache-2.0 */
/* Removing images with what only they needed. Rows go first, in one transaction; what a crash
 * leaves behind after it is litter. */
#include "core/alloc.h"
#include "core/error.h"
#include "store/internal.h"

/* ---- What an image has ------------------------------------------------------------------------
 */

typedef struct image_parts {
    char *config;
    wci_strv names, blobs, trees, links; /* digests, each once */
} image_parts;

static void parts_free(image_parts *parts)
{
    wci_free(parts->config);
    wci_strv_free(&parts->names);
    wci_strv_free(&parts->blobs);
    wci_strv_free(&parts->trees);
    wci_strv_free(&parts->links);
}

static int32_t add_once(sqlite3_stmt *row, void *to, wc_error **err)
{
    wci_strv *v = to;
    const char *text = wci_db_text(row, 0);
    if (!*text || wci_strv_contains(v, text))
        return WC_OK;
    return wci_strv_add(v, text) ? wci_err_nomem(err) : WC_OK;
}

/* The statement has one parameter. */
static int32_t add_column(wci_db *db, const char *sql, const char *key, wci_strv *out,
                          wc_error **err)
{
    return wci_db_each(db, sql, WCI_BIND(WCI_TEXT(key)), add_once, out, err);
}

static int32_t read_parts(wci_db *db, const char *manifest, image_parts *parts, wc_error **err)
{
    int32_t rc = wci_db_get_text(db, "SELECT config FROM images WHERE manifest = ?",
                                 WCI_BIND(WCI_TEXT(manifest)), &parts->config, err);
    if (!rc && !parts->config)
        rc = wci_err(err, WC_E_NOT_FOUND, "image '%s': not in the store", manifest);
    if (!rc)
        rc = add_column(db, "SELECT name FROM names WHERE manifest = ? ORDER BY name", manifest,
                        &parts->names, err);
    if (!rc)
        rc = add_column(db,
                        "SELECT digest FROM image_layers WHERE manifest = ?1"
                        " UNION SELECT manifest FROM images WHERE manifest = ?1"
                        " UNION SELECT config FROM images WHERE manifest = ?1"
                        " UNION SELECT idx FROM images WHERE manifest = ?1"
                        " UNION SELECT idx FROM names WHERE manifest = ?1"
                        " UNION SELECT digest FROM kept_by WHERE manifest = ?1",
                        manifest, &parts->blobs, err);
    if (!rc)
        rc = add_column(db,
                        "SELECT diff_id FROM image_layers WHERE manifest = ?"
                        " ORDER BY position DESC",
                        manifest, &parts->trees, err);
    return rc ? rc
              : add_column(db,
                           "SELECT chain_id FROM image_layers WHERE manifest = ?"
                           " ORDER BY position DESC",
                           manifest, &parts->links, err);
}

/* ---- Who needs it -----------------------------------------------------------------------------
 */

static int32_t check_unused(wci_db *db, const char *manifest, const image_parts *parts, int force,
                            int *in_use, wc_error **err)
{
    static const char by_any[] =
        "SELECT name FROM image_uses WHERE image = ? ORDER BY status IN (1, 2, 3) DESC, name";
    static const char by_active[] =
        "SELECT name FROM image_uses WHERE image = ? AND status IN (1, 2, 3) ORDER BY name";
    char *user = NULL;
    int32_t rc = wci_db_get_text(db, by_any, WCI_BIND(WCI_TEXT(manifest)), &user, err);
    if (rc || !user)
        return rc;
    *in_use = 1;
    if (force && parts->names.count) {
        wci_free(user);
        rc = wci_db_get_text(db, by_active, WCI_BIND(WCI_TEXT(manifest)), &user, err);
        if (rc || !user)
            return rc;
    }
    rc =
        wci_err(err, WC_E_IN_USE, "image '%s': container '%s' needs it; remove the container first",
                parts->names.count ? parts->names.items[0] : parts->config, user);
    wci_free(user);
    return rc;
}

/* ---- Rows -------------------------------------------------------------------------------------
 */

static int32_t add_line(wci_strv *lines, const char *what, const char *name, wc_error **err)
{
    if (lines && wci_strv_add_take(lines, wci_asprintf("%s: %s", what, name)))
        return wci_err_nomem(err);
    return WC_OK;
}

static int32_t untag_all(wci_store *store, const image_parts *parts, wci_strv *lines,
                         wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; i < parts->names.count && !rc; i++) {
        const char *name = parts->names.items[i];
        rc = wci_db_run(store->db, "DELETE FROM names WHERE name = ?", WCI_BIND(WCI_TEXT(name)),
                        err);
        if (!rc)
            rc = wci_event_put_named(store, "image", "untag", parts->config, name, err);
        if (!rc)
            rc = add_line(lines, "Untagged", name, err);
    }
    return rc ? rc : wci_kept_sweep(store, err);
}

/* A dropped layer that an index needs still can no more be made when its tree goes. */
static int32_t fetch_instead(wci_db *db, const char *manifest, wc_error **err)
{
    return wci_db_run(db,
                      "UPDATE blobs SET dropped = ?2 WHERE dropped <> 0"
                      " AND digest IN (SELECT digest FROM image_layers WHERE manifest = ?1)"
                      " AND digest NOT IN (SELECT digest FROM image_layers WHERE manifest <> ?1)"
                      " AND digest IN (SELECT digest FROM blob_sources)",
                      WCI_BIND(WCI_TEXT(manifest), WCI_INT(WCI_AGAIN_FETCH)), err);
}

static int32_t delete_image(wci_store *store, const char *manifest, const image_parts *parts,
                            wci_strv *lines, wc_error **err)
{
    int32_t rc = fetch_instead(store->db, manifest, err);
    if (!rc)
        rc = wci_db_run(store->db, "DELETE FROM image_layers WHERE manifest = ?", WCI_BIND(WCI_TEXT(manifest)), err);
    if (!rc) /* mounts that are gone */
        rc = wci_db_run(store->db, "DELETE FROM mounts WHERE manifest = ?", WCI_BIND(WCI_TEXT(manifest)), err);
    if (!rc)
        rc = wci_db_run(store->db, "DELETE FROM images WHERE manifest = ?",
                        WCI_BIND(WCI_TEXT(manifest)), err);
    if (!rc)
        rc = wci_kept_sweep(store, err);
    if (!rc)
        rc = wci_event_put(store, "image", "delete", parts->config, NULL, err);
    return rc ? rc : add_line(lines, "Deleted", parts->config, err);
}

static int32_t add_path(wci_strv *paths, char *path, wc_error **err)
{
    return wci_strv_add_take(paths, path) ? wci_err_nomem(err) : WC_OK;
}

static int32_t forget_blobs(wci_gc *gc, const wci_strv *blobs, wci_strv *paths, wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; i < blobs->count && !rc; i++) {
        int needed = 0;
        wci_digest digest;
        rc = wci_blob_is_needed(gc->store, blobs->items[i], &needed, err);
        if (rc || needed || wci_gc_is_held(gc, blobs->items[i]) ||
            wci_digest_parse(blobs->items[i], &digest, NULL))
            continue;
        rc = wci_db_run(gc->store->db, "DELETE FROM blobs WHERE digest = ?",
                        WCI_BIND(WCI_TEXT(digest.text)), err);
        if (!rc)
            rc = add_path(paths, wci_blob_location(gc->store, &digest), err);
    }
    return rc;
}

static int32_t forget_trees(wci_gc *gc, wci_tree_kind kind, const wci_strv *keys, wci_strv *paths,
                            wci_strv *lines, wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; i < keys->count && !rc; i++) {
        int needed = 0;
        wci_digest key;
        rc = wci_tree_is_needed(gc->store, kind, keys->items[i], &needed, err);
        if (rc || needed || wci_gc_is_held(gc, keys->items[i]) ||
            wci_digest_parse(keys->items[i], &key, NULL))
            continue;
        rc = wci_db_run(gc->store->db, "DELETE FROM trees WHERE kind = ? AND key = ?",
                        WCI_BIND(WCI_INT(kind), WCI_TEXT(key.text)), err);
        if (!rc && kind == WCI_TREE_LAYER && wci_db_changes(gc->store->db) > 0)
            rc = add_line(lines, "Deleted", key.text, err);
        if (!rc)
            rc = add_path(paths, wci_tree_location(gc->store, kind, &key), err);
    }
    return rc;
}

static int32_t drop_rows(wci_gc *gc, const char *manifest, int force, wci_strv *paths,
                         wci_strv *lines, wc_error **err)
{
    image_parts parts = {.config = NULL};
    int in_use = 0;
    wci_db *db = gc->store->db;
    int32_t rc = read_parts(db, manifest, &parts, err);
    if (!rc)
        rc = wci_mounts_check_unused(gc->store, manifest, parts.names.count ? parts.names.items[0] : parts.config, err);
    if (!rc)
        rc = check_unused(db, manifest, &parts, force, &in_use, err);
    if (!rc)
        rc = untag_all(gc->store, &parts, lines, err);
    if (!rc && !in_use)
        rc = delete_image(gc->store, manifest, &parts, lines, err);
    if (!rc)
        rc = forget_blobs(gc, &parts.blobs, paths, err);
    if (!rc)
        rc = forget_trees(gc, WCI_TREE_LAYER, &parts.trees, paths, lines, err);
    if (!rc)
        rc = forget_trees(gc, WCI_TREE_LINKS, &parts.links, paths, NULL, err);
    parts_free(&parts);
    return rc;
}

/* With what only the index was needed for that the name led to. */
static int32_t drop_name(wci_gc *gc, const char *name, wci_strv *paths, wc_error **err)
{
    wci_strv blobs = WCI_STRV_INIT;
    int32_t rc = add_column(gc->store->db,
                            "SELECT idx FROM names WHERE name = ?1 UNION"
                            " SELECT digest FROM kept WHERE root = (SELECT idx FROM names WHERE name = ?1)",
                            name, &blobs, err);
    if (!rc)
        rc = wci_name_drop(gc->store, name, err);
    if (!rc)
        rc = forget_blobs(gc, &blobs, paths, err);
    wci_strv_free(&blobs);
    return rc;
}

/* ---- Removing ---------------------------------------------------------------------------------
 */

typedef struct removal {
    const wci_digest *manifest;
    const char *name;             /* of which only this name goes; or NULL */
    const wci_image_record *seen; /* with `changed`, or NULL */
    int *changed;
    int force;
} removal;

static int32_t drop_rows_of(wci_gc *gc, const removal *r, wci_strv *paths, wci_strv *lines, wc_error **err)
{
    int32_t rc = r->seen ? wci_image_has_changed(gc->store, r->seen, r->changed, err) : WC_OK;
    if (rc || (r->seen && *r->changed))
        return rc;
    return r->name ? drop_name(gc, r->name, paths, err)
                   : drop_rows(gc, r->manifest->text, r->force, paths, lines, err);
}

static int32_t drop(wc_call *call, wci_gc *gc, const removal *r, wci_strv *removed, wc_error **err)
{
    wci_strv paths = WCI_STRV_INIT, lines = WCI_STRV_INIT;
    int32_t rc = wci_tx_begin(gc->store, call, WCI_TX_DURABLE, err);
    if (!rc)
        rc = wci_tx_end(gc->store, drop_rows_of(gc, r, &paths, &lines, err), err);
    for (size_t i = 0; i < paths.count && !rc; i++)
        rc = wci_gc_throw(gc, paths.items[i], err);
    for (size_t i = 0; i < lines.count && !rc && removed; i++)
        if (wci_strv_add(removed, lines.items[i]))
            rc = wci_err_nomem(err);
    wci_strv_free(&paths);
    wci_strv_free(&lines);
    return rc;
}

int32_t wci_image_drop(wc_call *call, wci_gc *gc, const wci_digest *manifest, int force,
                       wci_strv *removed, wc_error **err)
{
    return drop(call, gc, &(removal){.manifest = manifest, .force = force}, removed, err);
}

static int32_t remove_image(wc_call *call, wci_store *store, const removal *r, wci_strv *removed, wc_error **err)
{
    wci_gc gc;
    int32_t rc = wci_gc_begin(call, store, &gc, err);
    if (rc)
        return rc;
    rc = drop(call, &gc, r, removed, err);
    wci_gc_end(&gc, NULL);
    return rc;
}

int32_t wci_image_remove(wc_call *call, wci_store *store, const wci_digest *manifest, int force,
                         wci_strv *removed, wc_error **err)
{
    return remove_image(call, store, &(removal){.manifest = manifest, .force = force}, removed, err);
}

int32_t wci_image_untag_seen(wc_call *call, wci_store *store, const wci_image_record *seen, const char *name,
                             int *changed, wc_error **err)
{
    const removal r = {.name = name, .seen = seen, .changed = changed};
    return remove_image(call, store, &r, NULL, err);
}

int32_t wci_image_remove_seen(wc_call *call, wci_store *store, const wci_image_record *seen, int force,
                              wci_strv *removed, int *changed, wc_error **err)
{
    const removal r = {.manifest = &seen->manifest, .seen = seen, .changed = changed, .force = force};
    return remove_image(call, store, &r, removed, err);
}
