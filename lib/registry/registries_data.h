/* SPDX-License-Identifier: Apache-2.0 */
/* What registries_file.c reads and registries.c looks up. */
#ifndef WCI_REGISTRY_REGISTRIES_DATA_H
#define WCI_REGISTRY_REGISTRIES_DATA_H

#include "registry/registries.h"

typedef enum wci_pulls {
    WCI_PULLS_ALL,
    WCI_PULLS_BY_DIGEST,
    WCI_PULLS_BY_TAG,
} wci_pulls;

typedef struct wci_endpoint {
    char *location; /* takes the place of the prefix; NULL: the name stays as it is */
    int insecure;
    wci_pulls pulls; /* that a mirror is used for */
} wci_endpoint;

/* One [[registry]]. */
typedef struct wci_registry {
    char *prefix;
    char *file; /* where it stands */
    wci_endpoint own, *mirrors;
    size_t mirror_count;
    int blocked, mirror_by_digest_only;
} wci_registry;

struct wci_registries {
    wci_registry *items; /* each prefix once */
    size_t count, cap;
    wci_strv alias_names, alias_values; /* an empty value: no alias any more */
    wci_strv search;                    /* unqualified-search-registries */
    wci_strv helpers;                   /* credential-helpers, never empty */
    int has_search;
    int is_enforcing; /* short-name-mode */
};

#endif
