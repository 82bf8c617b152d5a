/* SPDX-License-Identifier: Apache-2.0 */
/* What must happen in a child that the host forks: nothing but closing our locks, which it would
 * otherwise keep from the parent, and remembering that it is another process. Only atomics are
 * touched, so that a fork at any moment finds them whole. */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "core/alloc.h"
#include "platform/posix/posix.h"
#include "platform/process.h"

#define CHUNK 64

/* Slots hold a descriptor + 1, or 0. Chunks are only ever added. */
typedef struct fd_chunk {
    _Atomic int slots[CHUNK];
    struct fd_chunk *_Atomic next;
} fd_chunk;

static fd_chunk guarded;
static _Atomic int64_t fork_id = 1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void in_child(void)
{
    atomic_fetch_add(&fork_id, 1);
    for (fd_chunk *chunk = &guarded; chunk; chunk = atomic_load(&chunk->next)) {
        for (int i = 0; i < CHUNK; i++) {
            int slot = atomic_exchange(&chunk->slots[i], 0);
            if (slot)
                close(slot - 1);
        }
    }
}

static void register_handler(void)
{
    pthread_atfork(NULL, NULL, in_child);
}

int64_t wci_fork_id(void)
{
    pthread_once(&once, register_handler);
    return atomic_load(&fork_id);
}

static int replace_slot(fd_chunk *chunk, int from, int to)
{
    for (int i = 0; i < CHUNK; i++) {
        int expected = from;
        if (atomic_compare_exchange_strong(&chunk->slots[i], &expected, to))
            return 1;
    }
    return 0;
}

static fd_chunk *next_chunk(fd_chunk *chunk)
{
    fd_chunk *next = atomic_load(&chunk->next);
    if (next)
        return next;
    fd_chunk *fresh = wci_calloc(1, sizeof *fresh);
    if (!fresh)
        return NULL;
    if (atomic_compare_exchange_strong(&chunk->next, &next, fresh))
        return fresh;
    wci_free(fresh);
    return next;
}

void wci_fork_guard_add(wci_fd fd)
{
    pthread_once(&once, register_handler);
    for (fd_chunk *chunk = &guarded; chunk; chunk = next_chunk(chunk))
        if (replace_slot(chunk, 0, FD(fd) + 1))
            return;
}

void wci_fork_guard_remove(wci_fd fd)
{
    for (fd_chunk *chunk = &guarded; chunk; chunk = atomic_load(&chunk->next))
        if (replace_slot(chunk, FD(fd) + 1, 0))
            return;
}
