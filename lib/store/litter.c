/* SPDX-License-Identifier: Apache-2.0 */
/* Finding what nobody needs. While the gc lock is held the answer stays true: work on a digest
 * begins with a hold, and no digest becomes held. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "store/internal.h"
#include "store/volume_rows.h"

typedef struct search {
    wc_call *call;
    wci_store *store;
    const wci_strv *held;
    int what;
    wci_litter *litter;
} search;

void wci_litter_free(wci_litter *litter)
{
    wci_strv_free(&litter->paths);
    wci_strv_free(&litter->scratch);
    wci_strv_free(&litter->blobs);
    wci_strv_free(&litter->trees[WCI_TREE_LAYER]);
    wci_strv_free(&litter->trees[WCI_TREE_LINKS]);
}

static int32_t add_path(search *s, const char *dir, const char *name, wc_error **err)
{
    char *path = wci_store_path(s->store, dir, name);
    return wci_strv_add_take(&s->litter->paths, path) ? wci_err_nomem(err) : WC_OK;
}

static int32_t add_key(wci_strv *keys, const char *key, wc_error **err)
{
    return wci_strv_add(keys, key) ? wci_err_nomem(err) : WC_OK;
}

/* Calls `look` for every name in root/dir. */
static int32_t each_name(search *s, const char *dir,
                         int32_t (*look)(search *s, const char *dir, const char *name,
                                         wc_error **err),
                         wc_error **err)
{
    char *path = wci_path_join(s->store->root, dir);
    if (!path)
        return wci_err_nomem(err);
    wci_strv names = WCI_STRV_INIT;
    int32_t rc = wci_dir_list(path, &names, err);
    wci_free(path);
    for (size_t i = 0; i < names.count && !rc; i++) {
        rc = wci_call_check(s->call, err);
        if (!rc)
            rc = look(s, dir, names.items[i], err);
    }
    wci_strv_free(&names);
    return rc;
}

/* "<algo><separator><hex>" as digest; 0 for other names. */
static int parse_name(const char *algo, const char *hex, wci_digest *out)
{
    char text[WCI_DIGEST_TEXT_SIZE];
    if (strlen(algo) + strlen(hex) + 2 > sizeof text)
        return 0;
    size_t at = strlen(algo);
    memcpy(text, algo, at);
    text[at] = ':';
    memcpy(text + at + 1, hex, strlen(hex) + 1);
    return wci_digest_parse(text, out, NULL) == WC_OK;
}

/* ---- Blobs ------------------------------------------------------------------------------------
 */

static int32_t is_wanted_blob(search *s, const char *digest, int *wanted, wc_error **err)
{
    if (wci_holds_contain(s->held, digest)) {
        *wanted = 1;
        return WC_OK;
    }
    return wci_blob_is_needed(s->store, digest, wanted, err);
}

static int32_t look_at_blob(search *s, const char *dir, const char *name, wc_error **err)
{
    wci_digest digest;
    int wanted = 0;
    int32_t rc = WC_OK;
    if (parse_name(wci_path_base(dir), name, &digest))
        rc = is_wanted_blob(s, digest.text, &wanted, err);
    return rc || wanted ? rc : add_path(s, dir, name, err);
}

static int32_t look_at_blob_row(sqlite3_stmt *row, void *to, wc_error **err)
{
    search *s = to;
    int wanted = 0;
    const char *digest = wci_db_text(row, 0);
    int32_t rc = is_wanted_blob(s, digest, &wanted, err);
    return rc || wanted ? rc : add_key(&s->litter->blobs, digest, err);
}

static int32_t look_at_partial(search *s, const char *dir, const char *name, wc_error **err)
{
    char algo[16];
    const char *dash = strchr(name, '-');
    wci_digest digest;
    if (!dash || (size_t)(dash - name) >= sizeof algo)
        return add_path(s, dir, name, err);
    memcpy(algo, name, (size_t)(dash - name));
    algo[dash - name] = '\0';
    if (!parse_name(algo, dash + 1, &digest))
        return add_path(s, dir, name, err);
    if (wci_holds_contain(s->held, digest.text))
        return WC_OK;
    char *path = wci_store_path(s->store, dir, name);
    if (!path)
        return wci_err_nomem(err);
    wci_file_info info = {.size = 0};
    uint64_t size;
    int resumable = !wci_file_info_of(path, &info, NULL) && info.size > 0 &&
                    wci_blob_stat(s->store, &digest, &size, NULL) != WC_OK;
    wci_free(path);
    if (resumable && !(s->what & WCI_PRUNE_PARTIAL))
        return WC_OK;
    return add_path(s, dir, name, err);
}

/* ---- Trees ------------------------------------------------------------------------------------
 */

/* Rows that count and are needed stay; those of a dead maker never count. */
static int32_t is_wanted_row(search *s, wci_tree_kind kind, const char *key, const char *owner,
                             int *wanted, wc_error **err)
{
    if (wci_holds_contain(s->held, key)) {
        *wanted = 1;
        return WC_OK;
    }
    *wanted = 0;
    if (*owner && !wci_scratch_is_owned(s->store, owner))
        return WC_OK;
    return wci_tree_is_needed(s->store, kind, key, wanted, err);
}

static int32_t look_at_tree_row(sqlite3_stmt *row, void *to, wc_error **err)
{
    search *s = to;
    int wanted = 0;
    wci_tree_kind kind = (wci_tree_kind)wci_db_int(row, 2);
    const char *key = wci_db_text(row, 0);
    int32_t rc = is_wanted_row(s, kind, key, wci_db_text(row, 1), &wanted, err);
    return rc || wanted ? rc : add_key(&s->litter->trees[kind], key, err);
}

static int32_t look_at_tree(search *s, const char *dir, const char *name, wc_error **err)
{
    wci_tree_kind kind = strcmp(dir, WCI_DIR_TREES) == 0 ? WCI_TREE_LAYER : WCI_TREE_LINKS;
    wci_digest key;
    if (!parse_name("sha256", name, &key) && !parse_name("sha512", name, &key))
        return add_path(s, dir, name, err);
    if (wci_holds_contain(s->held, key.text))
        return WC_OK;
    int64_t recorded = 0;
    int32_t rc =
        wci_db_get_int(s->store->db, "SELECT count(*) FROM trees WHERE kind = ? AND key = ?",
                       WCI_BIND(WCI_INT(kind), WCI_TEXT(key.text)), 0, &recorded, err);
    if (rc || (recorded && !wci_strv_contains(&s->litter->trees[kind], key.text)))
        return rc;
    return add_path(s, dir, name, err);
}

static int32_t look_at_trees(search *s, wci_tree_kind kind, wc_error **err)
{
    int32_t rc = wci_db_each(s->store->db, "SELECT key, owner, kind FROM trees WHERE kind = ?", WCI_BIND(WCI_INT(kind)),
                             look_at_tree_row, s, err);
    return rc ? rc : each_name(s, wci_tree_dir_name(kind), look_at_tree, err);
}

/* ---- The rest ---------------------------------------------------------------------------------
 */

static int32_t look_at_scratch(search *s, const char *dir, const char *name, wc_error **err)
{
    size_t size = strcspn(name, "."); /* "<name>" and "<name>.lock" */
    if (!size || (name[size] && strcmp(name + size, ".lock")))
        return add_path(s, dir, name, err);
    char *owner = wci_strndup(name, size);
    if (!owner)
        return wci_err_nomem(err);
    int32_t rc = WC_OK;
    if (!wci_scratch_is_owned(s->store, owner) && !wci_strv_contains(&s->litter->scratch, owner))
        rc = add_key(&s->litter->scratch, owner, err);
    wci_free(owner);
    return rc;
}

static int32_t has_container(search *s, const char *id, int *there, wc_error **err)
{
    int64_t found = 0;
    int32_t rc = wci_db_get_int(s->store->db, "SELECT count(*) FROM containers WHERE id = ?",
                                WCI_BIND(WCI_TEXT(id)), 0, &found, err);
    *there = found != 0;
    return rc;
}

static int32_t look_at_container(search *s, const char *dir, const char *name, wc_error **err)
{
    int there = 0;
    int32_t rc = has_container(s, name, &there, err);
    return rc || there ? rc : add_path(s, dir, name, err);
}

static int32_t look_at_volume(search *s, const char *dir, const char *name, wc_error **err)
{
    int there = 0;
    int32_t rc = wci_volume_is_there(s->store->db, name, &there, err);
    return rc || there ? rc : add_path(s, dir, name, err);
}

static int32_t look_at_quarantine(search *s, const char *dir, const char *name, wc_error **err)
{
    return add_path(s, dir, name, err);
}

static int32_t find_all(search *s, wc_error **err)
{
    int32_t rc = each_name(s, WCI_DIR_BLOBS "/sha256", look_at_blob, err);
    if (!rc)
        rc = each_name(s, WCI_DIR_BLOBS "/sha512", look_at_blob, err);
    if (!rc)
        rc = wci_db_each(s->store->db, "SELECT digest FROM blobs", WCI_BIND_NONE, look_at_blob_row, s, err);
    if (!rc)
        rc = each_name(s, WCI_DIR_INGEST, look_at_partial, err);
    if (!rc)
        rc = look_at_trees(s, WCI_TREE_LAYER, err);
    if (!rc)
        rc = look_at_trees(s, WCI_TREE_LINKS, err);
    if (!rc)
        rc = each_name(s, WCI_DIR_STAGING, look_at_scratch, err);
    if (!rc)
        rc = each_name(s, WCI_DIR_CONTAINERS, look_at_container, err);
    if (!rc)
        rc = each_name(s, WCI_DIR_VOLUMES, look_at_volume, err);
    return rc ? rc : each_name(s, WCI_DIR_QUARANTINE, look_at_quarantine, err);
}

int32_t wci_litter_find(wc_call *call, wci_store *store, const wci_strv *held, int what,
                        wci_litter *out, wc_error **err)
{
    wci_litter litter = {.paths = WCI_STRV_INIT};
    search s = {call, store, held, what, &litter};
    int32_t rc = wci_tx_begin(store, call, WCI_TX_READ, err);
    if (!rc)
        rc = wci_tx_end(store, find_all(&s, err), err);
    if (rc)
        wci_litter_free(&litter);
    else
        *out = litter;
    return rc;
}
