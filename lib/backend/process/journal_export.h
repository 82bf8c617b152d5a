/* SPDX-License-Identifier: Apache-2.0 */
/* Entries as `journalctl -o export` writes them: systemd's Journal Export Format. */
#ifndef WCI_PROCESS_JOURNAL_EXPORT_H
#define WCI_PROCESS_JOURNAL_EXPORT_H

#include <stddef.h>
#include <stdint.h>

/* More than any entry of ours has, with the fields that are asked for. */
#define WCI_JOURNAL_ENTRY_MAX ((size_t)256 * 1024)

/* Borrows from what was parsed; a line feed follows the message there. */
typedef struct wci_journal_entry {
    const char *message;
    size_t size;
    const char *cursor;
    size_t cursor_size;
    int priority; /* 6 when it has none */
    int is_partial;
    int64_t time_ns;
} wci_journal_entry;

typedef enum wci_journal_parsed {
    WCI_JOURNAL_ENTRY,
    WCI_JOURNAL_MORE,   /* it does not end here */
    WCI_JOURNAL_DAMAGED
} wci_journal_parsed;

/* The entry at the beginning; *used are its bytes. */
wci_journal_parsed wci_journal_export_parse(const char *data, size_t size, wci_journal_entry *out, size_t *used);

#endif
