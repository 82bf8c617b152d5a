/* SPDX-License-Identifier: Apache-2.0 */
#include "host/fork_handles.h"

#define ALL (WC_ATTACH_STDIN | WC_ATTACH_STDOUT | WC_ATTACH_STDERR)
#define TOUCHED 1 /* no code of the library */

/* What the functions below work on. */
static handles *h;
static wc_context *parent;

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

/* Outputs are left as they were. */
#define TRY(function, type, call)                                                                                  \
    static int32_t try_##function(wc_error **err)                                                                  \
    {                                                                                                              \
        static char mark;                                                                                          \
        type *const before = (type *)(void *)&mark, *out = before;                                                 \
        int32_t rc = call;                                                                                         \
        return out == before ? rc : TOUCHED;                                                                       \
    }
#define TRY_PLAIN(function, call)                                                                                  \
    static int32_t try_##function(wc_error **err)                                                                  \
    {                                                                                                              \
        return call;                                                                                               \
    }

static const char *const a_name[] = {IMAGE};

TRY(wc_image_pull, wc_image, wc_image_pull(parent, "docker://127.0.0.1:1/x", h->transfer, NULL, &out, err))
TRY_PLAIN(wc_image_push, wc_image_push(parent, IMAGE, "127.0.0.1:1/x", h->transfer, NULL, err))
TRY(wc_image_load, wc_list, wc_image_load(parent, "/no/such/file", NULL, NULL, &out, err))
TRY_PLAIN(wc_image_save, wc_image_save(parent, a_name, 1, "oci-archive:/no/such/dir/x", NULL, NULL, err))
TRY_PLAIN(wc_image_copy, wc_image_copy(parent, "wc-store:" IMAGE, "oci:/no/such/dir/x:y", NULL, NULL, err))
TRY_PLAIN(wc_image_sign, wc_image_sign(parent, "127.0.0.1:1/x", 0, h->transfer, NULL, err))
TRY(wc_image_verify, wc_buf, wc_image_verify(parent, "127.0.0.1:1/x", h->transfer, NULL, &out, err))
TRY(wc_image_open, wc_image, wc_image_open(parent, IMAGE, &out, err))
TRY(wc_image_list, wc_list, wc_image_list(parent, &out, err))
TRY_PLAIN(wc_image_tag, wc_image_tag(h->image, "other", err))
TRY_PLAIN(wc_image_drop_blobs, wc_image_drop_blobs(h->image, NULL, NULL, err))
TRY(wc_image_remove, wc_list, wc_image_remove(parent, IMAGE, WC_REMOVE_FORCE, NULL, &out, err))
TRY(wc_image_manifest, wc_buf, wc_image_manifest(h->image, &out, err))
TRY(wc_image_config, wc_buf, wc_image_config(h->image, &out, err))
TRY(wc_image_inspect, wc_buf, wc_image_inspect(h->image, &out, err))
TRY_PLAIN(wc_image_export, wc_image_export(h->image, "/no/such/dir/file", NULL, err))
TRY_PLAIN(wc_image_export_fd, wc_image_export_fd(h->image, 1, NULL, err))
TRY_PLAIN(wc_container_export, wc_container_export(h->container, "/no/such/dir/file", NULL, err))
TRY_PLAIN(wc_container_export_fd, wc_container_export_fd(h->container, 1, NULL, err))
TRY_PLAIN(wc_image_mount, wc_image_mount(h->image, "/", err))
TRY_PLAIN(wc_image_unmount, wc_image_unmount(parent, "/", 0, err))
TRY(wc_image_mounts, wc_buf, wc_image_mounts(parent, &out, err))
TRY(wc_image_index_create, wc_image,
    wc_image_index_create(parent, "many", a_name, 1, 0, NULL, NULL, &out, err))
TRY(wc_image_diff, wc_buf, wc_image_diff(h->image, h->image, NULL, &out, err))
TRY(wc_image_edit_new, wc_image_edit, wc_image_edit_new(parent, NULL, &out, err))
TRY(wc_image_edit_new_from_container, wc_image_edit,
    wc_image_edit_new_from_container(parent, h->container, &out, err))
TRY(wc_image_edit_apply, wc_image, wc_image_edit_apply(h->edit, "edited", NULL, &out, err))
TRY(wc_registry_tags, wc_list, wc_registry_tags(parent, "127.0.0.1:1/x", h->transfer, NULL, &out, err))
TRY(wc_registry_catalog, wc_list, wc_registry_catalog(parent, "127.0.0.1:1", h->transfer, NULL, &out, err))
TRY(wc_registry_look, wc_buf, wc_registry_look(parent, "127.0.0.1:1/x", h->transfer, NULL, &out, err))
TRY(wc_registry_manifest, wc_buf, wc_registry_manifest(parent, "127.0.0.1:1/x", h->transfer, NULL, &out, err))
TRY(wc_registry_referrers, wc_buf, wc_registry_referrers(parent, "127.0.0.1:1/x", h->transfer, NULL, &out, err))
TRY(wc_registry_search, wc_buf, wc_registry_search(parent, "127.0.0.1:1/x", 1, h->transfer, NULL, &out, err))
TRY_PLAIN(wc_registry_delete_blob, wc_registry_delete_blob(parent, "127.0.0.1:1/x", h->transfer, NULL, err))
TRY_PLAIN(wc_registry_delete, wc_registry_delete(parent, "127.0.0.1:1/x", h->transfer, NULL, err))
TRY_PLAIN(wc_registry_login, wc_registry_login(parent, "127.0.0.1:1", "a", "b", h->transfer, NULL, err))
TRY_PLAIN(wc_registry_logout, wc_registry_logout(parent, "127.0.0.1:1", h->transfer, NULL, err))
TRY(wc_registry_login_user, wc_buf, wc_registry_login_user(parent, "127.0.0.1:1", h->transfer, NULL, &out, err))
TRY(wc_container_create, wc_container, wc_container_create(parent, h->options, NULL, &out, err))
TRY(wc_container_open, wc_container, wc_container_open(parent, wc_container_id(h->container), &out, err))
TRY(wc_container_start, wc_stream, wc_container_start(h->container, ALL, NULL, &out, err))
TRY(wc_container_attach, wc_stream, wc_container_attach(h->container, ALL, NULL, &out, err))
TRY_PLAIN(wc_container_kill, wc_container_kill(h->container, "KILL", err))
TRY_PLAIN(wc_container_stop, wc_container_stop(h->container, 0, NULL, err))
TRY_PLAIN(wc_container_restart, wc_container_restart(h->container, 0, NULL, err))
TRY_PLAIN(wc_container_remove, wc_container_remove(h->container, WC_REMOVE_FORCE, NULL, err))
TRY_PLAIN(wc_container_copy_in, wc_container_copy_in(h->container, "/etc/passwd", "/tmp/x", NULL, err))
TRY_PLAIN(wc_container_copy_out, wc_container_copy_out(h->container, "/marker", "/no/such/dir", NULL, err))
TRY_PLAIN(wc_container_get_archive, wc_container_get_archive(h->container, "/marker", 1, NULL, err))
TRY_PLAIN(wc_container_put_archive, wc_container_put_archive(h->container, "/tmp", 0, NULL, err))
TRY(wc_container_inspect, wc_container_info, wc_container_inspect(h->container, &out, err))
TRY(wc_container_diff, wc_buf, wc_container_diff(h->container, NULL, &out, err))
TRY(wc_container_list, wc_list, wc_container_list(parent, &out, err))
TRY(wc_container_logs, wc_logs, wc_container_logs(h->container, NULL, &out, err))
TRY(wc_logs_next, wc_buf, wc_logs_next(h->logs, NULL, NULL, &out, 0, NULL, err))
TRY_PLAIN(wc_process_kill, wc_process_kill(h->process, "KILL", err))
TRY_PLAIN(wc_stream_close_write, wc_stream_close_write(h->stream, err))
TRY_PLAIN(wc_stream_resize, wc_stream_resize(h->stream, 80, 25, err))
TRY(wc_events_open, wc_events, wc_events_open(parent, NULL, &out, err))
TRY(wc_events_next, wc_event, wc_events_next(h->events, 0, NULL, &out, err))
TRY(wc_system_info, wc_buf, wc_system_info(parent, NULL, &out, err))
TRY(wc_system_df, wc_buf, wc_system_df(parent, NULL, &out, err))
TRY(wc_system_prune, wc_list, wc_system_prune(parent, WC_PRUNE_UNUSED, NULL, NULL, &out, err))
TRY(wc_system_prune_to_size, wc_list, wc_system_prune_to_size(parent, 0, NULL, NULL, &out, err))
TRY(wc_system_check, wc_list, wc_system_check(parent, 0, NULL, &out, err))
TRY_PLAIN(wc_backend_load, wc_backend_load(parent, "/no/such/object.so", err))
TRY(wc_backend_list, wc_list, wc_backend_list(parent, &out, err))
/* A handle to cancel with is one more that may have been inherited. */
TRY(wc_context_open, wc_context, wc_context_open(NULL, h->cancel, &out, err))

static int32_t try_wc_container_exec(wc_error **err)
{
    const char *words[] = {PROGRAM, "exit:0"};
    wc_exec_options *options = NULL;
    wc_process *process = NULL;
    wc_stream *stream = NULL;
    if (wc_exec_options_new(words, 2, &options, NULL))
        return WC_E_NOMEM;
    int32_t rc = wc_container_exec(h->container, options, ALL, NULL, &process, &stream, err);
    wc_exec_options_unref(options);
    return process || stream ? TOUCHED : rc;
}

static int32_t try_wc_container_wait(wc_error **err)
{
    int32_t code = -77, rc = wc_container_wait(h->container, WC_WAIT_NOT_RUNNING, NULL, &code, err);
    return code == -77 ? rc : TOUCHED;
}

static int32_t try_wc_process_wait(wc_error **err)
{
    int32_t code = -77, rc = wc_process_wait(h->process, NULL, &code, err);
    return code == -77 ? rc : TOUCHED;
}

static int32_t try_wc_stream_read(wc_error **err)
{
    int32_t channel = -77;
    char data[8];
    size_t got = 77;
    int32_t rc = wc_stream_read(h->stream, &channel, data, sizeof data, &got, 0, NULL, err);
    return channel == -77 && got == 77 ? rc : TOUCHED;
}

static int32_t try_wc_stream_write(wc_error **err)
{
    size_t put = 77;
    int32_t rc = wc_stream_write(h->stream, "x", 1, &put, 0, NULL, err);
    return put == 77 ? rc : TOUCHED;
}

static void note_freed(uintptr_t payload)
{
    ++*(int *)payload;
}

/* The payload is given back all the same. */
static int32_t try_wc_backend_register(wc_error **err)
{
    static const wc_backend_ops ops = {
        .struct_size = sizeof ops, .spi_major = WC_BACKEND_SPI_MAJOR, .name = "none"};
    int freed = 0;
    int32_t rc = wc_backend_register(parent, &ops, (uintptr_t)&freed, note_freed, err);
    return freed == 1 ? rc : TOUCHED;
}

/* Makes no error object. */
static int32_t try_wc_context_next_log(wc_error **err)
{
    wc_buf *message = NULL;
    (void)err;
    int32_t rc = wc_context_next_log(parent, NULL, NULL, &message);
    return message ? TOUCHED : rc;
}

#define ENTRY(function) {#function, try_##function}
static const struct attempt {
    const char *name;
    int32_t (*run)(wc_error **err);
} attempts[] = {
    ENTRY(wc_image_pull),         ENTRY(wc_image_load),        ENTRY(wc_image_save),
    ENTRY(wc_image_copy),         ENTRY(wc_image_open),        ENTRY(wc_image_list),
    ENTRY(wc_image_tag),          ENTRY(wc_image_drop_blobs),
    ENTRY(wc_image_remove),      ENTRY(wc_image_manifest),
    ENTRY(wc_image_config),       ENTRY(wc_image_inspect),     ENTRY(wc_container_create),
    ENTRY(wc_container_open),     ENTRY(wc_container_start),   ENTRY(wc_container_attach),
    ENTRY(wc_container_wait),     ENTRY(wc_container_kill),    ENTRY(wc_container_stop),
    ENTRY(wc_container_restart),  ENTRY(wc_container_remove),   ENTRY(wc_container_copy_in), ENTRY(wc_container_copy_out),
    ENTRY(wc_container_inspect),  ENTRY(wc_container_list),    ENTRY(wc_container_logs),
    ENTRY(wc_container_exec),     ENTRY(wc_logs_next),         ENTRY(wc_process_wait),
    ENTRY(wc_process_kill),       ENTRY(wc_stream_read),       ENTRY(wc_stream_write),
    ENTRY(wc_stream_close_write), ENTRY(wc_stream_resize),     ENTRY(wc_events_open),
    ENTRY(wc_events_next),        ENTRY(wc_system_info),       ENTRY(wc_system_df),
    ENTRY(wc_system_prune),       ENTRY(wc_system_prune_to_size),
    ENTRY(wc_system_check),      ENTRY(wc_backend_register),
    ENTRY(wc_backend_load),       ENTRY(wc_backend_list),      ENTRY(wc_context_next_log),
    ENTRY(wc_context_open),       ENTRY(wc_image_push),        ENTRY(wc_image_edit_new),
    ENTRY(wc_image_edit_apply),   ENTRY(wc_container_diff),    ENTRY(wc_image_edit_new_from_container),
    ENTRY(wc_registry_tags),      ENTRY(wc_registry_catalog),  ENTRY(wc_registry_look),
    ENTRY(wc_registry_manifest),  ENTRY(wc_registry_search),   ENTRY(wc_registry_referrers),
    ENTRY(wc_registry_delete_blob), ENTRY(wc_registry_delete),    ENTRY(wc_registry_login),    ENTRY(wc_registry_login_user),
    ENTRY(wc_registry_logout),    ENTRY(wc_container_get_archive), ENTRY(wc_container_put_archive),
    ENTRY(wc_image_export),      ENTRY(wc_image_export_fd),
    ENTRY(wc_container_export),   ENTRY(wc_container_export_fd), ENTRY(wc_image_diff),
    ENTRY(wc_image_index_create), ENTRY(wc_image_mount), ENTRY(wc_image_unmount), ENTRY(wc_image_mounts),
    ENTRY(wc_image_sign),         ENTRY(wc_image_verify)};
#define ATTEMPTS (sizeof attempts / sizeof *attempts)

/* ---- What works in a child ----------------------------------------------------------------------------- */

/* Beginnings of names: snapshots, options, counting, and what has no handle. */
static const char *const usable[] = {
    /* Memory of the process's own. */
    "wc_error_", "wc_buf_", "wc_list_", "wc_event_", "wc_progress_", "wc_code_name", "wc_version", "wc_has_feature",
    "wc_set_allocator", "wc_layer_", "wc_container_info_", "wc_sign_key_new",
    "wc_container_options_", "wc_context_options_", "wc_transfer_options_", "wc_exec_options_", "wc_log_options_",
    "wc_image_edit_add_", "wc_image_edit_set_", "wc_image_edit_drop_",
    /* Names and numbers that were read before. */
    "wc_context_root", "wc_context_backend", "wc_container_id", "wc_process_id", "wc_process_pid", "wc_image_id",
    "wc_image_digest", "wc_image_index_digest", "wc_image_name", "wc_image_os", "wc_image_architecture",
    "wc_image_variant", "wc_image_created", "wc_image_size", "wc_image_layer",
    /* Another one is made, or the parent's is left alone. */
    "wc_cancel_",
    /* Looked at below: there is nothing to wait for. */
    "wc_stream_fd", "wc_logs_fd", "wc_events_fd",
    /* For backends, which are not called. */
    "wc_request_", "wc_response_", "wc_call_"};

static int ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

static int is_known(const char *name)
{
    for (size_t i = 0; i < ATTEMPTS; i++)
        if (strcmp(attempts[i].name, name) == 0)
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

static void try_one(const struct attempt *attempt, FILE *complaints)
{
    wc_error *err = NULL;
    int32_t rc = attempt->run(&err), again = attempt->run(NULL);
    int has_error = attempt->run == try_wc_context_next_log || (err && wc_error_code(err) == WC_E_FORKED);
    if (rc != WC_E_FORKED || again != WC_E_FORKED)
        fprintf(complaints, "%s gave %s and %s\n", attempt->name, wc_code_name(rc), wc_code_name(again));
    else if (!has_error)
        fprintf(complaints, "%s made no error of this code: %s\n", attempt->name, wc_error_message(err));
    wc_error_unref(err);
}

static void expect(int condition, const char *what, FILE *complaints)
{
    if (!condition)
        fprintf(complaints, "in the child: not %s\n", what);
}

void handles_try_all(handles *of, wc_context *inherited, FILE *complaints)
{
    h = of;
    parent = inherited;
    for (size_t i = 0; i < ATTEMPTS; i++)
        try_one(&attempts[i], complaints);
    expect(wc_stream_fd(h->stream) == -1 && wc_logs_fd(h->logs) == -1 && wc_events_fd(h->events) == -1,
           "without descriptors", complaints);
    expect(strlen(wc_container_id(h->container)) == 64 && wc_container_info_pid(h->info) >= 0 &&
               *wc_image_id(h->image) && *wc_layer_diff_id(wc_image_layer(h->image, 0)) && *wc_event_action(h->event) &&
               wc_list_image(h->list, 0) && *wc_process_id(h->process) && *wc_context_root(parent),
           "what was read before", complaints);
    wc_context_unref(wc_context_ref(parent));
    wc_stream_unref(wc_stream_ref(h->stream));
    expect(wc_container_options_set_tty(h->options, 1, NULL) == WC_OK, "options that can be filled", complaints);
    wc_cancel_trigger(h->cancel);
    expect(wc_cancel_triggered(h->cancel) == 1, "a cancel handle that triggers", complaints);
}
