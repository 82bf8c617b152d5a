/* SPDX-License-Identifier: Apache-2.0 */
/* Locks between openings, threads and processes, and the fork guard. */
#include "support/support.h"

#include <signal.h>
#include <sys/syscall.h>

#include <wincontainer/error.h>

#include "platform/file.h"
#include "platform/host.h"
#include "platform/process.h"
#include "platform/thread.h"

static char *dir, *path;

static void setup(void)
{
    dir = test_make_dir();
    path = test_text("%s/lock", dir);
}

static void teardown(void)
{
    free(path);
    test_remove_dir(dir);
}

static wci_lock *take(int mode)
{
    wci_lock *lock = NULL;
    test_ok(wci_lock_try(path, mode, &lock, NULL));
    return lock;
}

static int32_t try_now(int mode)
{
    wci_lock *lock = NULL;
    int32_t rc = wci_lock_try(path, mode, &lock, NULL);
    wci_lock_release(lock);
    return rc;
}

START_TEST(modes_conflict_as_they_should)
{
    wci_lock *a = take(WCI_LOCK_SHARED);
    test_ok(try_now(WCI_LOCK_SHARED));
    test_code(try_now(WCI_LOCK_EXCLUSIVE), WC_E_BUSY);
    ck_assert_int_eq(wci_lock_is_held(path), 0);
    wci_lock_release(a);
    a = take(WCI_LOCK_EXCLUSIVE);
    test_code(try_now(WCI_LOCK_SHARED), WC_E_BUSY);
    test_code(try_now(WCI_LOCK_EXCLUSIVE), WC_E_BUSY);
    ck_assert_int_eq(wci_lock_is_held(path), 1);
    wci_lock_release(a);
    ck_assert_int_eq(wci_lock_is_held(path), 0);
    test_ok(try_now(WCI_LOCK_EXCLUSIVE));
    wci_lock_release(NULL);
}
END_TEST

START_TEST(absent_is_free)
{
    ck_assert_int_eq(wci_lock_is_held(path), 0);
    ck_assert(!wci_file_exists(path));
    char *nowhere = test_text("%s/no/lock", dir);
    wci_lock *lock = NULL;
    test_code(wci_lock_try(nowhere, WCI_LOCK_SHARED, &lock, NULL), WC_E_NOT_FOUND);
    free(nowhere);
    ck_assert_int_eq(symlink("target", path), 0);
    ck_assert_int_ne(wci_lock_try(path, WCI_LOCK_SHARED, &lock, NULL), WC_OK);
}
END_TEST

static void release_soon(void *lock)
{
    usleep(60000);
    wci_lock_release(lock);
}

START_TEST(waits_for_another_thread)
{
    WCI_CALL_NONE(call);
    wci_lock *lock;
    wci_thread *thread;
    test_ok(wci_thread_start(&thread, release_soon, take(WCI_LOCK_EXCLUSIVE), NULL));
    int64_t begin = wci_monotonic_ns();
    test_ok(wci_lock_acquire(&call, path, WCI_LOCK_EXCLUSIVE, &lock, NULL));
    ck_assert_int_ge(wci_monotonic_ns() - begin, 30000000);
    wci_lock_release(lock);
    wci_thread_join(thread);
}
END_TEST

START_TEST(waiting_can_be_cancelled)
{
    wc_cancel *cancel;
    test_ok(wc_cancel_new(&cancel, NULL));
    wc_cancel_set_timeout(cancel, 50000000);
    WCI_CALL_NONE(call);
    call.cancel = cancel;
    wci_lock *held = take(WCI_LOCK_EXCLUSIVE), *lock = NULL;
    test_code(wci_lock_acquire(&call, path, WCI_LOCK_EXCLUSIVE, &lock, NULL), WC_E_TIMEOUT);
    ck_assert_ptr_null(lock);
    wci_lock_release(held);
    wc_cancel_unref(cancel);
}
END_TEST

START_TEST(a_killed_process_lets_go)
{
    int ready[2];
    char byte;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        wci_lock *lock;
        int rc = wci_lock_try(path, WCI_LOCK_EXCLUSIVE, &lock, NULL);
        if (rc == 0 && write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    close(ready[1]);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    test_code(try_now(WCI_LOCK_EXCLUSIVE), WC_E_BUSY);
    ck_assert_int_eq(wci_lock_is_held(path), 1);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    ck_assert_int_eq(wci_lock_is_held(path), 0);
    test_ok(try_now(WCI_LOCK_EXCLUSIVE));
    close(ready[0]);
}
END_TEST

START_TEST(a_removed_file_is_not_locked_by_mistake)
{
    wci_lock *first = take(WCI_LOCK_EXCLUSIVE);
    wci_lock_release_remove(first);
    ck_assert(!wci_file_exists(path));
    /* Shared with somebody, it is left to them. */
    wci_lock *a = take(WCI_LOCK_SHARED), *b = take(WCI_LOCK_SHARED);
    wci_lock_release_remove(a);
    ck_assert(wci_file_exists(path));
    wci_lock_release_remove(b);
    ck_assert(!wci_file_exists(path));
}
END_TEST

/* Closes every descriptor of a file in the directory behind the library's back, as a crash would. */
static void close_all_in_dir(void)
{
    for (int fd = 3; fd < 1000; fd++) {
        char link[64], target[600] = "";
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        if (readlink(link, target, sizeof target - 1) > 0 && !strncmp(target, dir, strlen(dir)))
            close(fd);
    }
}

/* Several processes count in a file under a lock whose file they keep removing. */
static void count_up(const char *counter, int rounds)
{
    WCI_CALL_NONE(call);
    for (int i = 0; i < rounds; i++) {
        wci_lock *lock;
        if (wci_lock_acquire(&call, path, WCI_LOCK_EXCLUSIVE, &lock, NULL))
            _exit(1);
        char *text = test_read_file(counter, NULL);
        char next[32];
        int n = snprintf(next, sizeof next, "%d", atoi(text) + 1);
        test_write_file(counter, next, (size_t)n);
        free(text);
        wci_lock_release_remove(lock);
    }
}

START_TEST(exclusion_holds_while_the_file_comes_and_goes)
{
    char *counter = test_text("%s/counter", dir);
    test_write_file(counter, "0", 1);
    pid_t pids[4];
    for (int i = 0; i < 4; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            count_up(counter, 50);
            _exit(0);
        }
    }
    for (int i = 0; i < 4; i++) {
        int status;
        waitpid(pids[i], &status, 0);
        ck_assert_int_eq(status, 0);
    }
    char *text = test_read_file(counter, NULL);
    ck_assert_str_eq(text, "200");
    free(text);
    free(counter);
}
END_TEST

START_TEST(a_forked_child_keeps_no_lock)
{
    int64_t id = wci_fork_id();
    static wci_lock *locks[100]; /* never released: their descriptors are closed behind their backs */
    char *paths[100];
    for (int i = 0; i < 100; i++) {
        paths[i] = test_text("%s/lock%d", dir, i);
        test_ok(wci_lock_try(paths[i], WCI_LOCK_EXCLUSIVE, &locks[i], NULL));
    }
    int end[2];
    ck_assert_int_eq(pipe(end), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char byte;
        close(end[1]);
        int same = wci_fork_id() == id;
        ssize_t n = read(end[0], &byte, 1); /* until the parent has looked */
        _exit(same || n != 0);
    }
    ck_assert_int_eq(wci_fork_id(), id);
    for (int i = 0; i < 100; i++)
        ck_assert_int_eq(wci_lock_is_held(paths[i]), 1);
    usleep(20000); /* the child may not have come to its handler yet */
    close_all_in_dir();
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(wci_lock_is_held(paths[i]), 0);
        free(paths[i]);
    }
    close(end[1]);
    int status;
    waitpid(pid, &status, 0);
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(releasing_frees_it_for_others_at_once)
{
    /* A child made without the handler still shares the open file; the release must not wait. */
    wci_lock *lock = take(WCI_LOCK_EXCLUSIVE);
    pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0) {
        pause();
        _exit(0);
    }
    wci_lock_release(lock);
    int32_t rc = try_now(WCI_LOCK_EXCLUSIVE);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    test_ok(rc);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("locks");
    TCase *tc = tcase_create("locks");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, modes_conflict_as_they_should);
    tcase_add_test(tc, absent_is_free);
    tcase_add_test(tc, waits_for_another_thread);
    tcase_add_test(tc, waiting_can_be_cancelled);
    tcase_add_test(tc, a_killed_process_lets_go);
    tcase_add_test(tc, a_removed_file_is_not_locked_by_mistake);
    tcase_add_test(tc, exclusion_holds_while_the_file_comes_and_goes);
    tcase_add_test(tc, a_forked_child_keeps_no_lock);
    tcase_add_test(tc, releasing_frees_it_for_others_at_once);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
