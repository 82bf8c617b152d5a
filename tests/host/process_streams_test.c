/* SPDX-License-Identifier: Apache-2.0 */
/* Standard streams: apart, whole, in both directions, with and without a terminal; and readers who
 * do not read. */
#include <poll.h>

#include "process_fixture.h"

#define BOTH (WC_ATTACH_STDOUT | WC_ATTACH_STDERR)
#define ALL (WC_ATTACH_STDIN | BOTH)

static wci_str out, errors;

static void free_texts(void)
{
    wci_str_free(&out);
    wci_str_free(&errors);
}

static int32_t write_stdin(container *c, const char *data, size_t size, int64_t timeout_ns)
{
    size_t put = 0;
    int32_t rc = wci_backend_stream_write(backend, &call, c->stream, data, size, &put, timeout_ns,
                                          &error);
    if (!rc)
        ck_assert_uint_eq(put, size);
    return rc;
}

START_TEST(keeps_channels_apart)
{
    ck_assert_int_eq(run_shell("echo out; echo err >&2; printf tail", &out, &errors), 0);
    ck_assert_str_eq(out.data, "out\ntail");
    ck_assert_str_eq(errors.data, "err\n");
    free_texts();
}
END_TEST

START_TEST(only_what_was_asked_for)
{
    container c;
    const char *args[] = {"sh", "-c", "echo out; echo err >&2", NULL};
    container_new(&c, args, NULL);
    start(&c, WC_ATTACH_STDERR);
    ck_assert_int_eq(read_all(&c, &out, &errors), WC_E_CLOSED);
    ck_assert_uint_eq(out.size, 0);
    ck_assert_str_eq(errors.data, "err\n");
    free_texts();
    container_remove(&c);
}
END_TEST

START_TEST(input_comes_back)
{
    container c;
    const char *args[] = {"cat", NULL};
    container_new(&c, args, NULL);
    set_int(&c, "open-stdin", 1);
    start(&c, ALL);
    ok(write_stdin(&c, "hello\n", 6, -1));
    read_until(&c, &out, "hello\n");
    ok(wci_backend_stream_close_write(backend, &call, c.stream, &error));
    ck_assert_int_eq(read_all(&c, &out, &errors), WC_E_CLOSED);
    ck_assert_int_eq(wait_exit(&c), 0);
    free_texts();
    container_remove(&c);
}
END_TEST

START_TEST(input_without_stdin_is_refused)
{
    container c;
    const char *args[] = {"cat", NULL};
    container_new(&c, args, NULL);
    start(&c, ALL);
    fails(WC_E_STATE, write_stdin(&c, "x", 1, -1));
    ck_assert_int_eq(wci_backend_stream_write_fd(backend, c.stream), -1);
    fails(WC_E_STATE, wci_backend_stream_resize(backend, &call, c.stream, 80, 25, &error));
    ck_assert_int_eq(read_all(&c, &out, &errors), WC_E_CLOSED); /* cat saw an empty input */
    free_texts();
    container_remove(&c);
}
END_TEST

static int is_writable(container *of, int timeout_ms)
{
    struct pollfd item = {(int)wci_backend_stream_write_fd(backend, of->stream), POLLOUT, 0};
    ck_assert_int_ge(item.fd, 0);
    return poll(&item, 1, timeout_ms) == 1;
}

START_TEST(input_can_be_waited_for)
{
    static char data[1 << 20];
    container c;
    const char *args[] = {"sh", "-c", "read go; busybox wc -c", NULL};
    size_t total = 0, put = 0;
    container_new(&c, args, NULL);
    set_int(&c, "open-stdin", 1);
    start(&c, ALL);
    ck_assert(is_writable(&c, 0));
    data[0] = '\n'; /* it goes on, and reads all */
    while (total < 40 * sizeof data) {
        ck_assert(is_writable(&c, 60000));
        int32_t rc = wci_backend_stream_write(backend, &call, c.stream, data, sizeof data, &put, 0, &error);
        if (!rc)
            total += put;
        else
            ck_assert_int_eq(rc, WC_E_TIMEOUT);
        wci_err_clear(&error);
    }
    ok(wci_backend_stream_close_write(backend, &call, c.stream, &error));
    ck_assert_int_eq(wci_backend_stream_write_fd(backend, c.stream), -1);
    ck_assert_int_eq(read_all(&c, &out, &errors), WC_E_CLOSED);
    ck_assert_int_gt(atoi(out.data), 0);
    free_texts();
    container_remove(&c);
}
END_TEST

START_TEST(input_waits_while_nobody_reads)
{
    static char data[1 << 20];
    container c;
    const char *args[] = {"sleep", "1000", NULL};
    int32_t rc = WC_OK;
    container_new(&c, args, NULL);
    set_int(&c, "open-stdin", 1);
    start(&c, ALL);
    for (int i = 0; i < 8 && !rc; i++) {
        size_t put = 0;
        rc = wci_backend_stream_write(backend, &call, c.stream, data, sizeof data, &put, 200000000,
                                      &error);
        if (!rc)
            ck_assert_uint_gt(put, 0);
    }
    ck_assert_int_eq(rc, WC_E_TIMEOUT);
    wci_err_clear(&error);
    ck_assert(!is_writable(&c, 0));
    ok(send_signal(&c, SIGKILL)); /* the monitor is as responsive as ever */
    ck_assert_int_eq(wait_exit(&c), 137);
    container_remove(&c);
}
END_TEST

START_TEST(input_that_the_process_closes_is_closed)
{
    container c;
    const char *args[] = {"sh", "-c", "exec 0</dev/null; echo closed; sleep 1000", NULL};
    int32_t rc = WC_OK;
    container_new(&c, args, NULL);
    set_int(&c, "open-stdin", 1);
    start(&c, ALL);
    read_until(&c, &out, "closed");
    int64_t give_up = now_ms() + 5000;
    while (!rc && now_ms() < give_up) {
        rc = write_stdin(&c, "x", 1, -1);
        sleep_ms(5);
    }
    ck_assert_int_eq(rc, WC_E_CLOSED);
    wci_err_clear(&error);
    free_texts();
    container_remove(&c);
}
END_TEST

START_TEST(much_input_arrives_whole)
{
    static char data[100000];
    container c;
    const char *args[] = {"sh", "-c", "busybox wc -c", NULL};
    memset(data, 'a', sizeof data);
    container_new(&c, args, NULL);
    set_int(&c, "open-stdin", 1);
    start(&c, ALL);
    for (int i = 0; i < 50; i++)
        ok(write_stdin(&c, data, sizeof data, -1));
    ok(wci_backend_stream_close_write(backend, &call, c.stream, &error));
    ck_assert_int_eq(read_all(&c, &out, &errors), WC_E_CLOSED);
    ck_assert_int_eq(atoi(out.data), 5000000);
    free_texts();
    container_remove(&c);
}
END_TEST

START_TEST(fifty_megabytes_without_loss)
{
    container c;
    char data[65536];
    uint64_t total = 0, line = 0, at = 0;
    const char *args[] = {"sh", "-c", "seq 1 6500000", NULL}; /* 50.4 MB */
    char expected[24] = "1\n";
    container_new(&c, args, NULL);
    set_int(&c, "log-max-bytes", 1 << 20);
    set_int(&c, "log-max-files", 2);
    start(&c, BOTH);
    line = 1;
    for (;;) {
        int32_t channel;
        size_t got = 0;
        int32_t rc = wci_backend_stream_read(backend, &call, c.stream, &channel, data, sizeof data,
                                             &got, -1, &error);
        if (rc == WC_E_CLOSED)
            break;
        ok(rc);
        total += got;
        for (size_t i = 0; i < got; i++) {
            if (data[i] != expected[at])
                ck_abort_msg("after line %llu", (unsigned long long)line);
            if (expected[at++] == '\n') {
                snprintf(expected, sizeof expected, "%llu\n", (unsigned long long)++line);
                at = 0;
            }
        }
    }
    wci_err_clear(&error);
    ck_assert_uint_gt(total, 50000000);
    ck_assert_uint_eq(line, 6500001);
    ck_assert_int_eq(wait_exit(&c), 0);
    container_remove(&c);
}
END_TEST

START_TEST(a_reader_that_sleeps_is_dropped)
{
    container c;
    wc_response response;
    const char *args[] = {"sh", "-c", "seq 1 2000000; exit 5", NULL};
    container_new(&c, args, NULL);
    start(&c, BOTH); /* and read nothing */
    int64_t begin = now_ms();
    ck_assert_int_eq(wait_exit(&c), 5);
    ck_assert_int_lt(now_ms() - begin, 15000);
    ck_assert_int_eq(read_all(&c, &out, &errors), WC_E_BUSY);
    ck_assert_uint_gt(out.size, 0);
    /* The log has it all. */
    set_int(&c, "tail", 1);
    ok(operate(&c, WCI_OP_LOGS_OPEN, &response));
    uintptr_t logs = response.handle;
    wci_response_init(&response);
    ok(wci_backend_logs_next(backend, &call, logs, &response, 0, &error));
    ck_assert_str_eq(wc_buf_data(response.line), "2000000\n");
    wci_response_free(&response);
    wci_backend_logs_release(backend, logs);
    free_texts();
    container_remove(&c);
}
END_TEST

START_TEST(later_readers_join)
{
    container c;
    wc_response response;
    const char *args[] = {"sh", "-c", "while :; do echo tick; sleep 0.02; done", NULL};
    container_new(&c, args, NULL);
    start(&c, 0);
    for (int i = 0; i < 3; i++) {
        set_int(&c, "attach", WC_ATTACH_STDOUT);
        ok(operate(&c, WCI_OP_CONTAINER_ATTACH, &response));
        c.stream = response.handle;
        c.has_stream = 1;
        read_until(&c, &out, "tick\n");
        wci_str_clear(&out);
        close_stream(&c); /* the container goes on */
    }
    ck_assert_int_eq(status_of(&c), WC_STATUS_RUNNING);
    free_texts();
    container_remove(&c);
}
END_TEST

START_TEST(a_terminal_is_one)
{
    container c;
    const char *args[] = {"sh", "-c", "tty; while ! stty size | busybox grep -q '33 111'; do "
                                      "sleep 0.01; done; echo resized; read x; echo got $x", NULL};
    container_new(&c, args, "{\"process\":{\"terminal\":true}}");
    set_int(&c, "tty", 1);
    set_int(&c, "open-stdin", 1);
    start(&c, ALL);
    read_until(&c, &out, "/dev/pts/0");
    ok(wci_backend_stream_resize(backend, &call, c.stream, 111, 33, &error));
    read_until(&c, &out, "resized");
    ok(write_stdin(&c, "abc\n", 4, -1));
    ck_assert_int_eq(read_all(&c, &out, &errors), WC_E_CLOSED);
    ck_assert_ptr_nonnull(strstr(out.data, "got abc"));
    ck_assert_uint_eq(errors.size, 0);
    free_texts();
    container_remove(&c);
}
END_TEST

START_TEST(reading_does_not_wait_longer_than_told)
{
    container c;
    char data[16];
    int32_t channel;
    size_t got;
    const char *args[] = {"sleep", "1000", NULL};
    container_new(&c, args, NULL);
    start(&c, BOTH);
    int64_t begin = now_ms();
    fails(WC_E_TIMEOUT, wci_backend_stream_read(backend, &call, c.stream, &channel, data, 16, &got,
                                                50000000, &error));
    ck_assert_int_ge(now_ms() - begin, 49);
    ck_assert_int_lt(now_ms() - begin, 2000);
    fails(WC_E_TIMEOUT, wci_backend_stream_read(backend, &call, c.stream, &channel, data, 16, &got,
                                                0, &error));
    container_remove(&c);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("streams");
    tcase_add_test(tcase, keeps_channels_apart);
    tcase_add_test(tcase, only_what_was_asked_for);
    tcase_add_test(tcase, input_comes_back);
    tcase_add_test(tcase, input_without_stdin_is_refused);
    tcase_add_test(tcase, input_can_be_waited_for);
    tcase_add_test(tcase, input_waits_while_nobody_reads);
    tcase_add_test(tcase, input_that_the_process_closes_is_closed);
    tcase_add_test(tcase, much_input_arrives_whole);
    tcase_add_test(tcase, fifty_megabytes_without_loss);
    tcase_add_test(tcase, a_reader_that_sleeps_is_dropped);
    tcase_add_test(tcase, later_readers_join);
    tcase_add_test(tcase, a_terminal_is_one);
    tcase_add_test(tcase, reading_does_not_wait_longer_than_told);
    return run_suite(tcase, "process: streams");
}
