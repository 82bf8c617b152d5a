/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of health: what the options take, and, where a monitor runs them, what comes of them. */
#include "conformance/harness.h"

static int32_t health_of(wc_container *c)
{
    wc_container_info *info = NULL;
    good(wc_container_inspect(c, &info, &err));
    int32_t health = wc_container_info_health(info);
    wc_container_info_unref(info);
    return health;
}

START_TEST(options_are_checked)
{
    static const char *const words[] = {"exit:0", "more"};
    wc_container_options *o = options_for(SCRIPT("exit:0"));
    bad(wc_container_options_set_health_command(o, words, 0, 0, &err), WC_E_INVALID);
    bad(wc_container_options_set_health_command(o, words, 2, 1, &err), WC_E_INVALID);
    bad(wc_container_options_set_health_command(o, words, 1, 2, &err), WC_E_INVALID);
    bad(wc_container_options_set_health_command(NULL, words, 1, 1, &err), WC_E_INVALID);
    bad(wc_container_options_set_health_times(o, 10, 0, 0, 0, &err), WC_E_INVALID);
    bad(wc_container_options_set_health_times(o, 0, -1, 0, 0, &err), WC_E_INVALID);
    bad(wc_container_options_set_health_times(NULL, 0, 0, 0, 0, &err), WC_E_INVALID);
    bad(wc_container_options_set_health_retries(o, -1, &err), WC_E_INVALID);
    bad(wc_container_options_disable_health(NULL, &err), WC_E_INVALID);
    good(wc_container_options_disable_health(o, &err));
    wc_container *c = create_from(o);
    good(wc_container_start(c, 0, NULL, NULL, &err));
    ck_assert_int_eq(exit_code_of(c), 0);
    ck_assert_int_eq(health_of(c), WC_HEALTH_NONE);
}
END_TEST

static wc_container *start_checked(const char *first, const char *action)
{
    const char *const words[] = {first, action};
    wc_container_options *o = options_for(SCRIPT("forever"));
    good(wc_container_options_set_health_command(o, words, 2, 0, &err));
    good(wc_container_options_set_health_times(o, 50 * MS, 20 * SECONDS, 0, 0, &err));
    good(wc_container_options_set_health_retries(o, 2, &err));
    wc_container *c = create_from(o);
    good(wc_container_start(c, 0, NULL, NULL, &err));
    return c;
}

static void expect_health(wc_container *c, int32_t health)
{
    for (int64_t end = now_ns() + 20 * SECONDS; health_of(c) != health; usleep(20000))
        ck_assert_int_lt(now_ns(), end);
}

START_TEST(checks_tell_by_exit_codes)
{
    wc_container *well = start_checked(PROGRAM, "exit:0");
    if (health_of(well) == WC_HEALTH_NONE)
        skip_test("it runs no checks of health");
    expect_health(well, WC_HEALTH_HEALTHY);
    wc_container *ill = start_checked(PROGRAM, "exit:1");
    expect_health(ill, WC_HEALTH_UNHEALTHY);
    good(wc_container_stop(well, 0, NULL, &err));
    ck_assert_int_eq(health_of(well), WC_HEALTH_UNHEALTHY);
}
END_TEST

TCase *health_tests(void)
{
    TCase *tests = tcase_create("health");
    tcase_add_checked_fixture(tests, harness_setup, harness_teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, options_are_checked);
    tcase_add_test(tests, checks_tell_by_exit_codes);
    return tests;
}
