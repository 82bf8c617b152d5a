/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts of a container for those who make them: the OCI runtime, and before it the helper. */
#ifndef WCI_MOUNT_REQUEST_H
#define WCI_MOUNT_REQUEST_H

#include <jansson.h>

#include "container/config.h"
#include "container/engine.h"
#include "container/user.h"

typedef struct wci_mount_plan {
    wci_strv sources; /* of each mount of the configuration, where the runtime finds it; "": as configured */
    wci_strv flags;   /* of each, what the file system of a volume is mounted with, "ro,noexec" */
    json_t *mounts;   /* for the helper, see backend/process/linux/helper/volumes.h */
} wci_mount_plan;
#define WCI_MOUNT_PLAN_INIT {WCI_STRV_INIT, WCI_STRV_INIT, NULL}

/* Looks volumes and images up. WC_E_NOT_FOUND when one has gone, which the store's check tells of. */
int32_t wci_mount_plan_make(wci_engine *engine, const wci_config *config, const char *run_dir, wci_mount_plan *out,
                            wc_error **err);
/* The text of the request "storage"; `user`, NULL where nobody starts, is to own what becomes his. Owned. */
char *wci_mount_plan_text(const wci_mount_plan *plan, const wci_user *user);
void wci_mount_plan_free(wci_mount_plan *plan);

#endif
