/* SPDX-License-Identifier: Apache-2.0 */
/* What a container wrote, read later. */
#include "conformance/harness.h"

#include <time.h>

static wc_log_options *log_options(int64_t tail)
{
    wc_log_options *o = NULL;
    good(wc_log_options_new(&o, &err));
    good(wc_log_options_set_tail(o, tail, &err));
    return o;
}

static void expect_log(wc_container *c, wc_log_options *options, const char *want)
{
    char *text = read_log(c, options);
    ck_assert_str_eq(text, want);
    free(text);
    wc_log_options_unref(options);
}

/* 1 when the backend keeps logs, else the test is noted as skipped. */
static int has_logs(const char *test, wc_container *c)
{
    wc_logs *logs = NULL;
    wc_error *err = NULL;
    int32_t rc = wc_container_logs(c, NULL, &logs, &err);
    wc_logs_unref(logs);
    if (rc == WC_E_UNSUPPORTED)
        harness_note_skip(test, wc_error_message(err));
    else
        harness_expect_ok(rc, err, "wc_container_logs");
    wc_error_unref(err);
    return rc == WC_OK;
}
#define need_logs(c)                                                                               \
    do {                                                                                           \
        if (!has_logs(__func__, c))                                                                \
            return;                                                                                \
    } while (0)

START_TEST(lines_come_in_order)
{
    wc_container *c = start_new(SCRIPT("lines:3:a", "sleep:30", "errln:b", "sleep:30", "outln:c"));
    exit_code_of(c);
    need_logs(c);
    expect_log(c, NULL, "1:a 1\n1:a 2\n1:a 3\n2:b\n1:c\n");
}
END_TEST

START_TEST(tail_counts_from_the_end)
{
    wc_container *c = start_new(SCRIPT("lines:10:n"));
    exit_code_of(c);
    need_logs(c);
    expect_log(c, log_options(2), "1:n 9\n1:n 10\n");
    expect_log(c, log_options(0), "");
    expect_log(c, log_options(10),
               "1:n 1\n1:n 2\n1:n 3\n1:n 4\n1:n 5\n1:n 6\n1:n 7\n1:n 8\n1:n 9\n1:n 10\n");
    expect_log(c, log_options(1000),
               "1:n 1\n1:n 2\n1:n 3\n1:n 4\n1:n 5\n1:n 6\n1:n 7\n1:n 8\n1:n 9\n1:n 10\n");
}
END_TEST

/* When each line of the log was written. */
static void line_times(wc_container *c, int64_t *times, size_t count)
{
    wc_logs *logs = NULL;
    good(wc_container_logs(c, NULL, &logs, &err));
    for (size_t i = 0; i < count; i++) {
        wc_buf *line = NULL;
        good(wc_logs_next(logs, NULL, &times[i], &line, 10 * SECONDS, NULL, &err));
        wc_buf_unref(line);
    }
    wc_logs_unref(logs);
}

START_TEST(time_chooses_lines)
{
    int64_t times[3];
    wc_container_info *info = NULL;
    wc_container *c = start_new(SCRIPT("outln:a", "sleep:300", "outln:b", "sleep:300", "outln:c"));
    exit_code_of(c);
    need_logs(c);
    line_times(c, times, 3);
    good(wc_container_inspect(c, &info, &err));
    ck_assert_int_ge(times[0] + SECONDS, wc_container_info_started(info));
    ck_assert_int_le(times[2], wc_container_info_finished(info) + SECONDS);
    wc_container_info_unref(info);
    ck_assert_int_ge(times[1] - times[0], 100 * MS);

    wc_log_options *o = log_options(-1);
    good(wc_log_options_set_since(o, times[1], &err));
    expect_log(c, o, "1:b\n1:c\n");
    o = log_options(-1);
    good(wc_log_options_set_until(o, times[1], &err)); /* what is of this very time is in */
    expect_log(c, o, "1:a\n1:b\n");
    o = log_options(-1);
    good(wc_log_options_set_until(o, times[1] - 1, &err));
    expect_log(c, o, "1:a\n");
    o = log_options(-1);
    good(wc_log_options_set_since(o, times[1], &err));
    good(wc_log_options_set_until(o, times[1], &err));
    expect_log(c, o, "1:b\n");
    o = log_options(-1);
    good(wc_log_options_set_since(o, times[2] + 1, &err));
    expect_log(c, o, "");
}
END_TEST

/* As in Docker. */
START_TEST(tail_counts_before_times_choose)
{
    int64_t times[3];
    wc_container *c = start_new(SCRIPT("outln:a", "sleep:300", "errln:b", "sleep:300", "outln:c"));
    exit_code_of(c);
    need_logs(c);
    line_times(c, times, 3);

    wc_log_options *o = log_options(2);
    good(wc_log_options_set_until(o, times[2] - 1, &err));
    expect_log(c, o, "2:b\n");
    o = log_options(1);
    good(wc_log_options_set_until(o, times[1], &err));
    expect_log(c, o, "");
    o = log_options(2);
    good(wc_log_options_set_since(o, times[0], &err));
    expect_log(c, o, "2:b\n1:c\n");
    o = log_options(2);
    good(wc_log_options_set_since(o, times[2], &err));
    good(wc_log_options_set_until(o, times[2], &err));
    expect_log(c, o, "1:c\n");
    o = log_options(0);
    good(wc_log_options_set_until(o, times[2], &err));
    expect_log(c, o, "");
}
END_TEST

/* A log without the marks of read_log(), in whatever pieces it came. */
static void expect_text(wc_container *c, wc_log_options *options, const char *want)
{
    char *text = read_log(c, options), *to = text;
    for (const char *from = text; *from;) {
        if ((*from == '1' || *from == '2') && from[1] == ':')
            from += 2;
        else
            *to++ = *from++;
    }
    *to = '\0';
    ck_assert_str_eq(text, want);
    free(text);
    wc_log_options_unref(options);
}

START_TEST(tail_takes_pieces_of_a_line_as_one)
{
    wc_container *c = start_new(SCRIPT("outln:a", "out:b", "sleep:200", "out:c", "sleep:200", "outln:d", "outln:e",
                                       "out:f", "sleep:200", "out:g"));
    exit_code_of(c);
    need_logs(c);
    expect_text(c, log_options(1), "fg");
    expect_text(c, log_options(2), "e\nfg");
    expect_text(c, log_options(3), "bcd\ne\nfg");
    expect_text(c, log_options(4), "a\nbcd\ne\nfg");
    expect_text(c, log_options(0), "");
}
END_TEST

START_TEST(following_ends_with_the_container)
{
    wc_container *c = start_new(SCRIPT("outln:a", "sleep:200", "errln:b", "sleep:100", "outln:c"));
    need_logs(c);
    wc_log_options *o = log_options(-1);
    good(wc_log_options_set_follow(o, 1, &err));
    expect_log(c, o, "1:a\n2:b\n1:c\n");
}
END_TEST

START_TEST(following_ends_when_the_time_has_come)
{
    struct timespec now;
    wc_container *c = start_new(SCRIPT("outln:a", "sleep:3000", "outln:b", "forever"));
    need_logs(c);
    wc_log_options *o = log_options(-1);
    clock_gettime(CLOCK_REALTIME, &now);
    good(wc_log_options_set_follow(o, 1, &err));
    good(wc_log_options_set_until(o, now.tv_sec * SECONDS + now.tv_nsec + SECONDS, &err));
    expect_log(c, o, "1:a\n");
    ck_assert_int_eq(status_of(c), WC_STATUS_RUNNING);
}
END_TEST

START_TEST(following_from_now_on)
{
    wc_container *c = start_new(SCRIPT("outln:a", "out:b", "sleep:1500", "outln:c", "outln:d"));
    need_logs(c);
    char *text = NULL;
    int64_t give_up = now_ns() + 30 * SECONDS;
    do {
        free(text);
        usleep(10000);
        text = read_log(c, NULL);
    } while (!strstr(text, "b") && now_ns() < give_up);
    free(text);
    wc_log_options *o = log_options(0);
    good(wc_log_options_set_follow(o, 1, &err));
    expect_text(c, o, "c\nd\n");
}
END_TEST

START_TEST(not_following_does_not_wait)
{
    wc_container *c = start_new(SCRIPT("outln:a", "forever"));
    need_logs(c);
    usleep(200000);
    int64_t begin = now_ns();
    expect_log(c, NULL, "1:a\n");
    ck_assert_int_lt(now_ns() - begin, 2 * SECONDS);
}
END_TEST

START_TEST(log_goes_on_over_restarts)
{
    wc_container *c = start_new(SCRIPT("outln:run"));
    exit_code_of(c);
    need_logs(c);
    good(wc_container_start(c, 0, NULL, NULL, &err));
    exit_code_of(c);
    expect_log(c, NULL, "1:run\n1:run\n");
}
END_TEST

START_TEST(new_container_has_an_empty_log)
{
    wc_container *c = create(SCRIPT("outln:never"));
    need_logs(c);
    expect_log(c, NULL, "");
}
END_TEST

START_TEST(line_without_end_is_kept)
{
    wc_container *c = start_new(SCRIPT("out:no end"));
    exit_code_of(c);
    need_logs(c);
    expect_log(c, NULL, "1:no end");
}
END_TEST

START_TEST(driver_none_keeps_nothing)
{
    wc_logs *logs = NULL;
    output o;
    int32_t code;
    wc_container_options *options = options_for(SCRIPT("outln:seen"));
    bad(wc_container_options_set_log_driver(options, "carrier-pigeon", &err), WC_E_UNSUPPORTED);
    bad(wc_container_options_set_log_tag(options, "{{.Pigeon}}", &err), WC_E_INVALID);
    good(wc_container_options_set_log_tag(options, "{{.Name}}", &err));
    good(wc_container_options_set_log_driver(options, "journald", &err));
    good(wc_container_options_set_log_driver(options, "none", &err));
    wc_container *c = create_from(options);
    need(run_attached(c, &o, &code, &err));
    ck_assert_str_eq(o.out, "seen\n");
    output_free(&o);
    bad(wc_container_logs(c, NULL, &logs, &err), WC_E_UNSUPPORTED);
}
END_TEST

TCase *log_tests(void)
{
    TCase *tc = tcase_create("logs");
    tcase_add_checked_fixture(tc, harness_setup, harness_teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, lines_come_in_order);
    tcase_add_test(tc, tail_counts_from_the_end);
    tcase_add_test(tc, tail_takes_pieces_of_a_line_as_one);
    tcase_add_test(tc, time_chooses_lines);
    tcase_add_test(tc, tail_counts_before_times_choose);
    tcase_add_test(tc, following_ends_with_the_container);
    tcase_add_test(tc, following_ends_when_the_time_has_come);
    tcase_add_test(tc, following_from_now_on);
    tcase_add_test(tc, not_following_does_not_wait);
    tcase_add_test(tc, log_goes_on_over_restarts);
    tcase_add_test(tc, new_container_has_an_empty_log);
    tcase_add_test(tc, line_without_end_is_kept);
    tcase_add_test(tc, driver_none_keeps_nothing);
    return tc;
}
