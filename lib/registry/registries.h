/* SPDX-License-Identifier: Apache-2.0 */
/* registries.conf: where registries really lie, which mirrors they have, which are blocked, and what short
 * names mean. Specification: containers-registries.conf(5), version 2, and version 1 where a file is of that. */
#ifndef WCI_REGISTRY_REGISTRIES_H
#define WCI_REGISTRY_REGISTRIES_H

#include <stddef.h>

#include <wincontainer/error.h>

#include "core/str.h"

typedef struct wci_registries wci_registries;

/* `file`, or when that is NULL $CONTAINERS_REGISTRIES_CONF: that file and the *.conf in the directory "FILE.d".
 * Neither: ~/.config/containers/registries.conf with its directory; where that is not there,
 * /etc/containers/registries.conf with its directory and the user's; and then the aliases that podman recorded.
 * WC_E_NOT_FOUND when a file that is named is
 * not there, WC_E_FORMAT with file and line for one that cannot be read. */
int32_t wci_registries_load(const char *file, wci_registries **out, wc_error **err);
void wci_registries_free(wci_registries *registries); /* NULL accepted */

int32_t wci_registries_new(wci_registries **out, wc_error **err); /* what there is without any file */
/* Adds a file's text; what it says goes before what was there. Also a fuzz target. */
int32_t wci_registries_add(wci_registries *registries, const char *text, size_t size, const char *file, wc_error **err);

/* One place that may have an image. */
typedef struct wci_site {
    char *host, *repository;
    char *target; /* the digest, else the tag */
    int insecure; /* TLS need not be verified, and plain HTTP will do */
    int is_mirror;
} wci_site;

typedef struct wci_sites {
    wci_site *items;
    size_t count;
} wci_sites;

#define WCI_SITES_INIT {NULL, 0}

/* Where to look for "host/repository:tag" or "host/repository[:tag]@digest", in this order: the mirrors, then
 * the registry itself. WC_E_PERMISSION when it is blocked. */
int32_t wci_registries_sites(const wci_registries *registries, const char *name, wci_sites *out, wc_error **err);
/* The registry as it is named, for what is not only reading. WC_E_PERMISSION when it is blocked. */
int32_t wci_registries_named(const wci_registries *registries, const char *name, wci_sites *out, wc_error **err);
void wci_sites_free(wci_sites *sites);
/* The same, for what is not about one image. */
int32_t wci_registries_check(const wci_registries *registries, const char *name, int *insecure, wc_error **err);
/* What a name without a host may stand for, in the order to try: whole names, with its tag and digest.
 * WC_E_INVALID when several are possible and the file forbids to guess, or when there is none. */
int32_t wci_registries_expand(const wci_registries *registries, const char *short_name, wci_strv *out, wc_error **err);

/* Where logins are, in the order to ask: names of credential helpers, and among them this one, which stands for the
 * files of containers-auth.json(5). Lent. */
#define WCI_HELPER_FILES "containers-auth.json"
const wci_strv *wci_registries_helpers(const wci_registries *registries);

/* Whether the first part of a name must be a host: it has a '.', a ':' or a capital, or is "localhost". */
int wci_is_host_part(const char *part, size_t size);
/* Whether a name begins with such a part and a '/'. */
int wci_name_has_host(const char *name);

#endif
