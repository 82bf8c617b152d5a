/* SPDX-License-Identifier: Apache-2.0 */
/* Decoders: both ways to inflate side by side, and zstd, fed in pieces of every size. */
#include "support/tarball.h"

#include "core/alloc.h"
#include "layer/codec.h"

/* Bytes that compress, but not to nothing. */
static void make_text(tarball *t, size_t size, unsigned seed)
{
    char line[64];
    while (t->size < size) {
        seed = seed * 1103515245 + 12345;
        tar_bytes(t, line, (size_t)snprintf(line, sizeof line, "%u line %u\n", seed, seed >> 20));
    }
    t->size = size;
}

static int32_t decode_all(const wci_codec_ops *ops, const tarball *in, size_t in_piece,
                          size_t out_piece, tarball *out)
{
    memory_source m = {in->data, in->size, 0, in_piece};
    wci_source source = {memory_read, &m};
    wci_decoder *decoder = NULL;
    char *piece = malloc(out_piece);
    size_t got = 1;
    out->size = 0;
    test_ok(wci_decoder_new_with(ops, &source, &decoder, NULL));
    int32_t rc = WC_OK;
    while (!rc && got) {
        rc = wci_decoder_read(decoder, piece, out_piece, &got, NULL);
        if (!rc)
            tar_bytes(out, piece, got);
    }
    if (!rc)
        ck_assert_uint_eq(*wci_decoder_consumed(decoder), in->size);
    wci_decoder_free(decoder);
    free(piece);
    return rc;
}

static const wci_codec_ops *gzip_ops(int i)
{
    return i ? wci_codec_isal : &wci_codec_zlib;
}

static void assert_decodes(const wci_codec_ops *ops, const tarball *in, const tarball *want)
{
    static const size_t pieces[] = {1, 7, 511, 4096, 0};
    static const size_t outs[] = {1, 13, 512, 65536, 1 << 20};
    tarball out = TARBALL_INIT;
    for (size_t i = 0; i < 5; i++) {
        test_ok(decode_all(ops, in, pieces[i], outs[(i + 3) % 5], &out));
        ck_assert_uint_eq(out.size, want->size);
        ck_assert(out.size == 0 || memcmp(out.data, want->data, want->size) == 0);
    }
    tar_free(&out);
}

START_TEST(gzip_members_are_one_stream)
{
    for (int which = 0; which < 2; which++) {
        if (!gzip_ops(which))
            continue;
        tarball text = TARBALL_INIT, packed = TARBALL_INIT;
        make_text(&text, 300000, 1);
        tar_gzip(&packed, text.data, 100000);
        tar_gzip(&packed, text.data, 0);
        tar_gzip(&packed, text.data + 100000, 1);
        tar_gzip(&packed, text.data + 100001, 199999);
        assert_decodes(gzip_ops(which), &packed, &text);
        tar_free(&text);
        tar_free(&packed);
    }
}
END_TEST

START_TEST(gzip_headers_with_everything)
{
    /* Name, comment, extra field and header checksum, by zlib itself. */
    tarball text = TARBALL_INIT, packed = TARBALL_INIT;
    char to[65536];
    unsigned char extra[] = "extra";
    gz_header head = {.text = 1,
                      .time = 1,
                      .extra = extra,
                      .extra_len = 5,
                      .name = (unsigned char *)"name",
                      .comment = (unsigned char *)"comment",
                      .hcrc = 1};
    z_stream z = {0};
    make_text(&text, 20000, 2);
    deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
    deflateSetHeader(&z, &head);
    z.next_in = (unsigned char *)text.data;
    z.avail_in = (unsigned)text.size;
    z.next_out = (unsigned char *)to;
    z.avail_out = sizeof to;
    ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    tar_bytes(&packed, to, sizeof to - z.avail_out);
    deflateEnd(&z);
    for (int which = 0; which < 2; which++)
        if (gzip_ops(which))
            assert_decodes(gzip_ops(which), &packed, &text);
    tar_free(&text);
    tar_free(&packed);
}
END_TEST

/* Every single damaged bit and every cut must be refused by both, or by neither. */
START_TEST(both_inflates_agree_on_damage)
{
    tarball text = TARBALL_INIT, packed = TARBALL_INIT, a = TARBALL_INIT, b = TARBALL_INIT;
    int refused = 0;
    if (!wci_codec_isal)
        return;
    make_text(&text, 2000, 3);
    tar_gzip(&packed, text.data, text.size);
    for (size_t bit = 0; bit < packed.size * 8; bit++) {
        packed.data[bit / 8] ^= (char)(1 << bit % 8);
        int32_t x = decode_all(&wci_codec_zlib, &packed, 0, 4096, &a);
        int32_t y = decode_all(wci_codec_isal, &packed, 0, 4096, &b);
        packed.data[bit / 8] ^= (char)(1 << bit % 8);
        /* The header's flags, time and system are free to change; there the two may differ in what
         * they check, never in what they give. */
        if (bit >= 80)
            ck_assert_msg(x == y, "bit %zu: %s and %s", bit, wc_code_name(x), wc_code_name(y));
        if (x == WC_OK && y == WC_OK)
            ck_assert(a.size == b.size && memcmp(a.data, b.data, a.size) == 0);
        refused += x != WC_OK;
    }
    ck_assert_int_gt(refused, (int)(packed.size - 10) * 8 - 1);
    for (size_t size = 0; size < packed.size; size++) {
        const tarball cut = {packed.data, size, 0, NULL, 0};
        test_code(decode_all(&wci_codec_zlib, &cut, 0, 4096, &a), WC_E_FORMAT);
        test_code(decode_all(wci_codec_isal, &cut, 0, 4096, &b), WC_E_FORMAT);
    }
    tar_free(&text);
    tar_free(&packed);
    tar_free(&a);
    tar_free(&b);
}
END_TEST

START_TEST(zstd_frames_are_one_stream)
{
    static const unsigned char skippable[] = {0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'x', 'y', 'z'};
    tarball text = TARBALL_INIT, packed = TARBALL_INIT;
    make_text(&text, 500000, 4);
    tar_bytes(&packed, skippable, sizeof skippable);
    tar_zstd(&packed, text.data, 250000);
    tar_bytes(&packed, skippable, sizeof skippable);
    tar_zstd(&packed, text.data, 0);
    tar_zstd(&packed, text.data + 250000, 250000);
    tar_bytes(&packed, skippable, sizeof skippable);
    assert_decodes(&wci_codec_zstd, &packed, &text);
    tar_free(&text);
    tar_free(&packed);
}
END_TEST

/* The last three skippable frames, with their places, and only when no content follows. */
START_TEST(zstd_tail_is_kept)
{
    static const char head[] = "\x50\x2a\x4d\x18\x02\0\0";
    tarball packed = TARBALL_INIT;
    for (int i = 0; i < 6; i++) {
        char payload[3] = {'p', (char)('0' + i), '\0'};
        tar_bytes(&packed, head, 8);
        tar_bytes(&packed, payload, 2);
        if (i == 1)
            tar_zstd(&packed, "content", 7);
    }
    for (size_t piece = 1; piece < 40; piece += 6) {
        memory_source m = {packed.data, packed.size, 0, piece};
        wci_source source = {memory_read, &m};
        wci_decoder *decoder = NULL;
        size_t got = 0;
        char text[64];
        test_ok(wci_decoder_new(WCI_CODEC_ZSTD, &source, &decoder, NULL));
        test_ok(wci_decoder_read(decoder, text, sizeof text, &got, NULL));
        const wci_zstd_tail *tail = wci_decoder_tail(decoder);
        ck_assert_uint_eq(got, 7);
        ck_assert_uint_eq(tail->content_frames, 1);
        ck_assert_uint_eq(tail->count, 3);
        for (size_t i = 0; i < 3; i++) {
            ck_assert_uint_eq(tail->frames[i].offset, packed.size - 2 - 10 * (2 - i));
            ck_assert_uint_eq(tail->frames[i].data.size, 2);
            ck_assert_int_eq(tail->frames[i].data.data[1], (char)('3' + i));
        }
        wci_decoder_free(decoder);
    }
    tar_free(&packed);
}
END_TEST

START_TEST(zstd_tail_is_bounded)
{
    wci_zstd_tail tail = {.count = 0};
    wci_zstd_tail_begin(&tail, 0, WCI_TAIL_MAX - 1);
    wci_zstd_tail_add(&tail, "x", 1);
    wci_zstd_tail_begin(&tail, 0, 2); /* no room beside the first */
    wci_zstd_tail_add(&tail, "xx", 2);
    wci_zstd_tail_begin(&tail, 0, UINT32_MAX);
    wci_zstd_tail_add(&tail, "x", 1);
    ck_assert_uint_eq(tail.frames[0].data.size, 1);
    for (int i = 1; i < 3; i++) {
        ck_assert_int_eq(tail.frames[i].is_too_large, 1);
        ck_assert_uint_eq(tail.frames[i].data.size, 0);
    }
    wci_zstd_tail_clear(&tail);
    ck_assert_uint_eq(tail.count, 0);
}
END_TEST

START_TEST(plain_bytes_pass)
{
    tarball text = TARBALL_INIT;
    make_text(&text, 5000, 5);
    assert_decodes(NULL, &text, &text);
    tar_free(&text);
}
END_TEST

static int32_t failing_read(void *self, void *data, size_t size, size_t *got, wc_error **err)
{
    (void)self;
    (void)data;
    (void)size;
    (void)got;
    (void)err;
    return WC_E_NETWORK;
}

START_TEST(errors_of_the_source_pass)
{
    wci_source source = {failing_read, NULL};
    wci_decoder *decoder;
    size_t got;
    char byte;
    for (int codec = WCI_CODEC_NONE; codec <= WCI_CODEC_ZSTD; codec++) {
        test_ok(wci_decoder_new((wci_codec)codec, &source, &decoder, NULL));
        test_code(wci_decoder_read(decoder, &byte, 1, &got, NULL), WC_E_NETWORK);
        wci_decoder_free(decoder);
    }
}
END_TEST

START_TEST(media_types)
{
    static const struct {
        const char *type;
        wci_codec codec;
    } known[] = {
        {"application/vnd.oci.image.layer.v1.tar", WCI_CODEC_NONE},
        {"application/vnd.oci.image.layer.v1.tar+gzip; charset=x", WCI_CODEC_GZIP},
        {"application/vnd.oci.image.layer.v1.tar+zstd", WCI_CODEC_ZSTD},
        {"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", WCI_CODEC_ZSTD},
        {"application/vnd.docker.image.rootfs.diff.tar.gzip", WCI_CODEC_GZIP},
        {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", WCI_CODEC_GZIP},
    };
    static const char *const unknown[] = {"", "application/vnd.oci.image.layer.v1.tar+xz",
                                          "application/vnd.oci.image.layer.v1.ta",
                                          "application/vnd.oci.empty.v1+json"};
    wci_codec codec;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        test_ok(wci_codec_of_media_type(known[i].type, &codec, NULL));
        ck_assert_int_eq(codec, known[i].codec);
    }
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        test_code(wci_codec_of_media_type(unknown[i], &codec, NULL), WC_E_UNSUPPORTED);
}
END_TEST

START_TEST(guessing)
{
    ck_assert_int_eq(wci_codec_guess("\x1f\x8b\x08", 3), WCI_CODEC_GZIP);
    ck_assert_int_eq(wci_codec_guess("\x28\xb5\x2f\xfd", 4), WCI_CODEC_ZSTD);
    ck_assert_int_eq(wci_codec_guess("\x50\x2a\x4d\x18", 4), WCI_CODEC_ZSTD);
    ck_assert_int_eq(wci_codec_guess("etc/", 4), WCI_CODEC_NONE);
    ck_assert_int_eq(wci_codec_guess("", 0), WCI_CODEC_NONE);
    ck_assert_int_eq(wci_codec_guess("\x1f", 1), WCI_CODEC_NONE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("layer codecs");
    TCase *tc = tcase_create("codecs");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, gzip_members_are_one_stream);
    tcase_add_test(tc, gzip_headers_with_everything);
    tcase_add_test(tc, both_inflates_agree_on_damage);
    tcase_add_test(tc, zstd_frames_are_one_stream);
    tcase_add_test(tc, zstd_tail_is_kept);
    tcase_add_test(tc, zstd_tail_is_bounded);
    tcase_add_test(tc, plain_bytes_pass);
    tcase_add_test(tc, errors_of_the_source_pass);
    tcase_add_test(tc, media_types);
    tcase_add_test(tc, guessing);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
