/* SPDX-License-Identifier: Apache-2.0 */
/* Image records: reading, publishing, names. */
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "store/internal.h"

/* ---- Memory -----------------------------------------------------------------------------------
 */

void wci_image_record_free(wci_image_record *record)
{
    if (!record)
        return;
    for (size_t i = 0; i < record->layer_count; i++)
        wci_free(record->layers[i].media_type);
    wci_free(record->layers);
    wci_free(record->media_type);
    wci_free(record->os);
    wci_free(record->arch);
    wci_free(record->variant);
    wci_free(record->os_version);
    wci_strv_free(&record->names);
    wci_strv_free(&record->name_indexes);
    wci_strv_free(&record->remote_names);
    wci_free(record);
}

void wci_image_records_free(wci_image_record **records, size_t count)
{
    for (size_t i = 0; i < count; i++)
        wci_image_record_free(records[i]);
    wci_free(records);
}

/* ---- Reading ----------------------------------------------------------------------------------
 */

static int32_t take_digest(sqlite3_stmt *row, int column, wci_digest *out, wc_error **err)
{
    const char *text = wci_db_text(row, column);
    if (!*text)
        return WC_OK;
    wci_digest digest;
    if (wci_digest_parse(text, &digest, NULL))
        return wci_err(err, WC_E_CORRUPT,
                       "store database: '%.40s' is not a digest; run a system check", text);
    *out = digest;
    return WC_OK;
}

static int32_t take_text(sqlite3_stmt *row, int column, char **out, wc_error **err)
{
    *out = wci_strdup(wci_db_text(row, column));
    return *out ? WC_OK : wci_err_nomem(err);
}

static int32_t take_layer(sqlite3_stmt *row, void *to, wc_error **err)
{
    wci_layer_record *layer = to;
    layer->size = (uint64_t)wci_db_int(row, 3);
    layer->unpacked_size = sqlite3_column_type(row, 5) == SQLITE_NULL ? -1 : wci_db_int(row, 5);
    int32_t rc = take_digest(row, 0, &layer->digest, err);
    if (!rc)
        rc = take_digest(row, 1, &layer->diff_id, err);
    if (!rc)
        rc = take_digest(row, 2, &layer->chain_id, err);
    return rc ? rc : take_text(row, 4, &layer->media_type, err);
}

static int32_t read_layers(wci_db *db, wci_image_record *record, wc_error **err)
{
    return wci_db_records(db,
                          "SELECT digest, diff_id, chain_id, size, media_type,"
                          "  (SELECT bytes FROM trees WHERE kind = 0 AND key = diff_id)"
                          " FROM image_layers WHERE manifest = ? ORDER BY position",
                          WCI_BIND(WCI_TEXT(record->manifest.text)), sizeof *record->layers, take_layer,
                          &record->layers, &record->layer_count, err);
}

/* Into names, name_indexes and remote_names. */
static int32_t take_name(sqlite3_stmt *row, void *to, wc_error **err)
{
    wci_image_record *out = to;
    const char *name = wci_db_text(row, 0);
    int failed = wci_strv_add(&out->names, name) || wci_strv_add(&out->name_indexes, wci_db_text(row, 1)) ||
                 (wci_db_int(row, 2) && wci_strv_add(&out->remote_names, name));
    return failed ? wci_err_nomem(err) : WC_OK;
}

static int32_t read_names(wci_db *db, const wci_digest *manifest, wci_image_record *out, wc_error **err)
{
    return wci_db_each(db, "SELECT name, idx, remote FROM names WHERE manifest = ? ORDER BY name",
                       WCI_BIND(WCI_TEXT(manifest->text)), take_name, out, err);
}

#define IMAGE_COLUMNS                                                                              \
    "manifest, config, idx, media_type, os, arch, variant, os_version, created_ns, size, added_ns"

static int32_t take_image(sqlite3_stmt *row, wci_image_record *record, wc_error **err)
{
    int32_t rc = take_digest(row, 0, &record->manifest, err);
    if (!rc)
        rc = take_digest(row, 1, &record->config, err);
    if (!rc)
        rc = take_digest(row, 2, &record->index, err);
    if (!rc)
        rc = take_text(row, 3, &record->media_type, err);
    if (!rc)
        rc = take_text(row, 4, &record->os, err);
    if (!rc)
        rc = take_text(row, 5, &record->arch, err);
    if (!rc)
        rc = take_text(row, 6, &record->variant, err);
    if (!rc)
        rc = take_text(row, 7, &record->os_version, err);
    record->created_ns = wci_db_int(row, 8);
    record->size = (uint64_t)wci_db_int(row, 9);
    record->added_ns = wci_db_int(row, 10);
    return rc;
}

typedef struct image_list {
    wci_db *db;
    wci_image_record **items;
    size_t count, cap;
} image_list;

static int32_t add_image(sqlite3_stmt *row, void *to, wc_error **err)
{
    image_list *list = to;
    wci_image_record *record = wci_calloc(1, sizeof *record);
    if (!record || !wci_grow(&list->items, &list->cap, list->count + 1, sizeof *list->items)) {
        wci_free(record);
        return wci_err_nomem(err);
    }
    list->items[list->count++] = record;
    int32_t rc = take_image(row, record, err);
    if (!rc)
        rc = read_layers(list->db, record, err);
    return rc ? rc : read_names(list->db, &record->manifest, record, err);
}

static int32_t read_images(wci_db *db, const char *sql, const wci_value *values, size_t count,
                           image_list *list, wc_error **err)
{
    list->db = db;
    return wci_db_each(db, sql, values, count, add_image, list, err);
}

int32_t wci_image_list(wci_store *store, wci_image_record ***out, size_t *count, wc_error **err)
{
    WCI_CALL_NONE(call);
    image_list list = {NULL, NULL, 0, 0};
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_READ, err);
    if (rc)
        return rc;
    rc = read_images(store->db,
                     "SELECT " IMAGE_COLUMNS " FROM images"
                     " ORDER BY created_ns DESC, added_ns DESC, manifest",
                     WCI_BIND_NONE, &list, err);
    rc = wci_tx_end(store, rc, err);
    if (rc) {
        wci_image_records_free(list.items, list.count);
        return rc;
    }
    *out = list.items;
    *count = list.count;
    return WC_OK;
}

/* ---- Finding ----------------------------------------------------------------------------------
 */

static int32_t find_exact(wci_db *db, const char *what, image_list *list, wc_error **err)
{
    int32_t rc = read_images(db,
                             "SELECT " IMAGE_COLUMNS " FROM images"
                             " WHERE manifest = (SELECT manifest FROM names WHERE name = ?)",
                             WCI_BIND(WCI_TEXT(what)), list, err);
    if (!rc && !list->count)
        rc = read_images(db, "SELECT " IMAGE_COLUMNS " FROM images WHERE manifest = ?",
                         WCI_BIND(WCI_TEXT(what)), list, err);
    if (!rc && !list->count)
        rc = read_images(db,
                         "SELECT " IMAGE_COLUMNS " FROM images WHERE config = ?"
                         " ORDER BY added_ns DESC LIMIT 1",
                         WCI_BIND(WCI_TEXT(what)), list, err);
    return rc;
}

static int is_hex(const char *s)
{
    return s[strspn(s, "0123456789abcdef")] == '\0';
}

static int32_t find_prefix(wci_db *db, const char *algo, const char *hex, image_list *list,
                           wc_error **err)
{
    char *from = wci_asprintf("%s:%s", algo, hex);
    char *to = wci_asprintf("%s:%sg", algo, hex); /* the first text after all hex digits */
    int32_t rc = from && to ? WC_OK : wci_err_nomem(err);
    if (!rc)
        rc = read_images(db,
                         "SELECT " IMAGE_COLUMNS " FROM images WHERE config >= ? AND config < ?"
                         " ORDER BY added_ns DESC",
                         WCI_BIND(WCI_TEXT(from), WCI_TEXT(to)), list, err);
    wci_free(from);
    wci_free(to);
    return rc;
}

static int32_t find_prefixes(wci_db *db, const char *what, image_list *list, wc_error **err)
{
    static const char *const algos[] = {"sha256", "sha512"};
    const char *colon = strchr(what, ':');
    const char *hex = colon ? colon + 1 : what;
    int32_t rc = WC_OK;
    if (strlen(hex) < 2 || !is_hex(hex))
        return WC_OK;
    for (size_t i = 0; i < sizeof algos / sizeof *algos && !rc; i++) {
        size_t size = strlen(algos[i]);
        if (!colon || ((size_t)(colon - what) == size && !strncmp(what, algos[i], size)))
            rc = find_prefix(db, algos[i], hex, list, err);
    }
    return rc;
}

/* The newest of several manifests with one configuration; different configurations are not one
 * image. */
static int32_t choose(image_list *list, const char *what, wci_image_record **out, wc_error **err)
{
    if (!list->count)
        return wci_err(err, WC_E_NOT_FOUND, "image '%s': not in the store; pull it first", what);
    for (size_t i = 1; i < list->count; i++)
        if (!wci_digest_equal(&list->items[i]->config, &list->items[0]->config))
            return wci_err(err, WC_E_INVALID,
                           "image '%s': more than one image ID begins so; give more digits", what);
    *out = list->items[0];
    list->items[0] = NULL;
    return WC_OK;
}

int32_t wci_image_find(wci_store *store, const char *name_or_id, wci_image_record **out,
                       wc_error **err)
{
    WCI_CALL_NONE(call);
    image_list list = {NULL, NULL, 0, 0};
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_READ, err);
    if (rc)
        return rc;
    rc = find_exact(store->db, name_or_id, &list, err);
    if (!rc && !list.count)
        rc = find_prefixes(store->db, name_or_id, &list, err);
    rc = wci_tx_end(store, rc, err);
    if (!rc)
        rc = choose(&list, name_or_id, out, err);
    wci_image_records_free(list.items, list.count);
    return rc;
}

/* ---- Publishing -------------------------------------------------------------------------------
 */

static int32_t record_blobs(wci_store *store, const wci_image_record *record, wc_error **err)
{
    int32_t rc = wci_blob_record(store, &record->manifest, err);
    if (!rc)
        rc = wci_blob_record(store, &record->config, err);
    for (size_t i = 0; i < record->layer_count && !rc; i++)
        rc = wci_blob_record_layer(store, &record->layers[i], err);
    if (!rc && wci_digest_is_set(&record->index)) { /* it is not always kept */
        wc_error *why = NULL;
        rc = wci_blob_record(store, &record->index, &why);
        if (rc == WC_E_NOT_FOUND) {
            wc_error_unref(why);
            rc = WC_OK;
        } else if (rc) {
            rc = wci_err_move(err, why);
        }
    }
    return rc;
}

static int32_t insert_image(wci_db *db, const wci_image_record *r, wc_error **err)
{
    int64_t now = wci_now_ns();
    return wci_db_run(
        db,
        "INSERT INTO images (" IMAGE_COLUMNS ", used_ns)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (manifest) DO UPDATE SET used_ns = excluded.used_ns,"
        " idx = CASE excluded.idx WHEN '' THEN idx ELSE excluded.idx END",
        WCI_BIND(WCI_TEXT(r->manifest.text), WCI_TEXT(r->config.text), WCI_TEXT(r->index.text),
                 WCI_TEXT(r->media_type ? r->media_type : ""), WCI_TEXT(r->os ? r->os : ""),
                 WCI_TEXT(r->arch ? r->arch : ""), WCI_TEXT(r->variant ? r->variant : ""),
                 WCI_TEXT(r->os_version ? r->os_version : ""), WCI_INT(r->created_ns),
                 WCI_INT(r->size), WCI_INT(r->added_ns ? r->added_ns : now), WCI_INT(now)),
        err);
}

static int32_t insert_layers(wci_db *db, const wci_image_record *r, wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; i < r->layer_count && !rc; i++) {
        const wci_layer_record *layer = &r->layers[i];
        rc = wci_db_run(db,
                        "INSERT OR REPLACE INTO image_layers (manifest, position, digest, diff_id,"
                        " chain_id, size, media_type) VALUES (?, ?, ?, ?, ?, ?, ?)",
                        WCI_BIND(WCI_TEXT(r->manifest.text), WCI_INT(i),
                                 WCI_TEXT(layer->digest.text), WCI_TEXT(layer->diff_id.text),
                                 WCI_TEXT(layer->chain_id.text), WCI_INT(layer->size),
                                 WCI_TEXT(layer->media_type ? layer->media_type : "")),
                        err);
    }
    return rc;
}

static int32_t record_sources(wci_db *db, const wci_image_record *r, wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; r->repository && i < r->layer_count && !rc; i++)
        rc = wci_db_run(db, "INSERT OR IGNORE INTO blob_sources (digest, repository) VALUES (?, ?)",
                        WCI_BIND(WCI_TEXT(r->layers[i].digest.text), WCI_TEXT(r->repository)), err);
    return rc;
}

/* Event "tag" when the name did not point there. `index` "": the name leads to the manifest itself. */
static int32_t set_name(wci_store *store, const char *name, const wci_digest *manifest,
                        const char *index, int is_remote, const char *image_id, wc_error **err)
{
    int32_t rc = wci_db_run(store->db,
                            "INSERT INTO names (name, manifest, idx, remote) VALUES (?, ?, '', 0)"
                            " ON CONFLICT (name) DO UPDATE SET manifest = excluded.manifest"
                            " WHERE manifest <> excluded.manifest",
                            WCI_BIND(WCI_TEXT(name), WCI_TEXT(manifest->text)), err);
    if (!rc && wci_db_changes(store->db) > 0)
        rc = wci_event_put_named(store, "image", "tag", image_id, name, err);
    return rc ? rc
              : wci_db_run(store->db, "UPDATE names SET idx = ?, remote = ? WHERE name = ?",
                           WCI_BIND(WCI_TEXT(index), WCI_INT(is_remote), WCI_TEXT(name)), err);
}

static int32_t publish(wci_store *store, const wci_image_record *record, const char *action,
                       wci_staging **stagings, size_t count, wc_error **err)
{
    const char *id = record->config.text;
    int32_t rc = wci_trees_record(store, stagings, count, err);
    if (!rc)
        rc = record_blobs(store, record, err);
    if (!rc)
        rc = insert_image(store->db, record, err);
    if (!rc)
        rc = insert_layers(store->db, record, err);
    if (!rc)
        rc = record_sources(store->db, record, err);
    if (!rc)
        rc = wci_event_put_named(store, "image", action, id,
                                 record->names.count ? record->names.items[0] : "", err);
    if (!rc && record->kept)
        rc = wci_kept_record(store, record->kept, err);
    for (size_t i = 0; i < record->names.count && !rc; i++)
        rc = set_name(store, record->names.items[i], &record->manifest, record->index.text,
                      wci_strv_contains(&record->remote_names, record->names.items[i]), id, err);
    return rc ? rc : wci_kept_sweep(store, err);
}

static int32_t count_recorded(wci_db *db, const wci_digest *digest, size_t *recorded,
                              wc_error **err)
{
    int64_t found = 0;
    int32_t rc = wci_db_get_int(db, "SELECT count(*) FROM blobs WHERE digest = ?",
                                WCI_BIND(WCI_TEXT(digest->text)), 0, &found, err);
    *recorded += (size_t)found;
    return rc;
}

/* Blobs that are recorded were synced by an earlier publish. */
static int32_t has_new_blobs(wc_call *call, wci_store *store, const wci_image_record *record,
                             int *has_new, wc_error **err)
{
    size_t recorded = 0, wanted = 2 + (wci_digest_is_set(&record->index) ? 1 : 0);
    int32_t rc = wci_tx_begin(store, call, WCI_TX_READ, err);
    if (rc)
        return rc;
    rc = count_recorded(store->db, &record->manifest, &recorded, err);
    if (!rc)
        rc = count_recorded(store->db, &record->config, &recorded, err);
    if (!rc)
        rc = count_recorded(store->db, &record->index, &recorded, err);
    for (size_t i = 0; i < record->layer_count && !rc; i++)
        rc = count_recorded(store->db, &record->layers[i].digest, &recorded, err);
    rc = wci_tx_end(store, rc, err);
    if (!rc)
        *has_new = recorded < wanted + record->layer_count || (record->kept && record->kept->count);
    return rc;
}

int32_t wci_image_publish(wc_call *call, wci_store *store, const wci_image_record *record,
                          const char *action, wci_staging **stagings, size_t count, wc_error **err)
{
    int has_new = 0;
    int32_t rc = has_new_blobs(call, store, record, &has_new, err);
    if (!rc && (has_new || count > 0))
        rc = wci_fs_sync(store->root, err);
    if (!rc)
        rc = wci_tx_begin(store, call, WCI_TX_DURABLE, err);
    if (!rc)
        rc = wci_tx_end(store, publish(store, record, action, stagings, count, err), err);
    if (!rc)
        wci_trees_recorded(stagings, count);
    return rc;
}

/* ---- Names ------------------------------------------------------------------------------------
 */

static int32_t tag(wci_store *store, const wci_digest *manifest, const char *index, const char *name, wc_error **err)
{
    char *id = NULL;
    int32_t rc = wci_db_get_text(store->db, "SELECT config FROM images WHERE manifest = ?",
                                 WCI_BIND(WCI_TEXT(manifest->text)), &id, err);
    if (!rc && !id)
        rc = wci_err(err, WC_E_NOT_FOUND, "image '%s': not in the store", manifest->text);
    if (!rc)
        rc = set_name(store, name, manifest, index, 0, id, err);
    wci_free(id);
    return rc ? rc : wci_kept_sweep(store, err);
}

int32_t wci_name_set_index(wci_store *store, const char *name, const wci_digest *manifest, const wci_digest *index,
                           wc_error **err)
{
    return tag(store, manifest, index->text, name, err);
}

int32_t wci_image_tag(wci_store *store, const wci_digest *manifest, const wci_digest *index, const char *name,
                      wc_error **err)
{
    WCI_CALL_NONE(call);
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_DURABLE, err);
    return rc ? rc : wci_tx_end(store, tag(store, manifest, index ? index->text : "", name, err), err);
}

int32_t wci_name_drop(wci_store *store, const char *name, wc_error **err)
{
    char *id = NULL;
    int32_t rc = wci_db_get_text(store->db,
                                 "SELECT coalesce(config, '') FROM names"
                                 " LEFT JOIN images USING (manifest) WHERE name = ?",
                                 WCI_BIND(WCI_TEXT(name)), &id, err);
    if (!rc && !id)
        rc = wci_err(err, WC_E_NOT_FOUND, "image '%s': no image has this name", name);
    if (!rc)
        rc = wci_db_run(store->db, "DELETE FROM names WHERE name = ?", WCI_BIND(WCI_TEXT(name)),
                        err);
    if (!rc)
        rc = wci_event_put_named(store, "image", "untag", id, name, err);
    wci_free(id);
    return rc ? rc : wci_kept_sweep(store, err);
}

int32_t wci_image_untag(wci_store *store, const char *name, wc_error **err)
{
    WCI_CALL_NONE(call);
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_DURABLE, err);
    return rc ? rc : wci_tx_end(store, wci_name_drop(store, name, err), err);
}

/* Both lists are sorted. */
static int same_names(const wci_strv *a, const wci_strv *b)
{
    for (size_t i = 0; i < a->count && i < b->count; i++)
        if (strcmp(a->items[i], b->items[i]))
            return 0;
    return a->count == b->count;
}

int32_t wci_image_has_changed(wci_store *store, const wci_image_record *seen, int *changed, wc_error **err)
{
    wci_image_record *now = wci_calloc(1, sizeof *now);
    int64_t there = 0;
    if (!now)
        return wci_err_nomem(err);
    int32_t rc = wci_db_get_int(store->db, "SELECT count(*) FROM images WHERE manifest = ?",
                                WCI_BIND(WCI_TEXT(seen->manifest.text)), 0, &there, err);
    if (!rc)
        rc = read_names(store->db, &seen->manifest, now, err);
    if (!rc)
        *changed = !there || !same_names(&now->names, &seen->names);
    wci_image_record_free(now);
    return rc;
}
