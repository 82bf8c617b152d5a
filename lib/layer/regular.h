/* SPDX-License-Identifier: Apache-2.0 */
/* Files of unpacked trees, for their content. */
#ifndef WCI_LAYER_REGULAR_H
#define WCI_LAYER_REGULAR_H

#include "platform/file.h"

/* By the clean path below an open tree. Nothing but a regular file is opened: the rest might block, or do something.
 * WC_E_CORRUPT for those; *size may be NULL. */
int32_t wci_regular_open(wci_fd root, const char *path, wci_fd *out, uint64_t *size, wc_error **err);

#endif
