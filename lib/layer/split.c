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

static const char header[] = WCI_SPLIT_HEADER;

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

int32_t wci_layer_check_id(wci_hasher *hasher, const wci_digest *diff_id, int32_t code, const char *why, wc_error **err)
{
    wci_digest found;
    int32_t rc = wci_hasher_final(hasher, &found, err);
    if (!rc && !wci_digest_equal(&found, diff_id))
        rc = wci_err(err, code, "layer '%s': %s", diff_id->text, why);
    return rc;
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
        rc = wci_layer_check_id(hasher, diff_id, WC_E_DIGEST, "the blob unpacks to something else", err);
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
