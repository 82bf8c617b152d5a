/* SPDX-License-Identifier: Apache-2.0 */
#include "host/fork_try.h"

handles *tried;
wc_context *tried_context;

/* ---- A handle of each kind ------------------------------------------------------------------------- */

static void open_container(handles *to)
{
    wc_container_options *options = options_for(SCRIPT("outln:up", "cat", "exit:6"));
    good(wc_container_options_set_open_stdin(options, 1, &err));
    good(wc_container_create(context, options, NULL, &to->container, &err));
    to->options = options;
    good(wc_container_start(to->container, ALL, NULL, &to->stream, &err));
    good(wc_container_inspect(to->container, &to->info, &err));
}

static void open_process(handles *to)
{
    const char *words[] = {PROGRAM, "cat", "exit:5"};
    wc_exec_options *options = NULL;
    good(wc_exec_options_new(words, 3, &options, &err));
    good(wc_container_exec(to->container, options, ALL, NULL, &to->process, &to->process_stream, &err));
    wc_exec_options_unref(options);
}

static void open_logs(handles *to)
{
    wc_log_options *options = NULL;
    good(wc_log_options_new(&options, &err));
    good(wc_log_options_set_follow(options, 1, &err));
    good(wc_container_logs(to->container, options, &to->logs, &err));
    wc_log_options_unref(options);
}

void handles_open(handles *to)
{
    memset(to, 0, sizeof *to);
    good(wc_cancel_new(&to->cancel, &err));
    good(wc_events_open(context, "", &to->events, &err));
    good(wc_events_next(to->events, 10 * SECONDS, to->cancel, &to->event, &err));
    good(wc_image_open(context, IMAGE, &to->image, &err));
    good(wc_image_list(context, &to->list, &err));
    good(wc_transfer_options_new(&to->transfer, &err));
    good(wc_image_edit_new(context, IMAGE, &to->edit, &err));
    good(wc_artifact_new(context, "a/b", &to->artifact, &err));
    good(wc_volume_create(context, "volume", NULL, NULL, &to->volume, &err));
    good(wc_stats_open(context, NULL, 0, 1, &to->stats, &err));
    good(wc_network_open(context, "bridge", &to->network, &err));
    good(wc_group_create(context, "group", NULL, NULL, &to->group, &err));
    open_container(to);
    open_process(to);
    open_logs(to);
}

static void use_up_streams(handles *of)
{
    int32_t code = -1;
    ck_assert_int_ge(wc_stream_fd(of->stream), cycle_is_process() ? 0 : -1);
    expect_output(of->stream, "up\n");
    write_text(of->stream, "one");
    expect_output(of->stream, "one");
    write_text(of->process_stream, "two");
    expect_output(of->process_stream, "two");
    good(wc_stream_close_write(of->process_stream, &err));
    good(wc_process_wait(of->process, of->cancel, &code, &err));
    ck_assert_int_eq(code, 5);
    good(wc_stream_close_write(of->stream, &err));
    good(wc_container_wait(of->container, WC_WAIT_NOT_RUNNING, of->cancel, &code, &err));
    ck_assert_int_eq(code, 6);
    output o = read_all(of->stream);
    ck_assert_str_eq(o.out, "");
    output_free(&o);
}

static void use_up_events(handles *of)
{
    for (int found = 0; !found;) {
        wc_event *event = NULL;
        good(wc_events_next(of->events, 20 * SECONDS, of->cancel, &event, &err));
        found = strcmp(wc_event_action(event), "die") == 0 &&
                strcmp(wc_event_id(event), wc_container_id(of->container)) == 0;
        wc_event_unref(event);
    }
}

void handles_use_up(handles *of)
{
    wc_buf *line = NULL, *text = NULL;
    wc_list *findings = NULL;
    ck_assert_int_eq(wc_cancel_triggered(of->cancel), 0);
    good(wc_logs_next(of->logs, NULL, NULL, &line, 20 * SECONDS, of->cancel, &err));
    wc_buf_unref(line);
    use_up_streams(of);
    use_up_events(of);
    good(wc_image_inspect(of->image, &text, &err));
    wc_buf_unref(text);
    good(wc_system_check(context, 0, of->cancel, &findings, &err));
    ck_assert_msg(wc_list_count(findings) == 0, "%s", wc_list_string(findings, 0));
    wc_list_unref(findings);
    good(wc_container_remove(of->container, 0, NULL, &err));
    handles_drop(of, 1);
}

void handles_drop(handles *of, int backwards)
{
    if (!backwards) {
        wc_cancel_unref(of->cancel);
        wc_container_unref(of->container);
        wc_image_unref(of->image);
    }
    wc_logs_unref(of->logs);
    wc_stream_unref(of->process_stream);
    wc_process_unref(of->process);
    wc_stream_unref(of->stream);
    wc_container_info_unref(of->info);
    wc_container_options_unref(of->options);
    wc_transfer_options_unref(of->transfer);
    wc_image_edit_unref(of->edit);
    wc_artifact_unref(of->artifact);
    wc_volume_unref(of->volume);
    wc_stats_reader_unref(of->stats);
    wc_network_unref(of->network);
    wc_group_unref(of->group);
    wc_list_unref(of->list);
    wc_event_unref(of->event);
    wc_events_unref(of->events);
    if (backwards) {
        wc_image_unref(of->image);
        wc_container_unref(of->container);
        wc_cancel_unref(of->cancel);
    }
}

/* ---- Every function that may fail -------------------------------------------------------------------- */

static const attempt *const areas[] = {fork_try_image,   fork_try_registry, fork_try_container,
                                       fork_try_group, fork_try_network, fork_try_system,   fork_try_volume};
#define AREAS (sizeof areas / sizeof *areas)

/* ---- What works in a child ----------------------------------------------------------------------------- */

/* Beginnings of names: snapshots, options, counting, and what has no handle. */
static const char *const usable[] = {
    /* Memory of the process's own. */
    "wc_error_", "wc_buf_", "wc_list_", "wc_event_", "wc_progress_", "wc_code_name", "wc_version", "wc_has_feature",
    "wc_set_allocator", "wc_layer_", "wc_container_info_", "wc_sign_key_new",
    "wc_update_options_",
    "wc_container_options_", "wc_context_options_", "wc_transfer_options_", "wc_exec_options_", "wc_log_options_",
    "wc_volume_options_", "wc_events_options_", "wc_image_edit_add_", "wc_image_edit_set_", "wc_image_edit_drop_",
    "wc_group_options_", "wc_group_name", "wc_artifact_add_", "wc_artifact_set_", "wc_network_options_",
    "wc_endpoint_options_", "wc_network_name", "wc_network_id", "wc_network_driver",
    /* Names and numbers that were read before. */
    "wc_context_root", "wc_context_backend", "wc_container_id", "wc_process_id", "wc_process_pid", "wc_image_id",
    "wc_image_digest", "wc_image_index_digest", "wc_image_name", "wc_image_os", "wc_image_architecture",
    "wc_stats_id", "wc_stats_name", "wc_stats_time", "wc_stats_cpu_time", "wc_stats_nano_cpus", "wc_stats_memory",
    "wc_stats_pids", "wc_stats_read_bytes", "wc_stats_written_bytes", "wc_stats_received_bytes", "wc_stats_sent_bytes",
    "wc_stats_json", "wc_volume_name", "wc_volume_path", "wc_image_variant", "wc_image_created", "wc_image_size", "wc_image_layer",
    /* Another one is made, or the parent's is left alone. */
    "wc_cancel_",
    /* Looked at below: there is nothing to wait for. */
    "wc_stream_fd", "wc_stream_write_fd", "wc_logs_fd", "wc_events_fd",
    /* For backends, which are not called. */
    "wc_request_", "wc_response_", "wc_call_"};

static int ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

static int is_known(const char *name)
{
    for (size_t i = 0; i < AREAS; i++)
        for (const attempt *a = areas[i]; a->name; a++)
            if (strcmp(a->name, name) == 0)
                return 1;
    for (size_t i = 0; i < sizeof usable / sizeof *usable; i++)
        if (strncmp(name, usable[i], strlen(usable[i])) == 0)
            return 1;
    return ends_with(name, "_ref") || ends_with(name, "_unref");
}

void handles_check_complete(const char *map)
{
    char *text = test_read_file(map, NULL), *at = NULL;
    int found = 0;
    ck_assert_ptr_nonnull(text);
    for (char *word = strtok_r(text, " \t\n;", &at); word; word = strtok_r(NULL, " \t\n;", &at)) {
        if (strncmp(word, "wc_", 3) != 0)
            continue;
        found++;
        ck_assert_msg(is_known(word), "%s: say here what it does in a forked child, and try it", word);
    }
    ck_assert_int_gt(found, 100);
    free(text);
}

/* ---- In the child ------------------------------------------------------------------------------------------ */

static void try_one(const attempt *a, FILE *complaints)
{
    wc_error *err = NULL;
    int32_t rc = a->run(&err), again = a->run(NULL);
    int has_error = a->makes_no_error || (err && wc_error_code(err) == WC_E_FORKED);
    if (rc != WC_E_FORKED || again != WC_E_FORKED)
        fprintf(complaints, "%s gave %s and %s\n", a->name, wc_code_name(rc), wc_code_name(again));
    else if (!has_error)
        fprintf(complaints, "%s made no error of this code: %s\n", a->name, wc_error_message(err));
    wc_error_unref(err);
}

static void expect(int condition, const char *what, FILE *complaints)
{
    if (!condition)
        fprintf(complaints, "in the child: not %s\n", what);
}

void handles_try_all(handles *of, wc_context *inherited, FILE *complaints)
{
    tried = of;
    tried_context = inherited;
    for (size_t i = 0; i < AREAS; i++)
        for (const attempt *a = areas[i]; a->name; a++)
            try_one(a, complaints);
    expect(wc_stream_fd(tried->stream) == -1 && wc_stream_write_fd(tried->stream) == -1 && wc_logs_fd(tried->logs) == -1 && wc_events_fd(tried->events) == -1,
           "without descriptors", complaints);
    expect(strlen(wc_container_id(tried->container)) == 64 && wc_container_info_pid(tried->info) >= 0 &&
               *wc_image_id(tried->image) && *wc_layer_diff_id(wc_image_layer(tried->image, 0)) && *wc_event_action(tried->event) &&
               wc_list_image(tried->list, 0) && *wc_process_id(tried->process) && *wc_context_root(tried_context),
           "what was read before", complaints);
    wc_context_unref(wc_context_ref(tried_context));
    wc_stream_unref(wc_stream_ref(tried->stream));
    expect(wc_container_options_set_tty(tried->options, 1, NULL) == WC_OK, "options that can be filled", complaints);
    wc_cancel_trigger(tried->cancel);
    expect(wc_cancel_triggered(tried->cancel) == 1, "a cancel handle that triggers", complaints);
}
