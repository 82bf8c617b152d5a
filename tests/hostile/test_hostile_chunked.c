/* SPDX-License-Identifier: Apache-2.0 */
/* zstd:chunked layers whose tables say something else than their stream: who believes the tables would have
 * another image. */
#include "hostile_layers.h"
#include "support/chunked.h"

static int32_t unpack_next(chunked *c, wci_unpack_stats *stats, wc_error **err)
{
    static int n;
    char *dir = test_text("%s/c%d", hostile_dir, n++);
    ck_assert_int_eq(mkdir(dir, 0700), 0);
    int32_t rc = chunked_unpack(c, dir, stats, err);
    free(dir);
    return rc;
}

static void accepted(chunked *c)
{
    wc_error *err = NULL;
    wc_buf *text = NULL;
    wci_unpack_stats stats = {0};
    int32_t rc = unpack_next(c, &stats, &err);
    if (err)
        wc_error_format(err, &text);
    ck_assert_msg(rc == 0, "%s", text ? (const char *)wc_buf_data(text) : "");
    ck_assert_str_eq(stats.table.text, c->table.text);
    wci_strv_free(&stats.skipped);
    chunked_free(c);
}

static void refused(chunked *c, int32_t want)
{
    wc_error *err = NULL;
    expect_refused(unpack_next(c, NULL, &err), &err, want);
    chunked_free(c);
}

START_TEST(case_19_tables_that_are_right)
{
    chunked c = {0};
    chunked_sample(&c);
    accepted(&c);
    chunked_sample(&c);
    c.old_footer = 1;
    accepted(&c);
    chunked_sample(&c);
    c.no_split_digest = 1;
    accepted(&c);
    chunked_put(&c, .name = "caf\xe9", .text = "Latin-1"); /* as Go writes it into JSON, and into tar-split */
    chunked_replace(&c.contents, "caf\xe9", "caf\\ufffd");
    chunked_replace(&c.split, "\"name\":\"caf\xe9\"", "\"name_raw\":\"Y2Fm6Q==\"");
    accepted(&c);
    accepted(&c); /* nothing at all */
}
END_TEST

/* More headers than the reader's buffer holds before the first content. */
START_TEST(case_19_many_directories_first)
{
    char name[32];
    for (int count = 500; count < 520; count++) {
        chunked c = {0};
        for (int i = 0; i < count; i++) {
            snprintf(name, sizeof name, "d%d/", i);
            chunked_put(&c, .name = name, .type = '5');
        }
        chunked_put(&c, .name = "f", .text = "x");
        accepted(&c);
    }
}
END_TEST

typedef struct lie {
    const char *from, *to;
} lie;

static const lie content_lies[] = {
    {"\"name\":\"d/f\"", "\"name\":\"d/g\""},
    {"\"name\":\"last\"", "\"name\":\"d/../last\""},
    {"\"type\":\"dir\"", "\"type\":\"fifo\""},
    {"\"type\":\"reg\",\"name\":\"empty\"", "\"type\":\"symlink\",\"name\":\"empty\""},
    {"\"size\":9", "\"size\":8"},
    {"\"size\":0,\"uid\":0", "\"size\":1,\"uid\":0"}, /* of the empty file */
    {"\"mode\":493", "\"mode\":2541"},                /* set-user-ID */
    {"\"uid\":3", "\"uid\":0"},
    {"\"gid\":4", "\"gid\":5"},
    {"\"linkName\":\"d/f\"", "\"linkName\":\"/etc/passwd\""},
    {"\"user.a\":\"b25l\"", "\"user.a\":\"dHdv\""},
    {"\"user.a\":\"b25l\",", ""},
    {"\"xattrs\":null", "\"xattrs\":{\"security.capability\":\"AA==\"}"},
    {"\"digest\":\"sha256:", "\"digest\":\"sha512:"},
    /* "some text", then something else */
    {"b94f6f125c79e3a5ffaa826f584c10d52ada669e6762051b826b55776d05aed2",
     "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"},
    {"\"size\":0,\"uid\":0,\"gid\":0,\"devMajor\":0,\"devMinor\":0,\"xattrs\":null,\"modtime\":\"1970-01-01T00:00:00Z\","
     "\"digest\":\"\"",
     "\"digest\":\"sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\""},
    {",{\"type\":\"chunk\",\"name\":\"pieces\",\"chunkOffset\":6}", ",{\"type\":\"chunk\",\"name\":\"last\",\"chunkOffset\":6}"},
    {"\"chunkOffset\":12", "\"chunkOffset\":6"},
    {"\"chunkOffset\":12", "\"chunkOffset\":18"},
    {"\"type\":\"fifo\",\"name\":\"pipe\"", "\"Type\":\"reg\",\"type\":\"fifo\",\"name\":\"pipe\""},
    {"\"type\":\"fifo\"", "\"type\":\"socket\""},
    {"\"xattrs\":null", "\"xattrs\":{\"user.x\":\"*\"}"},
    {"{\"type\":\"dir\"", "{\"type\":\"reg\",\"name\":\"evil\",\"size\":0},{\"type\":\"dir\""},
};

START_TEST(case_19_contents_that_lie)
{
    chunked c = {0};
    chunked_sample(&c);
    chunked_replace(&c.contents, content_lies[_i].from, content_lies[_i].to);
    refused(&c, WC_E_FORMAT);
}
END_TEST

/* Devices, which only root may make. */
START_TEST(case_19_contents_that_lie_of_a_device)
{
    chunked c = {0};
    chunked_put(&c, .name = "null", .type = '3', .major = 1, .minor = 3);
    accepted(&c);
    chunked_put(&c, .name = "null", .type = '3', .major = 1, .minor = 3);
    chunked_replace(&c.contents, "\"devMinor\":3", "\"devMinor\":9");
    refused(&c, WC_E_FORMAT);
}
END_TEST

START_TEST(case_19_contents_too_short_or_long)
{
    chunked c = {0};
    tarball whole = TARBALL_INIT;
    chunked_sample(&c);
    c.contents.size = (size_t)((char *)memmem(c.contents.data, c.contents.size, ",{\"type\":\"fifo\"", 15) -
                               c.contents.data);
    refused(&c, WC_E_FORMAT);
    chunked_sample(&c);
    tar_bytes(&whole, c.contents.data, c.contents.size);
    chunked_text(&c.contents, test_text(","));
    tar_bytes(&c.contents, whole.data, whole.size);
    refused(&c, WC_E_FORMAT);
    tar_free(&whole);
}
END_TEST

/* Two entries of one name in the other order: another one is the last. */
START_TEST(case_19_contents_in_another_order)
{
    chunked c = {0};
    chunked_put(&c, .name = "f", .text = "good");
    chunked_put(&c, .name = "f", .text = "evil");
    c.contents.size = 0;
    chunked_list(&c, &(tar_item){.name = "f", .text = "evil"}, 4, 0, NULL);
    chunked_list(&c, &(tar_item){.name = "f", .text = "good"}, 4, 0, NULL);
    refused(&c, WC_E_FORMAT);
}
END_TEST

static const char *const table_lies[] = {
    ",\"entries\":[]", ",\"Entries\":[]", ",\"version\":1", ",\"x", "}", ",\"a\\\"entries\":[]",
};

START_TEST(case_19_tables_that_are_none)
{
    chunked c = {0};
    chunked_sample(&c);
    c.table_more = table_lies[_i];
    refused(&c, WC_E_FORMAT);
}
END_TEST

START_TEST(case_19_footer_that_lies)
{
    static const long long shifts[] = {-1, 1, -8, -500, 1000000};
    for (size_t i = 0; i < sizeof shifts / sizeof *shifts; i++) {
        chunked c = {0};
        chunked_sample(&c);
        c.shift = shifts[i];
        refused(&c, WC_E_FORMAT);
    }
}
END_TEST

static const lie split_lies[] = {
    {"\"name\":\"d/f\"", "\"name\":\"last\""},   /* another file's content */
    {"\"size\":9", "\"size\":8"},
    {"\"type\":1,\"name\":\"last\"", "\"type\":3,\"name\":\"last\""},
    {"\"type\":1,\"name\":\"last\"", "\"name\":\"last\""},
    {"{\"type\":2,\"payload\":\"ZC8A", "{\"type\":2,\"payload\":\"ZS8A"}, /* "e/" for "d/" */
    {"{\"type\":2,\"payload\":\"ZC8A", "{\"type\":2,\"Payload\":\"\",\"payload\":\"ZC8A"},
    {"\"payload\":\"ZC8A", "\"payload\":\"*C8A"},
    {"\n", "\n{\"type\":2,\"payload\":\"AA==\"}\n"},
    {"\n", "\nx\n"},
};

START_TEST(case_19_split_that_lies)
{
    chunked c = {0};
    chunked_sample(&c);
    chunked_replace(&c.split, split_lies[_i].from, split_lies[_i].to);
    refused(&c, WC_E_FORMAT);
}
END_TEST

/* All of it in one frame, which goes on past what is decoded at once: no table can be right, since tables name
 * places in the stream. */
START_TEST(case_19_content_amid_a_frame)
{
    chunked c = {0};
    chunked_sample(&c);
    for (int i = 0; i < 600; i++)
        chunked_put(&c, .name = "more/", .type = '5');
    c.stored.size = c.pending.size = 0;
    tar_bytes(&c.pending, c.tar.data, c.tar.size);
    refused(&c, WC_E_FORMAT);
}
END_TEST

START_TEST(case_19_unknown_kind_of_table)
{
    chunked c = {0};
    wc_error *err = NULL;
    chunked_sample(&c);
    chunked_end(&c);
    c.stored.data[c.stored.size - 40] = 2;
    wci_digest diff_id = chunked_digest(c.tar.data, c.tar.size);
    char *dir = test_text("%s/kind", hostile_dir);
    ck_assert_int_eq(mkdir(dir, 0700), 0);
    int32_t rc = unpack_bytes(c.stored.data, c.stored.size, WCI_CODEC_ZSTD, &diff_id, dir, NULL, NULL, &err);
    expect_refused(rc, &err, WC_E_UNSUPPORTED);
    free(dir);
    chunked_free(&c);
}
END_TEST

/* Small when packed. */
START_TEST(case_19_table_bombs)
{
    chunked c = {0};
    char *name = malloc((3 << 20) + 1);
    memset(name, 'n', 3 << 20);
    name[3 << 20] = '\0';
    chunked_sample(&c);
    chunked_replace(&c.contents, "last", name);
    refused(&c, WC_E_LIMIT);
    chunked_sample(&c);
    char *more = test_text(",\"x\":\"%s\"", name);
    c.table_more = more;
    refused(&c, WC_E_LIMIT);
    free(more);
    free(name);
}
END_TEST

/* Without a footer nobody finds a table: skippable frames are only skipped. */
START_TEST(case_19_table_without_a_footer)
{
    static const char table[] = "{\"version\":1,\"entries\":[{\"type\":\"reg\",\"name\":\"evil\"}]}";
    chunked c = {0};
    wci_unpack_stats stats = {0};
    chunked_skippable(&c.stored, table, sizeof table);
    chunked_sample(&c);
    tar_zeros(&c.tar, 1024);
    tar_zeros(&c.pending, 1024);
    chunked_flush(&c);
    chunked_skippable(&c.stored, table, sizeof table);
    wci_digest diff_id = chunked_digest(c.tar.data, c.tar.size);
    test_ok(unpack_bytes(c.stored.data, c.stored.size, WCI_CODEC_ZSTD, &diff_id, hostile_dir, NULL, &stats,
                         NULL));
    char *fs = test_text("%s/fs", hostile_dir);
    ck_assert(hostile_exists(fs, "d/f"));
    ck_assert(!hostile_exists(fs, "evil"));
    ck_assert_str_eq(stats.table.text, "");
    free(fs);
    wci_strv_free(&stats.skipped);
    chunked_free(&c);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof *(array))

TCase *hostile_chunked_cases(void)
{
    TCase *tc = tcase_create("chunked");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, hostile_setup, hostile_teardown);
    tcase_add_test(tc, case_19_tables_that_are_right);
    tcase_add_test(tc, case_19_many_directories_first);
    tcase_add_loop_test(tc, case_19_contents_that_lie, 0, COUNT(content_lies));
    if (geteuid() == 0)
        tcase_add_test(tc, case_19_contents_that_lie_of_a_device);
    else
        puts("SKIPPED PART: case_19_contents_that_lie_of_a_device: needs root");
    tcase_add_test(tc, case_19_contents_too_short_or_long);
    tcase_add_test(tc, case_19_contents_in_another_order);
    tcase_add_loop_test(tc, case_19_tables_that_are_none, 0, COUNT(table_lies));
    tcase_add_test(tc, case_19_footer_that_lies);
    tcase_add_loop_test(tc, case_19_split_that_lies, 0, COUNT(split_lies));
    tcase_add_test(tc, case_19_content_amid_a_frame);
    tcase_add_test(tc, case_19_unknown_kind_of_table);
    tcase_add_test(tc, case_19_table_bombs);
    tcase_add_test(tc, case_19_table_without_a_footer);
    return tc;
}
