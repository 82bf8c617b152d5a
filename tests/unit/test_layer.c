/* SPDX-License-Identifier: Apache-2.0 */
/* Unpacking and linking: what random stacks do not ask. */
#include "support/tarball.h"

#include <stdatomic.h>

#include "core/alloc.h"
#include "layer/path.h"
#include "layer/records.h"
#include "platform/tree.h"

static char *dir;

static void setup(void)
{
    dir = test_make_dir();
}

static void teardown(void)
{
    test_remove_dir(dir);
}

static char *below(const char *name)
{
    return test_text("%s/%s", dir, name);
}

/* Ends the tar and unpacks it into <dir>/<name>. */
static void unpack(tarball *t, const char *name, wci_unpack_stats *stats)
{
    wc_error *err = NULL;
    char *to = below(name);
    ck_assert_int_eq(mkdir(to, 0700), 0);
    tar_end(t);
    int32_t rc = unpack_tar(t, to, NULL, stats, &err);
    ck_assert_msg(rc == 0, "%s", err ? wc_error_message(err) : "");
    tar_free(t);
    free(to);
}

/* Records as "IW etc", one line each, sorted. */
static char *records_of(const char *name)
{
    char *file = test_text("%s/%s/records", dir, name), *out;
    char *command = test_text("tail -n +2 %s | tr '\\000' '\\n' | sort", file);
    ck_assert_int_eq(test_run(command, &out), 0);
    free(command);
    free(file);
    return out;
}

static void assert_records(const char *name, const char *want)
{
    char *got = records_of(name);
    ck_assert_str_eq(got, want);
    free(got);
}

START_TEST(statistics)
{
    wci_unpack_stats stats;
    tarball t = TARBALL_INIT;
    tar_dir(&t, "d/");
    tar_file(&t, "d/f", "12345");
    tar_hardlink(&t, "d/g", "d/f");
    unpack(&t, "t", &stats);
    ck_assert_uint_eq(stats.entries, 3);
    ck_assert_uint_eq(stats.content_bytes, 5);
    ck_assert_uint_eq(stats.tar_bytes, 3 * 512 + 512 + 1024);
    ck_assert_uint_eq(stats.skipped.count, 0);
}
END_TEST

START_TEST(what_is_recorded)
{
    tarball t = TARBALL_INIT;
    tar_dir(&t, "./");
    tar_file(&t, "implied/f", "x");
    tar_dir(&t, "named/");
    tar_file(&t, "named/.wh.x", "");
    tar_file(&t, "ghost/.wh.x", "");
    tar_hardlink(&t, "foreign", "elsewhere");
    tar_hardlink(&t, "own", "implied/f");
    tar_hardlink(&t, "foreign2", "foreign");
    tar_file(&t, "opaque/.wh.x", "");
    tar_file(&t, "opaque/.wh..wh..opq", "");
    tar_file(&t, "opaque/f", "x");
    tar_file(&t, "opaque/below/f", "x");
    tar_file(&t, ".wh.anew", "");
    tar_file(&t, "anew/f", "x");
    unpack(&t, "t", NULL);
    assert_records("t", "E\nHown\nIimplied\nIopaque\nLforeign\nLforeign2\nNghost\nW\nWghost\nWnamed\n"
                        "elsewhere\nelsewhere\nimplied/f\n");
}
END_TEST

START_TEST(a_named_directory_is_not_implied)
{
    tarball t = TARBALL_INIT;
    tar_file(&t, "d/f", "x"); /* implied first, named later */
    tar_put(&t, .name = "d", .type = '5', .mode = 0700, .mtime = 1000);
    unpack(&t, "t", NULL);
    assert_records("t", "E\nI\n");
    struct stat st;
    char *path = below("t/fs/d");
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0700);
    ck_assert_int_eq(st.st_mtime, 1000);
    free(path);
}
END_TEST

START_TEST(implied_directories_look_the_same_everywhere)
{
    struct stat st;
    tarball t = TARBALL_INIT;
    mode_t old = umask(0077);
    tar_file(&t, "d/f", "x");
    unpack(&t, "t", NULL);
    umask(old);
    char *path = below("t/fs/d");
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0755);
    ck_assert_int_eq(st.st_mtime, 0);
    free(path);
}
END_TEST

/* Attributes of the root come from "./". */
START_TEST(root_attributes)
{
    struct stat st;
    tarball t = TARBALL_INIT;
    tar_put(&t, .name = "./", .type = '5', .mode = 0750, .mtime = 77);
    tar_file(&t, "./f", "x");
    unpack(&t, "t", NULL);
    assert_records("t", "E\n");
    char *path = below("t/fs");
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0750);
    ck_assert_int_eq(st.st_mtime, 77);
    free(path);
}
END_TEST

START_TEST(sha512_diff_ids)
{
    tarball t = TARBALL_INIT;
    wci_digest diff_id;
    char *to = below("t");
    ck_assert_int_eq(mkdir(to, 0700), 0);
    tar_file(&t, "f", "x");
    tar_end(&t);
    test_ok(wci_digest_of(WCI_SHA512, t.data, t.size, &diff_id, NULL));
    test_ok(unpack_bytes(t.data, t.size, WCI_CODEC_NONE, &diff_id, to, NULL, NULL, NULL));
    free(to);
    tar_free(&t);
}
END_TEST

START_TEST(stopping)
{
    _Atomic int stop = 1;
    tarball t = TARBALL_INIT;
    wci_digest diff_id;
    wc_error *err = NULL;
    char *to = below("t");
    ck_assert_int_eq(mkdir(to, 0700), 0);
    tar_file(&t, "f", "x");
    tar_end(&t);
    memory_source m = {t.data, t.size, 0, 0};
    wci_source source = {memory_read, &m};
    test_ok(wci_digest_of(WCI_SHA256, t.data, t.size, &diff_id, NULL));
    expect_refused(wci_layer_unpack(&source, WCI_CODEC_NONE, &diff_id, to, &wci_limits_default,
                                    &stop, NULL, &err),
                   &err, WC_E_CANCELLED);
    free(to);
    tar_free(&t);
}
END_TEST

/* Many directories at once need more descriptors than are kept. */
START_TEST(deep_and_wide)
{
    char name[700];
    tarball t = TARBALL_INIT;
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "d%d/e/f", i);
        tar_file(&t, name, "x");
    }
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof name, "d%d/e/g", i);
        snprintf(name + 350, 350, "d%d/e/f", (i + 150) % 300);
        tar_hardlink(&t, name, name + 350);
    }
    *name = '\0';
    for (int i = 0; i < 98; i++)
        strcat(name, "x/");
    tar_pax(&t, "path", strcat(name, "deep1"), 0);
    tar_file(&t, "x", "deep");
    char *other = strdup(name);
    other[0] = 'y';
    other[strlen(other) - 1] = '2';
    tar_pax(&t, "path", other, 0);
    tar_pax(&t, "linkpath", name, 0);
    tar_hardlink(&t, "y", "x");
    unpack(&t, "t", NULL);
    char *path = test_text("%s/t/fs/%s", dir, other), *text = test_read_file(path, NULL);
    ck_assert_str_eq(text, "deep");
    free(text);
    free(path);
    free(other);
}
END_TEST

/* ---- Linking ----------------------------------------------------------------------------------- */

static wci_level level_of(const char *name)
{
    return (wci_level){test_text("%s/%s/fs", dir, name), test_text("%s/%s/records", dir, name),
                       NULL};
}

static void free_level(wci_level *level)
{
    free((char *)level->tree);
    free((char *)level->records);
    free((char *)level->links);
}

START_TEST(nothing_to_link)
{
    int is_empty = 0;
    tarball t = TARBALL_INIT;
    tar_put(&t, .name = "./", .type = '5', .mtime = 5);
    tar_file(&t, "f", "x");
    unpack(&t, "t0", NULL);
    tar_file(&t, "g", "x"); /* its root is implied, and differs from the one below */
    unpack(&t, "t1", NULL);
    wci_level levels[2] = {level_of("t0"), level_of("t1")};
    char *x = below("x"), *fs = below("x/fs");
    ck_assert_int_eq(mkdir(x, 0700), 0);
    test_ok(wci_layer_link(levels, 1, x, &is_empty, NULL));
    ck_assert_int_eq(is_empty, 1);
    ck_assert(access(fs, F_OK) != 0);
    test_ok(wci_layer_link(levels, 2, x, &is_empty, NULL));
    ck_assert_int_eq(is_empty, 0);
    ck_assert(access(fs, F_OK) == 0);
    free_level(&levels[0]);
    free_level(&levels[1]);
    free(x);
    free(fs);
}
END_TEST

START_TEST(links_to_nothing_are_refused)
{
    static const char *const targets[] = {"nowhere", "d", "s/f", "f/x"};
    int is_empty = 0;
    tarball t = TARBALL_INIT;
    tar_file(&t, "d/f", "x");
    tar_file(&t, "f", "x");
    tar_symlink(&t, "s", "d");
    unpack(&t, "t0", NULL);
    for (int i = 0; i < 4; i++) {
        char *name = test_text("t%d", i + 1), *x = test_text("%s/x%d", dir, i);
        wc_error *err = NULL;
        tar_hardlink(&t, "link", targets[i]);
        unpack(&t, name, NULL);
        wci_level levels[2] = {level_of("t0"), level_of(name)};
        ck_assert_int_eq(mkdir(x, 0700), 0);
        expect_refused(wci_layer_link(levels, 2, x, &is_empty, &err), &err, WC_E_FORMAT);
        free_level(&levels[0]);
        free_level(&levels[1]);
        free(name);
        free(x);
    }
}
END_TEST

START_TEST(damaged_records_are_noticed)
{
    int is_empty = 0;
    size_t size;
    tarball t = TARBALL_INIT;
    tar_file(&t, "d/f", "x");
    tar_hardlink(&t, "g", "elsewhere");
    unpack(&t, "t", NULL);
    wci_level level = level_of("t");
    char *x = below("x"), *whole = test_read_file(level.records, &size);
    ck_assert_int_eq(mkdir(x, 0700), 0);
    for (size_t cut = 0; cut < size; cut++) {
        wc_error *err = NULL;
        test_write_file(level.records, whole, cut);
        expect_refused(wci_layer_link(&level, 1, x, &is_empty, &err), &err, WC_E_CORRUPT);
    }
    free(whole);
    free(x);
    free_level(&level);
}
END_TEST

START_TEST(lookups)
{
    char *found = NULL;
    tarball t = TARBALL_INIT;
    tar_file(&t, "d/f", "below");
    tar_file(&t, "d/g", "below");
    tar_symlink(&t, "s", "d");
    unpack(&t, "t0", NULL);
    tar_file(&t, "d/f", "above");
    tar_file(&t, "d/.wh.g", "");
    unpack(&t, "t1", NULL);
    wci_level levels[2] = {level_of("t0"), level_of("t1")};
    test_ok(wci_view_lookup(levels, 2, "d/f", &found, NULL));
    char *want = below("t1/fs/d/f");
    ck_assert_str_eq(found, want);
    wci_free(found);
    free(want);
    test_ok(wci_view_lookup(levels, 1, "d/g", &found, NULL));
    wci_free(found);
    test_code(wci_view_lookup(levels, 2, "d/g", &found, NULL), WC_E_NOT_FOUND);
    test_code(wci_view_lookup(levels, 2, "s/f", &found, NULL), WC_E_NOT_FOUND);
    test_code(wci_view_lookup(levels, 2, "d/f/x", &found, NULL), WC_E_NOT_FOUND);
    test_ok(wci_view_lookup(levels, 2, "", &found, NULL));
    ck_assert_str_eq(found, levels[1].tree);
    wci_free(found);
    free_level(&levels[0]);
    free_level(&levels[1]);
}
END_TEST

/* ---- Names ------------------------------------------------------------------------------------- */

START_TEST(clean_names)
{
    static const struct {
        const char *name, *clean; /* NULL: refused */
    } cases[] = {
        {"a", "a"},         {"./a", "a"},       {"/a//b/", "a/b"}, {".", ""},
        {"/", ""},          {"./", ""},         {"a/./b", "a/b"},  {"a/../b", "b"},
        {"a/..", ""},       {"...", "..."},     {"..a/b..", "..a/b.."},
        {"", NULL},         {"..", NULL},       {"a/../..", NULL}, {"/..", NULL},
    };
    wci_str out = WCI_STR_INIT;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int32_t rc = wci_path_clean(cases[i].name, &wci_limits_default, "x", &out, NULL);
        if (cases[i].clean) {
            ck_assert_int_eq(rc, WC_OK);
            ck_assert_str_eq(out.data, cases[i].clean);
        } else {
            ck_assert_int_eq(rc, WC_E_FORMAT);
        }
    }
    wci_str_free(&out);
}
END_TEST

START_TEST(windows_names)
{
    static const char *const good[] = {"Files/Windows/x.dll", "a b", ".hidden", "console", "com",
                                       "com10", "nulx.txt", "COM", "lpt", "x.con", "ä"};
    static const char *const bad[] = {
        "f:stream", "CON", "con", "a/Prn", "aux.txt", "nul", "NUL.tar.gz", "con .txt", "COM1",
        "com0", "lpt9.x", "com\xc2\xb9", "CONIN$", "conout$", "x.", "x ", "x./y", "a\\b", "..\\x",
        "C:x", "\\\\?\\C:\\x", "a*", "a?", "a|b", "<a", "a>", "a\"b", "a\x01", "a\n"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_msg(wci_path_check_windows(good[i], NULL) == WC_OK, "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(wci_path_check_windows(bad[i], NULL) == WC_E_FORMAT, "%s", bad[i]);
}
END_TEST

START_TEST(names_in_other_letters)
{
    wci_case_set *set = wci_case_set_new();
    char name[32];
    test_ok(wci_case_set_add(set, "Dir/File", NULL));
    test_ok(wci_case_set_add(set, "Dir/File", NULL));
    test_ok(wci_case_set_add(set, "Dir", NULL));
    test_code(wci_case_set_add(set, "Dir/file", NULL), WC_E_FORMAT);
    test_code(wci_case_set_add(set, "dir/other", NULL), WC_E_FORMAT);
    for (int i = 0; i < 10000; i++) {
        snprintf(name, sizeof name, "n%d/M%d", i, i);
        test_ok(wci_case_set_add(set, name, NULL));
    }
    test_code(wci_case_set_add(set, "N77", NULL), WC_E_FORMAT);
    wci_case_set_free(set);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("layer");
    TCase *tc = tcase_create("layer");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, statistics);
    tcase_add_test(tc, what_is_recorded);
    tcase_add_test(tc, a_named_directory_is_not_implied);
    tcase_add_test(tc, implied_directories_look_the_same_everywhere);
    tcase_add_test(tc, root_attributes);
    tcase_add_test(tc, sha512_diff_ids);
    tcase_add_test(tc, stopping);
    tcase_add_test(tc, deep_and_wide);
    tcase_add_test(tc, nothing_to_link);
    tcase_add_test(tc, links_to_nothing_are_refused);
    tcase_add_test(tc, damaged_records_are_noticed);
    tcase_add_test(tc, lookups);
    tcase_add_test(tc, clean_names);
    tcase_add_test(tc, windows_names);
    tcase_add_test(tc, names_in_other_letters);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
