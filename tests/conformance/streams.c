/* SPDX-License-Identifier: Apache-2.0 */
/* Attached standard input, output and error. */
#include <pthread.h>
#include <unistd.h>

#include "conformance/harness.h"

#define ATTACH_ALL (WC_ATTACH_STDIN | WC_ATTACH_STDOUT | WC_ATTACH_STDERR)

START_TEST(output_and_error_stay_apart)
{
    output o;
    int32_t code = -1;
    wc_container *c = create(SCRIPT("out:a", "errln:b", "outln:c", "err:d", "exit:2"));
    need(run_attached(c, &o, &code, &err));
    ck_assert_str_eq(o.out, "ac\n");
    ck_assert_str_eq(o.err, "b\nd");
    ck_assert_int_eq(code, 2);
    output_free(&o);
}
END_TEST

START_TEST(only_what_is_attached_comes)
{
    wc_stream *stream = NULL;
    wc_container *c = create(SCRIPT("outln:a", "errln:b"));
    need(wc_container_start(c, WC_ATTACH_STDERR, NULL, &stream, &err));
    output o = read_all(stream);
    ck_assert_str_eq(o.out, "");
    ck_assert_str_eq(o.err, "b\n");
    output_free(&o);
    wc_stream_unref(stream);
}
END_TEST

static wc_container *create_open_stdin(const char *const *words)
{
    wc_container_options *o = options_for(words);
    good(wc_container_options_set_open_stdin(o, 1, &err));
    return create_from(o);
}

START_TEST(input_ends_with_its_stream)
{
    wc_stream *stream = NULL;
    wc_container *c = create_open_stdin(SCRIPT("cat", "exit:3"));
    need(wc_container_start(c, ATTACH_ALL, NULL, &stream, &err));
    wc_stream_unref(stream); /* others may go on with it */
    good(wc_container_attach(c, ATTACH_ALL | WC_ATTACH_ONCE, NULL, &stream, &err));
    write_text(stream, "hello\n");
    expect_output(stream, "hello\n");
    wc_stream_unref(stream);
    ck_assert_int_eq(exit_code_of(c), 3);
}
END_TEST

START_TEST(input_is_half_closed)
{
    wc_stream *stream = NULL;
    size_t put = 0;
    wc_container *c = create_open_stdin(SCRIPT("cat", "outln:end", "exit:1"));
    need(wc_container_start(c, ATTACH_ALL, NULL, &stream, &err));
    write_text(stream, "hello ");
    write_text(stream, "world\n");
    good(wc_stream_close_write(stream, &err));
    output o = read_all(stream);
    ck_assert_str_eq(o.out, "hello world\nend\n");
    output_free(&o);
    bad(wc_stream_write(stream, "x", 1, &put, SECONDS, NULL, &err), WC_E_CLOSED);
    ck_assert_int_eq(exit_code_of(c), 1);
    wc_stream_unref(stream);
}
END_TEST

START_TEST(conversation_goes_back_and_forth)
{
    wc_stream *stream = NULL;
    wc_container *c = create_open_stdin(SCRIPT("cat"));
    need(wc_container_start(c, ATTACH_ALL, NULL, &stream, &err));
    for (int i = 0; i < 5; i++) {
        char text[32];
        snprintf(text, sizeof text, "line %d\n", i);
        write_text(stream, text);
        expect_output(stream, text);
    }
    good(wc_stream_close_write(stream, &err));
    output o = read_all(stream);
    ck_assert_str_eq(o.out, "");
    output_free(&o);
    ck_assert_int_eq(exit_code_of(c), 0);
    wc_stream_unref(stream);
}
END_TEST

START_TEST(input_is_empty_unless_opened)
{
    wc_stream *stream = NULL;
    size_t put = 0;
    wc_container *c = create(SCRIPT("cat", "outln:done", "forever"));
    need(wc_container_start(c, ATTACH_ALL, NULL, &stream, &err));
    expect_output(stream, "done\n");
    bad(wc_stream_write(stream, "x", 1, &put, SECONDS, NULL, &err), WC_E_STATE);
    bad(wc_stream_resize(stream, 80, 25, &err), WC_E_STATE);
    wc_stream_unref(stream);
}
END_TEST

#define BULK (1 << 20)

/* Byte by byte, and without Check's bookkeeping for each. */
static void expect_bytes(const char *text, size_t size, char (*byte_at)(size_t))
{
    ck_assert_uint_eq(strlen(text), size);
    for (size_t i = 0; i < size; i++)
        if (text[i] != byte_at(i))
            ck_abort_msg("byte %zu is '%c' instead of '%c'", i, text[i], byte_at(i));
}

static char bulk_byte(size_t i)
{
    return (char)('A' + i * 7 % 53);
}

static void *write_bulk(void *arg)
{
    static char data[BULK];
    size_t done = 0;
    for (size_t i = 0; i < BULK; i++)
        data[i] = bulk_byte(i);
    while (done < BULK) {
        size_t put = 0;
        if (wc_stream_write(arg, data + done, BULK - done, &put, 20 * SECONDS, NULL, NULL))
            break;
        done += put;
    }
    wc_stream_close_write(arg, NULL);
    return NULL;
}

START_TEST(much_goes_through_both_ways)
{
    pthread_t writer;
    wc_stream *stream = NULL;
    wc_container *c = create_open_stdin(SCRIPT("cat"));
    need(wc_container_start(c, ATTACH_ALL, NULL, &stream, &err));
    ck_assert_int_eq(pthread_create(&writer, NULL, write_bulk, stream), 0);
    output o = read_all(stream);
    pthread_join(writer, NULL);
    expect_bytes(o.out, BULK, bulk_byte);
    output_free(&o);
    wc_stream_unref(stream);
}
END_TEST

static char alphabet_byte(size_t i)
{
    return (char)('a' + i % 26);
}

/* Longer asleep than a reader may be that is not waited for. */
START_TEST(reader_that_is_waited_for_loses_nothing)
{
    wc_stream *stream = NULL;
    wc_container *c = create(SCRIPT("bytes:2600000", "errln:tail"));
    need(wc_container_start(c, WC_ATTACH_STDOUT | WC_ATTACH_STDERR | WC_ATTACH_WAIT, NULL, &stream, &err));
    usleep(2500000);
    output o = read_all(stream);
    expect_bytes(o.out, 2600000, alphabet_byte);
    ck_assert_str_eq(o.err, "tail\n");
    ck_assert_int_eq(exit_code_of(c), 0);
    output_free(&o);
    wc_stream_unref(stream);
}
END_TEST

START_TEST(end_is_known_before_the_rest_is_read)
{
    wc_stream *stream = NULL;
    wc_container *c = create(SCRIPT("bytes:50000", "exit:4"));
    need(wc_container_start(c, WC_ATTACH_STDOUT | WC_ATTACH_WAIT, NULL, &stream, &err));
    ck_assert_int_eq(exit_code_of(c), 4);
    need(wc_container_start(c, 0, NULL, NULL, &err)); /* nothing of the first run is in the way */
    ck_assert_int_eq(exit_code_of(c), 4);
    output o = read_all(stream);
    expect_bytes(o.out, 50000, alphabet_byte);
    output_free(&o);
    wc_stream_unref(stream);
}
END_TEST

START_TEST(waiting_alone_is_no_stream)
{
    wc_stream *stream = NULL;
    wc_container *c = create(SCRIPT("exit:0"));
    bad(wc_container_start(c, WC_ATTACH_WAIT, NULL, &stream, &err), WC_E_INVALID);
    bad(wc_container_start(c, 32 | WC_ATTACH_STDOUT, NULL, &stream, &err), WC_E_INVALID);
    bad(wc_container_start(c, WC_ATTACH_ONCE | WC_ATTACH_STDOUT, NULL, &stream, &err), WC_E_INVALID);
}
END_TEST

START_TEST(much_output_comes_whole)
{
    output o;
    int32_t code;
    wc_container *c = create(SCRIPT("bytes:2600000", "errln:tail"));
    need(run_attached(c, &o, &code, &err));
    expect_bytes(o.out, 2600000, alphabet_byte);
    ck_assert_str_eq(o.err, "tail\n");
    output_free(&o);
}
END_TEST

START_TEST(late_attach_gets_the_rest)
{
    wc_stream *stream = NULL;
    wc_stream *first = NULL;
    wc_container *c = create_open_stdin(SCRIPT("outln:early", "cat"));
    need(wc_container_start(c, ATTACH_ALL, NULL, &first, &err));
    expect_output(first, "early\n");
    need(wc_container_attach(c, WC_ATTACH_STDOUT, NULL, &stream, &err));
    write_text(first, "late\n");
    good(wc_stream_close_write(first, &err));
    output o = read_all(stream);
    ck_assert_str_eq(o.out, "late\n");
    output_free(&o);
    wc_stream_unref(stream);
    wc_stream_unref(first);
}
END_TEST

START_TEST(two_may_attach)
{
    wc_stream *first = NULL, *second = NULL;
    wc_container *c = create_open_stdin(SCRIPT("cat"));
    need(wc_container_start(c, ATTACH_ALL, NULL, &first, &err));
    good(wc_container_attach(c, WC_ATTACH_STDOUT, NULL, &second, &err));
    write_text(first, "to all\n");
    good(wc_stream_close_write(first, &err));
    output a = read_all(first), b = read_all(second);
    ck_assert_str_eq(a.out, "to all\n");
    ck_assert_str_eq(b.out, "to all\n");
    output_free(&a);
    output_free(&b);
    wc_stream_unref(first);
    wc_stream_unref(second);
}
END_TEST

START_TEST(detaching_does_not_end_it)
{
    wc_stream *stream = NULL;
    wc_container *c = create(SCRIPT("outln:a", "sleep:200", "outln:b", "exit:3"));
    need(wc_container_start(c, WC_ATTACH_STDOUT, NULL, &stream, &err));
    wc_stream_unref(stream);
    ck_assert_int_eq(exit_code_of(c), 3);
}
END_TEST

START_TEST(terminal_is_one_channel)
{
    wc_stream *stream = NULL;
    wc_container_options *opts = options_for(SCRIPT("tty", "err:e", "exit:0"));
    good(wc_container_options_set_tty(opts, 1, &err));
    good(wc_container_options_set_open_stdin(opts, 1, &err));
    wc_container *c = create_from(opts);
    need(wc_container_start(c, ATTACH_ALL, NULL, &stream, &err));
    output o = read_all(stream);
    ck_assert_msg(strncmp(o.out, "yes", 3) == 0, "'%s'", o.out);
    ck_assert_int_eq(o.out[strlen(o.out) - 1], 'e');
    ck_assert_str_eq(o.err, "");
    output_free(&o);
    wc_stream_unref(stream);
}
END_TEST

START_TEST(reading_has_a_timeout)
{
    wc_stream *stream = NULL;
    int32_t channel = 5;
    char data[8];
    size_t got = 99;
    wc_container *c = create(SCRIPT("forever"));
    need(wc_container_start(c, WC_ATTACH_STDOUT, NULL, &stream, &err));
    int64_t begin = now_ns();
    bad(wc_stream_read(stream, &channel, data, sizeof data, &got, 100 * MS, NULL, &err),
        WC_E_TIMEOUT);
    ck_assert_int_ge(now_ns() - begin, 95 * MS);
    bad(wc_stream_read(stream, &channel, data, sizeof data, &got, 0, NULL, &err), WC_E_TIMEOUT);
    ck_assert_int_eq(channel, 5);
    ck_assert_uint_eq(got, 99);
    wc_stream_unref(stream);
}
END_TEST

TCase *stream_tests(void)
{
    TCase *tc = tcase_create("streams");
    tcase_add_checked_fixture(tc, harness_setup, harness_teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, output_and_error_stay_apart);
    tcase_add_test(tc, only_what_is_attached_comes);
    tcase_add_test(tc, input_ends_with_its_stream);
    tcase_add_test(tc, input_is_half_closed);
    tcase_add_test(tc, conversation_goes_back_and_forth);
    tcase_add_test(tc, input_is_empty_unless_opened);
    tcase_add_test(tc, much_goes_through_both_ways);
    tcase_add_test(tc, much_output_comes_whole);
    tcase_add_test(tc, reader_that_is_waited_for_loses_nothing);
    tcase_add_test(tc, end_is_known_before_the_rest_is_read);
    tcase_add_test(tc, waiting_alone_is_no_stream);
    tcase_add_test(tc, late_attach_gets_the_rest);
    tcase_add_test(tc, two_may_attach);
    tcase_add_test(tc, detaching_does_not_end_it);
    tcase_add_test(tc, terminal_is_one_channel);
    tcase_add_test(tc, reading_has_a_timeout);
    return tc;
}
