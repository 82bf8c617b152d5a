/* SPDX-License-Identifier: Apache-2.0 */
/* Atomic reference counts. */
#ifndef WCI_REF_H
#define WCI_REF_H

#include <stdatomic.h>

typedef struct wci_ref {
    atomic_int count;
} wci_ref;

/* For objects in static storage: never counted, never released. */
#define WCI_REF_STATIC {-1}

static inline void wci_ref_init(wci_ref *ref)
{
    atomic_init(&ref->count, 1);
}

static inline void wci_ref_take(wci_ref *ref)
{
    if (atomic_load_explicit(&ref->count, memory_order_relaxed) > 0)
        atomic_fetch_add_explicit(&ref->count, 1, memory_order_relaxed);
}

/* True when the caller held the last reference and must release the object. */
static inline int wci_ref_drop(wci_ref *ref)
{
    if (atomic_load_explicit(&ref->count, memory_order_relaxed) < 0)
        return 0;
    return atomic_fetch_sub_explicit(&ref->count, 1, memory_order_acq_rel) == 1;
}

#endif
