/* SPDX-License-Identifier: Apache-2.0 */
/* The file is a zstd stream of records, each a letter and what belongs to it (numbers are 64 bits, the
 * lowest byte first):
 *
 *     B size bytes                         as they stand in the tar
 *     F offset size name-size name         as they stand in a file of the tree
 *     E                                    the end
 *
 * Which bytes a file of the tree has is found by comparing, so nothing depends on how entries become
 * files: what the tree does not have for whatever reason is kept here. */
#include "layer/split.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "layer/path.h"
#include "layer/regular.h"
#include "layer/tar_reader.h"
#include "platform/tree.h"

enum {
    CHUNK_SIZE = 256 * 1024,
    WORTH_SIZE = 256,        /* a record takes space, too */
    BACKLOG_SIZE = 1024 * 1024,
};

static const char header[] = "wincontainer layer split 1\n";

/* ---- Splitting ---------------------------------------------------------------------------------- */

/* A stretch of a file of the tree. */
typedef struct stretch {
    char *name; /* NULL: none */
    uint64_t offset, size;
} stretch;

typedef struct splitter {
    wci_fd root, out;
    wci_encoder *encoder;
    uint64_t kept;
    const wci_source *from;
    wci_str raw;       /* of the stream from `raw_at` on, as far as it was read */
    uint64_t raw_at;
    stretch pending;   /* comes before `raw` */
    unsigned char *chunk;
} splitter;

static int32_t keep(void *self, const void *data, size_t size, wc_error **err)
{
    splitter *s = self;
    s->kept += size;
    return wci_fd_write(s->out, data, size, err);
}

static int32_t put_number(splitter *s, uint64_t number, wc_error **err)
{
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(number >> (8 * i));
    return wci_encoder_write(s->encoder, bytes, sizeof bytes, err);
}

static int32_t put_text(splitter *s, const char *text, size_t size, wc_error **err)
{
    int32_t rc = put_number(s, size, err);
    return rc ? rc : wci_encoder_write(s->encoder, text, size, err);
}

static int32_t flush_pending(splitter *s, wc_error **err)
{
    stretch *p = &s->pending;
    if (!p->name)
        return WC_OK;
    int32_t rc = wci_encoder_write(s->encoder, "F", 1, err);
    if (!rc)
        rc = put_number(s, p->offset, err);
    if (!rc)
        rc = put_number(s, p->size, err);
    if (!rc)
        rc = put_text(s, p->name, strlen(p->name), err);
    wci_free(p->name);
    p->name = NULL;
    return rc;
}

static void drop_raw(splitter *s, size_t size)
{
    memmove(s->raw.data, s->raw.data + size, s->raw.size - size);
    s->raw.size -= size;
    s->raw_at += size;
}

/* All that stands before `offset` of the stream. */
static int32_t flush_raw(splitter *s, uint64_t offset, wc_error **err)
{
    size_t size = (size_t)(offset - s->raw_at);
    if (!size)
        return WC_OK;
    int32_t rc = flush_pending(s, err);
    if (!rc)
        rc = wci_encoder_write(s->encoder, "B", 1, err);
    if (!rc)
        rc = put_text(s, s->raw.data, size, err);
    if (!rc)
        drop_raw(s, size);
    return rc;
}

/* The stream has, from `at` on, what the file has from `offset` on. */
static int32_t refer(splitter *s, uint64_t at, const char *name, uint64_t offset, size_t size,
                     wc_error **err)
{
    int32_t rc = flush_raw(s, at, err);
    if (rc)
        return rc;
    drop_raw(s, size);
    stretch *p = &s->pending;
    if (p->name && p->offset + p->size == offset && !strcmp(p->name, name)) {
        p->size += size;
        return WC_OK;
    }
    rc = flush_pending(s, err);
    if (!rc && !(p->name = wci_strdup(name)))
        rc = wci_err_nomem(err);
    p->offset = offset;
    p->size = size;
    return rc;
}

static int32_t tap(void *self, void *data, size_t size, size_t *got, wc_error **err)
{
    splitter *s = self;
    int32_t rc = s->from->read(s->from->self, data, size, got, err);
    if (!rc)
        wci_str_append_n(&s->raw, data, *got);
    return rc || !s->raw.failed ? rc : wci_err_nomem(err);
}

/* `file` may be none. */
static int has_bytes(splitter *s, wci_fd file, uint64_t offset, const void *data, size_t size)
{
    size_t got = 0;
    return size >= WORTH_SIZE && size <= CHUNK_SIZE && !wci_fd_pread(file, s->chunk, size, offset, &got, NULL) && got == size &&
           memcmp(s->chunk, data, size) == 0;
}

static int32_t split_payload(splitter *s, wci_tar_reader *reader, wci_fd file, const char *name,
                             wc_error **err)
{
    uint64_t at = wci_tar_reader_data_offset(reader), offset;
    for (;;) {
        const void *data;
        size_t size;
        int32_t rc = wci_tar_reader_data(reader, &data, &size, &offset, err);
        if (rc || !size)
            return rc;
        if (has_bytes(s, file, offset, data, size))
            rc = refer(s, at, name, offset, size, err);
        else if (s->raw.size > BACKLOG_SIZE)
            rc = flush_raw(s, at, err);
        if (rc)
            return rc;
        at += size;
    }
}

static int32_t split_entry(splitter *s, wci_tar_reader *reader, const wci_tar_entry *entry, wc_error **err)
{
    wci_str name = WCI_STR_INIT;
    wci_fd file = WCI_FD_NONE;
    if (entry->data_size < WORTH_SIZE)
        return WC_OK;
    if (!wci_path_clean(entry->name, &wci_limits_default, "its name", &name, NULL))
        (void)wci_regular_open(s->root, name.data, &file, NULL, NULL);
    int32_t rc = split_payload(s, reader, file, name.data ? name.data : "", err);
    wci_fd_close(file);
    wci_str_free(&name);
    return rc;
}

static int32_t split_entries(splitter *s, wci_tar_reader *reader, wc_error **err)
{
    for (;;) {
        const wci_tar_entry *entry;
        int32_t rc = wci_tar_reader_next(reader, &entry, err);
        if (!rc && entry)
            rc = split_entry(s, reader, entry, err);
        if (rc || !entry)
            return rc;
        /* What the reader has read ahead is at most one buffer. */
        if (s->raw.size > BACKLOG_SIZE)
            rc = flush_raw(s, s->raw_at + s->raw.size - CHUNK_SIZE, err);
        if (rc)
            return rc;
    }
}

static int32_t check_diff_id(wci_hasher *hasher, const wci_digest *diff_id, int32_t code, const char *why,
                             wc_error **err)
{
    wci_digest found;
    int32_t rc = wci_hasher_final(hasher, &found, err);
    return rc || wci_digest_equal(&found, diff_id) ? rc
                                                   : wci_err(err, code, "layer '%s': %s", diff_id->text, why);
}

static int32_t split_stream(splitter *s, const wci_digest *diff_id, wc_error **err)
{
    wci_hasher *hasher = NULL;
    wci_tar_reader *reader = NULL;
    int32_t rc = wci_hasher_new(wci_digest_algo(diff_id), &hasher, err);
    const wci_tar_input input = {.source = {tap, s}, .limits = &wci_limits_default, .hasher = hasher};
    if (!rc)
        rc = wci_tar_reader_new(&input, &reader, err);
    if (!rc)
        rc = split_entries(s, reader, err);
    if (!rc)
        rc = check_diff_id(hasher, diff_id, WC_E_DIGEST, "the blob unpacks to something else", err);
    if (!rc)
        rc = flush_raw(s, s->raw_at + s->raw.size, err);
    if (!rc)
        rc = flush_pending(s, err);
    wci_tar_reader_free(reader);
    wci_hasher_free(hasher);
    return rc;
}

static int32_t write_split(splitter *s, const wci_digest *diff_id, wc_error **err)
{
    const wci_sink to = {keep, s};
    s->chunk = wci_malloc(CHUNK_SIZE);
    int32_t rc = s->chunk ? wci_fd_write(s->out, header, sizeof header - 1, err) : wci_err_nomem(err);
    if (!rc)
        rc = wci_encoder_new(WCI_CODEC_ZSTD, &to, &s->encoder, err);
    if (!rc)
        rc = split_stream(s, diff_id, err);
    if (!rc)
        rc = wci_encoder_write(s->encoder, "E", 1, err);
    if (!rc)
        rc = wci_encoder_end(s->encoder, err);
    wci_encoder_free(s->encoder);
    wci_free(s->pending.name);
    wci_str_free(&s->raw);
    wci_free(s->chunk);
    return rc;
}

int32_t wci_layer_split(const wci_source *compressed, wci_codec codec, const wci_digest *diff_id,
                        const char *fs, const char *path, uint64_t *kept, wc_error **err)
{
    wci_decoder *decoder = NULL;
    splitter s = {.root = WCI_FD_NONE, .out = WCI_FD_NONE};
    int32_t rc = wci_decoder_new(codec, compressed, &decoder, err);
    const wci_source plain = {wci_decoder_read, decoder};
    s.from = &plain;
    if (!rc)
        rc = wci_tree_open_root(fs, &s.root, err);
    if (!rc)
        rc = wci_file_open(path, WCI_OPEN_WRITE | WCI_OPEN_CREATE | WCI_OPEN_EXCL, 0600, &s.out, err);
    if (!rc)
        rc = write_split(&s, diff_id, err);
    wci_fd_close(s.out);
    wci_fd_close(s.root);
    wci_decoder_free(decoder);
    if (!rc)
        *kept = s.kept;
    return rc;
}

/* ---- Joining ------------------------------------------------------------------------------------ */

typedef struct joiner {
    wci_fd root, in;
    wci_decoder *records;
    wci_hasher *hasher;
    const wci_sink *to;
    char *chunk;
    char name[4097]; /* as long as names in layers may be */
    const char *path;
} joiner;

static int32_t damaged(const joiner *j, wc_error **err)
{
    return wci_err(err, WC_E_CORRUPT, "layer records '%s': damaged", j->path);
}

static int32_t take(joiner *j, void *data, size_t size, wc_error **err)
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

static int32_t take_number(joiner *j, uint64_t *out, wc_error **err)
{
    unsigned char bytes[8];
    int32_t rc = take(j, bytes, sizeof bytes, err);
    *out = 0;
    for (int i = 0; i < 8 && !rc; i++)
        *out |= (uint64_t)bytes[i] << (8 * i);
    return rc;
}

static int32_t give(joiner *j, const void *data, size_t size, wc_error **err)
{
    wci_hasher_update(j->hasher, data, size);
    return j->to->write(j->to->self, data, size, err);
}

static int32_t join_bytes(joiner *j, wc_error **err)
{
    uint64_t left;
    int32_t rc = take_number(j, &left, err);
    while (!rc && left) {
        size_t size = left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE;
        rc = take(j, j->chunk, size, err);
        if (!rc)
            rc = give(j, j->chunk, size, err);
        left -= size;
    }
    return rc;
}

static int32_t join_stretch(joiner *j, wci_fd file, uint64_t offset, uint64_t left, wc_error **err)
{
    int32_t rc = WC_OK;
    while (!rc && left) {
        size_t size = left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE, got = 0;
        rc = wci_fd_pread(file, j->chunk, size, offset, &got, err);
        if (!rc && !got)
            rc = wci_err(err, WC_E_CORRUPT, "layer file '%s': too short", j->name);
        if (!rc)
            rc = give(j, j->chunk, got, err);
        offset += got;
        left -= got;
    }
    return rc;
}

static int32_t join_file(joiner *j, wc_error **err)
{
    uint64_t offset, size, name_size;
    wci_fd file = WCI_FD_NONE;
    int32_t rc = take_number(j, &offset, err);
    if (!rc)
        rc = take_number(j, &size, err);
    if (!rc)
        rc = take_number(j, &name_size, err);
    if (!rc && name_size >= sizeof j->name)
        rc = damaged(j, err);
    if (!rc)
        rc = take(j, j->name, (size_t)name_size, err);
    if (rc)
        return rc;
    j->name[name_size] = '\0';
    rc = wci_regular_open(j->root, j->name, &file, NULL, err);
    if (!rc)
        rc = join_stretch(j, file, offset, size, err);
    wci_fd_close(file);
    return rc == WC_E_NOT_FOUND ? wci_err_wrap(err, WC_E_CORRUPT, "layer file '%s'", j->name) : rc;
}

static int32_t join_records(joiner *j, wc_error **err)
{
    for (;;) {
        char kind;
        int32_t rc = take(j, &kind, 1, err);
        if (rc || kind == 'E')
            return rc;
        rc = kind == 'B' ? join_bytes(j, err) : kind == 'F' ? join_file(j, err) : damaged(j, err);
        if (rc)
            return rc;
    }
}

static int32_t open_records(joiner *j, const wci_source *from, const wci_digest *diff_id, wc_error **err)
{
    char first[sizeof header - 1];
    size_t got = 0;
    int32_t rc = wci_file_open(j->path, WCI_OPEN_READ, 0, &j->in, err);
    if (!rc)
        rc = wci_fd_read(j->in, first, sizeof first, &got, err);
    if (!rc && (got != sizeof first || memcmp(first, header, sizeof first) != 0))
        rc = damaged(j, err);
    if (!rc)
        rc = wci_decoder_new(WCI_CODEC_ZSTD, from, &j->records, err);
    if (!rc)
        rc = wci_hasher_new(wci_digest_algo(diff_id), &j->hasher, err);
    if (!rc && !(j->chunk = wci_malloc(CHUNK_SIZE)))
        rc = wci_err_nomem(err);
    return rc;
}

int32_t wci_layer_join(const char *fs, const char *path, const wci_digest *diff_id, const wci_sink *to,
                       wc_error **err)
{
    joiner *j = wci_calloc(1, sizeof *j);
    if (!j)
        return wci_err_nomem(err);
    const wci_source from = {wci_source_read_file, &j->in};
    j->root = j->in = WCI_FD_NONE;
    j->to = to;
    j->path = path;
    int32_t rc = wci_tree_open_root(fs, &j->root, err);
    if (!rc)
        rc = open_records(j, &from, diff_id, err);
    if (!rc)
        rc = join_records(j, err);
    if (!rc)
        rc = check_diff_id(j->hasher, diff_id, WC_E_CORRUPT, "its tree has changed", err);
    wci_hasher_free(j->hasher);
    wci_decoder_free(j->records);
    wci_free(j->chunk);
    wci_fd_close(j->in);
    wci_fd_close(j->root);
    wci_free(j);
    return rc;
}
