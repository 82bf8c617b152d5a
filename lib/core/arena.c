/* SPDX-License-Identifier: Apache-2.0 */
#include "core/arena.h"

#include <stdint.h>
#include <string.h>

#include "core/alloc.h"

enum { CHUNK = 64 * 1024, ALIGN = 16 };

typedef struct wci_arena_chunk {
    struct wci_arena_chunk *next;
    size_t size;
    _Alignas(ALIGN) unsigned char data[];
} chunk;

static chunk *add_chunk(wci_arena *arena, size_t size)
{
    size_t room = size > CHUNK ? size : CHUNK;
    if (room > SIZE_MAX - sizeof(chunk) || (arena->max && room > arena->max - arena->total))
        return NULL;
    chunk *c = wci_calloc(1, sizeof *c + room);
    if (!c)
        return NULL;
    c->size = room;
    c->next = arena->chunks;
    arena->chunks = c;
    arena->left = room;
    arena->total += room;
    return c;
}

void *wci_arena_alloc(wci_arena *arena, size_t size)
{
    size_t rounded = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (rounded < size || (rounded > arena->left && !add_chunk(arena, rounded)))
        return NULL;
    unsigned char *at = arena->chunks->data + (arena->chunks->size - arena->left);
    arena->left -= rounded;
    return at;
}

char *wci_arena_copy(wci_arena *arena, const void *data, size_t size)
{
    char *copy = size < SIZE_MAX ? wci_arena_alloc(arena, size + 1) : NULL;
    if (copy && size)
        memcpy(copy, data, size);
    return copy;
}

void wci_arena_free(wci_arena *arena)
{
    while (arena->chunks) {
        chunk *next = arena->chunks->next;
        wci_free(arena->chunks);
        arena->chunks = next;
    }
    arena->left = arena->total = 0;
}
