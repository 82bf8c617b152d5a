/* SPDX-License-Identifier: Apache-2.0 */
/* AppArmor profiles and SELinux labels of containers, as documents name them. */
#ifndef WCI_CONTAINER_LSM_H
#define WCI_CONTAINER_LSM_H

#include "container/config.h"

typedef enum wci_apparmor_host {
    WCI_APPARMOR_ABSENT,
    WCI_APPARMOR_NAMED,   /* profiles that somebody has loaded can be used */
    WCI_APPARMOR_LOADABLE /* and the default one is loaded by us */
} wci_apparmor_host;

wci_apparmor_host wci_host_apparmor(void);
int wci_host_has_selinux(void);

/* The profile for the document; "" for none. WC_E_UNSUPPORTED for a named one where the kernel has no AppArmor. */
int32_t wci_apparmor_profile(const wci_config *config, wci_apparmor_host host, const char **out, wc_error **err);
/* The labels of the process and, when a type of files was asked for, of what is mounted for it; NULL when there are to
 * be none: only those that were asked for are set. Owned. */
int32_t wci_selinux_labels(const wci_config *config, int host_has_it, char **process, char **mount, wc_error **err);

#endif
