/* SPDX-License-Identifier: Apache-2.0 */
#include "layer/split.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/path.h"
#include "layer/regular.h"
#include "platform/tree.h"

enum { CHUNK_SIZE = 256 * 1024 };

/* What the record that is being given consists of. */
typedef enum join_from {
    FROM_NOTHING, /* the next record is to be read */
    FROM_RECORDS,
    FROM_FILE,
    FROM_ZEROS,
    FROM_END,
} join_from;

struct wci_joiner {
    wci_join_input input;
    wci_decoder *records;
    uint64_t records_at; /* how much of their file has been read */
    join_from from;
    uint64_t left;   /* of the present record */
    uint64_t offset; /* in the file */
    wci_fd file;
    wci_str clean;
    char name[4097]; /* as long as names in layers may be */
};

/* ---- Records ------------------------------------------------------------------------------------ */

static int32_t damaged(const wci_joiner *j, wc_error **err)
{
    return wci_err(err, WC_E_CORRUPT, "layer records '%s': damaged", j->input.what);
}

static int32_t take(wci_joiner *j, void *data, size_t size, wc_error **err)
{
    for (size_t done = 0; done < size;) {
        size_t got = 0;
        int32_t rc = wci_decoder_read(j->records, (char *)data + done, size - done, &got, err);
        if (rc)
            return rc;
        if (!got)
            return damaged(j, err);
        done += got;
    }
    return WC_OK;
}

static int32_t take_number(wci_joiner *j, uint64_t *out, wc_error **err)
{
    unsigned char bytes[8];
    int32_t rc = take(j, bytes, sizeof bytes, err);
    *out = 0;
    for (int i = 0; i < 8 && !rc; i++)
        *out |= (uint64_t)bytes[i] << (8 * i);
    return rc;
}

static int32_t take_name(wci_joiner *j, wc_error **err)
{
    uint64_t size;
    int32_t rc = take_number(j, &size, err);
    if (!rc && size >= sizeof j->name)
        rc = damaged(j, err);
    if (!rc)
        rc = take(j, j->name, (size_t)size, err);
    if (rc)
        return rc;
    j->name[size] = '\0';
    /* Only clean names are written. */
    if (wci_path_clean(j->name, &wci_limits_default, "its name", &j->clean, NULL) || strcmp(j->clean.data, j->name) ||
        strlen(j->name) != size)
        return damaged(j, err);
    return WC_OK;
}

static int is_lax(const wci_joiner *j)
{
    return j->input.is_lax && j->input.is_lax(j->input.owner, j->name);
}

static int32_t begin_file(wci_joiner *j, wc_error **err)
{
    int32_t rc = take_number(j, &j->offset, err);
    if (!rc)
        rc = take_number(j, &j->left, err);
    if (!rc && (j->offset > INT64_MAX || j->left > INT64_MAX - j->offset))
        rc = damaged(j, err);
    if (!rc)
        rc = take_name(j, err);
    if (rc)
        return rc;
    if (is_lax(j)) {
        j->from = FROM_ZEROS;
        return WC_OK;
    }
    j->from = FROM_FILE;
    rc = wci_regular_open(j->input.root, j->name, &j->file, NULL, err);
    if (rc != WC_E_NOT_FOUND)
        return rc;
    wci_err_clear(err);
    return wci_err(err, WC_E_CORRUPT, "layer file '%s': is not there", j->name);
}

/* What the codec has at the end tells whether all of it was right. */
static int32_t end_records(wci_joiner *j, wc_error **err)
{
    char more;
    size_t got = 0;
    int32_t rc = wci_decoder_read(j->records, &more, 1, &got, err);
    j->from = FROM_END;
    return rc || !got ? rc : damaged(j, err);
}

static int32_t begin_record(wci_joiner *j, wc_error **err)
{
    char kind;
    int32_t rc = take(j, &kind, 1, err);
    if (rc)
        return rc;
    if (kind == 'F')
        return begin_file(j, err);
    if (kind == 'E')
        return end_records(j, err);
    j->from = FROM_RECORDS;
    return kind == 'B' ? take_number(j, &j->left, err) : damaged(j, err);
}

/* ---- Their content ------------------------------------------------------------------------------ */

static int32_t read_file(wci_joiner *j, void *data, size_t size, size_t *got, wc_error **err)
{
    int32_t rc = wci_fd_pread(j->file, data, size, j->offset, got, err);
    if (!rc && !*got)
        rc = wci_err(err, WC_E_CORRUPT, "layer file '%s': too short", j->name);
    j->offset += rc ? 0 : *got;
    return rc;
}

static int32_t read_some(wci_joiner *j, void *data, size_t size, size_t *got, wc_error **err)
{
    if (j->from == FROM_FILE)
        return read_file(j, data, size, got, err);
    *got = size;
    if (j->from == FROM_RECORDS)
        return take(j, data, size, err);
    memset(data, 0, size);
    return WC_OK;
}

/* To the next record that holds something, or to the end. */
static int32_t advance(wci_joiner *j, wc_error **err)
{
    int32_t rc = WC_OK;
    while (!rc && !j->left && j->from != FROM_END) {
        wci_fd_close(j->file);
        j->file = WCI_FD_NONE;
        rc = begin_record(j, err);
    }
    return rc;
}

int32_t wci_joiner_read(void *joiner, void *data, size_t size, size_t *got, wc_error **err)
{
    wci_joiner *j = joiner;
    size_t some = 0;
    *got = 0;
    while (*got < size) {
        int32_t rc = advance(j, err);
        if (rc || j->from == FROM_END)
            return rc;
        size_t want = size - *got < j->left ? size - *got : (size_t)j->left;
        rc = read_some(j, (char *)data + *got, want, &some, err);
        if (rc)
            return rc;
        j->left -= some;
        *got += some;
    }
    return WC_OK;
}

/* ---- The whole ---------------------------------------------------------------------------------- */

static int32_t read_records(void *self, void *data, size_t size, size_t *got, wc_error **err)
{
    wci_joiner *j = self;
    int32_t rc = wci_fd_pread(j->input.records, data, size, j->records_at, got, err);
    j->records_at += rc ? 0 : *got;
    return rc;
}

static int32_t open_records(wci_joiner *j, wc_error **err)
{
    char first[sizeof WCI_SPLIT_HEADER - 1];
    size_t got = 0;
    const wci_source from = {read_records, j};
    int32_t rc = read_records(j, first, sizeof first, &got, err);
    if (!rc && (got != sizeof first || memcmp(first, WCI_SPLIT_HEADER, sizeof first) != 0))
        rc = damaged(j, err);
    return rc ? rc : wci_decoder_new(WCI_CODEC_ZSTD, &from, &j->records, err);
}

int32_t wci_joiner_new(const wci_join_input *input, wci_joiner **out, wc_error **err)
{
    wci_joiner *j = wci_calloc(1, sizeof *j);
    if (!j)
        return wci_err_nomem(err);
    j->input = *input;
    j->file = WCI_FD_NONE;
    int32_t rc = open_records(j, err);
    if (rc)
        wci_joiner_free(j);
    else
        *out = j;
    return rc;
}

void wci_joiner_free(wci_joiner *j)
{
    if (!j)
        return;
    wci_decoder_free(j->records);
    wci_fd_close(j->file);
    wci_str_free(&j->clean);
    wci_free(j);
}

static int32_t pass_all(wci_joiner *j, wci_hasher *hasher, const wci_sink *to, wc_error **err)
{
    char *chunk = wci_malloc(CHUNK_SIZE);
    int32_t rc = chunk ? WC_OK : wci_err_nomem(err);
    uint64_t total = 0;
    for (size_t got = 1; !rc && got;) {
        rc = wci_joiner_read(j, chunk, CHUNK_SIZE, &got, err);
        total += got;
        if (!rc && total > wci_limits_default.max_bytes)
            rc = wci_err(err, WC_E_LIMIT, "layer records '%s': give more than a layer may have", j->input.what);
        if (rc || !got)
            break;
        wci_hasher_update(hasher, chunk, got);
        rc = to->write(to->self, chunk, got, err);
    }
    wci_free(chunk);
    return rc;
}

int32_t wci_layer_join_files(const wci_join_input *input, const wci_digest *diff_id, const wci_sink *to, wc_error **err)
{
    wci_joiner *j = NULL;
    wci_hasher *hasher = NULL;
    int32_t rc = wci_joiner_new(input, &j, err);
    if (!rc)
        rc = wci_hasher_new(wci_digest_algo(diff_id), &hasher, err);
    if (!rc)
        rc = pass_all(j, hasher, to, err);
    if (!rc)
        rc = wci_layer_check_id(hasher, diff_id, WC_E_CORRUPT, "its tree has changed", err);
    wci_hasher_free(hasher);
    wci_joiner_free(j);
    return rc;
}

int32_t wci_layer_join(const char *fs, const char *path, const wci_digest *diff_id, const wci_sink *to,
                       wc_error **err)
{
    wci_join_input input = {.root = WCI_FD_NONE, .records = WCI_FD_NONE, .what = path};
    int32_t rc = wci_tree_open_root(fs, &input.root, err);
    if (!rc)
        rc = wci_file_open(path, WCI_OPEN_READ, 0, &input.records, err);
    if (!rc)
        rc = wci_layer_join_files(&input, diff_id, to, err);
    wci_fd_close(input.records);
    wci_fd_close(input.root);
    return rc;
}
