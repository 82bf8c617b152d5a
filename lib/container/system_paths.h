/* SPDX-License-Identifier: Apache-2.0 */
/* Paths below /proc and /sys that containers do not see, or cannot write. */
#ifndef WCI_SYSTEM_PATHS_H
#define WCI_SYSTEM_PATHS_H

#include "container/config.h"

/* What is hidden and what is read-only with these settings; 0 or WC_E_NOMEM. */
int wci_system_paths(const wci_config *config, wci_strv *hidden, wci_strv *read_only);

#endif
