/* SPDX-License-Identifier: Apache-2.0 */
/* Groups: limits that containers have together. What holds them together on the host is the backend's.
 *
 *   root/locks/group-<name>  held while its limits are written to the host, and to remove it */
#ifndef WCI_STORE_GROUP_H
#define WCI_STORE_GROUP_H

#include "store/store.h"

#define WCI_GROUP_NAME_MAX 128

typedef struct wci_group_record {
    char *name;
    char *id;     /* 64 hex digits */
    char *config; /* JSON: the limits, by the keys of a container's configuration */
    int64_t created_ns;
} wci_group_record;
void wci_group_record_clear(wci_group_record *record); /* the contents */
void wci_group_records_free(wci_group_record *records, size_t count);

/* Of `record` id and time are set here. WC_E_INVALID for the name, WC_E_EXISTS. Event "create". */
int32_t wci_group_create(wc_call *call, wci_store *store, wci_group_record *record, wc_error **err);
/* WC_E_NOT_FOUND. */
int32_t wci_group_find(wci_store *store, const char *name, wci_group_record *out, wc_error **err);
/* By name. */
int32_t wci_group_list(wci_store *store, wci_group_record **out, size_t *count, wc_error **err);
/* Other limits. WC_E_NOT_FOUND also when another group has the name by now. Event "update". */
int32_t wci_group_set_config(wc_call *call, wci_store *store, const wci_group_record *record, const char *config,
                             wc_error **err);
/* WC_E_IN_USE while a container is in it, naming that; WC_E_NOT_FOUND. Event "destroy". */
int32_t wci_group_remove(wc_call *call, wci_store *store, const char *name, wc_error **err);
/* In the transaction that inserts a container: WC_E_NOT_FOUND unless `name` is NULL, "" or a group. */
int32_t wci_group_require(wci_store *store, const char *name, wc_error **err);
int32_t wci_group_lock(wc_call *call, wci_store *store, const char *name, wci_lock **out, wc_error **err);

#endif
