/* SPDX-License-Identifier: Apache-2.0 */
/* Restart policies. */
#include "conformance/harness.h"

/* NULL when the backend starts nothing by itself; the test is noted as skipped then. */
static wc_container *create_with(const char *test, const char *policy, int64_t max, const char *const *words)
{
    wc_error *why = NULL;
    wc_container *c = NULL;
    wc_container_options *o = options_for(words);
    good(wc_container_options_set_restart_policy(o, policy, max, &err));
    int32_t rc = wc_container_create(context, o, NULL, &c, &why);
    wc_container_options_unref(o);
    if (rc == WC_E_UNSUPPORTED) {
        harness_note_skip(test, wc_error_message(why));
        wc_error_unref(why);
        return NULL;
    }
    harness_expect_ok(rc, why, "create");
    return c;
}

static int64_t restarts_of(wc_container *c)
{
    wc_container_info *info = NULL;
    good(wc_container_inspect(c, &info, &err));
    int64_t count = wc_container_info_restart_count(info);
    wc_container_info_unref(info);
    return count;
}

static void wait_for_restarts(wc_container *c, int64_t count)
{
    for (int64_t end = now_ns() + 30 * SECONDS; restarts_of(c) < count;) {
        ck_assert_int_lt(now_ns(), end);
        usleep(20000);
    }
}

START_TEST(wrong_policies_are_refused)
{
    wc_container *c = NULL;
    wc_container_options *o = options_for(SCRIPT("exit:0"));
    bad(wc_container_options_set_restart_policy(o, "sometimes", 0, &err), WC_E_INVALID);
    bad(wc_container_options_set_restart_policy(o, "always", 3, &err), WC_E_INVALID);
    bad(wc_container_options_set_restart_policy(o, "on-failure", -1, &err), WC_E_INVALID);
    bad(wc_container_options_set_restart_policy(o, NULL, 0, &err), WC_E_INVALID);
    good(wc_container_options_set_restart_policy(o, "always", 0, &err));
    good(wc_container_options_set_auto_remove(o, 1, &err));
    bad(wc_container_create(context, o, NULL, &c, &err), WC_E_INVALID);
    good(wc_container_options_set_restart_policy(o, "no", 0, &err));
    good(wc_container_create(context, o, NULL, &c, &err));
    wc_container_unref(c);
    wc_container_options_unref(o);
}
END_TEST

START_TEST(on_failure_has_an_end)
{
    wc_container *c = create_with("on_failure_has_an_end", "on-failure", 2, SCRIPT("outln:run", "exit:9"));
    if (!c)
        return;
    int32_t code = 0;
    good(wc_container_start(c, 0, NULL, NULL, &err));
    good(wc_container_wait(c, WC_WAIT_RUN_END, NULL, &code, &err));
    ck_assert_int_eq(code, 9);
    wait_for_restarts(c, 2);
    ck_assert_int_eq(exit_code_of(c), 9);
    for (int64_t end = now_ns() + 30 * SECONDS; status_of(c) != WC_STATUS_EXITED; usleep(20000))
        ck_assert_int_lt(now_ns(), end);
    char *log = read_log(c, NULL);
    ck_assert_str_eq(log, "1:run\n1:run\n1:run\n");
    free(log);
    wc_container_unref(c);
}
END_TEST

START_TEST(any_of_several_is_waited_for)
{
    uint64_t met = 0;
    int32_t code = 0;
    wc_container *c = start_new(SCRIPT("sleep:300", "exit:7"));
    bad(wc_container_wait_any(c, 0, NULL, &met, &code, &err), WC_E_INVALID);
    bad(wc_container_wait_any(c, 1 << 20, NULL, &met, &code, &err), WC_E_INVALID);
    good(wc_container_wait_any(c, WC_WAITS_RUNNING | WC_WAITS_REMOVED, NULL, &met, &code, &err));
    ck_assert_int_eq((int)met, WC_WAITS_RUNNING);
    good(wc_container_wait_any(c, WC_WAITS_NEXT_EXIT | WC_WAITS_HEALTHY, NULL, &met, &code, &err));
    ck_assert_int_eq((int)met, WC_WAITS_NEXT_EXIT);
    ck_assert_int_eq(code, 7);
    good(wc_container_wait_any(c, WC_WAITS_NOT_RUNNING | WC_WAITS_RUNNING, NULL, &met, &code, &err));
    ck_assert_int_eq((int)met, WC_WAITS_NOT_RUNNING);
    ck_assert_int_eq(code, 7);
    good(wc_container_remove(c, 0, NULL, &err));
    good(wc_container_wait_any(c, WC_WAITS_REMOVED, NULL, &met, NULL, &err));
    bad(wc_container_wait_any(c, WC_WAITS_RUNNING, NULL, &met, NULL, &err), WC_E_NOT_FOUND);
}
END_TEST

START_TEST(a_stop_is_for_good)
{
    wc_container *c = create_with("a_stop_is_for_good", "always", 0, SCRIPT("exit:0"));
    if (!c)
        return;
    for (int i = 0; i < 5; i++) { /* at any moment */
        good(wc_container_start(c, 0, NULL, NULL, &err));
        ck_assert_int_eq(restarts_of(c) <= 1, 1);
        wait_for_restarts(c, 1 + i % 2);
        good(wc_container_stop(c, 5 * SECONDS, NULL, &err));
        ck_assert_int_eq(status_of(c), WC_STATUS_EXITED);
        int64_t count = restarts_of(c);
        usleep(300000);
        ck_assert_int_eq(status_of(c), WC_STATUS_EXITED);
        ck_assert_int_eq(restarts_of(c), count);
    }
    good(wc_container_start(c, 0, NULL, NULL, &err));
    wait_for_restarts(c, 2);
    good(wc_container_remove(c, WC_REMOVE_FORCE, NULL, &err));
    wc_container_unref(c);
}
END_TEST

TCase *restart_tests(void)
{
    TCase *tests = tcase_create("restart");
    tcase_add_checked_fixture(tests, harness_setup, harness_teardown);
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, wrong_policies_are_refused);
    tcase_add_test(tests, on_failure_has_an_end);
    tcase_add_test(tests, a_stop_is_for_good);
    tcase_add_test(tests, any_of_several_is_waited_for);
    return tests;
}
