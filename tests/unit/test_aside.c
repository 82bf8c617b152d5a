/* SPDX-License-Identifier: Apache-2.0 */
/* The thread aside: its descriptors are its own, its caller's thread does what is to come back, no signal
 * finds it. And what keeps a process usable that was forked or has no standard streams. */
#include "support/support.h"

#include <pthread.h>
#include <signal.h>

#include <wincontainer/error.h>

#include "platform/aside.h"
#include "platform/process.h"
#include "platform/thread.h"

typedef struct work {
    wci_aside *aside;
    wci_fd ends[2];
    int opened; /* a descriptor of the thread aside */
    int reached_kept, reached_other;
    pthread_t ran_on, came_back_on;
    sigset_t mask;
    int count;
} work;

static void open_one(void *arg)
{
    work *w = arg;
    w->ran_on = pthread_self();
    pthread_sigmask(SIG_SETMASK, NULL, &w->mask);
    w->opened = fcntl((int)w->ends[0], F_DUPFD, 200); /* inheritable on purpose */
    w->reached_kept = fcntl((int)w->ends[0], F_GETFD) >= 0;
    w->reached_other = fcntl((int)w->ends[1], F_GETFD) >= 0;
}

static void begin(work *w)
{
    memset(w, 0, sizeof *w);
    test_ok(wci_pipe(&w->ends[0], &w->ends[1], NULL));
    test_ok(wci_aside_new(w->ends[0], &w->aside, NULL));
}

static void end(work *w)
{
    wci_aside_free(w->aside);
    wci_fd_close(w->ends[0]);
    wci_fd_close(w->ends[1]);
}

#ifndef __SANITIZE_THREAD__
START_TEST(has_descriptors_of_its_own)
{
    work w;
    begin(&w);
    wci_aside_run(w.aside, open_one, &w);
    ck_assert_int_ge(w.opened, 200);
    ck_assert_int_eq(w.reached_kept, 1);
    ck_assert_int_eq(w.reached_other, 0);
    ck_assert_int_lt(fcntl(w.opened, F_GETFD), 0);
    /* What it has of the kept one goes with it: the pipe breaks when we close ours. */
    wci_aside_free(w.aside);
    wci_fd_close(w.ends[0]);
    signal(SIGPIPE, SIG_IGN);
    ck_assert_int_lt(write((int)w.ends[1], "x", 1), 0);
    ck_assert_int_eq(errno, EPIPE);
    wci_fd_close(w.ends[1]);
}
END_TEST

START_TEST(keeps_nothing_open)
{
    work w = {0};
    test_ok(wci_pipe(&w.ends[0], &w.ends[1], NULL));
    test_ok(wci_aside_new(WCI_FD_NONE, &w.aside, NULL));
    wci_aside_run(w.aside, open_one, &w);
    ck_assert_int_eq(w.reached_kept, 0);
    wci_fd_close(w.ends[0]); /* it has no copy that would keep the pipe whole */
    signal(SIGPIPE, SIG_IGN);
    ck_assert_int_lt(write((int)w.ends[1], "x", 1), 0);
    wci_fd_close(w.ends[1]);
    wci_aside_free(w.aside);
}
END_TEST
#endif

static void come_back(void *arg)
{
    work *w = arg;
    w->came_back_on = pthread_self();
    w->count++;
}

static void call_back(void *arg)
{
    work *w = arg;
    w->ran_on = pthread_self();
    for (int i = 0; i < 1000; i++)
        wci_aside_back(w->aside, come_back, w);
}

START_TEST(comes_back_to_who_waits)
{
    work w;
    begin(&w);
    for (int i = 0; i < 10; i++)
        wci_aside_run(w.aside, call_back, &w);
    ck_assert_int_eq(w.count, 10000);
    ck_assert(pthread_equal(w.came_back_on, pthread_self()));
    ck_assert(!pthread_equal(w.ran_on, pthread_self()));
    end(&w);
}
END_TEST

START_TEST(takes_no_signals)
{
    work w;
    begin(&w);
    wci_aside_run(w.aside, open_one, &w);
    for (int sig = 1; sig < 32; sig++)
        if (sig != SIGKILL && sig != SIGSTOP)
            ck_assert_int_eq(sigismember(&w.mask, sig), 1);
    end(&w);
}
END_TEST

/* ---- Standard streams ---------------------------------------------------------------------------- */

START_TEST(fills_what_is_free_and_gives_it_back)
{
    close(1);
    int filled = wci_stdio_fill();
    ck_assert_int_eq(filled, 1 << 1);
    ck_assert_int_eq(fcntl(1, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(wci_stdio_fill(), 0);
    wci_stdio_release(filled);
    ck_assert_int_lt(fcntl(1, F_GETFD), 0);
    ck_assert_int_ge(fcntl(2, F_GETFD), 0);
}
END_TEST

/* ---- Locks and forks ------------------------------------------------------------------------------ */

static wci_global_mutex mutex;

static void *hold(void *arg)
{
    wci_global_lock(&mutex);
    test_ok(wci_fd_write(*(wci_fd *)arg, "x", 1, NULL));
    pause();
    return NULL;
}

START_TEST(a_child_does_not_wait_for_a_thread_that_it_has_not)
{
    wci_fd ends[2];
    pthread_t thread;
    char c;
    size_t got = 0;
    int status = 0;
    test_ok(wci_pipe(&ends[0], &ends[1], NULL));
    ck_assert_int_eq(pthread_create(&thread, NULL, hold, &ends[1]), 0);
    test_ok(wci_fd_read(ends[0], &c, 1, &got, NULL));
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        alarm(20);
        for (int i = 0; i < 3; i++) {
            wci_global_lock(&mutex);
            wci_global_unlock(&mutex);
        }
        _exit(0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("aside");
    TCase *tc = tcase_create("all");
#ifndef __SANITIZE_THREAD__ /* for which the table is shared */
    tcase_add_test(tc, has_descriptors_of_its_own);
    tcase_add_test(tc, keeps_nothing_open);
#endif
    tcase_add_test(tc, comes_back_to_who_waits);
    tcase_add_test(tc, takes_no_signals);
    tcase_add_test(tc, fills_what_is_free_and_gives_it_back);
    tcase_add_test(tc, a_child_does_not_wait_for_a_thread_that_it_has_not);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
