/* SPDX-License-Identifier: Apache-2.0 */
/* An ordinary user's networks with names have a network namespace of their own, one for each run root, in which netavark
 * makes bridges and rules as it does on the host for root. A process holds it, the hub: it connects it to the world by
 * pasta or slirp4netns and is there as long as somebody is connected to RUN_ROOT/networks/hub.sock. The first who needs it
 * starts it. */
#ifndef WC_HELPER_HUB_H
#define WC_HELPER_HUB_H

#include <jansson.h>
#include <stdint.h>

#include <wincontainer/error.h>

#include "backend/process/linux/helper/helper.h"
#include "backend/process/linux/helper/loop.h"

#define HUB_SOCKET "hub.sock"
#define HUB_LOCK "hub.lock"
#define HUB_NETNS_FD 4 /* of a new hub: the namespace of one that was killed, or nothing */

/* All -1: not connected. Zero is no such state: begin with HUB_NONE. */
typedef struct hub {
    int connection;
    int netns, mounts; /* where netavark works */
} hub;
#define HUB_NONE ((hub){-1, -1, -1})

/* Connects to the hub in the directory, which is started when there is none: with `wishes` (see uplink.h) for its way to
 * the world, and for the namespace `old` or, with -1, a new one. NULL wishes: WC_E_NOT_FOUND when there is none. */
int32_t hub_connect(const char *dir, json_t *wishes, int old, hub *out, wc_error **err);
void hub_close(hub *h);

/* What a hub that was killed left in the directory, where no other has come and no monitor is there. */
void hub_clear(const char *dir);

/* A monitor's place in it. */
typedef struct hub_member {
    hub hub;
    char *dir;
    json_t *wishes;
    loop *loop; /* NULL: nobody watches */
    loop_watch watch;
    loop_timer again;
    int64_t delay_ms;
    void (*told)(void *owner, const char *why); /* the hub has gone, for this reason, or (NULL) is there again */
    void *owner;
} hub_member;

int32_t hub_join(hub_member *m, const char *dir, json_t *wishes, wc_error **err);
/* From now on a hub that is killed is started again, with the same namespace. */
void hub_watch(hub_member *m, loop *l, void (*told)(void *owner, const char *why), void *owner);
void hub_leave(hub_member *m);

int hub_main(request *req);

/* ---- hub_mounts.c ---- */

/* Gives us a mount namespace of our own, without the mounts of containers. */
int32_t hub_mounts_enter(const char *run_root, wc_error **err);
/* Makes another, in which netavark finds a /run to write to, and aardvark-dns the name server of the connection: pasta and
 * slirp4netns, which ask the host's, must not see it. */
int32_t hub_mounts_make(const char *run_root, const char *name_server, int *out, wc_error **err);

#endif
