/* SPDX-License-Identifier: Apache-2.0 */
/* Pipes, sockets, polling, watching, wake latches. */
#include "support/support.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <wincontainer/error.h>

#include "platform/host.h"
#include "platform/process.h"
#include "platform/thread.h"
#include "platform/wake.h"
#include "platform/watch.h"

static int is_cloexec(wci_fd fd)
{
    return fcntl((int)fd, F_GETFD) & FD_CLOEXEC;
}

/* Both kinds behave the same. */
static void make_ends(int kind, wci_fd *r, wci_fd *w)
{
    test_ok(kind ? wci_pair(r, w, NULL) : wci_pipe(r, w, NULL));
    ck_assert(is_cloexec(*r) && is_cloexec(*w));
}

START_TEST(attempts_never_block)
{
    wci_fd r, w;
    char data[65536];
    size_t n = 99, sent = 0;
    make_ends(_i, &r, &w);
    test_ok(wci_fd_read_some(r, data, sizeof data, &n, NULL));
    ck_assert_uint_eq(n, 0);
    memset(data, 'x', sizeof data);
    do {
        test_ok(wci_fd_write_some(w, data, sizeof data, &n, NULL));
        sent += n;
    } while (n);
    ck_assert_uint_gt(sent, 0);
    while (sent) {
        test_ok(wci_fd_read_some(r, data, sizeof data, &n, NULL));
        ck_assert_uint_gt(n, 0);
        sent -= n;
    }
    wci_fd_close(w);
    test_code(wci_fd_read_some(r, data, sizeof data, &n, NULL), WC_E_CLOSED);
    wci_fd_close(r);
}
END_TEST

static volatile sig_atomic_t sigpipes;

static void count_sigpipe(int sig)
{
    (void)sig;
    sigpipes++;
}

START_TEST(a_gone_reader_raises_no_sigpipe)
{
    wci_fd r, w;
    size_t n;
    char byte = 'x';
    sigset_t before, after, pending;
    signal(SIGPIPE, count_sigpipe);
    make_ends(_i, &r, &w);
    wci_fd_close(r);
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    test_code(wci_fd_write_some(w, &byte, 1, &n, NULL), WC_E_CLOSED);
    test_code(wci_fd_write(w, &byte, 1, NULL), WC_E_CLOSED);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    sigpending(&pending);
    ck_assert_int_eq(sigpipes, 0);
    ck_assert(!sigismember(&pending, SIGPIPE));
    ck_assert_int_eq(sigismember(&before, SIGPIPE), sigismember(&after, SIGPIPE));
    wci_fd_close(w);
}
END_TEST

START_TEST(a_pending_sigpipe_of_the_host_stays)
{
    wci_fd r, w;
    char byte = 'x';
    sigset_t set, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    raise(SIGPIPE);
    make_ends(0, &r, &w);
    wci_fd_close(r);
    test_code(wci_fd_write(w, &byte, 1, NULL), WC_E_CLOSED);
    sigpending(&pending);
    ck_assert(sigismember(&pending, SIGPIPE));
    wci_fd_close(w);
}
END_TEST

START_TEST(poll_tells_which)
{
    WCI_CALL_NONE(call);
    wci_fd r, w;
    int ready = -1;
    make_ends(_i, &r, &w);
    wci_poll_item items[12];
    for (int i = 0; i < 12; i++)
        items[i] = (wci_poll_item){WCI_FD_NONE, WCI_POLL_READ, 0};
    items[10].fd = r;
    int64_t begin = wci_monotonic_ns();
    test_ok(wci_poll(&call, items, 12, 30, &ready, NULL));
    ck_assert_int_eq(ready, 0);
    ck_assert_int_ge(wci_monotonic_ns() - begin, 29000000);
    ck_assert_int_eq(write((int)w, "x", 1), 1);
    test_ok(wci_poll(&call, items, 12, -1, &ready, NULL));
    ck_assert_int_eq(ready, 1);
    ck_assert_int_eq(items[10].got, WCI_POLL_READ);
    wci_fd_close(w);
    char byte;
    ck_assert_int_eq(read((int)r, &byte, 1), 1);
    test_ok(wci_poll(&call, items, 12, -1, &ready, NULL));
    ck_assert(items[10].got & WCI_POLL_HANGUP);
    wci_fd_close(r);
}
END_TEST

START_TEST(reading_to_the_end_is_limited)
{
    WCI_CALL_NONE(call);
    wci_fd r, w;
    wc_buf *buf = NULL;
    make_ends(_i, &r, &w);
    ck_assert_int_eq(write((int)w, "hello", 5), 5);
    wci_fd_close(w);
    test_ok(wci_fd_read_to_end(&call, r, 5, &buf, NULL));
    ck_assert_str_eq(wc_buf_data(buf), "hello");
    wc_buf_unref(buf);
    wci_fd_close(r);
    make_ends(_i, &r, &w);
    ck_assert_int_eq(write((int)w, "hello!", 6), 6);
    buf = NULL;
    test_code(wci_fd_read_to_end(&call, r, 5, &buf, NULL), WC_E_LIMIT);
    ck_assert_ptr_null(buf);
    wci_fd_close(r);
    wci_fd_close(w);
}
END_TEST

START_TEST(half_close_ends_the_reader)
{
    wci_fd a, b;
    size_t n;
    char byte;
    make_ends(1, &a, &b);
    test_ok(wci_fd_shutdown_write(a, NULL));
    test_code(wci_fd_read_some(b, &byte, 1, &n, NULL), WC_E_CLOSED);
    test_ok(wci_fd_write_some(b, "x", 1, &n, NULL));
    test_ok(wci_fd_read_some(a, &byte, 1, &n, NULL));
    ck_assert_uint_eq(n, 1);
    wci_fd_close(a);
    wci_fd_close(b);
}
END_TEST

START_TEST(connects_to_short_and_long_paths)
{
    char *dir = test_make_dir();
    char *deep = test_text("%s/%0100d/%0100d", dir, 1, 2);
    char *path = test_text("%s/%s", _i ? deep : dir, "socket");
    char *old = getcwd(NULL, 0);
    test_ok(wci_dir_make(deep, 0700, NULL));
    int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
    wci_fd fd;
    test_code(wci_local_connect(path, &fd, NULL), WC_E_NOT_FOUND);
    ck_assert_int_eq(chdir(_i ? deep : dir), 0);
    ck_assert_int_eq(bind(server, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(chdir(old), 0);
    test_code(wci_local_connect(path, &fd, NULL), WC_E_NETWORK);
    ck_assert_int_eq(listen(server, 5), 0);
    test_ok(wci_local_connect(path, &fd, NULL));
    ck_assert(is_cloexec(fd));
    ck_assert_int_eq(fcntl((int)fd, F_GETFL) & O_NONBLOCK, 0);
    wci_fd_close(fd);
    close(server);
    free(old);
    free(path);
    free(deep);
    test_remove_dir(dir);
}
END_TEST

START_TEST(watch_sees_each_change)
{
    WCI_CALL_NONE(call);
    char *dir = test_make_dir();
    char *path = test_text("%s/file", dir);
    wci_watch *watch = NULL;
    int ready;
    test_code(wci_watch_new(path, &watch, NULL), WC_E_NOT_FOUND);
    test_write_file(path, "a", 1);
    test_ok(wci_watch_new(path, &watch, NULL));
    ck_assert(is_cloexec(wci_watch_fd(watch)));
    for (int i = 0; i < 3; i++) {
        wci_poll_item item = {wci_watch_fd(watch), WCI_POLL_READ, 0};
        test_ok(wci_poll(&call, &item, 1, 10, &ready, NULL));
        ck_assert_int_eq(ready, 0);
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        ck_assert_int_eq(write(fd, "b", 1), 1);
        close(fd);
        test_ok(wci_poll(&call, &item, 1, 5000, &ready, NULL));
        ck_assert_int_eq(ready, 1);
        wci_watch_clear(watch);
    }
    wci_watch_free(watch);
    wci_watch_free(NULL);
    free(path);
    test_remove_dir(dir);
}
END_TEST

START_TEST(a_latch_stays_set)
{
    WCI_CALL_NONE(call);
    wci_fd wake;
    int ready;
    test_ok(wci_wake_new(&wake, NULL));
    wci_poll_item item = {wake, WCI_POLL_READ, 0};
    test_ok(wci_poll(&call, &item, 1, 0, &ready, NULL));
    ck_assert_int_eq(ready, 0);
    for (int i = 0; i < 3; i++) {
        wci_wake_set(wake);
        test_ok(wci_poll(&call, &item, 1, 0, &ready, NULL));
        ck_assert_int_eq(ready, 1);
    }
    wci_wake_free(wake);
}
END_TEST

START_TEST(the_standard_streams_numbers_are_left_alone)
{
    wci_fd r, w, wake;
    close(0);
    close(2);
    test_ok(wci_pipe(&r, &w, NULL));
    test_ok(wci_wake_new(&wake, NULL));
    ck_assert_int_gt(r, 2);
    ck_assert_int_gt(w, 2);
    ck_assert_int_gt(wake, 2);
    ck_assert(is_cloexec(r));
    ck_assert_int_lt(fcntl(0, F_GETFD), 0);
    wci_fd_close(r);
    wci_fd_close(w);
    wci_wake_free(wake);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("streams");
    TCase *tc = tcase_create("streams");
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, attempts_never_block, 0, 2);
    tcase_add_loop_test(tc, a_gone_reader_raises_no_sigpipe, 0, 2);
    tcase_add_test(tc, a_pending_sigpipe_of_the_host_stays);
    tcase_add_loop_test(tc, poll_tells_which, 0, 2);
    tcase_add_loop_test(tc, reading_to_the_end_is_limited, 0, 2);
    tcase_add_test(tc, half_close_ends_the_reader);
    tcase_add_loop_test(tc, connects_to_short_and_long_paths, 0, 2);
    tcase_add_test(tc, watch_sees_each_change);
    tcase_add_test(tc, a_latch_stays_set);
    tcase_add_test(tc, the_standard_streams_numbers_are_left_alone);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
