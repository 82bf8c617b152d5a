/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts that the user asks for: checking them and turning their flags into mount options. */
#ifndef WCI_MOUNT_H
#define WCI_MOUNT_H

#include <stdint.h>

#include "container/config.h"

/* Checks and appends one mount. The target is cleaned ("/a/../b/" is "/b"). A target that is there
 * already is WC_E_INVALID, as in Docker. */
int32_t wci_mount_add(wci_config *config, const char *type, const char *source, const char *target,
                      const char *flags, wc_error **err);
/* Lexically cleaned absolute path, owned; ".." stops at the root. NULL: out of memory. */
char *wci_clean_path(const char *path);
/* Every bind source must exist: WC_E_NOT_FOUND. */
int32_t wci_mounts_check_sources(const wci_config *config, wc_error **err);

#endif
