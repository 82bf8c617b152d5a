/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/zstd_tail.h"

#include <string.h>

static void drop_first(wci_zstd_tail *tail)
{
    wci_str_free(&tail->frames[0].data);
    memmove(tail->frames, tail->frames + 1, (WCI_TAIL_FRAMES - 1) * sizeof *tail->frames);
    tail->count--;
}

static uint64_t kept(const wci_zstd_tail *tail)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < tail->count; i++)
        sum += tail->frames[i].is_too_large ? 0 : tail->frames[i].size;
    return sum;
}

void wci_zstd_tail_clear(wci_zstd_tail *tail)
{
    while (tail->count)
        drop_first(tail);
}

void wci_zstd_tail_begin(wci_zstd_tail *tail, uint64_t offset, uint64_t size)
{
    if (tail->count == WCI_TAIL_FRAMES)
        drop_first(tail);
    int is_too_large = size > WCI_TAIL_MAX - kept(tail);
    tail->frames[tail->count++] =
        (wci_tail_frame){.offset = offset, .size = size, .is_too_large = is_too_large};
}

void wci_zstd_tail_add(wci_zstd_tail *tail, const void *data, size_t size)
{
    wci_tail_frame *frame = &tail->frames[tail->count - 1];
    if (frame->is_too_large)
        return;
    wci_str_append_n(&frame->data, data, size);
    if (frame->data.failed) {
        frame->is_too_large = 1;
        wci_str_free(&frame->data);
    }
}
