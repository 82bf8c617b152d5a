/* SPDX-License-Identifier: Apache-2.0 */
/* A host with habits of its own is after a full cycle what it was before, nothing changes meanwhile,
 * and exit codes are right in all of them.
 *
 *     hygiene BACKEND */
#include "host/host_children.h"
#include "host/host_cycle.h"
#include "host/host_state.h"
#include "host/host_watch.h"

#include <locale.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/time.h>

static atomic_long pipe_signals, alarms;

static void on_sigpipe(int sig)
{
    (void)sig;
    atomic_fetch_add(&pipe_signals, 1);
}

static void on_alarm(int sig)
{
    (void)sig;
    atomic_fetch_add(&alarms, 1);
}

/* ---- The host ------------------------------------------------------------------------------------------- */

/* Alarms interrupt every call that waits; SIGPIPE must not come at all. */
static void set_signals(host_kind kind)
{
    struct sigaction pipes = {.sa_handler = kind == HOST_IGNORES ? SIG_IGN : on_sigpipe};
    /* NODEFER: the mask stays as it is while the handler runs. */
    struct sigaction alarm_action = {.sa_handler = on_alarm, .sa_flags = SA_NODEFER};
    struct itimerval every = {{0, 7000}, {0, 7000}};
    sigset_t blocked;
    sigaction(SIGPIPE, &pipes, NULL);
    sigaction(SIGALRM, &alarm_action, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    sigaddset(&blocked, SIGRTMIN + 3);
    pthread_sigmask(SIG_SETMASK, &blocked, NULL);
}

static void set_surroundings(void)
{
    char *home = test_text("%s.home", settings.root);
    struct rlimit files = {900, 1000}, core = {0, 0};
    mkdir(home, 0755);
    ck_assert_int_eq(chdir(home), 0);
    umask(077);
    setenv("HOST_SECRET", "of the host", 1);
    if (!setlocale(LC_ALL, "de_DE.UTF-8"))
        setlocale(LC_ALL, "C.UTF-8");
    setrlimit(RLIMIT_NOFILE, &files);
    setrlimit(RLIMIT_CORE, &core);
    free(home);
}

typedef struct descriptors {
    int file, ends[2], high, out;
} descriptors;

/* Two of them as careless hosts have them, without close-on-exec; and standard output and error go
 * to a file that must stay empty. */
static descriptors open_descriptors(void)
{
    descriptors d;
    char *path = test_text("%s.file", settings.root), *out = test_text("%s.out", settings.root);
    d.file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    ck_assert_int_eq(write(d.file, "0123456789", 10), 10);
    ck_assert_int_eq(lseek(d.file, 4, SEEK_SET), 4);
    ck_assert_int_eq(pipe2(d.ends, O_CLOEXEC), 0);
    d.high = fcntl(d.file, F_DUPFD, 700);
    ck_assert_int_eq(d.high, 700);
    fflush(NULL);
    d.out = open(out, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    ck_assert(dup2(d.out, 1) == 1 && dup2(d.out, 2) == 2);
    free(path);
    free(out);
    return d;
}

static void check_descriptors(const descriptors *d)
{
    ck_assert_int_eq(lseek(d->file, 0, SEEK_CUR), 4);
    fflush(NULL);
    char *path = test_text("%s.out", settings.root), *text = test_read_file(path, NULL);
    ck_assert_msg(text && !*text, "something was printed: %s", text);
    free(text);
    free(path);
}

/* ---- A child that lives all the time ---------------------------------------------------------------------- */

static int until[2];

static int wait_for_the_end(int code)
{
    char c;
    close(until[1]);
    while (read(until[0], &c, 1) < 0)
        ;
    return code;
}

static pid_t begin_child(void)
{
    ck_assert_int_eq(pipe2(until, O_CLOEXEC), 0);
    pid_t pid = children_fork(wait_for_the_end, 33);
    ck_assert_int_gt(pid, 0);
    close(until[0]);
    return pid;
}

static void end_child(pid_t pid)
{
    close(until[1]);
    ck_assert_msg(children_collect(pid, 33), "the exit code of the host's first child did not come as it should");
}

/* ---- The tests ------------------------------------------------------------------------------------------------ */

/* A thread that has been joined may take a moment to be gone. */
static char *state_after(const char *before)
{
    char *after = NULL, *difference = NULL;
    for (int i = 0; i < 200; i++) {
        free(after);
        free(difference);
        children_reap_adopted();
        after = host_state(settings.root);
        difference = host_state_difference(before, after);
        if (!difference)
            break;
        nanosleep(&(struct timespec){0, 10000000}, NULL);
    }
    free(after);
    return difference;
}

/* It would see nothing if it did not look. */
static void check_counts(const watch_counts *counts)
{
    ck_assert_int_gt(counts->looks, 20);
    ck_assert_int_gt(counts->lists, 0);
    ck_assert_int_gt(counts->library_descriptors, 0);
    ck_assert_int_gt(counts->library_threads, 0);
    ck_assert_int_gt(children_count(), 10);
    ck_assert_int_gt(atomic_load(&alarms), 5);
}

/* The cycle runs twice: what is loaded or set up once must not show either. */
static void run_watched(watch_counts *counts)
{
    char *before = host_state(settings.root);
    for (int i = 0; i < 2; i++) {
        watch_begin();
        cycle_run();
        watch_end();
        char *difference = state_after(before);
        ck_assert_msg(!difference, "after the cycle:\n%.3000s", difference);
    }
    free(before);
    watch_finish(counts);
}

START_TEST(a_host_stays_as_it_is)
{
    char why[256] = "";
    host_kind kind = (host_kind)_i;
    watch_counts counts;
    char *name = test_text("host-%d", _i);
    cycle_new_store(name);
    free(name);
    set_surroundings();
    descriptors d = open_descriptors();
    children_prepare(kind);
    set_signals(kind);
    srandom(1);
    pid_t child = begin_child();
    watch_start(settings.self, settings.root);
    run_watched(&counts);
    end_child(child);
    children_finish();
    ck_assert_msg(!watch_complaints(), "%s: %s", host_kind_name(kind), watch_complaints());
    ck_assert_msg(children_no_strangers(why, sizeof why), "%s: %s", host_kind_name(kind), why);
    ck_assert_int_eq(atomic_load(&pipe_signals), 0);
    check_descriptors(&d);
    check_counts(&counts);
    long first = random();
    srandom(1);
    ck_assert_int_eq(random(), first);
}
END_TEST

/* Numbers 0 to 2 stay free for who opens a terminal later, and nothing of ours gets printed into. */
static void check_no_stdio(const char *when)
{
    for (int fd = 0; fd <= 2; fd++) {
        char *target = host_fd_target(fd);
        ck_assert_msg(!target, "%s: descriptor %d is %s", when, fd, target);
    }
}

START_TEST(closed_standard_streams_stay_closed)
{
    cycle_new_store("no-stdio");
    for (int fd = 0; fd <= 2; fd++)
        close(fd);
    harness_setup();
    check_no_stdio("after opening");
    cycle_pull();
    check_no_stdio("after pulling");
    cycle_files();
    cycle_attached();
    check_no_stdio("after an attached run");
    cycle_detached();
    cycle_failures();
    cycle_upkeep();
    check_no_stdio("after all of it");
    harness_release();
    check_no_stdio("after closing");
}
END_TEST

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], WATCH_ROLE) == 0)
        return watch_list_descriptors();
    if (argc != 2) {
        fprintf(stderr, "usage: %s BACKEND\n", argv[0]);
        return 2;
    }
#ifdef __SANITIZE_THREAD__
    test_skip("the thread sanitizer knows one descriptor table only, so the library shares it there");
#endif
    cycle_prepare("/proc/self/exe", argv[1]);
    cycle_skip_when_nothing_starts();
    Suite *suite = suite_create("hygiene");
    TCase *hosts = tcase_create("hosts"), *closed = tcase_create("closed");
    tcase_set_timeout(hosts, 120);
    tcase_set_timeout(closed, 60);
    tcase_add_loop_test(hosts, a_host_stays_as_it_is, 0, HOST_KINDS);
    tcase_add_test(closed, closed_standard_streams_stay_closed);
    suite_add_tcase(suite, hosts);
    suite_add_tcase(suite, closed);
    return test_main(suite);
}
