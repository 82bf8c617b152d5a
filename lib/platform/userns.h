/* SPDX-License-Identifier: Apache-2.0 */
/* The ids that an ordinary user may give out: what a user namespace of his is made with. Linux alone. */
#ifndef WCI_USERNS_H
#define WCI_USERNS_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/error.h>

#define WCI_ID_RANGES_MAX 32

typedef struct wci_id_range {
    uint32_t inside, outside, count;
} wci_id_range;

typedef struct wci_id_map {
    wci_id_range ranges[WCI_ID_RANGES_MAX];
    size_t count;
} wci_id_map;

typedef struct wci_user_ids {
    wci_id_map uids, gids;
    /* "": all is there. Else these are one id each, and this says what lacks and what to do. */
    char lacking[256];
} wci_user_ids;

/* The own ids as 0, and those of /etc/subuid and /etc/subgid from 1 on. Takes no part in any namespace. */
void wci_user_ids_read(wci_user_ids *out);
/* Those of the user namespace that this process is in. */
void wci_userns_read(wci_user_ids *out);
/* One file of the two: adds the ranges that it gives `name` or `uid`, behind what is there. Lines that mean nothing are
 * passed over. */
void wci_id_map_add_text(wci_id_map *map, const char *text, const char *name, uint32_t uid);
/* "0:1001:1,1:100000:65536"; owned, NULL: out of memory. */
char *wci_id_map_text(const wci_id_map *map);

/* 1 when the ids of this process are not all those of the host. */
int wci_userns_is_inside(void);
/* Why an ordinary user may not make one, and what to do, or NULL when nothing is known to be in the way. Lent, static. */
const char *wci_userns_forbidden(void);

#endif
