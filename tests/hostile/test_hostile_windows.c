/* SPDX-License-Identifier: Apache-2.0 */
/* Layers of Windows images that mean harm: names that Windows reads differently, junctions that lead to the
 * host, and attributes that are none. What a layer is shows its first record of Windows, or the image's
 * config. */
#include "hostile_layers.h"

/* Owner and group are the built-in users, as image builders write it. */
#define GOOD_SECURITY "AQAAgBQAAAAkAAAAAAAAAAAAAAABAgAAAAAABSAAAAAhAgAAAQIAAAAAAAUgAAAAIQIAAA=="

static wci_limits for_windows(void)
{
    wci_limits limits = wci_limits_default;
    limits.target_windows = 1;
    return limits;
}

static void windows_dir(tarball *t, const char *name)
{
    tar_pax(t, "MSWINDOWS.fileattr", "16", 0);
    tar_pax(t, "MSWINDOWS.rawsd", GOOD_SECURITY, 0);
    tar_dir(t, name);
}

static void put_junction(tarball *t, const char *name, const char *target)
{
    tar_pax(t, "MSWINDOWS.fileattr", "1040", 0);
    tar_pax(t, "MSWINDOWS.mountpoint", "1", 0);
    tar_symlink(t, name, target);
}

START_TEST(case_21_windows_names_on_linux)
{
    static const char *const names[] = {"f:stream", "CON", "x.", "y ", "..\\x", "C:x",
                                        "\\\\?\\C:\\x", "Readme", "README"};
    tarball t = TARBALL_INIT;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        tar_file(&t, names[i], "plain");
    char *fs = hostile_unpack(&t);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        hostile_assert_text(fs, names[i], "plain");
    free(fs);
}
END_TEST

START_TEST(case_21_windows_names_for_windows)
{
    static const char *const bad[] = {"f:stream", "CON", "d/nul.txt", "x.", "d/y /f", "..\\x",
                                      "C:x", "\\\\?\\C:\\x", "com1", "LPT9.log", "a?b"};
    wci_limits limits = wci_limits_default;
    limits.target_windows = 1;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tarball t = TARBALL_INIT;
        tar_file(&t, bad[i], "x");
        tar_end(&t);
        hostile_refused_with(&t, &limits, WC_E_FORMAT);
    }
    tarball t = TARBALL_INIT;
    tar_file(&t, "Files/Readme", "x");
    tar_file(&t, "files/other", "x"); /* the directory in other letters */
    tar_end(&t);
    hostile_refused_with(&t, &limits, WC_E_FORMAT);
}
END_TEST

/* The same without being told what the layer is for. */
START_TEST(case_21_windows_names_after_a_record)
{
    static const char *const bad[] = {"Files/f:stream", "Files/CON", "Files/x.", "Files/..\\x", "files/x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tarball t = TARBALL_INIT;
        windows_dir(&t, "Files");
        tar_file(&t, bad[i], "x");
        hostile_refused(&t, WC_E_FORMAT);
    }
}
END_TEST

START_TEST(case_21_hard_link_with_backslashes)
{
    tarball t = TARBALL_INIT;
    windows_dir(&t, "Files");
    tar_file(&t, "Files/x", "x");
    tar_hardlink(&t, "Files/y", "Files\\..\\..\\x");
    hostile_refused(&t, WC_E_FORMAT);
}
END_TEST

/* A stream stands behind its file, under a plain name. */
START_TEST(case_21_streams)
{
    static const char *const bad[] = {"f::$INDEX_ALLOCATION", "f:a:$DATA", "g:a", "f:", "f:a/b", "f:a\\b", "F:a"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tarball t = TARBALL_INIT;
        wci_limits limits = for_windows();
        tar_file(&t, "f", "x");
        tar_file(&t, bad[i], "x");
        tar_end(&t);
        hostile_refused_with(&t, &limits, WC_E_FORMAT);
    }
    tarball t = TARBALL_INIT;
    windows_dir(&t, "Files");
    tar_file(&t, "Files/f", "content");
    tar_file(&t, "Files/f:a", "one");
    tar_file(&t, "Files/f:b", "two");
    char *fs = hostile_unpack(&t);
    hostile_assert_text(fs, "Files/f", "content");
    hostile_assert_text(fs, "Files/f:b", "two");
    free(fs);
}
END_TEST

static const char *const bad_junctions[] = {
    "\\\\?\\Volume{01234567-89ab-cdef-0123-456789abcdef}\\",
    "\\??\\Volume{01234567-89ab-cdef-0123-456789abcdef}\\x",
    "\\\\server\\share",
    "\\??\\UNC\\server\\share",
    "\\\\.\\PhysicalDrive0",
    "\\Device\\HarddiskVolume3\\",
    "\\GLOBAL??\\C:\\Windows",
    "D:\\x",
    "C:",
    "C:x",
    "C:\\Users\\..\\..\\x",
    "C:/Users/../x",
    "C:\\Users:stream",
    "..\\..\\Windows",
    "Users",
    "/etc",
};

START_TEST(case_21_junction_to_the_host)
{
    tarball t = TARBALL_INIT;
    windows_dir(&t, "Files");
    put_junction(&t, "Files/j", bad_junctions[_i]);
    hostile_refused(&t, WC_E_FORMAT);
}
END_TEST

/* Every Windows image has some. */
START_TEST(case_21_junctions_that_are_right)
{
    static const char *const good[] = {"C:\\Users", "c:\\ProgramData\\", "\\??\\C:\\Users\\Public",
                                       "\\\\?\\C:\\Users", "C:/Users", "C:\\a..b\\..c"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        tarball t = TARBALL_INIT;
        windows_dir(&t, "Files");
        put_junction(&t, "Files/j", good[i]);
        char *fs = hostile_unpack(&t);
        ck_assert_int_eq(hostile_type(fs, "Files/j"), S_IFLNK);
        free(fs);
    }
}
END_TEST

START_TEST(case_21_junction_is_never_followed)
{
    tarball t = TARBALL_INIT;
    windows_dir(&t, "Files");
    put_junction(&t, "Files/j", "C:\\Users");
    tar_file(&t, "Files/j/f", "x");
    char *fs = hostile_unpack(&t);
    ck_assert_int_eq(hostile_type(fs, "Files/j"), S_IFDIR); /* the last one wins */
    hostile_assert_text(fs, "Files/j/f", "x");
    free(fs);
}
END_TEST

START_TEST(case_21_junction_that_is_no_link)
{
    for (int type = 0; type < 2; type++) {
        tarball t = TARBALL_INIT;
        tar_pax(&t, "MSWINDOWS.mountpoint", "1", 0);
        tar_put(&t, .name = "Files", .type = type ? '5' : '0');
        hostile_refused(&t, WC_E_FORMAT);
    }
}
END_TEST

typedef struct record {
    const char *key, *value;
} record;

static const record bad_records[] = {
    {"MSWINDOWS.rawsd", "*"},
    {"MSWINDOWS.rawsd", "AQAAgA=="},
    {"MSWINDOWS.rawsd", "AQAAABQAAAAkAAAAAAAAAAAAAAABAgAAAAAABSAAAAAhAgAAAQIAAAAAAAUgAAAAIQIAAA=="}, /* pointers */
    {"MSWINDOWS.rawsd", "AQAAgBQAAAD/////AAAAAAAAAAABAgAAAAAABSAAAAAhAgAA"},                         /* a group far away */
    {"MSWINDOWS.rawsd", "AQAAgBQAAAAAAAAAAAAAAAAAAAABDwAAAAAABSAAAAAhAgAA"}, /* an owner beyond the end */
    {"MSWINDOWS.fileattr", "-1"},
    {"MSWINDOWS.fileattr", "0x10"},
    {"MSWINDOWS.fileattr", "4294967296"},
    {"MSWINDOWS.fileattr", "16"}, /* a directory */
    {"MSWINDOWS.sd", "O:BA\x01"},
    {"MSWINDOWS.mountpoint", "yes"},
    {"MSWINDOWS.xattr.", "AA=="},
    {"MSWINDOWS.xattr.KERNEL.PURGE", "A"},
    {"MSWINDOWS.xattr.a\x07", "AA=="},
};

START_TEST(case_21_bad_records)
{
    tarball t = TARBALL_INIT;
    tar_pax(&t, bad_records[_i].key, bad_records[_i].value, 0);
    tar_file(&t, "f", "x");
    hostile_refused(&t, WC_E_FORMAT);
}
END_TEST

START_TEST(case_21_records_with_zeros_or_too_long)
{
    tarball t = TARBALL_INIT;
    tar_pax(&t, "MSWINDOWS.rawsd", GOOD_SECURITY "\0x", sizeof GOOD_SECURITY + 1);
    tar_file(&t, "f", "x");
    hostile_refused(&t, WC_E_FORMAT);
    char *value = malloc(65536 * 4 / 3 + 5); /* base64 of 65536 bytes or more */
    memset(value, 'A', 65536 * 4 / 3 + 4);
    value[65536 * 4 / 3 + 4 - (65536 * 4 / 3) % 4] = '\0';
    tar_pax(&t, "MSWINDOWS.xattr.LONG", value, 0);
    tar_file(&t, "f", "x");
    hostile_refused(&t, WC_E_FORMAT);
    free(value);
}
END_TEST

START_TEST(case_21_records_that_are_right)
{
    tarball t = TARBALL_INIT;
    windows_dir(&t, "Files");
    tar_pax(&t, "MSWINDOWS.fileattr", "32", 0);
    tar_pax(&t, "MSWINDOWS.sd", "O:BAG:SYD:(A;;FA;;;BA)", 0);
    tar_pax(&t, "MSWINDOWS.xattr.KERNEL.PURGE.ESBCACHE", "AAECAw==", 0);
    tar_pax(&t, "MSWINDOWS.accesstime", "131500000000000000", 0);
    tar_file(&t, "Files/f", "x");
    char *fs = hostile_unpack(&t);
    hostile_assert_text(fs, "Files/f", "x");
    free(fs);
}
END_TEST

TCase *hostile_windows_cases(void)
{
    TCase *tc = tcase_create("windows");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, hostile_setup, hostile_teardown);
    tcase_add_test(tc, case_21_windows_names_on_linux);
    tcase_add_test(tc, case_21_windows_names_for_windows);
    tcase_add_test(tc, case_21_windows_names_after_a_record);
    tcase_add_test(tc, case_21_hard_link_with_backslashes);
    tcase_add_test(tc, case_21_streams);
    tcase_add_loop_test(tc, case_21_junction_to_the_host, 0,
                        (int)(sizeof bad_junctions / sizeof *bad_junctions));
    tcase_add_test(tc, case_21_junctions_that_are_right);
    tcase_add_test(tc, case_21_junction_is_never_followed);
    tcase_add_test(tc, case_21_junction_that_is_no_link);
    tcase_add_loop_test(tc, case_21_bad_records, 0, (int)(sizeof bad_records / sizeof *bad_records));
    tcase_add_test(tc, case_21_records_with_zeros_or_too_long);
    tcase_add_test(tc, case_21_records_that_are_right);
    return tc;
}
