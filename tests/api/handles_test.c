/* SPDX-License-Identifier: Apache-2.0 */
/* Handles of containers on the mock backend: options that arrive, references, and descriptors to wait on. */
#include <poll.h>

#include "fixture.h"

#define SECOND INT64_C(1000000000)

static wc_container_options *options_of(const char *word)
{
    wc_container_options *options = NULL;
    good(wc_container_options_new("two", &options, &err));
    good(wc_container_options_set_command(options, &word, 1, &err));
    return options;
}

static wc_container *create_with(wc_container_options *options)
{
    wc_container *container = NULL;
    good(wc_container_create(context, options, NULL, &container, &err));
    wc_container_options_unref(options);
    return container;
}

static wc_container *started(const char *word)
{
    wc_container *container = create_with(options_of(word));
    good(wc_container_start(container, 0, NULL, NULL, &err));
    return container;
}

static void setup_image(void)
{
    setup();
    wc_image_unref(two_layers());
}

/* ---- Options ---------------------------------------------------------------------------------------- */

static void inspect_has(wc_container *container, const char *const *parts, size_t count)
{
    wc_container_info *info = NULL;
    good(wc_container_inspect(container, &info, &err));
    for (size_t i = 0; i < count; i++)
        has(wc_container_info_json(info), parts[i]);
    ck_assert_str_eq(wc_container_info_ports(info), "{}");
    wc_container_info_unref(info);
}

START_TEST(options_of_resources_arrive)
{
    static const char *const parts[] = {"\"Memory\":67108864", "\"MemorySwap\":134217728", "\"CpuShares\":512"};
    wc_container_options *o = options_of("exit:0");
    bad(wc_container_options_set_memory(o, -5, &err), WC_E_INVALID);
    bad(wc_container_options_set_memory_swap(o, -2, &err), WC_E_INVALID);
    bad(wc_container_options_set_cpu_shares(o, 1, &err), WC_E_INVALID);
    bad(wc_container_options_set_cpu_shares(o, 262145, &err), WC_E_INVALID);
    good(wc_container_options_set_memory(o, 64 << 20, &err));
    good(wc_container_options_set_memory_swap(o, 128 << 20, &err));
    good(wc_container_options_set_cpu_shares(o, 512, &err));
    wc_container *c = create_with(o);
    inspect_has(c, parts, 3);
    wc_container_unref(c);
}
END_TEST

START_TEST(options_of_rights_arrive)
{
    static const char *const parts[] = {"\"Privileged\":true", "\"ReadonlyRootfs\":true", "\"Init\":true",
                                        "\"Isolation\":\"process\"", "NET_ADMIN", "CHOWN",
                                        "\"GroupAdd\":[\"audio\"]", "\"unmask=/proc/keys\",\"unmask=/proc/s*\""};
    wc_container_options *o = options_of("exit:0");
    bad(wc_container_options_add_capability(o, "NO_SUCH", &err), WC_E_INVALID);
    bad(wc_container_options_drop_capability(o, "", &err), WC_E_INVALID);
    bad(wc_container_options_add_security(o, "nonsense", &err), WC_E_INVALID);
    bad(wc_container_options_add_security(o, NULL, &err), WC_E_INVALID);
    bad(wc_container_options_set_isolation(o, "none", &err), WC_E_INVALID);
    good(wc_container_options_set_privileged(o, 1, &err));
    good(wc_container_options_set_read_only(o, 1, &err));
    good(wc_container_options_set_init(o, 1, &err));
    good(wc_container_options_set_isolation(o, "process", &err));
    good(wc_container_options_add_capability(o, "CAP_NET_ADMIN", &err));
    good(wc_container_options_drop_capability(o, "CHOWN", &err));
    good(wc_container_options_add_security(o, "no-new-privileges", &err));
    good(wc_container_options_add_security(o, "seccomp=unconfined", &err));
    good(wc_container_options_add_security(o, "unmask=/proc/keys:/proc/s*", &err));
    bad(wc_container_options_add_security(o, "mask=relative", &err), WC_E_INVALID);
    good(wc_container_options_add_group(o, "audio", &err));
    bad(wc_container_options_add_group(o, "", &err), WC_E_INVALID);
    bad(wc_container_options_add_group(NULL, "audio", &err), WC_E_INVALID);
    wc_container *c = create_with(o);
    inspect_has(c, parts, sizeof parts / sizeof *parts);
    wc_container_unref(c);
}
END_TEST

START_TEST(namespaces_arrive)
{
    static const char *const parts[] = {"\"PidMode\":\"container:web\"", "\"IpcMode\":\"shareable\"",
                                        "\"UTSMode\":\"\"", "\"CgroupnsMode\":\"private\"",
                                        "\"Domainname\":\"example.org\""};
    wc_container_options *o = options_of("exit:0");
    bad(wc_container_options_set_namespace(o, "net", "host", &err), WC_E_INVALID);
    bad(wc_container_options_set_namespace(o, "pid", "shareable", &err), WC_E_INVALID);
    bad(wc_container_options_set_namespace(o, "pid", "container:", &err), WC_E_INVALID);
    bad(wc_container_options_set_namespace(o, "user", "shareable", &err), WC_E_INVALID);
    bad(wc_container_options_add_uid_map(o, "0:1", &err), WC_E_INVALID);
    bad(wc_container_options_add_uid_map(o, "0:1:0", &err), WC_E_INVALID);
    bad(wc_container_options_add_gid_map(o, "0:4294967295:1", &err), WC_E_INVALID);
    bad(wc_container_options_add_gid_map(NULL, "0:1:1", &err), WC_E_INVALID);
    bad(wc_container_options_set_namespace(o, NULL, "host", &err), WC_E_INVALID);
    bad(wc_container_options_set_namespace(o, "pid", NULL, &err), WC_E_INVALID);
    bad(wc_container_options_set_namespace(NULL, "pid", "host", &err), WC_E_INVALID);
    bad(wc_container_options_set_domainname(o, "a b", &err), WC_E_INVALID);
    good(wc_container_options_set_namespace(o, "pid", "container:web", &err));
    good(wc_container_options_set_namespace(o, "ipc", "shareable", &err));
    good(wc_container_options_set_namespace(o, "uts", "host", &err));
    good(wc_container_options_set_namespace(o, "uts", "", &err));
    good(wc_container_options_set_namespace(o, "cgroup", "private", &err));
    good(wc_container_options_set_domainname(o, "example.org", &err));
    wc_container *c = create_with(o);
    inspect_has(c, parts, sizeof parts / sizeof *parts);
    wc_container_unref(c);
}
END_TEST

START_TEST(limits_and_logs)
{
    wc_container_options *o = options_of("exit:0");
    bad(wc_container_options_add_rlimit(o, "nosuch", 1, 1, &err), WC_E_INVALID);
    bad(wc_container_options_add_rlimit(o, "nofile", 2, 1, &err), WC_E_INVALID);
    good(wc_container_options_add_rlimit(o, "nofile", 100, 200, &err));
    bad(wc_container_options_set_log_rotation(o, -1, 2, &err), WC_E_INVALID);
    good(wc_container_options_set_log_rotation(o, 1 << 20, 3, &err));
    wc_container_unref(create_with(o));
}
END_TEST

START_TEST(options_of_contexts)
{
    wc_context_options *options = NULL;
    good(wc_context_options_new(&options, &err));
    bad(wc_context_options_set_bandwidth(options, 1023, &err), WC_E_INVALID);
    bad(wc_context_options_set_bandwidth(options, -1, &err), WC_E_INVALID);
    good(wc_context_options_set_bandwidth(options, 1024, &err));
    good(wc_context_options_set_bandwidth(options, 0, &err));
    bad(wc_context_options_set_runtime(options, NULL, &err), WC_E_INVALID);
    bad(wc_context_options_set_runtime(options, "", &err), WC_E_INVALID);
    good(wc_context_options_set_runtime(options, "runc", &err));
    bad(wc_context_options_set_cgroup_driver(options, "upstart", &err), WC_E_INVALID);
    bad(wc_context_options_set_cgroup_driver(NULL, "systemd", &err), WC_E_INVALID);
    good(wc_context_options_set_cgroup_driver(options, "cgroupfs", &err));
    bad(wc_context_options_set_network_helper(options, "vde", &err), WC_E_INVALID);
    bad(wc_context_options_set_network_helper(options, "", &err), WC_E_INVALID);
    bad(wc_context_options_set_network_helper(NULL, "pasta", &err), WC_E_INVALID);
    good(wc_context_options_set_network_helper(options, "/usr/bin/pasta", &err));
    good(wc_context_options_set_network_helper(options, "slirp4netns", &err));
    wc_context_options_unref(options);
}
END_TEST

/* ---- References: what is held outlives its other holders --------------------------------------------- */

START_TEST(references_keep_alive)
{
    wc_container *c = started("exit:7");
    wc_container_info *info = NULL;
    int32_t code = 0;
    good(wc_container_wait(c, WC_WAIT_NOT_RUNNING, NULL, &code, &err));
    good(wc_container_inspect(c, &info, &err));
    ck_assert_ptr_eq(wc_container_info_ref(info), info);
    wc_container_info_unref(info);
    ck_assert_int_eq(wc_container_info_exit_code(info), 7);
    wc_image *image = NULL;
    good(wc_image_open(context, "two", &image, &err));
    ck_assert_str_eq(wc_container_info_image_id(info), wc_image_id(image));
    wc_buf *config = NULL;
    good(wc_image_config(image, &config, &err));
    ck_assert_ptr_eq(wc_buf_ref(config), config);
    wc_buf_unref(config);
    ck_assert_int_eq(wc_buf_data(config)[0], '{');
    wc_buf_unref(config);
    ck_assert_ptr_eq(wc_context_ref(context), context);
    wc_context_unref(context);
    ck_assert_str_eq(wc_context_backend(context), "mock");
    wc_image_unref(image);
    wc_container_info_unref(info);
    wc_container_unref(c);
    ck_assert_ptr_null(wc_buf_ref(NULL));
    ck_assert_ptr_null(wc_context_ref(NULL));
    ck_assert_ptr_null(wc_container_info_ref(NULL));
    ck_assert_ptr_null(wc_events_ref(NULL));
    ck_assert_ptr_null(wc_event_ref(NULL));
    ck_assert_ptr_null(wc_logs_ref(NULL));
    ck_assert_ptr_null(wc_stream_ref(NULL));
    ck_assert_ptr_null(wc_process_ref(NULL));
}
END_TEST

/* ---- Descriptors: readable once there is something ----------------------------------------------------- */

static int is_ready(intptr_t fd, int timeout_ms)
{
    struct pollfd item = {.fd = (int)fd, .events = POLLIN};
    ck_assert_int_ge(item.fd, 0);
    return poll(&item, 1, timeout_ms) == 1;
}

START_TEST(events_can_be_waited_for)
{
    wc_events *events = NULL;
    wc_event *event = NULL;
    wc_container_unref(create_with(options_of("exit:0"))); /* the first one makes the default network, too */
    good(wc_events_open(context, NULL, &events, &err));
    while (wc_events_next(events, 0, NULL, &event, NULL) == WC_OK)
        wc_event_unref(event);
    ck_assert(!is_ready(wc_events_fd(events), 0));
    ck_assert_ptr_eq(wc_events_ref(events), events);
    wc_events_unref(events);
    wc_container *c = create_with(options_of("exit:0"));
    ck_assert(is_ready(wc_events_fd(events), 10000));
    good(wc_events_next(events, SECOND, NULL, &event, &err));
    if (!strcmp(wc_event_type(event), "network")) { /* the default one, made for the first container */
        wc_event_unref(event);
        good(wc_events_next(events, SECOND, NULL, &event, &err));
    }
    ck_assert_ptr_eq(wc_event_ref(event), event);
    wc_event_unref(event);
    ck_assert_str_eq(wc_event_action(event), "create");
    ck_assert_str_eq(wc_event_id(event), wc_container_id(c));
    wc_event_unref(event);
    wc_events_unref(events);
    wc_container_unref(c);
    ck_assert_int_eq(wc_events_fd(NULL), -1);
}
END_TEST

START_TEST(logs_can_be_held)
{
    wc_container *c = started("outln:hello");
    wc_logs *logs = NULL;
    wc_buf *line = NULL;
    good(wc_container_wait(c, WC_WAIT_NOT_RUNNING, NULL, NULL, &err));
    good(wc_container_logs(c, NULL, &logs, &err));
    ck_assert_ptr_eq(wc_logs_ref(logs), logs);
    wc_logs_unref(logs);
    intptr_t fd = wc_logs_fd(logs);
    ck_assert(fd == -1 || is_ready(fd, 10000));
    good(wc_logs_next(logs, NULL, NULL, &line, SECOND, NULL, &err));
    ck_assert_str_eq(wc_buf_data(line), "hello\n");
    wc_buf_unref(line);
    wc_logs_unref(logs);
    wc_container_unref(c);
    ck_assert_int_eq(wc_logs_fd(NULL), -1);
}
END_TEST

START_TEST(streams_can_be_held)
{
    wc_container *c = create_with(options_of("outln:hello"));
    wc_stream *stream = NULL;
    char text[16];
    size_t got = 0;
    int32_t channel = 0;
    good(wc_container_start(c, WC_ATTACH_STDOUT, NULL, &stream, &err));
    ck_assert_ptr_eq(wc_stream_ref(stream), stream);
    wc_stream_unref(stream);
    intptr_t fd = wc_stream_fd(stream);
    ck_assert(fd == -1 || is_ready(fd, 10000));
    good(wc_stream_read(stream, &channel, text, sizeof text, &got, 10 * SECOND, NULL, &err));
    ck_assert_uint_gt(got, 0);
    wc_stream_unref(stream);
    wc_container_unref(c);
    ck_assert_int_eq(wc_stream_fd(NULL), -1);
}
END_TEST

START_TEST(processes_have_their_options)
{
    static const char *const words[] = {"tty"};
    wc_container *c = started("forever");
    wc_exec_options *exec = NULL;
    wc_process *process = NULL;
    wc_stream *stream = NULL;
    char text[16];
    size_t got = 0;
    int32_t channel = 0, code = -1;
    good(wc_exec_options_new(words, 1, &exec, &err));
    bad(wc_exec_options_set_console_size(exec, 0, 24, &err), WC_E_INVALID);
    bad(wc_exec_options_set_console_size(exec, 80, 65536, &err), WC_E_INVALID);
    good(wc_exec_options_set_console_size(exec, 80, 24, &err));
    good(wc_exec_options_set_tty(exec, 1, &err));
    good(wc_exec_options_set_privileged(exec, 1, &err));
    bad(wc_exec_options_set_tty(NULL, 1, &err), WC_E_INVALID);
    bad(wc_exec_options_set_privileged(NULL, 1, &err), WC_E_INVALID);
    good(wc_container_exec(c, exec, WC_ATTACH_STDOUT, NULL, &process, &stream, &err));
    ck_assert_ptr_eq(wc_process_ref(process), process);
    wc_process_unref(process);
    ck_assert_int_ge(wc_process_pid(process), 0); /* the mock has none */
    good(wc_stream_read(stream, &channel, text, sizeof text, &got, 10 * SECOND, NULL, &err));
    ck_assert(got >= 3 && !memcmp(text, "yes", 3));
    good(wc_process_wait(process, NULL, &code, &err));
    ck_assert_int_eq(code, 0);
    wc_stream_unref(stream);
    wc_process_unref(process);
    wc_exec_options_unref(exec);
    wc_container_unref(c);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("handles");
    TCase *c = tcase_create("handles");
    tcase_add_checked_fixture(c, setup_image, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, options_of_resources_arrive);
    tcase_add_test(c, options_of_rights_arrive);
    tcase_add_test(c, namespaces_arrive);
    tcase_add_test(c, limits_and_logs);
    tcase_add_test(c, options_of_contexts);
    tcase_add_test(c, references_keep_alive);
    tcase_add_test(c, events_can_be_waited_for);
    tcase_add_test(c, logs_can_be_held);
    tcase_add_test(c, streams_can_be_held);
    tcase_add_test(c, processes_have_their_options);
    suite_add_tcase(suite, c);
    return test_main(suite);
}
