/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_volume.h"

#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "store/internal.h"
#include "store/volume_rows.h"

void wci_volume_record_clear(wci_volume_record *record)
{
    wci_free(record->name);
    wci_free(record->driver);
    wci_free(record->options);
    wci_free(record->labels);
    *record = (wci_volume_record){.name = NULL};
}

void wci_volume_records_free(wci_volume_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++)
        wci_volume_record_clear(&records[i]);
    wci_free(records);
}

int32_t wci_volume_name_check(const char *name, wc_error **err)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    static const char later[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    size_t size = strlen(name);
    if (size >= 2 && size <= WCI_VOLUME_NAME_MAX && strchr(first, *name) && strspn(name, later) == size)
        return WC_OK;
    return wci_err(err, WC_E_INVALID,
                   "volume name '%.80s': must be 2 to 255 letters, digits, '_', '.' or '-', and begin with a letter or "
                   "digit; for a directory of the host write its absolute path",
                   name);
}

char *wci_volume_dir(const wci_store *store, const char *name)
{
    return wci_store_path(store, WCI_DIR_VOLUMES, name);
}

char *wci_volume_data(const wci_store *store, const char *name)
{
    return wci_asprintf("%s/" WCI_DIR_VOLUMES "/%s/data", store->root, name);
}

int32_t wci_volume_lock(wc_call *call, wci_store *store, const char *name, wci_lock **out, wc_error **err)
{
    char *path = wci_asprintf("%s/" WCI_DIR_LOCKS "/volume-%s", store->root, name);
    int32_t rc = path ? wci_lock_acquire(call, path, WCI_LOCK_EXCLUSIVE, out, err) : wci_err_nomem(err);
    wci_free(path);
    return rc;
}

/* ---- Reading ------------------------------------------------------------------------------------ */

#define COLUMNS "SELECT name, driver, options, labels, created_ns, is_anonymous FROM volumes"

static int32_t take_row(sqlite3_stmt *row, void *to, wc_error **err)
{
    wci_volume_record *out = to;
    *out = (wci_volume_record){
        .name = wci_strdup(wci_db_text(row, 0)),
        .driver = wci_strdup(wci_db_text(row, 1)),
        .options = wci_strdup(wci_db_text(row, 2)),
        .labels = wci_strdup(wci_db_text(row, 3)),
        .created_ns = wci_db_int(row, 4),
        .is_anonymous = (int32_t)wci_db_int(row, 5),
    };
    return out->name && out->driver && out->options && out->labels ? WC_OK : wci_err_nomem(err);
}

static int32_t read_all(wci_store *store, const char *sql, const wci_value *values, size_t value_count,
                        wci_volume_record **out, size_t *count, wc_error **err)
{
    WCI_CALL_NONE(call);
    wci_volume_record *list = NULL;
    size_t found = 0;
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_READ, err);
    if (rc)
        return rc;
    rc = wci_tx_end(store,
                    wci_db_records(store->db, sql, values, value_count, sizeof *list, take_row, &list, &found, err),
                    err);
    if (rc) {
        wci_volume_records_free(list, found);
        return rc;
    }
    *out = list;
    *count = found;
    return WC_OK;
}

int32_t wci_volume_list(wci_store *store, wci_volume_record **out, size_t *count, wc_error **err)
{
    return read_all(store, COLUMNS " ORDER BY name", WCI_BIND_NONE, out, count, err);
}

int32_t wci_volume_find(wci_store *store, const char *name, wci_volume_record *out, wc_error **err)
{
    wci_volume_record *list = NULL;
    size_t count = 0;
    int32_t rc = read_all(store, COLUMNS " WHERE name = ?", WCI_BIND(WCI_TEXT(name)), &list, &count, err);
    if (!rc && !count)
        rc = wci_volume_no_such(name, err);
    if (!rc) {
        *out = list[0];
        list[0] = (wci_volume_record){.name = NULL};
    }
    wci_volume_records_free(list, count);
    return rc;
}

int32_t wci_volume_users(wci_store *store, const char *name, wci_strv *containers, wc_error **err)
{
    WCI_CALL_NONE(call);
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_READ, err);
    if (!rc)
        rc = wci_tx_end(store,
                        wci_db_list(store->db, "SELECT DISTINCT container FROM volume_uses WHERE volume = ? ORDER BY 1",
                                    WCI_BIND(WCI_TEXT(name)), containers, err),
                        err);
    return rc;
}

/* ---- Making ------------------------------------------------------------------------------------- */

static int32_t is_recorded(wc_call *call, wci_store *store, const char *name, int *recorded, wc_error **err)
{
    int32_t rc = wci_tx_begin(store, call, WCI_TX_READ, err);
    return rc ? rc : wci_tx_end(store, wci_volume_is_there(store->db, name, recorded, err), err);
}

/* What a volume of that name has left that was removed by somebody who did not live to see its end. */
static int32_t clear_litter(wci_store *store, const char *dir, wc_error **err)
{
    return wci_file_exists(dir) ? wci_volume_throw(store, dir, NULL, err) : WC_OK;
}

/* The directory of a volume that is not recorded. With the volume's lock and `gc`. */
static int32_t make_dir(wc_call *call, wci_store *store, const char *name, wc_error **err)
{
    int there = 0;
    char *dir = wci_volume_dir(store, name), *data = wci_volume_data(store, name);
    int32_t rc = dir && data ? is_recorded(call, store, name, &there, err) : wci_err_nomem(err);
    if (!rc && !there)
        rc = clear_litter(store, dir, err);
    if (!rc && !there)
        rc = wci_dir_make(dir, 0711, err);
    if (!rc && !there)
        rc = wci_dir_make_new(data, 0755, err);
    wci_free(dir);
    wci_free(data);
    return rc;
}

static int32_t insert_row(wci_store *store, const wci_volume_record *r, wc_error **err)
{
    int32_t rc = wci_db_run(store->db,
                            "INSERT INTO volumes (name, driver, options, labels, created_ns, is_anonymous)"
                            " VALUES (?, ?, ?, ?, ?, ?)",
                            WCI_BIND(WCI_TEXT(r->name), WCI_TEXT(r->driver), WCI_TEXT(r->options),
                                     WCI_TEXT(r->labels), WCI_INT(wci_now_ns()), WCI_INT(r->is_anonymous)),
                            err);
    return rc ? rc : wci_volume_event(store, "create", r->name, r->driver, err);
}

static int32_t check_same(const wci_volume_record *there, const wci_volume_record *wanted, wc_error **err)
{
    if (strcmp(there->driver, wanted->driver))
        return wci_err(err, WC_E_EXISTS, "volume '%s': exists with driver '%s'; choose another name, or remove it first",
                       there->name, there->driver);
    if (strcmp(there->options, wanted->options))
        return wci_err(err, WC_E_EXISTS,
                       "volume '%s': exists with other driver options; choose another name, or remove it first",
                       there->name);
    return WC_OK;
}

/* In a transaction. */
static int32_t insert_or_compare(wci_store *store, const wci_volume_record *record, int *created, wc_error **err)
{
    wci_volume_record *list = NULL;
    size_t count = 0;
    int32_t rc = wci_db_records(store->db, COLUMNS " WHERE name = ?", WCI_BIND(WCI_TEXT(record->name)), sizeof *list,
                                take_row, &list, &count, err);
    *created = !rc && !count;
    if (!rc)
        rc = count ? check_same(&list[0], record, err) : insert_row(store, record, err);
    wci_volume_records_free(list, count);
    return rc;
}

static int32_t lock_gc(wc_call *call, wci_store *store, wci_lock **out, wc_error **err)
{
    char *path = wci_store_path(store, WCI_DIR_LOCKS, "gc");
    int32_t rc = path ? wci_lock_acquire(call, path, WCI_LOCK_SHARED, out, err) : wci_err_nomem(err);
    wci_free(path);
    return rc;
}

static int32_t create_locked(wc_call *call, wci_store *store, const wci_volume_record *record, int *created,
                             wc_error **err)
{
    wci_lock *gc = NULL;
    int32_t rc = lock_gc(call, store, &gc, err);
    if (!rc)
        rc = make_dir(call, store, record->name, err);
    if (!rc)
        rc = wci_tx_begin(store, call, WCI_TX_DURABLE, err);
    if (!rc)
        rc = wci_tx_end(store, insert_or_compare(store, record, created, err), err);
    wci_lock_release(gc);
    return rc;
}

int32_t wci_volume_create(wc_call *call, wci_store *store, const wci_volume_record *record, int *created,
                          wc_error **err)
{
    wci_lock *lock = NULL;
    int32_t rc = wci_store_check_fork(store, err);
    if (!rc)
        rc = wci_volume_name_check(record->name, err);
    if (!rc)
        rc = wci_volume_lock(call, store, record->name, &lock, err);
    if (rc)
        return rc;
    rc = create_locked(call, store, record, created, err);
    wci_lock_release_remove(lock);
    return rc;
}

/* ---- Containers that use them ------------------------------------------------------------------- */

static int is_image(const wci_volume_use *use)
{
    return strchr(use->volume, ':') != NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Each name once, in the order in which they are locked. */
static int32_t names_of(const wci_volume_use *uses, size_t count, wci_strv *names, wc_error **err)
{
    for (size_t i = 0; i < count; i++) {
        if (is_image(&uses[i]) || wci_strv_contains(names, uses[i].volume))
            continue;
        int32_t rc = wci_volume_name_check(uses[i].volume, err);
        if (!rc && wci_strv_add(names, uses[i].volume))
            rc = wci_err_nomem(err);
        if (rc)
            return rc;
    }
    if (names->count)
        qsort(names->items, names->count, sizeof *names->items, by_name);
    return WC_OK;
}

static int32_t record_volume(wci_store *store, const wci_volume_use *use, wc_error **err)
{
    int there = 0;
    wci_volume_record record = {.name = (char *)(uintptr_t)use->volume, .driver = (char *)(uintptr_t)WCI_VOLUME_DRIVER,
                                .options = (char *)(uintptr_t)"{}", .labels = (char *)(uintptr_t)"{}",
                                .is_anonymous = use->is_anonymous};
    int32_t rc = wci_volume_is_there(store->db, use->volume, &there, err);
    return rc || there ? rc : insert_row(store, &record, err);
}

static int32_t check_image(wci_store *store, const char *manifest, wc_error **err)
{
    int64_t found = 0;
    int32_t rc = wci_db_get_int(store->db, "SELECT count(*) FROM images WHERE manifest = ?",
                                WCI_BIND(WCI_TEXT(manifest)), 0, &found, err);
    if (!rc && !found)
        rc = wci_err(err, WC_E_NOT_FOUND, "image '%s': not in the store any more; pull it again", manifest);
    return rc;
}

static int32_t record_use(wci_store *store, const char *container, const wci_volume_use *use, wc_error **err)
{
    int32_t rc = is_image(use) ? check_image(store, use->volume, err) : record_volume(store, use, err);
    return rc ? rc
              : wci_db_run(store->db, "INSERT INTO volume_uses (volume, container, target) VALUES (?, ?, ?)",
                           WCI_BIND(WCI_TEXT(use->volume), WCI_TEXT(container), WCI_TEXT(use->target)), err);
}

int32_t wci_volumes_record(wci_store *store, const char *container, const wci_volume_use *uses, size_t count,
                           wc_error **err)
{
    int32_t rc = WC_OK;
    for (size_t i = 0; !rc && i < count; i++)
        rc = record_use(store, container, &uses[i], err);
    return rc;
}

typedef struct locks {
    wci_lock **items;
    size_t count;
} locks;

static void release(locks *l)
{
    while (l->count)
        wci_lock_release_remove(l->items[--l->count]);
    wci_free(l->items);
}

static int32_t lock_all(wc_call *call, wci_store *store, const wci_strv *names, locks *out, wc_error **err)
{
    out->items = wci_calloc(names->count + 1, sizeof *out->items);
    int32_t rc = out->items ? WC_OK : wci_err_nomem(err);
    for (; !rc && out->count < names->count; out->count += !rc)
        rc = wci_volume_lock(call, store, names->items[out->count], &out->items[out->count], err);
    return rc;
}

static int32_t make_and_insert(wc_call *call, wci_store *store, const wci_container_record *record,
                               const wci_strv *names, const wci_volume_use *uses, size_t count, wc_error **err)
{
    wci_lock *gc = NULL;
    int32_t rc = lock_gc(call, store, &gc, err);
    for (size_t i = 0; !rc && i < names->count; i++)
        rc = make_dir(call, store, names->items[i], err);
    if (!rc)
        rc = wci_container_insert_excluding_gc(call, store, record, uses, count, err);
    wci_lock_release(gc);
    return rc;
}

int32_t wci_container_insert_using(wc_call *call, wci_store *store, const wci_container_record *record,
                                   const wci_volume_use *uses, size_t count, wc_error **err)
{
    wci_strv names = WCI_STRV_INIT;
    locks held = {NULL, 0};
    int32_t rc = wci_store_check_fork(store, err);
    if (!rc)
        rc = names_of(uses, count, &names, err);
    if (!rc)
        rc = lock_all(call, store, &names, &held, err);
    if (!rc)
        rc = make_and_insert(call, store, record, &names, uses, count, err);
    release(&held);
    wci_strv_free(&names);
    return rc;
}
