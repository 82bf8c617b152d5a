/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/zstd_tail.h"

#include <string.h>

#include "core/error.h"

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

static uint32_t get32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

int wci_zstd_is_skippable(const unsigned char *head)
{
    return (head[0] & 0xf0) == 0x50 && head[1] == 0x2a && head[2] == 0x4d && head[3] == 0x18;
}

uint32_t wci_zstd_skippable_size(const unsigned char *head)
{
    return get32(head + 4);
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

int32_t wci_zstd_tail_read(wci_zstd_tail *tail, const void *data, size_t size, uint64_t offset, wc_error **err)
{
    const unsigned char *at = data, *end = at + size;
    while (at < end) {
        if (end - at < WCI_ZSTD_SKIPPABLE_HEAD || !wci_zstd_is_skippable(at))
            return wci_err(err, WC_E_FORMAT, "zstd stream: its end is not made of skippable frames");
        uint32_t frame = wci_zstd_skippable_size(at);
        at += WCI_ZSTD_SKIPPABLE_HEAD;
        if (frame > (size_t)(end - at))
            return wci_err(err, WC_E_FORMAT, "zstd stream: ends amid a skippable frame");
        wci_zstd_tail_begin(tail, offset + (uint64_t)(at - (const unsigned char *)data), frame);
        wci_zstd_tail_add(tail, at, frame);
        at += frame;
    }
    return WC_OK;
}
