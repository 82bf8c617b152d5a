/* SPDX-License-Identifier: Apache-2.0 */
/* zstd:chunked layers made entry by entry; what their tables say may be changed before they are written. */
#ifndef WC_TEST_CHUNKED_H
#define WC_TEST_CHUNKED_H

#include "support/tarball.h"

#include "core/alloc.h"
#include "core/base64.h"
#include "core/digest.h"

typedef struct chunked {
    tarball tar;      /* the layer */
    tarball stored;   /* its frames so far */
    tarball pending;  /* of the tar, not yet in a frame */
    tarball contents; /* the table's entries, JSON */
    tarball split;    /* lines of tar-split */
    size_t content_at, content_end; /* of the last content, in `stored` */
    /* To be set before the end. */
    const char *table_more;  /* further members of the table of contents */
    int no_split_digest;     /* the table of contents does not name the tar-split */
    int old_footer;          /* 40 bytes, and no tar-split */
    long long shift;         /* of the table's place in the footer */
    wci_digest table;        /* after the end: of the stored table of contents */
} chunked;

/* Works outside of Check, too. */
TEST_HELPER wci_digest chunked_digest(const void *data, size_t size)
{
    wci_digest digest;
    if (wci_digest_of(WCI_SHA256, data ? data : "", size, &digest, NULL))
        abort();
    return digest;
}

TEST_HELPER void chunked_text(tarball *to, char *text)
{
    tar_bytes(to, text, strlen(text));
    free(text);
}

/* Bytes of the tar that are no content. */
TEST_HELPER void chunked_skeleton(chunked *c, const void *data, size_t size)
{
    if (!size)
        return;
    char *coded = wci_base64_encode(data, size);
    tar_bytes(&c->tar, data, size);
    tar_bytes(&c->pending, data, size);
    chunked_text(&c->split, test_text("{\"type\":2,\"payload\":\"%s\",\"position\":0}\n", coded));
    wci_free(coded);
}

TEST_HELPER void chunked_flush(chunked *c)
{
    tar_zstd(&c->stored, c->pending.data, c->pending.size);
    c->pending.size = 0;
}

/* One content, in as many frames as it has pieces of that size (0: one). */
TEST_HELPER void chunked_content(chunked *c, const char *data, size_t size, size_t piece)
{
    chunked_flush(c);
    tar_bytes(&c->tar, data, size);
    c->content_at = c->stored.size;
    for (size_t at = 0; at < size; at += piece ? piece : size)
        tar_zstd(&c->stored, data + at, piece && piece < size - at ? piece : size - at);
    c->content_end = c->stored.size;
}

TEST_HELPER const char *chunked_type(const tar_item *item)
{
    static const char *const names[] = {"reg", "hardlink", "symlink", "char", "block", "dir", "fifo"};
    return item->type ? names[item->type - '0'] : "reg";
}

/* What the table says of an entry; `xattrs` is a JSON object or NULL. */
TEST_HELPER void chunked_list(chunked *c, const tar_item *item, size_t size, size_t piece, const char *xattrs)
{
    wci_digest digest = chunked_digest(item->text, size);
    unsigned mode = item->mode ? item->mode : item->type == '5' ? 0755 : 0644;
    chunked_text(&c->contents,
                 test_text("%s{\"type\":\"%s\",\"name\":\"%s\",\"linkName\":\"%s\",\"mode\":%u,\"size\":%zu,"
                           "\"uid\":%u,\"gid\":%u,\"devMajor\":%u,\"devMinor\":%u,\"xattrs\":%s,"
                           "\"modtime\":\"1970-01-01T00:00:00Z\",\"digest\":\"%s\",\"offset\":%zu,\"endOffset\":%zu}",
                           c->contents.size ? "," : "", chunked_type(item), item->name,
                           item->link ? item->link : "", mode, size, item->uid, item->gid, item->major,
                           item->minor, xattrs ? xattrs : "null", size ? digest.text : "", size ? c->content_at : 0,
                           size ? c->content_end : 0));
    for (size_t at = piece; piece && at < size; at += piece)
        chunked_text(&c->contents, test_text(",{\"type\":\"chunk\",\"name\":\"%s\",\"chunkOffset\":%zu}",
                                             item->name, at));
}

/* An entry of the tar and of the tables. A pax header for it is made from `records` (NULL: none). */
TEST_HELPER void chunked_item(chunked *c, const tar_item *item, size_t piece, tarball *records,
                              const char *xattrs)
{
    char block[512];
    size_t size = item->size ? item->size : item->text ? strlen(item->text) : 0;
    if (records) {
        tar_flush_pax(records);
        chunked_skeleton(c, records->data, records->size);
        tar_free(records);
    }
    tar_header(block, item, size);
    chunked_skeleton(c, block, sizeof block);
    chunked_text(&c->split, test_text("{\"type\":1,\"name\":\"%s\",\"size\":%zu,\"payload\":\"AAAAAAAAAAA=\","
                                      "\"position\":0}\n",
                                      item->name, size));
    if (size) {
        static const char zeros[512];
        chunked_content(c, item->text, size, piece);
        chunked_skeleton(c, zeros, -size & 511);
    }
    chunked_list(c, item, size, piece, xattrs);
}
#define chunked_put(c, ...) chunked_item((c), &(tar_item){__VA_ARGS__}, 0, NULL, NULL)

TEST_HELPER void chunked_number(tarball *to, unsigned long long value)
{
    char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (char)(value >> 8 * i);
    tar_bytes(to, bytes, sizeof bytes);
}

TEST_HELPER void chunked_skippable(tarball *to, const void *data, size_t size)
{
    const unsigned char head[8] = {0x50, 0x2a, 0x4d, 0x18, (unsigned char)size, (unsigned char)(size >> 8),
                                   (unsigned char)(size >> 16), (unsigned char)(size >> 24)};
    tar_bytes(to, head, sizeof head);
    tar_bytes(to, data, size);
}

/* A table as it is stored, in the footer and in the stream. */
TEST_HELPER void chunked_table(chunked *c, tarball *footer, const tarball *text, const tarball *packed,
                               long long shift)
{
    chunked_number(footer, c->stored.size + 8 + (unsigned long long)shift);
    chunked_number(footer, packed->size);
    chunked_number(footer, text->size);
    chunked_skippable(&c->stored, packed->data, packed->size);
}

/* Text of the table of contents around its entries. */
TEST_HELPER tarball chunked_wrap(const chunked *c, const wci_digest *split)
{
    tarball text = TARBALL_INIT;
    chunked_text(&text, test_text("{\"version\":1,\"entries\":["));
    tar_bytes(&text, c->contents.data, c->contents.size);
    chunked_text(&text, test_text("]"));
    if (!c->old_footer && !c->no_split_digest)
        chunked_text(&text, test_text(",\"tarSplitDigest\":\"%s\"", split->text));
    chunked_text(&text, test_text("%s}", c->table_more ? c->table_more : ""));
    return text;
}

TEST_HELPER void chunked_end(chunked *c)
{
    static const char trailer[1024];
    tarball packed = TARBALL_INIT, packed_split = TARBALL_INIT, footer = TARBALL_INIT;
    chunked_skeleton(c, trailer, sizeof trailer);
    chunked_flush(c);
    tar_zstd(&packed_split, c->split.data, c->split.size);
    wci_digest split = chunked_digest(packed_split.data, packed_split.size);
    tarball text = chunked_wrap(c, &split);
    tar_zstd(&packed, text.data, text.size);
    c->table = chunked_digest(packed.data, packed.size);
    chunked_table(c, &footer, &text, &packed, c->shift);
    chunked_number(&footer, 1);
    if (!c->old_footer)
        chunked_table(c, &footer, &c->split, &packed_split, 0);
    tar_bytes(&footer, c->old_footer ? "GnUlInUx" : "GNUlInUx", 8);
    chunked_skippable(&c->stored, footer.data, footer.size);
    tar_free(&text);
    tar_free(&packed);
    tar_free(&packed_split);
    tar_free(&footer);
}

TEST_HELPER void chunked_free(chunked *c)
{
    tarball *all[] = {&c->tar, &c->stored, &c->pending, &c->contents, &c->split};
    for (size_t i = 0; i < 5; i++)
        tar_free(all[i]);
    *c = (chunked){.shift = 0};
}

/* Puts `to` in the place of the first `from`, which must be there. */
TEST_HELPER void chunked_replace(tarball *text, const char *from, const char *to)
{
    tarball changed = TARBALL_INIT;
    char *at = memmem(text->data, text->size, from, strlen(from));
    ck_assert_msg(at != NULL, "no '%s' in the table", from);
    size_t before = (size_t)(at - text->data);
    tar_bytes(&changed, text->data, before);
    tar_bytes(&changed, to, strlen(to));
    tar_bytes(&changed, at + strlen(from), text->size - before - strlen(from));
    tar_free(text);
    *text = changed;
}

/* A layer with entries of all types that anybody may make. */
TEST_HELPER void chunked_sample(chunked *c)
{
    tarball records = TARBALL_INIT;
    chunked_put(c, .name = "d/", .type = '5', .mode = 0711, .uid = 3);
    chunked_put(c, .name = "d/f", .text = "some text", .gid = 4);
    chunked_put(c, .name = "empty");
    tar_pax(&records, "SCHILY.xattr.user.b", "two", 0);
    tar_pax(&records, "SCHILY.xattr.user.a", "one", 0);
    chunked_item(c, &(tar_item){.name = "pieces", .text = "first second third"}, 6, &records,
                 "{\"user.a\":\"b25l\",\"user.b\":\"dHdv\"}");
    chunked_put(c, .name = "l", .type = '2', .link = "d/f");
    chunked_put(c, .name = "h", .type = '1', .link = "d/f");
    chunked_put(c, .name = "pipe", .type = '6');
    chunked_put(c, .name = "last", .text = "x", .mode = 0755);
}

/* Ends the layer and unpacks it; see unpack_bytes(). */
TEST_HELPER int32_t chunked_unpack(chunked *c, const char *dir, wci_unpack_stats *stats, wc_error **err)
{
    chunked_end(c);
    wci_digest diff_id = chunked_digest(c->tar.data, c->tar.size);
    return unpack_bytes(c->stored.data, c->stored.size, WCI_CODEC_ZSTD, &diff_id, dir, NULL, stats, err);
}

#endif
