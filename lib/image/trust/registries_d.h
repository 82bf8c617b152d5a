/* SPDX-License-Identifier: Apache-2.0 */
/* registries.d: where registries' simple signatures lie. Specification: containers-registries.d(5). Of YAML the form
 * is read that all such files have: mappings by indentation; anything else is refused by its line. */
#ifndef WCI_TRUST_REGISTRIES_D_H
#define WCI_TRUST_REGISTRIES_D_H

#include "core/str.h"

typedef struct wci_registries_d {
    wci_strv scopes;    /* "" is the default */
    wci_strv lookaside; /* of each, its URL or "" */
} wci_registries_d;

#define WCI_REGISTRIES_D_INIT {WCI_STRV_INIT, WCI_STRV_INIT}

/* Adds what one file says; no scope may be said twice. */
int32_t wci_registries_d_parse(const char *text, size_t size, const char *file, wci_registries_d *out,
                               wc_error **err);
/* All files of the first directory that is there: the user's, or the system's. */
int32_t wci_registries_d_load(wci_registries_d *out, wc_error **err);
/* The URL for the first of the scopes that is configured, else the default's; NULL when that says none. Lent. */
const char *wci_registries_d_find(const wci_registries_d *all, const wci_strv *scopes);
void wci_registries_d_free(wci_registries_d *all);

#endif
