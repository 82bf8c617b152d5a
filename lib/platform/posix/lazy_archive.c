/* SPDX-License-Identifier: Apache-2.0 */
/* libarchive, loaded on first use. A function that is used and not listed here fails to link. */
#include <archive.h>
#include <archive_entry.h>

#include "platform/lazy.h"
#include "platform/posix/lazy_load.h"

#define FUNCTIONS(WITH_RESULT, WITHOUT)                                                                      \
    WITH_RESULT(struct archive *, archive_write_new, (void), ())                                             \
    WITH_RESULT(int, archive_write_set_format_pax_restricted, (struct archive * a), (a))                     \
    WITH_RESULT(int, archive_write_set_bytes_per_block, (struct archive * a, int size), (a, size))           \
    WITH_RESULT(int, archive_write_set_bytes_in_last_block, (struct archive * a, int size), (a, size))       \
    WITH_RESULT(int, archive_write_open,                                                                     \
                (struct archive * a, void *self, archive_open_callback *opening,                             \
                 archive_write_callback *writing, archive_close_callback *closing),                          \
                (a, self, opening, writing, closing))                                                        \
    WITH_RESULT(int, archive_write_header, (struct archive * a, struct archive_entry * entry), (a, entry))   \
    WITH_RESULT(la_ssize_t, archive_write_data, (struct archive * a, const void *data, size_t size),         \
                (a, data, size))                                                                             \
    WITH_RESULT(int, archive_write_close, (struct archive * a), (a))                                         \
    WITH_RESULT(int, archive_write_free, (struct archive * a), (a))                                          \
    WITH_RESULT(int, archive_errno, (struct archive * a), (a))                                               \
    WITH_RESULT(const char *, archive_error_string, (struct archive * a), (a))                               \
    WITH_RESULT(struct archive_entry *, archive_entry_new, (void), ())                                       \
    WITHOUT(void, archive_entry_free, (struct archive_entry * entry), (entry))                               \
    WITHOUT(void, archive_entry_set_pathname, (struct archive_entry * entry, const char *name), (entry, name)) \
    WITHOUT(void, archive_entry_set_filetype, (struct archive_entry * entry, unsigned type), (entry, type))  \
    WITHOUT(void, archive_entry_set_perm, (struct archive_entry * entry, __LA_MODE_T mode), (entry, mode))   \
    WITHOUT(void, archive_entry_set_size, (struct archive_entry * entry, la_int64_t size), (entry, size))    \
    WITHOUT(void, archive_entry_set_mtime, (struct archive_entry * entry, time_t seconds, long ns),          \
            (entry, seconds, ns))

FUNCTIONS(WCI_LAZY_POINTER, WCI_LAZY_POINTER)

/* The one variadic function; nothing but the message without arguments is passed. */
static void (*real_archive_set_error)(struct archive *, int, const char *, ...);

FUNCTIONS(WCI_LAZY_FORWARD, WCI_LAZY_FORWARD_VOID)

void archive_set_error(struct archive *a, int number, const char *message, ...)
{
    real_archive_set_error(a, number, "%s", message);
}

static const wci_lazy_symbol symbols[] = {
    FUNCTIONS(WCI_LAZY_SYMBOL, WCI_LAZY_SYMBOL) WCI_LAZY_SYMBOL(void, archive_set_error, (), ())};
static const char *const sonames[] = {"libarchive.so.13", "libarchive.13.dylib", NULL};
static wci_lazy_library library = {sonames, symbols, sizeof symbols / sizeof *symbols, "libarchive13", ""};

static void load(void)
{
    wci_lazy_load(&library);
}

int32_t wci_lazy_archive(wc_error **err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load);
    return wci_lazy_result(&library, err);
}
