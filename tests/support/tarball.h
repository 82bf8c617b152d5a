/* SPDX-License-Identifier: Apache-2.0 */
/* Tars made byte by byte, so that tests can also make those that no tool would, and their way
 * through wci_layer_unpack(). */
#ifndef WC_TEST_TARBALL_H
#define WC_TEST_TARBALL_H

#include "support/support.h"

#include <wincontainer/error.h>
#include <zlib.h>
#include <zstd.h>

#include "layer/layer.h"

typedef struct tarball {
    char *data;
    size_t size, cap;
    char *pax; /* records for the next entry */
    size_t pax_size;
} tarball;

#define TARBALL_INIT {NULL, 0, 0, NULL, 0}

/* One entry; what is not said is 0 or "". mode 0 becomes 0755 for directories, else 0644. */
typedef struct tar_item {
    const char *name;
    char type; /* 0: a file */
    const char *link;
    const char *text;  /* content */
    size_t size;       /* of content with zeros in it; 0: strlen(text) */
    unsigned mode, uid, gid, major, minor;
    long long mtime;
} tar_item;

TEST_HELPER void tar_bytes(tarball *t, const void *data, size_t size)
{
    if (t->size + size > t->cap && !(t->data = realloc(t->data, t->cap = t->cap * 2 + size + 4096)))
        abort();
    if (size)
        memcpy(t->data + t->size, data, size);
    t->size += size;
}

TEST_HELPER void tar_zeros(tarball *t, size_t size)
{
    static const char zeros[4096];
    for (; size > sizeof zeros; size -= sizeof zeros)
        tar_bytes(t, zeros, sizeof zeros);
    tar_bytes(t, zeros, size);
}

TEST_HELPER void tar_pad(tarball *t)
{
    tar_zeros(t, -t->size & 511);
}

TEST_HELPER void tar_sign(char *block)
{
    unsigned sum = 0;
    memset(block + 148, ' ', 8);
    for (int i = 0; i < 512; i++)
        sum += (unsigned char)block[i];
    snprintf(block + 148, 8, "%06o", sum);
}

/* A header block with its checksum; change it and call tar_sign() for odder ones. */
TEST_HELPER void tar_header(char *block, const tar_item *item, size_t size)
{
    unsigned mode = item->mode ? item->mode : item->type == '5' ? 0755 : 0644;
    memset(block, 0, 512);
    snprintf(block, 101, "%s", item->name);
    snprintf(block + 100, 8, "%07o", mode & 07777u);
    snprintf(block + 108, 8, "%07o", item->uid);
    snprintf(block + 116, 8, "%07o", item->gid);
    snprintf(block + 124, 12, "%011llo", (unsigned long long)size & 077777777777ull);
    snprintf(block + 136, 12, "%011llo", item->mtime);
    block[156] = item->type ? item->type : '0';
    snprintf(block + 157, 101, "%s", item->link ? item->link : "");
    memcpy(block + 257, "ustar\0" "00", 8);
    snprintf(block + 329, 8, "%07o", item->major);
    snprintf(block + 337, 8, "%07o", item->minor);
    tar_sign(block);
}

/* A pax record for the next entry; size 0: strlen(value). */
TEST_HELPER void tar_pax(tarball *t, const char *key, const char *value, size_t size)
{
    size_t n = size ? size : strlen(value), body = strlen(key) + n + 3, total = body + 1;
    while (total != body + (size_t)snprintf(NULL, 0, "%zu", total))
        total = body + (size_t)snprintf(NULL, 0, "%zu", total);
    t->pax = realloc(t->pax, t->pax_size + total + 1);
    char *p = t->pax + t->pax_size;
    p += sprintf(p, "%zu %s=", total, key);
    memcpy(p, value, n);
    p[n] = '\n';
    t->pax_size += total;
}

/* A meta entry: pax header 'x' or 'g', long name 'L', long link 'K'. */
TEST_HELPER void tar_meta(tarball *t, char type, const void *data, size_t size)
{
    char block[512];
    tar_header(block, &(tar_item){.name = "././@Meta", .type = type}, size);
    tar_bytes(t, block, sizeof block);
    tar_bytes(t, data, size);
    tar_pad(t);
}

TEST_HELPER void tar_flush_pax(tarball *t)
{
    if (t->pax_size)
        tar_meta(t, 'x', t->pax, t->pax_size);
    t->pax_size = 0;
}

TEST_HELPER void tar_item_put(tarball *t, const tar_item *item)
{
    char block[512];
    size_t size = item->size ? item->size : item->text ? strlen(item->text) : 0;
    tar_flush_pax(t);
    tar_header(block, item, size);
    tar_bytes(t, block, sizeof block);
    tar_bytes(t, item->text, size);
    tar_pad(t);
}
#define tar_put(t, ...) tar_item_put((t), &(tar_item){__VA_ARGS__})
#define tar_file(t, path, content) tar_put(t, .name = path, .text = content)
#define tar_dir(t, path) tar_put(t, .name = path, .type = '5')
#define tar_symlink(t, path, target) tar_put(t, .name = path, .type = '2', .link = target)
#define tar_hardlink(t, path, target) tar_put(t, .name = path, .type = '1', .link = target)

TEST_HELPER void tar_end(tarball *t)
{
    tar_zeros(t, 1024);
}

TEST_HELPER void tar_free(tarball *t)
{
    free(t->data);
    free(t->pax);
    *t = (tarball)TARBALL_INIT;
}

/* ---- Compressing ------------------------------------------------------------------------------- */

TEST_HELPER void tar_gzip(tarball *out, const void *data, size_t size)
{
    z_stream z = {0};
    size_t bound = compressBound(size) + 64;
    char *to = malloc(bound);
    if (!to || deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    z.next_in = (unsigned char *)data;
    z.avail_in = (unsigned)size;
    z.next_out = (unsigned char *)to;
    z.avail_out = (unsigned)bound;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        abort();
    tar_bytes(out, to, bound - z.avail_out);
    deflateEnd(&z);
    free(to);
}

TEST_HELPER void tar_zstd(tarball *out, const void *data, size_t size)
{
    size_t bound = ZSTD_compressBound(size);
    char *to = malloc(bound);
    ZSTD_CCtx *z = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
    size_t n = ZSTD_compress2(z, to, bound, data, size);
    if (ZSTD_isError(n))
        abort();
    tar_bytes(out, to, n);
    ZSTD_freeCCtx(z);
    free(to);
}

/* ---- Sources ----------------------------------------------------------------------------------- */

typedef struct memory_source {
    const char *data;
    size_t size, at;
    size_t piece; /* at most so many bytes at once; 0: all */
} memory_source;

TEST_HELPER int32_t memory_read(void *self, void *data, size_t size, size_t *got, wc_error **err)
{
    memory_source *m = self;
    (void)err;
    size_t n = m->size - m->at;
    if (n > size)
        n = size;
    if (m->piece && n > m->piece)
        n = m->piece;
    if (n)
        memcpy(data, m->data + m->at, n);
    m->at += n;
    *got = n;
    return WC_OK;
}

/* ---- Unpacking --------------------------------------------------------------------------------- */

TEST_HELPER int32_t unpack_bytes(const void *data, size_t size, wci_codec codec,
                                 const wci_digest *diff_id, const char *dir,
                                 const wci_limits *limits, wci_unpack_stats *stats, wc_error **err)
{
    memory_source m = {data, size, 0, 0};
    wci_source source = {memory_read, &m};
    return wci_layer_unpack(&source, codec, diff_id, dir, limits ? limits : &wci_limits_default,
                            NULL, stats, err);
}

/* A plain tar, its DiffID computed here. */
TEST_HELPER int32_t unpack_tar(const tarball *t, const char *dir, const wci_limits *limits,
                               wci_unpack_stats *stats, wc_error **err)
{
    wci_digest diff_id;
    test_ok(wci_digest_of(WCI_SHA256, t->size ? t->data : "", t->size, &diff_id, NULL));
    return unpack_bytes(t->data, t->size, WCI_CODEC_NONE, &diff_id, dir, limits, stats, err);
}

/* A failed call's code, and an error object that tells it. Shows the message on request of
 * WC_TEST_VERBOSE. */
TEST_HELPER void expect_refused(int32_t rc, wc_error **err, int32_t want)
{
    wc_buf *text = NULL;
    if (getenv("WC_TEST_VERBOSE") && *err && wc_error_format(*err, &text) == WC_OK)
        printf("  %s: %s\n", wc_code_name(rc), wc_buf_data(text));
    wc_buf_unref(text);
    ck_assert_msg(rc == want, "gave %s instead of %s", wc_code_name(rc), wc_code_name(want));
    ck_assert_ptr_nonnull(*err);
    ck_assert_int_eq(wc_error_code(*err), want);
    wc_error_unref(*err);
    *err = NULL;
}

#endif
