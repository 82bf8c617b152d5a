/* SPDX-License-Identifier: Apache-2.0 */
/* The settings of a container come back from the store as they went in. */
#include <check.h>
#include <string.h>

#include "container/config.h"
#include "core/alloc.h"
#include "core/error.h"

static void read_back(const wci_config *in, wci_config *out)
{
    char *text = wci_config_to_json(in);
    ck_assert_ptr_nonnull(text);
    ck_assert_int_eq(wci_config_from_json(text, out, NULL), WC_OK);
    wci_free(text);
}

START_TEST(each_kind_of_member_comes_back)
{
    wci_config in = {.read_only = 1, .memory = INT64_C(1) << 40}, out;
    wci_strv flags = WCI_STRV_INIT;
    ck_assert_int_eq(wci_replace(&in.hostname, "shop"), 0);
    ck_assert_int_eq(wci_strv_add(&in.cap_add, "NET_ADMIN"), 0);
    ck_assert_int_eq(wci_strv_add(&flags, "ro"), 0);
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(wci_config_add_mount(&in, "bind", "/from", i ? "/to" : "/first", &flags), 0);
    ck_assert_int_eq(wci_config_add_rlimit(&in, "nofile", 10, -1), 0);
    read_back(&in, &out);
    ck_assert_str_eq(out.hostname, "shop");
    ck_assert_str_eq(out.cap_add.items[0], "NET_ADMIN");
    ck_assert_int_eq(out.read_only, 1);
    ck_assert_int_eq(out.memory, INT64_C(1) << 40);
    ck_assert_uint_eq(out.mount_count, 20);
    ck_assert_str_eq(out.mounts[0].target, "/first");
    ck_assert_str_eq(out.mounts[19].source, "/from");
    ck_assert_str_eq(out.mounts[19].options.items[0], "ro");
    ck_assert_uint_eq(out.rlimit_count, 1);
    ck_assert_int_eq(out.rlimits[0].soft, 10);
    ck_assert_int_eq(out.rlimits[0].hard, -1);
    wci_strv_free(&flags);
    wci_config_free(&in);
    wci_config_free(&out);
}
END_TEST

START_TEST(resources_come_back)
{
    wci_config in = {.memory_swappiness = 0, .cpu_quota = -1, .oom_kill_disable = 1}, out;
    ck_assert_int_eq(wci_config_add_block_limit(&in, "read-bps", "/dev/a", 1), 0);
    ck_assert_int_eq(wci_config_add_block_limit(&in, "write-bps", "/dev/a", 2), 0);
    ck_assert_int_eq(wci_config_add_block_limit(&in, "read-bps", "/dev/a", 3), 0);
    ck_assert_int_eq(wci_config_add_sysctl(&in, "net.a", "1"), 0);
    ck_assert_int_eq(wci_config_add_sysctl(&in, "net.a", "2"), 0);
    ck_assert_int_eq(wci_config_add_device(&in, "/dev/a", "/dev/b", "rw"), 0);
    read_back(&in, &out);
    ck_assert_int_eq(out.memory_swappiness, 0);
    ck_assert_int_eq(out.cpu_quota, -1);
    ck_assert_int_eq(out.oom_kill_disable, 1);
    ck_assert_uint_eq(out.block_limit_count, 2);
    ck_assert_int_eq(out.block_limits[0].value, 3);
    ck_assert_uint_eq(out.sysctl_count, 1);
    ck_assert_str_eq(out.sysctls[0].value, "2");
    ck_assert_str_eq(out.devices[0].target, "/dev/b");
    wci_config_free(&in);
    wci_config_free(&out);
    ck_assert_int_eq(wci_config_from_json("{}", &out, NULL), WC_OK);
    ck_assert_int_eq(out.memory_swappiness, -1);
    wci_config_free(&out);
}
END_TEST

START_TEST(what_is_not_there_is_empty)
{
    wci_config out;
    ck_assert_int_eq(wci_config_from_json("{\"later\": {\"a\": 1}}", &out, NULL), WC_OK);
    ck_assert_str_eq(out.hostname, "");
    ck_assert_str_eq(out.seccomp, "default");
    ck_assert_int_eq(out.log_max_files, 1);
    ck_assert_uint_eq(out.mount_count, 0);
    wci_config_free(&out);
}
END_TEST

START_TEST(damage_is_told)
{
    static const char *const texts[] = {
        "{\"mounts\": [{\"type\": \"bind\"}, {\"type\": 7}]}", "{\"mounts\": {}}", "{\"mounts\": [7]}", "{\"memory\": \"x\"}", "[",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        wci_config out;
        wc_error *why = NULL;
        ck_assert_msg(wci_config_from_json(texts[i], &out, &why) == WC_E_CORRUPT, "%s", texts[i]);
        ck_assert_ptr_nonnull(strstr(wc_error_message(why), "the record is damaged"));
        wc_error_unref(why);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("container configuration");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, each_kind_of_member_comes_back);
    tcase_add_test(tcase, resources_come_back);
    tcase_add_test(tcase, what_is_not_there_is_empty);
    tcase_add_test(tcase, damage_is_told);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
