/* SPDX-License-Identifier: Apache-2.0 */
/* Threads of one process that live with the library for as long as they are told: each line on standard input is
 * a number of seconds; then all of them rest, and one line tells how often they went round and how many bytes
 * of heap are in use. The context stays open from beginning to end. soak.py starts this.
 *
 *   soak_threads ROOT RUN_ROOT STEADY SOURCE...
 *
 * A thread for each SOURCE of an image; STEADY is a container that runs all the time. */
#include <wincontainer/wincontainer.h>

#include <malloc.h>
#include <time.h>

#include "support/sanitized.h"
#include "support/workers.h"

#define SECOND 1000000000ll
enum {
    WORKERS_MAX = 8,
    KEEPS_IMAGE = 4, /* rounds, from the pull to the removal */
    PRUNES = 10,     /* rounds, from one to the next */
};

typedef struct soak {
    wc_context *context;
    wc_container *steady;
    const char *source[WORKERS_MAX];
    int rounds[WORKERS_MAX];
    time_t end;
} soak;

static void open_context(worker *w, char **argv, wc_context **out)
{
    wc_context_options *options = NULL;
    need(w, wc_context_options_new(&options, &err));
    need(w, wc_context_options_set_root(options, argv[1], &err));
    need(w, wc_context_options_set_run_root(options, argv[2], &err));
    need(w, wc_context_open(options, NULL, out, &err));
    wc_context_options_unref(options);
}

/* ---- Images ------------------------------------------------------------------------------------ */

static int32_t see(const wc_progress *progress, uintptr_t payload)
{
    (void)progress;
    ++*(int *)payload;
    return 0;
}

static void pull(worker *w, soak *s, const char *name)
{
    int reports = 0;
    wc_transfer_options *options = NULL;
    wc_image *image = NULL;
    wc_buf *text = NULL;
    need(w, wc_transfer_options_new(&options, &err));
    need(w, wc_transfer_options_add_name(options, name, &err));
    need(w, wc_transfer_options_set_progress(options, see, (uintptr_t)&reports, &err));
    need(w, wc_image_pull(s->context, s->source[w->index], options, NULL, &image, &err));
    need(w, wc_image_inspect(image, &text, &err));
    need_true(w, reports > 0);
    wc_buf_unref(text);
    wc_image_unref(image);
    wc_transfer_options_unref(options);
}

static void remove_image(worker *w, soak *s, const char *name)
{
    wc_list *removed = NULL;
    need(w, wc_image_remove(s->context, name, 0, NULL, &removed, &err));
    wc_list_unref(removed);
}

/* ---- Containers -------------------------------------------------------------------------------- */

static void read_all(worker *w, wc_stream *stream, const char *want)
{
    char all[256];
    size_t size = 0, got = 0;
    int32_t channel = 0, rc = WC_OK;
    wc_error *err = NULL;
    while (!rc && size < sizeof all) {
        rc = wc_stream_read(stream, &channel, all + size, sizeof all - size, &got, 60 * SECOND, NULL, &err);
        size += rc ? 0 : got;
    }
    if (rc != WC_E_CLOSED) {
        give_up(w, "wc_stream_read", rc, err);
        return;
    }
    wc_error_unref(err);
    need_true(w, size == strlen(want) && !memcmp(all, want, size));
}

static void create(worker *w, soak *s, const char *image, wc_container **out)
{
    static const char *const words[] = {"sh", "-c", "read x; echo $x; exit 3"};
    wc_container_options *options = NULL;
    need(w, wc_container_options_new(image, &options, &err));
    need(w, wc_container_options_set_command(options, words, 3, &err));
    need(w, wc_container_options_set_network(options, "none", &err));
    need(w, wc_container_options_set_open_stdin(options, 1, &err));
    need(w, wc_container_create(s->context, options, NULL, out, &err));
    wc_container_options_unref(options);
}

static void talk(worker *w, wc_container *c)
{
    size_t put = 0;
    int32_t code = 0;
    wc_stream *stream = NULL;
    need(w, wc_container_start(c, WC_ATTACH_STDIN | WC_ATTACH_STDOUT, NULL, &stream, &err));
    need(w, wc_stream_write(stream, "word\n", 5, &put, 60 * SECOND, NULL, &err));
    read_all(w, stream, "word\n");
    wc_stream_unref(stream);
    need(w, wc_container_wait(c, WC_WAIT_NOT_RUNNING, NULL, &code, &err));
    need_true(w, w->why[0] || code == 3);
}

static void read_logs(worker *w, wc_container *c)
{
    wc_logs *logs = NULL;
    wc_buf *line = NULL;
    need(w, wc_container_logs(c, NULL, &logs, &err));
    need(w, wc_logs_next(logs, NULL, NULL, &line, 60 * SECOND, NULL, &err));
    need_true(w, wc_buf_size(line) == 5);
    wc_buf_unref(line);
    need_true(w, wc_logs_next(logs, NULL, NULL, &line, 60 * SECOND, NULL, NULL) == WC_E_CLOSED);
    wc_logs_unref(logs);
}

static void run(worker *w, soak *s, const char *image)
{
    wc_container *c = NULL;
    wc_container_info *info = NULL;
    create(w, s, image, &c);
    if (!w->why[0])
        talk(w, c);
    if (!w->why[0])
        read_logs(w, c);
    if (w->why[0])
        return;
    need(w, wc_container_inspect(c, &info, &err));
    wc_container_info_unref(info);
    need(w, wc_container_remove(c, 0, NULL, &err));
    wc_container_unref(c);
}

/* Beside the other threads and processes, which do the same. */
static void execute(worker *w, soak *s)
{
    static const char *const words[] = {"sh", "-c", "echo inside; exit 5"};
    int32_t code = 0;
    wc_exec_options *options = NULL;
    wc_process *process = NULL;
    wc_stream *stream = NULL;
    need(w, wc_exec_options_new(words, 3, &options, &err));
    need(w, wc_container_exec(s->steady, options, WC_ATTACH_STDOUT, NULL, &process, &stream, &err));
    read_all(w, stream, "inside\n");
    need(w, wc_process_wait(process, NULL, &code, &err));
    need_true(w, w->why[0] || code == 5);
    wc_stream_unref(stream);
    wc_process_unref(process);
    wc_exec_options_unref(options);
}

/* ---- The rest ---------------------------------------------------------------------------------- */

static void look(worker *w, soak *s)
{
    wc_list *list = NULL;
    wc_buf *text = NULL;
    need(w, wc_image_list(s->context, &list, &err));
    wc_list_unref(list);
    need(w, wc_container_list(s->context, &list, &err));
    wc_list_unref(list);
    need(w, wc_system_df(s->context, NULL, &text, &err));
    wc_buf_unref(text);
}

/* An error with its whole chain, and a wait that is given up. */
static void provoke_errors(worker *w, soak *s)
{
    wc_error *why = NULL;
    wc_image *image = NULL;
    wc_cancel *cancel = NULL;
    wc_buf *text = NULL;
    need_true(w, wc_image_pull(s->context, "oci:/no/such/layout:1", NULL, NULL, &image, &why) != WC_OK);
    need_true(w, wc_error_format(why, &text) == WC_OK);
    wc_buf_unref(text);
    wc_error_unref(why);
    need(w, wc_cancel_new(&cancel, &err));
    wc_cancel_set_timeout(cancel, 1000000);
    need_true(w, wc_container_wait(s->steady, WC_WAIT_NOT_RUNNING, cancel, NULL, NULL) == WC_E_TIMEOUT);
    wc_cancel_unref(cancel);
}

/* Not the containers: those of the others may have ended just now. */
static void prune(worker *w, soak *s)
{
    int64_t reclaimed = 0;
    wc_list *removed = NULL;
    need(w, wc_system_prune(s->context, WC_PRUNE_DANGLING | WC_PRUNE_PARTIAL, NULL, &reclaimed, &removed, &err));
    wc_list_unref(removed);
}

static void drain(worker *w, wc_events *events)
{
    wc_event *event = NULL;
    int32_t rc;
    while ((rc = wc_events_next(events, 0, NULL, &event, NULL)) == WC_OK)
        wc_event_unref(event);
    need_true(w, rc == WC_E_TIMEOUT || rc == WC_E_GAP);
}

static void go_round(worker *w, soak *s, wc_events *events)
{
    char name[32];
    snprintf(name, sizeof name, "thread-%u", w->index);
    int round = s->rounds[w->index];
    if (round % KEEPS_IMAGE == 0)
        pull(w, s, name);
    if (!w->why[0])
        run(w, s, name);
    if (!w->why[0])
        execute(w, s);
    if (!w->why[0])
        look(w, s);
    if (!w->why[0])
        provoke_errors(w, s);
    if (!w->why[0])
        drain(w, events);
    if (!w->why[0] && round % PRUNES == (int)w->index)
        prune(w, s);
    if (!w->why[0] && round % KEEPS_IMAGE == KEEPS_IMAGE - 1)
        remove_image(w, s, name);
}

static void live(worker *w)
{
    soak *s = w->shared;
    wc_events *events = NULL;
    need(w, wc_events_open(s->context, NULL, &events, &err));
    /* Ends without an image of its own, so that the store has the same in it after every rest. */
    while (!w->why[0] && (time(NULL) < s->end || s->rounds[w->index] % KEEPS_IMAGE)) {
        go_round(w, s, events);
        s->rounds[w->index]++;
    }
    wc_events_unref(events);
}

/* 0 where the allocator is a sanitizer's: its memory says nothing. */
static size_t heap_in_use(void)
{
#ifdef TEST_SANITIZED
    return 0;
#else
    return mallinfo2().uordblks;
#endif
}

static void rest(const soak *s, unsigned count)
{
    int rounds = 0;
    for (unsigned i = 0; i < count; i++)
        rounds += s->rounds[i];
    printf("rounds %d heap %zu\n", rounds, heap_in_use());
    fflush(stdout);
}

int main(int argc, char **argv)
{
    soak s = {.context = NULL};
    worker w[WORKERS_MAX] = {{0}};
    char line[32];
    unsigned count = argc > 4 ? (unsigned)argc - 4 : 0;
    if (!count || count > WORKERS_MAX)
        return 2;
    for (unsigned i = 0; i < count; i++) {
        s.source[i] = argv[4 + i];
        w[i] = (worker){.work = live, .shared = &s};
    }
    open_context(&w[0], argv, &s.context);
    const char *why = w[0].why[0] ? w[0].why : NULL;
    if (!why && wc_container_open(s.context, argv[3], &s.steady, NULL))
        why = "the steady container is not there";
    while (!why && fgets(line, sizeof line, stdin)) {
        s.end = time(NULL) + atoi(line);
        workers_start(w, count, count);
        why = workers_join(w, count);
        rest(&s, count);
    }
    if (why)
        fprintf(stderr, "soak_threads: %s\n", why);
    wc_container_unref(s.steady);
    wc_context_unref(s.context);
    return why != NULL;
}
