/* SPDX-License-Identifier: Apache-2.0 */
/* Where the control groups of containers are. */
#include <check.h>
#include <string.h>

#include "backend/backend.h"
#include "backend/process/linux/cgroup.h"
#include "core/error.h"

START_TEST(slices_are_directories)
{
    static const char *const table[][2] = {
        {"system.slice", "/system.slice"},
        {"a-b.slice", "/a.slice/a-b.slice"},
        {"a-b-c.slice", "/a.slice/a-b.slice/a-b-c.slice"},
        {"-.slice", ""},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char path[256];
        ck_assert_int_eq(wci_systemd_slice_path(table[i][0], path, sizeof path, NULL), WC_OK);
        ck_assert_str_eq(path, table[i][1]);
    }
}
END_TEST

START_TEST(what_is_no_slice_is_told)
{
    static const char *const wrong[] = {"", ".slice", "a", "a.scope", "a/b.slice", "-a.slice", "a-.slice", "a--b.slice"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char path[256];
        wc_error *why = NULL;
        ck_assert_msg(wci_systemd_slice_path(wrong[i], path, sizeof path, &why) == WC_E_INVALID, "%s", wrong[i]);
        ck_assert_ptr_nonnull(strstr(wc_error_message(why), "xxx.slice"));
        wc_error_unref(why);
    }
    char small[8];
    ck_assert_int_eq(wci_systemd_slice_path("a-b-c.slice", small, sizeof small, NULL), WC_E_INVALID);
}
END_TEST

START_TEST(parents_come_from_the_configuration)
{
    wc_request request = {.container_id = (char *)"abc", .config = (char *)"{\"cgroupParent\":\"/a/b\"}"};
    ck_assert_str_eq(wci_cgroup_of_request(&request).path, "/a/b/abc");
    request.config = (char *)"{\"cgroupParent\":\"\"}";
    ck_assert_str_eq(wci_cgroup_of_request(&request).path, "/wincontainer/abc");
    ck_assert_str_eq(wci_cgroup_of_request(&request).for_runtime, "/wincontainer/abc");
    request.config = (char *)"damaged";
    ck_assert_str_eq(wci_cgroup_of_request(&request).path, "/wincontainer/abc");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("control groups");
    TCase *tcase = tcase_create("places");
    tcase_add_test(tcase, slices_are_directories);
    tcase_add_test(tcase, what_is_no_slice_is_told);
    tcase_add_test(tcase, parents_come_from_the_configuration);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
