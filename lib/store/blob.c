/* SPDX-License-Identifier: Apache-2.0 */
/* Reading blobs. What is in blobs/ was verified when it came in. */
#include "core/alloc.h"
#include "core/error.h"
#include "store/internal.h"


char *wci_blob_location(const wci_store *store, const wci_digest *digest)
{
    return wci_asprintf("%s/" WCI_DIR_BLOBS "/%s/%s", store->root, wci_digest_algo_name(digest),
                        wci_digest_hex(digest));
}

char *wci_blob_path(wci_store *store, const wci_digest *digest)
{
    return wci_blob_location(store, digest);
}

static int32_t not_found(const wci_digest *digest, int32_t rc, wc_error *why, wc_error **err)
{
    if (rc != WC_E_NOT_FOUND)
        return wci_err_move(err, why);
    wc_error_unref(why);
    return wci_err(err, WC_E_NOT_FOUND, "blob '%s': not in the store; pull the image again",
                   digest->text);
}

int32_t wci_blob_stat(wci_store *store, const wci_digest *digest, uint64_t *size, wc_error **err)
{
    char *path = wci_blob_location(store, digest);
    if (!path)
        return wci_err_nomem(err);
    wci_file_info info;
    wc_error *why = NULL;
    int32_t rc = wci_file_info_of(path, &info, &why);
    wci_free(path);
    if (rc)
        return not_found(digest, rc, why, err);
    *size = info.size;
    return WC_OK;
}

int32_t wci_blob_open(wci_store *store, const wci_digest *digest, wci_fd *fd, uint64_t *size,
                      wc_error **err)
{
    char *path = wci_blob_location(store, digest);
    if (!path)
        return wci_err_nomem(err);
    wci_fd opened = WCI_FD_NONE;
    wci_file_info info;
    wc_error *why = NULL;
    int32_t rc = wci_file_open(path, WCI_OPEN_READ, 0, &opened, &why);
    if (!rc)
        rc = wci_fd_info(opened, &info, &why);
    wci_free(path);
    if (rc) {
        wci_fd_close(opened);
        return not_found(digest, rc, why, err);
    }
    *fd = opened;
    *size = info.size;
    return WC_OK;
}

int32_t wci_blob_read(wci_store *store, const wci_digest *digest, size_t max, wc_buf **out,
                      wc_error **err)
{
    char *path = wci_blob_location(store, digest);
    if (!path)
        return wci_err_nomem(err);
    wc_buf *data = NULL;
    wc_error *why = NULL;
    int32_t rc = wci_file_read_all(path, max, &data, &why);
    wci_free(path);
    if (rc)
        return not_found(digest, rc, why, err);
    wci_digest found;
    rc = wci_digest_of(wci_digest_algo(digest), wc_buf_data(data), wc_buf_size(data), &found, err);
    if (!rc && !wci_digest_equal(&found, digest))
        rc = wci_err(err, WC_E_CORRUPT,
                     "blob '%s': its bytes have the digest '%s'; repair the store with a system "
                     "check and pull the image again",
                     digest->text, found.text);
    if (rc)
        wc_buf_unref(data);
    else
        *out = data;
    return rc;
}

int32_t wci_blob_verify(const wc_call *call, const char *path, const wci_digest *digest, int *good,
                        wc_error **err)
{
    wci_fd fd = WCI_FD_NONE;
    wci_hasher *hasher = NULL;
    wci_digest found;
    uint64_t size;
    int32_t rc = wci_file_open(path, WCI_OPEN_READ, 0, &fd, err);
    if (!rc)
        rc = wci_hasher_new(wci_digest_algo(digest), &hasher, err);
    if (!rc)
        rc = wci_hasher_read(hasher, call, fd, &size, err);
    if (!rc)
        rc = wci_hasher_final(hasher, &found, err);
    if (!rc)
        *good = wci_digest_equal(&found, digest);
    wci_hasher_free(hasher);
    wci_fd_close(fd);
    return rc;
}

int32_t wci_blob_is_recorded(wci_store *store, const wci_digest *digest, int *recorded,
                             wc_error **err)
{
    WCI_CALL_NONE(call);
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_READ, err);
    if (rc)
        return rc;
    int64_t found = 0;
    rc = wci_db_get_int(store->db, "SELECT count(*) FROM blobs WHERE digest = ? AND dropped = 0",
                        WCI_BIND(WCI_TEXT(digest->text)), 0, &found, err);
    rc = wci_tx_end(store, rc, err);
    if (!rc)
        *recorded = found != 0;
    return rc;
}

static int32_t read_again(wci_db *db, const wci_digest *digest, wci_again *again, wc_error **err)
{
    int64_t found = WCI_AGAIN_NOT;
    int32_t rc = wci_db_get_int(db, "SELECT dropped FROM blobs WHERE digest = ?",
                                WCI_BIND(WCI_TEXT(digest->text)), WCI_AGAIN_NOT, &found, err);
    *again = (wci_again)found;
    return rc;
}

int32_t wci_blob_record(wci_store *store, const wci_digest *digest, wc_error **err)
{
    uint64_t size;
    wc_error *why = NULL;
    wci_again again = WCI_AGAIN_NOT;
    int32_t rc = wci_blob_stat(store, digest, &size, &why);
    if (rc == WC_E_NOT_FOUND && !read_again(store->db, digest, &again, NULL) && again) {
        wc_error_unref(why);
        return WC_OK;
    }
    if (rc)
        return wci_err_move(err, why);
    return wci_db_run(store->db,
                      "INSERT INTO blobs (digest, size, dropped) VALUES (?, ?, 0)"
                      " ON CONFLICT (digest) DO UPDATE SET dropped = 0 WHERE dropped <> 0",
                      WCI_BIND(WCI_TEXT(digest->text), WCI_INT(size)), err);
}

/* Somebody else may have brought it meanwhile. */
int32_t wci_blob_record_layer(wci_store *store, const wci_layer_record *layer, wc_error **err)
{
    uint64_t size;
    if (!layer->again || !wci_blob_stat(store, &layer->digest, &size, NULL))
        return wci_blob_record(store, &layer->digest, err);
    return wci_db_run(store->db,
                      "INSERT INTO blobs (digest, size, dropped) VALUES (?, ?, ?)"
                      " ON CONFLICT (digest) DO UPDATE SET dropped = excluded.dropped WHERE dropped = 0",
                      WCI_BIND(WCI_TEXT(layer->digest.text), WCI_INT(layer->size), WCI_INT(layer->again)), err);
}

/* ---- Dropping ---------------------------------------------------------------------------------
 */

int32_t wci_blob_again(wc_call *call, wci_store *store, const wci_digest *digest, wci_again *again,
                       wc_error **err)
{
    uint64_t size;
    *again = WCI_AGAIN_NOT;
    if (!wci_blob_stat(store, digest, &size, NULL))
        return WC_OK; /* a drop that was interrupted, or it has come back */
    int32_t rc = wci_tx_begin(store, call, WCI_TX_READ, err);
    return rc ? rc : wci_tx_end(store, read_again(store->db, digest, again, err), err);
}

static int32_t read_diff_id(wci_db *db, const wci_digest *digest, wci_digest *diff_id, wc_error **err)
{
    char *text = NULL;
    int32_t rc = wci_db_get_text(db, "SELECT diff_id FROM image_layers WHERE digest = ? LIMIT 1",
                                 WCI_BIND(WCI_TEXT(digest->text)), &text, err);
    if (!rc && !text)
        rc = wci_err(err, WC_E_NOT_FOUND, "blob '%s': no image has it as a layer; pull the image again", digest->text);
    if (!rc)
        rc = wci_digest_parse(text, diff_id, err);
    wci_free(text);
    return rc;
}

int32_t wci_layer_of_blob(wc_call *call, wci_store *store, const wci_digest *digest, wci_digest *diff_id, wc_error **err)
{
    int32_t rc = wci_tx_begin(store, call, WCI_TX_READ, err);
    return rc ? rc : wci_tx_end(store, read_diff_id(store->db, digest, diff_id, err), err);
}

int32_t wci_blob_sources(wc_call *call, wci_store *store, const wci_digest *digest, wci_strv *out, wc_error **err)
{
    int32_t rc = wci_tx_begin(store, call, WCI_TX_READ, err);
    if (rc)
        return rc;
    rc = wci_db_list(store->db, "SELECT repository FROM blob_sources WHERE digest = ? ORDER BY repository",
                     WCI_BIND(WCI_TEXT(digest->text)), out, err);
    return wci_tx_end(store, rc, err);
}

static int32_t mark_dropped(wci_gc *gc, const wci_digest *digest, wci_again again, int *dropped,
                            wc_error **err)
{
    if (wci_gc_is_held(gc, digest->text))
        return WC_OK;
    /* What belongs to an index alone has no tree that it could be made from. */
    int32_t rc = wci_db_run(gc->store->db,
                            "UPDATE blobs SET dropped = ?1 WHERE digest = ?2"
                            " AND NOT EXISTS (SELECT 1 FROM kept_by WHERE digest = ?2 AND role <> '" WCI_KEPT_OWN "')",
                            WCI_BIND(WCI_INT(again), WCI_TEXT(digest->text)), err);
    if (!rc)
        *dropped = wci_db_changes(gc->store->db) > 0;
    return rc;
}

int32_t wci_blob_drop(wc_call *call, wci_store *store, const wci_digest *digest, wci_again again,
                      int *dropped, wc_error **err)
{
    wci_gc gc;
    char *path = wci_blob_location(store, digest);
    int32_t rc = path ? wci_gc_begin(call, store, &gc, err) : wci_err_nomem(err);
    *dropped = 0;
    if (!rc) {
        rc = wci_tx_begin(store, call, WCI_TX_DURABLE, err);
        if (!rc)
            rc = wci_tx_end(store, mark_dropped(&gc, digest, again, dropped, err), err);
        if (!rc && *dropped)
            rc = wci_gc_throw(&gc, path, err);
        wci_gc_end(&gc, NULL);
    }
    wci_free(path);
    return rc;
}

static int32_t record_back(wci_store *store, const wci_digest *digest, wc_error **err)
{
    return wci_db_run(store->db, "UPDATE blobs SET dropped = 0 WHERE digest = ?",
                      WCI_BIND(WCI_TEXT(digest->text)), err);
}

int32_t wci_blobs_came_back(wc_call *call, wci_store *store, const wci_digest *digests, size_t count,
                            wc_error **err)
{
    int32_t rc = wci_fs_sync(store->root, err);
    if (!rc)
        rc = wci_tx_begin(store, call, WCI_TX_DURABLE, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < count && !rc; i++)
        rc = record_back(store, &digests[i], err);
    return wci_tx_end(store, rc, err);
}

/* ---- Removing ---------------------------------------------------------------------------------
 */

static int32_t forget_unneeded(wci_gc *gc, const wci_digest *digest, wc_error **err)
{
    int needed = 0;
    int32_t rc = wci_blob_is_needed(gc->store, digest->text, &needed, err);
    if (!rc && (needed || wci_gc_is_held(gc, digest->text)))
        rc = wci_err(err, WC_E_IN_USE, "blob '%s': %s; remove that first", digest->text,
                     needed ? "an image needs it" : "a running operation needs it");
    return rc ? rc
              : wci_db_run(gc->store->db, "DELETE FROM blobs WHERE digest = ?",
                           WCI_BIND(WCI_TEXT(digest->text)), err);
}

int32_t wci_blob_remove(wci_store *store, const wci_digest *digest, wc_error **err)
{
    WCI_CALL_NONE(call);
    char *path = wci_blob_location(store, digest);
    if (!path)
        return wci_err_nomem(err);
    wci_gc gc;
    int32_t rc = wci_gc_begin(&call, store, &gc, err);
    if (!rc) {
        rc = wci_tx_begin(store, &call, WCI_TX_WRITE, err);
        if (!rc)
            rc = wci_tx_end(store, forget_unneeded(&gc, digest, err), err);
        if (!rc)
            rc = wci_gc_throw(&gc, path, err);
        wci_gc_end(&gc, NULL);
    }
    wci_free(path);
    return rc;
}
