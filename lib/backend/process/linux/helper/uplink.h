/* SPDX-License-Identifier: Apache-2.0 */
/* How the network namespace of an ordinary user gets to the world: a program of that user, slirp4netns or pasta, has an
 * interface in it and does outside what comes from there. It is a child of the monitor and ends with it. */
#ifndef WC_HELPER_UPLINK_H
#define WC_HELPER_UPLINK_H

#include <jansson.h>

#include "backend/process/linux/helper/loop.h"
#include "core/str.h"

/* All below the run directory, which is the working directory. */
#define UPLINK_SOCKET "uplink.sock" /* where the program takes orders, if it does */
#define UPLINK_READY "uplink.ready" /* not empty: it works */
#define UPLINK_LOG "uplink.log"     /* what it said */
#define UPLINK_READY_FD 3           /* open for writing in the program */

typedef struct uplink {
    const struct uplink_kind *kind; /* NULL: there is no such connection */
    char *program, *netns;          /* paths of the program and of the namespace */
    json_t *wishes;                 /* see uplink_read() */
    loop_child child; /* pid 0: it does not run */
    loop *loop;       /* NULL: its end is not watched */
    loop_timer again;
    int64_t delay_ms;
    int is_broken;
    /* It has ended, for this reason, or (NULL) works again. */
    void (*told)(void *owner, const char *why);
    void *owner;
} uplink;

typedef struct uplink_kind {
    const char *name;
    int (*arguments)(const uplink *u, wci_strv *out); /* after the program's name; not 0: out of memory */
    /* Once it works: what the command line did not say of ports. May be NULL. */
    int32_t (*publish)(const uplink *u, wc_error **err);
    int has_ports6;
} uplink_kind;

extern const uplink_kind uplink_slirp, uplink_pasta;

/* From {"name", "program", "interface", "subnet", "address", "bits", "gateway", "dns", "address6", "gateway6", "mtu",
 * "ports": [{"protocol", "host_ip", "host_port", "container_port"}]}; numbers are "mtu" and those of ports. */
int32_t uplink_read(json_t *wishes, const char *netns, uplink *out, wc_error **err);
const char *uplink_text(const uplink *u, const char *key);
int64_t uplink_mtu(const uplink *u);
json_t *uplink_ports(const uplink *u); /* lent */
/* Returns when it works and forwards the ports. WC_E_IN_USE names a port that another program has. */
int32_t uplink_start(uplink *u, wc_error **err);
/* From now on it is started again when it ends. */
void uplink_watch(uplink *u, loop *l, void (*told)(void *owner, const char *why), void *owner);
void uplink_stop(uplink *u);
void uplink_free(uplink *u); /* the contents */

#endif
