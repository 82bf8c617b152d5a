/* SPDX-License-Identifier: Apache-2.0 */
/* Groups as callers see them: a row of the store with limits, and a control group on the host while containers run. */
#ifndef WCI_CTR_GROUP_H
#define WCI_CTR_GROUP_H

#include <wincontainer/group.h>

#include "container/engine.h"
#include "container/options.h"
#include "store/store_group.h"

struct wc_group {
    wci_ref refs;
    wci_engine *engine;
    char *name;
};

/* A limit that a setter was called for: what an update changes. */
typedef enum wci_group_given {
    WCI_GIVEN_MEMORY = 1,
    WCI_GIVEN_SWAP = 2,
    WCI_GIVEN_RESERVATION = 4,
    WCI_GIVEN_CPUS = 8,
    WCI_GIVEN_SHARES = 16,
    WCI_GIVEN_CPUSET = 32,
    WCI_GIVEN_MEMS = 64,
    WCI_GIVEN_PIDS = 128,
    WCI_GIVEN_WEIGHT = 256,
} wci_group_given;

struct wc_group_options {
    wc_container_options limits; /* only resources */
    uint32_t given;
};

int32_t wci_grp_options_new(wc_group_options **out, wc_error **err);
void wci_grp_options_free(wc_group_options *options);

int32_t wci_grp_create(wc_call *call, wci_engine *engine, const char *name, const wc_group_options *options,
                       wc_group **out, wc_error **err);
int32_t wci_grp_open(wci_engine *engine, const char *name, wc_group **out, wc_error **err);
int32_t wci_grp_list(wci_engine *engine, wc_list **out, wc_error **err);
int32_t wci_grp_inspect(const wc_group *group, wc_buf **out, wc_error **err);
int32_t wci_grp_report(wc_call *call, const wc_group *group, wc_buf **out, wc_error **err);
int32_t wci_grp_update(wc_call *call, const wc_group *group, const wc_group_options *options, wc_error **err);
int32_t wci_grp_remove(wc_call *call, const wc_group *group, wc_error **err);
void wci_grp_free(wc_group *group);

/* ---- For containers ---- */

/* The control group of the group, owned; NULL: memory ran out. */
char *wci_grp_path(const wci_group_record *record);
/* The settings of a container that is to be in a group get the group's control group as parent. WC_E_NOT_FOUND; nothing
 * to do for one in no group. */
int32_t wci_grp_join(wci_engine *engine, wci_config *config, wc_error **err);
/* Before a container of it starts: the control group of the group is there and has its limits. */
int32_t wci_grp_prepare(wc_call *call, wci_engine *engine, const char *name, const char *backend, wc_error **err);

/* ---- What the files of groups share ---- */

/* Limits out of a row; free with wci_config_free(). */
int32_t wci_grp_limits(const wci_group_record *record, wci_config *out, wc_error **err);
json_t *wci_grp_limits_json(const wci_config *limits);
/* The containers that are in it. */
int32_t wci_grp_members(wci_engine *engine, const char *name, wci_container_record ***out, size_t *count, wc_error **err);

#endif
