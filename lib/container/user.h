/* SPDX-License-Identifier: Apache-2.0 */
/* "user[:group]" as Docker reads it, against the container's own passwd and group files. */
#ifndef WCI_USER_H
#define WCI_USER_H

#include <stdint.h>

#include "container/rootfs.h"

typedef struct wci_user {
    uint32_t uid, gid;
    uint32_t *groups; /* additional ones, gid first */
    size_t group_count, group_cap;
    char *home;
} wci_user;

/* Only what can be said without the files: one ':' at most, numbers from 0 to 2147483647. */
int32_t wci_user_check(const char *spec, wc_error **err);
/* A number is never taken for a name. WC_E_NOT_FOUND names what is not in the files. */
int32_t wci_user_resolve(const wci_rootfs *rootfs, const char *spec, wci_user *out, wc_error **err);
/* The same with the texts of the files ("" when there is none). */
int32_t wci_user_resolve_in(const char *passwd, const char *group, const char *spec, wci_user *out,
                            wc_error **err);
/* Further groups, by the container's group file or number; those it has already are passed over. */
int32_t wci_user_add_groups(const wci_rootfs *rootfs, const wci_strv *names, wci_user *user, wc_error **err);
void wci_user_free(wci_user *user); /* the contents */

#endif
