/* SPDX-License-Identifier: Apache-2.0 */
#include "store/db.h"

#include <stdatomic.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "platform/thread.h"

/* How long we wait for a writer that does not come to an end. Transactions take milliseconds. */
#define BUSY_LIMIT_NS (60 * INT64_C(1000000000))

typedef struct cached {
    const char *sql;
    sqlite3_stmt *stmt;
} cached;

struct wci_db {
    sqlite3 *handle;
    wci_mutex mutex;
    const wc_call *call; /* of the running transaction, for the busy handler */
    int64_t busy_since;  /* 0: not waiting */
    uint32_t jitter;
    int durable; /* how PRAGMA synchronous stands */
    cached *cache;
    size_t cache_count, cache_cap;
};

static atomic_int users;

void wci_db_enter(void)
{
    atomic_fetch_add(&users, 1);
}

void wci_db_leave(void)
{
    atomic_fetch_sub(&users, 1);
}

int wci_db_in_use(void)
{
    return atomic_load(&users) != 0;
}

static int32_t code_of(int sqlite)
{
    switch (sqlite & 0xff) {
    case SQLITE_NOMEM:
        return WC_E_NOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        return WC_E_BUSY;
    case SQLITE_FULL:
        return WC_E_NO_SPACE;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return WC_E_CORRUPT;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return WC_E_PERMISSION;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return WC_E_IO;
    default:
        return WC_E_INTERNAL;
    }
}

static const char *advice_for(int32_t code)
{
    switch (code) {
    case WC_E_CORRUPT:
        return "; restore the store from a backup or move it away and pull again";
    case WC_E_BUSY:
        return "; another process holds it, try again";
    case WC_E_NO_SPACE:
        return "; free some disk space";
    default:
        return "";
    }
}

static int32_t fail(wci_db *db, int sqlite, wc_error **err)
{
    int32_t code = code_of(sqlite);
    if (code == WC_E_NOMEM)
        return wci_err_nomem(err);
    if (code == WC_E_BUSY && db->call && wci_call_check(db->call, NULL))
        return wci_call_check(db->call, err);
    const char *file = sqlite3_db_filename(db->handle, "main");
    wci_err_native(err, code, WC_DOMAIN_SQLITE, sqlite, "store database: '%s': %s%s",
                   file ? file : "", sqlite3_errmsg(db->handle), advice_for(code));
    wci_err_set_retryable(err, code == WC_E_BUSY);
    return code;
}

/* Sleeps at most a millisecond, at random, so that many writers take turns. */
static int wait_a_little(void *self, int tries)
{
    wci_db *db = self;
    int64_t now = wci_monotonic_ns();
    if (tries == 0)
        db->busy_since = now;
    if (now - db->busy_since > BUSY_LIMIT_NS || (db->call && wci_call_check(db->call, NULL)))
        return 0;
    db->jitter = db->jitter * 1664525u + 1013904223u;
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    vfs->xSleep(vfs, 50 + (int)((db->jitter >> 8) % 950));
    return 1;
}

static int32_t configure(wci_db *db, wc_error **err)
{
    sqlite3_busy_handler(db->handle, wait_a_little, db);
    /* Closing is quick and races with nobody; a small log is quick to recover. */
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_wal_autocheckpoint(db->handle, 250);
    return wci_db_script(db, "PRAGMA synchronous=NORMAL; PRAGMA temp_store=MEMORY;", err);
}

int32_t wci_db_open(const wc_call *call, const char *path, wci_db **out, wc_error **err)
{
    wci_db *db = wci_calloc(1, sizeof *db);
    if (!db)
        return wci_err_nomem(err);
    wci_mutex_init(&db->mutex);
    db->call = call;
    db->jitter = (uint32_t)wci_monotonic_ns() ^ (uint32_t)wci_host_pid();
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    int sqlite = sqlite3_open_v2(path, &db->handle, flags, NULL);
    int32_t rc = sqlite == SQLITE_OK ? configure(db, err) : fail(db, sqlite, err);
    db->call = NULL;
    if (rc) {
        wci_db_close(db);
        return rc;
    }
    *out = db;
    return WC_OK;
}

void wci_db_close(wci_db *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < db->cache_count; i++)
        sqlite3_finalize(db->cache[i].stmt);
    wci_free(db->cache);
    sqlite3_close(db->handle);
    wci_mutex_destroy(&db->mutex);
    wci_free(db);
}

static int32_t set_durable(wci_db *db, int durable, wc_error **err)
{
    if (db->durable == durable)
        return WC_OK;
    int32_t rc =
        wci_db_script(db, durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL", err);
    if (!rc)
        db->durable = durable;
    return rc;
}

static int32_t begin(wci_db *db, wci_tx_kind kind, wc_error **err)
{
    if (kind == WCI_TX_READ)
        return wci_db_run(db, "BEGIN", WCI_BIND_NONE, err);
    int32_t rc = set_durable(db, kind == WCI_TX_DURABLE, err);
    return rc ? rc : wci_db_run(db, "BEGIN IMMEDIATE", WCI_BIND_NONE, err);
}

static void let_go(wci_db *db)
{
    db->call = NULL;
    wci_mutex_unlock(&db->mutex);
    wci_db_leave();
}

int32_t wci_db_begin(wci_db *db, const wc_call *call, wci_tx_kind kind, wc_error **err)
{
    wci_db_enter();
    wci_mutex_lock(&db->mutex);
    db->call = call;
    int32_t rc = begin(db, kind, err);
    if (rc)
        let_go(db);
    return rc;
}

int32_t wci_db_end(wci_db *db, int32_t rc, wc_error **err)
{
    if (!rc)
        rc = wci_db_run(db, "COMMIT", WCI_BIND_NONE, err);
    if (!sqlite3_get_autocommit(db->handle))
        wci_db_run(db, "ROLLBACK", WCI_BIND_NONE, NULL);
    let_go(db);
    return rc;
}

static int32_t prepare(wci_db *db, const char *sql, sqlite3_stmt **out, wc_error **err)
{
    for (size_t i = 0; i < db->cache_count; i++) {
        if (db->cache[i].sql == sql) {
            *out = db->cache[i].stmt;
            return WC_OK;
        }
    }
    if (!wci_grow(&db->cache, &db->cache_cap, db->cache_count + 1, sizeof *db->cache))
        return wci_err_nomem(err);
    sqlite3_stmt *stmt;
    int sqlite = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL);
    if (sqlite != SQLITE_OK)
        return fail(db, sqlite, err);
    db->cache[db->cache_count++] = (cached){sql, stmt};
    *out = stmt;
    return WC_OK;
}

static int bind(sqlite3_stmt *stmt, int index, const wci_value *value)
{
    return value->is_text ? sqlite3_bind_text(stmt, index, value->text, -1, SQLITE_STATIC)
                          : sqlite3_bind_int64(stmt, index, value->integer);
}

static int32_t query(wci_db *db, const char *sql, const wci_value *values, size_t count,
                     sqlite3_stmt **out, wc_error **err)
{
    sqlite3_stmt *stmt = NULL;
    int32_t rc = prepare(db, sql, &stmt, err);
    for (size_t i = 0; i < count && !rc; i++) {
        int sqlite = bind(stmt, (int)i + 1, &values[i]);
        if (sqlite != SQLITE_OK)
            rc = fail(db, sqlite, err);
    }
    if (!rc)
        *out = stmt;
    return rc;
}

static int32_t next(wci_db *db, sqlite3_stmt *rows, int *more, wc_error **err)
{
    int sqlite = sqlite3_step(rows);
    if (sqlite != SQLITE_ROW && sqlite != SQLITE_DONE)
        return fail(db, sqlite, err);
    *more = sqlite == SQLITE_ROW;
    return WC_OK;
}

static void done(sqlite3_stmt *rows)
{
    if (!rows)
        return;
    sqlite3_reset(rows);
    sqlite3_clear_bindings(rows);
}

int32_t wci_db_run(wci_db *db, const char *sql, const wci_value *values, size_t count,
                   wc_error **err)
{
    sqlite3_stmt *rows = NULL;
    int more = 0;
    int32_t rc = query(db, sql, values, count, &rows, err);
    if (!rc)
        rc = next(db, rows, &more, err);
    done(rows);
    return rc;
}

int32_t wci_db_script(wci_db *db, const char *sql, wc_error **err)
{
    int sqlite = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
    return sqlite == SQLITE_OK ? WC_OK : fail(db, sqlite, err);
}

int64_t wci_db_changes(wci_db *db)
{
    return sqlite3_changes64(db->handle);
}

int64_t wci_db_int(sqlite3_stmt *rows, int column)
{
    return sqlite3_column_int64(rows, column);
}

const char *wci_db_text(sqlite3_stmt *rows, int column)
{
    const char *text = (const char *)sqlite3_column_text(rows, column);
    return text ? text : "";
}

int32_t wci_db_each(wci_db *db, const char *sql, const wci_value *values, size_t count, wci_row_fn take, void *to,
                    wc_error **err)
{
    sqlite3_stmt *rows = NULL;
    int more = 0;
    int32_t rc = query(db, sql, values, count, &rows, err);
    while (!rc && !(rc = next(db, rows, &more, err)) && more)
        rc = take(rows, to, err);
    done(rows);
    return rc;
}

typedef struct records {
    void *array_ptr;
    size_t *count, cap, size;
    wci_row_fn take;
} records;

static int32_t append(sqlite3_stmt *row, void *to, wc_error **err)
{
    records *r = to;
    char *items = NULL;
    if (!wci_grow(r->array_ptr, &r->cap, *r->count + 1, r->size))
        return wci_err_nomem(err);
    memcpy(&items, r->array_ptr, sizeof items); /* whatever the records are */
    items += (*r->count)++ * r->size;
    memset(items, 0, r->size);
    return r->take(row, items, err);
}

int32_t wci_db_records(wci_db *db, const char *sql, const wci_value *values, size_t value_count, size_t size,
                       wci_row_fn take, void *array_ptr, size_t *count, wc_error **err)
{
    records to = {array_ptr, count, *count, size, take};
    return wci_db_each(db, sql, values, value_count, append, &to, err);
}

static int32_t add_text(sqlite3_stmt *row, void *to, wc_error **err)
{
    return wci_strv_add(to, wci_db_text(row, 0)) ? wci_err_nomem(err) : WC_OK;
}

int32_t wci_db_list(wci_db *db, const char *sql, const wci_value *values, size_t count, wci_strv *out, wc_error **err)
{
    return wci_db_each(db, sql, values, count, add_text, out, err);
}

int32_t wci_db_get_int(wci_db *db, const char *sql, const wci_value *values, size_t count,
                       int64_t missing, int64_t *out, wc_error **err)
{
    sqlite3_stmt *rows = NULL;
    int more = 0;
    int32_t rc = query(db, sql, values, count, &rows, err);
    if (!rc)
        rc = next(db, rows, &more, err);
    if (!rc)
        *out = more ? wci_db_int(rows, 0) : missing;
    done(rows);
    return rc;
}

int32_t wci_db_get_text(wci_db *db, const char *sql, const wci_value *values, size_t count,
                        char **out, wc_error **err)
{
    sqlite3_stmt *rows = NULL;
    int more = 0;
    char *text = NULL;
    int32_t rc = query(db, sql, values, count, &rows, err);
    if (!rc)
        rc = next(db, rows, &more, err);
    if (!rc && more && !(text = wci_strdup(wci_db_text(rows, 0))))
        rc = wci_err_nomem(err);
    done(rows);
    if (!rc)
        *out = text;
    return rc;
}
