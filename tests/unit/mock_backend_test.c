/* SPDX-License-Identifier: Apache-2.0 */
/* The mock backend below the container layer: scripts, inputs, faults, and what is left on disk. */
#include <wincontainer/container.h>

#include "backend/backend.h"
#include "backend/mock/run.h"
#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "support/support.h"

#define MS 1000000ll

static char *root;
static wci_backends *backends;
static wci_backend *mock;
static wc_call call;
static wc_request request;
static wc_response response;
static wc_error *error;

static void open_backend(void)
{
    wc_request settings = {0};
    wci_request_set_string(&settings, "root", root);
    test_ok(wci_backends_new(&settings, &backends, NULL));
    wci_request_free(&settings);
    test_ok(wci_backends_get(backends, &call, "mock", &mock, NULL));
}

static void close_backend(void)
{
    wci_backend_unref(mock);
    wci_backends_free(backends);
}

static void setup(void)
{
    root = test_make_dir();
    open_backend();
    memset(&request, 0, sizeof request);
    wci_response_init(&response);
    request.container_id = wci_strdup("c1");
    request.state_dir = wci_asprintf("%s/state", root);
    request.run_dir = wci_asprintf("%s/run", root);
}

static void teardown(void)
{
    wci_err_clear(&error);
    wci_response_free(&response);
    wci_request_free(&request);
    close_backend();
    test_remove_dir(root);
}

/* `more`: further members of the configuration, with a comma in front. */
static void configure(const char *more, const char *const *args)
{
    wci_str text = WCI_STR_INIT;
    wci_str_append(&text, "{\"args\":[\"/prog\"");
    for (; *args; args++)
        wci_str_printf(&text, ",\"%s\"", *args);
    wci_str_printf(&text, "]%s}", more);
    wci_free(request.config);
    request.config = wci_str_take(&text);
}
#define CONFIGURE(more, ...) configure(more, (const char *const[]){__VA_ARGS__, NULL})

static int32_t run_op(wci_op op)
{
    wci_err_clear(&error);
    wci_response_free(&response);
    int32_t rc = wci_backend_call(mock, op, &call, &request, &response, &error);
    ck_assert_int_eq(rc, wc_error_code(error));
    return rc;
}

static void start(void)
{
    test_ok(run_op(WCI_OP_CONTAINER_START));
    ck_assert_int_eq(response.status, WC_STATUS_RUNNING);
}

static int32_t wait_end(void)
{
    test_ok(run_op(WCI_OP_CONTAINER_WAIT));
    return response.exit_code;
}

static int32_t kill_it(int signal)
{
    wci_request_set_int(&request, "signal", signal);
    return run_op(WCI_OP_CONTAINER_KILL);
}

/* The whole log: "1:" or "2:" before each line. */
static char *read_log(void)
{
    wci_str text = WCI_STR_INIT;
    test_ok(run_op(WCI_OP_LOGS_OPEN));
    uintptr_t handle = response.handle;
    for (;;) {
        wc_response line;
        wci_response_init(&line);
        int32_t rc = wci_backend_logs_next(mock, &call, handle, &line, 2000 * MS, NULL);
        if (rc == WC_E_CLOSED)
            break;
        test_ok(rc);
        wci_str_printf(&text, "%d:%s", line.channel, wc_buf_data(line.line));
        wci_response_free(&line);
    }
    wci_backend_logs_release(mock, handle);
    return wci_str_take(&text);
}

static void assert_log(const char *want)
{
    char *text = read_log();
    ck_assert_str_eq(text, want);
    wci_free(text);
}

START_TEST(script_gives_output_and_exit_code)
{
    CONFIGURE(",\"env\":[\"A=1\",\"AB=2\"],\"workdir\":\"/w\",\"user\":\"7\",\"hostname\":\"h\"",
              "out:a", "outln:b", "errln:c", "lines:2:x", "repeat:3:y", "bytes:28", "env:AB",
              "workdir", "user", "hostname", "tty", "exit:3");
    start();
    ck_assert_int_eq(wait_end(), 3);
    ck_assert_int_eq(response.status, WC_STATUS_EXITED);
    assert_log(
        "1:a1:b\n2:c\n1:x 1\n1:x 2\n1:yyy1:abcdefghijklmnopqrstuvwxyzab1:2\n1:/w\n1:7:0\n1:h\n"
        "1:no\n");
}
END_TEST

START_TEST(bad_words_are_told)
{
    CONFIGURE("", "exit:0");
    wci_free(request.config);
    request.config = wci_strdup("{\"args\":[\"no-such\"]}");
    test_code(run_op(WCI_OP_CONTAINER_START), WC_E_COMMAND_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(wc_error_message(error), "no-such"));
    CONFIGURE("", "sleep:1x", "outln:never");
    start();
    ck_assert_int_eq(wait_end(), 2);
    assert_log("2:sleep:1x: no such action\n");
}
END_TEST

START_TEST(sleep_takes_its_time)
{
    CONFIGURE("", "outln:a", "sleep:80", "outln:b");
    int64_t before = wci_now_ns();
    start();
    test_ok(run_op(WCI_OP_CONTAINER_STATE));
    ck_assert_int_eq(response.status, WC_STATUS_RUNNING);
    assert_log("1:a\n");
    ck_assert_int_eq(wait_end(), 0);
    ck_assert_int_ge(wci_now_ns() - before, 80 * MS);
    ck_assert_int_ge(response.finished_ns - before, 80 * MS);
    assert_log("1:a\n1:b\n");
}
END_TEST

START_TEST(signals_follow_dispositions)
{
    CONFIGURE("", "ignore:INT", "on:USR1:ouch", "trap:TERM:7", "forever");
    start();
    test_ok(kill_it(2));
    test_ok(kill_it(10));
    test_ok(kill_it(28)); /* WINCH: ignored when nobody asked */
    test_ok(run_op(WCI_OP_CONTAINER_STATE));
    ck_assert_int_eq(response.status, WC_STATUS_RUNNING);
    test_ok(kill_it(15));
    ck_assert_int_eq(wait_end(), 7);
    assert_log("1:ouch\n");
    test_code(kill_it(15), WC_E_STATE);
    test_code(kill_it(0), WC_E_INVALID);
}
END_TEST

START_TEST(default_and_sigkill_end_it)
{
    CONFIGURE("", "ignore:TERM", "forever");
    start();
    test_code(run_op(WCI_OP_CONTAINER_START), WC_E_STATE);
    test_ok(kill_it(15));
    test_ok(kill_it(9));
    ck_assert_int_eq(wait_end(), 137);
    CONFIGURE("", "forever");
    start();
    test_ok(kill_it(15));
    ck_assert_int_eq(wait_end(), 143);
    CONFIGURE("", "signal:SEGV");
    start();
    ck_assert_int_eq(wait_end(), 139);
}
END_TEST

static uintptr_t start_attached(int attach)
{
    wci_request_set_int(&request, "attach", attach);
    start();
    ck_assert(response.has_handle);
    return response.handle;
}

/* Everything that comes until the end. */
static char *drain(uintptr_t handle)
{
    wci_str text = WCI_STR_INIT;
    char piece[5];
    int32_t channel, rc;
    size_t got;
    while ((rc = wci_backend_stream_read(mock, &call, handle, &channel, piece, sizeof piece, &got,
                                         2000 * MS, NULL)) == WC_OK)
        wci_str_append_n(&text, piece, got);
    test_code(rc, WC_E_CLOSED);
    return wci_str_take(&text);
}

START_TEST(cat_copies_standard_input)
{
    int32_t channel;
    size_t n;
    char c;
    CONFIGURE(",\"openStdin\":true", "cat", "outln:!");
    uintptr_t s = start_attached(WC_ATTACH_STDIN | WC_ATTACH_STDOUT | WC_ATTACH_STDERR);
    test_code(wci_backend_stream_read(mock, &call, s, &channel, &c, 1, &n, 20 * MS, NULL),
              WC_E_TIMEOUT);
    test_ok(wci_backend_stream_write(mock, &call, s, "hello ", 6, &n, -1, NULL));
    ck_assert_uint_eq(n, 6);
    test_ok(wci_backend_stream_write(mock, &call, s, "world", 5, &n, -1, NULL));
    test_ok(wci_backend_stream_close_write(mock, &call, s, NULL));
    test_code(wci_backend_stream_write(mock, &call, s, "x", 1, &n, -1, NULL), WC_E_CLOSED);
    test_code(wci_backend_stream_resize(mock, &call, s, 80, 25, NULL), WC_E_STATE);
    char *text = drain(s);
    ck_assert_str_eq(text, "hello world!\n");
    wci_free(text);
    wci_backend_stream_release(mock, s);
}
END_TEST

START_TEST(streams_keep_to_their_channels)
{
    size_t n;
    CONFIGURE("", "outln:o", "errln:e", "cat", "outln:end");
    uintptr_t s = start_attached(WC_ATTACH_STDERR);
    char *text = drain(s);
    ck_assert_str_eq(text, "e\n");
    wci_free(text);
    test_code(wci_backend_stream_write(mock, &call, s, "x", 1, &n, -1, NULL), WC_E_STATE);
    wci_backend_stream_release(mock, s);
}
END_TEST

START_TEST(attach_misses_what_was_before)
{
    CONFIGURE("", "outln:early", "sleep:60", "outln:late");
    start();
    test_ok(wci_call_sleep_ms(&call, 10, NULL));
    wci_request_set_int(&request, "attach", WC_ATTACH_STDOUT);
    test_ok(run_op(WCI_OP_CONTAINER_ATTACH));
    uintptr_t s = response.handle;
    char *text = drain(s);
    ck_assert_str_eq(text, "late\n");
    wci_free(text);
    wci_backend_stream_release(mock, s);
    test_code(run_op(WCI_OP_CONTAINER_ATTACH), WC_E_STATE);
}
END_TEST

START_TEST(large_output_comes_whole)
{
    CONFIGURE("", "bytes:300000");
    uintptr_t s = start_attached(WC_ATTACH_STDOUT);
    char *text = drain(s);
    ck_assert_uint_eq(strlen(text), 300000);
    for (int i = 0; i < 300000; i++)
        ck_assert_int_eq(text[i], 'a' + i % 26);
    wci_free(text);
    wci_backend_stream_release(mock, s);
}
END_TEST

START_TEST(log_options_choose_lines)
{
    CONFIGURE("", "lines:5:a", "sleep:50", "outln:b");
    start();
    int64_t began = wci_now_ns();
    wait_end();
    start();
    wait_end();
    wci_request_set_int(&request, "tail", 3);
    assert_log("1:a 4\n1:a 5\n1:b\n");
    wci_request_set_int(&request, "tail", 0);
    assert_log("");
    wci_request_set_int(&request, "tail", -1);
    assert_log("1:a 1\n1:a 2\n1:a 3\n1:a 4\n1:a 5\n1:b\n1:a 1\n1:a 2\n1:a 3\n1:a 4\n1:a 5\n1:b\n");
    wci_request_set_int(&request, "until", began + 20 * MS);
    assert_log("1:a 1\n1:a 2\n1:a 3\n1:a 4\n1:a 5\n");
    wci_request_set_int(&request, "until", 0);
    wci_request_set_int(&request, "since", began + 20 * MS);
    wci_request_set_int(&request, "tail", 7);
    assert_log("1:b\n1:a 1\n1:a 2\n1:a 3\n1:a 4\n1:a 5\n1:b\n");
}
END_TEST

START_TEST(following_waits_for_more)
{
    CONFIGURE("", "outln:a", "sleep:50", "outln:b", "sleep:20", "errln:c");
    start();
    wci_request_set_int(&request, "follow", 1);
    assert_log("1:a\n1:b\n2:c\n");
}
END_TEST

static void exec(const char *id, const char *process)
{
    wci_request_set_string(&request, "process-id", id);
    wci_request_set_string(&request, "process", process);
}

START_TEST(processes_live_in_the_container)
{
    CONFIGURE(",\"hostname\":\"h\"", "forever");
    exec("p1", "{\"args\":[\"/prog\",\"hostname\",\"user\",\"workdir\",\"exit:5\"],\"cwd\":\"/x\","
               "\"user\":{\"uid\":1,\"gid\":2}}");
    test_code(run_op(WCI_OP_PROCESS_START), WC_E_STATE);
    start();
    wci_request_set_int(&request, "attach", WC_ATTACH_STDOUT);
    test_ok(run_op(WCI_OP_PROCESS_START));
    uintptr_t s = response.handle;
    char *text = drain(s);
    ck_assert_str_eq(text, "h\n1:2\n/x\n");
    wci_free(text);
    wci_backend_stream_release(mock, s);
    test_ok(run_op(WCI_OP_PROCESS_WAIT));
    ck_assert_int_eq(response.exit_code, 5);

    wci_request_set_int(&request, "attach", 0);
    exec("p2", "{\"args\":[\"trap:HUP:9\",\"forever\"]}");
    test_ok(run_op(WCI_OP_PROCESS_START));
    wci_request_set_int(&request, "signal", 1);
    test_ok(run_op(WCI_OP_PROCESS_KILL));
    test_ok(run_op(WCI_OP_PROCESS_STATE));
    ck_assert_int_eq(response.exit_code, 9);
    test_code(run_op(WCI_OP_PROCESS_KILL), WC_E_STATE);

    exec("p3", "{\"args\":[\"forever\"]}");
    test_ok(run_op(WCI_OP_PROCESS_START));
    test_ok(kill_it(9));
    test_ok(run_op(WCI_OP_PROCESS_WAIT));
    ck_assert_int_eq(response.exit_code, 137);
    exec("p4", "{\"args\":[\"forever\"]}");
    test_code(run_op(WCI_OP_PROCESS_START), WC_E_STATE);
    test_code(run_op(WCI_OP_PROCESS_WAIT), WC_E_NOT_FOUND);
}
END_TEST

START_TEST(faults_come_as_labels_say)
{
    CONFIGURE(",\"labels\":{\"mock.fault.start\":\"WC_E_MISSING: no runtime today\","
              "\"mock.times.start\":\"2\",\"mock.delay.kill\":\"40ms\"}",
              "forever");
    for (int i = 0; i < 2; i++) {
        test_code(run_op(WCI_OP_CONTAINER_START), WC_E_MISSING);
        ck_assert_ptr_nonnull(strstr(wc_error_message(error), "no runtime today"));
    }
    start();
    int64_t before = wci_monotonic_ns();
    test_ok(kill_it(9));
    ck_assert_int_ge(wci_monotonic_ns() - before, 40 * MS);
}
END_TEST

START_TEST(faults_of_cp_come_before_the_library_copies)
{
    CONFIGURE(",\"labels\":{\"mock.fault.cp\":\"WC_E_IO: no cp today\",\"mock.times.cp\":\"2\"}", "exit:0");
    ck_assert_int_eq(run_op(WCI_OP_ARCHIVE_GET), WC_E_IO);
    ck_assert_str_eq(wc_error_message(error), "mock cp: no cp today");
    ck_assert_int_eq(run_op(WCI_OP_ARCHIVE_PUT), WC_E_IO);
    test_ok(run_op(WCI_OP_ARCHIVE_GET));
}
END_TEST

START_TEST(faults_come_as_the_file_says)
{
    char *path = test_text("%s/mock.faults", root);
    const char *text = "# trouble\nmock.fault.state=WC_E_IO\nmock.fault.kill=nonsense\n";
    CONFIGURE("", "forever");
    start();
    test_write_file(path, text, strlen(text));
    test_code(run_op(WCI_OP_CONTAINER_STATE), WC_E_IO);
    test_code(kill_it(9), WC_E_INVALID);
    unlink(path);
    test_ok(run_op(WCI_OP_CONTAINER_STATE));
    test_ok(kill_it(9));
    free(path);
}
END_TEST

START_TEST(crashes_leave_it_dead)
{
    CONFIGURE(",\"labels\":{\"mock.crash.start\":\"1\"}", "outln:never");
    start();
    test_ok(run_op(WCI_OP_CONTAINER_STATE));
    ck_assert_int_eq(response.status, WC_STATUS_DEAD);
    ck_assert_int_eq(response.exit_code, 255);
    assert_log("");
    CONFIGURE(",\"labels\":{\"mock.crash.after\":\"30ms\"}", "outln:a", "forever");
    start();
    wait_end();
    ck_assert_int_eq(response.status, WC_STATUS_DEAD);
    CONFIGURE(",\"labels\":{\"mock.crash.kill\":\"1\"}", "forever");
    start();
    test_code(kill_it(15), WC_E_RUNTIME);
    wait_end();
    ck_assert_int_eq(response.status, WC_STATUS_DEAD);
}
END_TEST

START_TEST(label_replaces_the_script)
{
    CONFIGURE(",\"labels\":{\"mock.script\":\"outln:hi  exit:4\"}", "ignored");
    start();
    ck_assert_int_eq(wait_end(), 4);
    assert_log("1:hi\n");
}
END_TEST

START_TEST(others_see_the_same)
{
    CONFIGURE("", "trap:TERM:6", "forever");
    start();
    close_backend();
    open_backend();
    test_ok(run_op(WCI_OP_CONTAINER_STATE));
    ck_assert_int_eq(response.status, WC_STATUS_RUNNING);
    test_ok(kill_it(15));
    close_backend();
    open_backend();
    test_ok(run_op(WCI_OP_CONTAINER_STATE));
    ck_assert_int_eq(response.status, WC_STATUS_EXITED);
    ck_assert_int_eq(response.exit_code, 6);
}
END_TEST

START_TEST(reboot_is_noticed)
{
    CONFIGURE("", "outln:a", "forever");
    start();
    test_ok(wci_dir_remove_all(request.run_dir, NULL));
    test_ok(run_op(WCI_OP_CONTAINER_STATE));
    ck_assert_int_eq(response.status, WC_STATUS_DEAD);
    start();
    test_ok(run_op(WCI_OP_CONTAINER_STATE));
    ck_assert_int_eq(response.status, WC_STATUS_RUNNING);
}
END_TEST

START_TEST(torn_input_does_not_count)
{
    CONFIGURE("", "forever");
    start();
    test_ok(kill_it(28));
    char *path = wci_asprintf("%s/mock/1.in", request.state_dir);
    size_t size = 0;
    char *record = test_read_file(path, &size);
    FILE *f = fopen(path, "ae");
    ck_assert_uint_eq(fwrite(record, 1, size - 1, f), size - 1);
    fclose(f);
    test_ok(run_op(WCI_OP_CONTAINER_STATE));
    ck_assert_int_eq(response.status, WC_STATUS_RUNNING);
    test_ok(kill_it(15));
    ck_assert_int_eq(wait_end(), 143);
    free(record);
    wci_free(path);
}
END_TEST

START_TEST(removal_ends_everything)
{
    test_ok(run_op(WCI_OP_CONTAINER_REMOVE));
    CONFIGURE("", "outln:a", "forever");
    uintptr_t s = start_attached(WC_ATTACH_STDOUT);
    test_ok(run_op(WCI_OP_CONTAINER_REMOVE));
    char *text = drain(s);
    ck_assert_str_eq(text, "a\n");
    wci_free(text);
    wci_backend_stream_release(mock, s);
    test_ok(run_op(WCI_OP_CONTAINER_STATE));
    ck_assert_int_eq(response.status, WC_STATUS_CREATED);
    test_ok(run_op(WCI_OP_CONTAINER_REMOVE));
}
END_TEST

START_TEST(waits_end_when_cancelled)
{
    wc_cancel *cancel = NULL;
    test_ok(wc_cancel_new(&cancel, NULL));
    CONFIGURE(",\"labels\":{\"mock.delay.attach\":\"60s\"}", "forever");
    start();
    wc_cancel_set_timeout(cancel, 30 * MS);
    call.cancel = cancel;
    test_code(run_op(WCI_OP_CONTAINER_WAIT), WC_E_TIMEOUT);
    test_code(run_op(WCI_OP_CONTAINER_ATTACH), WC_E_TIMEOUT);
    wc_cancel_trigger(cancel);
    test_code(run_op(WCI_OP_CONTAINER_WAIT), WC_E_CANCELLED);
    call.cancel = NULL;
    wc_cancel_unref(cancel);
    test_ok(kill_it(9));
}
END_TEST

START_TEST(there_is_nothing_to_poll)
{
    ck_assert_int_eq(wci_backend_stream_fd(mock, 0), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mock backend");
    TCase *tc = tcase_create("mock");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 30);
    tcase_add_test(tc, script_gives_output_and_exit_code);
    tcase_add_test(tc, bad_words_are_told);
    tcase_add_test(tc, sleep_takes_its_time);
    tcase_add_test(tc, signals_follow_dispositions);
    tcase_add_test(tc, default_and_sigkill_end_it);
    tcase_add_test(tc, cat_copies_standard_input);
    tcase_add_test(tc, streams_keep_to_their_channels);
    tcase_add_test(tc, attach_misses_what_was_before);
    tcase_add_test(tc, large_output_comes_whole);
    tcase_add_test(tc, log_options_choose_lines);
    tcase_add_test(tc, following_waits_for_more);
    tcase_add_test(tc, processes_live_in_the_container);
    tcase_add_test(tc, faults_come_as_labels_say);
    tcase_add_test(tc, faults_of_cp_come_before_the_library_copies);
    tcase_add_test(tc, faults_come_as_the_file_says);
    tcase_add_test(tc, crashes_leave_it_dead);
    tcase_add_test(tc, label_replaces_the_script);
    tcase_add_test(tc, others_see_the_same);
    tcase_add_test(tc, reboot_is_noticed);
    tcase_add_test(tc, torn_input_does_not_count);
    tcase_add_test(tc, removal_ends_everything);
    tcase_add_test(tc, waits_end_when_cancelled);
    tcase_add_test(tc, there_is_nothing_to_poll);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
