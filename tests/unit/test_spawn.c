/* SPDX-License-Identifier: Apache-2.0 */
/* The helper is never a child of the host, whatever the host does with SIGCHLD. The program started
 * here is a shell that writes what it sees to descriptor 3. */
#include "support/support.h"

#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>

#include <wincontainer/error.h>

#include "core/alloc.h"
#include "platform/host.h"
#include "platform/process.h"
#include "platform/thread.h"

static wci_fd out_read, out_write;

static void setup(void)
{
    test_ok(wci_pipe(&out_read, &out_write, NULL));
}

static void teardown(void)
{
    wci_fd_close(out_read);
    wci_fd_close(out_write);
}

static int32_t start(const char *script, const char *const *env)
{
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    const wci_spawn_fd fds[] = {{out_write, 3}};
    return wci_spawn_helper(argv, env, fds, 1, NULL);
}

/* What the program wrote; its end is the end of its output. Owned. */
static char *output(void)
{
    WCI_CALL_NONE(call);
    wc_buf *buf;
    wci_fd_close(out_write);
    out_write = WCI_FD_NONE;
    test_ok(wci_fd_read_to_end(&call, out_read, 100000, &buf, NULL));
    char *text = strdup(wc_buf_data(buf));
    wc_buf_unref(buf);
    return text;
}

static void check_output(const char *expected)
{
    char *text = output();
    ck_assert_str_eq(text, expected);
    free(text);
}

START_TEST(runs_the_program)
{
    static const char *const env[] = {"GREETING=hello", NULL};
    test_ok(start("echo $GREETING >&3", env));
    check_output("hello\n");
}
END_TEST

START_TEST(inherits_no_environment)
{
    setenv("WC_TEST_SECRET", "1", 1);
    test_ok(start("echo \"<$WC_TEST_SECRET>\" >&3", NULL));
    check_output("<>\n");
}
END_TEST

START_TEST(has_exactly_its_descriptors)
{
    int stray = open("/dev/null", O_RDONLY); /* as a careless host leaves them: no close-on-exec */
    int high = fcntl(stray, F_DUPFD, 500);
    ck_assert(stray > 2 && high >= 500);
    /* The shell's glob opens a directory, which shows as one more. */
    test_ok(start("for f in /proc/self/fd/*; do [ -e $f ] && echo ${f##*/} $(readlink $f); done >&3",
                  NULL));
    char *text = output();
    ck_assert_msg(strstr(text, "0 /dev/null\n") == text, "%s", text);
    ck_assert(strstr(text, "\n2 /dev/null\n"));
    ck_assert(strstr(text, "\n3 pipe:"));
    ck_assert_msg(!strstr(text, "\n4 ") && !strstr(text, "\n500 "), "%s", text);
    free(text);
    close(stray);
    close(high);
}
END_TEST

START_TEST(crossed_numbers_end_where_they_should)
{
    wci_fd r[3], w[3];
    for (int i = 0; i < 3; i++)
        test_ok(wci_pipe(&r[i], &w[i], NULL));
    /* Each goes where another one is now. */
    const wci_spawn_fd fds[] = {
        {w[0], (int)w[1]}, {w[1], (int)w[2]}, {w[2], (int)w[0]}, {out_write, 1}};
    char *script = test_text("printf a >&%d; printf b >&%d; printf c >&%d; echo out", (int)w[1],
                             (int)w[2], (int)w[0]);
    const char *argv[] = {"/bin/bash", "-c", script, NULL};
    if (access(argv[0], X_OK))
        argv[0] = "/bin/sh";
    test_ok(wci_spawn_helper(argv, NULL, fds, 4, NULL));
    check_output("out\n");
    for (int i = 0; i < 3; i++) {
        char c = 0;
        ck_assert_int_eq(read((int)r[i], &c, 1), 1);
        ck_assert_int_eq(c, 'a' + i);
        wci_fd_close(r[i]);
        wci_fd_close(w[i]);
    }
    free(script);
}
END_TEST

START_TEST(stands_in_the_root_with_clean_signals)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    test_ok(start("pwd >&3; grep -E 'Sig(Blk|Ign)' /proc/self/status >&3", NULL));
    check_output("/\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}
END_TEST

static volatile sig_atomic_t sigchld_count;

static void count_sigchld(int sig)
{
    (void)sig;
    sigchld_count++;
}

static int have_children(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0;
}

START_TEST(a_handler_of_sigchld_sees_nothing)
{
    struct sigaction action = {.sa_handler = count_sigchld};
    sigaction(SIGCHLD, &action, NULL);
    for (int i = 0; i < 20; i++)
        test_ok(start("echo x >&3", NULL));
    check_output("x\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\nx\n");
    usleep(100000);
    ck_assert_int_eq(sigchld_count, 0);
    ck_assert(!have_children());
    struct sigaction now;
    sigaction(SIGCHLD, NULL, &now);
    ck_assert(now.sa_handler == count_sigchld);
}
END_TEST

START_TEST(works_where_sigchld_is_ignored)
{
    signal(SIGCHLD, SIG_IGN);
    test_ok(start("echo $PPID >&3", NULL));
    char *text = output();
    ck_assert_int_ne(atoi(text), getpid());
    free(text);
    ck_assert(!have_children());
    const char *argv[] = {"/nowhere/program", NULL};
    test_code(wci_spawn_helper(argv, NULL, NULL, 0, NULL), WC_E_NOT_FOUND);
}
END_TEST

static void reap_everything(void *stop)
{
    while (!__atomic_load_n((int *)stop, __ATOMIC_SEQ_CST))
        if (waitpid(-1, NULL, __WALL) < 0)
            usleep(100);
}

START_TEST(works_where_somebody_reaps_everything)
{
    int stop = 0;
    wci_thread *thread;
    test_ok(wci_thread_start(&thread, reap_everything, &stop, NULL));
    for (int i = 0; i < 50; i++)
        test_ok(start("echo x >&3", NULL));
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    wci_thread_join(thread);
}
END_TEST

START_TEST(children_of_the_host_stay_its_own)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(7);
    usleep(20000);
    test_ok(start("exit 0", NULL));
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(WEXITSTATUS(status), 7);
}
END_TEST

START_TEST(failures_have_a_reason)
{
    char *dir = test_make_dir();
    char *file = test_text("%s/file", dir);
    test_write_file(file, "x", 1);
    const char *argv[] = {file, NULL};
    wc_error *err = NULL;
    test_code(wci_spawn_helper(argv, NULL, NULL, 0, &err), WC_E_PERMISSION);
    ck_assert_int_eq(wc_error_native(err), EACCES);
    ck_assert(strstr(wc_error_message(err), file));
    wc_error_unref(err);
    err = NULL;
    const wci_spawn_fd bad[] = {{987, 3}};
    argv[0] = "/bin/sh";
    test_code(wci_spawn_helper(argv, NULL, bad, 1, &err), WC_E_IO);
    ck_assert_int_eq(wc_error_native(err), EBADF);
    wc_error_unref(err);
    free(file);
    test_remove_dir(dir);
}
END_TEST

static int count_descriptors(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

START_TEST(leaves_mask_and_descriptors_as_they_were)
{
    sigset_t before, after;
    int fds = count_descriptors();
    pthread_sigmask(SIG_BLOCK, NULL, &before);
    for (int i = 0; i < 10; i++)
        test_ok(start("exit 0", NULL));
    pthread_sigmask(SIG_BLOCK, NULL, &after);
    for (int sig = 1; sig < NSIG; sig++)
        ck_assert_int_eq(sigismember(&before, sig), sigismember(&after, sig));
    ck_assert_int_eq(count_descriptors(), fds);
}
END_TEST

static void spawn_many(void *failures)
{
    for (int i = 0; i < 25; i++)
        if (start("exit 0", NULL))
            __atomic_fetch_add((int *)failures, 1, __ATOMIC_SEQ_CST);
}

START_TEST(many_threads_may_spawn)
{
    int failures = 0;
    wci_thread *threads[4];
    for (int i = 0; i < 4; i++)
        test_ok(wci_thread_start(&threads[i], spawn_many, &failures, NULL));
    for (int i = 0; i < 4; i++)
        wci_thread_join(threads[i]);
    ck_assert_int_eq(failures, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spawn");
    TCase *tc = tcase_create("spawn");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, runs_the_program);
    tcase_add_test(tc, inherits_no_environment);
    tcase_add_test(tc, has_exactly_its_descriptors);
    tcase_add_test(tc, crossed_numbers_end_where_they_should);
    tcase_add_test(tc, stands_in_the_root_with_clean_signals);
    tcase_add_test(tc, a_handler_of_sigchld_sees_nothing);
    tcase_add_test(tc, works_where_sigchld_is_ignored);
    tcase_add_test(tc, works_where_somebody_reaps_everything);
    tcase_add_test(tc, children_of_the_host_stay_its_own);
    tcase_add_test(tc, failures_have_a_reason);
    tcase_add_test(tc, leaves_mask_and_descriptors_as_they_were);
    tcase_add_test(tc, many_threads_may_spawn);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
