/* SPDX-License-Identifier: Apache-2.0 */
/* Hostile users: what an image says of them, in its config and in its passwd and group files. */
#include <stdint.h>

#include "container/user.h"
#include "support/support.h"

static char *dir;
static wci_level level;
static wci_rootfs rootfs;

static void setup(void)
{
    dir = test_make_dir();
    char *etc = test_text("%s/fs/etc", dir);
    char *command = test_text("mkdir -p %s", etc);
    ck_assert_int_eq(system(command), 0);
    level = (wci_level){.tree = test_text("%s/fs", dir)};
    rootfs = (wci_rootfs){.levels = &level, .count = 1};
    free(command);
    free(etc);
}

static void teardown(void)
{
    free((char *)(uintptr_t)level.tree);
    test_remove_dir(dir);
}

static void put(const char *name, const char *text, size_t size)
{
    char *path = test_text("%s/fs/etc/%s", dir, name);
    test_write_file(path, text, size);
    free(path);
}

static int32_t resolve(const char *spec, wci_user *user)
{
    wc_error *err = NULL;
    int32_t rc = wci_user_resolve(&rootfs, spec, user, &err);
    ck_assert_int_eq(rc != 0, err != NULL);
    wc_error_unref(err);
    return rc;
}

static const char *const bad_ids[] = {"4294967296", "4294967295", "2147483648", "-1", "0:-1", "0:4294967296",
                                      "18446744073709551616", "1:2:3", "+5000000000"};

START_TEST(case_32_ids_out_of_range)
{
    wci_user user = {0};
    ck_assert_int_eq(resolve(bad_ids[_i], &user), WC_E_INVALID);
    ck_assert_ptr_null(user.home);
}
END_TEST

START_TEST(case_32_a_number_is_never_a_name)
{
    static const char text[] = "1000:x:0:0:root by another name:/root:/bin/sh\n-1:x:0:0::/:/bin/sh\n";
    wci_user user = {0};
    put("passwd", text, sizeof text - 1);
    ck_assert_int_eq(resolve("1000", &user), WC_OK);
    ck_assert_uint_eq(user.uid, 1000);
    wci_user_free(&user);
    ck_assert_int_eq(resolve("-1", &user), WC_E_INVALID);
}
END_TEST

START_TEST(case_32_ids_of_the_files_out_of_range)
{
    static const char text[] = "big:x:4294967296:0::/:\nneg:x:-1:0::/:\nodd:x:0x0:0::/:\nshort\n:x:0:0::/:\n";
    wci_user user = {0};
    put("passwd", text, sizeof text - 1);
    ck_assert_int_eq(resolve("big", &user), WC_E_NOT_FOUND);
    ck_assert_int_eq(resolve("neg", &user), WC_E_NOT_FOUND);
    ck_assert_int_eq(resolve("odd", &user), WC_E_NOT_FOUND);
    ck_assert_int_eq(resolve("short", &user), WC_E_NOT_FOUND);
}
END_TEST

START_TEST(case_32_giant_group_file)
{
    static const char user_line[] = "u:x:5:5::/:\n";
    wci_user user = {0};
    size_t size = (size_t)9 << 20;
    char *text = malloc(size);
    memset(text, 'x', size);
    put("passwd", user_line, sizeof user_line - 1);
    put("group", text, size);
    free(text);
    ck_assert_int_eq(resolve("u", &user), WC_E_LIMIT);
}
END_TEST

START_TEST(case_32_member_of_everything)
{
    static const char user_line[] = "u:x:5:5::/:\n";
    wci_user user = {0};
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    for (int i = 0; i < 100000; i++)
        fprintf(f, "g%d:x:%d:u\n", i, i + 10);
    fclose(f);
    put("passwd", user_line, sizeof user_line - 1);
    put("group", text, size);
    free(text);
    ck_assert_int_eq(resolve("u", &user), WC_E_LIMIT);
}
END_TEST

/* The link leads to the host's file seen from outside, and nowhere inside. */
START_TEST(case_32_passwd_is_a_link_to_the_host)
{
    wci_user user = {0};
    char *host = test_text("%s/host-passwd", dir), *link = test_text("%s/fs/etc/passwd", dir);
    static const char text[] = "intruder:x:0:0::/:\n";
    test_write_file(host, text, sizeof text - 1);
    ck_assert_int_eq(symlink(host, link), 0);
    ck_assert_int_eq(resolve("intruder", &user), WC_E_NOT_FOUND);
    ck_assert_int_eq(unlink(link), 0);
    ck_assert_int_eq(symlink("../../host-passwd", link), 0);
    ck_assert_int_eq(resolve("intruder", &user), WC_E_NOT_FOUND);
    free(host);
    free(link);
}
END_TEST

START_TEST(case_32_passwd_is_no_file)
{
    wci_user user = {0};
    char *path = test_text("%s/fs/etc/passwd", dir);
    ck_assert_int_eq(mkfifo(path, 0600), 0); /* opening it would wait for ever */
    ck_assert_int_eq(resolve("anybody", &user), WC_E_NOT_FOUND);
    ck_assert_int_eq(resolve("7", &user), WC_OK);
    wci_user_free(&user);
    free(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hostile users");
    TCase *c = tcase_create("users");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_add_loop_test(c, case_32_ids_out_of_range, 0, (int)(sizeof bad_ids / sizeof *bad_ids));
    tcase_add_test(c, case_32_a_number_is_never_a_name);
    tcase_add_test(c, case_32_ids_of_the_files_out_of_range);
    tcase_add_test(c, case_32_giant_group_file);
    tcase_add_test(c, case_32_member_of_everything);
    tcase_add_test(c, case_32_passwd_is_a_link_to_the_host);
    tcase_add_test(c, case_32_passwd_is_no_file);
    suite_add_tcase(suite, c);
    return test_main(suite);
}
