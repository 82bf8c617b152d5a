/* SPDX-License-Identifier: Apache-2.0 */
/* What an ordinary user's subordinate ids are called: by the kernel here, and inside of his user namespace. */
#ifndef WCI_POSIX_IDS_H
#define WCI_POSIX_IDS_H

#include <stdint.h>

/* 0: ids mean what they say. */
int wci_ids_are_mapped(void);
/* Inside: this user's own, or none (WCI_TREE_KEEP_ID). */
int wci_ids_are_own(uint32_t uid, uint32_t gid);
void wci_ids_to_host(uint32_t *uid, uint32_t *gid);
/* Those that are nobody's inside become 65534, as the kernel has it. */
void wci_ids_from_host(uint32_t *uid, uint32_t *gid);

#endif
