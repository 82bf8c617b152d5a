/* SPDX-License-Identifier: Apache-2.0 */
/* A layer's tar comes back, byte for byte, from its tree and what was kept beside it. */
#include "support/tarball.h"

#include <unistd.h>

#include "core/alloc.h"
#include "layer/split.h"

static char *dir, *fs, *kept_path;

static void setup(void)
{
    dir = test_make_dir();
    fs = test_text("%s/fs", dir);
    kept_path = test_text("%s/split", dir);
}

static void teardown(void)
{
    free(fs);
    free(kept_path);
    test_remove_dir(dir);
}

static int32_t take(void *self, const void *data, size_t size, wc_error **err)
{
    (void)err;
    tar_bytes(self, data, size);
    return WC_OK;
}

static wci_digest diff_id_of(const tarball *t)
{
    wci_digest diff_id;
    test_ok(wci_digest_of(WCI_SHA256, t->data, t->size, &diff_id, NULL));
    return diff_id;
}

static int32_t split_bytes(const tarball *stored, wci_codec codec, const wci_digest *diff_id, uint64_t *kept)
{
    memory_source m = {stored->data, stored->size, 0, 0};
    const wci_source source = {memory_read, &m};
    return wci_layer_split(&source, codec, diff_id, fs, kept_path, kept, NULL);
}

static int32_t join_bytes(const wci_digest *diff_id, tarball *out)
{
    const wci_sink to = {take, out};
    return wci_layer_join(fs, kept_path, diff_id, &to, NULL);
}

/* Unpacks, splits, joins; the bytes kept. */
static uint64_t go_round(const tarball *t)
{
    wci_digest diff_id = diff_id_of(t);
    wci_unpack_stats stats = {0};
    uint64_t kept = 0;
    tarball back = TARBALL_INIT;
    test_ok(unpack_tar(t, dir, NULL, &stats, NULL));
    wci_strv_free(&stats.skipped);
    test_ok(split_bytes(t, WCI_CODEC_NONE, &diff_id, &kept));
    test_ok(join_bytes(&diff_id, &back));
    ck_assert_uint_eq(back.size, t->size);
    ck_assert(memcmp(back.data, t->data, t->size) == 0);
    tar_free(&back);
    return kept;
}

/* Bytes that no compressor makes smaller. */
static char *noise(size_t size)
{
    char *text = malloc(size);
    uint64_t x = 88172645463325252u;
    for (size_t i = 0; i < size; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        text[i] = (char)x;
    }
    return text;
}

START_TEST(content_is_not_kept_twice)
{
    tarball t = TARBALL_INIT;
    enum { SIZE = 3000001 };
    char *text = noise(SIZE);
    tar_put(&t, .name = "d/", .type = '5');
    tar_put(&t, .name = "d/large", .text = text, .size = SIZE);
    tar_put(&t, .name = "d/other", .text = text, .size = 70000);
    tar_put(&t, .name = "d/small", .text = "x");
    tar_put(&t, .name = "d/link", .type = '1', .link = "d/large");
    tar_put(&t, .name = "d/symlink", .type = '2', .link = "large");
    tar_end(&t);
    ck_assert_uint_lt(go_round(&t), 2000);
    tar_free(&t);
    free(text);
}
END_TEST

/* What the tree does not show is kept. */
START_TEST(odd_layers_come_back_too)
{
    tarball t = TARBALL_INIT;
    enum { SIZE = 300000 };
    char *text = noise(SIZE), *long_name = test_text("%0250d/%0250d", 1, 2);
    tar_put(&t, .name = "twice", .text = text, .size = SIZE);
    tar_put(&t, .name = "twice", .text = text + 1, .size = SIZE - 1);
    tar_put(&t, .name = "becomes-a-directory", .text = text, .size = SIZE);
    tar_put(&t, .name = "becomes-a-directory", .type = '5');
    tar_put(&t, .name = "same-beginning", .text = text, .size = SIZE);
    tar_put(&t, .name = "same-beginning", .text = text, .size = SIZE / 2);
    tar_put(&t, .name = ".wh.gone", .text = text, .size = SIZE);
    tar_put(&t, .name = ".wh..wh.plnk", .text = text, .size = SIZE);
    tar_put(&t, .name = "./a//b/../c", .text = text, .size = SIZE);
    tar_put(&t, .name = "through", .type = '2', .link = "a");
    tar_put(&t, .name = "through/f", .text = text, .size = 1000);
    tar_pax(&t, "path", long_name, 0);
    tar_pax(&t, "SCHILY.xattr.user.note", text, 500);
    tar_put(&t, .name = "short", .text = text, .size = SIZE);
    tar_put(&t, .name = "pipe", .type = '6');
    tar_end(&t);
    tar_zeros(&t, 100000);
    go_round(&t);
    tar_free(&t);
    free(text);
    free(long_name);
}
END_TEST

/* As umoci writes them: neither padding behind the last content nor an end. */
START_TEST(layers_that_stop_after_the_last_content)
{
    for (int kept = 0; kept <= 507; kept += 169) {
        tarball t = TARBALL_INIT;
        tar_file(&t, "f", "some text");
        tar_file(&t, "last", "three");
        t.size -= 507 - (size_t)kept;
        go_round(&t);
        char *text = test_text("%s/last", fs), *content = test_read_file(text, NULL);
        ck_assert_str_eq(content, "three");
        free(content);
        free(text);
        tar_free(&t);
        teardown();
        setup();
    }
}
END_TEST

START_TEST(without_entries)
{
    tarball t = TARBALL_INIT;
    tar_end(&t);
    go_round(&t);
    tar_free(&t);
}
END_TEST

/* Tars of other writers: all formats of GNU tar and of libarchive, with sparse files, links, attributes. */
static const char *const writers[] = {
    "tar --format=gnu --sparse", "tar --format=pax --sparse", "tar --format=pax --sparse --sparse-version=0.0",
    "tar --format=ustar",        "bsdtar --format=pax",      "bsdtar --format=gnutar",
};

START_TEST(layers_of_other_tools)
{
    test_need_root();
    char *made = test_text("%s/made.tar", dir), *tree = test_text("%s/tree", dir);
    char *command = test_text("%s/tests/support/odd_tree.sh %s && head -c 700000 /dev/urandom >%s/noise && "
                              "%s -C %s -cf %s . 2>/dev/null",
                              WC_TEST_SOURCE_DIR, tree, tree, writers[_i], tree, made);
    (void)test_run(command, NULL); /* names too long for a format are left out, with a code */
    size_t size = 0;
    char *bytes = test_read_file(made, &size);
    tarball t = {bytes, size, size, NULL, 0};
    ck_assert_uint_gt(size, 700000);
    ck_assert_uint_lt(go_round(&t), size / 4);
    free(bytes);
    free(made);
    free(tree);
    free(command);
}
END_TEST

START_TEST(compressed_and_wrong)
{
    tarball t = TARBALL_INIT, packed = TARBALL_INIT;
    wci_unpack_stats stats = {0};
    uint64_t kept;
    char *text = noise(50000);
    tar_put(&t, .name = "f", .text = text, .size = 50000);
    tar_end(&t);
    tar_gzip(&packed, t.data, t.size);
    wci_digest diff_id = diff_id_of(&t), other = diff_id_of(&packed);
    test_ok(unpack_tar(&t, dir, NULL, &stats, NULL));
    test_code(split_bytes(&packed, WCI_CODEC_GZIP, &other, &kept), WC_E_DIGEST);
    test_ok(wci_file_remove(kept_path, NULL));
    test_ok(split_bytes(&packed, WCI_CODEC_GZIP, &diff_id, &kept));
    tar_free(&t);
    tar_free(&packed);
    free(text);
}
END_TEST

static void prepare_damage(wci_digest *diff_id)
{
    tarball t = TARBALL_INIT;
    wci_unpack_stats stats = {0};
    uint64_t kept;
    char *text = noise(50000);
    tar_put(&t, .name = "f", .text = text, .size = 50000);
    tar_end(&t);
    *diff_id = diff_id_of(&t);
    test_ok(unpack_tar(&t, dir, NULL, &stats, NULL));
    test_ok(split_bytes(&t, WCI_CODEC_NONE, diff_id, &kept));
    tar_free(&t);
    free(text);
}

static void expect_corrupt(const wci_digest *diff_id)
{
    tarball back = TARBALL_INIT;
    test_code(join_bytes(diff_id, &back), WC_E_CORRUPT);
    tar_free(&back);
}

START_TEST(a_changed_tree_is_noticed)
{
    wci_digest diff_id;
    char *file = test_text("%s/f", fs);
    prepare_damage(&diff_id);
    test_write_file(file, "x", 1);
    expect_corrupt(&diff_id);
    ck_assert_int_eq(unlink(file), 0);
    expect_corrupt(&diff_id);
    ck_assert_int_eq(symlink("/etc/passwd", file), 0);
    expect_corrupt(&diff_id);
    free(file);
}
END_TEST

/* Cut at every place, and with every byte turned. What comes is the layer or an error; of the stream's own
 * checksum, which stands last, nothing depends. */
START_TEST(damaged_records_are_noticed)
{
    wci_digest diff_id;
    size_t size, accepted = 0;
    prepare_damage(&diff_id);
    char *records = test_read_file(kept_path, &size);
    for (size_t i = 0; i < size; i++) {
        tarball back = TARBALL_INIT;
        test_write_file(kept_path, records, i);
        accepted += !join_bytes(&diff_id, &back);
        records[i] = (char)~records[i];
        test_write_file(kept_path, records, size);
        tar_free(&back);
        accepted += !join_bytes(&diff_id, &back);
        records[i] = (char)~records[i];
        tar_free(&back);
    }
    ck_assert_uint_le(accepted, 16);
    free(records);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("layer_split");
    TCase *c = tcase_create("split");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, content_is_not_kept_twice);
    tcase_add_test(c, odd_layers_come_back_too);
    tcase_add_test(c, layers_that_stop_after_the_last_content);
    tcase_add_test(c, without_entries);
    tcase_add_loop_test(c, layers_of_other_tools, 0, sizeof writers / sizeof *writers);
    tcase_add_test(c, compressed_and_wrong);
    tcase_add_test(c, a_changed_tree_is_noticed);
    tcase_add_test(c, damaged_records_are_noticed);
    suite_add_tcase(s, c);
    return test_main(s);
}
