/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/records.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"

static const char header[] = "wincontainer layer records 1\n";

enum {
    FLUSH_SIZE = 64 * 1024,
    MAX_FILE = 1 << 30,
};

static int has_other(wci_record_kind kind)
{
    return kind == WCI_RECORD_FOREIGN || kind == WCI_RECORD_LINK || kind == WCI_RECORD_FILE || kind == WCI_RECORD_DIR ||
           kind == WCI_RECORD_SYMLINK;
}

static int32_t flush(wci_records_writer *w, wc_error **err)
{
    if (w->pending.failed)
        return wci_err_nomem(err);
    int32_t rc = wci_fd_write(w->file, w->pending.data, w->pending.size, err);
    wci_str_clear(&w->pending);
    return rc;
}

int32_t wci_records_create(const char *path, wci_records_writer *out, wc_error **err)
{
    wci_records_writer w = {WCI_FD_NONE, WCI_STR_INIT};
    int32_t rc = wci_file_open(path, WCI_OPEN_WRITE | WCI_OPEN_CREATE | WCI_OPEN_EXCL, 0600,
                               &w.file, err);
    if (rc)
        return rc;
    wci_str_append(&w.pending, header);
    *out = w;
    return WC_OK;
}

int32_t wci_records_add(wci_records_writer *w, wci_record_kind kind, const char *path,
                        const char *other, wc_error **err)
{
    wci_str_append_c(&w->pending, (char)kind);
    wci_str_append_n(&w->pending, path, strlen(path) + 1);
    if (has_other(kind))
        wci_str_append_n(&w->pending, other, strlen(other) + 1);
    return w->pending.failed || w->pending.size >= FLUSH_SIZE ? flush(w, err) : WC_OK;
}

int32_t wci_records_finish(wci_records_writer *w, wc_error **err)
{
    int32_t rc = wci_records_add(w, WCI_RECORD_END, "", "", err);
    return rc ? rc : flush(w, err);
}

void wci_records_close(wci_records_writer *w)
{
    wci_fd_close(w->file);
    wci_str_free(&w->pending);
    w->file = WCI_FD_NONE;
}

/* ---- Reading ---------------------------------------------------------------------------------- */

static int32_t corrupt(const char *path, wc_error **err)
{
    return wci_err(err, WC_E_CORRUPT, "layer records '%s': damaged; unpack the layer again", path);
}

/* The text at *p, which ends before `end`; NULL when it does not. */
static const char *take_text(const char **p, const char *end)
{
    const char *text = *p;
    const char *zero = memchr(text, '\0', (size_t)(end - text));
    if (!zero)
        return NULL;
    *p = zero + 1;
    return text;
}

static int32_t take_records(wci_records *records, const char *path, wc_error **err)
{
    const char *p = wc_buf_data(records->text), *end = p + wc_buf_size(records->text);
    size_t cap = 0;
    if ((size_t)(end - p) < sizeof header - 1 || memcmp(p, header, sizeof header - 1) != 0)
        return corrupt(path, err);
    p += sizeof header - 1;
    for (;;) {
        const char *text = take_text(&p, end);
        if (!text || !*text)
            return corrupt(path, err);
        wci_record r = {(wci_record_kind)*text, text + 1, ""};
        if (r.kind == WCI_RECORD_END)
            return p == end ? WC_OK : corrupt(path, err);
        if (has_other(r.kind) && !(r.other = take_text(&p, end)))
            return corrupt(path, err);
        if (!wci_grow(&records->items, &cap, records->count + 1, sizeof r))
            return wci_err_nomem(err);
        records->items[records->count++] = r;
    }
}

/* Takes the text over. */
static int32_t parse(wc_buf *text, const char *what, wci_records *out, wc_error **err)
{
    wci_records records = {text, NULL, 0};
    int32_t rc = take_records(&records, what, err);
    if (rc)
        wci_records_free(&records);
    else
        *out = records;
    return rc;
}

int32_t wci_records_read(const char *path, wci_records *out, wc_error **err)
{
    wc_buf *text = NULL;
    int32_t rc = wci_file_read_all(path, MAX_FILE, &text, err);
    return rc ? rc : parse(text, path, out, err);
}

int32_t wci_records_read_file(wci_fd file, const char *what, wci_records *out, wc_error **err)
{
    wci_file_info info;
    wci_str bytes = WCI_STR_INIT;
    wc_buf *text = NULL;
    size_t got = 0;
    int32_t rc = wci_fd_info(file, &info, err);
    if (!rc && info.size > MAX_FILE)
        rc = wci_err(err, WC_E_LIMIT, "layer records '%s': too large", what);
    char *to = rc ? NULL : wci_str_reserve(&bytes, (size_t)info.size);
    if (!rc && info.size && !to)
        rc = wci_err_nomem(err);
    if (!rc)
        rc = wci_fd_read(file, to, (size_t)info.size, &got, err);
    wci_str_added(&bytes, got);
    if (!rc)
        rc = wci_str_to_buf(&bytes, &text, err);
    wci_str_free(&bytes);
    return rc ? rc : parse(text, what, out, err);
}

void wci_records_free(wci_records *records)
{
    wc_buf_unref(records->text);
    wci_free(records->items);
    memset(records, 0, sizeof *records);
}
