/* SPDX-License-Identifier: Apache-2.0 */
/* Other limits and another restart policy for a container that is there. */
#include <jansson.h>

#include "conformance/harness.h"

static json_int_t host_number(wc_container *c, const char *key)
{
    wc_container_info *info = NULL;
    good(wc_container_inspect(c, &info, &err));
    json_t *json = json_loads(wc_container_info_json(info), 0, NULL);
    json_int_t value = json_integer_value(json_object_get(json_object_get(json, "HostConfig"), key));
    json_decref(json);
    wc_container_info_unref(info);
    return value;
}

static wc_update_options *limits(void)
{
    wc_update_options *o = NULL;
    good(wc_update_options_new(&o, &err));
    good(wc_update_options_set_memory(o, 64 << 20, &err));
    good(wc_update_options_set_memory_swap(o, 128 << 20, &err));
    good(wc_update_options_set_memory_reservation(o, 32 << 20, &err));
    good(wc_update_options_set_nano_cpus(o, 500000000, &err));
    good(wc_update_options_set_cpu_shares(o, 512, &err));
    good(wc_update_options_set_cpuset(o, "0", &err));
    good(wc_update_options_set_cpuset_mems(o, "0", &err));
    good(wc_update_options_set_pids_limit(o, 100, &err));
    return o;
}

static void expect_limits(wc_container *c)
{
    ck_assert_int_eq(host_number(c, "Memory"), 64 << 20);
    ck_assert_int_eq(host_number(c, "MemorySwap"), 128 << 20);
    ck_assert_int_eq(host_number(c, "NanoCpus"), 500000000);
    ck_assert_int_eq(host_number(c, "CpuShares"), 512);
    ck_assert_int_eq(host_number(c, "PidsLimit"), 100);
}

START_TEST(limits_of_one_that_does_not_run)
{
    wc_container *c = create(SCRIPT("exit:3"));
    wc_update_options *o = limits();
    good(wc_container_update(c, o, NULL, &err));
    wc_update_options_unref(o);
    expect_limits(c);
    need(wc_container_start(c, 0, NULL, NULL, &err));
    ck_assert_int_eq(exit_code_of(c), 3);
}
END_TEST

START_TEST(limits_of_one_that_runs)
{
    wc_container *c = start_new(SCRIPT("forever"));
    wc_update_options *o = limits(), *quota = NULL;
    need(wc_container_update(c, o, NULL, &err));
    wc_update_options_unref(o);
    expect_limits(c);
    ck_assert_int_eq(status_of(c), WC_STATUS_RUNNING);
    good(wc_update_options_new(&quota, &err));
    good(wc_update_options_set_cpu_quota(quota, 50000, 20000, &err)); /* in place of the number of processors */
    good(wc_container_update(c, quota, NULL, &err));
    wc_update_options_unref(quota);
    ck_assert_int_eq(host_number(c, "NanoCpus"), 0);
    ck_assert_int_eq(host_number(c, "CpuQuota"), 20000);
    ck_assert_int_eq(host_number(c, "Memory"), 64 << 20);
}
END_TEST

START_TEST(what_does_not_go_together_changes_nothing)
{
    wc_container *c = start_new(SCRIPT("forever"));
    wc_update_options *o = NULL;
    good(wc_update_options_new(&o, &err));
    bad(wc_update_options_set_memory(o, 1, &err), WC_E_INVALID);
    bad(wc_update_options_set_restart_policy(o, "sometimes", 0, &err), WC_E_INVALID);
    bad(wc_update_options_set_memory(NULL, 64 << 20, &err), WC_E_INVALID);
    good(wc_update_options_set_memory(o, 64 << 20, &err));
    good(wc_update_options_set_memory_swap(o, 32 << 20, &err));
    bad(wc_container_update(c, o, NULL, &err), WC_E_INVALID);
    bad(wc_container_update(c, NULL, NULL, &err), WC_E_INVALID);
    ck_assert_int_eq(host_number(c, "Memory"), 0);
    good(wc_update_options_set_restart_policy(o, "no", 0, &err));
    wc_update_options_unref(o);
}
END_TEST

TCase *update_tests(void)
{
    TCase *tests = tcase_create("update");
    tcase_add_checked_fixture(tests, harness_setup, harness_teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, limits_of_one_that_does_not_run);
    tcase_add_test(tests, limits_of_one_that_runs);
    tcase_add_test(tests, what_does_not_go_together_changes_nothing);
    return tests;
}
