/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a container under its monitor: start, state, signals, exit codes, records. */
#include "process_fixture.h"

#include "backend/process/linux/backend.h"

#include "support/sanitized.h"

static const char *const sleeper[] = {"sleep", "1000", NULL};

START_TEST(runs_and_ends)
{
    container c;
    const char *args[] = {"true", NULL};
    container_new(&c, args, NULL);
    ck_assert_int_eq(status_of(&c), WC_STATUS_CREATED);
    start(&c, 0);
    ck_assert_int_eq(wait_exit(&c), 0);
    ck_assert_int_eq(status_of(&c), WC_STATUS_EXITED);
    wci_container_record *record = record_of(&c);
    ck_assert_int_eq(record->status, WCI_STATUS_EXITED);
    ck_assert_int_gt(record->started_ns, 0);
    ck_assert_int_ge(record->finished_ns, record->started_ns);
    wci_container_record_free(record);
    container_remove(&c);
}
END_TEST

START_TEST(passes_exit_codes_on)
{
    static const int codes[] = {0, 1, 7, 126, 127, 255};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        char script[32];
        snprintf(script, sizeof script, "exit %d", codes[i]);
        wci_str out = WCI_STR_INIT, errors = WCI_STR_INIT;
        ck_assert_int_eq(run_shell(script, &out, &errors), codes[i]);
        wci_str_free(&out);
        wci_str_free(&errors);
    }
}
END_TEST

START_TEST(tells_signals_as_128_and_more)
{
    container c;
    container_new(&c, sleeper, NULL);
    start(&c, 0);
    ck_assert_int_eq(status_of(&c), WC_STATUS_RUNNING);
    ok(send_signal(&c, SIGKILL));
    ck_assert_int_eq(wait_exit(&c), 128 + SIGKILL);
    fails(WC_E_STATE, send_signal(&c, SIGKILL));
    container_remove(&c);
}
END_TEST

START_TEST(delivers_signals)
{
    container c;
    const char *args[] = {"sh", "-c", "trap 'exit 42' USR1; echo ready; while :; do sleep 0.01; done",
                          NULL};
    wci_str out = WCI_STR_INIT;
    container_new(&c, args, NULL);
    start(&c, WC_ATTACH_STDOUT);
    read_until(&c, &out, "ready");
    ok(send_signal(&c, SIGUSR1));
    ck_assert_int_eq(wait_exit(&c), 42);
    wci_str_free(&out);
    container_remove(&c);
}
END_TEST

START_TEST(a_command_that_the_monitor_does_not_know_is_told)
{
    container c;
    wc_call own = call;
    own.err = &error;
    container_new(&c, sleeper, NULL);
    start(&c, 0);
    int32_t rc = wci_process_command(&own, &c.request, json_pack("{s:s}", "do", "fly"), NULL);
    ck_assert_int_eq(rc, WC_E_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(wc_error_message(error), "does not know the command 'fly'"));
    wci_err_clear(&error);
    fails(WC_E_UNSUPPORTED, wci_process_command(&own, &c.request, json_object(), NULL));
    container_remove(&c);
    container_new(&c, sleeper, NULL);
    fails(WC_E_STATE, wci_process_command(&own, &c.request, json_object(), NULL));
    container_remove(&c);
}
END_TEST

START_TEST(starts_again)
{
    container c;
    const char *args[] = {"sh", "-c", "echo x >>/data/runs; exit $(busybox wc -l </data/runs)", NULL};
    container_new(&c, args, NULL);
    for (int run = 1; run <= 3; run++) {
        start(&c, 0);
        ck_assert_int_eq(wait_exit(&c), run);
    }
    container_remove(&c);
}
END_TEST

START_TEST(two_monitors_never)
{
    container c;
    container_new(&c, sleeper, NULL);
    start(&c, 0);
    char *lock = wci_path_join(c.request.run_dir, "lock");
    ck_assert(wci_lock_is_held(lock));
    wci_free(lock);
    container_remove(&c);
}
END_TEST

START_TEST(records_events_in_order)
{
    static const char *const expected[] = {"create", "start", "die"};
    container c;
    const char *args[] = {"sh", "-c", "exit 3", NULL};
    wci_event_record **events = NULL;
    size_t count = 0, found = 0;
    container_new(&c, args, NULL);
    start(&c, 0);
    ck_assert_int_eq(wait_exit(&c), 3);
    ok(wci_event_read(store, 0, 100, &events, &count, &error));
    for (size_t i = 0; i < count; i++) {
        if (strcmp(events[i]->id, c.id) == 0 && found < 3) {
            ck_assert_str_eq(events[i]->action, expected[found++]);
            if (found == 3)
                ck_assert_ptr_nonnull(strstr(events[i]->attributes, "\"exitCode\":\"3\""));
        }
        wci_event_record_free(events[i]);
    }
    wci_free(events);
    ck_assert_uint_eq(found, 3);
    container_remove(&c);
}
END_TEST

START_TEST(says_what_is_wrong_with_the_command)
{
    static const struct {
        const char *command;
        int32_t code;
    } cases[] = {
        {"nosuchcommand", WC_E_COMMAND_NOT_FOUND},
        {"/no/such/command", WC_E_COMMAND_NOT_FOUND},
        {"/etc", WC_E_COMMAND_NOT_EXECUTABLE},
        {"/data/plain", WC_E_COMMAND_NOT_EXECUTABLE},
    };
    char path[200];
    snprintf(path, sizeof path, "%s/data/plain", layer);
    int fd = open(path, O_CREAT | O_WRONLY, 0644);
    ck_assert_int_ge(fd, 0);
    close(fd);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        container c;
        const char *args[] = {cases[i].command, NULL};
        container_new(&c, args, NULL);
        fails(cases[i].code, try_start(&c, WC_ATTACH_STDOUT));
        container_remove(&c);
    }
}
END_TEST

START_TEST(runtime_errors_keep_their_words)
{
    container c;
    container_new(&c, sleeper, "{\"process\":{\"cwd\":\"relative\"}}");
    int32_t rc = try_start(&c, 0);
    ck_assert_int_eq(rc, WC_E_RUNTIME);
    ck_assert_ptr_nonnull(strcasestr(wc_error_message(error), "cwd"));
    wci_err_clear(&error);
    container_remove(&c);
}
END_TEST

START_TEST(removes_itself)
{
    container c;
    const char *args[] = {"true", NULL};
    container_new(&c, args, NULL);
    set_int(&c, "auto-remove", 1);
    ok(wci_container_set_auto_remove(store, c.id, 1, &error));
    start(&c, 0);
    wci_container_record *record = NULL;
    int64_t give_up = now_ms() + 10000;
    while (wci_container_find(store, c.id, &record, &error) == WC_OK && now_ms() < give_up) {
        wci_container_record_free(record);
        sleep_ms(5);
    }
    ck_assert_ptr_nonnull(error);
    wci_err_clear(&error);
    ck_assert(!wci_file_exists(c.request.state_dir));
    while (wci_file_exists(c.request.run_dir) && now_ms() < give_up)
        sleep_ms(5);
    ck_assert(!wci_file_exists(c.request.run_dir));
    container_remove(&c);
}
END_TEST

/* The record says what counts: a restart suspends it. */
START_TEST(stays_when_the_record_says_so)
{
    container c;
    const char *args[] = {"true", NULL};
    container_new(&c, args, NULL);
    set_int(&c, "auto-remove", 1);
    start(&c, 0);
    ck_assert_int_eq(wait_exit(&c), 0);
    wci_container_record *record = NULL;
    ok(wci_container_find(store, c.id, &record, &error));
    wci_container_record_free(record);
    ck_assert(wci_file_exists(c.request.state_dir));
    container_remove(&c);
}
END_TEST

START_TEST(init_is_the_first_process)
{
    container c;
    const char *args[] = {"sh", "-c", "read name </proc/1/comm; echo $name; exit 9", NULL};
    wci_str out = WCI_STR_INIT, errors = WCI_STR_INIT;
    container_new(&c, args, NULL);
    set_int(&c, "init", 1);
    start(&c, WC_ATTACH_STDOUT | WC_ATTACH_STDERR);
    ck_assert_int_eq(read_all(&c, &out, &errors), WC_E_CLOSED);
    ck_assert_int_eq(wait_exit(&c), 9);
    ck_assert_str_eq(out.data, "init\n");
    wci_str_free(&out);
    wci_str_free(&errors);
    container_remove(&c);
}
END_TEST

START_TEST(lowers_limits_that_the_host_forbids)
{
    wci_str out = WCI_STR_INIT, errors = WCI_STR_INIT;
    container c;
    const char *args[] = {"sh", "-c", "ulimit -n", NULL};
    container_new(&c, args, "{\"process\":{\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\","
                            "\"soft\":4000000000,\"hard\":4000000000}]}}");
    start(&c, WC_ATTACH_STDOUT | WC_ATTACH_STDERR);
    ck_assert_int_eq(read_all(&c, &out, &errors), WC_E_CLOSED);
    ck_assert_int_eq(wait_exit(&c), 0);
    ck_assert_int_gt(atol(out.data), 1000);
    ck_assert_int_lt(atol(out.data), 4000000000);
    wci_str_free(&out);
    wci_str_free(&errors);
    container_remove(&c);
}
END_TEST

START_TEST(a_cancelled_start_leaves_nothing)
{
    container c;
    wc_cancel *cancel = NULL;
    container_new(&c, sleeper, NULL);
    ok(wc_cancel_new(&cancel, &error));
    wc_cancel_set_timeout(cancel, 5000000);
    call.cancel = cancel;
    int32_t rc = try_start(&c, 0);
    call.cancel = NULL;
    ck_assert_int_eq(rc, WC_E_TIMEOUT);
    wci_err_clear(&error);
    ck_assert_int_ne(status_of(&c), WC_STATUS_RUNNING);
    ck_assert(!wci_cgroup_exists(wci_cgroup_of(c.id, NULL).path));
    wc_cancel_unref(cancel);
    container_remove(&c);
}
END_TEST

#ifndef TEST_SANITIZED
/* Beside another one: the program itself is there once for all of them. */
START_TEST(a_monitor_is_small)
{
    container c, other;
    char command[600];
    container_new(&other, sleeper, NULL);
    start(&other, 0);
    container_new(&c, sleeper, NULL);
    start(&c, 0);
    snprintf(command, sizeof command,
             "p=$(sed -n 's/.*\"monitor\":\\([0-9]*\\).*/\\1/p' %s/monitor.json); "
             "awk '/^Private_(Clean|Dirty)/{s+=$2} END{exit !s || s>1536}' /proc/$p/smaps_rollup",
             c.request.run_dir);
    ck_assert_msg(system(command) == 0, "over 1.5 MB");
    container_remove(&c);
    container_remove(&other);
}
END_TEST
#endif

int main(void)
{
    TCase *tcase = tcase_create("run");
    tcase_add_test(tcase, runs_and_ends);
    tcase_add_test(tcase, passes_exit_codes_on);
    tcase_add_test(tcase, tells_signals_as_128_and_more);
    tcase_add_test(tcase, delivers_signals);
    tcase_add_test(tcase, a_command_that_the_monitor_does_not_know_is_told);
    tcase_add_test(tcase, starts_again);
    tcase_add_test(tcase, two_monitors_never);
    tcase_add_test(tcase, records_events_in_order);
    tcase_add_test(tcase, says_what_is_wrong_with_the_command);
    tcase_add_test(tcase, runtime_errors_keep_their_words);
    tcase_add_test(tcase, removes_itself);
    tcase_add_test(tcase, stays_when_the_record_says_so);
    tcase_add_test(tcase, init_is_the_first_process);
    tcase_add_test(tcase, lowers_limits_that_the_host_forbids);
    tcase_add_test(tcase, a_cancelled_start_leaves_nothing);
#ifndef TEST_SANITIZED
    tcase_add_test(tcase, a_monitor_is_small);
#else
    puts("SKIPPED PART: a_monitor_is_small: the size of a sanitized build means nothing");
#endif
    return run_suite(tcase, "process: run");
}
