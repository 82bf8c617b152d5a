/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCI_PROCESS_APPARMOR_H
#define WCI_PROCESS_APPARMOR_H

/* The profile of containers that ask for none, where AppArmor is on; the helper loads it. */
#define WCI_APPARMOR_DEFAULT "wincontainer-default"

#endif
