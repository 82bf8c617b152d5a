/* SPDX-License-Identifier: Apache-2.0 */
/* Registering and loading backends, and what the library makes of their answers. */
#include <wincontainer/backend.h>
#include <wincontainer/wincontainer.h>

#include "support/support.h"

#define IMAGE "any"

static char *dir;
static wc_context *context;
static wc_error *error;
static int freed;

static wc_context *open_context(const char *backend)
{
    char *root = test_text("%s/store", dir);
    wc_context_options *options = NULL;
    wc_context *opened = NULL;
    test_ok(wc_context_options_new(&options, NULL));
    test_ok(wc_context_options_set_root(options, root, NULL));
    test_ok(wc_context_options_set_backend(options, backend, NULL));
    test_ok(wc_context_open(options, NULL, &opened, NULL));
    wc_context_options_unref(options);
    free(root);
    return opened;
}

static void setup(void)
{
    dir = test_make_dir();
    context = open_context("toy");
    freed = 0;
}

static void teardown(void)
{
    wc_error_unref(error);
    error = NULL;
    wc_context_unref(context);
    test_remove_dir(dir);
}

/* The call gives this code and an error whose message has this part. */
static void assert_error(int32_t rc, int32_t code, const char *part)
{
    ck_assert_msg(rc == code, "%s instead of %s: %s", wc_code_name(rc), wc_code_name(code),
                  wc_error_message(error));
    ck_assert_int_eq(wc_error_code(error), code);
    wc_buf *text = NULL;
    test_ok(wc_error_format(error, &text));
    ck_assert_msg(strstr(wc_buf_data(text), part) != NULL, "no '%s' in '%s'", part,
                  wc_buf_data(text));
    wc_buf_unref(text);
    wc_error_unref(error);
    error = NULL;
}

/* ---- A toy: its answers are what the test sets ---------------------------------------------- */

static struct toy {
    int32_t open_code;
    int32_t start_code;
    int sets_error;
    int32_t status;
    int32_t exit_code;
    int starts;
} toy;

static void free_toy(uintptr_t payload)
{
    ck_assert_uint_eq(payload, (uintptr_t)&toy);
    freed++;
}

static int32_t toy_open(uintptr_t payload, wc_call *call, const wc_request *request,
                        wc_response *response)
{
    (void)call;
    (void)response;
    ck_assert_uint_eq(payload, (uintptr_t)&toy);
    ck_assert_str_eq(wc_request_container_id(request), "");
    ck_assert_ptr_nonnull(wc_request_string(request, "root"));
    return toy.open_code;
}

static int32_t toy_start(uintptr_t payload, wc_call *call, const wc_request *request,
                         wc_response *response)
{
    (void)payload;
    toy.starts++;
    ck_assert_uint_eq(strlen(wc_request_container_id(request)), 64);
    ck_assert_ptr_nonnull(strstr(wc_request_config(request), "\"args\""));
    ck_assert_int_eq(wc_request_state_dir(request)[0], '/');
    ck_assert_int_eq(wc_request_run_dir(request)[0], '/');
    ck_assert_uint_eq(wc_request_layer_count(request), 0);
    ck_assert_ptr_null(wc_request_layer(request, 0));
    ck_assert_ptr_null(wc_request_string(request, "no-such-key"));
    ck_assert_int_eq(wc_request_int(request, "no-such-key", -7), -7);
    test_ok(wc_call_check(call));
    if (toy.sets_error)
        return wc_call_fail(call, toy.start_code, WC_DOMAIN_EXIT, 3, "toy: the spring is broken");
    wc_response_set_status(response, WC_STATUS_RUNNING);
    wc_response_set_pid(response, 4711);
    return toy.start_code;
}

static int32_t toy_state(uintptr_t payload, wc_call *call, const wc_request *request,
                         wc_response *response)
{
    (void)payload;
    (void)call;
    (void)request;
    wc_response_set_status(response, toy.status);
    wc_response_set_exit(response, toy.exit_code, 1);
    return WC_OK;
}

static wc_backend_ops toy_table(void)
{
    memset(&toy, 0, sizeof toy);
    toy.status = WC_STATUS_RUNNING;
    return (wc_backend_ops){.struct_size = sizeof(wc_backend_ops),
                            .spi_major = WC_BACKEND_SPI_MAJOR,
                            .name = "toy",
                            .open = toy_open,
                            .container_start = toy_start,
                            .container_state = toy_state};
}

static int32_t register_table(const wc_backend_ops *ops)
{
    return wc_backend_register(context, ops, (uintptr_t)&toy, free_toy, &error);
}

static int is_listed(const char *name)
{
    wc_list *list = NULL;
    int found = 0;
    test_ok(wc_backend_list(context, &list, NULL));
    for (size_t i = 0; i < wc_list_count(list); i++)
        found += strcmp(wc_list_string(list, i), name) == 0;
    wc_list_unref(list);
    return found;
}

/* ---- Registration --------------------------------------------------------------------------- */

START_TEST(registered_backend_is_listed_and_released_once)
{
    wc_backend_ops ops = toy_table();
    ck_assert(is_listed("process"));
    ck_assert(is_listed("mock"));
    ck_assert(!is_listed("toy"));
    test_ok(register_table(&ops));
    ck_assert(is_listed("toy"));
    ck_assert_int_eq(freed, 0);
    wc_context_unref(context);
    ck_assert_int_eq(freed, 1);
    context = open_context("toy");
    ck_assert(!is_listed("toy"));
}
END_TEST

START_TEST(payload_is_released_when_refused)
{
    wc_backend_ops ops = toy_table();
    test_ok(register_table(&ops));
    assert_error(register_table(&ops), WC_E_EXISTS, "'toy'");
    ck_assert_int_eq(freed, 1);
    ops.name = "other";
    toy.open_code = WC_E_MISSING;
    assert_error(register_table(&ops), WC_E_MISSING, "backend 'other': open");
    ck_assert_int_eq(freed, 2);
    ck_assert(!is_listed("other"));
    assert_error(register_table(NULL), WC_E_INVALID, "ops");
    ck_assert_int_eq(freed, 3);
    assert_error(wc_backend_register(NULL, &ops, (uintptr_t)&toy, free_toy, &error), WC_E_INVALID,
                 "context");
    ck_assert_int_eq(freed, 4);
}
END_TEST

START_TEST(malformed_tables_are_refused)
{
    wc_backend_ops ops = toy_table();
    ops.spi_major = 2;
    assert_error(register_table(&ops), WC_E_INVALID, "version 2");
    ops = toy_table();
    ops.reserved = 1;
    assert_error(register_table(&ops), WC_E_INVALID, "reserved");
    ops = toy_table();
    ops.capabilities = 1u << 30;
    assert_error(register_table(&ops), WC_E_INVALID, "capabilities");
    ops = toy_table();
    ops.capabilities = WC_BACKEND_RECORDS;
    assert_error(register_table(&ops), WC_E_INVALID, "WC_BACKEND_RECORDS");
    static const char *const names[] = {NULL, "", "Upper", "a b", "a/b"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ops = toy_table();
        ops.name = names[i];
        assert_error(register_table(&ops), WC_E_INVALID, "name");
    }
    ck_assert(!is_listed("toy"));
}
END_TEST

START_TEST(struct_size_is_bounded)
{
    wc_backend_ops ops = toy_table();
    ops.struct_size = 0;
    assert_error(register_table(&ops), WC_E_INVALID, "struct_size");
    ops.struct_size = offsetof(wc_backend_ops, name);
    assert_error(register_table(&ops), WC_E_INVALID, "struct_size");
    ops.struct_size = UINT64_MAX;
    assert_error(register_table(&ops), WC_E_INVALID, "struct_size");
}
END_TEST

/* A table as a later version of the header would have it. */
typedef struct longer_table {
    wc_backend_ops ops;
    void *later[3];
} longer_table;

START_TEST(unknown_tail_must_be_zero)
{
    longer_table table = {.ops = toy_table()};
    table.ops.struct_size = sizeof table;
    table.later[2] = &table;
    assert_error(register_table(&table.ops), WC_E_INVALID, "newer library");
    table.later[2] = NULL;
    test_ok(register_table(&table.ops));
    ck_assert(is_listed("toy"));
}
END_TEST

/* ---- Containers on it ----------------------------------------------------------------------- */

static void pull_image(void)
{
    char *command = test_text("python3 '%s/tests/support/make_layout.py' '%s/layout' latest "
                              "--config '{\"Cmd\":[\"anything\"]}' >/dev/null",
                              WC_TEST_SOURCE_DIR, dir);
    char *source = test_text("oci:%s/layout:latest", dir);
    wc_transfer_options *transfer = NULL;
    wc_image *image = NULL;
    ck_assert_int_eq(test_run(command, NULL), 0);
    test_ok(wc_transfer_options_new(&transfer, NULL));
    test_ok(wc_transfer_options_add_name(transfer, IMAGE, NULL));
    test_ok(wc_image_pull(context, source, transfer, NULL, &image, NULL));
    wc_transfer_options_unref(transfer);
    wc_image_unref(image);
    free(command);
    free(source);
}

static wc_container *create_container(wc_context *in)
{
    wc_container_options *options = NULL;
    wc_container *container = NULL;
    test_ok(wc_container_options_new(IMAGE, &options, NULL));
    test_ok(wc_container_create(in, options, NULL, &container, &error));
    wc_container_options_unref(options);
    return container;
}

static wc_container *container_on_toy(const wc_backend_ops *ops)
{
    pull_image();
    test_ok(register_table(ops));
    return create_container(context);
}

START_TEST(shorter_table_lacks_the_rest)
{
    wc_backend_ops ops = toy_table();
    wc_container *c = NULL;
    ops.struct_size = offsetof(wc_backend_ops, container_state);
    c = container_on_toy(&ops);
    test_ok(wc_container_start(c, 0, NULL, NULL, &error));
    ck_assert_int_eq(toy.starts, 1);
    wc_container_unref(c);
}
END_TEST

START_TEST(missing_slots_are_named)
{
    wc_backend_ops ops = toy_table();
    const char *const args[] = {"x"};
    wc_container *c = container_on_toy(&ops);
    wc_exec_options *exec = NULL;
    wc_process *process = NULL;
    wc_stream *stream = NULL;
    wc_logs *logs = NULL;
    test_ok(wc_container_start(c, 0, NULL, NULL, &error));
    assert_error(wc_container_kill(c, "TERM", &error), WC_E_UNSUPPORTED, "'toy': container_kill");
    assert_error(wc_container_attach(c, WC_ATTACH_STDOUT, NULL, &stream, &error), WC_E_UNSUPPORTED,
                 "'toy': container_attach");
    assert_error(wc_container_logs(c, NULL, &logs, &error), WC_E_UNSUPPORTED, "'toy': logs_open");
    assert_error(wc_container_copy_in(c, "/etc/passwd", "/etc", NULL, &error), WC_E_UNSUPPORTED, "'toy': archive_put");
    assert_error(wc_container_copy_out(c, "/etc", "/tmp", NULL, &error), WC_E_UNSUPPORTED, "'toy': archive_get");
    test_ok(wc_exec_options_new(args, 1, &exec, NULL));
    assert_error(wc_container_exec(c, exec, 0, NULL, &process, NULL, &error), WC_E_UNSUPPORTED,
                 "'toy': process_start");
    wc_exec_options_unref(exec);
    ck_assert(!stream && !logs && !process);
    wc_container_unref(c);
}
END_TEST

static int32_t status_of(wc_container *c, int32_t *exit_code)
{
    wc_container_info *info = NULL;
    test_ok(wc_container_inspect(c, &info, NULL));
    int32_t status = wc_container_info_status(info);
    if (exit_code)
        *exit_code = wc_container_info_exit_code(info);
    wc_container_info_unref(info);
    return status;
}

START_TEST(answers_become_records)
{
    wc_backend_ops ops = toy_table();
    int32_t code = -1;
    wc_container *c = container_on_toy(&ops);
    ck_assert_int_eq(status_of(c, NULL), WC_STATUS_CREATED);
    test_ok(wc_container_start(c, 0, NULL, NULL, &error));
    ck_assert_int_eq(status_of(c, NULL), WC_STATUS_RUNNING);
    toy.status = WC_STATUS_EXITED;
    toy.exit_code = 17;
    ck_assert_int_eq(status_of(c, &code), WC_STATUS_EXITED);
    ck_assert_int_eq(code, 17);
    wc_container_unref(c);
}
END_TEST

START_TEST(failures_keep_their_error)
{
    wc_backend_ops ops = toy_table();
    wc_container *c = container_on_toy(&ops);
    toy.start_code = WC_E_RUNTIME;
    toy.sets_error = 1;
    int32_t rc = wc_container_start(c, 0, NULL, NULL, &error);
    ck_assert_int_eq(wc_error_domain(error), WC_DOMAIN_EXIT);
    ck_assert_int_eq(wc_error_native(error), 3);
    assert_error(rc, WC_E_RUNTIME, "the spring is broken");
    ck_assert_int_ne(status_of(c, NULL), WC_STATUS_RUNNING);

    toy.sets_error = 0;
    toy.start_code = WC_E_PERMISSION; /* without a word */
    assert_error(wc_container_start(c, 0, NULL, NULL, &error), WC_E_PERMISSION,
                 "backend 'toy': container_start: WC_E_PERMISSION");
    toy.start_code = 5; /* no result code */
    assert_error(wc_container_start(c, 0, NULL, NULL, &error), WC_E_RUNTIME, "answered 5");
    wc_container_unref(c);
}
END_TEST

START_TEST(unknown_backend_is_named)
{
    wc_container_options *options = NULL;
    wc_container *c = NULL;
    pull_image();
    test_ok(wc_container_options_new(IMAGE, &options, NULL));
    int32_t rc = wc_container_create(context, options, NULL, &c, &error);
    if (rc == WC_OK)
        rc = wc_container_start(c, 0, NULL, NULL, &error);
    assert_error(rc, WC_E_NOT_FOUND, "'toy'");
    wc_container_options_unref(options);
    wc_container_unref(c);
}
END_TEST

/* ---- Loading -------------------------------------------------------------------------------- */

static int32_t load(const char *path)
{
    return wc_backend_load(context, path, &error);
}

START_TEST(unloadable_objects_are_refused)
{
    char *text = test_text("%s/text.so", dir);
    test_write_file(text, "hello", 5);
    assert_error(load(NULL), WC_E_INVALID, "path");
    assert_error(load("relative.so"), WC_E_INVALID, "absolute");
    assert_error(load("/no/such/file.so"), WC_E_NOT_FOUND, "/no/such/file.so");
    assert_error(load(text), WC_E_INVALID, "text.so");
    assert_error(load(WC_TEST_BINARY_DIR "/tests/bad_plugin_1.so"), WC_E_VERSION,
                 "wc_backend_plugin_v1");
    assert_error(load(WC_TEST_BINARY_DIR "/tests/bad_plugin_2.so"), WC_E_MISSING, "refused");
    assert_error(load(WC_TEST_BINARY_DIR "/tests/bad_plugin_3.so"), WC_E_INVALID, "no table");
    assert_error(load(WC_TEST_BINARY_DIR "/tests/bad_plugin_4.so"), WC_E_INVALID,
                 "bad_plugin_4.so");
    free(text);
}
END_TEST

/* ---- The mock, as an application uses it to test itself ------------------------------------- */

static wc_container *create_mock(const char *key, const char *value, const char *word)
{
    wc_container_options *options = NULL;
    wc_container *container = NULL;
    wc_context_unref(context);
    context = open_context("mock");
    pull_image();
    test_ok(wc_container_options_new(IMAGE, &options, NULL));
    test_ok(wc_container_options_set_command(options, &word, 1, NULL));
    if (key)
        test_ok(wc_container_options_add_label(options, key, value, NULL));
    test_ok(wc_container_create(context, options, NULL, &container, &error));
    wc_container_options_unref(options);
    return container;
}

START_TEST(mock_fails_as_labels_say)
{
    wc_container *c = create_mock("mock.fault.start", "WC_E_MISSING: no runtime today", "exit:0");
    assert_error(wc_container_start(c, 0, NULL, NULL, &error), WC_E_MISSING, "no runtime today");
    ck_assert_int_ne(status_of(c, NULL), WC_STATUS_RUNNING);
    wc_container_unref(c);
}
END_TEST

START_TEST(mock_crash_is_a_lost_end)
{
    int32_t code = 0;
    wc_container *c = create_mock("mock.crash.after", "50ms", "forever");
    test_ok(wc_container_start(c, 0, NULL, NULL, &error));
    test_ok(wc_container_wait(c, WC_WAIT_NOT_RUNNING, NULL, &code, &error));
    ck_assert_int_eq(code, 255);
    ck_assert_int_ne(status_of(c, NULL), WC_STATUS_RUNNING);
    wc_container_unref(c);
}
END_TEST

START_TEST(mock_obeys_the_fault_file)
{
    static const char faults[] = "mock.fault.kill=WC_E_BUSY: somebody holds it\n";
    char *path = test_text("%s/store/mock.faults", dir);
    wc_container *c = create_mock(NULL, NULL, "forever");
    test_ok(wc_container_start(c, 0, NULL, NULL, &error));
    test_write_file(path, faults, sizeof faults - 1);
    assert_error(wc_container_kill(c, "TERM", &error), WC_E_BUSY, "somebody holds it");
    unlink(path);
    test_ok(wc_container_kill(c, "TERM", &error));
    wc_container_unref(c);
    free(path);
}
END_TEST

#ifdef NULL_BACKEND
START_TEST(example_backend_lives)
{
    wc_stream *stream = NULL;
    int32_t code = 0;
    wc_context_unref(context);
    context = open_context("null");
    pull_image();
    test_ok(load(NULL_BACKEND));
    assert_error(load(NULL_BACKEND), WC_E_EXISTS, "'null'");
    wc_container *c = create_container(context);
    assert_error(wc_container_start(c, WC_ATTACH_STDOUT, NULL, &stream, &error), WC_E_UNSUPPORTED,
                 "streams");
    test_ok(wc_container_start(c, 0, NULL, NULL, &error));
    ck_assert_int_eq(status_of(c, NULL), WC_STATUS_RUNNING);
    assert_error(wc_container_remove(c, 0, NULL, &error), WC_E_STATE, "runs");

    wc_context *other = open_context("null"); /* sees it once it has the backend */
    wc_container *theirs = NULL;
    test_ok(wc_backend_load(other, NULL_BACKEND, &error));
    test_ok(wc_container_open(other, wc_container_id(c), &theirs, &error));
    test_ok(wc_container_kill(theirs, "TERM", &error));
    test_ok(wc_container_wait(c, WC_WAIT_NOT_RUNNING, NULL, &code, &error));
    ck_assert_int_eq(code, 143);
    wc_container_unref(theirs);
    wc_context_unref(other);

    test_ok(wc_container_start(c, 0, NULL, NULL, &error));
    test_ok(wc_container_remove(c, WC_REMOVE_FORCE, NULL, &error));
    wc_container_unref(c);
}
END_TEST
#endif

int main(void)
{
    Suite *suite = suite_create("backend");
    TCase *tc = tcase_create("backend");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 30);
    tcase_add_test(tc, registered_backend_is_listed_and_released_once);
    tcase_add_test(tc, payload_is_released_when_refused);
    tcase_add_test(tc, malformed_tables_are_refused);
    tcase_add_test(tc, struct_size_is_bounded);
    tcase_add_test(tc, unknown_tail_must_be_zero);
    tcase_add_test(tc, shorter_table_lacks_the_rest);
    tcase_add_test(tc, missing_slots_are_named);
    tcase_add_test(tc, answers_become_records);
    tcase_add_test(tc, failures_keep_their_error);
    tcase_add_test(tc, unknown_backend_is_named);
    tcase_add_test(tc, unloadable_objects_are_refused);
    tcase_add_test(tc, mock_fails_as_labels_say);
    tcase_add_test(tc, mock_crash_is_a_lost_end);
    tcase_add_test(tc, mock_obeys_the_fault_file);
#ifdef NULL_BACKEND
    tcase_add_test(tc, example_backend_lives);
#endif
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
