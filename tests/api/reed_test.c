/* SPDX-License-Identifier: Apache-2.0 */
/* A backend with a voice: its streams, logs and words reach the caller, and what the caller wants reaches it. */
#include <poll.h>
#include <pthread.h>

#include <wincontainer/backend.h>

#include "fixture.h"

#define SECOND INT64_C(1000000000)
#define STREAM ((uintptr_t)11)
#define LOG ((uintptr_t)12)

static struct reed {
    int64_t remaining;
    int woken, streams, logs, lines;
    char heard[16];
} reed;

static int32_t reed_info(uintptr_t payload, wc_call *call, const wc_request *request, wc_response *response)
{
    (void)payload, (void)call, (void)request;
    return wc_response_set_text(response, "{\"name\":\"reed\",\"usable\":true,\"pitch\":440}");
}

static int32_t reed_start(uintptr_t payload, wc_call *call, const wc_request *request, wc_response *response)
{
    (void)payload;
    wc_call_log(call, WC_LOG_WARN, "reed: begins to sound");
    wc_call_log(call, WC_LOG_DEBUG, "reed: nobody listens to this");
    reed.remaining = wc_call_remaining(call);
    wc_response_set_status(response, WC_STATUS_RUNNING);
    if (wc_request_int(request, "attach", 0))
        wc_response_set_handle(response, STREAM);
    return WC_OK;
}

/* Waits for the end of the call, as a backend does that has nothing to say yet. */
static int32_t reed_wait(uintptr_t payload, wc_call *call, const wc_request *request, wc_response *response)
{
    (void)payload, (void)request, (void)response;
    struct pollfd end = {.fd = (int)wc_call_fd(call), .events = POLLIN};
    ck_assert_int_ge(end.fd, 0);
    reed.remaining = wc_call_remaining(call);
    int most_ms = reed.remaining < 0 ? 10000 : (int)(reed.remaining / 1000000 + 1);
    reed.woken = poll(&end, 1, most_ms) == 1;
    return wc_call_check(call);
}

static int32_t reed_state(uintptr_t payload, wc_call *call, const wc_request *request, wc_response *response)
{
    (void)payload, (void)call, (void)request;
    wc_response_set_status(response, WC_STATUS_RUNNING);
    return WC_OK;
}

static int32_t reed_open(uintptr_t payload, wc_call *call, const wc_request *request, wc_response *response)
{
    (void)payload, (void)call, (void)request;
    wc_response_set_handle(response, LOG);
    return WC_OK;
}

static int32_t reed_read(uintptr_t payload, wc_call *call, uintptr_t handle, int32_t *channel, void *data, size_t size,
                         size_t *got, int64_t timeout_ns)
{
    (void)payload, (void)call, (void)timeout_ns;
    ck_assert_uint_eq(handle, STREAM);
    ck_assert_uint_ge(size, 3);
    memcpy(data, "la!", 3);
    *channel = WC_STREAM_STDERR;
    *got = 3;
    return WC_OK;
}

static int32_t reed_write(uintptr_t payload, wc_call *call, uintptr_t handle, const void *data, size_t size, size_t *put,
                          int64_t timeout_ns)
{
    (void)payload, (void)call, (void)timeout_ns;
    ck_assert_uint_eq(handle, STREAM);
    snprintf(reed.heard, sizeof reed.heard, "%.*s", (int)size, (const char *)data);
    *put = size;
    return WC_OK;
}

static intptr_t reed_fd(uintptr_t payload, uintptr_t handle)
{
    (void)payload;
    return handle == STREAM ? 3 : 4;
}

static int32_t reed_line(uintptr_t payload, wc_call *call, uintptr_t handle, wc_response *response, int64_t timeout_ns)
{
    (void)payload, (void)call, (void)timeout_ns;
    ck_assert_uint_eq(handle, LOG);
    if (reed.lines++)
        return WC_E_CLOSED;
    return wc_response_set_line(response, WC_STREAM_STDERR, 7 * SECOND, "a\0b\n", 4);
}

static void reed_release(uintptr_t payload, uintptr_t handle)
{
    (void)payload;
    *(handle == STREAM ? &reed.streams : &reed.logs) += 1;
}

static wc_container *container_on_reed(void)
{
    const wc_backend_ops ops = {.struct_size = sizeof ops, .spi_major = WC_BACKEND_SPI_MAJOR, .name = "reed",
                                .info = reed_info, .container_start = reed_start, .container_state = reed_state,
                                .container_wait = reed_wait, .logs_open = reed_open, .stream_read = reed_read,
                                .stream_write = reed_write, .stream_fd = reed_fd, .stream_release = reed_release,
                                .logs_next = reed_line, .logs_fd = reed_fd, .logs_release = reed_release};
    static const char *const words[] = {"sound"};
    wc_container_options *options = NULL;
    wc_container *container = NULL;
    memset(&reed, 0, sizeof reed);
    wc_image_unref(two_layers());
    good(wc_backend_register(context, &ops, 0, NULL, &err));
    good(wc_container_options_new("two", &options, &err));
    good(wc_container_options_set_command(options, words, 1, &err));
    good(wc_container_create(context, options, NULL, &container, &err));
    wc_container_options_unref(options);
    return container;
}

static void setup_reed(void)
{
    setup_with("reed", WC_LOG_WARN);
}

START_TEST(streams_go_both_ways)
{
    wc_container *c = container_on_reed();
    wc_stream *stream = NULL;
    char text[8] = "";
    size_t got = 0, put = 0;
    int32_t channel = 0;
    good(wc_container_start(c, WC_ATTACH_STDIN | WC_ATTACH_STDERR, NULL, &stream, &err));
    ck_assert_int_eq(wc_stream_fd(stream), 3);
    ck_assert_int_eq(wc_stream_write_fd(stream), -1); /* an older table, or a slot that is empty */
    good(wc_stream_read(stream, &channel, text, sizeof text, &got, SECOND, NULL, &err));
    ck_assert_int_eq(channel, WC_STREAM_STDERR);
    ck_assert_str_eq(text, "la!");
    good(wc_stream_write(stream, "louder", 6, &put, SECOND, NULL, &err));
    ck_assert_str_eq(reed.heard, "louder");
    ck_assert_int_eq(reed.streams, 0);
    wc_stream_unref(stream);
    ck_assert_int_eq(reed.streams, 1);
    wc_container_unref(c);
}
END_TEST

START_TEST(lines_come_as_they_are)
{
    wc_container *c = container_on_reed();
    wc_logs *logs = NULL;
    wc_buf *line = NULL;
    int32_t channel = 0;
    int64_t time_ns = 0;
    good(wc_container_start(c, 0, NULL, NULL, &err));
    good(wc_container_logs(c, NULL, &logs, &err));
    ck_assert_int_eq(wc_logs_fd(logs), 4);
    good(wc_logs_next(logs, &channel, &time_ns, &line, SECOND, NULL, &err));
    ck_assert_int_eq(channel, WC_STREAM_STDERR);
    ck_assert_int_eq(time_ns, 7 * SECOND);
    ck_assert_uint_eq(wc_buf_size(line), 4);
    ck_assert(!memcmp(wc_buf_data(line), "a\0b\n", 4));
    wc_buf_unref(line);
    bad(wc_logs_next(logs, NULL, NULL, &line, SECOND, NULL, &err), WC_E_CLOSED);
    wc_logs_unref(logs);
    ck_assert_int_eq(reed.logs, 1);
    wc_container_unref(c);
}
END_TEST

START_TEST(words_go_into_the_log)
{
    wc_container *c = container_on_reed();
    wc_buf *message = NULL;
    int32_t level = 0;
    int found = 0;
    good(wc_container_start(c, 0, NULL, NULL, &err));
    while (wc_context_next_log(context, &level, NULL, &message) == WC_OK) {
        ck_assert_ptr_null(strstr(wc_buf_data(message), "nobody"));
        found += level == WC_LOG_WARN && strstr(wc_buf_data(message), "begins to sound") != NULL;
        wc_buf_unref(message);
    }
    ck_assert_int_eq(found, 1);
    wc_container_unref(c);
}
END_TEST

START_TEST(what_it_found_is_told)
{
    wc_buf *info = NULL;
    wc_container *c = container_on_reed();
    good(wc_system_info(context, NULL, &info, &err));
    buf_has(info, "\"pitch\":440");
    wc_container_unref(c);
}
END_TEST

static void *trigger(void *cancel)
{
    wc_cancel_trigger(cancel);
    return NULL;
}

START_TEST(it_is_woken_by_cancels)
{
    wc_container *c = container_on_reed();
    wc_cancel *cancel = NULL;
    pthread_t thread;
    good(wc_container_start(c, 0, NULL, NULL, &err));
    ck_assert_int_lt(reed.remaining, 0); /* no deadline */
    good(wc_cancel_new(&cancel, &err));
    ck_assert_int_eq(pthread_create(&thread, NULL, trigger, cancel), 0);
    bad(wc_container_wait(c, WC_WAIT_NOT_RUNNING, cancel, NULL, &err), WC_E_CANCELLED);
    pthread_join(thread, NULL);
    wc_cancel_unref(cancel);
    wc_container_unref(c);
}
END_TEST

START_TEST(it_knows_its_deadline)
{
    wc_container *c = container_on_reed();
    wc_cancel *cancel = NULL;
    good(wc_container_start(c, 0, NULL, NULL, &err));
    good(wc_cancel_new(&cancel, &err));
    wc_cancel_set_timeout(cancel, 2 * SECOND);
    bad(wc_container_wait(c, WC_WAIT_NOT_RUNNING, cancel, NULL, &err), WC_E_TIMEOUT);
    ck_assert_int_le(reed.remaining, 2 * SECOND);
    ck_assert_int_gt(reed.remaining, 0);
    ck_assert_int_eq(reed.woken, 0);
    wc_cancel_unref(cancel);
    wc_container_unref(c);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reed");
    TCase *c = tcase_create("reed");
    tcase_add_checked_fixture(c, setup_reed, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, streams_go_both_ways);
    tcase_add_test(c, lines_come_as_they_are);
    tcase_add_test(c, words_go_into_the_log);
    tcase_add_test(c, what_it_found_is_told);
    tcase_add_test(c, it_is_woken_by_cancels);
    tcase_add_test(c, it_knows_its_deadline);
    suite_add_tcase(suite, c);
    return test_main(suite);
}
