/* SPDX-License-Identifier: Apache-2.0 */
/* What journalctl writes: entry after entry, as the reader of logs takes them. An entry is the same whatever of its
 * beginning was seen before. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "backend/process/journal_export.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *text, size_t size, const wci_journal_entry *e, size_t used)
{
    if (!used || used > size || e->priority < 0 || e->priority > 7 || e->size > used || e->cursor_size > used)
        abort();
    if (e->size && (e->message < text || e->message + e->size >= text + used || e->message[e->size] != '\n'))
        abort();
    wci_journal_entry less;
    size_t part;
    for (size_t shorter = used - 1; shorter > 0 && shorter + 64 > used; shorter--)
        if (wci_journal_export_parse(text, shorter, &less, &part) != WCI_JOURNAL_MORE)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size + 1); /* so that a read beyond its end is seen */
    if (!copy)
        return 0;
    if (size)
        memcpy(copy, data, size);
    const char *at = copy;
    wci_journal_entry e;
    size_t used;
    while (wci_journal_export_parse(at, size, &e, &used) == WCI_JOURNAL_ENTRY) {
        check(at, size, &e, used);
        at += used;
        size -= used;
    }
    free(copy);
    return 0;
}
