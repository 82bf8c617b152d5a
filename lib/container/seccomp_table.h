/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCI_SECCOMP_TABLE_H
#define WCI_SECCOMP_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* One rule permits system calls, unless errno_number says with what they fail. Names and
 * architectures (GOARCH words) are separated by blanks; what is not set does not restrict. */
typedef struct wci_seccomp_rule {
    const char *names;
    const char *op; /* compares argument `index` with `value`, or with each of `values` in turn */
    uint32_t index;
    uint32_t value;
    const uint32_t *values;
    size_t value_count;
    const char *cap, *without_cap; /* only when the container has, or lacks, this capability */
    const char *arches, *not_arches;
    int min_kernel;                /* major * 100 + minor */
    int errno_number;
} wci_seccomp_rule;

/* Ends with names NULL. */
const wci_seccomp_rule *wci_seccomp_default_rules(void);

#endif
