/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes as callers see them. What they are on disk is in store/store_volume.h. */
#ifndef WCI_CTR_VOLUME_H
#define WCI_CTR_VOLUME_H

#include <wincontainer/volume.h>

#include "container/engine.h"
#include "store/store_volume.h"

struct wc_volume {
    wci_ref refs;
    wci_engine *engine;
    char *name, *path;
};

/* Pairs, each key once. */
typedef struct wci_pairs {
    wci_strv keys, values;
} wci_pairs;
int32_t wci_pairs_set(wci_pairs *pairs, const char *key, const char *value, wc_error **err);
void wci_pairs_free(wci_pairs *pairs);

struct wc_volume_options {
    wci_pairs options, labels;
};

/* WC_E_INVALID or WC_E_UNSUPPORTED for what the driver "local" does not know. */
int32_t wci_volume_option_check(const char *key, const char *value, wc_error **err);

int32_t wci_vol_create(wc_call *call, wci_engine *engine, const char *name, const wc_volume_options *options,
                       wc_volume **out, wc_error **err);
int32_t wci_vol_open(wci_engine *engine, const char *name, wc_volume **out, wc_error **err);
int32_t wci_vol_list(wci_engine *engine, wc_list **out, wc_error **err);
int32_t wci_vol_inspect(const wc_volume *volume, wc_buf **out, wc_error **err);
int32_t wci_vol_size(wc_call *call, const wc_volume *volume, uint64_t *bytes, wc_error **err);
int32_t wci_vol_export(wc_call *call, const wc_volume *volume, wci_fd fd, wc_error **err);
int32_t wci_vol_import(wc_call *call, const wc_volume *volume, wci_fd fd, wc_error **err);
void wci_vol_free(wc_volume *volume);

/* A value of the driver's options, owned; NULL: not given, or memory ran out. */
char *wci_volume_option(const wci_volume_record *record, const char *key);

#endif
