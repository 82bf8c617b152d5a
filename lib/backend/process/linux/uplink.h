/* SPDX-License-Identifier: Apache-2.0 */
/* The program that connects an ordinary user's container to the world: pasta or slirp4netns. Found here, run by
 * wc-helper. */
#ifndef WCI_PROCESS_LINUX_UPLINK_H
#define WCI_PROCESS_LINUX_UPLINK_H

#include "backend/process/linux/backend.h"

typedef struct wci_uplink_program {
    const char *name; /* "pasta", "slirp4netns" */
    char *path;       /* owned */
} wci_uplink_program;

/* `setting`: a name, a path, or NULL: the first that is found. WC_E_MISSING naming the packages. */
int32_t wci_uplink_find(const char *setting, wci_uplink_program *out, wc_error **err);
/* What the helper is to do for "network-uplink" of a request, as a member `key` of an object. */
int32_t wci_uplink_request(process_backend *b, const char *text, const char *key, json_t **out, wc_error **err);

#endif
