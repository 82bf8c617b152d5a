/* SPDX-License-Identifier: Apache-2.0 */
/* Network namespaces, bound to a file of the current directory so that a runtime can be told of them. */
#ifndef WC_HELPER_NETNS_H
#define WC_HELPER_NETNS_H

#include <stdint.h>

#include <wincontainer/error.h>

#include "core/str.h"

/* Makes one whose loopback is up, which belongs to the user namespace `userns`, -1: ours. *fd keeps it. The binding lives
 * in this mount namespace. */
int32_t netns_make(int userns, int *fd, wc_error **err);
/* Binds that of a process, which started at `start`. WC_E_STATE when it has ended. */
int32_t netns_join(int64_t pid, int64_t start, int *fd, wc_error **err);
/* Opens that of a process without binding it. */
int32_t netns_of(int64_t pid, int64_t start, int *fd, wc_error **err);
/* One that has interfaces of these names: netavark takes nothing away from a namespace that has lost them. */
int32_t netns_stand_in(const wci_strv *interfaces, int *fd, wc_error **err);
/* That which is bound; a descriptor or -1. */
int netns_open_bound(void);
/* Binds one that is open. */
int32_t netns_bind(int fd, wc_error **err);
/* The bridge of that namespace (-1: our own) keeps the hardware address that it has. By itself it takes the lowest of its
 * interfaces, so that, when a container ends, the others for a while send to one who has gone. */
void netns_pin_bridge(int netns, const char *bridge);
/* How many interfaces a bridge of that namespace has; -1: there is no such bridge. */
int netns_bridge_ports(int netns, const char *bridge);
/* Takes the binding away. */
void netns_release(void);

#endif
