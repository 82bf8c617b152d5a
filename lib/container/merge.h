/* SPDX-License-Identifier: Apache-2.0 */
/* What an image says about running it, and what the user says, made into one by Docker's rules. */
#ifndef WCI_MERGE_H
#define WCI_MERGE_H

#include "container/options.h"
#include "image/config.h"

/* `id` gives the default hostname. Reads the seccomp file when there is one. */
int32_t wci_config_merge(const wc_container_options *options, const wci_image_config *image,
                         const char *image_id, const char *id, wci_config *out, wc_error **err);

#endif
