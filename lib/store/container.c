/* SPDX-License-Identifier: Apache-2.0 */
/* Container records and their state machine. */
#include <jansson.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "store/internal.h"
#include "store/store_group.h"
#include "store/volume_rows.h"

#define ID_SIZE 65 /* an id and its end */

static const char *const status_names[] = {"created", "starting", "running", "paused",
                                           "exited",  "removing", "dead",    "restarting"};

static const char *status_name(int64_t status)
{
    int known = status >= 0 && status < (int64_t)(sizeof status_names / sizeof *status_names);
    return known ? status_names[status] : "unknown";
}

/* ---- Reading ----------------------------------------------------------------------------------
 */

void wci_container_record_free(wci_container_record *record)
{
    if (!record)
        return;
    wci_free(record->name);
    wci_free(record->backend);
    wci_free(record->image_name);
    wci_free(record->config);
    wci_free(record->error);
    wci_free(record->group_name);
    wci_endpoints_free(record->endpoints, record->endpoint_count);
    wci_free(record);
}

void wci_container_records_free(wci_container_record **records, size_t count)
{
    for (size_t i = 0; i < count; i++)
        wci_container_record_free(records[i]);
    wci_free(records);
}

#define COLUMNS                                                                                    \
    "id, name, backend, image, image_name, config, status, created_ns, started_ns, finished_ns,"   \
    " pid, exit_code, oom_killed, error, generation, auto_remove, restart_count, user_stopped,"     \
    " health, group_name"

static int32_t take_id(sqlite3_stmt *row, char out[ID_SIZE], wc_error **err)
{
    const char *id = wci_db_text(row, 0);
    if (strlen(id) >= ID_SIZE)
        return wci_err(err, WC_E_CORRUPT, "store database: container id '%.70s' is too long", id);
    memcpy(out, id, strlen(id) + 1);
    return WC_OK;
}

static int32_t take_image(sqlite3_stmt *row, wci_digest *out, wc_error **err)
{
    const char *text = wci_db_text(row, 3);
    return *text ? wci_digest_parse(text, out, err) : WC_OK;
}

static int32_t take_container(sqlite3_stmt *row, wci_container_record *r, wc_error **err)
{
    int32_t rc = take_id(row, r->id, err);
    if (!rc)
        rc = take_image(row, &r->image, err);
    if (rc)
        return rc;
    r->name = wci_strdup(wci_db_text(row, 1));
    r->backend = wci_strdup(wci_db_text(row, 2));
    r->image_name = wci_strdup(wci_db_text(row, 4));
    r->config = wci_strdup(wci_db_text(row, 5));
    r->status = (wci_status)wci_db_int(row, 6);
    r->created_ns = wci_db_int(row, 7);
    r->started_ns = wci_db_int(row, 8);
    r->finished_ns = wci_db_int(row, 9);
    r->pid = wci_db_int(row, 10);
    r->exit_code = (int32_t)wci_db_int(row, 11);
    r->oom_killed = (int32_t)wci_db_int(row, 12);
    r->error = wci_strdup(wci_db_text(row, 13));
    r->generation = wci_db_int(row, 14);
    r->auto_remove = (int32_t)wci_db_int(row, 15);
    r->restart_count = wci_db_int(row, 16);
    r->user_stopped = (int32_t)wci_db_int(row, 17);
    r->health = (wci_health)wci_db_int(row, 18);
    r->group_name = wci_strdup(wci_db_text(row, 19));
    return r->name && r->backend && r->image_name && r->config && r->error && r->group_name
               ? WC_OK
               : wci_err_nomem(err);
}

typedef struct container_list {
    wci_container_record **items;
    size_t count, cap;
} container_list;

static int32_t add_container(sqlite3_stmt *row, void *to, wc_error **err)
{
    container_list *list = to;
    wci_container_record *record = wci_calloc(1, sizeof *record);
    if (!record || !wci_grow(&list->items, &list->cap, list->count + 1, sizeof *list->items)) {
        wci_free(record);
        return wci_err_nomem(err);
    }
    list->items[list->count++] = record;
    return take_container(row, record, err);
}

static int32_t read_containers(wci_db *db, const char *sql, const wci_value *values, size_t count,
                               container_list *list, wc_error **err)
{
    return wci_db_each(db, sql, values, count, add_container, list, err);
}

int32_t wci_container_list(wci_store *store, wci_container_record ***out, size_t *count,
                           wc_error **err)
{
    WCI_CALL_NONE(call);
    container_list list = {NULL, 0, 0};
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_READ, err);
    if (rc)
        return rc;
    rc = read_containers(store->db,
                         "SELECT " COLUMNS " FROM containers ORDER BY created_ns DESC, id",
                         WCI_BIND_NONE, &list, err);
    rc = wci_tx_end(store, rc, err);
    if (rc) {
        wci_container_records_free(list.items, list.count);
        return rc;
    }
    *out = list.items;
    *count = list.count;
    return WC_OK;
}

static int32_t find_prefix(wci_db *db, const char *prefix, container_list *list, wc_error **err)
{
    if (!*prefix || prefix[strspn(prefix, "0123456789abcdef")])
        return WC_OK;
    char *end = wci_asprintf("%sg", prefix); /* the first text after all hex digits */
    if (!end)
        return wci_err_nomem(err);
    int32_t rc = read_containers(db,
                                 "SELECT " COLUMNS " FROM containers WHERE id >= ? AND id < ?"
                                 " LIMIT 2",
                                 WCI_BIND(WCI_TEXT(prefix), WCI_TEXT(end)), list, err);
    wci_free(end);
    return rc;
}

static int32_t find(wci_db *db, const char *what, container_list *list, wc_error **err)
{
    int32_t rc = read_containers(db, "SELECT " COLUMNS " FROM containers WHERE id = ?",
                                 WCI_BIND(WCI_TEXT(what)), list, err);
    if (!rc && !list->count)
        rc = read_containers(db, "SELECT " COLUMNS " FROM containers WHERE name = ?",
                             WCI_BIND(WCI_TEXT(what)), list, err);
    if (!rc && !list->count)
        rc = find_prefix(db, what, list, err);
    if (rc)
        return rc;
    if (!list->count)
        return wci_err(err, WC_E_NOT_FOUND, "container '%s': no such container", what);
    if (list->count > 1)
        return wci_err(err, WC_E_INVALID,
                       "container '%s': more than one id begins so; give more digits", what);
    return WC_OK;
}

int32_t wci_container_find(wci_store *store, const char *id_or_name, wci_container_record **out,
                           wc_error **err)
{
    WCI_CALL_NONE(call);
    container_list list = {NULL, 0, 0};
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_READ, err);
    if (rc)
        return rc;
    rc = wci_tx_end(store, find(store->db, id_or_name, &list, err), err);
    if (!rc) {
        *out = list.items[0];
        list.items[0] = NULL;
    }
    wci_container_records_free(list.items, list.count);
    return rc;
}

/* ---- Events -----------------------------------------------------------------------------------
 */

/* As Docker: its labels, and over them its name and image. NULL: out of memory. */
static json_t *facts_of(const char *name, const char *image, const char *config)
{
    json_t *document = config ? json_loads(config, 0, NULL) : NULL;
    json_t *labels = json_object_get(document, "labels");
    json_t *all = json_is_object(labels) ? json_copy(labels) : json_object();
    int failed = json_object_set_new(all, "name", json_string(name ? name : "")) |
                 json_object_set_new(all, "image", json_string(image ? image : ""));
    json_decref(document);
    if (!failed)
        return all;
    json_decref(all);
    return NULL;
}

static int32_t read_facts(wci_db *db, const char *id, json_t **out, wc_error **err)
{
    char *name = NULL, *image = NULL, *config = NULL;
    int32_t rc = wci_db_get_text(db, "SELECT name FROM containers WHERE id = ?", WCI_BIND(WCI_TEXT(id)), &name, err);
    if (!rc)
        rc = wci_db_get_text(db, "SELECT image_name FROM containers WHERE id = ?", WCI_BIND(WCI_TEXT(id)), &image, err);
    if (!rc)
        rc = wci_db_get_text(db, "SELECT config FROM containers WHERE id = ?", WCI_BIND(WCI_TEXT(id)), &config, err);
    if (!rc && !(*out = facts_of(name, image, config)))
        rc = wci_err_nomem(err);
    wci_free(name);
    wci_free(image);
    wci_free(config);
    return rc;
}

/* The event with what is known of the container, over which `attributes` (JSON or NULL) go. */
int32_t wci_container_put_event(wci_store *store, const char *action, const char *id, const char *attributes,
                                wc_error **err)
{
    json_t *all = NULL, *more = NULL;
    int32_t rc = read_facts(store->db, id, &all, err);
    if (!rc && attributes)
        rc = wci_json_parse(attributes, strlen(attributes), 1u << 20, "event attributes", &more,
                            err);
    if (!rc && more)
        json_object_update(all, more);
    char *text = rc ? NULL : wci_json_dump_text(all);
    if (!rc)
        rc = text ? wci_event_put(store, "container", action, id, text, err) : wci_err_nomem(err);
    json_decref(all);
    json_decref(more);
    wci_free(text);
    return rc;
}

/* ---- Making and removing ------------------------------------------------------------------------
 */

static int32_t check_name_free(wci_db *db, const char *name, const char *own_id, wc_error **err)
{
    char *holder = NULL;
    int32_t rc = wci_db_get_text(db, "SELECT id FROM containers WHERE name = ? AND id <> ?",
                                 WCI_BIND(WCI_TEXT(name), WCI_TEXT(own_id)), &holder, err);
    if (!rc && holder)
        rc = wci_err(err, WC_E_EXISTS,
                     "container name '%s': container %.12s has it; remove or rename that one", name,
                     holder);
    wci_free(holder);
    return rc;
}

static int32_t check_image(wci_db *db, const wci_container_record *r, wc_error **err)
{
    int64_t found = 0;
    if (!wci_digest_is_set(&r->image))
        return WC_OK;
    int32_t rc = wci_db_get_int(db, "SELECT count(*) FROM images WHERE manifest = ?",
                                WCI_BIND(WCI_TEXT(r->image.text)), 0, &found, err);
    if (!rc && !found)
        rc = wci_err(err, WC_E_NOT_FOUND, "image '%s': not in the store; pull it first",
                     r->image_name && *r->image_name ? r->image_name : r->image.text);
    return rc;
}

static const char *or_empty(const char *text)
{
    return text ? text : "";
}

/* The image of the container was in use at this time. */
static int32_t touch_image(wci_db *db, const char *id, int64_t used_ns, wc_error **err)
{
    return wci_db_run(db,
                      "UPDATE images SET used_ns = max(used_ns, ?)"
                      " WHERE manifest = (SELECT image FROM containers WHERE id = ?)",
                      WCI_BIND(WCI_INT(used_ns), WCI_TEXT(id)), err);
}

static int32_t insert(wci_store *store, const wci_container_record *r, wc_error **err)
{
    int32_t rc = check_name_free(store->db, or_empty(r->name), "", err);
    if (!rc)
        rc = check_image(store->db, r, err);
    if (!rc)
        rc = wci_group_require(store, r->group_name, err);
    if (!rc)
        rc = wci_db_run(store->db,
                        "INSERT INTO containers (" COLUMNS ")"
                        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                        WCI_BIND(WCI_TEXT(r->id), WCI_TEXT(or_empty(r->name)),
                                 WCI_TEXT(or_empty(r->backend)), WCI_TEXT(r->image.text),
                                 WCI_TEXT(or_empty(r->image_name)), WCI_TEXT(or_empty(r->config)),
                                 WCI_INT(r->status), WCI_INT(r->created_ns), WCI_INT(r->started_ns),
                                 WCI_INT(r->finished_ns), WCI_INT(r->pid), WCI_INT(r->exit_code),
                                 WCI_INT(r->oom_killed), WCI_TEXT(or_empty(r->error)),
                                 WCI_INT(r->generation), WCI_INT(r->auto_remove),
                                 WCI_INT(r->restart_count), WCI_INT(r->user_stopped),
                                 WCI_INT(r->health), WCI_TEXT(or_empty(r->group_name))),
                        err);
    for (size_t i = 0; !rc && i < r->endpoint_count; i++)
        rc = wci_endpoint_put(store, r->id, r->endpoints[i].network, r->endpoints[i].config, err);
    if (!rc)
        rc = touch_image(store->db, r->id, r->created_ns, err);
    return rc ? rc : wci_container_put_event(store, "create", r->id, NULL, err);
}

/* A row never lacks its directory, and GC takes directories without a row: both come into being
 * while GC is kept out. */
int32_t wci_container_insert_excluding_gc(wc_call *call, wci_store *store, const wci_container_record *r,
                                          const wci_volume_use *uses, size_t count, wc_error **err)
{
    char *dir = wci_container_dir(store, r->id);
    int is_new = dir && !wci_file_exists(dir);
    int32_t rc = dir ? wci_dir_make(dir, 0700, err) : wci_err_nomem(err);
    if (!rc && !(rc = wci_tx_begin(store, call, WCI_TX_DURABLE, err))) {
        rc = insert(store, r, err);
        if (!rc)
            rc = wci_volumes_record(store, r->id, uses, count, err);
        rc = wci_tx_end(store, rc, err);
    }
    if (rc && is_new)
        wci_dir_remove_empty(dir, NULL);
    wci_free(dir);
    return rc;
}

int32_t wci_container_insert(wci_store *store, const wci_container_record *record, wc_error **err)
{
    WCI_CALL_NONE(call);
    return wci_container_insert_using(&call, store, record, NULL, 0, err);
}

static int32_t no_such(const char *id, wc_error **err)
{
    return wci_err(err, WC_E_NOT_FOUND, "container '%s': no such container", id);
}

/* What else the database has of a container. */
static int32_t delete_parts(wci_db *db, const char *id, wc_error **err)
{
    static const char *const parts[] = {
        "DELETE FROM endpoints WHERE container = ?",
        "DELETE FROM leases WHERE container = ?",
        "DELETE FROM ports WHERE container = ?",
    };
    int32_t rc = WC_OK;
    for (size_t i = 0; i < sizeof parts / sizeof *parts && !rc; i++)
        rc = wci_db_run(db, parts[i], WCI_BIND(WCI_TEXT(id)), err);
    return rc;
}

/* `volumes` as wci_volumes_forget(). */
static int32_t delete_row(wci_store *store, const char *id, wci_strv *volumes, wc_error **err)
{
    int64_t there = 0;
    int32_t rc = wci_db_get_int(store->db, "SELECT count(*) FROM containers WHERE id = ?",
                                WCI_BIND(WCI_TEXT(id)), 0, &there, err);
    if (!rc && !there)
        rc = no_such(id, err);
    if (!rc)
        rc = wci_volumes_forget(store, id, volumes, err);
    if (!rc)
        rc = wci_container_put_event(store, "destroy", id, NULL, err);
    if (!rc)
        rc = delete_parts(store->db, id, err);
    return rc ? rc
              : wci_db_run(store->db, "DELETE FROM containers WHERE id = ?", WCI_BIND(WCI_TEXT(id)),
                           err);
}

static int32_t delete_container(wc_call *call, wci_store *store, const char *id, wci_strv *volumes, wc_error **err)
{
    int32_t rc = wci_tx_begin(store, call, WCI_TX_DURABLE, err);
    return rc ? rc : wci_tx_end(store, delete_row(store, id, volumes, err), err);
}

int32_t wci_container_delete(wci_store *store, const char *id, wc_error **err)
{
    WCI_CALL_NONE(call);
    return delete_container(&call, store, id, NULL, err);
}

int32_t wci_container_delete_with_volumes(wc_call *call, wci_store *store, const char *id, wc_error **err)
{
    wci_strv volumes = WCI_STRV_INIT;
    int32_t rc = delete_container(call, store, id, &volumes, err);
    if (!rc)
        wci_volumes_throw(call, store, &volumes);
    wci_strv_free(&volumes);
    return rc;
}

/* ---- Changing ---------------------------------------------------------------------------------
 */

static int32_t explain_refusal(wci_db *db, const char *id, const wci_container_change *change,
                               wc_error **err)
{
    int64_t status = 0, generation = 0;
    int32_t rc = wci_db_get_int(db, "SELECT status FROM containers WHERE id = ?",
                                WCI_BIND(WCI_TEXT(id)), -1, &status, err);
    if (!rc)
        rc = wci_db_get_int(db, "SELECT generation FROM containers WHERE id = ?",
                            WCI_BIND(WCI_TEXT(id)), 0, &generation, err);
    if (rc)
        return rc;
    if (status < 0)
        return no_such(id, err);
    if (change->generation >= 0 && generation != change->generation)
        return wci_err(err, WC_E_STATE, "container '%s': it was started again meanwhile", id);
    return wci_err(err, WC_E_STATE, "container '%s': it is %s and cannot become %s", id,
                   status_name(status), status_name(change->status));
}

static int32_t update(wci_store *store, const char *id, const wci_container_change *c,
                      wc_error **err)
{
    int32_t rc = wci_db_run(
        store->db,
        "UPDATE containers SET status = ?2, pid = ?3, generation = generation + ?4,"
        " started_ns = CASE ?5 WHEN 0 THEN started_ns ELSE ?5 END,"
        " exit_code = CASE WHEN ?12 THEN ?7 WHEN ?5 <> 0 THEN 0 ELSE exit_code END,"
        " oom_killed = CASE WHEN ?12 THEN ?8 WHEN ?5 <> 0 THEN 0 ELSE oom_killed END,"
        " finished_ns = CASE ?6 WHEN 0 THEN finished_ns ELSE ?6 END,"
        " error = coalesce(?9, error),"
        " restart_count = CASE WHEN ?14 THEN 0 ELSE restart_count + ?13 END,"
        " user_stopped = CASE WHEN ?14 THEN 0 ELSE user_stopped END,"
        " health = CASE WHEN ?15 THEN ?15 WHEN ?16 AND health THEN 3 ELSE health END"
        " WHERE id = ?1 AND ((1 << status) & ?10) <> 0 AND (?11 < 0 OR generation = ?11)"
        " AND NOT (?13 AND user_stopped)",
        WCI_BIND(WCI_TEXT(id), WCI_INT(c->status), WCI_INT(c->pid),
                 WCI_INT(c->bump_generation ? 1 : 0), WCI_INT(c->started_ns),
                 WCI_INT(c->finished_ns), WCI_INT(c->exit_code), WCI_INT(c->oom_killed),
                 WCI_TEXT(c->error), WCI_INT(c->from), WCI_INT(c->generation),
                 WCI_INT(c->finished_ns != 0 || c->no_run), WCI_INT(c->is_restart != 0),
                 WCI_INT(c->is_fresh != 0), WCI_INT(c->health), WCI_INT(c->ends_health != 0)),
        err);
    if (!rc && wci_db_changes(store->db) == 0)
        rc = explain_refusal(store->db, id, c, err);
    if (!rc && c->finished_ns)
        rc = touch_image(store->db, id, c->finished_ns, err);
    if (!rc && c->action && c->oom_killed)
        rc = wci_container_put_event(store, "oom", id, NULL, err);
    if (!rc && c->action)
        rc = wci_container_put_event(store, c->action, id, c->attributes, err);
    return rc;
}

/* After a power cut nothing runs, so only how a run ended has to outlive one. */
int32_t wci_container_update(wci_store *store, const char *id, const wci_container_change *change,
                             wc_error **err)
{
    WCI_CALL_NONE(call);
    int live = change->status == WCI_STATUS_STARTING || change->status == WCI_STATUS_RUNNING ||
               change->status == WCI_STATUS_PAUSED || change->status == WCI_STATUS_RESTARTING;
    int32_t rc = wci_tx_begin(store, &call, live ? WCI_TX_WRITE : WCI_TX_DURABLE, err);
    return rc ? rc : wci_tx_end(store, update(store, id, change, err), err);
}

/* As Docker's: the event has the new name, and the old one beside it. */
static int32_t tell_rename(wci_store *store, const char *id, const char *old_name, wc_error **err)
{
    char *attributes = wci_asprintf("{\"oldName\":\"/%s\"}", old_name);
    int32_t rc = attributes ? wci_container_put_event(store, "rename", id, attributes, err) : wci_err_nomem(err);
    wci_free(attributes);
    return rc;
}

static int32_t set_name(wci_store *store, const char *id, const char *name, wc_error **err)
{
    char *old_name = NULL;
    int32_t rc = check_name_free(store->db, name, id, err);
    if (!rc)
        rc = wci_db_get_text(store->db, "SELECT name FROM containers WHERE id = ?", WCI_BIND(WCI_TEXT(id)), &old_name,
                             err);
    if (!rc && !old_name)
        rc = no_such(id, err);
    if (!rc)
        rc = wci_db_run(store->db, "UPDATE containers SET name = ? WHERE id = ?",
                        WCI_BIND(WCI_TEXT(name), WCI_TEXT(id)), err);
    if (!rc)
        rc = tell_rename(store, id, old_name, err);
    wci_free(old_name);
    return rc;
}

int32_t wci_container_set_name(wci_store *store, const char *id, const char *name, wc_error **err)
{
    WCI_CALL_NONE(call);
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_DURABLE, err);
    return rc ? rc : wci_tx_end(store, set_name(store, id, name, err), err);
}

static int32_t set_auto_remove(wci_store *store, const char *id, int32_t auto_remove,
                               wc_error **err)
{
    int32_t rc = wci_db_run(store->db, "UPDATE containers SET auto_remove = ? WHERE id = ?",
                            WCI_BIND(WCI_INT(auto_remove), WCI_TEXT(id)), err);
    return !rc && wci_db_changes(store->db) == 0 ? no_such(id, err) : rc;
}

int32_t wci_container_set_auto_remove(wci_store *store, const char *id, int32_t auto_remove,
                                      wc_error **err)
{
    WCI_CALL_NONE(call);
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_WRITE, err);
    return rc ? rc : wci_tx_end(store, set_auto_remove(store, id, auto_remove, err), err);
}
