/* SPDX-License-Identifier: Apache-2.0 */
/* Further processes in a running container. */
#include "process_fixture.h"

/* Most are run twice: the container's monitor starts the process, or a helper does, for a document that the monitor does
 * not take. */
#define TOO_LARGE 40000

static container c;
static wci_str out, errors;
static int is_large;

static void begin(void)
{
    is_large = 0;
    setup();
    const char *args[] = {"sleep", "1000", NULL};
    container_new(&c, args, NULL);
    start(&c, 0);
}

static void begin_large(void)
{
    begin();
    is_large = 1;
}

static void end(void)
{
    container_remove(&c);
    wci_str_free(&out);
    wci_str_free(&errors);
    teardown();
}

static int32_t try_exec(const char *id, const char *process, uint64_t attach)
{
    wc_response response;
    ok(wci_request_set_string(&c.request, "process-id", id));
    ok(wci_request_set_string(&c.request, "process", process));
    set_int(&c, "attach", (int64_t)attach);
    int32_t rc = operate(&c, WCI_OP_PROCESS_START, &response);
    close_stream(&c);
    if (!rc) {
        ck_assert_int_gt(response.pid, 0);
        ck_assert_int_eq(response.has_handle, attach != 0);
        c.has_stream = response.has_handle;
        c.stream = response.handle;
    }
    wci_response_free(&response);
    return rc;
}

static char *process_json(const char *const *args, const char *more)
{
    json_t *argv = json_array();
    for (; *args; args++)
        json_array_append_new(argv, json_string(*args));
    json_t *process = json_pack("{s:o, s:s, s:[s], s:{s:i, s:i}}", "args", argv, "cwd", "/tmp",
                                "env", "PATH=/bin", "user", "uid", 0, "gid", 0);
    if (is_large) {
        char pad[TOO_LARGE] = "PAD=";
        memset(pad + 4, 'x', sizeof pad - 5);
        json_array_append_new(json_object_get(process, "env"), json_stringn(pad, sizeof pad - 1));
    }
    if (more) {
        json_t *extra = json_loads(more, 0, NULL);
        json_object_update(process, extra);
        json_decref(extra);
    }
    char *text = wci_json_dump_text(process);
    json_decref(process);
    return text;
}

static int32_t exec_shell(const char *id, const char *script, uint64_t attach)
{
    const char *args[] = {"sh", "-c", script, NULL};
    char *process = process_json(args, NULL);
    int32_t rc = try_exec(id, process, attach);
    wci_free(process);
    return rc;
}

static int process_answer(wci_op op, int32_t *status)
{
    wc_response response;
    ok(operate(&c, op, &response));
    *status = response.status;
    int code = response.exit_code;
    wci_response_free(&response);
    return code;
}

START_TEST(gives_output_and_exit_code)
{
    int32_t status = 0;
    ok(exec_shell("p1", "busybox pwd; echo err >&2; exit 11", 6));
    ck_assert_int_eq(read_all(&c, &out, &errors), WC_E_CLOSED);
    ck_assert_str_eq(out.data, "/tmp\n");
    ck_assert_str_eq(errors.data, "err\n");
    ck_assert_int_eq(process_answer(WCI_OP_PROCESS_WAIT, &status), 11);
    ck_assert_int_eq(status, WC_STATUS_EXITED);
    ck_assert_int_eq(process_answer(WCI_OP_PROCESS_STATE, &status), 11);
    ck_assert_int_eq(status, WC_STATUS_EXITED);
}
END_TEST

START_TEST(runs_detached)
{
    int32_t status = 0;
    ok(exec_shell("p1", "busybox sleep 0.2; yes | head -c 1000000; exit 4", 0));
    process_answer(WCI_OP_PROCESS_STATE, &status);
    ck_assert_int_eq(status, WC_STATUS_RUNNING);
    ck_assert_int_eq(process_answer(WCI_OP_PROCESS_WAIT, &status), 4);
}
END_TEST

START_TEST(is_killed)
{
    wc_response response;
    int32_t status = 0;
    ok(exec_shell("p1", "exec sleep 1000", 0));
    set_int(&c, "signal", SIGKILL);
    ok(operate(&c, WCI_OP_PROCESS_KILL, &response));
    ck_assert_int_eq(process_answer(WCI_OP_PROCESS_WAIT, &status), 137);
    fails(WC_E_STATE, operate(&c, WCI_OP_PROCESS_KILL, &response));
    ck_assert_int_eq(status_of(&c), WC_STATUS_RUNNING);
}
END_TEST

START_TEST(takes_input)
{
    size_t put = 0;
    set_int(&c, "open-stdin", 1);
    ok(exec_shell("p1", "cat; exit 3", 7));
    ok(wci_backend_stream_write(backend, &call, c.stream, "abc", 3, &put, -1, &error));
    ok(wci_backend_stream_close_write(backend, &call, c.stream, &error));
    ck_assert_int_eq(read_all(&c, &out, &errors), WC_E_CLOSED);
    ck_assert_str_eq(out.data, "abc");
}
END_TEST

START_TEST(has_a_terminal)
{
    const char *args[] = {"tty", NULL};
    char *process = process_json(args, "{\"terminal\":true}");
    set_int(&c, "tty", 1);
    ok(try_exec("p1", process, 6));
    wci_free(process);
    ck_assert_int_eq(read_all(&c, &out, &errors), WC_E_CLOSED);
    ck_assert_str_eq(out.data, "/dev/pts/0\r\n");
}
END_TEST

START_TEST(says_what_is_wrong)
{
    static const struct {
        const char *command;
        int32_t code;
    } cases[] = {{"nosuchcommand", WC_E_COMMAND_NOT_FOUND},
                 {"/no/such", WC_E_COMMAND_NOT_FOUND},
                 {"/etc", WC_E_COMMAND_NOT_EXECUTABLE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *args[] = {cases[i].command, NULL};
        char *process = process_json(args, NULL);
        fails(cases[i].code, try_exec("p1", process, 6));
        wci_free(process);
    }
    fails(WC_E_INVALID, exec_shell("../p", "true", 0));
}
END_TEST

START_TEST(needs_a_running_container)
{
    ok(send_signal(&c, SIGKILL));
    wait_exit(&c);
    fails(WC_E_STATE, exec_shell("p1", "true", 6));
}
END_TEST

START_TEST(ends_with_its_container)
{
    int32_t status = 0;
    ok(exec_shell("p1", "exec sleep 1000", 0));
    ok(send_signal(&c, SIGKILL));
    ck_assert_int_eq(process_answer(WCI_OP_PROCESS_WAIT, &status), 137);
}
END_TEST

START_TEST(many_at_once)
{
    for (int i = 0; i < 10; i++) {
        char id[8];
        snprintf(id, sizeof id, "p%d", i);
        ok(exec_shell(id, "busybox sleep 0.3; exit 8", 0));
    }
    for (int i = 0; i < 10; i++) {
        char id[8];
        int32_t status = 0;
        snprintf(id, sizeof id, "p%d", i);
        ok(wci_request_set_string(&c.request, "process-id", id));
        ck_assert_int_eq(process_answer(WCI_OP_PROCESS_WAIT, &status), 8);
    }
}
END_TEST

/* A number of monitor.json in the run directory of the container, or of a process of it. */
static int64_t told(const char *process, const char *key)
{
    char path[600];
    snprintf(path, sizeof path, "%s%s%s/monitor.json", wc_request_run_dir(&c.request), process ? "/exec/" : "",
             process ? process : "");
    json_t *record = json_load_file(path, 0, NULL);
    int64_t number = json_integer_value(json_object_get(record, key));
    json_decref(record);
    return number;
}

static int64_t parent_of(int64_t pid)
{
    char path[64];
    long parent = 0;
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    FILE *f = fopen(path, "re");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fscanf(f, "%*d (%*[^)]) %*c %ld", &parent), 1);
    fclose(f);
    return parent;
}

START_TEST(comes_from_the_monitor_of_the_container)
{
    ok(exec_shell("p1", "exec sleep 1000", 0));
    ck_assert_int_eq(parent_of(told("p1", "pid")), told("p1", "monitor"));
    ck_assert_int_eq(parent_of(told("p1", "monitor")), told(NULL, "monitor"));
}
END_TEST

START_TEST(touches_nobody_else_when_its_monitor_is_killed)
{
    int32_t status = 0;
    ok(exec_shell("p1", "exec sleep 1000", 0));
    ok(exec_shell("p2", "busybox sleep 0.3; exit 6", 0));
    ck_assert_int_eq(kill((pid_t)told("p1", "monitor"), SIGKILL), 0);
    ck_assert_int_eq(process_answer(WCI_OP_PROCESS_WAIT, &status), 6);
    ok(exec_shell("p3", "exit 9", 0));
    ck_assert_int_eq(process_answer(WCI_OP_PROCESS_WAIT, &status), 9);
    ck_assert_int_eq(status_of(&c), WC_STATUS_RUNNING);
}
END_TEST

/* Alive is who holds it: one that is a copy of the container's monitor must not. */
START_TEST(holds_no_lock_of_the_container)
{
    char lock[400];
    ok(exec_shell("p1", "exec sleep 1000", 0));
    snprintf(lock, sizeof lock, "%s/lock", wc_request_run_dir(&c.request));
    ck_assert(wci_lock_is_held(lock));
    int64_t monitor = told(NULL, "monitor");
    ck_assert_int_eq(kill((pid_t)monitor, SIGKILL), 0);
    for (int64_t end = now_ms() + 10000; wci_lock_is_held(lock) && now_ms() < end;)
        sleep_ms(1);
    ck_assert(!wci_lock_is_held(lock));
    ck_assert_int_eq(status_of(&c), WC_STATUS_DEAD);
}
END_TEST

static void add_tests(TCase *tcase)
{
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, gives_output_and_exit_code);
    tcase_add_test(tcase, runs_detached);
    tcase_add_test(tcase, is_killed);
    tcase_add_test(tcase, takes_input);
    tcase_add_test(tcase, has_a_terminal);
    tcase_add_test(tcase, says_what_is_wrong);
    tcase_add_test(tcase, needs_a_running_container);
    tcase_add_test(tcase, ends_with_its_container);
    tcase_add_test(tcase, many_at_once);
}

int main(void)
{
    skip_unless_able();
    Suite *suite = suite_create("process: exec");
    TCase *tcase = tcase_create("exec");
    tcase_add_checked_fixture(tcase, begin, end);
    add_tests(tcase);
    tcase_add_test(tcase, comes_from_the_monitor_of_the_container);
    tcase_add_test(tcase, touches_nobody_else_when_its_monitor_is_killed);
    tcase_add_test(tcase, holds_no_lock_of_the_container);
    TCase *large = tcase_create("by a helper");
    tcase_add_checked_fixture(large, begin_large, end);
    add_tests(large);
    suite_add_tcase(suite, large);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
