/* SPDX-License-Identifier: Apache-2.0 */
/* A program of the time of 0.1: compiled against the headers as they were then (tests/abi/frozen/0.1), linked
 * with the library of today. It hands every kind of object through, brings an allocator and a backend in structs
 * of its own sizes, and lives with constants as it knew them. On the mock backend: needs nothing of the host.
 *
 *   client_0_1 DIR     with DIR/layout, an OCI layout with the image "old" */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wincontainer/backend.h>
#include <wincontainer/wincontainer.h>

#define SECOND 1000000000LL

static wc_error *error;

static void expect(int condition, const char *text, int line)
{
    if (condition)
        return;
    fprintf(stderr, "client_0_1: line %d: %s: %s\n", line, text, error ? wc_error_message(error) : "no error");
    exit(1);
}
#define EXPECT(condition) expect((condition) != 0, #condition, __LINE__)
#define GOOD(call) expect((call) == WC_OK, #call, __LINE__)

/* ---- What it brings ---------------------------------------------------------------------------- */

static long blocks; /* of one thread alone: the mock backend needs no other */

static void *reallocate(void *ptr, size_t size, uintptr_t payload)
{
    EXPECT(payload == 77);
    __atomic_fetch_add(&blocks, ptr == NULL, __ATOMIC_SEQ_CST);
    return realloc(ptr, size);
}

static void release(void *ptr, uintptr_t payload)
{
    EXPECT(payload == 77);
    __atomic_fetch_sub(&blocks, 1, __ATOMIC_SEQ_CST);
    free(ptr);
}

static void bring_allocator(void)
{
    wc_allocator allocator = {sizeof(wc_allocator), reallocate, release, 77};
    GOOD(wc_set_allocator(&allocator, &error));
}

static int started, freed;

static int32_t old_start(uintptr_t payload, wc_call *call, const wc_request *request, wc_response *response)
{
    EXPECT(payload == 5 && wc_call_check(call) == WC_OK && *wc_request_container_id(request));
    EXPECT(strstr(wc_request_config(request), "\"args\"") != NULL);
    EXPECT(wc_request_int(request, "attach", -1) == 0);
    wc_call_log(call, WC_LOG_INFO, "started");
    wc_response_set_status(response, WC_STATUS_EXITED);
    wc_response_set_exit(response, 42, SECOND);
    started++;
    return WC_OK;
}

static int32_t old_state(uintptr_t payload, wc_call *call, const wc_request *request, wc_response *response)
{
    (void)call;
    (void)request;
    EXPECT(payload == 5);
    wc_response_set_status(response, WC_STATUS_EXITED);
    wc_response_set_exit(response, 42, SECOND);
    return WC_OK;
}

static void free_payload(uintptr_t payload)
{
    EXPECT(payload == 5);
    freed++;
}

static void bring_backend(wc_context *context)
{
    wc_backend_ops ops;
    wc_list *names = NULL;
    memset(&ops, 0, sizeof ops);
    ops.struct_size = sizeof ops;
    ops.spi_major = WC_BACKEND_SPI_MAJOR;
    ops.name = "old";
    ops.container_start = old_start;
    ops.container_state = ops.container_wait = ops.container_remove = old_state;
    GOOD(wc_backend_register(context, &ops, 5, free_payload, &error));
    GOOD(wc_backend_list(context, &names, &error));
    EXPECT(wc_list_count(names) >= 2);
    wc_list_unref(names);
}

/* ---- Parts ------------------------------------------------------------------------------------- */

static wc_context *open_context(const char *dir, const char *backend)
{
    char path[512];
    wc_context_options *options = NULL;
    wc_context *context = NULL;
    GOOD(wc_context_options_new(&options, &error));
    snprintf(path, sizeof path, "%s/root", dir);
    GOOD(wc_context_options_set_root(options, path, &error));
    snprintf(path, sizeof path, "%s/run", dir);
    GOOD(wc_context_options_set_run_root(options, path, &error));
    GOOD(wc_context_options_set_backend(options, backend, &error));
    GOOD(wc_context_options_set_log_level(options, WC_LOG_DEBUG, &error));
    GOOD(wc_context_open(options, NULL, &context, &error));
    wc_context_options_unref(options);
    EXPECT(!strcmp(wc_context_backend(context), backend) && strstr(wc_context_root(context), dir));
    return context;
}

static int32_t see(const wc_progress *progress, uintptr_t payload)
{
    int *kinds = (int *)payload;
    int32_t kind = wc_progress_kind(progress);
    EXPECT(kind >= WC_PROGRESS_RESOLVE && wc_progress_id(progress) && wc_progress_message(progress));
    EXPECT(wc_progress_current(progress) >= 0 && wc_progress_total(progress) >= -1);
    *kinds |= 1 << kind;
    return 0;
}

static void pull(wc_context *context, const char *dir)
{
    char source[512];
    int kinds = 0;
    wc_transfer_options *options = NULL;
    wc_image *image = NULL;
    wc_layer *layer;
    wc_buf *text = NULL;
    snprintf(source, sizeof source, "oci:%s/layout:old", dir);
    GOOD(wc_transfer_options_new(&options, &error));
    GOOD(wc_transfer_options_set_progress(options, see, (uintptr_t)&kinds, &error));
    GOOD(wc_transfer_options_set_max_transfers(options, 2, &error));
    GOOD(wc_transfer_options_add_name(options, "frozen", &error));
    GOOD(wc_image_pull(context, source, options, NULL, &image, &error));
    EXPECT(kinds & 1 << WC_PROGRESS_DONE);
    EXPECT(wc_image_layer_count(image) == 2 && wc_image_size(image) > 0 && wc_image_name_count(image) >= 1);
    EXPECT(!strcmp(wc_image_os(image), "linux") && *wc_image_architecture(image) && *wc_image_digest(image));
    layer = wc_layer_ref(wc_image_layer(image, 0));
    EXPECT(!strncmp(wc_layer_digest(layer), "sha256:", 7) && wc_layer_size(layer) > 0);
    GOOD(wc_image_inspect(image, &text, &error));
    EXPECT(wc_buf_size(text) > 2 && wc_buf_data(text)[0] == '{');
    wc_buf_unref(text);
    wc_layer_unref(layer);
    wc_image_unref(image);
    wc_transfer_options_unref(options);
}

static wc_container *create(wc_context *context)
{
    static const char *const words[] = {"outln:hello", "errln:oops", "cat", "exit:7"};
    wc_container_options *options = NULL;
    wc_container *container = NULL;
    GOOD(wc_container_options_new("frozen", &options, &error));
    GOOD(wc_container_options_set_name(options, "of-old", &error));
    GOOD(wc_container_options_set_command(options, words, 4, &error));
    GOOD(wc_container_options_add_env(options, "OLD", "yes", &error));
    GOOD(wc_container_options_add_label(options, "age", "0.1", &error));
    GOOD(wc_container_options_set_network(options, "none", &error));
    GOOD(wc_container_options_set_open_stdin(options, 1, &error));
    GOOD(wc_container_options_set_memory(options, 64 << 20, &error));
    GOOD(wc_container_options_set_nano_cpus(options, SECOND / 2, &error));
    GOOD(wc_container_options_add_rlimit(options, "nofile", 100, 200, &error));
    GOOD(wc_container_options_set_stop_timeout(options, SECOND, &error));
    GOOD(wc_container_options_set_log_rotation(options, 1 << 20, 2, &error));
    GOOD(wc_container_create(context, options, NULL, &container, &error));
    wc_container_options_unref(options);
    return container;
}

static void read_all(wc_stream *stream, char *out, char *err, size_t size)
{
    char data[64];
    size_t got = 0;
    int32_t channel = -1, rc;
    *out = *err = '\0';
    while ((rc = wc_stream_read(stream, &channel, data, sizeof data - 1, &got, 20 * SECOND, NULL, &error)) == WC_OK) {
        char *to = channel == WC_STREAM_STDOUT ? out : err;
        data[got] = '\0';
        EXPECT(strlen(to) + got < size);
        strcat(to, data);
    }
    EXPECT(rc == WC_E_CLOSED && wc_error_code(error) == WC_E_CLOSED);
    wc_error_unref(error);
    error = NULL;
}

static void talk(wc_container *container)
{
    char out[256], err[256];
    size_t put = 0;
    int32_t code = -1;
    wc_stream *stream = NULL;
    GOOD(wc_container_start(container, WC_ATTACH_STDIN | WC_ATTACH_STDOUT | WC_ATTACH_STDERR, NULL, &stream, &error));
    GOOD(wc_stream_write(stream, "words\n", 6, &put, 20 * SECOND, NULL, &error));
    GOOD(wc_stream_close_write(stream, &error));
    read_all(stream, out, err, sizeof out);
    EXPECT(put == 6 && !strcmp(out, "hello\nwords\n") && !strcmp(err, "oops\n"));
    GOOD(wc_container_wait(container, WC_WAIT_NOT_RUNNING, NULL, &code, &error));
    EXPECT(code == 7);
    wc_stream_unref(stream);
}

static void look_at_logs(wc_container *container)
{
    int32_t channel = -1;
    int64_t time_ns = 0;
    wc_log_options *options = NULL;
    wc_logs *logs = NULL;
    wc_buf *line = NULL;
    GOOD(wc_log_options_new(&options, &error));
    GOOD(wc_log_options_set_tail(options, 10, &error));
    GOOD(wc_container_logs(container, options, &logs, &error));
    GOOD(wc_logs_next(logs, &channel, &time_ns, &line, SECOND, NULL, &error));
    EXPECT(channel == WC_STREAM_STDOUT && time_ns > SECOND && wc_buf_size(line) == 6);
    wc_buf_unref(line);
    wc_logs_unref(logs);
    wc_log_options_unref(options);
}

static void look_at_container(wc_context *context, wc_container *container)
{
    wc_list *list = NULL;
    wc_container_info *info = NULL;
    GOOD(wc_container_inspect(container, &info, &error));
    EXPECT(wc_container_info_status(info) == WC_STATUS_EXITED && wc_container_info_exit_code(info) == 7);
    EXPECT(!strcmp(wc_container_info_name(info), "of-old") && !strcmp(wc_container_info_label(info, "age"), "0.1"));
    EXPECT(wc_container_info_finished(info) >= wc_container_info_started(info) && *wc_container_info_json(info) == '{');
    wc_container_info_unref(info);
    GOOD(wc_container_list(context, &list, &error));
    EXPECT(wc_list_count(list) == 1 &&
           !strcmp(wc_container_info_id(wc_list_container_info(list, 0)), wc_container_id(container)));
    wc_list_unref(list);
}

static void execute(wc_context *context)
{
    static const char *const words[] = {"forever"}, *const inside[] = {"outln:in", "exit:3"};
    char out[256], err[256];
    int32_t code = -1;
    wc_container_options *options = NULL;
    wc_container *container = NULL;
    wc_exec_options *exec = NULL;
    wc_process *process = NULL;
    wc_stream *stream = NULL;
    GOOD(wc_container_options_new("frozen", &options, &error));
    GOOD(wc_container_options_set_command(options, words, 1, &error));
    GOOD(wc_container_create(context, options, NULL, &container, &error));
    GOOD(wc_container_start(container, 0, NULL, NULL, &error));
    GOOD(wc_exec_options_new(inside, 2, &exec, &error));
    GOOD(wc_exec_options_add_env(exec, "A", "b", &error));
    GOOD(wc_container_exec(container, exec, WC_ATTACH_STDOUT, NULL, &process, &stream, &error));
    read_all(stream, out, err, sizeof out);
    GOOD(wc_process_wait(process, NULL, &code, &error));
    EXPECT(!strcmp(out, "in\n") && code == 3 && *wc_process_id(process));
    GOOD(wc_container_kill(container, "KILL", &error));
    GOOD(wc_container_wait(container, WC_WAIT_NOT_RUNNING, NULL, &code, &error));
    EXPECT(code == 137);
    GOOD(wc_container_remove(container, WC_REMOVE_FORCE, NULL, &error));
    wc_stream_unref(stream);
    wc_process_unref(process);
    wc_exec_options_unref(exec);
    wc_container_unref(container);
    wc_container_options_unref(options);
}

static void edit(wc_context *context)
{
    wc_image_edit *change = NULL;
    wc_image *image = NULL;
    wc_list *removed = NULL;
    GOOD(wc_image_edit_new(context, "frozen", &change, &error));
    GOOD(wc_image_edit_add_label(change, "edited", "yes", &error));
    GOOD(wc_image_edit_set_created(change, SECOND, &error));
    GOOD(wc_image_edit_apply(change, "changed", NULL, &image, &error));
    EXPECT(wc_image_created(image) == SECOND);
    wc_image_unref(image);
    wc_image_edit_unref(change);
    GOOD(wc_image_remove(context, "changed", 0, NULL, &removed, &error));
    EXPECT(wc_list_count(removed) >= 1 && *wc_list_string(removed, 0));
    wc_list_unref(removed);
}

static void look_at_errors(wc_context *context)
{
    wc_image *image = NULL;
    wc_cancel *cancel = NULL;
    wc_buf *text = NULL;
    EXPECT(wc_image_open(context, "nothing", &image, &error) == WC_E_NOT_FOUND && !image);
    EXPECT(wc_error_code(error) == WC_E_NOT_FOUND && wc_error_domain(error) == WC_DOMAIN_NONE);
    EXPECT(!wc_error_retryable(error) && wc_error_native(error) == 0 && !strcmp(wc_code_name(-3), "WC_E_NOT_FOUND"));
    GOOD(wc_error_format(error, &text));
    EXPECT(strstr(wc_buf_data(text), "nothing") != NULL);
    wc_buf_unref(text);
    wc_error_unref(error);
    error = NULL;
    GOOD(wc_cancel_new(&cancel, &error));
    wc_cancel_trigger(cancel);
    EXPECT(wc_cancel_triggered(cancel));
    EXPECT(wc_system_check(context, 0, cancel, &(wc_list *){NULL}, NULL) == WC_E_CANCELLED);
    wc_cancel_unref(cancel);
}

static void look_at_the_rest(wc_context *context, wc_events *events)
{
    int64_t reclaimed = -1;
    int count = 0;
    wc_buf *text = NULL;
    wc_list *list = NULL;
    wc_event *event = NULL;
    GOOD(wc_system_info(context, NULL, &text, &error));
    wc_buf_unref(text);
    GOOD(wc_system_df(context, NULL, &text, &error));
    wc_buf_unref(text);
    GOOD(wc_system_check(context, 0, NULL, &list, &error));
    EXPECT(wc_list_count(list) == 0);
    wc_list_unref(list);
    GOOD(wc_system_prune(context, WC_PRUNE_CONTAINERS | WC_PRUNE_UNUSED, NULL, &reclaimed, &list, &error));
    EXPECT(reclaimed >= 0);
    wc_list_unref(list);
    while (wc_events_next(events, 0, NULL, &event, NULL) == WC_OK) {
        EXPECT(*wc_event_type(event) && *wc_event_action(event) && wc_event_time(event) > 0 && *wc_event_cursor(event));
        wc_event_unref(event);
        count++;
    }
    EXPECT(count > 5);
}

static void use_own_backend(const char *dir)
{
    static const char *const words[] = {"anything"};
    int32_t code = -1;
    wc_container_options *options = NULL;
    wc_container *container = NULL;
    wc_context *context = open_context(dir, "old");
    bring_backend(context);
    pull(context, dir);
    GOOD(wc_container_options_new("frozen", &options, &error));
    GOOD(wc_container_options_set_command(options, words, 1, &error));
    GOOD(wc_container_create(context, options, NULL, &container, &error));
    GOOD(wc_container_start(container, 0, NULL, NULL, &error));
    GOOD(wc_container_wait(container, WC_WAIT_NOT_RUNNING, NULL, &code, &error));
    EXPECT(code == 42 && started == 1);
    /* What the table does not have is said by name. */
    EXPECT(wc_container_attach(container, WC_ATTACH_STDOUT, NULL, &(wc_stream *){NULL}, NULL) != WC_OK);
    GOOD(wc_container_remove(container, 0, NULL, &error));
    wc_container_unref(container);
    wc_container_options_unref(options);
    wc_context_unref(context);
    EXPECT(freed == 1);
}

static void use_everything(const char *dir)
{
    wc_events *events = NULL;
    wc_context *context = open_context(dir, "mock");
    GOOD(wc_events_open(context, NULL, &events, &error));
    pull(context, dir);
    wc_container *container = create(context);
    talk(container);
    look_at_logs(container);
    look_at_container(context, container);
    GOOD(wc_container_remove(container, 0, NULL, &error));
    wc_container_unref(container);
    execute(context);
    edit(context);
    look_at_errors(context);
    look_at_the_rest(context, events);
    wc_events_unref(events);
    wc_context_unref(context);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    bring_allocator();
    EXPECT(wc_version_number() >= WC_VERSION_MAJOR * 1000000 + WC_VERSION_MINOR * 1000 + WC_VERSION_PATCH);
    EXPECT(wc_has_feature("pull") == 1 && wc_has_feature("no such feature") == 0);
    use_everything(argv[1]);
    use_own_backend(argv[1]);
    EXPECT(blocks == 0);
    printf("client_0_1: all parts of version %s work, %zu bytes of backend table\n", wc_version(),
           sizeof(wc_backend_ops));
    return 0;
}
