/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCI_PROCESS_APPARMOR_H
#define WCI_PROCESS_APPARMOR_H

/* The profile of containers that ask for none, where AppArmor is on; the helper loads it. */
#define WCI_APPARMOR_DEFAULT "wincontainer-default"
#define WCI_APPARMOR_LOADED "/sys/kernel/security/apparmor/profiles"

/* Whether the kernel's list, lines "NAME (MODE)", has the profile. */
int wci_apparmor_is_listed(const char *list, const char *name);
/* 1 when it is loaded, 0 when not, -1 when that cannot be told. */
int wci_apparmor_is_loaded(const char *name);

#endif
