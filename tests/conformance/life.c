/* SPDX-License-Identifier: Apache-2.0 */
/* Create, start, wait, kill, stop, remove. */
#include "conformance/harness.h"

START_TEST(exit_code_is_passed_on)
{
    wc_container *c = create(SCRIPT("exit:3"));
    ck_assert_int_eq(status_of(c), WC_STATUS_CREATED);
    good(wc_container_start(c, 0, NULL, NULL, &err));
    ck_assert_int_eq(exit_code_of(c), 3);
    ck_assert_int_eq(status_of(c), WC_STATUS_EXITED);
    wc_container_info *info = NULL;
    good(wc_container_inspect(c, &info, &err));
    ck_assert_int_eq(wc_container_info_exit_code(info), 3);
    ck_assert_str_eq(wc_container_info_status_text(info), "exited");
    ck_assert_int_eq(wc_container_info_pid(info), 0);
    ck_assert_int_le(wc_container_info_created(info), wc_container_info_started(info));
    ck_assert_int_le(wc_container_info_started(info), wc_container_info_finished(info));
    wc_container_info_unref(info);
    good(wc_container_remove(c, 0, NULL, &err));
    bad(wc_container_inspect(c, &info, &err), WC_E_NOT_FOUND);
}
END_TEST

START_TEST(running_is_seen)
{
    wc_container *c = start_new(SCRIPT("forever"));
    ck_assert_int_eq(status_of(c), WC_STATUS_RUNNING);
    need(wc_container_kill(c, "KILL", &err));
    ck_assert_int_eq(exit_code_of(c), 137);
}
END_TEST

START_TEST(ended_container_starts_again)
{
    wc_container_info *first = NULL, *second = NULL;
    wc_container *c = start_new(SCRIPT("exit:4"));
    ck_assert_int_eq(exit_code_of(c), 4);
    good(wc_container_inspect(c, &first, &err));
    good(wc_container_start(c, 0, NULL, NULL, &err));
    ck_assert_int_eq(exit_code_of(c), 4);
    good(wc_container_inspect(c, &second, &err));
    ck_assert_int_gt(wc_container_info_started(second), wc_container_info_started(first));
    ck_assert_int_eq(wc_container_info_created(second), wc_container_info_created(first));
    wc_container_info_unref(first);
    wc_container_info_unref(second);
}
END_TEST

START_TEST(wrong_state_is_refused)
{
    wc_stream *stream = NULL;
    wc_container *c = create(SCRIPT("forever"));
    bad(wc_container_kill(c, "TERM", &err), WC_E_STATE);
    bad(wc_container_attach(c, WC_ATTACH_STDOUT, NULL, &stream, &err), WC_E_STATE);
    good(wc_container_start(c, 0, NULL, NULL, &err));
    bad(wc_container_start(c, 0, NULL, NULL, &err), WC_E_STATE);
    bad(wc_container_remove(c, 0, NULL, &err), WC_E_STATE);
    need(wc_container_kill(c, "KILL", &err));
    ck_assert_int_eq(exit_code_of(c), 137);
    bad(wc_container_kill(c, "KILL", &err), WC_E_STATE);
    bad(wc_container_attach(c, WC_ATTACH_STDOUT, NULL, &stream, &err), WC_E_STATE);
    ck_assert_ptr_null(stream);
}
END_TEST

static void expect_end_by(const char *signal, const char *const *words, int32_t code)
{
    wc_container *c = start_new(words);
    bad(wc_container_kill(c, "NO_SUCH", &err), WC_E_INVALID);
    usleep(100000); /* the program installs its handlers first */
    good(wc_container_kill(c, signal, &err));
    ck_assert_int_eq(exit_code_of(c), code);
}

START_TEST(signals_end_as_the_program_says)
{
    wc_container *probe = start_new(SCRIPT("forever"));
    need(wc_container_kill(probe, "KILL", &err));
    expect_end_by("TERM", SCRIPT("forever"), 143);
    expect_end_by("SIGHUP", SCRIPT("forever"), 129);
    expect_end_by("9", SCRIPT("ignore:TERM", "forever"), 137);
    expect_end_by("TERM", SCRIPT("trap:TERM:21", "forever"), 21);
}
END_TEST

START_TEST(handled_signal_does_not_end)
{
    wc_stream *stream = NULL;
    wc_container *c = create(SCRIPT("ignore:HUP", "on:USR1:ouch", "outln:ready", "forever"));
    need(wc_container_start(c, WC_ATTACH_STDOUT, NULL, &stream, &err));
    expect_output(stream, "ready\n");
    good(wc_container_kill(c, "HUP", &err));
    good(wc_container_kill(c, "USR1", &err));
    expect_output(stream, "ouch\n");
    good(wc_container_kill(c, "USR1", &err));
    expect_output(stream, "ouch\n");
    ck_assert_int_eq(status_of(c), WC_STATUS_RUNNING);
    wc_stream_unref(stream);
}
END_TEST

START_TEST(program_may_die_of_its_own_signal)
{
    wc_container *c = start_new(SCRIPT("signal:SEGV"));
    ck_assert_int_eq(exit_code_of(c), 139);
}
END_TEST

START_TEST(stop_lets_it_end_by_itself)
{
    wc_container *c = start_new(SCRIPT("trap:TERM:5", "forever"));
    usleep(100000);
    int64_t begin = now_ns();
    need(wc_container_stop(c, 10 * SECONDS, NULL, &err));
    ck_assert_int_lt(now_ns() - begin, 5 * SECONDS);
    ck_assert_int_eq(status_of(c), WC_STATUS_EXITED);
    ck_assert_int_eq(exit_code_of(c), 5);
    good(wc_container_stop(c, 0, NULL, &err)); /* is stopped already */
}
END_TEST

START_TEST(stop_kills_after_the_timeout)
{
    wc_container *c = start_new(SCRIPT("ignore:TERM", "forever"));
    usleep(100000);
    int64_t begin = now_ns();
    need(wc_container_stop(c, 300 * MS, NULL, &err));
    ck_assert_int_ge(now_ns() - begin, 300 * MS);
    ck_assert_int_lt(now_ns() - begin, 5 * SECONDS);
    ck_assert_int_eq(exit_code_of(c), 137);
}
END_TEST

START_TEST(stop_signal_and_timeout_are_the_containers)
{
    wc_container_options *o = options_for(SCRIPT("trap:USR2:8", "forever"));
    good(wc_container_options_set_stop_signal(o, "USR2", &err));
    wc_container *c = create_from(o);
    good(wc_container_start(c, 0, NULL, NULL, &err));
    usleep(100000);
    need(wc_container_stop(c, -1, NULL, &err));
    ck_assert_int_eq(exit_code_of(c), 8);

    o = options_for(SCRIPT("ignore:TERM", "forever"));
    good(wc_container_options_set_stop_timeout(o, 200 * MS, &err));
    c = create_from(o);
    good(wc_container_start(c, 0, NULL, NULL, &err));
    usleep(100000);
    int64_t begin = now_ns();
    good(wc_container_stop(c, -1, NULL, &err));
    ck_assert_int_lt(now_ns() - begin, 5 * SECONDS);
    ck_assert_int_eq(exit_code_of(c), 137);
}
END_TEST

START_TEST(missing_command_is_told)
{
    const char *const entry[] = {"no-such-program"};
    wc_container_options *o = options_for(SCRIPT("exit:0"));
    good(wc_container_options_set_entrypoint(o, entry, 1, &err));
    wc_container *c = create_from(o);
    wc_error *err = NULL;
    int32_t rc = wc_container_start(c, 0, NULL, NULL, &err);
    if (rc == WC_OK)
        skip_test("this backend starts whatever it is given");
    ck_assert_int_eq(rc, WC_E_COMMAND_NOT_FOUND);
    harness_check_error(err, rc);
    ck_assert_ptr_nonnull(strstr(wc_error_message(err), "no-such-program"));
    wc_error_unref(err);
    ck_assert_int_ne(status_of(c), WC_STATUS_RUNNING);
    ck_assert_int_eq(wc_container_remove(c, 0, NULL, NULL), WC_OK);
}
END_TEST

START_TEST(force_removes_what_runs)
{
    wc_container *c = start_new(SCRIPT("ignore:TERM", "forever")), *again = NULL;
    good(wc_container_remove(c, WC_REMOVE_FORCE, NULL, &err));
    bad(wc_container_open(context, wc_container_id(c), &again, &err), WC_E_NOT_FOUND);
    bad(wc_container_remove(c, 0, NULL, &err), WC_E_NOT_FOUND);
}
END_TEST

START_TEST(auto_remove_leaves_nothing)
{
    wc_container_options *o = options_for(SCRIPT("sleep:100", "exit:6"));
    wc_container *again = NULL;
    good(wc_container_options_set_auto_remove(o, 1, &err));
    good(wc_container_options_set_name(o, "short-lived", &err));
    wc_container *c = create_from(o);
    good(wc_container_start(c, 0, NULL, NULL, &err));
    good(wc_container_wait(c, WC_WAIT_REMOVED, NULL, NULL, &err));
    bad(wc_container_open(context, "short-lived", &again, &err), WC_E_NOT_FOUND);
}
END_TEST

START_TEST(restart_begins_anew)
{
    wc_container_info *first = NULL, *second = NULL;
    wc_container *c = create(SCRIPT("trap:TERM:5", "forever"));
    need(wc_container_restart(c, 10 * SECONDS, NULL, &err)); /* also what never ran */
    ck_assert_int_eq(status_of(c), WC_STATUS_RUNNING);
    good(wc_container_inspect(c, &first, &err));
    good(wc_container_restart(c, 0, NULL, &err));
    good(wc_container_inspect(c, &second, &err));
    ck_assert_int_eq(wc_container_info_status(second), WC_STATUS_RUNNING);
    ck_assert_int_gt(wc_container_info_started(second), wc_container_info_started(first));
    wc_container_info_unref(first);
    wc_container_info_unref(second);
}
END_TEST

START_TEST(restart_spares_what_is_removed_at_its_end)
{
    wc_container_options *o = options_for(SCRIPT("forever"));
    wc_container *again = NULL;
    good(wc_container_options_set_auto_remove(o, 1, &err));
    wc_container *c = create_from(o);
    good(wc_container_start(c, 0, NULL, NULL, &err));
    need(wc_container_restart(c, 0, NULL, &err));
    ck_assert_int_eq(status_of(c), WC_STATUS_RUNNING);
    good(wc_container_restart(c, 0, NULL, &err));
    good(wc_container_kill(c, "KILL", &err));
    good(wc_container_wait(c, WC_WAIT_REMOVED, NULL, NULL, &err));
    bad(wc_container_open(context, wc_container_id(c), &again, &err), WC_E_NOT_FOUND);
}
END_TEST

START_TEST(wait_has_conditions)
{
    int32_t code = -1;
    wc_cancel *deadline = NULL;
    wc_container *c = create(SCRIPT("exit:9"));
    good(wc_container_wait(c, WC_WAIT_NOT_RUNNING, NULL, NULL, &err));
    good(wc_cancel_new(&deadline, &err));
    wc_cancel_set_timeout(deadline, 100 * MS);
    bad(wc_container_wait(c, WC_WAIT_NEXT_EXIT, deadline, &code, &err), WC_E_TIMEOUT);
    ck_assert_int_eq(code, -1);
    bad(wc_container_wait(c, 77, NULL, &code, &err), WC_E_INVALID);
    good(wc_container_start(c, 0, NULL, NULL, &err));
    good(wc_container_wait(c, WC_WAIT_NOT_RUNNING, NULL, &code, &err));
    ck_assert_int_eq(code, 9);
    wc_cancel_unref(deadline);
}
END_TEST

START_TEST(several_run_at_once)
{
    wc_container *c[5];
    char *word[5];
    for (int i = 0; i < 5; i++) {
        word[i] = test_text("exit:%d", i);
        c[i] = start_new(SCRIPT("sleep:100", word[i]));
    }
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(exit_code_of(c[i]), i);
        free(word[i]);
    }
}
END_TEST

START_TEST(names_are_unique)
{
    wc_container *found = NULL, *second = NULL;
    wc_container_options *o = options_for(SCRIPT("exit:0"));
    good(wc_container_options_set_name(o, "taken", &err));
    wc_container *c = create_from(o);
    o = options_for(SCRIPT("exit:0"));
    good(wc_container_options_set_name(o, "taken", &err));
    bad(wc_container_create(context, o, NULL, &second, &err), WC_E_EXISTS);
    bad(wc_container_options_set_name(o, "-not/a name", &err), WC_E_INVALID);
    wc_container_options_unref(o);
    ck_assert_ptr_null(second);

    char prefix[13] = "";
    memcpy(prefix, wc_container_id(c), 12);
    good(wc_container_open(context, "taken", &found, &err));
    ck_assert_str_eq(wc_container_id(found), wc_container_id(c));
    wc_container_unref(found);
    good(wc_container_open(context, prefix, &found, &err));
    ck_assert_str_eq(wc_container_id(found), wc_container_id(c));
    wc_container_unref(found);
    bad(wc_container_open(context, "nobody", &found, &err), WC_E_NOT_FOUND);

    good(wc_container_remove(c, 0, NULL, &err));
    o = options_for(SCRIPT("exit:0"));
    good(wc_container_options_set_name(o, "taken", &err));
    second = create_from(o);
}
END_TEST

START_TEST(missing_image_is_told)
{
    wc_container_options *o = NULL;
    wc_container *c = NULL;
    good(wc_container_options_new("no-such-image:1", &o, &err));
    bad(wc_container_create(context, o, NULL, &c, &err), WC_E_NOT_FOUND);
    ck_assert_ptr_null(c);
    wc_container_options_unref(o);
}
END_TEST

TCase *life_tests(void)
{
    TCase *tc = tcase_create("life");
    tcase_add_checked_fixture(tc, harness_setup, harness_teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, exit_code_is_passed_on);
    tcase_add_test(tc, running_is_seen);
    tcase_add_test(tc, ended_container_starts_again);
    tcase_add_test(tc, wrong_state_is_refused);
    tcase_add_test(tc, signals_end_as_the_program_says);
    tcase_add_test(tc, handled_signal_does_not_end);
    tcase_add_test(tc, program_may_die_of_its_own_signal);
    tcase_add_test(tc, stop_lets_it_end_by_itself);
    tcase_add_test(tc, stop_kills_after_the_timeout);
    tcase_add_test(tc, stop_signal_and_timeout_are_the_containers);
    tcase_add_test(tc, missing_command_is_told);
    tcase_add_test(tc, force_removes_what_runs);
    tcase_add_test(tc, auto_remove_leaves_nothing);
    tcase_add_test(tc, restart_begins_anew);
    tcase_add_test(tc, restart_spares_what_is_removed_at_its_end);
    tcase_add_test(tc, wait_has_conditions);
    tcase_add_test(tc, several_run_at_once);
    tcase_add_test(tc, names_are_unique);
    tcase_add_test(tc, missing_image_is_told);
    return tc;
}
