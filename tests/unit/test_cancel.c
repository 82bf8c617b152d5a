/* SPDX-License-Identifier: Apache-2.0 */
#include "support/support.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include <wincontainer/error.h>

#include "core/call.h"
#include "core/cancel.h"
#include "platform/host.h"
#include "platform/process.h"
#include "platform/thread.h"

static int is_readable(intptr_t fd)
{
    struct pollfd p = {(int)fd, POLLIN, 0};
    return poll(&p, 1, 0) == 1;
}

static void trigger_soon(void *cancel)
{
    usleep(50000);
    wc_cancel_trigger(cancel);
}

START_TEST(trigger_stays)
{
    wc_cancel *cancel;
    test_ok(wc_cancel_new(&cancel, NULL));
    WCI_CALL_NONE(call);
    call.cancel = cancel;
    ck_assert_int_eq(wc_cancel_triggered(cancel), 0);
    ck_assert(!is_readable(wci_cancel_fd(cancel)));
    test_ok(wci_call_check(&call, NULL));
    for (int i = 0; i < 3; i++) {
        wc_cancel_trigger(cancel);
        ck_assert_int_eq(wc_cancel_triggered(cancel), 1);
        ck_assert(is_readable(wci_cancel_fd(cancel)));
        test_code(wci_call_check(&call, NULL), WC_E_CANCELLED);
    }
    wc_cancel_unref(cancel);
}
END_TEST

START_TEST(null_is_never_triggered)
{
    WCI_CALL_NONE(call);
    wc_cancel_trigger(NULL);
    wc_cancel_set_timeout(NULL, 0);
    wc_cancel_unref(wc_cancel_ref(NULL));
    ck_assert_int_eq(wc_cancel_triggered(NULL), 0);
    test_ok(wci_call_check(&call, NULL));
    ck_assert_int_eq(wci_call_timeout_ms(&call, -1), -1);
    ck_assert_int_eq(wci_call_timeout_ms(&call, INT64_MAX), INT32_MAX);
    test_code(wc_cancel_new(NULL, NULL), WC_E_INVALID);
}
END_TEST

START_TEST(another_thread_wakes_every_wait)
{
    wc_cancel *cancel;
    wci_thread *thread;
    test_ok(wc_cancel_new(&cancel, NULL));
    WCI_CALL_NONE(call);
    call.cancel = cancel;
    test_ok(wci_thread_start(&thread, trigger_soon, cancel, NULL));
    int64_t begin = wci_monotonic_ns();
    test_code(wci_call_sleep_ms(&call, 20000, NULL), WC_E_CANCELLED);
    ck_assert_int_lt(wci_monotonic_ns() - begin, 10000000000);
    wci_thread_join(thread);

    wci_fd r, w;
    wc_buf *buf;
    test_ok(wci_pipe(&r, &w, NULL));
    test_code(wci_fd_read_to_end(&call, r, 100, &buf, NULL), WC_E_CANCELLED);
    wci_fd_close(r);
    wci_fd_close(w);
    wc_cancel_unref(cancel);
}
END_TEST

START_TEST(deadline_is_a_timeout)
{
    wc_cancel *cancel;
    test_ok(wc_cancel_new(&cancel, NULL));
    WCI_CALL_NONE(call);
    call.cancel = cancel;
    wc_cancel_set_timeout(cancel, 30000000);
    int32_t ms = wci_call_timeout_ms(&call, -1);
    ck_assert(ms > 0 && ms <= 31);
    ck_assert_int_eq(wci_call_timeout_ms(&call, 1), 1);
    int64_t begin = wci_monotonic_ns();
    test_code(wci_call_sleep_ms(&call, 20000, NULL), WC_E_TIMEOUT);
    ck_assert_int_ge(wci_monotonic_ns() - begin, 25000000);
    wc_cancel_set_timeout(cancel, -1);
    test_ok(wci_call_check(&call, NULL));
    wc_cancel_set_timeout(cancel, INT64_MAX);
    test_ok(wci_call_check(&call, NULL));
    wc_cancel_set_timeout(cancel, 0);
    test_code(wci_call_check(&call, NULL), WC_E_TIMEOUT);
    wc_cancel_trigger(cancel);
    test_code(wci_call_check(&call, NULL), WC_E_CANCELLED);
    wc_cancel_unref(cancel);
}
END_TEST

static wc_cancel *from_handler;

static void on_alarm(int sig)
{
    (void)sig;
    wc_cancel_trigger(from_handler);
}

START_TEST(a_signal_handler_may_trigger)
{
    test_ok(wc_cancel_new(&from_handler, NULL));
    WCI_CALL_NONE(call);
    call.cancel = from_handler;
    signal(SIGALRM, on_alarm);
    alarm(1);
    test_code(wci_call_sleep_ms(&call, 20000, NULL), WC_E_CANCELLED);
    wc_cancel_unref(from_handler);
}
END_TEST

START_TEST(a_forked_child_does_not_wake_the_parent)
{
    wc_cancel *cancel;
    test_ok(wc_cancel_new(&cancel, NULL));
    pid_t pid = fork();
    if (pid == 0) {
        wc_cancel_trigger(cancel);
        _exit(wc_cancel_triggered(cancel) == 1 ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    ck_assert(!is_readable(wci_cancel_fd(cancel)));
    ck_assert_int_eq(wc_cancel_triggered(cancel), 0);
    wc_cancel_unref(cancel);
}
END_TEST

static int32_t look(const wc_progress *p, uintptr_t payload)
{
    int *seen = (int *)payload;
    ck_assert_int_eq(wc_progress_kind(p), WC_PROGRESS_DOWNLOAD);
    ck_assert_str_eq(wc_progress_id(p), "sha256:x");
    ck_assert_str_eq(wc_progress_message(p), "");
    ck_assert_int_eq(wc_progress_current(p), 5);
    ck_assert_int_eq(wc_progress_total(p), -1);
    return ++*seen == 2;
}

START_TEST(progress_reaches_the_callback_which_may_cancel)
{
    int seen = 0;
    WCI_CALL_NONE(call);
    test_ok(wci_call_report(&call, WC_PROGRESS_DOWNLOAD, "sha256:x", 5, -1, NULL, NULL));
    call.progress = look;
    call.progress_payload = (uintptr_t)&seen;
    test_ok(wci_call_report(&call, WC_PROGRESS_DOWNLOAD, "sha256:x", 5, -1, NULL, NULL));
    test_code(wci_call_report(&call, WC_PROGRESS_DOWNLOAD, "sha256:x", 5, -1, NULL, NULL),
              WC_E_CANCELLED);
    ck_assert_int_eq(seen, 2);
}
END_TEST

static void note_mask(void *arg)
{
    pthread_sigmask(SIG_BLOCK, NULL, arg);
}

START_TEST(threads_block_every_signal)
{
    sigset_t inside, before, after;
    wci_thread *thread;
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    test_ok(wci_thread_start(&thread, note_mask, &inside, NULL));
    wci_thread_join(thread);
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    for (int sig = 1; sig < 32; sig++) {
        if (sig != SIGKILL && sig != SIGSTOP)
            ck_assert_msg(sigismember(&inside, sig), "signal %d", sig);
        ck_assert_int_eq(sigismember(&before, sig), sigismember(&after, sig));
    }
    ck_assert_int_ge(wci_cpu_count(), 1);
}
END_TEST

START_TEST(condition_wait_ends_in_time)
{
    wci_mutex m;
    wci_cond c;
    wci_mutex_init(&m);
    wci_cond_init(&c);
    wci_mutex_lock(&m);
    int64_t begin = wci_monotonic_ns();
    while (wci_cond_wait_ms(&c, &m, 30))
        ;
    ck_assert_int_ge(wci_monotonic_ns() - begin, 29000000);
    wci_mutex_unlock(&m);
    wci_cond_destroy(&c);
    wci_mutex_destroy(&m);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cancel");
    TCase *tc = tcase_create("cancel");
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, trigger_stays);
    tcase_add_test(tc, null_is_never_triggered);
    tcase_add_test(tc, another_thread_wakes_every_wait);
    tcase_add_test(tc, deadline_is_a_timeout);
    tcase_add_test(tc, a_signal_handler_may_trigger);
    tcase_add_test(tc, a_forked_child_does_not_wake_the_parent);
    tcase_add_test(tc, progress_reaches_the_callback_which_may_cancel);
    tcase_add_test(tc, threads_block_every_signal);
    tcase_add_test(tc, condition_wait_ends_in_time);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
