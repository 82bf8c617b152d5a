/* SPDX-License-Identifier: Apache-2.0 */
/* Layers whose bytes mean harm: headers, sizes, sparse maps, bombs and damage. */
#include "hostile_layers.h"

#include <sys/resource.h>

static void refused_record(const void *record, size_t size)
{
    tarball t = TARBALL_INIT;
    tar_meta(&t, 'x', record, size);
    tar_file(&t, "f", "x");
    hostile_refused(&t, WC_E_FORMAT);
}

static void refused_pax(const char *key, const char *value, size_t size)
{
    tarball t = TARBALL_INIT;
    tar_pax(&t, key, value, size);
    tar_file(&t, "f", "x");
    hostile_refused(&t, WC_E_FORMAT);
}

START_TEST(case_13_record_lengths)
{
    static const char *const bad[] = {
        "99 path=x\n", "9 path=xy\n", "0 path=x\n", "-9 path=x\n", "10 path=xy", "x path=x\n",
        "10path=xyz\n", "3 \n", "5 =x\n", "99999999999999999999999999 path=x\n", "7 pathx\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        refused_record(bad[i], strlen(bad[i]));
}
END_TEST

START_TEST(case_13_values)
{
    refused_pax("size", "-1", 0);
    refused_pax("size", "18446744073709551616", 0);
    refused_pax("size", "9223372036854775808", 0);
    refused_pax("size", "1e3", 0);
    refused_pax("path", "a\0b", 3);
    refused_pax("linkpath", "a\0b", 3);
    refused_pax("mtime", "yesterday", 0);
    refused_pax("mtime", "1.x", 0);
    refused_pax("mtime", "--1", 0);
    refused_pax("SCHILY.xattr.", "x", 0);
    char *long_key = test_text("SCHILY.xattr.user.%0300d", 0);
    refused_pax(long_key, "x", 0);
    free(long_key);
    refused_record("19 SCHILY.x\0ttr.u=x\n", 19);
}
END_TEST

START_TEST(case_13_negative_size_in_header)
{
    char block[512];
    tarball t = TARBALL_INIT;
    tar_header(block, &(tar_item){.name = "f"}, 0);
    memset(block + 124, 0xff, 12);
    tar_sign(block);
    tar_bytes(&t, block, sizeof block);
    hostile_refused(&t, WC_E_FORMAT);
    tar_header(block, &(tar_item){.name = "f"}, 0);
    memcpy(block + 124, "\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12);
    tar_sign(block);
    tar_bytes(&t, block, sizeof block);
    hostile_refused(&t, WC_E_FORMAT);
}
END_TEST

/* The most memory that this process has had, in KiB. */
static long peak_memory(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
}

static void put_sparse_10(tarball *t, const char *map, size_t size)
{
    tar_pax(t, "GNU.sparse.major", "1", 0);
    tar_pax(t, "GNU.sparse.minor", "0", 0);
    tar_pax(t, "GNU.sparse.name", "sparse", 0);
    tar_pax(t, "GNU.sparse.realsize", "1099511627776", 0);
    tar_put(t, .name = "GNUSparseFile.0/sparse", .text = map, .size = size);
}

START_TEST(case_14_million_regions)
{
    tarball map = TARBALL_INIT, t = TARBALL_INIT;
    char line[64];
    tar_bytes(&map, "3000000\n", 8);
    for (int i = 0; i < 3000000; i++)
        tar_bytes(&map, line, (size_t)sprintf(line, "%d\n0\n", i));
    put_sparse_10(&t, map.data, map.size);
    tar_end(&t);
    long before = peak_memory();
    hostile_refused_with(&t, NULL, WC_E_LIMIT);
    ck_assert_int_lt(peak_memory() - before, 64 * 1024);
    tar_free(&map);
}
END_TEST

/* The form of before pax: four regions in the header, then blocks of 21 as long as each announces another. */
START_TEST(case_14_million_regions_of_the_old_form)
{
    char block[512], field[16];
    tarball t = TARBALL_INIT;
    unsigned long long region = 0;
    tar_header(block, &(tar_item){.name = "sparse", .type = 'S'}, 0);
    memcpy(block + 257, "ustar  ", 8);
    memset(block + 386, '\0', 512 - 386);
    block[482] = 1; /* more follow */
    memcpy(block + 483, "77777777777", 11);
    tar_sign(block);
    tar_bytes(&t, block, sizeof block);
    memset(block, 0, sizeof block);
    for (int i = 0; i < 3000000 / 21; i++) {
        for (int j = 0; j < 21; j++) {
            snprintf(field, sizeof field, "%011llo", region++);
            memcpy(block + 24 * j, field, 11);
            memcpy(block + 24 * j + 12, "00000000000", 11);
        }
        block[504] = 1;
        tar_bytes(&t, block, sizeof block);
    }
    long before = peak_memory();
    hostile_refused_with(&t, NULL, WC_E_LIMIT);
    ck_assert_int_lt(peak_memory() - before, 64 * 1024);
}
END_TEST

/* The pax forms 0.0 and 0.1 have the map in the attributes, which are bounded as such. */
START_TEST(case_14_million_regions_in_attributes)
{
    tarball map = TARBALL_INIT, t = TARBALL_INIT;
    char text[64];
    for (int i = 0; i < 1500000; i++)
        tar_bytes(&map, text, (size_t)sprintf(text, i ? ",%d,0" : "%d,0", i));
    tar_pax(&t, "GNU.sparse.numblocks", "1500000", 0);
    tar_pax(&t, "GNU.sparse.size", "1099511627776", 0);
    tar_pax(&t, "GNU.sparse.map", map.data, map.size);
    tar_put(&t, .name = "sparse");
    hostile_refused(&t, WC_E_LIMIT);
    map.size = 0;
    for (int i = 0; i < 200000; i++)
        tar_bytes(&map, text, (size_t)sprintf(text, "%zu GNU.sparse.offset=%06d\n25 GNU.sparse.numbytes=0\n",
                                              (size_t)28, i));
    tar_meta(&t, 'x', map.data, map.size);
    tar_put(&t, .name = "sparse");
    hostile_refused(&t, WC_E_LIMIT);
    tar_free(&map);
}
END_TEST

START_TEST(case_14_bad_maps)
{
    static const char *const bad[] = {
        "1\n0\n",                                 /* ends early */
        "2\n10\n10\n0\n10\n",                     /* out of order */
        "2\n0\n10\n5\n10\n",                      /* overlap */
        "1\n9223372036854775807\n10\n",           /* beyond everything */
        "1\n0\n9999999\n",                        /* more than is stored */
        "-1\n", "x\n", "1\n0\n1111111111111111111111111\n", "99999999999\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tarball t = TARBALL_INIT;
        put_sparse_10(&t, bad[i], strlen(bad[i]));
        hostile_refused(&t, WC_E_FORMAT);
    }
}
END_TEST

/* A stream that is never held in memory: a head, then `zeros` zero bytes, then an end. */
typedef struct long_source {
    const char *head;
    size_t head_size, at;
    uint64_t zeros;
} long_source;

static int32_t long_read(void *self, void *data, size_t size, size_t *got, wc_error **err)
{
    long_source *s = self;
    (void)err;
    size_t n = s->head_size - s->at;
    if (n) {
        n = n < size ? n : size;
        memcpy(data, s->head + s->at, n);
        s->at += n;
    } else {
        n = s->zeros < size ? (size_t)s->zeros : size;
        memset(data, 0, n);
        s->zeros -= n;
    }
    *got = n;
    return WC_OK;
}

static int32_t unpack_long(const tarball *head, uint64_t zeros, wc_error **err)
{
    static int n;
    long_source s = {head->data, head->size, 0, zeros};
    wci_source source = {long_read, &s};
    wci_digest any;
    wci_limits limits = wci_limits_default;
    limits.max_bytes = UINT64_C(512) << 20;
    test_ok(wci_digest_of(WCI_SHA256, "", 0, &any, NULL));
    char *dir = test_text("%s/long%d", hostile_dir, n++);
    ck_assert_int_eq(mkdir(dir, 0700), 0);
    int32_t rc = wci_layer_unpack(&source, WCI_CODEC_NONE, &any, dir, &limits, NULL, NULL, err);
    free(dir);
    return rc;
}

START_TEST(case_15_padding_and_long_names)
{
    char block[512];
    wc_error *err = NULL;
    tarball t = TARBALL_INIT;
    long before = peak_memory();
    tar_file(&t, "f", "x"); /* then nothing but padding */
    expect_refused(unpack_long(&t, UINT64_C(4) << 30, &err), &err, WC_E_LIMIT);
    for (int i = 0; i < 4; i++) { /* a name, link or attributes of gigabytes */
        t.size = 0;
        tar_header(block, &(tar_item){.name = "f", .type = "LKxg"[i]}, (size_t)4 << 30);
        tar_bytes(&t, block, sizeof block);
        expect_refused(unpack_long(&t, UINT64_C(4) << 30, &err), &err, WC_E_LIMIT);
    }
    ck_assert_int_lt(peak_memory() - before, 16 * 1024);
    tar_free(&t);
}
END_TEST

START_TEST(case_15_many_directories)
{
    wci_limits limits = wci_limits_default;
    limits.max_entries = 100;
    tarball t = TARBALL_INIT;
    for (int i = 0; i < 101; i++) {
        char name[16];
        snprintf(name, sizeof name, "d%d/", i);
        tar_dir(&t, name);
    }
    tar_end(&t);
    hostile_refused_with(&t, &limits, WC_E_LIMIT);
}
END_TEST

START_TEST(case_15_long_paths)
{
    tarball t = TARBALL_INIT;
    char *name = test_text("%0300d", 0);
    tar_pax(&t, "path", name, 0);
    tar_file(&t, "x", "");
    hostile_refused(&t, WC_E_LIMIT);
    free(name);
    name = malloc(5001);
    for (int i = 0; i < 5000; i++)
        name[i] = i % 2 ? '/' : 'd';
    name[5000] = '\0';
    tar_pax(&t, "path", name, 0);
    tar_file(&t, "x", "");
    hostile_refused(&t, WC_E_LIMIT);
    name[4095] = '\0'; /* as deep as may be: 2,048 directories */
    tar_pax(&t, "path", name, 0);
    tar_file(&t, "x", "");
    char *fs = hostile_unpack(&t);
    test_ok(wci_dir_remove_all(fs, NULL));
    free(fs);
    free(name);
}
END_TEST

static void refused_stream(const tarball *stream, wci_codec codec, const wci_limits *limits,
                           int32_t want)
{
    static int n;
    wc_error *err = NULL;
    wci_digest any;
    test_ok(wci_digest_of(WCI_SHA256, "", 0, &any, NULL));
    char *dir = test_text("%s/stream%d", hostile_dir, n++);
    ck_assert_int_eq(mkdir(dir, 0700), 0);
    int32_t rc = unpack_bytes(stream->data, stream->size, codec, &any, dir, limits, NULL, &err);
    expect_refused(rc, &err, want);
    free(dir);
}

static void make_sample(tarball *t)
{
    tar_file(t, "a", "some text");
    tar_dir(t, "d/");
    tar_file(t, "d/b", "more text, more text, more text");
    tar_end(t);
}

START_TEST(case_16_bombs)
{
    wci_limits limits = wci_limits_default;
    limits.max_bytes = 100 << 20;
    tarball plain = TARBALL_INIT, gzip = TARBALL_INIT, zstd = TARBALL_INIT;
    tar_file(&plain, "f", "x");
    tar_zeros(&plain, 200 << 20);
    tar_gzip(&gzip, plain.data, plain.size);
    tar_zstd(&zstd, plain.data, plain.size);
    refused_stream(&gzip, WCI_CODEC_GZIP, &limits, WC_E_LIMIT);
    refused_stream(&zstd, WCI_CODEC_ZSTD, &limits, WC_E_LIMIT);
    /* zstd makes far more out of little than any tar needs. */
    refused_stream(&zstd, WCI_CODEC_ZSTD, NULL, WC_E_LIMIT);
    tar_free(&plain);
    tar_free(&gzip);
    tar_free(&zstd);
}
END_TEST

START_TEST(case_16_zstd_window)
{
    /* A frame header that asks for a window of 2 GiB, then a block. */
    tarball t = TARBALL_INIT;
    tar_bytes(&t, "\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00", 9);
    refused_stream(&t, WCI_CODEC_ZSTD, NULL, WC_E_LIMIT);
    tar_free(&t);
}
END_TEST

static void refused_damage(const tarball *whole, wci_codec codec)
{
    for (size_t size = 0; size < whole->size; size += 1 + whole->size / 97) {
        const tarball cut = {whole->data, size, 0, NULL, 0};
        refused_stream(&cut, codec, NULL, WC_E_FORMAT);
    }
    tarball junk = TARBALL_INIT;
    tar_bytes(&junk, whole->data, whole->size);
    tar_bytes(&junk, "junk", 4);
    refused_stream(&junk, codec, NULL, WC_E_FORMAT);
    junk.size = whole->size;
    junk.data[whole->size - 6] ^= 1; /* of the checksum */
    refused_stream(&junk, codec, NULL, WC_E_FORMAT);
    tar_free(&junk);
}

START_TEST(case_17_damage)
{
    tarball plain = TARBALL_INIT, gzip = TARBALL_INIT, text = TARBALL_INIT;
    make_sample(&plain);
    tar_gzip(&gzip, plain.data, plain.size);
    refused_damage(&gzip, WCI_CODEC_GZIP);
    tar_gzip(&text, "this is no tar at all, but it is long enough", 44);
    refused_stream(&text, WCI_CODEC_GZIP, NULL, WC_E_FORMAT);
    text.size = 0;
    for (int i = 0; i < 64; i++)
        tar_bytes(&text, "no tar! ", 8);
    refused_stream(&text, WCI_CODEC_NONE, NULL, WC_E_FORMAT);
    tar_free(&plain);
    tar_free(&gzip);
    tar_free(&text);
}
END_TEST

START_TEST(case_17_damaged_zstd)
{
    tarball plain = TARBALL_INIT, zstd = TARBALL_INIT;
    make_sample(&plain);
    tar_zstd(&zstd, plain.data, plain.size);
    for (size_t size = 0; size < zstd.size; size += 3) {
        const tarball cut = {zstd.data, size, 0, NULL, 0};
        refused_stream(&cut, WCI_CODEC_ZSTD, NULL, WC_E_FORMAT);
    }
    zstd.data[zstd.size - 1] ^= 1;
    refused_stream(&zstd, WCI_CODEC_ZSTD, NULL, WC_E_FORMAT);
    zstd.data[zstd.size - 1] ^= 1;
    tar_bytes(&zstd, "junk", 4);
    refused_stream(&zstd, WCI_CODEC_ZSTD, NULL, WC_E_FORMAT);
    tar_free(&plain);
    tar_free(&zstd);
}
END_TEST

/* Whether a cut leaves all that the sample's entries have: between them, or in the padding behind a content, which some
 * leave out. Then the DiffID tells. */
static int is_between_entries(size_t size)
{
    return (size >= 521 && size <= 1024) || size == 1536 || size >= 2079;
}

START_TEST(case_17_damaged_tar)
{
    tarball plain = TARBALL_INIT;
    make_sample(&plain);
    for (size_t size = 1; size < plain.size - 1024; size += 20) {
        const tarball cut = {plain.data, size, 0, NULL, 0};
        refused_stream(&cut, WCI_CODEC_NONE, NULL, is_between_entries(size) ? WC_E_DIGEST : WC_E_FORMAT);
    }
    tar_bytes(&plain, "junk after the end", 18);
    refused_stream(&plain, WCI_CODEC_NONE, NULL, WC_E_FORMAT);
    tar_free(&plain);
}
END_TEST

START_TEST(case_18_wrong_diff_id)
{
    tarball plain = TARBALL_INIT, gzip = TARBALL_INIT;
    make_sample(&plain);
    tar_gzip(&gzip, plain.data, plain.size);
    refused_stream(&plain, WCI_CODEC_NONE, NULL, WC_E_DIGEST);
    refused_stream(&gzip, WCI_CODEC_GZIP, NULL, WC_E_DIGEST);
    tar_free(&plain);
    tar_free(&gzip);
}
END_TEST

/* Decoding happens in this process: a planted decompressor on PATH is not run. */
START_TEST(case_20_planted_programs)
{
    static const char *const names[] = {"gzip", "unpigz", "pigz", "igzip", "xz", "zstd", "tar"};
    tarball plain = TARBALL_INIT, gzip = TARBALL_INIT, zstd = TARBALL_INIT;
    wci_digest diff_id;
    char *bin = test_text("%s/bin", hostile_dir), *mark = test_text("%s/mark", hostile_dir);
    char *script = test_text("#!/bin/sh\necho run >%s\nexec cat\n", mark);
    ck_assert_int_eq(mkdir(bin, 0755), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = test_text("%s/%s", bin, names[i]);
        test_write_file(path, script, strlen(script));
        ck_assert_int_eq(chmod(path, 0755), 0);
        free(path);
    }
    setenv("PATH", bin, 1);
    make_sample(&plain);
    tar_gzip(&gzip, plain.data, plain.size);
    tar_zstd(&zstd, plain.data, plain.size);
    test_ok(wci_digest_of(WCI_SHA256, plain.data, plain.size, &diff_id, NULL));
    char *a = test_text("%s/a", hostile_dir), *b = test_text("%s/b", hostile_dir);
    ck_assert_int_eq(mkdir(a, 0700), 0);
    ck_assert_int_eq(mkdir(b, 0700), 0);
    test_ok(unpack_bytes(gzip.data, gzip.size, WCI_CODEC_GZIP, &diff_id, a, NULL, NULL, NULL));
    test_ok(unpack_bytes(zstd.data, zstd.size, WCI_CODEC_ZSTD, &diff_id, b, NULL, NULL, NULL));
    setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
    ck_assert(access(mark, F_OK) != 0);
    tar_free(&plain);
    tar_free(&gzip);
    tar_free(&zstd);
    free(a);
    free(b);
    free(bin);
    free(mark);
    free(script);
}
END_TEST

TCase *hostile_stream_cases(void)
{
    TCase *tc = tcase_create("streams");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, hostile_setup, hostile_teardown);
    tcase_add_test(tc, case_13_record_lengths);
    tcase_add_test(tc, case_13_values);
    tcase_add_test(tc, case_13_negative_size_in_header);
    tcase_add_test(tc, case_14_million_regions);
    tcase_add_test(tc, case_14_million_regions_of_the_old_form);
    tcase_add_test(tc, case_14_million_regions_in_attributes);
    tcase_add_test(tc, case_14_bad_maps);
    tcase_add_test(tc, case_15_padding_and_long_names);
    tcase_add_test(tc, case_15_many_directories);
    tcase_add_test(tc, case_15_long_paths);
    tcase_add_test(tc, case_16_bombs);
    tcase_add_test(tc, case_16_zstd_window);
    tcase_add_test(tc, case_17_damage);
    tcase_add_test(tc, case_17_damaged_zstd);
    tcase_add_test(tc, case_17_damaged_tar);
    tcase_add_test(tc, case_18_wrong_diff_id);
    tcase_add_test(tc, case_20_planted_programs);
    return tc;
}
