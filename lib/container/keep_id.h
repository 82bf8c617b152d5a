/* SPDX-License-Identifier: Apache-2.0 */
/* The user namespace "keep-id" of an ordinary user: in the container he has the number that he has outside, or another one,
 * and his other ids lie around it, so that what he shares with the container is his on both sides. As in podman. */
#ifndef WCI_CONTAINER_KEEP_ID_H
#define WCI_CONTAINER_KEEP_ID_H

#include "container/config.h"

/* 1: "keep-id" or "keep-id:uid=N,gid=N", with one of them or both in any order. */
int wci_keep_id_is(const char *mode);
/* The maps of such a mode into the user's own namespace, and himself as user when nobody else was asked for.
 * WC_E_UNSUPPORTED for root and without ids enough. */
int32_t wci_keep_id_settle(wci_config *config, int is_user_given, wc_error **err);

#endif
