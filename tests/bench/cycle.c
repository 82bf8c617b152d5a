/* SPDX-License-Identifier: Apache-2.0 */
/* What a host application pays for one container: create, start, wait and remove in this process, over and over,
 * and after each of them the bare runtime's own run of the same bundle. Prints the nanoseconds of both, a line
 * a round.
 *
 *   bench_cycle ROOT RUN_ROOT RUNTIME IMAGE ROUNDS BUNDLE
 *
 * The runtime's state is kept in BUNDLE/state. */
#include <wincontainer/wincontainer.h>

#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void end(const char *what, const wc_error *err)
{
    fprintf(stderr, "bench_cycle: %s: %s\n", what, err ? wc_error_message(err) : "failed");
    exit(1);
}

/* The call has `err` as its last argument. */
#define need(call)                                                                                                     \
    do {                                                                                                               \
        wc_error *err = NULL;                                                                                          \
        if (call)                                                                                                      \
            end(#call, err);                                                                                           \
    } while (0)

static wc_context *open_store(char **argv)
{
    wc_context_options *options = NULL;
    wc_context *context = NULL;
    need(wc_context_options_new(&options, &err));
    need(wc_context_options_set_root(options, argv[1], &err));
    need(wc_context_options_set_run_root(options, argv[2], &err));
    need(wc_context_options_set_runtime(options, argv[3], &err));
    need(wc_context_open(options, NULL, &context, &err));
    wc_context_options_unref(options);
    return context;
}

static void cycle(wc_context *context, const wc_container_options *options)
{
    wc_container *c = NULL;
    int32_t code = 0;
    need(wc_container_create(context, options, NULL, &c, &err));
    need(wc_container_start(c, 0, NULL, NULL, &err));
    need(wc_container_wait(c, WC_WAIT_NOT_RUNNING, NULL, &code, &err));
    if (code)
        end("the container", NULL);
    need(wc_container_remove(c, 0, NULL, &err));
    wc_container_unref(c);
}

static void run_bare(const char *runtime, const char *bundle, int number)
{
    char state[4096], id[32];
    int status;
    pid_t pid;
    snprintf(state, sizeof state, "%s/state", bundle);
    snprintf(id, sizeof id, "bench-%d", number);
    const char *const words[] = {runtime, "--root", state, "run", "--bundle", bundle, id, NULL};
    if (posix_spawnp(&pid, runtime, NULL, NULL, (char *const *)words, environ) || waitpid(pid, &status, 0) != pid ||
        status)
        end("the bare runtime", NULL);
}

int main(int argc, char **argv)
{
    static const char *const words[] = {"true"};
    if (argc != 7)
        return 2;
    wc_context *context = open_store(argv);
    wc_container_options *options = NULL;
    need(wc_container_options_new(argv[4], &options, &err));
    need(wc_container_options_set_command(options, words, 1, &err));
    need(wc_container_options_set_network(options, "none", &err));
    for (int i = 0, rounds = atoi(argv[5]); i < rounds; i++) {
        int64_t begin = now();
        cycle(context, options);
        int64_t between = now();
        run_bare(argv[3], argv[6], i);
        printf("%" PRId64 " %" PRId64 "\n", between - begin, now() - between);
    }
    wc_container_options_unref(options);
    wc_context_unref(context);
    return 0;
}
