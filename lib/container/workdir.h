/* SPDX-License-Identifier: Apache-2.0 */
/* The directory in which a process begins. */
#ifndef WCI_WORKDIR_H
#define WCI_WORKDIR_H

#include "container/config.h"
#include "container/rootfs.h"

/* WC_E_INVALID when a part of it is no directory; WC_E_NOT_FOUND when it is not there and must be. What
 * lies below a mount is not known here and passes. */
int32_t wci_workdir_check(const wci_rootfs *rootfs, const wci_config *config, const char *path, int must_exist,
                          wc_error **err);

#endif
