/* SPDX-License-Identifier: Apache-2.0 */
/* Every wait ends soon after its cancel handle was triggered from another thread. */
#include "conformance/harness.h"

#define SOON (100 * MS)
#define ATTEMPTS 5

/* The call, which uses `cancel` and `err`, is cancelled in the middle and ends soon. On a busy
 * machine the scheduler may hold us up, so one of several attempts must be soon, all within 5 s. */
#define cancelled(call)                                                                            \
    do {                                                                                           \
        int64_t took_ = 5 * SECONDS;                                                               \
        for (int attempt_ = 0; attempt_ < ATTEMPTS && took_ >= SOON; attempt_++) {                 \
            wc_cancel *cancel = NULL;                                                              \
            good(wc_cancel_new(&cancel, &err));                                                    \
            later *thread_ = cancel_later(cancel, 150 * MS);                                       \
            bad(call, WC_E_CANCELLED);                                                             \
            int64_t ended_ = now_ns();                                                             \
            took_ = ended_ - later_join(thread_);                                                  \
            ck_assert_int_ge(took_, 0);                                                            \
            ck_assert_int_lt(took_, 5 * SECONDS);                                                  \
            bad(call, WC_E_CANCELLED); /* it stays triggered */                                    \
            wc_cancel_unref(cancel);                                                               \
        }                                                                                          \
        ck_assert_msg(took_ < SOON, "%s took %lld ms to end", #call, (long long)(took_ / MS));     \
    } while (0)

START_TEST(waiting_is_cancelled)
{
    int32_t code = 42;
    wc_container *c = start_new(SCRIPT("sleep:20000"));
    cancelled(wc_container_wait(c, WC_WAIT_NOT_RUNNING, cancel, &code, &err));
    cancelled(wc_container_wait(c, WC_WAIT_REMOVED, cancel, &code, &err));
    ck_assert_int_eq(code, 42);
    ck_assert_int_eq(status_of(c), WC_STATUS_RUNNING);
}
END_TEST

START_TEST(waiting_for_a_start_is_cancelled)
{
    int32_t code = 42;
    wc_container *c = create(SCRIPT("exit:0"));
    cancelled(wc_container_wait(c, WC_WAIT_NEXT_EXIT, cancel, &code, &err));
}
END_TEST

START_TEST(reading_is_cancelled)
{
    wc_stream *s = NULL;
    int32_t channel;
    char data[8];
    size_t got;
    wc_container *c = create(SCRIPT("forever"));
    need(wc_container_start(c, WC_ATTACH_STDOUT, NULL, &s, &err));
    cancelled(wc_stream_read(s, &channel, data, sizeof data, &got, -1, cancel, &err));
    wc_stream_unref(s);
}
END_TEST

START_TEST(following_is_cancelled)
{
    wc_logs *logs = NULL;
    wc_log_options *o = NULL;
    wc_buf *line = NULL;
    wc_container *c = start_new(SCRIPT("forever"));
    good(wc_log_options_new(&o, &err));
    good(wc_log_options_set_follow(o, 1, &err));
    need(wc_container_logs(c, o, &logs, &err));
    cancelled(wc_logs_next(logs, NULL, NULL, &line, -1, cancel, &err));
    bad(wc_logs_next(logs, NULL, NULL, &line, 50 * MS, NULL, &err), WC_E_TIMEOUT);
    ck_assert_ptr_null(line);
    wc_log_options_unref(o);
    wc_logs_unref(logs);
}
END_TEST

START_TEST(stopping_is_cancelled)
{
    wc_container *c = start_new(SCRIPT("ignore:TERM", "forever"));
    need(wc_container_kill(c, "WINCH", &err));
    usleep(100000);
    cancelled(wc_container_stop(c, 20 * SECONDS, cancel, &err));
    ck_assert_int_eq(status_of(c), WC_STATUS_RUNNING);
}
END_TEST

START_TEST(watching_is_cancelled)
{
    wc_events *events = NULL;
    wc_event *event = NULL;
    good(wc_events_open(context, NULL, &events, &err));
    cancelled(wc_events_next(events, -1, cancel, &event, &err));
    bad(wc_events_next(events, 50 * MS, NULL, &event, &err), WC_E_TIMEOUT);
    ck_assert_ptr_null(event);
    wc_events_unref(events);
}
END_TEST

START_TEST(process_wait_is_cancelled)
{
    const char *const words[] = {PROGRAM, "forever"};
    wc_exec_options *o = NULL;
    wc_process *p = NULL;
    int32_t code = 42;
    wc_container *c = start_new(SCRIPT("forever"));
    good(wc_exec_options_new(words, 2, &o, &err));
    need(wc_container_exec(c, o, 0, NULL, &p, NULL, &err));
    cancelled(wc_process_wait(p, cancel, &code, &err));
    ck_assert_int_eq(code, 42);
    wc_exec_options_unref(o);
    wc_process_unref(p);
}
END_TEST

START_TEST(archives_are_cancelled)
{
    int in[2], out[2];
    wc_container *c = create(SCRIPT("exit:0"));
    ck_assert_int_eq(pipe(in) | pipe(out), 0); /* nothing comes out of one, the other takes little */
    need(wc_container_get_archive(c, "/marker", out[1], NULL, &err));
    cancelled(wc_container_put_archive(c, "/data", in[0], cancel, &err));
    cancelled(wc_container_get_archive(c, PROGRAM, out[1], cancel, &err));
    for (int i = 0; i < 2; i++) {
        close(in[i]);
        close(out[i]);
    }
}
END_TEST

START_TEST(deadlines_end_waits)
{
    int32_t code = 42;
    wc_cancel *cancel = NULL;
    wc_container *c = start_new(SCRIPT("sleep:20000"));
    good(wc_cancel_new(&cancel, &err));
    wc_cancel_set_timeout(cancel, 150 * MS);
    int64_t begin = now_ns();
    bad(wc_container_wait(c, WC_WAIT_NOT_RUNNING, cancel, &code, &err), WC_E_TIMEOUT);
    ck_assert_int_ge(now_ns() - begin, 145 * MS);
    ck_assert_int_lt(now_ns() - begin, 5 * SECONDS);
    ck_assert_int_eq(code, 42);
    wc_cancel_unref(cancel);
}
END_TEST

START_TEST(cancelled_start_leaves_nothing_running)
{
    wc_cancel *cancel = NULL;
    wc_stream *s = NULL;
    wc_container *c = create(SCRIPT("exit:0"));
    good(wc_cancel_new(&cancel, &err));
    wc_cancel_trigger(cancel);
    bad(wc_container_start(c, 0, cancel, &s, &err), WC_E_CANCELLED);
    ck_assert_ptr_null(s);
    ck_assert_int_ne(status_of(c), WC_STATUS_RUNNING);
    good(wc_container_start(c, 0, NULL, NULL, &err));
    ck_assert_int_eq(exit_code_of(c), 0);
    wc_cancel_unref(cancel);
}
END_TEST

TCase *cancel_tests(void)
{
    TCase *tc = tcase_create("cancel");
    tcase_add_checked_fixture(tc, harness_setup, harness_teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, waiting_is_cancelled);
    tcase_add_test(tc, waiting_for_a_start_is_cancelled);
    tcase_add_test(tc, reading_is_cancelled);
    tcase_add_test(tc, following_is_cancelled);
    tcase_add_test(tc, stopping_is_cancelled);
    tcase_add_test(tc, watching_is_cancelled);
    tcase_add_test(tc, process_wait_is_cancelled);
    tcase_add_test(tc, archives_are_cancelled);
    tcase_add_test(tc, deadlines_end_waits);
    tcase_add_test(tc, cancelled_start_leaves_nothing_running);
    return tc;
}
