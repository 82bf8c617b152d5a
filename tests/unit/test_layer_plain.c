/* SPDX-License-Identifier: Apache-2.0 */
/* Plain trees of layers: what nobody has changed gives the same bytes, also entry by entry; and records that lie. */
#include "support/tarball.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "layer/plain.h"
#include "layer/split.h"

static char *dir, *fs, *split, *listing;

static void setup(void)
{
    dir = test_make_dir();
    fs = test_text("%s/fs", dir);
    split = test_text("%s/split", dir);
    listing = test_text("%s/listing", dir);
}

static void teardown(void)
{
    free(fs);
    free(split);
    free(listing);
    test_remove_dir(dir);
}

static int32_t take(void *self, const void *data, size_t size, wc_error **err)
{
    (void)err;
    tar_bytes(self, data, size);
    return WC_OK;
}

/* The tree with its records. */
static void make_plain(const tarball *t)
{
    wci_digest diff_id;
    uint64_t kept;
    wci_fd root;
    wci_strv skipped = WCI_STRV_INIT;
    WCI_CALL_NONE(call);
    test_ok(wci_digest_of(WCI_SHA256, t->data, t->size, &diff_id, NULL));
    memory_source first = {t->data, t->size, 0, 0}, second = first;
    const wci_source source = {memory_read, &first}, again = {memory_read, &second};
    test_ok(wci_plain_make(&source, WCI_CODEC_NONE, &diff_id, fs, &wci_limits_default, &skipped, NULL));
    test_ok(wci_layer_split(&again, WCI_CODEC_NONE, &diff_id, fs, split, &kept, NULL));
    test_ok(wci_tree_open_root(fs, &root, NULL));
    test_ok(wci_listing_write(&call, root, listing, NULL));
    wci_fd_close(root);
    wci_strv_free(&skipped);
}

/* The tar that the tree gives entry by entry, whether or not something has changed. */
static int32_t pack_plain(int windows, int *is_same, tarball *out, wc_error **err)
{
    wci_survey survey = {.listed = NULL};
    wci_fd listed = WCI_FD_NONE;
    WCI_CALL_NONE(call);
    wci_plain_layer layer = {.root = WCI_FD_NONE, .records = WCI_FD_NONE, .what = "split", .windows = windows,
                             .latest_sec = -1, .survey = &survey};
    const wci_sink to = {take, out};
    test_ok(wci_tree_open_root(fs, &layer.root, NULL));
    test_ok(wci_file_open(split, WCI_OPEN_READ, 0, &layer.records, NULL));
    test_ok(wci_file_open(listing, WCI_OPEN_READ, 0, &listed, NULL));
    int32_t rc = wci_survey_take(&call, layer.root, listed, "listing", windows, &survey, err);
    if (!rc) {
        *is_same = wci_survey_is_same(&survey);
        rc = wci_plain_pack(&call, &layer, &to, err);
    }
    wci_survey_free(&survey);
    wci_fd_close(listed);
    wci_fd_close(layer.records);
    wci_fd_close(layer.root);
    return rc;
}

static void go_round(const tarball *t)
{
    tarball back = TARBALL_INIT;
    int is_same = 0;
    make_plain(t);
    test_ok(pack_plain(0, &is_same, &back, NULL));
    ck_assert(is_same);
    ck_assert_uint_eq(back.size, t->size);
    ck_assert(memcmp(back.data, t->data, t->size) == 0);
    tar_free(&back);
}

/* ---- Nothing has changed --------------------------------------------------------------------------- */

START_TEST(odd_layers)
{
    tarball t = TARBALL_INIT;
    enum { SIZE = 900000 };
    char *text = calloc(1, SIZE), *long_name = test_text("%0250d/%0250d", 1, 2);
    for (size_t i = 0; i < SIZE; i++)
        text[i] = (char)(i * 2654435761u >> 13);
    tar_meta(&t, 'g', "18 comment=all of\n", 18);
    tar_put(&t, .name = "./", .type = '5');
    tar_put(&t, .name = "twice", .text = text, .size = SIZE);
    tar_put(&t, .name = "linked", .type = '1', .link = "twice");
    tar_put(&t, .name = "twice", .text = text + 1, .size = SIZE - 1);
    tar_put(&t, .name = "becomes-a-directory", .text = text, .size = SIZE);
    tar_put(&t, .name = "becomes-a-directory/f", .text = "x");
    tar_put(&t, .name = ".wh.gone", .text = text, .size = SIZE);
    tar_put(&t, .name = ".wh..wh.plnk", .type = '5');
    tar_put(&t, .name = "d/.wh..wh..opq");
    tar_put(&t, .name = "./a//b/../c", .text = text, .size = SIZE);
    tar_put(&t, .name = "through", .type = '2', .link = "a");
    tar_put(&t, .name = "through/f", .text = text, .size = 1000);
    tar_put(&t, .name = "foreign", .type = '1', .link = "below");
    tar_put(&t, .name = "to-directory", .type = '1', .link = "d");
    tar_put(&t, .name = "null", .type = '3', .major = 1, .minor = 3);
    tar_put(&t, .name = "whiteout", .type = '3');
    tar_put(&t, .name = "pipe", .type = '6');
    tar_put(&t, .name = "label", .type = 'V');
    tar_pax(&t, "path", long_name, 0);
    tar_pax(&t, "SCHILY.xattr.user.note", text, 500);
    tar_put(&t, .name = "short", .text = text, .size = SIZE, .mode = 04711);
    for (int i = 0; i < 3000; i++) { /* more than what is read ahead */
        char name[32];
        snprintf(name, sizeof name, "many/%d", i);
        tar_file(&t, name, name);
    }
    tar_end(&t);
    tar_zeros(&t, 100000);
    go_round(&t);
    tar_free(&t);
    free(text);
    free(long_name);
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

static const char *const writers[] = {
    "tar --format=gnu --sparse", "tar --format=pax --sparse", "tar --format=pax --sparse --sparse-version=0.0",
    "tar --format=ustar",        "bsdtar --format=pax",      "bsdtar --format=gnutar",
};

START_TEST(layers_of_other_tools)
{
    test_need_root();
    char *made = test_text("%s/made.tar", dir), *tree = test_text("%s/tree", dir);
    char *command = test_text("%s/tests/support/odd_tree.sh %s && %s -C %s -cf %s . 2>/dev/null", WC_TEST_SOURCE_DIR,
                              tree, writers[_i], tree, made);
    (void)test_run(command, NULL); /* names too long for a format are left out, with a code */
    size_t size = 0;
    char *bytes = test_read_file(made, &size);
    tarball t = {bytes, size, size, NULL, 0};
    go_round(&t);
    free(bytes);
    free(made);
    free(tree);
    free(command);
}
END_TEST

/* ---- Sparse files ---------------------------------------------------------------------------------- */

/* A mode is changed in the header alone: the file stays as sparse as it was. */
START_TEST(mode_of_a_sparse_file)
{
    test_need_root();
    char *command = test_text("truncate -s 5000000 %s/holes && cd %s && tar --sparse --format=pax -cf made.tar holes", dir, dir);
    char *made = test_text("%s/made.tar", dir), *file = test_text("%s/holes", fs);
    ck_assert_int_eq(test_run(command, NULL), 0);
    size_t size = 0;
    int is_same = 1;
    char *bytes = test_read_file(made, &size);
    tarball t = {bytes, size, size, NULL, 0}, back = TARBALL_INIT;
    make_plain(&t);
    ck_assert_int_eq(chmod(file, 0600), 0);
    test_ok(pack_plain(0, &is_same, &back, NULL));
    ck_assert(!is_same);
    ck_assert_uint_eq(back.size, size);
    unsigned differences = 0;
    for (size_t i = 0; i < size; i++)
        differences += back.data[i] != bytes[i];
    ck_assert_uint_le(differences, 10); /* mode and checksum */
    ck_assert_uint_ge(differences, 2);
    tar_free(&back);
    free(bytes);
    free(file);
    free(made);
    free(command);
}
END_TEST

/* ---- Records that lie ------------------------------------------------------------------------------ */

static void put_number(tarball *to, uint64_t number)
{
    for (int i = 0; i < 8; i++)
        tar_bytes(to, &(unsigned char){(unsigned char)(number >> (8 * i))}, 1);
}

static void put_bytes(tarball *to, const void *data, size_t size)
{
    tar_bytes(to, "B", 1);
    put_number(to, size);
    tar_bytes(to, data, size);
}

static void put_stretch(tarball *to, uint64_t offset, uint64_t size, const char *name, size_t name_size)
{
    tar_bytes(to, "F", 1);
    put_number(to, offset);
    put_number(to, size);
    put_number(to, name_size);
    tar_bytes(to, name, name_size);
}

static void write_split(const tarball *records)
{
    tarball file = TARBALL_INIT;
    const wci_sink to = {take, &file};
    wci_encoder *encoder = NULL;
    tar_bytes(&file, WCI_SPLIT_HEADER, strlen(WCI_SPLIT_HEADER));
    test_ok(wci_encoder_new(WCI_CODEC_ZSTD, &to, &encoder, NULL));
    test_ok(wci_encoder_write(encoder, records->data, records->size, NULL));
    test_ok(wci_encoder_end(encoder, NULL));
    wci_encoder_free(encoder);
    test_write_file(split, file.data, file.size);
    tar_free(&file);
}

/* A layer with the file "f" of 600 bytes, and records that have its header in front of what the test says. */
static tarball begin_lie(void)
{
    tarball t = TARBALL_INIT, records = TARBALL_INIT;
    char text[600];
    memset(text, 'x', sizeof text);
    tar_put(&t, .name = "f", .text = text, .size = sizeof text);
    tar_end(&t);
    make_plain(&t);
    put_bytes(&records, t.data, 512);
    tar_free(&t);
    return records;
}

static void expect_lie(tarball *records, int32_t code, const char *part)
{
    for (int is_changed = 0; is_changed < 2; is_changed++) {
        tarball back = TARBALL_INIT;
        wc_error *err = NULL;
        int is_same;
        char *file = test_text("%s/new", fs);
        if (is_changed)
            test_write_file(file, "new", 3);
        write_split(records);
        int32_t rc = pack_plain(0, &is_same, &back, &err);
        ck_assert_msg(rc == code, "%d: %s", rc, wc_error_message(err));
        ck_assert_msg(strstr(wc_error_message(err), part) != NULL, "%s", wc_error_message(err));
        wc_error_unref(err);
        tar_free(&back);
        if (is_changed)
            ck_assert_int_eq(unlink(file), 0);
        free(file);
    }
    tar_free(records);
}

START_TEST(names_that_lead_elsewhere)
{
    static const struct {
        const char *name;
        size_t size;
    } bad[] = {{"../f", 4}, {"/etc/passwd", 11}, {"./f", 3}, {"f/", 2}, {"a/../f", 6}, {"f\0g", 3}, {"", 0}};
    tarball records = begin_lie();
    put_stretch(&records, 0, 600, bad[_i].name, bad[_i].size);
    expect_lie(&records, WC_E_CORRUPT, "damaged");
}
END_TEST

START_TEST(names_that_are_too_long)
{
    tarball records = begin_lie();
    char *name = calloc(1, 5000);
    memset(name, 'a', 5000);
    put_stretch(&records, 0, 600, name, 5000);
    expect_lie(&records, WC_E_CORRUPT, "damaged");
    free(name);
}
END_TEST

START_TEST(a_link_that_leads_out)
{
    tarball records = begin_lie();
    char *file = test_text("%s/out", fs);
    ck_assert_int_eq(symlink("/etc", file), 0);
    put_stretch(&records, 0, 600, "out/passwd", 10);
    expect_lie(&records, WC_E_CORRUPT, "out/passwd");
    free(file);
}
END_TEST

START_TEST(files_that_are_none)
{
    tarball records = begin_lie();
    char *file = test_text("%s/pipe", fs);
    ck_assert_int_eq(mkfifo(file, 0600), 0);
    put_stretch(&records, 0, 600, "pipe", 4);
    expect_lie(&records, WC_E_CORRUPT, "not a regular file");
    free(file);
}
END_TEST

START_TEST(sizes_that_lie)
{
    tarball records = begin_lie();
    put_stretch(&records, 0, 601, "f", 1);
    expect_lie(&records, WC_E_CORRUPT, "too short");
    records = (tarball)TARBALL_INIT;
    put_stretch(&records, UINT64_MAX, UINT64_MAX, "f", 1);
    expect_lie(&records, WC_E_CORRUPT, "damaged");
    tar_bytes(&records, "B", 1);
    put_number(&records, UINT64_MAX);
    expect_lie(&records, WC_E_CORRUPT, "damaged");
    tar_bytes(&records, "X", 1);
    expect_lie(&records, WC_E_CORRUPT, "damaged");
}
END_TEST

START_TEST(records_that_end_early_or_late)
{
    tarball header = begin_lie(), cut = TARBALL_INIT, more = TARBALL_INIT;
    tar_bytes(&cut, header.data, header.size);
    put_stretch(&cut, 0, 600, "f", 1);
    tar_bytes(&more, cut.data, cut.size);
    expect_lie(&cut, WC_E_CORRUPT, "damaged");
    tar_bytes(&header, "E", 1);
    expect_lie(&header, WC_E_FORMAT, "ends in the middle");
    char zeros[1024 + 424] = {0};
    put_bytes(&more, zeros, sizeof zeros);
    tar_bytes(&more, "EE", 2);
    expect_lie(&more, WC_E_CORRUPT, "damaged");
}
END_TEST

START_TEST(listings_that_lie)
{
    static const struct {
        const char *text;
        size_t size;
    } bad[] = {
        {"", 0},
        {"E\0", 2},
        {"wincontainer layer records 1\n", 29},
        {"wincontainer layer records 1\nf../x\0", 35},
        {"wincontainer layer records 1\nIx\0E\0", 34},
        {"wincontainer layer records 1\nZx\0E\0", 34},
        {"wincontainer layer records 1\nE\0E\0", 33},
    };
    tarball t = TARBALL_INIT, back = TARBALL_INIT;
    int is_same;
    tar_file(&t, "f", "x");
    tar_end(&t);
    make_plain(&t);
    test_write_file(listing, bad[_i].text, bad[_i].size);
    test_code(pack_plain(0, &is_same, &back, NULL), WC_E_CORRUPT);
    tar_free(&t);
    tar_free(&back);
}
END_TEST

/* Names outside are names that are not there. */
START_TEST(listed_names_are_only_compared)
{
    static const char text[] = "wincontainer layer records 1\nf../x\0" "1 00 644\0d/etc\0" "755\0f\0\0f\0\0E";
    tarball t = TARBALL_INIT, back = TARBALL_INIT;
    int is_same = 1;
    tar_file(&t, "f", "x");
    tar_end(&t);
    make_plain(&t);
    test_write_file(listing, text, sizeof text);
    test_ok(pack_plain(0, &is_same, &back, NULL));
    ck_assert(!is_same);
    tar_free(&t);
    tar_free(&back);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("layer_plain");
    TCase *c = tcase_create("plain");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 120);
    tcase_add_test(c, odd_layers);
    tcase_add_test(c, without_entries);
    tcase_add_loop_test(c, layers_of_other_tools, 0, sizeof writers / sizeof *writers);
    tcase_add_test(c, mode_of_a_sparse_file);
    tcase_add_loop_test(c, names_that_lead_elsewhere, 0, 7);
    tcase_add_test(c, names_that_are_too_long);
    tcase_add_test(c, a_link_that_leads_out);
    tcase_add_test(c, files_that_are_none);
    tcase_add_test(c, sizes_that_lie);
    tcase_add_test(c, records_that_end_early_or_late);
    tcase_add_loop_test(c, listings_that_lie, 0, 7);
    tcase_add_test(c, listed_names_are_only_compared);
    suite_add_tcase(s, c);
    return test_main(s);
}
