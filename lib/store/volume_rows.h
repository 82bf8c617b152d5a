/* SPDX-License-Identifier: Apache-2.0 */
/* What the files about volumes share, and what containers have to do with them. */
#ifndef WCI_STORE_VOLUME_ROWS_H
#define WCI_STORE_VOLUME_ROWS_H

#include "store/internal.h"
#include "store/store_volume.h"

int32_t wci_volume_no_such(const char *name, wc_error **err);
/* In a transaction. */
int32_t wci_volume_is_there(wci_db *db, const char *name, int *there, wc_error **err);
int32_t wci_volume_event(wci_store *store, const char *action, const char *name, const char *driver, wc_error **err);
/* In the transaction that inserts the container: its uses, and the volumes that are missing. */
int32_t wci_volumes_record(wci_store *store, const char *container, const wci_volume_use *uses, size_t count,
                           wc_error **err);
/* In the transaction that deletes it: its uses go. With `volumes`, the rows of anonymous volumes that nobody else uses
 * go, too, and their names are added. */
int32_t wci_volumes_forget(wci_store *store, const char *container, wci_strv *volumes, wc_error **err);
/* Moves a volume's directory out of sight, then deletes it. `bytes` may be NULL. */
int32_t wci_volume_throw(wci_store *store, const char *dir, uint64_t *bytes, wc_error **err);
/* For volumes that have no row any more. What cannot be done now a prune does. */
void wci_volumes_throw(wc_call *call, wci_store *store, const wci_strv *names);
/* container.c: the row and the directory, with `gc` held. */
int32_t wci_container_insert_excluding_gc(wc_call *call, wci_store *store, const wci_container_record *record,
                                          const wci_volume_use *uses, size_t count, wc_error **err);

#endif
