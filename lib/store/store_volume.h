/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes: directories that outlive containers.
 *
 *   root/volumes/<name>/data  what containers see; the directory itself stays the same as long as the volume lives
 *   root/volumes/<name>/copy  what the image has there, while it is copied
 *   root/volumes/<name>/whole the finished copy, while it is moved to `data`
 *   root/locks/volume-<name>  held to make, fill and remove it
 *
 * The directory comes before the row and goes after it, so one without a row is litter: whoever makes a volume of that
 * name throws it away first. The order of locks is: volumes by name, `locks/gc`, the database. */
#ifndef WCI_STORE_VOLUME_H
#define WCI_STORE_VOLUME_H

#include "store/store.h"

#define WCI_VOLUME_DRIVER "local"
#define WCI_VOLUME_NAME_MAX 255

typedef struct wci_volume_record {
    char *name, *driver;
    char *options, *labels; /* JSON objects whose values are texts */
    int64_t created_ns;
    int32_t is_anonymous; /* goes with the last container that uses it, when that is removed with its volumes */
} wci_volume_record;
void wci_volume_record_clear(wci_volume_record *record); /* the contents */
void wci_volume_records_free(wci_volume_record *records, size_t count);

/* Docker's rule: 2 to 255 letters, digits, '_', '.' or '-', of which the first is a letter or digit. */
int32_t wci_volume_name_check(const char *name, wc_error **err);
/* Of `record` the time is set here. When the name is there already: *created 0, and WC_E_EXISTS unless driver and
 * options are the same. Event "create". */
int32_t wci_volume_create(wc_call *call, wci_store *store, const wci_volume_record *record, int *created,
                          wc_error **err);
/* WC_E_NOT_FOUND. */
int32_t wci_volume_find(wci_store *store, const char *name, wci_volume_record *out, wc_error **err);
/* By name. */
int32_t wci_volume_list(wci_store *store, wci_volume_record **out, size_t *count, wc_error **err);
/* Ids of the containers that use it. */
int32_t wci_volume_users(wci_store *store, const char *name, wci_strv *containers, wc_error **err);
/* WC_E_IN_USE while a container uses it, naming that; WC_E_NOT_FOUND. Event "destroy". `bytes` may be NULL. */
int32_t wci_volume_remove(wc_call *call, wci_store *store, const char *name, uint64_t *bytes, wc_error **err);
/* Those that no container uses: the anonymous ones, or `all`. Names go to `removed`. */
int32_t wci_volume_prune(wc_call *call, wci_store *store, int all, wci_strv *removed, uint64_t *bytes,
                         wc_error **err);
/* Owned texts. */
char *wci_volume_dir(const wci_store *store, const char *name);
char *wci_volume_data(const wci_store *store, const char *name);
/* The lock of everybody who changes the volume as a whole. */
int32_t wci_volume_lock(wc_call *call, wci_store *store, const char *name, wci_lock **out, wc_error **err);

/* What a container mounts. An image that it mounts counts as in use, too: then `volume` is its manifest's digest. */
typedef struct wci_volume_use {
    const char *volume, *target;
    int is_anonymous; /* when it has to be made */
} wci_volume_use;
/* As wci_container_insert(), with the volumes that are missing made in the same transaction. */
int32_t wci_container_insert_using(wc_call *call, wci_store *store, const wci_container_record *record,
                                   const wci_volume_use *uses, size_t count, wc_error **err);
/* As wci_container_delete(); with the container go the anonymous volumes that nobody else uses. */
int32_t wci_container_delete_with_volumes(wc_call *call, wci_store *store, const char *id, wc_error **err);

#endif
