/* SPDX-License-Identifier: Apache-2.0 */
/* Monitors that are killed, and what is left on the host when all is over: nothing. */
#include "process_fixture.h"

static const char *const sleeper[] = {"sleep", "1000", NULL};

static pid_t monitor_of(const container *c)
{
    char path[512];
    long pid = 0;
    snprintf(path, sizeof path, "%s/monitor.json", c->request.run_dir);
    json_t *record = json_load_file(path, 0, NULL);
    pid = (long)json_integer_value(json_object_get(record, "monitor"));
    json_decref(record);
    ck_assert_int_gt(pid, 1);
    return (pid_t)pid;
}

static void kill_monitor(container *c)
{
    pid_t pid = monitor_of(c);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    int64_t give_up = now_ms() + 5000;
    while (status_of(c) == WC_STATUS_RUNNING && now_ms() < give_up)
        sleep_ms(2);
}

START_TEST(a_container_without_monitor_is_dead)
{
    container c;
    wc_response response;
    container_new(&c, sleeper, NULL);
    start(&c, 0);
    kill_monitor(&c);
    ck_assert_int_eq(status_of(&c), WC_STATUS_DEAD);
    ck_assert(!is_alive(c.pid)); /* whoever looked has ended it */
    fails(WC_E_STATE, send_signal(&c, SIGTERM));
    ok(operate(&c, WCI_OP_CONTAINER_WAIT, &response));
    ck_assert_int_eq(response.status, WC_STATUS_DEAD);
    container_remove(&c);
}
END_TEST

START_TEST(it_can_be_started_again)
{
    container c;
    container_new(&c, sleeper, NULL);
    start(&c, 0);
    kill_monitor(&c);
    int64_t before = c.pid;
    start(&c, 0);
    ck_assert_int_ne(c.pid, before);
    ck_assert(!is_alive(before));
    ck_assert_int_eq(status_of(&c), WC_STATUS_RUNNING);
    container_remove(&c);
}
END_TEST

START_TEST(its_reader_is_told)
{
    container c;
    wci_str out = WCI_STR_INIT, errors = WCI_STR_INIT;
    container_new(&c, sleeper, NULL);
    start(&c, WC_ATTACH_STDOUT);
    kill_monitor(&c);
    ck_assert_int_eq(read_all(&c, &out, &errors), WC_E_IO);
    container_remove(&c);
}
END_TEST

START_TEST(volatile_overlays_can_be_mounted_again)
{
    container c;
    container_new(&c, sleeper, NULL);
    set_int(&c, "auto-remove", 1);
    start(&c, 0);
    kill_monitor(&c);
    start(&c, 0);
    ck_assert_int_eq(status_of(&c), WC_STATUS_RUNNING);
    container_remove(&c);
}
END_TEST

START_TEST(half_a_log_line_is_mended)
{
    container c;
    char path[512], text[100];
    wc_response response;
    const char *args[] = {"echo", "whole", NULL};
    container_new(&c, args, NULL);
    start(&c, 0);
    ck_assert_int_eq(wait_exit(&c), 0);
    snprintf(path, sizeof path, "%s/log/00000001.log", c.request.state_dir);
    int fd = open(path, O_WRONLY | O_APPEND);
    ck_assert_int_eq(write(fd, "2026-01-01T00:00:00.0", 21), 21);
    close(fd);
    start(&c, 0);
    ck_assert_int_eq(wait_exit(&c), 0);
    ok(operate(&c, WCI_OP_LOGS_OPEN, &response));
    uintptr_t logs = response.handle;
    int lines = 0;
    for (;;) {
        wci_response_init(&response);
        if (wci_backend_logs_next(backend, &call, logs, &response, 0, &error))
            break;
        snprintf(text, sizeof text, "%s", wc_buf_data(response.line));
        ck_assert_str_eq(text, "whole\n");
        lines++;
        wci_response_free(&response);
    }
    wci_err_clear(&error);
    ck_assert_int_eq(lines, 2);
    wci_backend_logs_release(backend, logs);
    container_remove(&c);
}
END_TEST

START_TEST(a_full_process_tree_is_killed)
{
    container c;
    wci_str out = WCI_STR_INIT;
    const char *args[] = {"sh", "-c", "for i in 1 2 3 4 5; do sleep 1000 & done; echo ready; wait",
                          NULL};
    container_new(&c, args, NULL);
    start(&c, WC_ATTACH_STDOUT);
    read_until(&c, &out, "ready");
    kill_monitor(&c);
    wci_str_free(&out);
    container_remove(&c);
}
END_TEST

START_TEST(the_host_sees_no_mounts)
{
    container c;
    char command[300];
    container_new(&c, sleeper, NULL);
    start(&c, 0);
    snprintf(command, sizeof command, "grep -q %s /proc/self/mountinfo", base);
    ck_assert_int_ne(system(command), 0);
    container_remove(&c);
}
END_TEST

START_TEST(mounts_of_the_host_still_arrive)
{
    container c;
    char command[1200], directory[200];
    wci_str out = WCI_STR_INIT;
    snprintf(directory, sizeof directory, "%s/shared", base);
    snprintf(command, sizeof command, "mkdir %s && mount -t tmpfs x %s && mount --make-shared %s && "
                                      "mkdir %s/later", directory, directory, directory, directory);
    ck_assert_int_eq(system(command), 0);
    const char *args[] = {"sh", "-c", "echo ready; while [ ! -e /mnt/later/file ]; do sleep 0.01; "
                                      "done; echo arrived", NULL};
    snprintf(command, sizeof command,
             "{\"mounts\":[{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
             "{\"destination\":\"/mnt\",\"type\":\"bind\",\"source\":\"%s\","
             "\"options\":[\"rbind\",\"rslave\"]}]}", directory);
    container_new(&c, args, command);
    start(&c, WC_ATTACH_STDOUT);
    read_until(&c, &out, "ready");
    snprintf(command, sizeof command, "mount -t tmpfs x %s/later && touch %s/later/file", directory,
             directory);
    ck_assert_int_eq(system(command), 0);
    read_until(&c, &out, "arrived");
    container_remove(&c);
    snprintf(command, sizeof command, "umount %s/later && umount %s", directory, directory);
    ck_assert_int_eq(system(command), 0);
    wci_str_free(&out);
}
END_TEST

START_TEST(twenty_rounds_leave_nothing)
{
    char command[800];
    for (int i = 0; i < 20; i++) {
        container c;
        container_new(&c, sleeper, NULL);
        start(&c, i % 2 ? WC_ATTACH_STDOUT : 0);
        if (i % 3 == 0)
            kill_monitor(&c);
        container_remove(&c);
    }
    snprintf(command, sizeof command, "! grep -ls %s /proc/[0-9]*/mountinfo", base);
    ck_assert_int_eq(system(command), 0);
    snprintf(command, sizeof command, "test -z \"$(ls -A "
                                      "%s/runtime)$(ls -A %s/containers)\"",
             run_root, run_root);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("remains");
    tcase_add_test(tcase, a_container_without_monitor_is_dead);
    tcase_add_test(tcase, it_can_be_started_again);
    tcase_add_test(tcase, its_reader_is_told);
    tcase_add_test(tcase, volatile_overlays_can_be_mounted_again);
    tcase_add_test(tcase, half_a_log_line_is_mended);
    tcase_add_test(tcase, a_full_process_tree_is_killed);
    tcase_add_test(tcase, the_host_sees_no_mounts);
    tcase_add_test(tcase, mounts_of_the_host_still_arrive);
    tcase_add_test(tcase, twenty_rounds_leave_nothing);
    return run_suite(tcase, "process: remains");
}
