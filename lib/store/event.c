/* SPDX-License-Identifier: Apache-2.0 */
/* Events are rows, written in the transaction that they report. Their numbers have no gaps: a
 * transaction that is rolled back gives its numbers back. */
#include <jansson.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/json.h"
#include "platform/host.h"
#include "store/internal.h"

#define KEEP 10000
#define PRUNE_EVERY 256

static int32_t prune_now_and_then(wci_db *db, wc_error **err)
{
    int64_t seq;
    int32_t rc = wci_db_get_int(db, "SELECT last_insert_rowid()", WCI_BIND_NONE, 0, &seq, err);
    if (rc || seq % PRUNE_EVERY)
        return rc;
    return wci_db_run(db, "DELETE FROM events WHERE seq <= ?", WCI_BIND(WCI_INT(seq - KEEP)), err);
}

int32_t wci_event_put(wci_store *store, const char *type, const char *action, const char *id,
                      const char *attributes, wc_error **err)
{
    store->wake_readers = 1;
    int32_t rc = wci_db_run(
        store->db,
        "INSERT INTO events (time_ns, type, action, id, attributes) VALUES (?, ?, ?, ?, ?)",
        WCI_BIND(WCI_INT(wci_now_ns()), WCI_TEXT(type), WCI_TEXT(action), WCI_TEXT(id),
                 WCI_TEXT(attributes ? attributes : "{}")),
        err);
    return rc ? rc : prune_now_and_then(store->db, err);
}

int32_t wci_event_put_named(wci_store *store, const char *type, const char *action, const char *id,
                            const char *name, wc_error **err)
{
    json_t *json = json_pack("{s:s}", "name", name);
    char *attributes = json ? wci_json_dump_text(json) : NULL;
    json_decref(json);
    if (!attributes)
        return wci_err_nomem(err);
    int32_t rc = wci_event_put(store, type, action, id, attributes, err);
    wci_free(attributes);
    return rc;
}

/* Best effort: readers also look once a second. The same byte each time, so that nothing grows. */
void wci_event_wake(wci_store *store)
{
    char *path = wci_event_wake_path(store);
    wci_fd fd = WCI_FD_NONE;
    if (path && !wci_file_open(path, WCI_OPEN_WRITE | WCI_OPEN_CREATE, 0600, &fd, NULL))
        wci_fd_write(fd, "\n", 1, NULL);
    wci_fd_close(fd);
    wci_free(path);
}

int32_t wci_event_add(wci_store *store, const char *type, const char *action, const char *id,
                      const char *attributes, wc_error **err)
{
    WCI_CALL_NONE(call);
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_WRITE, err);
    if (rc)
        return rc;
    rc = strcmp(type, "container") ? wci_event_put(store, type, action, id, attributes, err)
                                   : wci_container_put_event(store, action, id, attributes, err);
    return wci_tx_end(store, rc, err);
}

static int32_t put_exec(wci_store *store, const char *container, const char *command, const char *attributes,
                        wc_error **err)
{
    static const char *const words[] = {"exec_create", "exec_start"};
    int32_t rc = WC_OK;
    for (size_t i = 0; !rc && i < sizeof words / sizeof *words; i++) {
        char *action = wci_asprintf("%s: %s", words[i], command);
        rc = action ? wci_container_put_event(store, action, container, attributes, err) : wci_err_nomem(err);
        wci_free(action);
    }
    return rc;
}

int32_t wci_event_add_exec(wci_store *store, const char *container, const char *process, const char *command,
                           wc_error **err)
{
    WCI_CALL_NONE(call);
    char *attributes = wci_asprintf("{\"execID\":\"%s\"}", process);
    int32_t rc = attributes ? wci_tx_begin(store, &call, WCI_TX_WRITE, err) : wci_err_nomem(err);
    if (!rc)
        rc = wci_tx_end(store, put_exec(store, container, command, attributes, err), err);
    wci_free(attributes);
    return rc;
}

void wci_event_record_free(wci_event_record *record)
{
    if (!record)
        return;
    wci_free(record->type);
    wci_free(record->action);
    wci_free(record->id);
    wci_free(record->attributes);
    wci_free(record);
}

typedef struct event_list {
    wci_event_record **items;
    size_t count, cap;
} event_list;

static int32_t add_row(sqlite3_stmt *row, void *to, wc_error **err)
{
    event_list *list = to;
    wci_event_record *record = wci_calloc(1, sizeof *record);
    if (!record || !wci_grow(&list->items, &list->cap, list->count + 1, sizeof *list->items)) {
        wci_free(record);
        return wci_err_nomem(err);
    }
    list->items[list->count++] = record;
    record->seq = wci_db_int(row, 0);
    record->time_ns = wci_db_int(row, 1);
    record->type = wci_strdup(wci_db_text(row, 2));
    record->action = wci_strdup(wci_db_text(row, 3));
    record->id = wci_strdup(wci_db_text(row, 4));
    record->attributes = wci_strdup(wci_db_text(row, 5));
    return record->type && record->action && record->id && record->attributes ? WC_OK
                                                                              : wci_err_nomem(err);
}

static int32_t read_rows(wci_db *db, int64_t after, size_t max, event_list *list, wc_error **err)
{
    int32_t rc = wci_db_each(db,
                             "SELECT seq, time_ns, type, action, id, attributes FROM events"
                             " WHERE seq > ? ORDER BY seq LIMIT ?",
                             WCI_BIND(WCI_INT(after), WCI_INT(max)), add_row, list, err);
    if (!rc && after > 0 && list->count && list->items[0]->seq != after + 1)
        rc = wci_err(err, WC_E_GAP,
                     "events: after %lld: the next one kept is %lld; read again from the oldest",
                     (long long)after, (long long)list->items[0]->seq);
    return rc;
}

int32_t wci_event_read(wci_store *store, int64_t after, size_t max, wci_event_record ***out,
                       size_t *count, wc_error **err)
{
    WCI_CALL_NONE(call);
    event_list list = {NULL, 0, 0};
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_READ, err);
    if (rc)
        return rc;
    rc = wci_tx_end(store, read_rows(store->db, after, max, &list, err), err);
    if (!rc) {
        *out = list.items;
        *count = list.count;
        return WC_OK;
    }
    for (size_t i = 0; i < list.count; i++)
        wci_event_record_free(list.items[i]);
    wci_free(list.items);
    return rc;
}

int32_t wci_event_last(wci_store *store, int64_t *seq, wc_error **err)
{
    WCI_CALL_NONE(call);
    int32_t rc = wci_tx_begin(store, &call, WCI_TX_READ, err);
    if (rc)
        return rc;
    rc = wci_db_get_int(store->db, "SELECT seq FROM sqlite_sequence WHERE name = 'events'",
                        WCI_BIND_NONE, 0, seq, err);
    return wci_tx_end(store, rc, err);
}
