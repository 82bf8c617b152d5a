/* SPDX-License-Identifier: Apache-2.0 */
/* One context, and the snapshots it gives, used by many threads at the same time. The thread sanitizer's build
 * makes of these tests a proof; in the others they show that the outcome is right. */
#include <wincontainer/backend.h>
#include <wincontainer/wincontainer.h>

#include "support/sanitized.h"
#include "support/server_process.h"
#include "support/support.h"
#include "support/workers.h"

#define IMAGE "base"
#define SECOND 1000000000ll

static char *dir;
static wc_context *context;
static wc_error *error;

static void join_workers(worker *w, unsigned count)
{
    const char *why = workers_join(w, count);
    ck_assert_msg(!why, "%s", why);
}

static void run_workers(worker *w, unsigned count, unsigned making)
{
    workers_start(w, count, making);
    join_workers(w, count);
}

/* ---- The store --------------------------------------------------------------------------------- */

static int32_t open_context(wc_context **out, wc_error **err)
{
    char *root = test_text("%s/store", dir);
    wc_context_options *options = NULL;
    int32_t rc = wc_context_options_new(&options, err);
    if (!rc)
        rc = wc_context_options_set_root(options, root, err);
    if (!rc)
        rc = wc_context_options_set_backend(options, "mock", err);
    if (!rc)
        rc = wc_context_options_set_log_level(options, WC_LOG_DEBUG, err);
    if (!rc)
        rc = wc_context_open(options, NULL, out, err);
    wc_context_options_unref(options);
    free(root);
    return rc;
}

/* Layouts of the same seed share their first layers. */
static void make_layout(const char *name, int layers)
{
    char *command = test_text("python3 '%s/tests/support/make_layout.py' '%s/%s' v1 --layers %d --size 100000 "
                              "--config '{\"Cmd\":[\"exit:0\"]}' >/dev/null",
                              WC_TEST_SOURCE_DIR, dir, name, layers);
    ck_assert_int_eq(test_run(command, NULL), 0);
    free(command);
}

static int32_t pull_from(const char *source, const char *name, wc_progress_cb progress, uintptr_t payload,
                         wc_cancel *cancel, wc_image **out, wc_error **err)
{
    wc_transfer_options *transfer = NULL;
    int32_t rc = wc_transfer_options_new(&transfer, err);
    if (!rc)
        rc = wc_transfer_options_add_name(transfer, name, err);
    if (!rc)
        rc = wc_transfer_options_set_progress(transfer, progress, payload, err);
    if (!rc)
        rc = wc_image_pull(context, source, transfer, cancel, out, err);
    wc_transfer_options_unref(transfer);
    return rc;
}

static int32_t pull(const char *layout, const char *name, wc_image **out, wc_error **err)
{
    char *source = test_text("oci:%s/%s:v1", dir, layout);
    int32_t rc = pull_from(source, name, NULL, 0, NULL, out, err);
    free(source);
    return rc;
}

static void setup(void)
{
    wc_image *image = NULL;
    dir = test_make_dir();
    make_layout("one", 3);
    make_layout("two", 5);
    test_ok(open_context(&context, &error));
    test_ok(pull("one", IMAGE, &image, &error));
    wc_image_unref(image);
}

static void teardown(void)
{
    wc_error_unref(error);
    error = NULL;
    wc_context_unref(context);
    test_remove_dir(dir);
}

static void assert_store_is_sound(void)
{
    wc_list *findings = NULL;
    test_ok(wc_system_check(context, 0, NULL, &findings, &error));
    for (size_t i = 0; i < wc_list_count(findings); i++)
        printf("%s\n", wc_list_string(findings, i));
    ck_assert_uint_eq(wc_list_count(findings), 0);
    wc_list_unref(findings);
}

static size_t image_count(void)
{
    wc_list *list = NULL;
    test_ok(wc_image_list(context, &list, &error));
    size_t count = wc_list_count(list);
    wc_list_unref(list);
    return count;
}

static wc_container *create(const char *script)
{
    wc_container_options *options = NULL;
    wc_container *container = NULL;
    test_ok(wc_container_options_new(IMAGE, &options, &error));
    test_ok(wc_container_options_set_command(options, &script, 1, &error));
    test_ok(wc_container_create(context, options, NULL, &container, &error));
    wc_container_options_unref(options);
    return container;
}

/* ---- Pulling ----------------------------------------------------------------------------------- */

static void pull_two_under_own_name(worker *w)
{
    wc_image *image = NULL;
    char name[32];
    snprintf(name, sizeof name, "own-%u", w->index);
    need(w, pull("two", name, &image, &err));
    snprintf(w->id, sizeof w->id, "%s", wc_image_id(image));
    wc_image_unref(image);
}

START_TEST(the_same_image_from_all)
{
    worker w[8] = {{0}};
    for (int i = 0; i < 8; i++)
        w[i].work = pull_two_under_own_name;
    run_workers(w, 8, 8);
    for (int i = 1; i < 8; i++)
        ck_assert_str_eq(w[i].id, w[0].id);
    ck_assert_uint_eq(image_count(), 2);
    wc_image *image = NULL;
    test_ok(wc_image_open(context, "own-3", &image, &error));
    ck_assert_uint_eq(wc_image_name_count(image), 8);
    wc_image_unref(image);
    assert_store_is_sound();
}
END_TEST

typedef struct progress_seen {
    pthread_t thread;
    int reports, strangers;
} progress_seen;

static int32_t see_progress(const wc_progress *progress, uintptr_t payload)
{
    progress_seen *seen = (progress_seen *)payload;
    seen->reports++;
    seen->strangers += !pthread_equal(seen->thread, pthread_self()) || !wc_progress_id(progress);
    return 0;
}

static void pull_from_registry(worker *w)
{
    progress_seen seen = {pthread_self(), 0, 0};
    wc_image *image = NULL;
    char name[32], source[160];
    snprintf(name, sizeof name, "own-%u", w->index);
    snprintf(source, sizeof source, "docker://%s/%s:v1", (const char *)w->shared, w->index % 3 ? "app/five" : "app/seven");
    need(w, pull_from(source, name, see_progress, (uintptr_t)&seen, NULL, &image, &err));
    w->count = seen.reports;
    need_true(w, seen.strangers == 0);
    snprintf(w->id, sizeof w->id, "%s", wc_image_id(image));
    wc_image_unref(image);
}

static void push_layout(const char *layout, const char *address, const char *name)
{
    char *target = test_text("docker://%s/%s:v1", address, name), *source = test_text("oci:%s/%s:v1", dir, layout);
    test_ok(wc_image_copy(context, source, target, NULL, NULL, &error));
    free(target);
    free(source);
}

START_TEST(a_registry_feeds_all)
{
    char *data = test_text("%s/registry", dir);
    const char *const argv[] = {WC_TEST_SOURCE_DIR "/tests/support/registry.sh", "serve", data, NULL};
    server_process server;
    char address[64];
    ck_assert_int_eq(server_start(&server, argv), 1);
    ck_assert_int_eq(sscanf(server.line, "%63s", address), 1);
    make_layout("seven", 7);
    push_layout("two", address, "app/five");
    push_layout("seven", address, "app/seven");
    worker w[9] = {{0}};
    for (int i = 0; i < 9; i++)
        w[i] = (worker){.work = pull_from_registry, .shared = address};
    run_workers(w, 9, 9);
    for (int i = 0; i < 9; i++) {
        ck_assert_str_eq(w[i].id, w[i % 3 ? 1 : 0].id);
        ck_assert_int_gt(w[i].count, 0);
    }
    ck_assert_str_ne(w[0].id, w[1].id);
    ck_assert_uint_eq(image_count(), 3);
    assert_store_is_sound();
    server_stop(&server);
    free(data);
}
END_TEST

/* Cancels at some point of the pull, another one each time. */
static void pull_and_be_cancelled(worker *w)
{
    for (int round = 0; round < 10; round++) {
        char *source = test_text("oci:%s/two:v1", dir);
        wc_cancel *cancel = NULL;
        wc_image *image = NULL;
        need(w, wc_cancel_new(&cancel, &err));
        wc_cancel_set_timeout(cancel, round * 1000000 + 1);
        wc_error *err = NULL;
        int32_t rc = pull_from(source, "cancelled", NULL, 0, cancel, &image, &err);
        if (rc && rc != WC_E_TIMEOUT) {
            give_up(w, "pull", rc, err);
            return;
        }
        w->count += !rc;
        wc_error_unref(err);
        wc_image_unref(image);
        wc_cancel_unref(cancel);
        free(source);
    }
}

START_TEST(cancelled_pulls_leave_the_others_alone)
{
    worker w[6] = {{0}};
    for (int i = 0; i < 6; i++)
        w[i].work = i < 3 ? pull_and_be_cancelled : pull_two_under_own_name;
    run_workers(w, 6, 6);
    for (int i = 4; i < 6; i++)
        ck_assert_str_eq(w[i].id, w[3].id);
    assert_store_is_sound();
}
END_TEST

/* ---- Everything at once -------------------------------------------------------------------------- */

enum { ROUNDS = 6 };

/* Names come and go; the image itself does, too, whenever the last name goes. */
static void pull_tag_and_remove(worker *w)
{
    for (int round = 0; round < ROUNDS; round++) {
        wc_image *image = NULL;
        wc_list *removed = NULL;
        char name[32], more[32];
        snprintf(name, sizeof name, "come-%u", w->index);
        snprintf(more, sizeof more, "more-%u", w->index);
        need(w, pull("two", name, &image, &err));
        need(w, wc_image_tag(image, more, &err));
        need(w, wc_image_remove(context, name, 0, NULL, NULL, &err));
        need(w, wc_image_remove(context, more, 0, NULL, &removed, &err));
        need_true(w, wc_list_count(removed) >= 1);
        wc_list_unref(removed);
        wc_image_unref(image);
        w->count++;
    }
}

static int32_t create_numbered(const worker *w, int round, wc_container **out, wc_error **err)
{
    char name[32], out_line[48], exit_word[24];
    snprintf(name, sizeof name, "c-%u-%d", w->index, round);
    snprintf(out_line, sizeof out_line, "outln:%s", name);
    snprintf(exit_word, sizeof exit_word, "exit:%u", w->index);
    const char *const words[] = {out_line, exit_word};
    wc_container_options *options = NULL;
    int32_t rc = wc_container_options_new(IMAGE, &options, err);
    if (!rc)
        rc = wc_container_options_set_command(options, words, 2, err);
    if (!rc)
        rc = wc_container_options_set_name(options, name, err);
    if (!rc)
        rc = wc_container_create(context, options, NULL, out, err);
    wc_container_options_unref(options);
    return rc;
}

static int32_t read_stream(wc_stream *stream, char *text, size_t size, wc_error **err)
{
    size_t used = 0, got = 0;
    int32_t rc, channel;
    while (!(rc = wc_stream_read(stream, &channel, text + used, size - 1 - used, &got, 20 * SECOND, NULL, err)))
        used += got;
    text[used] = '\0';
    return rc;
}

static void check_output(worker *w, wc_container *c, wc_stream *stream, int round)
{
    char want[48], text[96];
    wc_buf *line = NULL;
    wc_logs *logs = NULL;
    int32_t rc;
    snprintf(want, sizeof want, "c-%u-%d\n", w->index, round);
    wc_error *end = NULL;
    rc = read_stream(stream, text, sizeof text, &end);
    wc_error_unref(end);
    if (rc == WC_E_NOT_FOUND) /* it has ended, and was pruned with what it had written */
        return;
    need_true(w, rc == WC_E_CLOSED && !strcmp(text, want));
    allow(w, rc, wc_container_logs(c, NULL, &logs, &err), WC_E_NOT_FOUND);
    if (rc)
        return;
    rc = wc_logs_next(logs, NULL, NULL, &line, 10 * SECOND, NULL, NULL);
    need_true(w, rc || !strcmp(wc_buf_data(line), want));
    wc_buf_unref(line);
    wc_logs_unref(logs);
}

/* The prune beside it may take whatever does not run: then the next call does not find it. */
static void run_one(worker *w, int round)
{
    wc_container *c = NULL;
    wc_stream *stream = NULL;
    int32_t rc, code = -1;
    need(w, create_numbered(w, round, &c, &err));
    allow(w, rc, wc_container_start(c, WC_ATTACH_STDOUT, NULL, &stream, &err), WC_E_NOT_FOUND);
    if (!rc) {
        w->count++;
        check_output(w, c, stream, round);
        allow(w, rc, wc_container_wait(c, WC_WAIT_NOT_RUNNING, NULL, &code, &err), WC_E_NOT_FOUND);
        need_true(w, rc || code == (int32_t)w->index);
        wc_stream_unref(stream);
    }
    allow(w, rc, wc_container_remove(c, 0, NULL, &err), WC_E_NOT_FOUND);
    wc_container_unref(c);
}

static void run_containers(worker *w)
{
    for (int round = 0; round < ROUNDS && !w->why[0]; round++)
        run_one(w, round);
}

static void prune(worker *w)
{
    do {
        int64_t bytes = -1;
        wc_list *removed = NULL;
        need(w, wc_system_prune(context, WC_PRUNE_CONTAINERS | WC_PRUNE_DANGLING | WC_PRUNE_PARTIAL, NULL, &bytes,
                                &removed, &err));
        need_true(w, bytes >= 0 && removed);
        wc_list_unref(removed);
        w->count++;
    } while (is_busy());
}

static void look_at_image(worker *w, wc_image *image)
{
    wc_buf *text = NULL;
    int32_t rc;
    for (size_t i = 0; i < wc_image_name_count(image); i++)
        need_true(w, wc_image_name(image, i)[0]);
    need_true(w, wc_image_layer_count(image) >= 3 && wc_layer_size(wc_image_layer(image, 0)) > 0);
    allow(w, rc, wc_image_inspect(image, &text, &err), WC_E_NOT_FOUND);
    wc_buf_unref(text);
}

static void look_at_images(worker *w)
{
    do {
        wc_list *list = NULL;
        need(w, wc_image_list(context, &list, &err));
        need_true(w, wc_list_count(list) >= 1);
        for (size_t i = 0; i < wc_list_count(list); i++)
            look_at_image(w, wc_list_image(list, i));
        wc_list_unref(list);
        w->count++;
    } while (is_busy() && !w->why[0]);
}

static void look_at_container(worker *w, const char *id)
{
    wc_container *c = NULL;
    wc_container_info *info = NULL;
    int32_t rc;
    allow(w, rc, wc_container_open(context, id, &c, &err), WC_E_NOT_FOUND);
    if (rc)
        return;
    allow(w, rc, wc_container_inspect(c, &info, &err), WC_E_NOT_FOUND);
    need_true(w, rc || (!strcmp(wc_container_info_id(info), id) && wc_container_info_json(info)[0] == '{'));
    wc_container_info_unref(info);
    wc_container_unref(c);
}

static void look_at_containers(worker *w)
{
    do {
        wc_list *list = NULL;
        need(w, wc_container_list(context, &list, &err));
        for (size_t i = 0; i < wc_list_count(list); i++)
            look_at_container(w, wc_container_info_id(wc_list_container_info(list, i)));
        wc_list_unref(list);
        w->count++;
    } while (is_busy() && !w->why[0]);
}

static void look_at_the_rest(worker *w)
{
    do {
        wc_buf *df = NULL, *message = NULL;
        wc_list *backends = NULL;
        int32_t level = 0;
        need(w, wc_system_df(context, NULL, &df, &err));
        need(w, wc_backend_list(context, &backends, &err));
        while (wc_context_next_log(context, &level, NULL, &message) == WC_OK)
            wc_buf_unref(message);
        need_true(w, wc_context_root(context)[0] == '/' && !strcmp(wc_context_backend(context), "mock"));
        wc_list_unref(backends);
        wc_buf_unref(df);
        w->count++;
    } while (is_busy());
}

/* ---- Its events ---------------------------------------------------------------------------------- */

typedef struct tally {
    int create, start, die, destroy, pull;
} tally;

static void count_event(tally *t, const wc_event *event)
{
    const char *action = wc_event_action(event);
    if (!strcmp(wc_event_type(event), "image")) {
        t->pull += !strcmp(action, "pull");
        return;
    }
    if (strcmp(wc_event_type(event), "container"))
        return; /* the network that the first of them makes */
    t->create += !strcmp(action, "create");
    t->start += !strcmp(action, "start");
    t->die += !strcmp(action, "die");
    t->destroy += !strcmp(action, "destroy");
}

/* Reads until nothing comes any more once the makers have ended. */
static void follow_events(worker *w)
{
    wc_events *events = NULL;
    tally *t = w->shared;
    int done = 0;
    need(w, wc_events_open(context, "", &events, &err));
    while (!done) {
        wc_event *event = NULL;
        int32_t rc;
        int was_busy = is_busy();
        allow(w, rc, wc_events_next(events, SECOND / 20, NULL, &event, &err), WC_E_TIMEOUT);
        done = rc && !was_busy;
        if (!rc)
            count_event(t, event);
        wc_event_unref(event);
    }
    wc_events_unref(events);
}

START_TEST(everything_at_once)
{
    static void (*const work[])(worker *) = {
        pull_tag_and_remove, pull_tag_and_remove, run_containers, run_containers, run_containers,
        prune, look_at_images, look_at_containers, look_at_the_rest, follow_events, follow_events,
    };
    enum { COUNT = sizeof work / sizeof *work, MAKING = 5 };
    worker w[COUNT] = {{0}};
    tally tallies[COUNT] = {{0}};
    for (int i = 0; i < COUNT; i++)
        w[i] = (worker){.work = work[i], .shared = &tallies[i]};
    run_workers(w, COUNT, MAKING);
    int started = 0;
    for (int i = 2; i < MAKING; i++)
        started += w[i].count;
    ck_assert_int_gt(started, 0);
    for (int i = MAKING; i < COUNT - 2; i++)
        ck_assert_int_gt(w[i].count, 0);
    for (int i = COUNT - 2; i < COUNT; i++) {
        const tally *t = &tallies[i];
        ck_assert_int_eq(t->create, 3 * ROUNDS);
        ck_assert_int_eq(t->destroy, 3 * ROUNDS);
        ck_assert_int_eq(t->start, started);
        ck_assert_int_eq(t->die, started);
        ck_assert_int_eq(t->pull, 2 * ROUNDS + 1);
    }
    ck_assert_uint_eq(image_count(), 1);
    assert_store_is_sound();
}
END_TEST

/* ---- One object in many hands ---------------------------------------------------------------------- */

static void wait_for_shared(worker *w)
{
    int32_t code = -1;
    need(w, wc_container_wait(w->shared, WC_WAIT_NOT_RUNNING, NULL, &code, &err));
    w->count = code;
}

static void inspect_shared(worker *w)
{
    int32_t status = WC_STATUS_RUNNING;
    while (status == WC_STATUS_RUNNING) {
        wc_container_info *info = NULL;
        need(w, wc_container_inspect(w->shared, &info, &err));
        status = wc_container_info_status(info);
        wc_container_info_unref(info);
        wc_container_unref(wc_container_ref(w->shared));
    }
    need_true(w, status == WC_STATUS_EXITED);
    w->count = 137;
}

static void kill_shared(worker *w)
{
    int32_t rc;
    allow(w, rc, wc_container_kill(w->shared, "KILL", &err), WC_E_STATE);
    w->count = 137;
}

START_TEST(one_container_many_threads)
{
    wc_container *c = create("forever");
    worker w[9] = {{0}};
    test_ok(wc_container_start(c, 0, NULL, NULL, &error));
    for (int i = 0; i < 9; i++)
        w[i] = (worker){.work = i < 2 ? kill_shared : i < 5 ? inspect_shared : wait_for_shared, .shared = c};
    run_workers(w, 9, 9);
    for (int i = 0; i < 9; i++)
        ck_assert_int_eq(w[i].count, 137);
    test_ok(wc_container_remove(c, 0, NULL, &error));
    wc_container_unref(c);
}
END_TEST

static void remove_shared(worker *w)
{
    int32_t rc;
    allow(w, rc, wc_container_remove(w->shared, 0, NULL, &err), WC_E_NOT_FOUND);
    w->count = !rc;
}

/* Its lock holds to the end: the others come when it is gone, not while it goes. */
START_TEST(a_container_is_removed_once)
{
    for (int round = 0; round < 40; round++) {
        wc_container *c = create("exit:0");
        worker w[6] = {{0}};
        int removed = 0;
        for (int i = 0; i < 6; i++)
            w[i] = (worker){.work = remove_shared, .shared = c};
        run_workers(w, 6, 6);
        for (int i = 0; i < 6; i++)
            removed += w[i].count;
        ck_assert_int_eq(removed, 1);
        wc_container_unref(c);
    }
    char *dir_of_all = test_text("%s/store/containers", dir);
    ck_assert_int_eq(rmdir(dir_of_all), 0);
    free(dir_of_all);
}
END_TEST

typedef struct snapshots {
    wc_list *images, *containers;
    wc_image *image;
    wc_container *container;
    wc_error *failure;
} snapshots;

/* Each has references of its own; whoever comes last frees them and closes the store. */
static void read_snapshots(worker *w)
{
    snapshots *s = w->shared;
    for (int i = 0; i < 200; i++) {
        wc_image *first = wc_image_ref(wc_list_image(s->images, 0));
        wc_layer *layer = wc_layer_ref(wc_image_layer(s->image, i % 3u));
        need_true(w, wc_layer_digest(layer)[0] && wc_image_id(first)[0] && wc_image_architecture(first)[0]);
        need_true(w, !strcmp(wc_container_info_name(wc_list_container_info(s->containers, 0)), "shared"));
        need_true(w, strstr(wc_error_message(s->failure), "missing") && wc_error_code(s->failure) == WC_E_NOT_FOUND);
        wc_layer_unref(layer);
        wc_image_unref(first);
    }
    wc_list_unref(s->images);
    wc_list_unref(s->containers);
    wc_image_unref(s->image);
    wc_container_unref(s->container);
    wc_error_unref(s->failure);
}

static wc_container *create_shared(void)
{
    wc_container_options *options = NULL;
    wc_container *container = NULL;
    test_ok(wc_container_options_new(IMAGE, &options, &error));
    test_ok(wc_container_options_set_name(options, "shared", &error));
    test_ok(wc_container_create(context, options, NULL, &container, &error));
    wc_container_options_unref(options);
    return container;
}

START_TEST(snapshots_are_shared_and_outlive_the_context)
{
    snapshots s = {.container = create_shared()};
    worker w[8] = {{0}};
    test_ok(wc_image_list(context, &s.images, &error));
    test_ok(wc_container_list(context, &s.containers, &error));
    test_ok(wc_image_open(context, IMAGE, &s.image, &error));
    ck_assert_int_eq(wc_image_open(context, "missing", &(wc_image *){NULL}, &s.failure), WC_E_NOT_FOUND);
    for (int i = 0; i < 8; i++) {
        w[i] = (worker){.work = read_snapshots, .shared = &s};
        if (i) /* the first takes what we have */
            wc_list_ref(s.images), wc_list_ref(s.containers), wc_image_ref(s.image), wc_container_ref(s.container),
                wc_error_ref(s.failure);
    }
    wc_context_unref(context);
    context = NULL;
    run_workers(w, 8, 8);
}
END_TEST

/* ---- Contexts, options, forks ---------------------------------------------------------------------- */

static void open_and_close(worker *w)
{
    for (int i = 0; i < 10; i++) {
        wc_context *own = NULL;
        wc_list *list = NULL;
        need(w, open_context(&own, &err));
        need(w, wc_image_list(own, &list, &err));
        wc_context_unref(own);
        need_true(w, wc_list_count(list) >= 1);
        wc_list_unref(list);
    }
}

START_TEST(contexts_open_and_close_beside_others)
{
    worker w[6] = {{0}};
    for (int i = 0; i < 6; i++)
        w[i].work = i < 4 ? open_and_close : i < 5 ? run_containers : look_at_images;
    run_workers(w, 6, 5);
    assert_store_is_sound();
}
END_TEST

#ifndef TEST_SANITIZED
static void assert_child_is_told(void)
{
    pid_t child = fork();
    if (child == 0) {
        /* No Check in here: another thread may have had its mutex at the fork. */
        wc_list *list = NULL;
        int told = wc_image_list(context, &list, NULL) == WC_E_FORKED &&
                   wc_container_list(context, &list, NULL) == WC_E_FORKED;
        _exit(told ? 0 : 1);
    }
    ck_assert_int_ge(child, 0);
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

START_TEST(forks_while_threads_work)
{
    worker w[4] = {{0}};
    for (int i = 0; i < 4; i++)
        w[i].work = i < 2 ? pull_tag_and_remove : i < 3 ? run_containers : look_at_the_rest;
    workers_start(w, 4, 3);
    for (int i = 0; i < 20; i++)
        assert_child_is_told();
    join_workers(w, 4);
    assert_store_is_sound();
}
END_TEST
#endif

static int have_registry(void)
{
    static const char *const needed[] = {"docker-registry", "setpriv"};
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        if (test_have_program(needed[i]))
            continue;
        printf("SKIPPED PART: a_registry_feeds_all: %s is not installed\n", needed[i]);
        return 0;
    }
    return 1;
}

int main(void)
{
    Suite *suite = suite_create("threads");
    TCase *tc = tcase_create("threads");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, the_same_image_from_all);
    tcase_add_test(tc, cancelled_pulls_leave_the_others_alone);
    tcase_add_test(tc, everything_at_once);
    tcase_add_test(tc, one_container_many_threads);
    tcase_add_test(tc, a_container_is_removed_once);
    tcase_add_test(tc, snapshots_are_shared_and_outlive_the_context);
    tcase_add_test(tc, contexts_open_and_close_beside_others);
#ifndef TEST_SANITIZED
    tcase_add_test(tc, forks_while_threads_work);
#else
    puts("SKIPPED PART: forks_while_threads_work: locks of the sanitizer's own hang in a child of many threads");
#endif
    if (have_registry())
        tcase_add_test(tc, a_registry_feeds_all);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
