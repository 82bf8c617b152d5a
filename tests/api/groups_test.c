/* SPDX-License-Identifier: Apache-2.0 */
/* Groups through the public functions, and containers of the mock backend that are in them. */
#include "fixture.h"

static void inspect_has(wc_group *group, const char *part)
{
    wc_buf *text = NULL;
    good(wc_group_inspect(group, &text, &err));
    has(wc_buf_data(text), part);
    wc_buf_unref(text);
}

static void report_has(wc_group *group, const char *part)
{
    wc_buf *text = NULL;
    good(wc_group_report(group, NULL, &text, &err));
    has(wc_buf_data(text), part);
    wc_buf_unref(text);
}

static size_t count_groups(void)
{
    wc_list *list = NULL;
    good(wc_group_list(context, &list, &err));
    size_t count = wc_list_count(list);
    for (size_t i = 0; i < count; i++)
        ck_assert(*wc_group_name(wc_list_group(list, i)));
    ck_assert_ptr_null(wc_list_group(list, count));
    ck_assert_ptr_null(wc_list_image(list, 0));
    wc_list_unref(list);
    return count;
}

static wc_group_options *every_limit(void)
{
    wc_group_options *o = NULL;
    good(wc_group_options_new(&o, &err));
    good(wc_group_options_set_memory(o, 64 << 20, &err));
    good(wc_group_options_set_memory_swap(o, 96 << 20, &err));
    good(wc_group_options_set_memory_reservation(o, 32 << 20, &err));
    good(wc_group_options_set_nano_cpus(o, 500000000, &err));
    good(wc_group_options_set_cpu_shares(o, 512, &err));
    good(wc_group_options_set_cpuset(o, "0", &err));
    good(wc_group_options_set_cpuset_mems(o, "0", &err));
    good(wc_group_options_set_pids_limit(o, 77, &err));
    good(wc_group_options_set_blkio_weight(o, 300, &err));
    return o;
}

START_TEST(options_arrive)
{
    wc_group_options *o = every_limit();
    wc_group *group = NULL;
    good(wc_group_create(context, "all", o, NULL, &group, &err));
    inspect_has(group, "\"Limits\":{\"Memory\":67108864,\"MemorySwap\":100663296,\"MemoryReservation\":33554432,"
                       "\"NanoCpus\":500000000,\"CpuShares\":512,\"CpusetCpus\":\"0\",\"CpusetMems\":\"0\","
                       "\"PidsLimit\":77,\"BlkioWeight\":300}");
    inspect_has(group, "\"CgroupPath\":\"/wincontainer/all-");
    wc_group_options_unref(o);
    wc_group_unref(group);
}
END_TEST

START_TEST(wrong_arguments)
{
    wc_group_options *o = NULL;
    wc_group *group = NULL;
    wc_buf *text = NULL;
    good(wc_group_options_new(&o, &err));
    bad(wc_group_options_new(NULL, &err), WC_E_INVALID);
    bad(wc_group_options_set_memory(NULL, 64 << 20, &err), WC_E_INVALID);
    bad(wc_group_options_set_memory(o, 1, &err), WC_E_INVALID);
    bad(wc_group_options_set_cpuset(o, "x", &err), WC_E_INVALID);
    bad(wc_group_create(context, NULL, NULL, NULL, &group, &err), WC_E_INVALID);
    bad(wc_group_create(context, "x", NULL, NULL, &group, &err), WC_E_INVALID);
    bad(wc_group_create(context, "a/b", NULL, NULL, &group, &err), WC_E_INVALID);
    bad(wc_group_create(context, "ok", NULL, NULL, NULL, &err), WC_E_INVALID);
    bad(wc_group_open(context, "none", &group, &err), WC_E_NOT_FOUND);
    bad(wc_group_list(context, NULL, &err), WC_E_INVALID);
    bad(wc_group_inspect(NULL, &text, &err), WC_E_INVALID);
    bad(wc_group_report(NULL, NULL, &text, &err), WC_E_INVALID);
    bad(wc_group_update(NULL, o, NULL, &err), WC_E_INVALID);
    bad(wc_group_remove(NULL, NULL, &err), WC_E_INVALID);
    good(wc_group_options_set_memory(o, 64 << 20, &err));
    good(wc_group_options_set_memory_swap(o, 32 << 20, &err));
    bad(wc_group_create(context, "swapped", o, NULL, &group, &err), WC_E_INVALID);
    ck_assert_ptr_null(group);
    ck_assert_ptr_null(wc_group_name(NULL));
    wc_group_unref(wc_group_ref(NULL));
    wc_group_options_unref(o);
    wc_group_options_unref(NULL);
}
END_TEST

START_TEST(life_of_a_group)
{
    wc_group *one = NULL, *again = NULL;
    wc_group_options *o = NULL;
    wc_buf *text = NULL;
    good(wc_group_create(context, "one", NULL, NULL, &one, &err));
    bad(wc_group_create(context, "one", NULL, NULL, &again, &err), WC_E_EXISTS);
    ck_assert_uint_eq(count_groups(), 1);
    good(wc_group_open(context, "one", &again, &err));
    ck_assert_str_eq(wc_group_name(again), "one");
    good(wc_group_options_new(&o, &err));
    good(wc_group_options_set_pids_limit(o, 5, &err));
    good(wc_group_update(one, o, NULL, &err));
    wc_group_options_unref(o);
    good(wc_group_options_new(&o, &err));
    good(wc_group_options_set_memory(o, 6 << 20, &err));
    good(wc_group_update(again, o, NULL, &err));
    inspect_has(one, "\"Memory\":6291456,");
    inspect_has(one, "\"PidsLimit\":5,");
    good(wc_group_remove(one, NULL, &err));
    bad(wc_group_remove(one, NULL, &err), WC_E_NOT_FOUND);
    bad(wc_group_update(again, o, NULL, &err), WC_E_NOT_FOUND);
    bad(wc_group_inspect(again, &text, &err), WC_E_NOT_FOUND);
    ck_assert_uint_eq(count_groups(), 0);
    wc_group_options_unref(o);
    wc_group_unref(one);
    wc_group_unref(again);
}
END_TEST

static int32_t create_in(const char *group, wc_container **out, wc_error **why)
{
    const char *words[] = {"sleep:60000"};
    wc_container_options *o = NULL;
    good(wc_container_options_new("two", &o, &err));
    good(wc_container_options_set_command(o, words, 1, &err));
    good(wc_container_options_set_group(o, group, &err));
    good(wc_container_options_set_pids_limit(o, 3, &err));
    int32_t rc = wc_container_create(context, o, NULL, out, why);
    wc_container_options_unref(o);
    return rc;
}

START_TEST(containers_join)
{
    wc_group *group = NULL;
    wc_container *c = NULL;
    good(wc_group_create(context, "team", NULL, NULL, &group, &err));
    bad(create_in("none", &c, &err), WC_E_NOT_FOUND);
    good(create_in("team", &c, &err));
    inspect_has(group, wc_container_id(c));
    report_has(group, "\"Containers\":1,\"Running\":0,");
    good(wc_container_start(c, 0, NULL, NULL, &err));
    report_has(group, "\"Containers\":1,\"Running\":1,");
    report_has(group, "\"Pids\":3}");
    report_has(group, "\"CpuWeight\":1.0");
    bad(wc_group_remove(group, NULL, &err), WC_E_IN_USE);
    good(wc_container_remove(c, WC_REMOVE_FORCE, NULL, &err));
    good(wc_group_remove(group, NULL, &err));
    wc_container_unref(c);
    wc_group_unref(group);
}
END_TEST

static void setup_image(void)
{
    setup();
    wc_image_unref(two_layers());
}

int main(void)
{
    Suite *suite = suite_create("groups");
    TCase *tc = tcase_create("all");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, setup_image, teardown);
    tcase_add_test(tc, options_arrive);
    tcase_add_test(tc, wrong_arguments);
    tcase_add_test(tc, life_of_a_group);
    tcase_add_test(tc, containers_join);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
