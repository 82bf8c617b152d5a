/* SPDX-License-Identifier: Apache-2.0 */
/* What belongs to images though none consists of it: the other platforms of an index, and what refers to it. Rows are
 * in force as long as a name or an image leads to their root. */
#include "core/alloc.h"
#include "core/error.h"
#include "store/internal.h"

void wci_kept_free(wci_kept_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        wci_free(list->items[i].role);
    wci_free(list->items);
    *list = (wci_kept_list)WCI_KEPT_INIT;
}

int32_t wci_kept_add(wci_kept_list *list, const wci_digest *digest, const char *role, wc_error **err)
{
    char *own = wci_strdup(role);
    if (!own || !wci_grow(&list->items, &list->cap, list->count + 1, sizeof *list->items)) {
        wci_free(own);
        return wci_err_nomem(err);
    }
    list->items[list->count++] = (wci_kept){*digest, own};
    return WC_OK;
}

int32_t wci_kept_record(wci_store *store, const wci_kept_list *list, wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; i < list->count && !rc; i++) {
        rc = wci_blob_record(store, &list->items[i].digest, err);
        if (!rc)
            rc = wci_db_run(store->db, "INSERT OR IGNORE INTO kept (root, digest, role) VALUES (?, ?, ?)",
                            WCI_BIND(WCI_TEXT(list->root.text), WCI_TEXT(list->items[i].digest.text),
                                     WCI_TEXT(list->items[i].role)),
                            err);
    }
    return rc;
}

int32_t wci_kept_sweep(wci_store *store, wc_error **err)
{
    return wci_db_script(store->db,
                         "DELETE FROM kept WHERE root NOT IN (SELECT idx FROM names)"
                         " AND root NOT IN (SELECT idx FROM images WHERE manifest NOT IN (SELECT manifest FROM names))"
                         " AND root NOT IN (SELECT manifest FROM images)",
                         err);
}

int32_t wci_kept_find(wci_store *store, const char *role, wci_strv *digests, wc_error **err)
{
    WCI_CALL_NONE(call);
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_READ, err);
    if (rc)
        return rc;
    rc = wci_db_list(store->db, "SELECT DISTINCT digest FROM kept_by WHERE role = ? ORDER BY digest",
                     WCI_BIND(WCI_TEXT(role)), digests, err);
    return wci_tx_end(store, rc, err);
}

/* ---- Names of indexes ------------------------------------------------------------------------- */

static int32_t publish(wci_store *store, const wci_kept_list *list, const wci_digest *manifest, const char *name,
                       wc_error **err)
{
    int32_t rc = wci_blob_record(store, &list->root, err);
    if (!rc)
        rc = wci_kept_record(store, list, err);
    return rc ? rc : wci_name_set_index(store, name, manifest, &list->root, err);
}

int32_t wci_index_publish(wc_call *call, wci_store *store, const wci_kept_list *list, const wci_digest *manifest,
                          const char *name, wc_error **err)
{
    int32_t rc = wci_fs_sync(store->root, err);
    if (!rc)
        rc = wci_tx_begin(store, call, WCI_TX_DURABLE, err);
    return rc ? rc : wci_tx_end(store, publish(store, list, manifest, name, err), err);
}
