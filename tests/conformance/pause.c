/* SPDX-License-Identifier: Apache-2.0 */
/* Pause, unpause, rename. */
#include <jansson.h>
#include <string.h>

#include "conformance/harness.h"

static int paused_in_json(wc_container *c)
{
    wc_container_info *info = NULL;
    good(wc_container_inspect(c, &info, &err));
    json_t *json = json_loads(wc_container_info_json(info), 0, NULL), *state = json_object_get(json, "State");
    int paused = json_is_true(json_object_get(state, "Paused"));
    ck_assert_int_eq(paused, !strcmp(json_string_value(json_object_get(state, "Status")), "paused"));
    json_decref(json);
    wc_container_info_unref(info);
    return paused;
}

START_TEST(paused_one_stands_still)
{
    wc_container *c = start_new(SCRIPT("sleep:300", "outln:late", "exit:7"));
    need(wc_container_pause(c, NULL, &err));
    ck_assert_int_eq(status_of(c), WC_STATUS_PAUSED);
    ck_assert_int_eq(paused_in_json(c), 1);
    usleep(700000);
    ck_assert_int_eq(status_of(c), WC_STATUS_PAUSED);
    char *log = read_log(c, NULL);
    ck_assert_str_eq(log, "");
    free(log);
    good(wc_container_unpause(c, NULL, &err));
    ck_assert_int_eq(paused_in_json(c), 0);
    ck_assert_int_eq(exit_code_of(c), 7);
    log = read_log(c, NULL);
    ck_assert_str_eq(log, "1:late\n");
    free(log);
}
END_TEST

START_TEST(what_cannot_be_done_is_refused)
{
    wc_exec_options *options = NULL;
    wc_process *process = NULL;
    wc_stream *stream = NULL;
    wc_container *c = create(SCRIPT("forever"));
    const char *words[] = {PROGRAM, "exit:0"};
    bad(wc_container_pause(c, NULL, &err), WC_E_STATE);
    good(wc_container_start(c, 0, NULL, NULL, &err));
    need(wc_container_pause(c, NULL, &err));
    bad(wc_container_pause(c, NULL, &err), WC_E_STATE);
    bad(wc_container_start(c, 0, NULL, NULL, &err), WC_E_STATE);
    bad(wc_container_attach(c, WC_ATTACH_STDOUT, NULL, &stream, &err), WC_E_STATE);
    good(wc_exec_options_new(words, 2, &options, &err));
    bad(wc_container_exec(c, options, 0, NULL, &process, NULL, &err), WC_E_STATE);
    wc_exec_options_unref(options);
    bad(wc_container_remove(c, 0, NULL, &err), WC_E_STATE);
    good(wc_container_unpause(c, NULL, &err));
    bad(wc_container_unpause(c, NULL, &err), WC_E_STATE);
    good(wc_container_remove(c, WC_REMOVE_FORCE, NULL, &err));
}
END_TEST

START_TEST(paused_one_is_killed)
{
    wc_container *c = start_new(SCRIPT("forever"));
    need(wc_container_pause(c, NULL, &err));
    good(wc_container_kill(c, "KILL", &err));
    ck_assert_int_eq(exit_code_of(c), 137);
    good(wc_container_start(c, 0, NULL, NULL, &err));
    ck_assert_int_eq(status_of(c), WC_STATUS_RUNNING);
    good(wc_container_pause(c, NULL, &err));
    good(wc_container_remove(c, WC_REMOVE_FORCE, NULL, &err));
}
END_TEST

START_TEST(paused_one_is_stopped)
{
    wc_container *c = start_new(SCRIPT("trap:TERM:5", "forever"));
    usleep(100000); /* the program installs its handlers first */
    need(wc_container_pause(c, NULL, &err));
    good(wc_container_stop(c, 20 * SECONDS, NULL, &err));
    ck_assert_int_eq(exit_code_of(c), 5);
}
END_TEST

START_TEST(other_signals_wait)
{
    wc_container *c = start_new(SCRIPT("trap:USR1:6", "forever"));
    usleep(100000); /* the program installs its handlers first */
    need(wc_container_pause(c, NULL, &err));
    good(wc_container_kill(c, "USR1", &err));
    usleep(100000);
    ck_assert_int_eq(status_of(c), WC_STATUS_PAUSED);
    good(wc_container_unpause(c, NULL, &err));
    ck_assert_int_eq(exit_code_of(c), 6);
}
END_TEST

START_TEST(it_tells_by_events)
{
    wc_events *events = NULL;
    wc_event *event = NULL;
    wc_container *c = start_new(SCRIPT("forever"));
    good(wc_events_open(context, NULL, &events, &err));
    need(wc_container_pause(c, NULL, &err));
    good(wc_container_unpause(c, NULL, &err));
    good(wc_container_rename(c, "another_name", &err));
    static const char *const actions[] = {"pause", "unpause", "rename"};
    for (int i = 0; i < 3; i++) {
        good(wc_events_next(events, 10 * SECONDS, NULL, &event, &err));
        ck_assert_str_eq(wc_event_action(event), actions[i]);
        ck_assert_str_eq(wc_event_id(event), wc_container_id(c));
        wc_event_unref(event);
    }
    bad(wc_events_next(events, 0, NULL, &event, &err), WC_E_TIMEOUT);
    wc_events_unref(events);
}
END_TEST

START_TEST(names_change)
{
    wc_container_options *o = options_for(SCRIPT("forever"));
    good(wc_container_options_set_name(o, "first_name", &err));
    wc_container *c = create_from(o), *other = create(SCRIPT("exit:0")), *found = NULL;
    good(wc_container_rename(other, "taken", &err));
    bad(wc_container_rename(c, "taken", &err), WC_E_EXISTS);
    bad(wc_container_rename(c, "first_name", &err), WC_E_INVALID);
    bad(wc_container_rename(c, "no/name", &err), WC_E_INVALID);
    good(wc_container_start(c, 0, NULL, NULL, &err));
    good(wc_container_rename(c, "/second_name", &err));
    bad(wc_container_open(context, "first_name", &found, &err), WC_E_NOT_FOUND);
    good(wc_container_open(context, "second_name", &found, &err));
    ck_assert_str_eq(wc_container_id(found), wc_container_id(c));
    ck_assert_int_eq(status_of(found), WC_STATUS_RUNNING);
    wc_container_unref(found);
    good(wc_container_remove(c, WC_REMOVE_FORCE, NULL, &err));
    bad(wc_container_rename(c, "third_name", &err), WC_E_NOT_FOUND);
}
END_TEST

TCase *pause_tests(void)
{
    TCase *tests = tcase_create("pause");
    tcase_add_checked_fixture(tests, harness_setup, harness_teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, paused_one_stands_still);
    tcase_add_test(tests, what_cannot_be_done_is_refused);
    tcase_add_test(tests, paused_one_is_killed);
    tcase_add_test(tests, paused_one_is_stopped);
    tcase_add_test(tests, other_signals_wait);
    tcase_add_test(tests, it_tells_by_events);
    tcase_add_test(tests, names_change);
    return tests;
}
