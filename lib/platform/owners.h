/* SPDX-License-Identifier: Apache-2.0 */
/* Who files can belong to. Root gives them to anybody. An ordinary user has subordinate ids (/etc/subuid), which his
 * containers run with: platform/tree.h then names owners as those containers do (the user himself is 0), and what the
 * kernel refuses him on files of these ids a helper process does, as root of a user namespace. It is started when it
 * is first needed, and ends with the last store that this process has open. */
#ifndef WCI_OWNERS_H
#define WCI_OWNERS_H

#include <stdint.h>

#include <wincontainer/error.h>

#include "core/call.h"

/* Before a store is opened: where the helper lies, NULL for the usual place, and the directory that it shares with
 * others of this user. */
int32_t wci_owners_use(const char *helper, const char *run_root, wc_error **err);
/* The ids of this user and what they are in his containers, "uids 0:1000:1,1:100000:65536 gids …": which files of a
 * store belong to whom depends on it. "" where ids mean what they say, or when nobody has called the above. Lent until
 * the last wci_owners_drop(). */
const char *wci_owners_text(void);
/* Whether the helper can do its work; why not. */
int32_t wci_owners_try(wc_error **err);
/* Files of trees are given to whom they belong to from now on, though this is not root. */
void wci_owners_keep(void);
int wci_owners_kept(void); /* 1 as root, and after the above */
/* 1: may make whatever a file system can hold. Root of a user namespace cannot. */
int wci_owners_are_all(void);
/* Ids of a file that we make, as the tree functions have them. */
void wci_owners_own(uint32_t *uid, uint32_t *gid);

/* While a store is open. */
void wci_owners_hold(void);
void wci_owners_drop(void);

#endif
