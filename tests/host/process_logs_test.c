/* SPDX-License-Identifier: Apache-2.0 */
/* The log that a monitor writes, and reading it: whole lines over rotated files, tail, times,
 * following. */
#include "process_fixture.h"

#include <dirent.h>

static uintptr_t open_logs(container *c)
{
    wc_response response;
    ok(operate(c, WCI_OP_LOGS_OPEN, &response));
    ck_assert(response.has_handle);
    return response.handle;
}

/* The next line's text into `text`; the result of the call. */
static int32_t next_line(uintptr_t logs, char *text, size_t size, int32_t *channel, int64_t *time,
                         int64_t timeout_ns)
{
    wc_response response;
    wci_response_init(&response);
    int32_t rc = wci_backend_logs_next(backend, &call, logs, &response, timeout_ns, &error);
    if (rc) {
        wci_err_clear(&error);
    } else {
        snprintf(text, size, "%s", wc_buf_data(response.line));
        *channel = response.channel;
        *time = response.time_ns;
    }
    wci_response_free(&response);
    return rc;
}

static void run_to_end(container *c, const char *script, int64_t max_bytes, int64_t max_files)
{
    const char *args[] = {"sh", "-c", script, NULL};
    container_new(c, args, NULL);
    set_int(c, "log-max-bytes", max_bytes);
    set_int(c, "log-max-files", max_files);
    start(c, 0);
    ck_assert_int_eq(wait_exit(c), 0);
}

START_TEST(gives_lines_with_channel_and_time)
{
    container c;
    char text[100];
    int32_t channel;
    int64_t time = 0, begin = wci_now_ns();
    run_to_end(&c, "sleep 0.5; echo one; sleep 0.1; echo two >&2; sleep 0.1; printf three", 0, 1);
    uintptr_t logs = open_logs(&c);
    ok(next_line(logs, text, sizeof text, &channel, &time, 0));
    ck_assert_str_eq(text, "one\n");
    ck_assert_int_eq(channel, WC_STREAM_STDOUT);
    ck_assert_int_ge(time, begin);
    ck_assert_int_le(time, wci_now_ns());
    ok(next_line(logs, text, sizeof text, &channel, &time, 0));
    ck_assert_str_eq(text, "two\n");
    ck_assert_int_eq(channel, WC_STREAM_STDERR);
    ok(next_line(logs, text, sizeof text, &channel, &time, 0));
    ck_assert_str_eq(text, "three");
    ck_assert_int_eq(next_line(logs, text, sizeof text, &channel, &time, 0), WC_E_CLOSED);
    wci_backend_logs_release(backend, logs);
    container_remove(&c);
}
END_TEST

START_TEST(nothing_to_read_is_the_end)
{
    container c;
    char text[100];
    int32_t channel;
    int64_t time;
    const char *args[] = {"true", NULL};
    container_new(&c, args, NULL);
    uintptr_t logs = open_logs(&c); /* never started */
    ck_assert_int_eq(next_line(logs, text, sizeof text, &channel, &time, -1), WC_E_CLOSED);
    wci_backend_logs_release(backend, logs);
    container_remove(&c);
}
END_TEST

/* Every file holds whole entries, none is above its size, no more are kept than asked. */
static void check_files(container *c, off_t max_bytes, int max_files)
{
    char dir[512], path[800];
    snprintf(dir, sizeof dir, "%s/log", c->request.state_dir);
    DIR *d = opendir(dir);
    struct dirent *e;
    int files = 0;
    ck_assert_ptr_nonnull(d);
    while ((e = readdir(d))) {
        struct stat st;
        char line[400];
        if (e->d_name[0] == '.')
            continue;
        files++;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        ck_assert_int_eq(stat(path, &st), 0);
        ck_assert_int_le(st.st_size, max_bytes);
        FILE *f = fopen(path, "r");
        while (fgets(line, sizeof line, f)) {
            ck_assert_msg(line[strlen(line) - 1] == '\n' && line[10] == 'T' && line[29] == 'Z' &&
                              strncmp(line + 30, " stdout ", 8) == 0,
                          "%s: %s", e->d_name, line);
        }
        fclose(f);
    }
    closedir(d);
    ck_assert_int_ge(files, 2);
    ck_assert_int_le(files, max_files);
}

START_TEST(rotates_without_torn_lines)
{
    container c;
    char text[100];
    int32_t channel;
    int64_t time;
    run_to_end(&c, "seq 1 50000", 200000, 3);
    check_files(&c, 200000, 3);
    uintptr_t logs = open_logs(&c);
    ok(next_line(logs, text, sizeof text, &channel, &time, 0));
    long expected = atol(text), count = 1;
    char whole[100] = "";
    ck_assert_int_gt(expected, 1); /* the oldest are gone */
    while (next_line(logs, text, sizeof text, &channel, &time, 0) == WC_OK) {
        strcat(whole, text); /* a line may come in pieces */
        if (!strchr(text, '\n'))
            continue;
        ck_assert_int_eq(atol(whole), ++expected);
        whole[0] = '\0';
        count++;
    }
    ck_assert_int_eq(expected, 50000);
    ck_assert_int_gt(count, 2000);
    wci_backend_logs_release(backend, logs);
    container_remove(&c);
}
END_TEST

START_TEST(long_lines_come_whole)
{
    container c;
    static char text[70000];
    size_t total = 0;
    int32_t channel;
    int64_t time;
    run_to_end(&c, "head -c 100000 /dev/zero | busybox tr '\\0' x; echo; echo end", 0, 1);
    uintptr_t logs = open_logs(&c);
    while (next_line(logs, text, sizeof text, &channel, &time, 0) == WC_OK) {
        if (strcmp(text, "end\n") == 0)
            break;
        total += strlen(text);
    }
    ck_assert_uint_eq(total, 100001);
    ck_assert_str_eq(text, "end\n");
    wci_backend_logs_release(backend, logs);
    container_remove(&c);
}
END_TEST

START_TEST(tail_gives_the_last_lines)
{
    static const int tails[] = {0, 1, 2, 100, 4999, 5000, 6000};
    container c;
    run_to_end(&c, "seq 1 5000", 100000, 100);
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        char text[100], whole[200] = "";
        int32_t channel;
        int64_t time;
        long first = 0, count = 0;
        set_int(&c, "tail", tails[i]);
        uintptr_t logs = open_logs(&c);
        while (next_line(logs, text, sizeof text, &channel, &time, 0) == WC_OK) {
            strcat(whole, text);
            if (!strchr(text, '\n'))
                continue;
            if (!count++)
                first = atol(whole);
            whole[0] = '\0';
        }
        long expected = tails[i] < 5000 ? tails[i] : 5000;
        ck_assert_int_eq(count, expected);
        if (expected)
            ck_assert_int_eq(first, 5001 - expected);
        wci_backend_logs_release(backend, logs);
    }
    container_remove(&c);
}
END_TEST

START_TEST(since_and_until_bound_it)
{
    container c;
    char text[100];
    int32_t channel;
    int64_t time = 0, times[3];
    run_to_end(&c, "sleep 0.5; echo a; sleep 0.1; echo b; sleep 0.1; echo c", 0, 1);
    uintptr_t logs = open_logs(&c);
    for (int i = 0; i < 3; i++)
        ok(next_line(logs, text, sizeof text, &channel, &times[i], 0));
    wci_backend_logs_release(backend, logs);
    set_int(&c, "since", times[1]);
    set_int(&c, "until", times[2] - 1);
    logs = open_logs(&c);
    ok(next_line(logs, text, sizeof text, &channel, &time, 0));
    ck_assert_str_eq(text, "b\n");
    ck_assert_int_eq(next_line(logs, text, sizeof text, &channel, &time, 0), WC_E_CLOSED);
    wci_backend_logs_release(backend, logs);
    container_remove(&c);
}
END_TEST

/* A clock that is set back neither hides lines after `since` nor opens the log again after `until`. */
START_TEST(bounds_hold_when_the_clock_goes_back)
{
    static const struct {
        int second;
        const char *text;
    } lines[] = {{5, "a"}, {10, "b"}, {6, "c"}, {20, "d"}, {11, "e"}};
    container c;
    char path[512], text[100];
    int32_t channel;
    int64_t time = 0, noon = 0;
    const char *args[] = {"true", NULL};
    container_new(&c, args, NULL);
    snprintf(path, sizeof path, "%s/log", c.request.state_dir);
    ck_assert_int_eq(mkdir(path, 0750), 0);
    strcat(path, "/00000001.log");
    FILE *f = fopen(path, "w");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        fprintf(f, "2026-01-02T12:00:%02d.000000000Z stdout F %s\n", lines[i].second, lines[i].text);
    ck_assert_int_eq(fclose(f), 0);
    ok(wci_time_parse("2026-01-02T12:00:00Z", &noon, &error));
    set_int(&c, "since", noon + 10 * 1000000000ll);
    set_int(&c, "until", noon + 15 * 1000000000ll);
    set_int(&c, "follow", 1);
    uintptr_t logs = open_logs(&c);
    ok(next_line(logs, text, sizeof text, &channel, &time, 0));
    ck_assert_str_eq(text, "b\n");
    ok(next_line(logs, text, sizeof text, &channel, &time, 0));
    ck_assert_str_eq(text, "c\n");
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(next_line(logs, text, sizeof text, &channel, &time, -1), WC_E_CLOSED);
    wci_backend_logs_release(backend, logs);
    container_remove(&c);
}
END_TEST

START_TEST(follows_until_the_end)
{
    container c;
    char text[100], whole[200] = "";
    int32_t channel;
    int64_t time;
    long expected = 0;
    const char *args[] = {"sh", "-c", "for i in $(seq 1 300); do echo $i; [ $((i % 50)) = 0 ] && "
                                      "sleep 0.1; done; exit 0", NULL};
    container_new(&c, args, NULL);
    set_int(&c, "log-max-bytes", 2000);
    set_int(&c, "log-max-files", 1000);
    set_int(&c, "follow", 1);
    start(&c, 0);
    uintptr_t logs = open_logs(&c);
    ok(next_line(logs, text, sizeof text, &channel, &time, 5000000000));
    ck_assert_str_eq(text, "1\n");
    expected = 1;
    while (next_line(logs, text, sizeof text, &channel, &time, 5000000000) == WC_OK) {
        strcat(whole, text);
        if (!strchr(text, '\n'))
            continue;
        ck_assert_int_eq(atol(whole), ++expected);
        whole[0] = '\0';
    }
    ck_assert_int_eq(expected, 300);
    wci_backend_logs_release(backend, logs);
    ck_assert_int_eq(wait_exit(&c), 0);
    container_remove(&c);
}
END_TEST

START_TEST(a_follower_waits_as_told)
{
    container c;
    char text[100];
    int32_t channel;
    int64_t time;
    const char *args[] = {"sleep", "1000", NULL};
    container_new(&c, args, NULL);
    set_int(&c, "follow", 1);
    start(&c, 0);
    uintptr_t logs = open_logs(&c);
    int64_t begin = now_ms();
    ck_assert_int_eq(next_line(logs, text, sizeof text, &channel, &time, 250000000), WC_E_TIMEOUT);
    ck_assert_int_ge(now_ms() - begin, 249);
    ck_assert_int_lt(now_ms() - begin, 3000);
    wci_backend_logs_release(backend, logs);
    container_remove(&c);
}
END_TEST

START_TEST(a_second_run_goes_on_in_the_same_log)
{
    container c;
    char text[100];
    int32_t channel;
    int64_t time;
    run_to_end(&c, "echo run", 0, 1);
    start(&c, 0);
    ck_assert_int_eq(wait_exit(&c), 0);
    uintptr_t logs = open_logs(&c);
    for (int i = 0; i < 2; i++) {
        ok(next_line(logs, text, sizeof text, &channel, &time, 0));
        ck_assert_str_eq(text, "run\n");
    }
    ck_assert_int_eq(next_line(logs, text, sizeof text, &channel, &time, 0), WC_E_CLOSED);
    wci_backend_logs_release(backend, logs);
    container_remove(&c);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("logs");
    tcase_add_test(tcase, gives_lines_with_channel_and_time);
    tcase_add_test(tcase, nothing_to_read_is_the_end);
    tcase_add_test(tcase, rotates_without_torn_lines);
    tcase_add_test(tcase, long_lines_come_whole);
    tcase_add_test(tcase, tail_gives_the_last_lines);
    tcase_add_test(tcase, since_and_until_bound_it);
    tcase_add_test(tcase, bounds_hold_when_the_clock_goes_back);
    tcase_add_test(tcase, follows_until_the_end);
    tcase_add_test(tcase, a_follower_waits_as_told);
    tcase_add_test(tcase, a_second_run_goes_on_in_the_same_log);
    return run_suite(tcase, "process: logs");
}
