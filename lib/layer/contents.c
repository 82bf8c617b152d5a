/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/contents.h"

#include <string.h>

#include "core/error.h"

static const char header[] = "wincontainer layer contents 1\n";

enum {
    FLUSH_SIZE = 64 * 1024,
    MAX_FILE = 1 << 30,
    HEADER_SIZE = sizeof header - 1,
};

static int nibble(char c)
{
    return c <= '9' ? c - '0' : c - 'a' + 10; /* digests are lower-case hex */
}

int wci_content_key_of(const wci_digest *digest, wci_content_key *out)
{
    if (!wci_digest_is_set(digest) || wci_digest_algo(digest) != WCI_SHA256)
        return 0;
    const char *hex = wci_digest_hex(digest);
    for (size_t i = 0; i < sizeof out->bytes; i++)
        out->bytes[i] = (unsigned char)(nibble(hex[2 * i]) << 4 | nibble(hex[2 * i + 1]));
    return 1;
}

/* ---- Writing ---------------------------------------------------------------------------------- */

static int32_t flush(wci_contents_writer *w, wc_error **err)
{
    if (w->pending.failed)
        return wci_err_nomem(err);
    int32_t rc = wci_fd_write(w->file, w->pending.data, w->pending.size, err);
    wci_str_clear(&w->pending);
    return rc;
}

static int32_t open_new(wci_contents_writer *w, wc_error **err)
{
    int32_t rc = wci_file_open(w->path, WCI_OPEN_WRITE | WCI_OPEN_CREATE | WCI_OPEN_EXCL, 0600, &w->file, err);
    wci_str_append(&w->pending, header);
    return rc;
}

int32_t wci_contents_add(wci_contents_writer *w, const wci_content_key *key, const char *name, wc_error **err)
{
    int32_t rc = w->file == WCI_FD_NONE ? open_new(w, err) : WC_OK;
    if (rc)
        return rc;
    wci_str_append_n(&w->pending, key->bytes, sizeof key->bytes);
    wci_str_append_n(&w->pending, name, strlen(name) + 1);
    return w->pending.failed || w->pending.size >= FLUSH_SIZE ? flush(w, err) : WC_OK;
}

int32_t wci_contents_finish(wci_contents_writer *w, wc_error **err)
{
    return w->pending.size || w->pending.failed ? flush(w, err) : WC_OK;
}

void wci_contents_close(wci_contents_writer *w)
{
    wci_fd_close(w->file);
    wci_str_free(&w->pending);
    w->file = WCI_FD_NONE;
}

/* ---- Reading ---------------------------------------------------------------------------------- */

static int32_t read_records(const char *at, const char *end, const wci_contents_taker *taker, const char *path,
                            wc_error **err)
{
    while (at < end) {
        wci_content_key key;
        const char *name = at + sizeof key.bytes;
        const char *zero = (size_t)(end - at) > sizeof key.bytes ? memchr(name, '\0', (size_t)(end - name)) : NULL;
        if (!zero)
            return wci_err(err, WC_E_CORRUPT, "layer contents '%s': damaged", path);
        memcpy(key.bytes, at, sizeof key.bytes);
        int32_t rc = taker->take(taker->self, &key, name, err);
        if (rc)
            return rc;
        at = zero + 1;
    }
    return WC_OK;
}

int32_t wci_contents_read(const char *path, const wci_contents_taker *taker, wc_error **err)
{
    wc_buf *text = NULL;
    int32_t rc = wci_file_read_all(path, MAX_FILE, &text, err);
    if (rc)
        return rc;
    const char *data = wc_buf_data(text);
    size_t size = wc_buf_size(text);
    if (size < HEADER_SIZE || memcmp(data, header, HEADER_SIZE) != 0)
        rc = wci_err(err, WC_E_CORRUPT, "layer contents '%s': damaged", path);
    else
        rc = read_records(data + HEADER_SIZE, data + size, taker, path, err);
    wc_buf_unref(text);
    return rc;
}
