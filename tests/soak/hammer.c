/* SPDX-License-Identifier: Apache-2.0 */
/* Threads of one process that do at random whatever can be done to the same few containers, beside other processes that
 * do the same; hammer.py starts all of them.
 *
 *   hammer ROOT RUN_ROOT IMAGE SECONDS THREADS SEED
 *
 * A call may fail only as its documentation says for a container that somebody else has just ended, started, paused,
 * renamed or removed. Each container that was made and each that was removed is printed, so that none can be lost. */
#include <wincontainer/wincontainer.h>

#include <stdatomic.h>
#include <time.h>

#include "support/workers.h"

#define SECOND 1000000000ll
/* Nothing here takes that long unless it hangs; on a loaded machine and under a sanitizer. */
#define PATIENCE (300 * SECOND)

enum { THREADS_MAX = 32, NAMES = 8 };

typedef struct anvil {
    wc_context *context;
    const char *image;
    unsigned seed;
    time_t end;
    atomic_uint done[32]; /* by operation */
    atomic_uint refused[32];
} anvil;

typedef struct hand {
    worker *w;
    anvil *a;
    unsigned random;
    wc_cancel *cancel;
    wc_container *c;
} hand;

static unsigned draw(hand *h, unsigned below)
{
    h->random = h->random * 1664525u + 1013904223u;
    return (h->random >> 8) % below;
}

static const char *any_name(hand *h)
{
    static const char *const names[NAMES] = {"anvil-0", "anvil-1", "anvil-2", "anvil-3",
                                             "anvil-4", "anvil-5", "anvil-6", "anvil-7"};
    return names[draw(h, NAMES)];
}

static void tell(const char *what, const char *id)
{
    flockfile(stdout);
    printf("%s %s\n", what, id);
    fflush(stdout);
    funlockfile(stdout);
}

/* ---- What is done ------------------------------------------------------------------------------- */

typedef int32_t operation(hand *h, wc_error **err);

static int32_t make(hand *h, wc_error **err)
{
    static const char *const words[] = {"sh", "-c", "trap 'exit 3' TERM; echo up; while :; do sleep 0.2; echo on; done"};
    static const char *const policies[] = {"no", "no", "on-failure", "always"};
    wc_container_options *o = NULL;
    wc_container *made = NULL;
    int32_t rc = wc_container_options_new(h->a->image, &o, err);
    if (!rc)
        rc = wc_container_options_set_name(o, any_name(h), err);
    if (!rc)
        rc = wc_container_options_set_command(o, words, 3, err);
    if (!rc)
        rc = wc_container_options_set_network(o, "none", err);
    if (!rc)
        rc = wc_container_options_set_restart_policy(o, policies[draw(h, 4)], 0, err);
    if (!rc)
        rc = wc_container_create(h->a->context, o, h->cancel, &made, err);
    if (!rc)
        tell("made", wc_container_id(made));
    wc_container_unref(made);
    wc_container_options_unref(o);
    return rc;
}

static int32_t start(hand *h, wc_error **err)
{
    return wc_container_start(h->c, 0, h->cancel, NULL, err);
}

static int32_t stop(hand *h, wc_error **err)
{
    return wc_container_stop(h->c, draw(h, 2) * SECOND / 2, h->cancel, err);
}

static int32_t restart(hand *h, wc_error **err)
{
    return wc_container_restart(h->c, 0, h->cancel, err);
}

static int32_t deal_blow(hand *h, wc_error **err)
{
    static const char *const signals[] = {"TERM", "KILL", "HUP", "WINCH"};
    return wc_container_kill(h->c, signals[draw(h, 4)], err);
}

static int32_t hold(hand *h, wc_error **err)
{
    return wc_container_pause(h->c, h->cancel, err);
}

static int32_t let_go(hand *h, wc_error **err)
{
    return wc_container_unpause(h->c, h->cancel, err);
}

static int32_t name_anew(hand *h, wc_error **err)
{
    return wc_container_rename(h->c, any_name(h), err);
}

static int32_t take_away(hand *h, wc_error **err)
{
    char id[96];
    snprintf(id, sizeof id, "%s", wc_container_id(h->c));
    int32_t rc = wc_container_remove(h->c, draw(h, 2) ? WC_REMOVE_FORCE : 0, h->cancel, err);
    if (!rc)
        tell("removed", id);
    return rc;
}

static int32_t change(hand *h, wc_error **err)
{
    wc_update_options *o = NULL;
    int32_t rc = wc_update_options_new(&o, err);
    if (!rc)
        rc = draw(h, 2) ? wc_update_options_set_cpu_shares(o, 512 + draw(h, 512), err)
                        : wc_update_options_set_restart_policy(o, draw(h, 2) ? "no" : "always", 0, err);
    if (!rc)
        rc = wc_container_update(h->c, o, h->cancel, err);
    wc_update_options_unref(o);
    return rc;
}

static int32_t read_to_end(hand *h, wc_stream *stream, wc_error **err)
{
    char piece[4096];
    size_t got;
    int32_t channel, rc = WC_OK;
    wc_error *why = NULL;
    while (!rc)
        rc = wc_stream_read(stream, &channel, piece, sizeof piece, &got, PATIENCE, h->cancel, &why);
    if (rc != WC_E_CLOSED) {
        *err = why;
        return rc;
    }
    wc_error_unref(why);
    return WC_OK;
}

static int32_t execute(hand *h, wc_error **err)
{
    static const char *const words[] = {"sh", "-c", "echo inside; exit 5"};
    wc_exec_options *o = NULL;
    wc_process *p = NULL;
    wc_stream *stream = NULL;
    int32_t code = 0, rc = wc_exec_options_new(words, 3, &o, err);
    if (!rc)
        rc = wc_container_exec(h->c, o, WC_ATTACH_STDOUT, h->cancel, &p, &stream, err);
    if (!rc)
        rc = read_to_end(h, stream, err);
    if (!rc)
        rc = wc_process_wait(p, h->cancel, &code, err);
    if (!rc && code != 5 && code < 128) /* else the container was ended meanwhile */
        give_up(h->w, "exec: exit code", code, NULL);
    wc_stream_unref(stream);
    wc_process_unref(p);
    wc_exec_options_unref(o);
    return rc;
}

static int32_t read_logs(hand *h, wc_error **err)
{
    wc_logs *logs = NULL;
    int32_t rc = wc_container_logs(h->c, NULL, &logs, err);
    while (!rc) {
        wc_buf *line = NULL;
        wc_error *why = NULL;
        rc = wc_logs_next(logs, NULL, NULL, &line, PATIENCE, h->cancel, &why);
        if (!rc && strncmp(wc_buf_data(line), "up\n", 3) && strncmp(wc_buf_data(line), "on\n", 3))
            give_up(h->w, "logs: a torn line", 0, NULL);
        wc_buf_unref(line);
        if (rc && rc != WC_E_CLOSED)
            *err = why;
        else
            wc_error_unref(why);
    }
    wc_logs_unref(logs);
    return rc == WC_E_CLOSED ? WC_OK : rc;
}

static int32_t look(hand *h, wc_error **err)
{
    wc_container_info *info = NULL;
    int32_t rc = wc_container_inspect(h->c, &info, err);
    wc_container_info_unref(info);
    return rc;
}

static int32_t look_at_all(hand *h, wc_error **err)
{
    wc_list *list = NULL;
    int32_t rc = wc_container_list(h->a->context, &list, err);
    if (!rc && wc_list_count(list) > NAMES)
        give_up(h->w, "list: more containers than names", 0, NULL);
    wc_list_unref(list);
    return rc;
}

static int32_t measure(hand *h, wc_error **err)
{
    wc_stats *stats = NULL;
    int32_t rc = wc_container_stats(h->c, h->cancel, &stats, err);
    wc_stats_unref(stats);
    return rc;
}

static int32_t look_inside(hand *h, wc_error **err)
{
    wc_buf *text = NULL;
    int32_t rc = wc_container_processes(h->c, NULL, 0, h->cancel, &text, err);
    wc_buf_unref(text);
    return rc;
}

static int32_t attach(hand *h, wc_error **err)
{
    char piece[64];
    size_t got;
    int32_t channel;
    wc_stream *stream = NULL;
    wc_error *why = NULL;
    int32_t rc = wc_container_attach(h->c, WC_ATTACH_STDOUT, h->cancel, &stream, err);
    if (!rc)
        rc = wc_stream_read(stream, &channel, piece, sizeof piece, &got, SECOND / 10, h->cancel, &why);
    if (why && rc != WC_E_TIMEOUT && rc != WC_E_CLOSED) {
        *err = why;
    } else {
        wc_error_unref(why);
        rc = *err ? rc : WC_OK;
    }
    wc_stream_unref(stream);
    return rc;
}

static int32_t wait_for_end(hand *h, wc_error **err)
{
    wc_error *why = NULL;
    wc_cancel *soon = NULL;
    int32_t rc = wc_cancel_new(&soon, err);
    if (rc)
        return rc;
    wc_cancel_set_timeout(soon, SECOND / 5);
    rc = wc_container_wait(h->c, WC_WAIT_NOT_RUNNING, soon, NULL, &why);
    wc_cancel_unref(soon);
    if (rc && rc != WC_E_TIMEOUT)
        *err = why;
    else
        wc_error_unref(why);
    return rc == WC_E_TIMEOUT ? WC_OK : rc;
}

/* Which codes somebody else's work explains. EXISTS: the name has been taken; INVALID: it
 * is its own. */
typedef struct kind {
    const char *name;
    operation *run;
    unsigned weight;
    int needs_no_container;
    int32_t allowed[4];
} kind;

static const kind kinds[] = {
    {"create", make, 8, 1, {WC_E_EXISTS}},
    {"start", start, 24, 0, {WC_E_STATE, WC_E_NOT_FOUND}},
    {"stop", stop, 2, 0, {WC_E_NOT_FOUND}},
    {"restart", restart, 2, 0, {WC_E_STATE, WC_E_NOT_FOUND}},
    {"kill", deal_blow, 3, 0, {WC_E_STATE, WC_E_NOT_FOUND}},
    {"pause", hold, 4, 0, {WC_E_STATE, WC_E_NOT_FOUND}},
    {"unpause", let_go, 10, 0, {WC_E_STATE, WC_E_NOT_FOUND}},
    {"rename", name_anew, 3, 0, {WC_E_EXISTS, WC_E_NOT_FOUND, WC_E_STATE, WC_E_INVALID}},
    {"rm", take_away, 2, 0, {WC_E_STATE, WC_E_NOT_FOUND}},
    {"update", change, 5, 0, {WC_E_STATE, WC_E_NOT_FOUND}},
    {"exec", execute, 10, 0, {WC_E_STATE, WC_E_NOT_FOUND}},
    {"logs", read_logs, 5, 0, {WC_E_NOT_FOUND}},
    {"inspect", look, 6, 0, {WC_E_NOT_FOUND}},
    {"list", look_at_all, 4, 1, {0}},
    {"stats", measure, 4, 0, {WC_E_STATE, WC_E_NOT_FOUND}},
    {"top", look_inside, 3, 0, {WC_E_STATE, WC_E_NOT_FOUND}},
    {"attach", attach, 4, 0, {WC_E_STATE, WC_E_NOT_FOUND}},
    {"wait", wait_for_end, 3, 0, {WC_E_NOT_FOUND}},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* ---- The hands ---------------------------------------------------------------------------------- */

static unsigned draw_kind(hand *h)
{
    unsigned all = 0, at = 0;
    for (unsigned i = 0; i < KINDS; i++)
        all += kinds[i].weight;
    for (unsigned drawn = draw(h, all); drawn >= kinds[at].weight; at++)
        drawn -= kinds[at].weight;
    return at;
}

static int is_explained(const kind *k, int32_t rc)
{
    for (unsigned i = 0; i < sizeof k->allowed / sizeof *k->allowed; i++)
        if (rc == k->allowed[i])
            return 1;
    return rc == WC_OK;
}

static void note(hand *h, unsigned which, int32_t rc, wc_error *err)
{
    wc_buf *text = NULL;
    atomic_fetch_add(rc ? &h->a->refused[which] : &h->a->done[which], 1);
    if (is_explained(&kinds[which], rc)) {
        wc_error_unref(err);
        return;
    }
    if (err && !wc_error_format(err, &text))
        fprintf(stderr, "hammer: %s: %s: %.*s\n", kinds[which].name, wc_code_name(rc), (int)wc_buf_size(text),
                (const char *)wc_buf_data(text));
    wc_buf_unref(text);
    give_up(h->w, kinds[which].name, rc, err);
}

static void strike(hand *h)
{
    unsigned which = draw_kind(h);
    const kind *k = &kinds[which];
    wc_error *err = NULL;
    int32_t rc = WC_OK;
    wc_cancel_set_timeout(h->cancel, PATIENCE);
    if (!k->needs_no_container)
        rc = wc_container_open(h->a->context, any_name(h), &h->c, &err);
    if (rc == WC_E_NOT_FOUND) {
        wc_error_unref(err);
        return;
    }
    if (!rc)
        rc = k->run(h, &err);
    note(h, which, rc, err);
    wc_container_unref(h->c);
    h->c = NULL;
}

static void hammer(worker *w)
{
    hand h = {.w = w, .a = w->shared};
    h.random = h.a->seed * 1000 + w->index;
    need(w, wc_cancel_new(&h.cancel, &err));
    while (!w->why[0] && time(NULL) < h.a->end)
        strike(&h);
    wc_cancel_unref(h.cancel);
}

static wc_context *open_store(char **argv)
{
    wc_context_options *options = NULL;
    wc_context *context = NULL;
    if (wc_context_options_new(&options, NULL) || wc_context_options_set_root(options, argv[1], NULL) ||
        wc_context_options_set_run_root(options, argv[2], NULL) || wc_context_open(options, NULL, &context, NULL))
        abort();
    wc_context_options_unref(options);
    return context;
}

int main(int argc, char **argv)
{
    anvil a = {.context = NULL};
    worker w[THREADS_MAX] = {{0}};
    unsigned count = argc == 7 ? (unsigned)atoi(argv[5]) : 0;
    if (!count || count > THREADS_MAX)
        return 2;
    a.context = open_store(argv);
    a.image = argv[3];
    a.end = time(NULL) + atoi(argv[4]);
    a.seed = (unsigned)atoi(argv[6]);
    for (unsigned i = 0; i < count; i++)
        w[i] = (worker){.work = hammer, .shared = &a};
    workers_start(w, count, count);
    const char *why = workers_join(w, count);
    for (unsigned i = 0; i < KINDS; i++)
        printf("count %s %u %u\n", kinds[i].name, atomic_load(&a.done[i]), atomic_load(&a.refused[i]));
    if (why)
        fprintf(stderr, "hammer: %s\n", why);
    wc_context_unref(a.context);
    return why != NULL;
}
