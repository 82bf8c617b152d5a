/* SPDX-License-Identifier: Apache-2.0 */
/* What containers use, and their processes. */
#include <jansson.h>
#include <unistd.h>

#include "conformance/harness.h"

static wc_stats *stats_of(wc_container *c)
{
    wc_stats *stats = NULL;
    good(wc_container_stats(c, NULL, &stats, &err));
    return stats;
}

START_TEST(running_one_has_figures)
{
    wc_stats *stats = NULL;
    wc_container *c = start_new(SCRIPT("forever"));
    need(wc_container_stats(c, NULL, &stats, &err));
    ck_assert_str_eq(wc_stats_id(stats), wc_container_id(c));
    ck_assert_int_ge(wc_stats_pids(stats), 1);
    ck_assert_int_gt(wc_stats_memory_limit(stats), 0);
    ck_assert_int_gt(wc_stats_cpu_time(stats), 0);
    ck_assert_int_eq(wc_stats_nano_cpus(stats), 0);
    ck_assert_str_ne(wc_stats_name(stats), "");
    ck_assert_int_gt(wc_stats_time(stats), 0);
    ck_assert_int_gt(wc_stats_memory(stats), 0);
    ck_assert_int_le(wc_stats_memory(stats), wc_stats_memory_limit(stats));
    ck_assert_int_eq(wc_stats_received_bytes(stats), 0);
    ck_assert_int_eq(wc_stats_sent_bytes(stats), 0);
    ck_assert_int_ge(wc_stats_read_bytes(stats), 0);
    ck_assert_int_ge(wc_stats_written_bytes(stats), 0);
    json_t *json = json_loads(wc_stats_json(stats), JSON_REJECT_DUPLICATES, NULL);
    json_t *pids = json_object_get(json_object_get(json, "pids_stats"), "current");
    ck_assert_int_eq(json_integer_value(pids), wc_stats_pids(stats));
    ck_assert(json_is_object(json_object_get(json, "networks")));
    json_decref(json);
    ck_assert_ptr_eq(wc_stats_ref(stats), stats);
    wc_stats_unref(stats);
    wc_stats_unref(stats);
}
END_TEST

START_TEST(one_that_does_not_run_has_none)
{
    wc_stats *stats = NULL;
    wc_container *c = create(SCRIPT("exit:0"));
    need(wc_container_stats(c, NULL, &stats, &err));
    ck_assert_int_eq(wc_stats_pids(stats), 0);
    wc_stats_unref(stats);
    need(wc_container_start(c, 0, NULL, NULL, &err));
    exit_code_of(c);
    stats = stats_of(c);
    ck_assert_int_eq(wc_stats_pids(stats), 0);
    ck_assert_int_eq(wc_stats_cpu_time(stats), 0);
    wc_stats_unref(stats);
    good(wc_container_remove(c, 0, NULL, &err));
    bad(wc_container_stats(c, NULL, &stats, &err), WC_E_NOT_FOUND);
}
END_TEST

START_TEST(reader_looks_again)
{
    wc_stats_reader *reader = NULL;
    wc_list *first = NULL, *second = NULL;
    wc_stats *probe = NULL;
    wc_container *both[] = {start_new(SCRIPT("forever")), create(SCRIPT("exit:0"))};
    need(wc_container_stats(both[0], NULL, &probe, &err));
    wc_stats_unref(probe);
    good(wc_stats_open(context, both, 2, 300 * MS, &reader, &err));
    good(wc_stats_next(reader, NULL, &first, &err));
    int64_t begin = now_ns();
    good(wc_stats_next(reader, NULL, &second, &err));
    ck_assert_int_ge(now_ns() - begin, 250 * MS);
    ck_assert_uint_eq(wc_list_count(first), 2);
    ck_assert_uint_eq(wc_list_count(second), 2);
    ck_assert_str_eq(wc_stats_id(wc_list_stats(second, 0)), wc_container_id(both[0]));
    ck_assert_str_eq(wc_stats_id(wc_list_stats(second, 1)), wc_container_id(both[1]));
    ck_assert_int_ge(wc_stats_cpu_time(wc_list_stats(second, 0)), wc_stats_cpu_time(wc_list_stats(first, 0)));
    ck_assert_int_ge(wc_stats_nano_cpus(wc_list_stats(second, 0)), 0);
    wc_list_unref(first);
    wc_list_unref(second);
    wc_stats_reader_unref(reader);
}
END_TEST

START_TEST(reader_of_all_follows_them)
{
    wc_stats_reader *reader = NULL;
    wc_list *list = NULL;
    wc_stats *probe = NULL;
    wc_container *c = create(SCRIPT("forever"));
    need(wc_container_stats(c, NULL, &probe, &err));
    wc_stats_unref(probe);
    good(wc_stats_open(context, NULL, 0, MS, &reader, &err));
    wc_stats_reader_unref(wc_stats_reader_ref(reader));
    for (int running = 0; running < 2; running++) {
        if (running)
            need(wc_container_start(c, 0, NULL, NULL, &err));
        good(wc_stats_next(reader, NULL, &list, &err));
        ck_assert_uint_eq(wc_list_count(list), (size_t)running);
        wc_list_unref(list);
    }
    wc_stats_reader_unref(reader);
}
END_TEST

START_TEST(waiting_reader_is_cancelled)
{
    wc_stats_reader *reader = NULL;
    wc_list *list = NULL;
    wc_cancel *cancel = NULL;
    good(wc_cancel_new(&cancel, &err));
    good(wc_stats_open(context, NULL, 0, 3600 * SECONDS, &reader, &err));
    good(wc_stats_next(reader, NULL, &list, &err));
    wc_list_unref(list);
    later *l = cancel_later(cancel, 100 * MS);
    bad(wc_stats_next(reader, cancel, &list, &err), WC_E_CANCELLED);
    later_join(l);
    wc_stats_reader_unref(reader);
    wc_cancel_unref(cancel);
}
END_TEST

START_TEST(wrong_arguments_of_a_reader)
{
    wc_stats_reader *reader = NULL;
    wc_container *none = NULL;
    bad(wc_stats_open(context, NULL, 1, SECONDS, &reader, &err), WC_E_INVALID);
    bad(wc_stats_open(context, &none, 1, SECONDS, &reader, &err), WC_E_INVALID);
    bad(wc_stats_open(context, NULL, 0, 0, &reader, &err), WC_E_INVALID);
    ck_assert_ptr_null(reader);
}
END_TEST

START_TEST(processes_are_listed)
{
    wc_buf *buf = NULL;
    wc_container *c = start_new(SCRIPT("forever"));
    need(wc_container_processes(c, NULL, 0, NULL, &buf, &err));
    json_t *json = json_loadb(wc_buf_data(buf), wc_buf_size(buf), 0, NULL);
    json_t *titles = json_object_get(json, "Titles"), *rows = json_object_get(json, "Processes");
    size_t last = json_array_size(titles) - 1;
    ck_assert_str_eq(json_string_value(json_array_get(titles, last)), "CMD");
    ck_assert_uint_eq(json_array_size(rows), 1);
    ck_assert_str_eq(json_string_value(json_array_get(json_array_get(rows, 0), last)), PROGRAM " forever");
    json_decref(json);
    wc_buf_unref(buf);
    good(wc_container_kill(c, "KILL", &err));
    exit_code_of(c);
    bad(wc_container_processes(c, NULL, 0, NULL, &buf, &err), WC_E_STATE);
}
END_TEST

TCase *stats_tests(void)
{
    TCase *tests = tcase_create("stats");
    tcase_add_checked_fixture(tests, harness_setup, harness_teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, running_one_has_figures);
    tcase_add_test(tests, one_that_does_not_run_has_none);
    tcase_add_test(tests, reader_looks_again);
    tcase_add_test(tests, reader_of_all_follows_them);
    tcase_add_test(tests, waiting_reader_is_cancelled);
    tcase_add_test(tests, wrong_arguments_of_a_reader);
    tcase_add_test(tests, processes_are_listed);
    return tests;
}
