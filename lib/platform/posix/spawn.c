/* SPDX-License-Identifier: Apache-2.0 */
/* Starting the helper so that it never is a child of the host.
 *
 *   host thread --clone(exit signal 0)--> intermediate --clone--> program
 *
 * The intermediate shares our memory, suspends us (CLONE_VFORK), starts the program in the same way
 * and is gone as soon as that has executed. Its exit sends no signal and only a wait with __WCLONE
 * sees it, so neither a SIGCHLD handler, nor SIG_IGN, nor a host that reaps everything can notice or
 * disturb it. The program, now an orphan, belongs to init or to the nearest subreaper. The one
 * exception cannot be helped: a host that made *itself* a subreaper adopts the program; a program
 * that daemonises itself does not change that.
 *
 * Both children run on our memory beside suspended threads of the host: they only make system calls,
 * raw ones, because the wrappers of sanitizers would write down the child's doings as ours. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/posix/posix.h"
#include "platform/process.h"

/* The thread sanitizer takes clone() for a fork, and what it then notes down in memory that we share with
 * the child as news about us. It leaves the C library's other name for it alone. */
#ifdef __SANITIZE_THREAD__
int __clone(int (*run)(void *), void *stack, int flags, void *arg, ...);
#define clone __clone
#endif

#define STACK_SIZE 65536
#define IN_CHILD __attribute__((no_sanitize("address", "thread", "undefined")))

typedef struct spawn {
    const char *const *argv;
    const char *const *env;
    const wci_spawn_fd *fds;
    size_t fd_count;
    int *high;   /* fd_count + 1 numbers: copies out of the way, the last is /dev/null */
    int *wanted; /* the numbers to keep, ascending: 0, 1, 2 and all `to` */
    size_t wanted_count;
    char *stacks;
    volatile int failed; /* errno of the program's side; -1 until it got that far */
} spawn;

IN_CHILD static int fail(spawn *s)
{
    s->failed = errno;
    return -1;
}

/* Copies first go above every number that is to be set, so that none is overwritten before its
 * turn. */
IN_CHILD static int place_descriptors(spawn *s)
{
    long above = s->wanted[s->wanted_count - 1] + 1;
    long null = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR | O_CLOEXEC, 0);
    if (null < 0)
        return -1;
    for (size_t i = 0; i <= s->fd_count; i++) {
        long from = i < s->fd_count ? (long)s->fds[i].from : null;
        long high = syscall(SYS_fcntl, from, F_DUPFD_CLOEXEC, above);
        if (high < 0)
            return -1;
        s->high[i] = (int)high;
    }
    for (int to = 0; to <= 2; to++)
        if (syscall(SYS_dup3, s->high[s->fd_count], to, 0) < 0)
            return -1;
    for (size_t i = 0; i < s->fd_count; i++)
        if (syscall(SYS_dup3, s->high[i], s->fds[i].to, 0) < 0)
            return -1;
    return 0;
}

IN_CHILD void wci_posix_close_range(unsigned first, unsigned last)
{
    if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
        return;
    /* A kernel before 5.9, or a filter that does not know the call. */
    struct rlimit limit = {0};
    syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, &limit);
    if (last >= limit.rlim_cur)
        last = (unsigned)limit.rlim_cur;
    for (unsigned fd = first; fd <= last; fd++)
        syscall(SYS_close, fd);
}

void wci_process_close_from(int first)
{
    wci_posix_close_range((unsigned)first, UINT_MAX);
}

IN_CHILD static void close_others(const spawn *s)
{
    unsigned next = 0;
    for (size_t i = 0; i < s->wanted_count; i++) {
        unsigned keep = (unsigned)s->wanted[i];
        if (keep > next)
            wci_posix_close_range(next, keep - 1);
        next = keep + 1;
    }
    wci_posix_close_range(next, UINT_MAX);
}

IN_CHILD static void reset_signals(void)
{
    /* All zero is the kernel's idea of SIG_DFL; the C library's differs in layout, not in this. */
    static const unsigned long zero[16];
    const size_t set_size = (NSIG - 1) / 8;
    for (int sig = 1; sig < NSIG; sig++)
        if (sig != SIGKILL && sig != SIGSTOP)
            syscall(SYS_rt_sigaction, sig, zero, NULL, set_size);
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, zero, NULL, set_size);
}

IN_CHILD static int run_program(void *arg)
{
    spawn *s = arg;
    if (place_descriptors(s) || syscall(SYS_chdir, "/")) {
        fail(s);
    } else {
        close_others(s);
        s->failed = 0;
        reset_signals();
        syscall(SYS_execve, s->argv[0], s->argv, s->env);
        fail(s);
    }
    syscall(SYS_exit_group, 127);
    return 127;
}

IN_CHILD static int run_intermediate(void *arg)
{
    spawn *s = arg;
    /* The signal only matters to whoever adopts the program. */
    if (clone(run_program, s->stacks + 2 * STACK_SIZE, CLONE_VM | CLONE_VFORK | SIGCHLD, s) < 0)
        fail(s);
    syscall(SYS_exit_group, 0);
    return 0;
}

/* ---- The host's side -------------------------------------------------------------------------- */

static void add_wanted(spawn *s, int number)
{
    size_t i = s->wanted_count;
    while (i && s->wanted[i - 1] > number)
        i--;
    if (i && s->wanted[i - 1] == number)
        return;
    for (size_t k = s->wanted_count++; k > i; k--)
        s->wanted[k] = s->wanted[k - 1];
    s->wanted[i] = number;
}

static int32_t prepare(spawn *s, wc_error **err)
{
    s->high = wci_calloc(s->fd_count + 1, sizeof *s->high);
    s->wanted = wci_calloc(s->fd_count + 3, sizeof *s->wanted);
    if (!s->high || !s->wanted)
        return wci_err_nomem(err);
    for (int i = 0; i <= 2; i++)
        add_wanted(s, i);
    for (size_t i = 0; i < s->fd_count; i++)
        add_wanted(s, s->fds[i].to);
    void *stacks = mmap(NULL, 2 * STACK_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stacks == MAP_FAILED)
        return wci_err_nomem(err);
    s->stacks = stacks;
    return WC_OK;
}

static void clean_up(spawn *s)
{
    if (s->stacks)
        munmap(s->stacks, 2 * STACK_SIZE);
    wci_free(s->high);
    wci_free(s->wanted);
}

/* 0 or errno. Every signal stays blocked meanwhile: a handler of the host must not run in a child
 * that shares its memory. */
static int start(spawn *s)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    s->failed = -1;
    int pid = clone(run_intermediate, s->stacks + STACK_SIZE, CLONE_VM | CLONE_VFORK, s);
    int failed = pid < 0 ? errno : 0;
    if (pid > 0)
        while (waitpid(pid, NULL, __WCLONE) < 0 && errno == EINTR)
            ;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (failed)
        return failed;
    return s->failed < 0 ? ECHILD : s->failed;
}

int32_t wci_spawn_helper(const char *const *argv, const char *const *env,
                         const wci_spawn_fd *fds, size_t fd_count, wc_error **err)
{
    static const char *const no_env[] = {NULL};
    spawn s = {.argv = argv, .env = env ? env : no_env, .fds = fds, .fd_count = fd_count};
    int32_t rc = prepare(&s, err);
    if (!rc) {
        int failed = start(&s);
        if (failed)
            rc = wci_err_errno(err, failed, "program '%s': starting", argv[0]);
    }
    clean_up(&s);
    return rc;
}
