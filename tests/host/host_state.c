/* SPDX-License-Identifier: Apache-2.0 */
#include "host/host_state.h"

#include <dirent.h>
#include <fenv.h>
#include <locale.h>
#include <sched.h>
#include <signal.h>
#include <stdio_ext.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>

#include "support/support.h"

extern char **environ;

typedef struct text {
    char *data;
    size_t size;
    FILE *to;
} text;

static void text_open(text *t)
{
    t->to = open_memstream(&t->data, &t->size);
    if (!t->to)
        abort();
}

static char *text_close(text *t)
{
    fclose(t->to);
    return t->data;
}

/* ---- Of the whole process ---------------------------------------------------------------------- */

static void add_link(FILE *to, const char *path)
{
    char target[4096];
    ssize_t n = readlink(path, target, sizeof target - 1);
    target[n < 0 ? 0 : n] = '\0';
    fprintf(to, "%s: %s\n", path, target);
}

static void add_file(FILE *to, const char *path)
{
    char *content = test_read_file(path, NULL);
    for (char *c = content; c && *c; c++)
        if (*c == '\n')
            *c = ' ';
    fprintf(to, "%s: %s\n", path, content ? content : "");
    free(content);
}

/* Fields that are the process's; those of the thread and those that move by themselves are not. */
static void add_status(FILE *to)
{
    static const char *const fields[] = {
        "Umask",  "Uid",    "Gid",    "Groups", "PPid",   "NStgid", "TracerPid",  "SigIgn", "SigCgt",
        "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"};
    char *status = test_read_file("/proc/self/status", NULL), *at = NULL;
    for (char *line = strtok_r(status, "\n", &at); line; line = strtok_r(NULL, "\n", &at))
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
            size_t n = strlen(fields[i]);
            if (strncmp(line, fields[i], n) == 0 && line[n] == ':')
                fprintf(to, "%s\n", line);
        }
    free(status);
}

static void add_signals(FILE *to)
{
    for (int sig = 1; sig < NSIG; sig++) {
        struct sigaction action;
        if (sigaction(sig, NULL, &action))
            continue;
        fprintf(to, "signal %d: handler %p flags %#x mask", sig, (void *)(uintptr_t)action.sa_sigaction,
                (unsigned)action.sa_flags);
        for (int other = 1; other < NSIG; other++)
            if (sigismember(&action.sa_mask, other) == 1)
                fprintf(to, " %d", other);
        fprintf(to, "\n");
    }
}

static void add_limits(FILE *to)
{
    for (int i = 0; i < (int)RLIM_NLIMITS; i++) {
        struct rlimit limit = {0};
        if (getrlimit((__rlimit_resource_t)i, &limit) == 0)
            fprintf(to, "limit %d: %llu %llu\n", i, (unsigned long long)limit.rlim_cur,
                    (unsigned long long)limit.rlim_max);
    }
    fprintf(to, "priority: %d\n", getpriority(PRIO_PROCESS, 0));
    for (int i = ITIMER_REAL; i <= ITIMER_PROF; i++) {
        struct itimerval timer = {0};
        getitimer((__itimer_which_t)i, &timer);
        fprintf(to, "timer %d: every %ld.%06ld\n", i, (long)timer.it_interval.tv_sec,
                (long)timer.it_interval.tv_usec);
    }
}

static void add_prctl(FILE *to)
{
    int subreaper = -1;
    prctl(PR_GET_CHILD_SUBREAPER, &subreaper);
    fprintf(to, "subreaper: %d\ndumpable: %d\nkeep capabilities: %d\nsecure bits: %d\n", subreaper,
            prctl(PR_GET_DUMPABLE), prctl(PR_GET_KEEPCAPS), prctl(PR_GET_SECUREBITS));
    fprintf(to, "personality: %d\nsession: %d\ngroup: %d\n", personality(0xffffffff), (int)getsid(0),
            (int)getpgrp());
}

static void add_environment(FILE *to)
{
    fprintf(to, "environment: %p\n", (void *)environ);
    for (char **at = environ; *at; at++)
        fprintf(to, "environment %p: %s\n", (void *)*at, *at);
}

static void add_namespaces(FILE *to)
{
    static const char *const kinds[] = {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i]);
        add_link(to, path);
    }
}

static void add_process(FILE *to)
{
    add_link(to, "/proc/self/cwd");
    add_link(to, "/proc/self/root");
    add_status(to);
    add_signals(to);
    add_limits(to);
    add_prctl(to);
    add_environment(to);
    add_namespaces(to);
    fprintf(to, "locale: %s\n", setlocale(LC_ALL, NULL));
}

char *host_state_shared(void)
{
    text t;
    text_open(&t);
    add_process(t.to);
    return text_close(&t);
}

/* ---- Of the calling thread ---------------------------------------------------------------------- */

static void add_this_thread(FILE *to)
{
    char name[32] = "";
    stack_t stack = {0};
    cpu_set_t processors;
    CPU_ZERO(&processors);
    prctl(PR_GET_NAME, name);
    sigaltstack(NULL, &stack);
    sched_getaffinity(0, sizeof processors, &processors);
    fprintf(to, "thread: name %s locale %p rounding %d traps %d timer slack %d policy %d processors %d\n",
            name, (void *)uselocale(NULL), fegetround(), fegetexcept(), prctl(PR_GET_TIMERSLACK),
            sched_getscheduler(0), CPU_COUNT(&processors));
    fprintf(to, "signal stack: %p %zu %d\n", stack.ss_sp, stack.ss_size, stack.ss_flags);
    int death = -1;
    prctl(PR_GET_PDEATHSIG, &death);
    fprintf(to, "death signal: %d\n", death);
}

static void add_stdio(FILE *to)
{
    FILE *const streams[] = {stdin, stdout, stderr};
    for (int i = 0; i < 3; i++)
        fprintf(to, "stdio %d: descriptor %d buffer %zu by line %d pending %zu error %d end %d\n", i,
                fileno(streams[i]), __fbufsize(streams[i]), __flbf(streams[i]) != 0,
                i ? __fpending(streams[i]) : 0, ferror(streams[i]), feof(streams[i]));
}

/* ---- Threads, descriptors, mounts, children ------------------------------------------------------ */

static int by_number(const struct dirent **a, const struct dirent **b)
{
    return atoi((*a)->d_name) - atoi((*b)->d_name);
}

static int is_number(const struct dirent *entry)
{
    return entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
}

int *host_numbers(const char *dir, int *count)
{
    struct dirent **entries = NULL;
    int found = scandir(dir, &entries, is_number, by_number);
    int *numbers = calloc((size_t)(found < 0 ? 0 : found) + 1, sizeof *numbers);
    if (!numbers)
        abort();
    *count = found < 0 ? 0 : found;
    for (int i = 0; i < found; i++) {
        numbers[i] = atoi(entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return numbers;
}

static void each(FILE *to, const char *dir, void (*add)(FILE *to, int number))
{
    int count = 0, *numbers = host_numbers(dir, &count);
    for (int i = 0; i < count; i++)
        add(to, numbers[i]);
    free(numbers);
}

static unsigned long long signals_of(const char *status, const char *field)
{
    const char *line = status ? strstr(status, field) : NULL;
    return line ? strtoull(line + strlen(field), NULL, 16) : 0;
}

/* One that is about to go shows no signals at all, not even those that the process has handlers for. */
int host_thread_mask(int tid, unsigned long long *mask)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/self/task/%d/status", tid);
    char *status = test_read_file(path, NULL);
    int lives = signals_of(status, "\nSigCgt:") != 0;
    *mask = signals_of(status, "\nSigBlk:");
    free(status);
    return lives;
}

static void add_thread(FILE *to, int tid)
{
    char path[64];
    unsigned long long mask = 0;
    if (!host_thread_mask(tid, &mask))
        return;
    snprintf(path, sizeof path, "/proc/self/task/%d/comm", tid);
    fprintf(to, "thread %d: blocks %llx\n", tid, mask);
    add_file(to, path);
    snprintf(path, sizeof path, "/proc/self/task/%d/children", tid);
    add_file(to, path);
}

char *host_fd_target(int fd)
{
    char path[64], target[4096];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n < 0)
        return NULL;
    target[n] = '\0';
    return strdup(target);
}

static void add_descriptor(FILE *to, int fd)
{
    char *target = host_fd_target(fd); /* NULL: the directory that was just read */
    if (target)
        fprintf(to, "descriptor %d: %s flags %#x status %#x\n", fd, target, (unsigned)fcntl(fd, F_GETFD),
                (unsigned)fcntl(fd, F_GETFL));
    free(target);
}

static void add_mounts(FILE *to, const char *dir)
{
    char *mounts = test_read_file("/proc/self/mountinfo", NULL), *at = NULL;
    for (char *line = strtok_r(mounts, "\n", &at); line; line = strtok_r(NULL, "\n", &at))
        if (strstr(line, dir))
            fprintf(to, "mount: %s\n", line);
    free(mounts);
}

char *host_state(const char *dir)
{
    text t;
    text_open(&t);
    add_process(t.to);
    add_this_thread(t.to);
    add_stdio(t.to);
    add_mounts(t.to, dir);
    add_file(t.to, "/proc/self/cgroup");
    add_file(t.to, "/proc/self/oom_score_adj");
    add_file(t.to, "/proc/self/coredump_filter");
    each(t.to, "/proc/self/task", add_thread);
    each(t.to, "/proc/self/fd", add_descriptor);
    return text_close(&t);
}

/* ---- Comparing ----------------------------------------------------------------------------------- */

static int has_line(const char *state, const char *line, size_t size)
{
    for (const char *at = state; (at = strstr(at, line)); at++)
        if ((at == state || at[-1] == '\n') && at[size] == '\n')
            return 1;
    return 0;
}

static void add_missing(FILE *to, char sign, const char *from, const char *in)
{
    char *copy = strdup(from), *at = NULL;
    for (char *line = strtok_r(copy, "\n", &at); line; line = strtok_r(NULL, "\n", &at))
        if (!has_line(in, line, strlen(line)))
            fprintf(to, "%c %s\n", sign, line);
    free(copy);
}

char *host_state_difference(const char *before, const char *after)
{
    text t;
    text_open(&t);
    add_missing(t.to, '-', before, after);
    add_missing(t.to, '+', after, before);
    char *difference = text_close(&t);
    if (*difference)
        return difference;
    free(difference);
    return NULL;
}
