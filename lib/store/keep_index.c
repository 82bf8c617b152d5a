/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite keeps an index of its log in DB_FILE-shm, and rebuilds it when the one who opens the database is alone. Whether he
 * is, it asks of one byte of that file, on which every connection has a shared lock. Holding that lock is all that a
 * connection which does nothing does; it costs a descriptor instead of the memory of a connection. An index that a killed
 * process has left half written is found out by its own checksums, with or without us. */
#include "core/alloc.h"
#include "core/error.h"
#include "store/internal.h"

/* UNIX_SHM_DMS in SQLite's os_unix.c, the "deadman switch": behind its eight locks, which begin at 120. Should it ever move,
 * our lock has no effect. */
#define CONNECTED_BYTE 128

int32_t wci_store_keep_index(const wci_store *store, wci_lock **out, wc_error **err)
{
    char *path = wci_path_join(store->root, WCI_DB_FILE "-shm");
    int32_t rc = path ? wci_lock_byte(path, CONNECTED_BYTE, out, err) : wci_err_nomem(err);
    wci_free(path);
    return rc;
}
