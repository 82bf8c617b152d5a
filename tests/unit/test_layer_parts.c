/* SPDX-License-Identifier: Apache-2.0 */
/* zstd:chunked layers made of their tables, of some frames, and of files that are elsewhere. */
#include "support/chunked.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "layer/compare.h"
#include "layer/parts.h"
#include "layer/split.h"
#include "platform/tree.h"

static char *dir, *frames_path;
static wci_fd frames;
static wci_layer_parts parts;
static const wc_call no_call = {.cancel = NULL};

static void setup(void)
{
    dir = test_make_dir();
    frames_path = test_text("%s/frames", dir);
    frames = WCI_FD_NONE;
    parts = (wci_layer_parts){.count = 0};
}

static void teardown(void)
{
    wci_layer_parts_free(&parts);
    wci_fd_close(frames);
    free(frames_path);
    test_remove_dir(dir);
}

static int32_t take(void *self, const void *data, size_t size, wc_error **err)
{
    (void)err;
    tar_bytes(self, data, size);
    return WC_OK;
}

/* Where the tables of an ended layer begin: the footer tells. */
static uint64_t tables_of(const chunked *c)
{
    uint64_t at = 0;
    const char *footer = c->stored.data + c->stored.size - 64;
    for (int i = 7; i >= 0; i--)
        at = at << 8 | (unsigned char)footer[i];
    return at - 8;
}

/* The tables are read, and a file has the bytes of the stretch. */
static int32_t read_parts(const chunked *c, uint64_t from, uint64_t end, wc_error **err)
{
    uint64_t at = tables_of(c);
    test_ok(wci_file_open(frames_path, WCI_OPEN_READ | WCI_OPEN_WRITE | WCI_OPEN_CREATE, 0600, &frames, NULL));
    if (end > from)
        test_ok(wci_tree_file_write_at(frames, c->stored.data + from, (size_t)(end - from), from, NULL));
    return wci_layer_parts_read(&no_call, c->stored.data + at, c->stored.size - at, at, c->table.text, &parts, err);
}

static int32_t rebuild(tarball *out, wc_error **err)
{
    char piece[37];
    size_t got = 1;
    wci_rebuild *r = NULL;
    int32_t rc = wci_rebuild_new(&parts, frames, NULL, &r, err);
    while (!rc && got) {
        rc = wci_rebuild_read(r, piece, sizeof piece, &got, err);
        if (!rc)
            tar_bytes(out, piece, got);
    }
    wci_rebuild_free(r);
    return rc;
}

static void expect_tar(const chunked *c)
{
    tarball out = TARBALL_INIT;
    test_ok(rebuild(&out, NULL));
    ck_assert_uint_eq(out.size, c->tar.size);
    ck_assert(memcmp(out.data, c->tar.data, out.size) == 0);
    tar_free(&out);
}

static void expect_no_tar(int32_t want)
{
    wc_error *err = NULL;
    tarball out = TARBALL_INIT;
    expect_refused(rebuild(&out, &err), &err, want);
    tar_free(&out);
}

static void expect_no_parts(const chunked *c, int32_t want)
{
    wc_error *err = NULL;
    int32_t rc = read_parts(c, 0, 0, &err);
    expect_refused(rc, &err, want);
    ck_assert_uint_eq(parts.count, 0);
}

START_TEST(from_all_frames)
{
    chunked c = {0};
    chunked_sample(&c);
    chunked_end(&c);
    test_ok(read_parts(&c, 0, tables_of(&c), NULL));
    ck_assert_uint_eq(parts.count, 3);
    expect_tar(&c);
    chunked_free(&c);
}
END_TEST

/* What is elsewhere needs no frames. */
START_TEST(from_files)
{
    static const char *const texts[] = {"some text", "first second third", "x"};
    chunked c = {0};
    chunked_sample(&c);
    chunked_end(&c);
    test_ok(read_parts(&c, 0, 0, NULL));
    for (size_t i = 0; i < 3; i++) {
        char *path = test_text("%s/%zu", dir, i);
        test_write_file(path, texts[i], strlen(texts[i]));
        free(path);
        parts.items[i].tree = dir;
        parts.items[i].name = wci_asprintf("%zu", i);
    }
    expect_tar(&c);
    test_write_file(frames_path, "somewhere", 9);
    wci_replace(&parts.items[0].name, "frames");
    tarball out = TARBALL_INIT; /* of the right size: that it is the wrong content, the DiffID tells */
    test_ok(rebuild(&out, NULL));
    ck_assert(memcmp(out.data, c.tar.data, out.size) != 0);
    tar_free(&out);
    test_write_file(frames_path, "short", 5);
    expect_no_tar(WC_E_FORMAT);
    wci_replace(&parts.items[0].name, "is not there");
    expect_no_tar(WC_E_NOT_FOUND);
    wci_replace(&parts.items[0].name, ".");
    expect_no_tar(WC_E_CORRUPT);
    chunked_free(&c);
}
END_TEST

/* As the whole layer would be: tree, records, list of contents, and what a drop keeps. */
START_TEST(unpacked)
{
    wc_call call = no_call;
    chunked c = {0};
    wci_unpack_stats stats = {0};
    char *tree = test_text("%s/tree", dir), *whole = test_text("%s/whole", dir);
    ck_assert_int_eq(mkdir(tree, 0700) | mkdir(whole, 0700), 0);
    chunked_sample(&c);
    test_ok(chunked_unpack(&c, whole, &stats, NULL));
    wci_strv_free(&stats.skipped);
    wci_digest diff_id = chunked_digest(c.tar.data, c.tar.size);
    test_ok(read_parts(&c, 0, tables_of(&c), NULL));
    test_ok(wci_layer_unpack_parts(&parts, frames, &diff_id, tree, &wci_limits_default, NULL, &stats, NULL));
    ck_assert_str_eq(stats.table.text, c.table.text);
    ck_assert_uint_eq(stats.tar_bytes, c.tar.size);
    wci_strv_free(&stats.skipped);
    char *difference = NULL;
    test_ok(wci_layer_compare(&call, tree, whole, &difference, NULL));
    ck_assert_msg(!difference, "%s", difference);
    char *diff = test_text("cmp %s/contents %s/contents && cmp %s/records %s/records", whole, tree, whole, tree);
    ck_assert_int_eq(test_run(diff, NULL), 0);
    free(diff);
    test_ok(wci_layer_split_parts(&parts, frames, &diff_id, tree, NULL, NULL));
    char *fs = test_text("%s/fs", tree), *split = test_text("%s/split", tree);
    tarball back = TARBALL_INIT;
    test_ok(wci_layer_join(fs, split, &diff_id, &(wci_sink){take, &back}, NULL));
    ck_assert_uint_eq(back.size, c.tar.size);
    tar_free(&back);
    free(split);
    free(fs);
    free(tree);
    free(whole);
    chunked_free(&c);
}
END_TEST

START_TEST(another_layer)
{
    chunked c = {0};
    chunked_sample(&c);
    chunked_end(&c);
    wci_digest other = chunked_digest("x", 1);
    test_ok(read_parts(&c, 0, tables_of(&c), NULL));
    test_code(wci_layer_unpack_parts(&parts, frames, &other, dir, &wci_limits_default, NULL, NULL, NULL), WC_E_DIGEST);
    chunked_free(&c);
}
END_TEST

START_TEST(stopped)
{
    chunked c = {0};
    _Atomic int stop = 1;
    chunked_sample(&c);
    chunked_end(&c);
    wci_digest diff_id = chunked_digest(c.tar.data, c.tar.size);
    test_ok(read_parts(&c, 0, tables_of(&c), NULL));
    test_code(wci_layer_unpack_parts(&parts, frames, &diff_id, dir, &wci_limits_default, &stop, NULL, NULL), WC_E_CANCELLED);
    chunked_free(&c);
}
END_TEST

/* A table's place for the one content of a layer. */
static void put_one(chunked *c, const char *place)
{
    char *there = NULL;
    chunked_put(c, .name = "f", .text = "some text");
    there = test_text("\"offset\":%zu,\"endOffset\":%zu", c->content_at, c->content_end);
    chunked_replace(&c->contents, there, place);
    free(there);
    chunked_end(c);
}

static const char *const bad_places[] = {
    "\"offset\":0,\"endOffset\":0",
    "\"x\":0",
    "\"offset\":0,\"endOffset\":50",
    "\"offset\":60,\"endOffset\":60",
    "\"offset\":60,\"endOffset\":50",
    "\"offset\":60,\"endOffset\":5000",
    "\"offset\":9223372036854775806,\"endOffset\":9223372036854775807",
    "\"offset\":-5,\"endOffset\":50",
    "\"offset\":60.5,\"endOffset\":70",
};

START_TEST(frames_where_none_can_be)
{
    chunked c = {0};
    put_one(&c, bad_places[_i]);
    expect_no_parts(&c, WC_E_FORMAT);
    chunked_free(&c);
}
END_TEST

START_TEST(frames_that_overlap)
{
    chunked c = {0};
    chunked_put(&c, .name = "f", .text = "some text");
    char *first = test_text("\"offset\":%zu,", c.content_at);
    chunked_put(&c, .name = "g", .text = "other text");
    char *second = test_text("\"offset\":%zu,", c.content_at);
    chunked_replace(&c.contents, second, first);
    chunked_end(&c);
    expect_no_parts(&c, WC_E_FORMAT);
    free(first);
    free(second);
    chunked_free(&c);
}
END_TEST

/* The frames have less or more than the table says, are cut, or none at all. */
START_TEST(frames_that_do_not_fit)
{
    chunked c = {0};
    chunked_put(&c, .name = "f", .text = "some text");
    size_t at = c.content_at, end = c.content_end;
    chunked_end(&c);
    test_ok(read_parts(&c, at, end, NULL));
    expect_tar(&c);
    parts.items[0].end--;
    expect_no_tar(WC_E_FORMAT);
    parts.items[0].end++;
    parts.items[0].size--;
    expect_no_tar(WC_E_FORMAT); /* the tar-split disagrees */
    parts.items[0].size++;
    tarball more = TARBALL_INIT;
    tar_zstd(&more, "some text and more", 18);
    test_ok(wci_tree_file_write_at(frames, more.data, more.size, at, NULL));
    parts.items[0].end = at + more.size;
    expect_no_tar(WC_E_FORMAT);
    more.size = 0;
    tar_zstd(&more, "some", 4);
    test_ok(wci_tree_file_write_at(frames, more.data, more.size, at, NULL));
    parts.items[0].end = at + more.size;
    expect_no_tar(WC_E_FORMAT);
    test_ok(wci_fd_truncate(frames, 0, NULL));
    expect_no_tar(WC_E_FORMAT);
    tar_free(&more);
    chunked_free(&c);
}
END_TEST

START_TEST(tables_that_disagree)
{
    chunked c = {0};
    chunked_sample(&c);
    const char *from = "{\"type\":1,\"name\":\"last\",\"size\":1,";
    if (_i == 0)
        chunked_replace(&c.split, from, "{\"type\":1,\"name\":\"last\",\"size\":2,");
    else if (_i == 1)
        chunked_replace(&c.split, from, "{\"type\":2,\"name\":\"last\",\"size\":1,");
    else
        chunked_text(&c.split, test_text("{\"type\":1,\"name\":\"more\",\"size\":1}\n"));
    chunked_end(&c);
    test_ok(read_parts(&c, 0, tables_of(&c), NULL));
    expect_no_tar(WC_E_FORMAT);
    chunked_free(&c);
}
END_TEST

START_TEST(tables_that_are_not_named)
{
    chunked c = {0};
    chunked_sample(&c);
    c.no_split_digest = _i == 1;
    c.old_footer = _i == 2;
    c.shift = _i == 3 ? 1 : 0;
    chunked_end(&c);
    if (_i == 0)
        c.table = chunked_digest("other", 5);
    uint64_t at = _i == 2 ? 0 : _i == 3 ? tables_of(&c) - 1 : tables_of(&c);
    while (_i == 2 && memcmp(c.stored.data + at, "\x50\x2a\x4d\x18", 4) != 0)
        at++;
    test_code(wci_layer_parts_read(&no_call, c.stored.data + at, c.stored.size - at, at, c.table.text, &parts, NULL),
              WC_E_FORMAT);
    chunked_free(&c);
}
END_TEST

/* Any end of the blob but the right one. */
START_TEST(ends_that_are_none)
{
    chunked c = {0};
    chunked_sample(&c);
    chunked_end(&c);
    uint64_t tables = tables_of(&c);
    for (uint64_t at = 0; at <= c.stored.size; at++) {
        int32_t rc = wci_layer_parts_read(&no_call, c.stored.data + at, c.stored.size - at, at, c.table.text, &parts, NULL);
        ck_assert_msg((rc == WC_OK) == (at == tables), "at %llu", (unsigned long long)at);
        wci_layer_parts_free(&parts);
    }
    for (size_t size = 0; size < c.stored.size - tables; size++)
        ck_assert_int_ne(wci_layer_parts_read(&no_call, c.stored.data + tables, size, tables, c.table.text, &parts, NULL),
                         WC_OK);
    chunked_free(&c);
}
END_TEST

/* ---- Lists of contents ------------------------------------------------------------------------- */

static int32_t count_record(void *self, const wci_content_key *key, const char *name, wc_error **err)
{
    size_t *count = self;
    (void)err;
    ck_assert_uint_eq(key->bytes[0], *count);
    ck_assert_str_eq(name, *count ? "b/c" : "a");
    return ++*count == 3 ? WC_E_CANCELLED : WC_OK;
}

START_TEST(lists)
{
    char *path = test_text("%s/contents", dir);
    wci_contents_writer w = WCI_CONTENTS_WRITER(path);
    size_t count = 0;
    const wci_contents_taker taker = {count_record, &count};
    test_code(wci_contents_read(path, &taker, NULL), WC_E_NOT_FOUND);
    test_ok(wci_contents_finish(&w, NULL));
    test_code(wci_contents_read(path, &taker, NULL), WC_E_NOT_FOUND);
    test_ok(wci_contents_add(&w, &(wci_content_key){{0}}, "a", NULL));
    test_ok(wci_contents_add(&w, &(wci_content_key){{1}}, "b/c", NULL));
    test_ok(wci_contents_finish(&w, NULL));
    wci_contents_close(&w);
    test_ok(wci_contents_read(path, &taker, NULL));
    ck_assert_uint_eq(count, 2);
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(truncate(path, st.st_size - 1), 0);
    count = 0;
    test_code(wci_contents_read(path, &taker, NULL), WC_E_CORRUPT);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(truncate(path, 10), 0);
    test_code(wci_contents_read(path, &taker, NULL), WC_E_CORRUPT);
    free(path);
}
END_TEST

START_TEST(keys)
{
    wci_content_key key;
    wci_digest digest = chunked_digest("", 0);
    ck_assert(wci_content_key_of(&digest, &key));
    ck_assert(memcmp(key.bytes, "\xe3\xb0\xc4\x42", 4) == 0 && key.bytes[31] == 0x55);
    test_ok(wci_digest_of(WCI_SHA512, "", 0, &digest, NULL));
    ck_assert(!wci_content_key_of(&digest, &key));
    ck_assert(!wci_content_key_of(&(wci_digest){{0}}, &key));
}
END_TEST

/* What a layer's unpacking notes, for files with content. */
static int32_t take_name(void *self, const wci_content_key *key, const char *name, wc_error **err)
{
    (void)key;
    (void)err;
    strcat(strcat(self, name), " ");
    return WC_OK;
}

START_TEST(list_of_a_layer)
{
    chunked c = {0};
    wci_unpack_stats stats = {0};
    char names[100] = "", *path = test_text("%s/contents", dir);
    chunked_sample(&c);
    test_ok(chunked_unpack(&c, dir, &stats, NULL));
    test_ok(wci_contents_read(path, &(wci_contents_taker){take_name, names}, NULL));
    ck_assert_str_eq(names, "d/f pieces last ");
    wci_strv_free(&stats.skipped);
    free(path);
    chunked_free(&c);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("layer parts");
    TCase *tc = tcase_create("parts");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, from_all_frames);
    tcase_add_test(tc, from_files);
    tcase_add_test(tc, unpacked);
    tcase_add_test(tc, another_layer);
    tcase_add_test(tc, stopped);
    tcase_add_loop_test(tc, frames_where_none_can_be, 0, sizeof bad_places / sizeof *bad_places);
    tcase_add_test(tc, frames_that_overlap);
    tcase_add_test(tc, frames_that_do_not_fit);
    tcase_add_loop_test(tc, tables_that_disagree, 0, 3);
    tcase_add_loop_test(tc, tables_that_are_not_named, 0, 4);
    tcase_add_test(tc, ends_that_are_none);
    tcase_add_test(tc, lists);
    tcase_add_test(tc, keys);
    tcase_add_test(tc, list_of_a_layer);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
