/* SPDX-License-Identifier: Apache-2.0 */
#include "host/host_watch.h"

#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>

#include "host/host_children.h"
#include "host/host_state.h"
#include "support/support.h"

#define BIT(sig) (1ull << ((sig)-1))
#define MAX_THREADS 32
#define MAX_DESCRIPTORS 4096

typedef struct thread_fact {
    int tid;
    unsigned long long mask;
} thread_fact;

typedef struct descriptor_fact {
    int open, close_on_exec;
    char target[256];
} descriptor_fact;

static const char *program, *directory;
static pthread_t threads[2];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int running, ending, parked;
static watch_counts counted;
static char complaints[3000]; /* what fits into a message of Check */

/* What was there at watch_begin(). */
static char *state;
static thread_fact host_threads[MAX_THREADS];
static int host_thread_count, caller;
static descriptor_fact descriptors[MAX_DESCRIPTORS];

__attribute__((format(printf, 1, 2))) static void complain(const char *fmt, ...)
{
    char line[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    pthread_mutex_lock(&mutex);
    size_t used = strlen(complaints);
    if (!strstr(complaints, line) && used + strlen(line) + 2 < sizeof complaints)
        sprintf(complaints + used, "%s\n", line);
    pthread_mutex_unlock(&mutex);
}

const char *watch_complaints(void)
{
    return *complaints ? complaints : NULL;
}

/* ---- What there is at first ------------------------------------------------------------------------ */

static void note_threads(void)
{
    int count = 0, *tids = host_numbers("/proc/self/task", &count);
    caller = (int)syscall(SYS_gettid);
    host_thread_count = 0;
    for (int i = 0; i < count && i < MAX_THREADS; i++) {
        thread_fact *fact = &host_threads[host_thread_count++];
        fact->tid = tids[i];
        host_thread_mask(tids[i], &fact->mask);
    }
    free(tids);
}

static void note_descriptors(void)
{
    int count = 0, *numbers = host_numbers("/proc/self/fd", &count);
    memset(descriptors, 0, sizeof descriptors);
    for (int i = 0; i < count; i++) {
        char *target = host_fd_target(numbers[i]);
        if (target && numbers[i] < MAX_DESCRIPTORS) {
            descriptor_fact *fact = &descriptors[numbers[i]];
            fact->open = 1;
            fact->close_on_exec = (fcntl(numbers[i], F_GETFD) & FD_CLOEXEC) != 0;
            snprintf(fact->target, sizeof fact->target, "%s", target);
        }
        free(target);
    }
    free(numbers);
}

/* ---- Looking --------------------------------------------------------------------------------------- */

static void look_at_process(void)
{
    char *now = host_state_shared(), *difference = host_state_difference(state, now);
    if (difference)
        complain("while a call ran:\n%s", difference);
    free(difference);
    free(now);
}

/* Everything that a host may send to itself; faults of the thread's own code need not be blocked. */
static unsigned long long host_signals(void)
{
    static const int others[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGKILL, SIGSTOP};
    unsigned long long all = 0x7fffffff;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        all &= ~BIT(others[i]);
    return all;
}

/* A thread that starts a process or thread holds all signals for a moment, the host's as well as the
 * one that calls; and that one may hold SIGPIPE while it writes. Nothing is ever unblocked. */
static int may_block(int tid, unsigned long long own, unsigned long long now)
{
    int is_all = (now & host_signals()) == host_signals() && (now & own) == own;
    return now == own || is_all || (tid == caller && now == (own | BIT(SIGPIPE)));
}

static void look_at_thread(int tid)
{
    unsigned long long mask = 0;
    if (!host_thread_mask(tid, &mask))
        return; /* has ended */
    for (int i = 0; i < host_thread_count; i++) {
        const thread_fact *fact = &host_threads[i];
        if (fact->tid != tid)
            continue;
        if (!may_block(tid, fact->mask, mask))
            complain("thread %d of the host%s: blocks %llx instead of %llx", tid,
                     tid == caller ? ", which calls" : "", mask, fact->mask);
        return;
    }
    counted.library_threads++;
    if ((mask & host_signals()) != host_signals())
        complain("a thread of the library takes signals of the host: it blocks only %llx", mask);
}

/* An intermediate sends no signal when it ends, and has executed nothing: it is still us. */
static void look_at_stranger(int pid)
{
    char path[64], name[256] = "", us[256] = "";
    int signal = -1, parent = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    char *stat = test_read_file(path, NULL);
    const char *end = stat ? strrchr(stat, ')') : NULL;
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    ssize_t n = readlink(path, name, sizeof name - 1);
    ssize_t m = readlink("/proc/self/exe", us, sizeof us - 1);
    if (end && sscanf(end, ") %*c %d", &parent) == 1 && parent == getpid()) {
        /* Field 38, counted from the state, which is the third. */
        const char *at = end + 2;
        for (int field = 3; field < 38 && (at = strchr(at, ' ')); field++)
            at++;
        counted.library_children++;
        if (!at || sscanf(at, "%d", &signal) != 1 || signal != 0)
            complain("child %d is not the host's, and its end sends signal %d", pid, signal);
        if (n > 0 && m > 0 && strcmp(name, us) != 0)
            complain("child %d is not the host's, and is the program %s", pid, name);
    }
    free(stat);
}

static void look_at_children(int tid)
{
    char path[64], *at = NULL;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", tid);
    children_hold();
    char *list = test_read_file(path, NULL);
    for (char *word = list ? strtok_r(list, " ", &at) : NULL; word; word = strtok_r(NULL, " ", &at))
        if (!children_is_ours(atoi(word)))
            look_at_stranger(atoi(word));
    children_let_go();
    free(list);
}

static void look_at_descriptor(int fd)
{
    char path[64];
    if (fd < MAX_DESCRIPTORS && descriptors[fd].open && !descriptors[fd].close_on_exec)
        return;
    char *target = host_fd_target(fd);
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    char *info = target ? test_read_file(path, NULL) : NULL;
    const char *flags = info ? strstr(info, "flags:") : NULL;
    if (flags && !(strtoul(flags + 6, NULL, 8) & O_CLOEXEC))
        complain("descriptor %d (%s) is not close-on-exec", fd, target);
    if (target && strncmp(target, directory, strlen(directory)) == 0)
        counted.library_descriptors++;
    free(info);
    free(target);
}

static void look_at_each(const char *dir, void (*look)(int number))
{
    int count = 0, *numbers = host_numbers(dir, &count);
    for (int i = 0; i < count; i++)
        look(numbers[i]);
    free(numbers);
}

static void look(void)
{
    look_at_process();
    look_at_each("/proc/self/task", look_at_thread);
    if (!children_are_adopted())
        look_at_each("/proc/self/task", look_at_children);
    look_at_each("/proc/self/fd", look_at_descriptor);
    counted.looks++;
}

/* ---- Children and what they were born with ------------------------------------------------------------ */

int watch_list_descriptors(void)
{
    int count = 0, *numbers = host_numbers("/proc/self/fd", &count);
    for (int i = 0; i < count; i++) {
        char *target = host_fd_target(numbers[i]);
        if (target)
            printf("%d %s\n", numbers[i], target);
        free(target);
    }
    free(numbers);
    return 21;
}

static void check_list(char *list)
{
    char *at = NULL;
    for (char *line = strtok_r(list, "\n", &at); line; line = strtok_r(NULL, "\n", &at)) {
        int fd = atoi(line);
        const char *target = strchr(line, ' ') + 1;
        int is_known = fd >= 0 && fd < MAX_DESCRIPTORS && descriptors[fd].open && !descriptors[fd].close_on_exec &&
                       strncmp(descriptors[fd].target, target, sizeof descriptors[fd].target - 1) == 0;
        if (fd != 1 && !is_known)
            complain("a program of the host inherited descriptor %s", line);
    }
}

static void list_descriptors(void)
{
    int fd = -1;
    pid_t pid = children_spawn(program, WATCH_ROLE, &fd);
    FILE *from = pid > 0 ? fdopen(fd, "r") : NULL;
    if (!from) {
        complain("a program of the host could not be started: %s", strerror(errno));
        return;
    }
    char *list = test_read_stream(from, NULL);
    fclose(from);
    if (!children_collect(pid, 21))
        complain("the exit code of a program of the host did not come as it should");
    check_list(list);
    free(list);
    counted.lists++;
}

static int end_with(int code)
{
    return code;
}

static void make_children(void)
{
    for (int i = 1; i <= 10; i++) {
        pid_t pid = children_fork(end_with, 100 + i);
        if (!children_collect(pid, 100 + i))
            complain("the exit code of a child of the host did not come as it should");
    }
    list_descriptors();
}

/* ---- The threads ---------------------------------------------------------------------------------------- */

/* 0 when it is time to end. */
static int may_go_on(void)
{
    pthread_mutex_lock(&mutex);
    parked++;
    pthread_cond_broadcast(&changed);
    while (!running && !ending)
        pthread_cond_wait(&changed, &mutex);
    parked--;
    int go_on = !ending;
    pthread_mutex_unlock(&mutex);
    return go_on;
}

static void *repeat(void *arg)
{
    void (*what)(void) = *(void (**)(void))arg;
    while (may_go_on()) {
        what();
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    return NULL;
}

void watch_start(const char *self, const char *dir)
{
    static void (*whats[2])(void) = {look, make_children};
    /* Each with a mask of its own. */
    static const int taken[2] = {SIGUSR1, SIGUSR2};
    program = self;
    directory = dir;
    for (int i = 0; i < 2; i++) {
        sigset_t all, old;
        sigfillset(&all);
        sigdelset(&all, taken[i]);
        pthread_sigmask(SIG_SETMASK, &all, &old);
        if (pthread_create(&threads[i], NULL, repeat, &whats[i]))
            abort();
        pthread_sigmask(SIG_SETMASK, &old, NULL);
    }
    watch_end();
}

static void set_running(int value)
{
    pthread_mutex_lock(&mutex);
    running = value;
    pthread_cond_broadcast(&changed);
    while (!running && parked < 2)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
}

void watch_begin(void)
{
    free(state);
    state = host_state_shared();
    note_threads();
    note_descriptors();
    set_running(1);
}

void watch_end(void)
{
    set_running(0);
}

void watch_finish(watch_counts *counts)
{
    pthread_mutex_lock(&mutex);
    ending = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    free(state);
    state = NULL;
    *counts = counted;
}
