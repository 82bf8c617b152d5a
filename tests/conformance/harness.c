/* SPDX-License-Identifier: Apache-2.0 */
#include "conformance/harness.h"

#include <pthread.h>
#include <time.h>

suite_settings settings;
wc_context *context;

static wc_container *created[32];
static size_t created_count;
static int in_test;

int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * SECONDS + t.tv_nsec;
}

/* ---- Errors --------------------------------------------------------------------------------- */

void harness_check_error(const wc_error *err, int32_t code)
{
    ck_assert_msg(err != NULL, "%s came without an error object", wc_code_name(code));
    ck_assert_int_eq(wc_error_code(err), code);
    const char *message = wc_error_message(err);
    size_t size = strlen(message);
    ck_assert_msg(size > 0 && !strchr(message, '\n') && message[size - 1] != '.',
                  "not one clear line: '%s'", message);
    for (const wc_error *cause = wc_error_cause(err); cause; cause = wc_error_cause(cause))
        ck_assert_str_ne(wc_error_message(cause), "");
    wc_buf *text = NULL;
    ck_assert_int_eq(wc_error_format(err, &text), WC_OK);
    ck_assert(strncmp(wc_buf_data(text), message, size) == 0);
    wc_buf_unref(text);
}

/* Check's own asserts work only inside a test, this also while preparing and in other processes. */
static void give_up(const char *call, int32_t rc, const char *why)
{
    if (in_test)
        ck_abort_msg("%s gave %s: %s", call, wc_code_name(rc), why);
    fprintf(stderr, "%s gave %s: %s\n", call, wc_code_name(rc), why);
    exit(99);
}

void harness_expect_ok(int32_t rc, wc_error *err, const char *call)
{
    wc_buf *text = NULL;
    if (err)
        wc_error_format(err, &text);
    if (rc != WC_OK || err)
        give_up(call, rc, text ? wc_buf_data(text) : "no error object");
}

void harness_note_skip(const char *test, const char *why)
{
    char *path = test_text("%s/skipped", settings.dir);
    FILE *f = fopen(path, "ae");
    if (f) {
        size_t n = strlen(test);
        if (n > 3 && strcmp(test + n - 3, "_fn") == 0) /* Check's name of the function */
            n -= 3;
        fprintf(f, "  %.*s: %s\n", (int)n, test, why);
        fclose(f);
    }
    free(path);
}

/* ---- Contexts and containers ---------------------------------------------------------------- */

static void set_helper(wc_context_options *options)
{
    char *path = test_text("%s/libexec/wincontainer/wc-helper", WC_TEST_BINARY_DIR);
    if (access(path, X_OK) == 0)
        good(wc_context_options_set_helper(options, path, &err));
    free(path);
}

wc_context *harness_open_context(void)
{
    wc_context_options *options = NULL;
    wc_context *opened = NULL;
    good(wc_context_options_new(&options, &err));
    good(wc_context_options_set_root(options, settings.root, &err));
    good(wc_context_options_set_backend(options, settings.backend, &err));
    set_helper(options);
    good(wc_context_open(options, NULL, &opened, &err));
    wc_context_options_unref(options);
    if (settings.plugin)
        good(wc_backend_load(opened, settings.plugin, &err));
    return opened;
}

void harness_setup(void)
{
    in_test = 1;
    context = harness_open_context();
}

void harness_remove_containers(void)
{
    wc_list *list = NULL;
    good(wc_container_list(context, &list, &err));
    for (size_t i = 0; i < wc_list_count(list); i++) {
        wc_container *container = NULL;
        const char *id = wc_container_info_id(wc_list_container_info(list, i));
        if (wc_container_open(context, id, &container, NULL) == WC_OK)
            wc_container_remove(container, WC_REMOVE_FORCE, NULL, NULL);
        wc_container_unref(container);
    }
    wc_list_unref(list);
}

void harness_teardown(void)
{
    wc_list *list = NULL;
    harness_remove_containers();
    good(wc_container_list(context, &list, &err));
    ck_assert_uint_eq(wc_list_count(list), 0);
    wc_list_unref(list);
    harness_release();
}

void harness_release(void)
{
    while (created_count)
        wc_container_unref(created[--created_count]);
    wc_context_unref(context);
    context = NULL;
}

wc_container_options *options_for(const char *const *words)
{
    wc_container_options *options = NULL;
    size_t count = 0;
    while (words[count])
        count++;
    good(wc_container_options_new(IMAGE, &options, &err));
    good(wc_container_options_set_command(options, words, count, &err));
    good(wc_container_options_set_network(options, "none", &err));
    return options;
}

wc_container *create_from(wc_container_options *options)
{
    wc_container *container = NULL;
    good(wc_container_create(context, options, NULL, &container, &err));
    wc_container_options_unref(options);
    if (created_count == sizeof created / sizeof *created)
        give_up("wc_container_create", WC_E_LIMIT, "more containers than the harness can hold");
    return created[created_count++] = container;
}

wc_container *create(const char *const *words)
{
    return create_from(options_for(words));
}

wc_container *start_new(const char *const *words)
{
    wc_container *container = create(words);
    good(wc_container_start(container, 0, NULL, NULL, &err));
    return container;
}

int32_t status_of(wc_container *container)
{
    wc_container_info *info = NULL;
    good(wc_container_inspect(container, &info, &err));
    int32_t status = wc_container_info_status(info);
    wc_container_info_unref(info);
    return status;
}

int32_t exit_code_of(wc_container *container)
{
    int32_t code = -1;
    good(wc_container_wait(container, WC_WAIT_NOT_RUNNING, NULL, &code, &err));
    return code;
}

/* ---- Streams and logs ----------------------------------------------------------------------- */

static void append(char **text, size_t *size, const char *data, size_t n)
{
    *text = realloc(*text, *size + n + 1);
    ck_assert_ptr_nonnull(*text);
    memcpy(*text + *size, data, n);
    *size += n;
    (*text)[*size] = '\0';
}

output read_all(wc_stream *stream)
{
    output o = {NULL, NULL};
    size_t out_size = 0, err_size = 0;
    append(&o.out, &out_size, "", 0);
    append(&o.err, &err_size, "", 0);
    for (;;) {
        static char data[65536];
        int32_t channel = -1;
        size_t got = 0;
        wc_error *err = NULL;
        int32_t rc =
            wc_stream_read(stream, &channel, data, sizeof data, &got, 20 * SECONDS, NULL, &err);
        if (rc == WC_E_CLOSED) {
            harness_check_error(err, rc);
            wc_error_unref(err);
            return o;
        }
        harness_expect_ok(rc, err, "wc_stream_read");
        ck_assert_uint_gt(got, 0);
        if (channel == WC_STREAM_STDOUT)
            append(&o.out, &out_size, data, got);
        else if (channel == WC_STREAM_STDERR)
            append(&o.err, &err_size, data, got);
        else
            ck_abort_msg("channel %d", channel);
    }
}

void output_free(output *o)
{
    free(o->out);
    free(o->err);
}

void expect_output(wc_stream *stream, const char *text)
{
    char data[256];
    size_t size = 0, want = strlen(text);
    while (size < want) {
        int32_t channel = -1;
        size_t got = 0;
        good(wc_stream_read(stream, &channel, data + size, sizeof data - 1 - size, &got,
                            10 * SECONDS, NULL, &err));
        ck_assert_int_eq(channel, WC_STREAM_STDOUT);
        size += got;
    }
    data[size] = '\0';
    ck_assert_str_eq(data, text);
}

void write_text(wc_stream *stream, const char *text)
{
    size_t put = 0;
    good(wc_stream_write(stream, text, strlen(text), &put, 10 * SECONDS, NULL, &err));
    ck_assert_uint_eq(put, strlen(text));
}

int32_t run_attached(wc_container *container, output *out, int32_t *exit_code, wc_error **err)
{
    wc_stream *stream = NULL;
    int32_t rc =
        wc_container_start(container, WC_ATTACH_STDOUT | WC_ATTACH_STDERR, NULL, &stream, err);
    if (rc)
        return rc;
    *out = read_all(stream);
    wc_stream_unref(stream);
    *exit_code = exit_code_of(container);
    return WC_OK;
}

char *read_log(wc_container *container, const wc_log_options *options)
{
    char *text = NULL;
    size_t size = 0;
    wc_logs *logs = NULL;
    append(&text, &size, "", 0);
    good(wc_container_logs(container, options, &logs, &err));
    for (;;) {
        int32_t channel = -1;
        wc_buf *line = NULL;
        wc_error *err = NULL;
        int32_t rc = wc_logs_next(logs, &channel, NULL, &line, 10 * SECONDS, NULL, &err);
        if (rc == WC_E_CLOSED) {
            wc_error_unref(err);
            break;
        }
        harness_expect_ok(rc, err, "wc_logs_next");
        append(&text, &size, channel == WC_STREAM_STDERR ? "2:" : "1:", 2);
        append(&text, &size, wc_buf_data(line), wc_buf_size(line));
        wc_buf_unref(line);
    }
    wc_logs_unref(logs);
    return text;
}

int harness_has_files(const char *test)
{
    wc_container *c = start_new(SCRIPT("file:/marker"));
    int there = exit_code_of(c) == 0;
    if (!there)
        harness_note_skip(test, "the backend has no files");
    return there;
}

/* ---- Other threads and processes ------------------------------------------------------------ */

int run_role(const char *role, const char *argument, char **printed)
{
    char *command =
        test_text("exec '%s' '%s' '%s' --role '%s' '%s' '%s'", settings.self, settings.backend,
                  settings.plugin ? settings.plugin : "", settings.root, role, argument);
    int rc = test_run(command, printed);
    free(command);
    return rc;
}

struct later {
    pthread_t thread;
    wc_cancel *cancel;
    int64_t delay_ns, triggered_ns;
};

static void *trigger(void *arg)
{
    later *l = arg;
    struct timespec t = {l->delay_ns / SECONDS, l->delay_ns % SECONDS};
    nanosleep(&t, NULL);
    l->triggered_ns = now_ns();
    wc_cancel_trigger(l->cancel);
    return NULL;
}

later *cancel_later(wc_cancel *cancel, int64_t delay_ns)
{
    later *l = calloc(1, sizeof *l);
    ck_assert_ptr_nonnull(l);
    l->cancel = cancel;
    l->delay_ns = delay_ns;
    ck_assert_int_eq(pthread_create(&l->thread, NULL, trigger, l), 0);
    return l;
}

int64_t later_join(later *l)
{
    pthread_join(l->thread, NULL);
    int64_t when = l->triggered_ns;
    free(l);
    return when;
}
