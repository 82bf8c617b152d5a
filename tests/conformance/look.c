/* SPDX-License-Identifier: Apache-2.0 */
/* Inspecting, listing, events, and what the program sees of its options. */
#include <fcntl.h>
#include <jansson.h>

#include "conformance/harness.h"

static json_t *inspect_json(wc_container *c)
{
    wc_container_info *info = NULL;
    good(wc_container_inspect(c, &info, &err));
    json_t *json = json_loads(wc_container_info_json(info), JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(json);
    wc_container_info_unref(info);
    return json;
}

/* The text at a path of keys between dots. */
static const char *text_at(json_t *json, const char *path)
{
    char keys[128];
    snprintf(keys, sizeof keys, "%s", path);
    for (char *key = strtok(keys, "."); key; key = strtok(NULL, "."))
        json = json_object_get(json, key);
    ck_assert_msg(json_is_string(json), "no text at %s", path);
    return json_string_value(json);
}

START_TEST(inspect_has_docker_fields)
{
    wc_container_options *o = options_for(SCRIPT("exit:5"));
    good(wc_container_options_set_name(o, "looked-at", &err));
    good(wc_container_options_add_label(o, "mine", "two", &err));
    wc_container *c = create_from(o);
    json_t *json = inspect_json(c);
    ck_assert_str_eq(text_at(json, "Id"), wc_container_id(c));
    ck_assert_str_eq(text_at(json, "Name"), "/looked-at");
    ck_assert_str_eq(text_at(json, "State.Status"), "created");
    ck_assert_int_eq(strncmp(text_at(json, "Image"), "sha256:", 7), 0);
    ck_assert_str_eq(text_at(json, "Config.Labels.mine"), "two");
    ck_assert_str_eq(text_at(json, "Path"), PROGRAM);
    ck_assert(json_is_array(json_object_get(json, "Args")));
    ck_assert(json_is_array(json_object_get(json_object_get(json, "Config"), "Env")));
    ck_assert(json_is_object(json_object_get(json, "HostConfig")));
    json_decref(json);

    good(wc_container_start(c, 0, NULL, NULL, &err));
    exit_code_of(c);
    json = inspect_json(c);
    json_t *state = json_object_get(json, "State");
    ck_assert_str_eq(text_at(json, "State.Status"), "exited");
    ck_assert_int_eq(json_integer_value(json_object_get(state, "ExitCode")), 5);
    ck_assert(json_is_false(json_object_get(state, "Running")));
    json_decref(json);
}
END_TEST

/* What inspect, wait and a later run say of a container whose start failed with `code`. */
static void expect_failed_start(const char *entrypoint, int32_t code, int32_t exit_code)
{
    const char *const entry[] = {entrypoint};
    wc_container_options *o = options_for(SCRIPT("exit:0"));
    good(wc_container_options_set_entrypoint(o, entry, 1, &err));
    wc_container *c = create_from(o);
    bad(wc_container_start(c, 0, NULL, NULL, &err), code);
    json_t *json = inspect_json(c);
    json_t *state = json_object_get(json, "State");
    ck_assert_str_eq(text_at(json, "State.Status"), "created");
    ck_assert_int_eq(json_integer_value(json_object_get(state, "ExitCode")), exit_code);
    ck_assert_ptr_nonnull(strstr(text_at(json, "State.Error"), entrypoint));
    json_decref(json);
    ck_assert_int_eq(exit_code_of(c), exit_code);
}

START_TEST(failed_start_has_an_exit_code)
{
    const char *const entry[] = {"no-such-program"};
    wc_container_options *o = options_for(SCRIPT("exit:0"));
    good(wc_container_options_set_entrypoint(o, entry, 1, &err));
    if (wc_container_start(create_from(o), 0, NULL, NULL, NULL) == WC_OK)
        skip_test("this backend starts whatever it is given");
    expect_failed_start("no-such-program", WC_E_COMMAND_NOT_FOUND, 127);
}
END_TEST

START_TEST(list_has_all_newest_first)
{
    wc_list *list = NULL;
    wc_container *a = create(SCRIPT("exit:0"));
    wc_container *b = start_new(SCRIPT("forever"));
    good(wc_container_list(context, &list, &err));
    ck_assert_uint_eq(wc_list_count(list), 2);
    wc_container_info *first = wc_list_container_info(list, 0);
    wc_container_info *second = wc_list_container_info(list, 1);
    ck_assert_str_eq(wc_container_info_id(first), wc_container_id(b));
    ck_assert_int_eq(wc_container_info_status(first), WC_STATUS_RUNNING);
    ck_assert_str_eq(wc_container_info_id(second), wc_container_id(a));
    ck_assert_int_eq(wc_container_info_status(second), WC_STATUS_CREATED);
    ck_assert_str_eq(wc_container_info_image(second), IMAGE);
    ck_assert_ptr_nonnull(strstr(wc_container_info_command(second), "exit:0"));
    ck_assert_str_ne(wc_container_info_name(first), wc_container_info_name(second));
    ck_assert_ptr_null(wc_list_container_info(list, 2));
    wc_list_unref(list);
}
END_TEST

START_TEST(labels_come_from_image_and_options)
{
    wc_container_info *info = NULL;
    wc_container_options *o = options_for(SCRIPT("exit:0"));
    good(wc_container_options_add_label(o, "own.label", "a=b", &err));
    wc_container *c = create_from(o);
    good(wc_container_inspect(c, &info, &err));
    ck_assert_str_eq(wc_container_info_label(info, "image.label"), "one");
    ck_assert_str_eq(wc_container_info_label(info, "own.label"), "a=b");
    ck_assert_ptr_null(wc_container_info_label(info, "no.label"));
    wc_container_info_unref(info);
}
END_TEST

static void expect_run(wc_container_options *options, const char *out)
{
    output o;
    int32_t code = -1;
    wc_container *c = create_from(options);
    good(run_attached(c, &o, &code, &err));
    ck_assert_str_eq(o.out, out);
    ck_assert_int_eq(code, 0);
    output_free(&o);
}

/* Whether the program can be listened to at all. */
static int can_attach(const char *test)
{
    output o;
    int32_t code;
    wc_error *err = NULL;
    wc_container *c = create(SCRIPT("exit:0"));
    int32_t rc = run_attached(c, &o, &code, &err);
    if (rc == WC_OK)
        output_free(&o);
    else
        harness_note_skip(test, wc_error_message(err));
    wc_error_unref(err);
    return rc == WC_OK;
}
#define need_attach()                                                                              \
    do {                                                                                           \
        if (!can_attach(__func__))                                                                 \
            return;                                                                                \
    } while (0)

START_TEST(environment_reaches_the_program)
{
    need_attach();
    wc_container_options *o =
        options_for(SCRIPT("env:FROM_IMAGE", "env:PATH", "env:OWN", "env:ABSENT"));
    good(wc_container_options_add_env(o, "OWN", "a b=c", &err));
    good(wc_container_options_add_env(o, "PATH", "/elsewhere", &err));
    expect_run(o, "yes\n/elsewhere\na b=c\n\n");
}
END_TEST

START_TEST(workdir_user_and_hostname_reach_the_program)
{
    need_attach();
    wc_container_options *o = options_for(SCRIPT("workdir", "user", "hostname"));
    good(wc_container_options_set_workdir(o, "/data", &err));
    good(wc_container_options_set_user(o, "1234:55", &err));
    good(wc_container_options_set_hostname(o, "named", &err));
    good(wc_container_options_set_console_size(o, 80, 24, &err));
    ck_assert_int_eq(wc_container_options_set_console_size(o, 0, 24, NULL), WC_E_INVALID);
    ck_assert_int_eq(wc_container_options_set_console_size(o, 80, 65536, NULL), WC_E_INVALID);
    ck_assert_int_eq(wc_container_options_set_console_size(NULL, 80, 24, NULL), WC_E_INVALID);
    expect_run(o, "/data\n1234:55\nnamed\n");
    expect_run(options_for(SCRIPT("workdir", "user")), "/\n0:0\n");
}
END_TEST

START_TEST(image_command_is_the_default)
{
    need_attach();
    wc_container_options *o = NULL;
    good(wc_container_options_new(IMAGE, &o, &err));
    good(wc_container_options_set_network(o, "none", &err));
    expect_run(o, "from the image\n");
    o = options_for(SCRIPT("args", "outln:x y"));
    expect_run(o, "args\noutln:x y\nx y\n");
}
END_TEST

START_TEST(user_names_are_the_images)
{
    need_files();
    wc_container_options *o = options_for(SCRIPT("user"));
    good(wc_container_options_set_user(o, "worker", &err));
    expect_run(o, "1000:1001\n");
    o = options_for(SCRIPT("user"));
    good(wc_container_options_set_user(o, "worker:staff", &err));
    expect_run(o, "1000:50\n");
}
END_TEST

START_TEST(image_files_are_there)
{
    need_files();
    expect_run(options_for(SCRIPT("file:/marker")), "conformance\n");
}
END_TEST

START_TEST(file_without_execute_right_is_told)
{
    need_files();
    expect_failed_start("/data/plain", WC_E_COMMAND_NOT_EXECUTABLE, 126);
}
END_TEST

/* The next event about this container. */
static wc_event *next_event(wc_events *events, const char *id)
{
    for (;;) {
        wc_event *event = NULL;
        good(wc_events_next(events, 10 * SECONDS, NULL, &event, &err));
        if (strcmp(wc_event_type(event), "container") == 0 && strcmp(wc_event_id(event), id) == 0)
            return event;
        wc_event_unref(event);
    }
}

static void expect_attribute(wc_event *event, const char *key, const char *value)
{
    json_t *attributes = json_loads(wc_event_attributes(event), 0, NULL);
    ck_assert_str_eq(text_at(attributes, key), value);
    json_decref(attributes);
}

START_TEST(events_come_in_order)
{
    static const char *const actions[] = {"create", "start", "die", "destroy"};
    wc_events *events = NULL;
    char *cursor = NULL;
    good(wc_events_open(context, NULL, &events, &err));
    wc_container *c = start_new(SCRIPT("exit:3"));
    exit_code_of(c);
    good(wc_container_remove(c, 0, NULL, &err));
    int64_t last = 0;
    for (int i = 0; i < 4; i++) {
        wc_event *event = next_event(events, wc_container_id(c));
        ck_assert_str_eq(wc_event_action(event), actions[i]);
        ck_assert_int_ge(wc_event_time(event), last);
        last = wc_event_time(event);
        if (i == 1)
            cursor = test_text("%s", wc_event_cursor(event));
        if (i == 2)
            expect_attribute(event, "exitCode", "3");
        wc_event_unref(event);
    }
    wc_events_unref(events);

    good(wc_events_open(context, cursor, &events, &err)); /* goes on after "start" */
    wc_event *event = next_event(events, wc_container_id(c));
    ck_assert_str_eq(wc_event_action(event), "die");
    wc_event_unref(event);
    wc_events_unref(events);
    bad(wc_events_open(context, "nonsense", &events, &err), WC_E_INVALID);
    free(cursor);
}
END_TEST

static wc_events *open_events(const char *cursor, int64_t since, int64_t until, const char *key, const char *value)
{
    wc_events_options *o = NULL;
    wc_events *events = NULL;
    good(wc_events_options_new(&o, &err));
    good(wc_events_options_set_cursor(o, cursor, &err));
    good(wc_events_options_set_since(o, since, &err));
    good(wc_events_options_set_until(o, until, &err));
    if (key)
        good(wc_events_options_add_filter(o, key, value, &err));
    bad(wc_events_options_add_filter(o, "colour", "red", &err), WC_E_INVALID);
    good(wc_events_open_with(context, o, &events, &err));
    wc_events_options_unref(o);
    return events;
}

/* Its actions, and how the reader ends. */
static void expect_actions(wc_events *events, const char *wanted, int32_t end)
{
    char actions[256] = "";
    wc_event *event = NULL;
    wc_error *why = NULL;
    int32_t rc;
    while (!(rc = wc_events_next(events, 0, NULL, &event, &why))) {
        strncat(actions, wc_event_action(event), sizeof actions - strlen(actions) - 2);
        strcat(actions, " ");
        wc_event_unref(event);
    }
    ck_assert_str_eq(actions, wanted);
    ck_assert_int_eq(rc, end);
    wc_error_unref(why);
    wc_events_unref(events);
}

START_TEST(events_are_chosen)
{
    wc_container *first = create(SCRIPT("exit:3"));
    wc_event *event = NULL;
    wc_events *events = open_events("", 0, 0, "container", wc_container_id(first));
    good(wc_events_next(events, 0, NULL, &event, &err));
    int64_t made = wc_event_time(event);
    wc_event_unref(event);
    wc_events_unref(events);
    wc_container *second = start_new(SCRIPT("exit:3"));
    exit_code_of(second);

    expect_actions(open_events("", 0, 0, "container", wc_container_id(second)), "create start die ", WC_E_TIMEOUT);
    expect_actions(open_events(NULL, made, 0, "event", "create"), "create create ", WC_E_TIMEOUT);
    expect_actions(open_events(NULL, made, made, NULL, NULL), "create ", WC_E_CLOSED);
    expect_actions(open_events("", made + 1, 0, "event", "create"), "create ", WC_E_TIMEOUT);
    expect_actions(open_events(NULL, made, 0, "label", "exitCode=3"), "die ", WC_E_TIMEOUT);
    expect_actions(open_events(NULL, made, 0, "label", "exitCode=4"), "", WC_E_TIMEOUT);
    expect_actions(open_events(NULL, made, 0, "type", "image"), "", WC_E_TIMEOUT);
    expect_actions(open_events(NULL, 0, made, NULL, NULL), "", WC_E_CLOSED);
    expect_actions(open_events(NULL, 0, 0, NULL, NULL), "", WC_E_TIMEOUT);
}
END_TEST

START_TEST(null_arguments_are_refused)
{
    wc_container *c = create(SCRIPT("exit:0")), *out = NULL;
    wc_container_options *o = NULL;
    wc_container_info *info = NULL;
    wc_list *list = NULL;
    bad(wc_container_open(NULL, "x", &out, &err), WC_E_INVALID);
    bad(wc_container_open(context, NULL, &out, &err), WC_E_INVALID);
    bad(wc_container_open(context, "x", NULL, &err), WC_E_INVALID);
    bad(wc_container_create(context, NULL, NULL, &out, &err), WC_E_INVALID);
    bad(wc_container_options_new(NULL, &o, &err), WC_E_INVALID);
    bad(wc_container_start(NULL, 0, NULL, NULL, &err), WC_E_INVALID);
    bad(wc_container_start(c, WC_ATTACH_STDOUT, NULL, NULL, &err), WC_E_INVALID);
    bad(wc_container_start(c, 1u << 20, NULL, NULL, &err), WC_E_INVALID);
    bad(wc_container_kill(c, NULL, &err), WC_E_INVALID);
    bad(wc_container_restart(NULL, 0, NULL, &err), WC_E_INVALID);
    bad(wc_container_remove(c, 1u << 20, NULL, &err), WC_E_INVALID);
    bad(wc_container_inspect(c, NULL, &err), WC_E_INVALID);
    bad(wc_container_inspect(NULL, &info, &err), WC_E_INVALID);
    bad(wc_container_list(NULL, &list, &err), WC_E_INVALID);
    bad(wc_container_attach(c, 0, NULL, NULL, &err), WC_E_INVALID);
    bad(wc_container_get_archive(NULL, "/x", 0, NULL, &err), WC_E_INVALID);
    bad(wc_container_get_archive(c, "", 0, NULL, &err), WC_E_INVALID);
    bad(wc_container_get_archive(c, "/x", -1, NULL, &err), WC_E_INVALID);
    bad(wc_container_put_archive(c, NULL, 0, NULL, &err), WC_E_INVALID);
    bad(wc_container_put_archive(c, "/x", -1, NULL, &err), WC_E_INVALID);
    ck_assert_int_eq(status_of(c), WC_STATUS_CREATED);
}
END_TEST

TCase *look_tests(void)
{
    TCase *tc = tcase_create("look");
    tcase_add_checked_fixture(tc, harness_setup, harness_teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, inspect_has_docker_fields);
    tcase_add_test(tc, failed_start_has_an_exit_code);
    tcase_add_test(tc, list_has_all_newest_first);
    tcase_add_test(tc, labels_come_from_image_and_options);
    tcase_add_test(tc, environment_reaches_the_program);
    tcase_add_test(tc, workdir_user_and_hostname_reach_the_program);
    tcase_add_test(tc, image_command_is_the_default);
    tcase_add_test(tc, user_names_are_the_images);
    tcase_add_test(tc, image_files_are_there);
    tcase_add_test(tc, file_without_execute_right_is_told);
    tcase_add_test(tc, events_come_in_order);
    tcase_add_test(tc, events_are_chosen);
    tcase_add_test(tc, null_arguments_are_refused);
    return tc;
}
