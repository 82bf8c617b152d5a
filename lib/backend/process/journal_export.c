/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/process/journal_export.h"

#include <string.h>

#include "core/json.h"
#include "core/str.h"

typedef struct field {
    const char *name, *value;
    size_t name_size, size;
} field;

/* "NAME=value\n", or "NAME\n", 64 bits of size, little-endian, the value and "\n". */
static wci_journal_parsed take_field(const char *data, size_t size, field *out, size_t *used)
{
    const char *end = memchr(data, '\n', size);
    if (!end)
        return WCI_JOURNAL_MORE;
    size_t line = (size_t)(end - data);
    const char *equals = memchr(data, '=', line);
    if (equals) {
        *out = (field){data, equals + 1, (size_t)(equals - data), (size_t)(end - equals) - 1};
        *used = line + 1;
        return WCI_JOURNAL_ENTRY;
    }
    if (size - line - 1 < 8)
        return WCI_JOURNAL_MORE;
    uint64_t length = 0;
    for (int i = 8; i > 0; i--)
        length = length << 8 | (unsigned char)end[i];
    if (length > WCI_JOURNAL_ENTRY_MAX)
        return WCI_JOURNAL_DAMAGED;
    if (size - line - 9 < length + 1)
        return WCI_JOURNAL_MORE;
    *out = (field){data, end + 9, line, (size_t)length};
    *used = line + 9 + (size_t)length + 1;
    return end[9 + length] == '\n' ? WCI_JOURNAL_ENTRY : WCI_JOURNAL_DAMAGED;
}

static int is_named(const field *f, const char *name)
{
    return strlen(name) == f->name_size && memcmp(f->name, name, f->name_size) == 0;
}

/* A short value as text. */
static const char *text_of(const field *f, char space[64])
{
    size_t size = f->size < 63 ? f->size : 63;
    memcpy(space, f->value, size);
    space[size] = '\0';
    return space;
}

/* Our own time, which has more digits, goes before the journal's. */
static void note(const field *f, wci_journal_entry *out, int *has_time)
{
    char space[64];
    uint64_t number = 0;
    if (is_named(f, "MESSAGE")) {
        out->message = f->value;
        out->size = f->size;
    } else if (is_named(f, "__CURSOR")) {
        out->cursor = f->value;
        out->cursor_size = f->size;
    } else if (is_named(f, "PRIORITY") && wci_parse_u64(text_of(f, space), 7, &number)) {
        out->priority = (int)number;
    } else if (is_named(f, "CONTAINER_PARTIAL_MESSAGE")) {
        out->is_partial = f->size == 4 && memcmp(f->value, "true", 4) == 0;
    } else if (is_named(f, "SYSLOG_TIMESTAMP")) {
        *has_time |= wci_time_parse(text_of(f, space), &out->time_ns, NULL) == 0;
    } else if (is_named(f, "__REALTIME_TIMESTAMP") && !*has_time &&
               wci_parse_u64(text_of(f, space), INT64_MAX / 1000, &number)) {
        out->time_ns = (int64_t)number * 1000;
    }
}

wci_journal_parsed wci_journal_export_parse(const char *data, size_t size, wci_journal_entry *out, size_t *used)
{
    int has_time = 0;
    *out = (wci_journal_entry){.message = "\n", .cursor = "", .priority = 6};
    *used = 0;
    while (*used < size) {
        if (data[*used] == '\n') { /* the empty line at its end */
            ++*used;
            return WCI_JOURNAL_ENTRY;
        }
        field f;
        size_t part = 0;
        wci_journal_parsed parsed = take_field(data + *used, size - *used, &f, &part);
        if (parsed != WCI_JOURNAL_ENTRY)
            return parsed;
        note(&f, out, &has_time);
        *used += part;
    }
    return WCI_JOURNAL_MORE;
}
