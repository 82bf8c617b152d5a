/* SPDX-License-Identifier: Apache-2.0 */
/* Many small things that live and go together. */
#ifndef WCI_ARENA_H
#define WCI_ARENA_H

#include <stddef.h>

typedef struct wci_arena {
    struct wci_arena_chunk *chunks; /* the one in use first */
    size_t left;                    /* of it */
    size_t total, max;              /* bytes so far, and how many may be; 0: any number */
} wci_arena;

#define WCI_ARENA_INIT {NULL, 0, 0, 0}

/* Zeros, aligned for anything; NULL when memory is out or the most is reached. */
void *wci_arena_alloc(wci_arena *arena, size_t size);
/* With a zero byte behind the copy. */
char *wci_arena_copy(wci_arena *arena, const void *data, size_t size);
void wci_arena_free(wci_arena *arena);

#endif
