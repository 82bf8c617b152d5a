/* SPDX-License-Identifier: Apache-2.0 */
#include "host/host_children.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MANY 65536
#define PATIENCE_S 30 /* for what comes at once, on a busy machine */

extern char **environ;

static host_kind kind;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pid_t own[MANY];
static long own_count;

static sem_t signalled;
static _Atomic int signal_pids[MANY];
static atomic_long signal_count;

typedef struct reaped {
    pid_t pid;
    int status;
} reaped;
static reaped reaps[MANY];
static long reap_count; /* of which the last MANY are kept */
static pthread_t reaper;
static atomic_int begun, ending;

const char *host_kind_name(host_kind which)
{
    static const char *const names[] = {"handler", "ignored", "no-cld-wait", "reaper", "reaper of all", "subreaper"};
    return names[which];
}

/* ---- The host's way ------------------------------------------------------------------------------ */

static void on_sigchld(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)context;
    long at = atomic_fetch_add(&signal_count, 1);
    if (at < MANY)
        atomic_store(&signal_pids[at], info->si_pid);
    sem_post(&signalled);
}

static void *reap(void *arg)
{
    int flags = kind == HOST_REAPS_ALL ? __WALL : 0;
    (void)arg;
    atomic_store(&begun, 1);
    while (!atomic_load(&ending)) {
        int status = 0;
        pid_t pid = waitpid(-1, &status, flags);
        if (pid < 0) { /* no child at this moment */
            nanosleep(&(struct timespec){0, 100000}, NULL);
            continue;
        }
        pthread_mutex_lock(&mutex);
        reaps[reap_count++ % MANY] = (reaped){pid, status};
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static int reaps_itself(void)
{
    return kind == HOST_REAPS || kind == HOST_REAPS_ALL;
}

static int has_handler(void)
{
    return kind == HOST_HANDLES || kind == HOST_NOCLDWAIT || kind == HOST_SUBREAPER;
}

static void begin_reaper(void)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    if (pthread_create(&reaper, NULL, reap, NULL))
        abort();
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    while (!atomic_load(&begun)) /* until then it blocks more than it will */
        sched_yield();
}

void children_prepare(host_kind which)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    kind = which;
    sem_init(&signalled, 0, 0);
    if (kind == HOST_IGNORES) {
        action.sa_handler = SIG_IGN;
    } else if (has_handler()) {
        action.sa_sigaction = on_sigchld;
        /* NODEFER: masks stay as they are while the handler runs. */
        action.sa_flags = SA_SIGINFO | SA_RESTART | SA_NODEFER | (kind == HOST_NOCLDWAIT ? SA_NOCLDWAIT : 0);
    }
    sigaction(SIGCHLD, &action, NULL);
    if (kind == HOST_SUBREAPER)
        prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (reaps_itself())
        begin_reaper();
}

void children_finish(void)
{
    if (!reaps_itself())
        return;
    atomic_store(&ending, 1);
    pthread_join(reaper, NULL);
}

/* ---- Making them ----------------------------------------------------------------------------------- */

static void note(pid_t pid)
{
    if (pid > 0 && own_count < MANY)
        own[own_count++] = pid;
}

pid_t children_fork(int (*run)(int argument), int argument)
{
    children_hold();
    pid_t pid = fork();
    if (pid == 0)
        _exit(run(argument));
    note(pid);
    children_let_go();
    return pid;
}

pid_t children_spawn(const char *self, const char *role, int *output)
{
    int ends[2];
    pid_t pid = -1;
    posix_spawn_file_actions_t actions;
    char *const argv[] = {(char *)self, (char *)role, NULL};
    if (pipe2(ends, O_CLOEXEC))
        return -1;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    children_hold();
    int failed = posix_spawn(&pid, self, &actions, NULL, argv, environ);
    if (!failed)
        note(pid);
    children_let_go();
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *output = ends[0];
    return failed ? -1 : pid;
}

/* ---- Collecting ------------------------------------------------------------------------------------ */

static int await_signal(void)
{
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += PATIENCE_S;
    int rc;
    while ((rc = sem_timedwait(&signalled, &end)) && errno == EINTR)
        ;
    return rc == 0;
}

static int await_reaper(pid_t pid, int *status)
{
    for (int i = 0; i < PATIENCE_S * 1000; i++) {
        int found = 0;
        pthread_mutex_lock(&mutex);
        long oldest = reap_count > MANY ? reap_count - MANY : 0;
        for (long k = reap_count; k-- > oldest && !found;)
            if (reaps[k % MANY].pid == pid) {
                *status = reaps[k % MANY].status;
                found = 1;
            }
        pthread_mutex_unlock(&mutex);
        if (found)
            return 1;
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    return 0;
}

static pid_t wait_for(pid_t pid, int *status)
{
    pid_t rc;
    while ((rc = waitpid(pid, status, 0)) < 0 && errno == EINTR)
        ;
    return rc;
}

int children_collect(pid_t pid, int code)
{
    int status = 0;
    if (pid <= 0 || (has_handler() && kind != HOST_SUBREAPER && !await_signal()))
        return 0;
    if (reaps_itself())
        return await_reaper(pid, &status) && WIFEXITED(status) && WEXITSTATUS(status) == code;
    pid_t rc = wait_for(pid, &status);
    if (kind == HOST_IGNORES || kind == HOST_NOCLDWAIT)
        return rc < 0 && errno == ECHILD;
    return rc == pid && WIFEXITED(status) && WEXITSTATUS(status) == code;
}

int children_are_adopted(void)
{
    return kind == HOST_SUBREAPER;
}

void children_reap_adopted(void)
{
    siginfo_t info = {0};
    if (!children_are_adopted())
        return;
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid &&
           !children_is_ours(info.si_pid)) {
        waitpid(info.si_pid, NULL, 0);
        info.si_pid = 0;
    }
}

/* ---- Strangers ------------------------------------------------------------------------------------- */

void children_hold(void)
{
    pthread_mutex_lock(&mutex);
}

void children_let_go(void)
{
    pthread_mutex_unlock(&mutex);
}

int children_is_ours(pid_t pid)
{
    for (long i = own_count; i-- > 0;)
        if (own[i] == pid)
            return 1;
    return 0;
}

static int no_strange_signals(char *why, size_t size)
{
    long count = atomic_load(&signal_count);
    for (long i = 0; i < count && i < MANY; i++)
        if (!children_is_ours(atomic_load(&signal_pids[i]))) {
            snprintf(why, size, "SIGCHLD for process %d, which is none of the host's", (int)signal_pids[i]);
            return 0;
        }
    if (!has_handler() || count == own_count)
        return 1;
    snprintf(why, size, "SIGCHLD came %ld times for %ld children", count, own_count);
    return 0;
}

static int no_strange_statuses(char *why, size_t size)
{
    for (long i = 0; i < reap_count && i < MANY; i++)
        if (!children_is_ours(reaps[i].pid)) {
            snprintf(why, size, "waitpid(-1) gave process %d with status %#x, which is none of the host's",
                     (int)reaps[i].pid, (unsigned)reaps[i].status);
            return 0;
        }
    return 1;
}

int children_no_strangers(char *why, size_t size)
{
    children_hold();
    int good = kind == HOST_SUBREAPER || no_strange_signals(why, size);
    if (good && kind == HOST_REAPS)
        good = no_strange_statuses(why, size);
    children_let_go();
    return good;
}

long children_count(void)
{
    children_hold();
    long count = own_count;
    children_let_go();
    return count;
}
