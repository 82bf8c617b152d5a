/* SPDX-License-Identifier: Apache-2.0 */
/* The metadata database: one SQLite connection per store, one thread at a time.
 *
 *     int32_t rc = wci_tx_begin(store, call, WCI_TX_DURABLE, err);
 *     if (rc)
 *         return rc;
 *     rc = wci_db_run(store->db, "DELETE FROM names WHERE name = ?", WCI_BIND(WCI_TEXT(name)), err);
 *     return wci_tx_end(store, rc, err);
 *
 * Everything between begin and end runs under the connection's mutex. SQL texts are literals: the
 * prepared statement is cached by the address of its text. */
#ifndef WCI_STORE_DB_H
#define WCI_STORE_DB_H

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

#include "core/call.h"
#include "core/str.h"

typedef struct wci_db wci_db;

int32_t wci_db_open(const wc_call *call, const char *path, wci_db **out, wc_error **err);
void wci_db_close(wci_db *db);
/* Threads that are at work in SQLite or on what is built of its connections. What a forked child
 * inherited of them can be used when there were none. */
void wci_db_enter(void);
void wci_db_leave(void);
int wci_db_in_use(void);

typedef enum wci_tx_kind {
    WCI_TX_READ,    /* one snapshot */
    WCI_TX_WRITE,   /* survives the process, not a power cut */
    WCI_TX_DURABLE, /* survives a power cut: the log is synced at the end */
} wci_tx_kind;

/* Takes the mutex and begins; waits for other processes until the call ends. */
int32_t wci_db_begin(wci_db *db, const wc_call *call, wci_tx_kind kind, wc_error **err);
/* Commits when rc is WC_OK, else rolls back; gives the mutex back. Returns rc or why the commit
 * failed. */
int32_t wci_db_end(wci_db *db, int32_t rc, wc_error **err);

typedef struct wci_value {
    const char *text; /* NULL with is_text: SQL NULL */
    int64_t integer;
    int is_text;
} wci_value;
#define WCI_TEXT(s)                                                                                \
    {                                                                                              \
        .text = (s), .is_text = 1                                                                  \
    }
#define WCI_INT(n)                                                                                 \
    {                                                                                              \
        .integer = (int64_t)(n)                                                                    \
    }
#define WCI_BIND(...)                                                                              \
    (const wci_value[]){__VA_ARGS__}, sizeof((const wci_value[]){__VA_ARGS__}) / sizeof(wci_value)
#define WCI_BIND_NONE NULL, 0

/* Runs a statement that gives no rows. */
int32_t wci_db_run(wci_db *db, const char *sql, const wci_value *values, size_t count,
                   wc_error **err);
/* Runs any number of statements that take no values, uncached. */
int32_t wci_db_script(wci_db *db, const char *sql, wc_error **err);
/* Rows that the last wci_db_run() changed. */
int64_t wci_db_changes(wci_db *db);
/* Takes what a row has, as long as it is the current one, into `to`. */
typedef int32_t (*wci_row_fn)(sqlite3_stmt *row, void *to, wc_error **err);
int64_t wci_db_int(sqlite3_stmt *row, int column);
const char *wci_db_text(sqlite3_stmt *row, int column); /* never NULL; lives as long as the row */
/* Row after row, until one fails. `take` may run other statements, not this one. */
int32_t wci_db_each(wci_db *db, const char *sql, const wci_value *values, size_t count, wci_row_fn take, void *to,
                    wc_error **err);
/* Every row as a record of `size` bytes, zeroed before `take`, appended to the array at *array_ptr, whose last record
 * may be taken in part when it fails. Owned by the caller in any case. */
int32_t wci_db_records(wci_db *db, const char *sql, const wci_value *values, size_t value_count, size_t size,
                       wci_row_fn take, void *array_ptr, size_t *count, wc_error **err);
/* First column of every row, appended. */
int32_t wci_db_list(wci_db *db, const char *sql, const wci_value *values, size_t count, wci_strv *out, wc_error **err);
/* First column of the first row, or `missing` without a row. */
int32_t wci_db_get_int(wci_db *db, const char *sql, const wci_value *values, size_t count,
                       int64_t missing, int64_t *out, wc_error **err);
/* Owned; NULL without a row. */
int32_t wci_db_get_text(wci_db *db, const char *sql, const wci_value *values, size_t count,
                        char **out, wc_error **err);

#endif
