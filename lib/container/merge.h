/* SPDX-License-Identifier: Apache-2.0 */
/* What an image says about running it, and what the user says, made into one by Docker's rules. */
#ifndef WCI_MERGE_H
#define WCI_MERGE_H

#include "container/options.h"
#include "core/log.h"
#include "image/config.h"

typedef struct wci_merge {
    const wc_container_options *options;
    const wci_image_config *image;
    const char *id; /* gives the default hostname */
} wci_merge;

/* Reads the seccomp file when there is one. */
int32_t wci_config_merge(const wci_merge *in, const char *image_id, wci_config *out, wc_error **err);

/* The areas: each adds what the image says and the defaults, and checks what only the whole can tell. `c` begins as
 * what the user said. */
int32_t wci_merge_life(const wci_merge *in, wci_config *c, wc_error **err);
int32_t wci_merge_resources(const wci_merge *in, wci_config *c, wc_error **err);
int32_t wci_merge_security(const wci_merge *in, wci_config *c, wc_error **err);
int32_t wci_merge_network(const wci_merge *in, wci_config *c, wc_error **err);
int32_t wci_merge_storage(const wci_merge *in, wci_config *c, wc_error **err);
/* Limits that contradict each other, WC_E_INVALID. */
int32_t wci_resources_check(const wci_config *c, wc_error **err);
/* Tells of what the host cannot do and Docker leaves out. */
void wci_resources_warn(const wci_config *c, wci_log *log);
/* Sets a text that is not set. */
int32_t wci_merge_default(char **field, const char *value, wc_error **err);

#endif
