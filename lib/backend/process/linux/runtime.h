/* SPDX-License-Identifier: Apache-2.0 */
/* Which programs of the host serve us: the OCI runtime, the init, our helper. */
#ifndef WCI_PROCESS_RUNTIME_H
#define WCI_PROCESS_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/error.h>

typedef struct wci_runtime {
    char *name;
    char *path;      /* NULL: not found */
    char *version;   /* what it says of itself; NULL until it is asked */
    const char *why; /* why it is not used, NULL when it is fit; static */
} wci_runtime;

/* All candidates in order of preference; `wanted` (a name or a path) allows only itself.
 * At most `max`; the rest of the array is untouched. Free each one. */
int32_t wci_runtime_list(const char *wanted, wci_runtime *out, size_t max, size_t *count,
                         wc_error **err);
void wci_runtime_free(wci_runtime *runtime); /* the contents */
/* The first that is fit, lent by the list. WC_E_MISSING names what to install. */
int32_t wci_runtime_choose(const wci_runtime *list, size_t count, const char *wanted,
                           const wci_runtime **out, wc_error **err);

/* Path of a statically linked init for containers. WC_E_MISSING. */
int32_t wci_init_find(char **path, wc_error **err);

#endif
