/* SPDX-License-Identifier: Apache-2.0 */
/* A monitor's log in the journal: what the datagrams hold, and what becomes of output that the journal does not take. The
 * journal is a socket of the test. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <wincontainer/stream.h>

#include "backend/process/linux/helper/log.h"
#include "backend/process/logs.h"
#include "support/support.h"

#define FIELDS "{\"CONTAINER_NAME\": \"one\", \"CONTAINER_TAG\": \"a\\nb\"}"

static char *directory, path[100];
static int journal = -1;
static log_sink *sink;

static void listen_again(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    unlink(path);
    journal = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    ck_assert(journal >= 0 && bind(journal, (struct sockaddr *)&address, sizeof address) == 0);
}

static void setup(void)
{
    directory = test_make_dir();
    snprintf(path, sizeof path, "%s/journal", directory);
    listen_again();
    sink = NULL;
    ck_assert_int_eq(log_open_journal(path, FIELDS, &sink, NULL), WC_OK);
}

static void teardown(void)
{
    if (sink)
        sink->close(sink);
    close(journal);
    test_remove_dir(directory);
}

static void put(int channel, const char *text)
{
    sink->write(sink, channel, text, strlen(text));
}

/* The next datagram, "" when there is none. */
static size_t take(char data[65536])
{
    ssize_t n = recv(journal, data, 65535, 0);
    data[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

/* What follows NAME= in the datagram, up to the end of the line. */
static const char *field(const char *data, size_t size, const char *name)
{
    static char value[32768];
    char start[64];
    snprintf(start, sizeof start, "\n%s=", name);
    const char *at = memmem(data, size, start, strlen(start));
    if (!at)
        return "-";
    at += strlen(start);
    const char *end = memchr(at, '\n', size - (size_t)(at - data));
    ck_assert_ptr_nonnull(end);
    snprintf(value, sizeof value, "%.*s", (int)(end - at), at);
    return value;
}

static void expect(const char *message, const char *priority, const char *partial)
{
    char data[65536];
    size_t size = take(data);
    ck_assert_str_eq(field(data, size, "MESSAGE"), message);
    ck_assert_str_eq(field(data, size, "PRIORITY"), priority);
    ck_assert_str_eq(field(data, size, "CONTAINER_PARTIAL_MESSAGE"), partial);
}

START_TEST(fields)
{
    static const char tag[] = "CONTAINER_TAG\n\3\0\0\0\0\0\0\0a\nb\n";
    char data[65536];
    put(WC_STREAM_STDOUT, "hello\n");
    size_t size = take(data);
    ck_assert(strncmp(data, "CONTAINER_NAME=one\n", 19) == 0);
    ck_assert_ptr_nonnull(memmem(data, size, tag, sizeof tag - 1));
    ck_assert_int_eq(data[size - 1], '\n');
    const char *time = field(data, size, "SYSLOG_TIMESTAMP");
    ck_assert_uint_eq(strlen(time), 30);
    ck_assert_int_eq(time[29], 'Z');
}
END_TEST

START_TEST(lines)
{
    put(WC_STREAM_STDOUT, "a");
    put(WC_STREAM_STDERR, "one\n\ntwo");
    put(WC_STREAM_STDOUT, "b\n");
    expect("one", "3", "-");
    expect("", "3", "-");
    expect("ab", "6", "-");
    expect("-", "-", "-"); /* "two" has not ended */
    sink->close(sink);
    sink = NULL;
    expect("two", "3", "true");
}
END_TEST

START_TEST(long_lines)
{
    size_t size = 2 * WCI_LOG_TEXT_MAX + 5;
    char *text = malloc(size + 2), data[65536];
    memset(text, 'x', size);
    memcpy(text + size, "\n", 2);
    put(WC_STREAM_STDOUT, text);
    free(text);
    for (int i = 0; i < 3; i++) {
        size_t got = take(data);
        ck_assert_str_eq(field(data, got, "CONTAINER_PARTIAL_MESSAGE"), i < 2 ? "true" : "-");
        ck_assert_uint_eq(strlen(field(data, got, "MESSAGE")), i < 2 ? WCI_LOG_TEXT_MAX : 5);
    }
    put(WC_STREAM_STDOUT, "next\n");
    expect("next", "6", "-");
}
END_TEST

/* More lines than a socket holds, in reads that end anywhere; the other channel in between. */
START_TEST(nothing_is_lost_while_it_does_not_read)
{
    enum { LINES = 3000 };
    char text[64 * LINES], *end = text, expected[64], data[65536];
    for (int i = 0; i < LINES; i++)
        end += sprintf(end, "line %d\n", i);
    size_t total = (size_t)(end - text), half = total / 2;
    sink->write(sink, WC_STREAM_STDOUT, text, half);
    ck_assert_int_ge(sink->go_on(sink), 0); /* it waits */
    put(WC_STREAM_STDERR, "between\n");
    sink->write(sink, WC_STREAM_STDOUT, text + half, total - half);
    int count = 0, between = 0, waits;
    do {
        waits = sink->go_on(sink) >= 0;
        if (waits) {
            struct pollfd room = {sink->go_on(sink), POLLOUT, 0};
            ck_assert_int_eq(poll(&room, 1, 0), 0); /* no room is told of that is not there */
        }
        for (size_t size; (size = take(data));) {
            if (!strcmp(field(data, size, "PRIORITY"), "3")) {
                between++;
                continue;
            }
            snprintf(expected, sizeof expected, "line %d", count++);
            ck_assert_str_eq(field(data, size, "MESSAGE"), expected);
        }
    } while (waits);
    ck_assert_int_eq(count, LINES);
    ck_assert_int_eq(between, 1);
}
END_TEST

START_TEST(journal_that_was_started_anew)
{
    put(WC_STREAM_STDOUT, "before\n");
    expect("before", "6", "-");
    close(journal);
    unlink(path);
    put(WC_STREAM_STDOUT, "lost\nlost too\n");
    listen_again();
    put(WC_STREAM_STDOUT, "after\n");
    expect("after", "6", "-");
    expect("2 lines of the container are lost: the journal did not take them", "4", "-");
    put(WC_STREAM_STDOUT, "then\n");
    expect("then", "6", "-");
}
END_TEST

START_TEST(nobody_listens)
{
    wc_error *err = NULL;
    log_sink *none = NULL;
    close(journal);
    ck_assert_int_eq(log_open_journal(path, FIELDS, &none, &err), WC_E_MISSING);
    ck_assert_ptr_null(none);
    ck_assert_ptr_nonnull(strstr(wc_error_message(err), "journald"));
    ck_assert_ptr_nonnull(strstr(wc_error_message(err), path));
    wc_error_unref(err);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal");
    TCase *tcase = tcase_create("journal");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, fields);
    tcase_add_test(tcase, lines);
    tcase_add_test(tcase, long_lines);
    tcase_add_test(tcase, nothing_is_lost_while_it_does_not_read);
    tcase_add_test(tcase, journal_that_was_started_anew);
    tcase_add_test(tcase, nobody_listens);
    suite_add_tcase(suite, tcase);
    return test_main(suite);
}
