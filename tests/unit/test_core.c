/* SPDX-License-Identifier: Apache-2.0 */
/* Errors, strings, lists, logs, version. */
#include "support/support.h"

#include <wincontainer/context.h>
#include <wincontainer/error.h>
#include <wincontainer/version.h>

#include "core/alloc.h"
#include "core/base64.h"
#include "core/error.h"
#include "core/list.h"
#include "core/log.h"
#include "core/str.h"

START_TEST(error_carries_code_and_text)
{
    wc_error *err = NULL;
    test_code(wci_err(&err, WC_E_NOT_FOUND, "image '%s': not there", "a"), WC_E_NOT_FOUND);
    ck_assert_int_eq(wc_error_code(err), WC_E_NOT_FOUND);
    ck_assert_str_eq(wc_error_message(err), "image 'a': not there");
    ck_assert_int_eq(wc_error_domain(err), WC_DOMAIN_NONE);
    ck_assert_ptr_null(wc_error_cause(err));
    wc_error_unref(err);
}
END_TEST

START_TEST(errno_chooses_code_and_keeps_number)
{
    static const struct {
        int number;
        int32_t code;
    } cases[] = {{ENOENT, WC_E_NOT_FOUND},   {EACCES, WC_E_PERMISSION}, {EPERM, WC_E_PERMISSION},
                 {ENOSPC, WC_E_NO_SPACE},    {EDQUOT, WC_E_NO_SPACE},   {EEXIST, WC_E_EXISTS},
                 {EBUSY, WC_E_BUSY},         {ENOMEM, WC_E_NOMEM},      {EIO, WC_E_IO},
                 {EMFILE, WC_E_LIMIT},       {ENOSYS, WC_E_UNSUPPORTED}, {99999, WC_E_IO}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wc_error *err = NULL;
        test_code(wci_err_errno(&err, cases[i].number, "x"), cases[i].code);
        ck_assert_int_eq(wc_error_native(err), cases[i].number);
        ck_assert_int_eq(wc_error_domain(err), WC_DOMAIN_ERRNO);
        wc_error_unref(err);
    }
    wc_error *err = NULL;
    wci_err_errno(&err, ENOENT, "file 'f': opening");
    ck_assert_str_eq(wc_error_message(err), "file 'f': opening: No such file or directory");
    wc_error_unref(err);
}
END_TEST

START_TEST(wrapping_keeps_what_lies_underneath)
{
    wc_error *err = NULL;
    wci_err_errno(&err, EACCES, "inner");
    wci_err_set_retryable(&err, 1);
    test_code(wci_err_wrap(&err, WC_E_IO, "outer"), WC_E_PERMISSION);
    ck_assert_int_eq(wc_error_code(err), WC_E_PERMISSION);
    ck_assert_int_eq(wc_error_native(err), EACCES);
    ck_assert_int_eq(wc_error_retryable(err), 1);
    ck_assert_ptr_nonnull(wc_error_cause(err));
    wc_buf *text;
    test_ok(wc_error_format(err, &text));
    ck_assert_str_eq(wc_buf_data(text), "outer: inner: Permission denied");
    wc_buf_unref(text);
    wc_error_unref(err);
    test_code(wci_err_wrap(NULL, WC_E_IO, "outer"), WC_E_IO);
}
END_TEST

START_TEST(out_of_memory_needs_no_memory)
{
    wc_error *err = NULL;
    test_code(wci_err_nomem(&err), WC_E_NOMEM);
    ck_assert_str_eq(wc_error_message(err), "out of memory");
    for (int i = 0; i < 10; i++)
        wc_error_unref(err);
    ck_assert_int_eq(wc_error_code(err), WC_E_NOMEM);
}
END_TEST

/* Whatever is quoted, a message is one line of UTF-8, and terminals obey nothing in it. */
START_TEST(messages_are_plain)
{
    static const struct {
        const char *quoted, *shown;
    } cases[] = {
        {"na\xc3\xafve \xe2\x82\xac \xf0\x9f\x90\xb3", "na\xc3\xafve \xe2\x82\xac \xf0\x9f\x90\xb3"},
        {"a\x1b[31mred\x7f", "a?[31mred?"},
        {"two\r\nlines\tand tab", "two  lines and tab"},
        {"C1 \xc2\x9b" "31m, \xc2\xa0", "C1 ??31m, \xc2\xa0"},
        {"cut \xe2\x82", "cut ??"},
        {"cut \xe2\x82 within", "cut ?? within"},
        {"\xff\xc0\xaf\xed\xa0\x80", "??????"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wc_error *err = NULL;
        wci_err(&err, WC_E_FORMAT, "%s", cases[i].quoted);
        ck_assert_str_eq(wc_error_message(err), cases[i].shown);
        wc_error_unref(err);
    }
    wc_error *err = NULL;
    wci_err_native(&err, WC_E_NETWORK, WC_DOMAIN_HTTP, 500, "it says '%.4s'", "ab\xe2\x82\xac");
    wci_err_wrap(&err, WC_E_NETWORK, "pulling\n");
    ck_assert_str_eq(wc_error_message(err), "pulling ");
    ck_assert_str_eq(wc_error_message(wc_error_cause(err)), "it says 'ab?" "?'");
    wc_error_unref(err);
}
END_TEST

START_TEST(reserved_room_left_unused_is_an_empty_text)
{
    wci_str s = WCI_STR_INIT;
    wc_buf *buf = NULL;
    char *room = wci_str_reserve(&s, 100);
    ck_assert_ptr_nonnull(room);
    ck_assert_int_eq(wci_str_to_buf(&s, &buf, NULL), WC_OK);
    ck_assert_uint_eq(wc_buf_size(buf), 0);
    ck_assert_str_eq(wc_buf_data(buf), "");
    wc_buf_unref(buf);
}
END_TEST

START_TEST(codes_have_names)
{
    ck_assert_str_eq(wc_code_name(WC_OK), "WC_OK");
    ck_assert_str_eq(wc_code_name(WC_E_BUSY), "WC_E_BUSY");
    ck_assert_str_eq(wc_code_name(WC_E_INTERNAL), "WC_E_INTERNAL");
    ck_assert_str_eq(wc_code_name(WC_E_UNTRUSTED), "WC_E_UNTRUSTED");
    ck_assert_str_eq(wc_code_name(WC_E_UNTRUSTED - 1), "WC_E_?");
    ck_assert_str_eq(wc_code_name(1), "WC_E_?");
}
END_TEST

START_TEST(strings_grow_and_are_taken)
{
    wci_str s = WCI_STR_INIT;
    for (int i = 0; i < 1000; i++)
        wci_str_printf(&s, "%03d", i);
    ck_assert_uint_eq(s.size, 3000);
    char *text = wci_str_take(&s);
    ck_assert(!strncmp(text, "000001002", 9));
    wci_free(text);
    text = wci_str_take(&s);
    ck_assert_str_eq(text, "");
    wci_free(text);
}
END_TEST

START_TEST(utf8_is_strict)
{
    static const struct {
        const char *text;
        int good;
    } cases[] = {{"", 1},           {"abc", 1},          {"\xC3\xA9", 1},   {"\xF0\x9F\x90\xB3", 1},
                 {"\xC0\x80", 0},   {"\xE0\x80\x80", 0}, {"\xED\xA0\x80", 0}, {"\xF4\x90\x80\x80", 0},
                 {"\xFF", 0},       {"\xC3", 0},         {"a\x80", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(wci_is_utf8(cases[i].text, strlen(cases[i].text)) == cases[i].good,
                      "case %zu", i);
}
END_TEST

START_TEST(numbers_are_strict)
{
    uint64_t n;
    ck_assert(wci_parse_u64("18446744073709551615", UINT64_MAX, &n) && n == UINT64_MAX);
    ck_assert(wci_parse_u64("0", 0, &n) && n == 0);
    const char *bad[] = {"", "-1", "+1", " 1", "1 ", "0x1", "18446744073709551616", "1e3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!wci_parse_u64(bad[i], UINT64_MAX, &n), "'%s' was accepted", bad[i]);
    ck_assert(!wci_parse_u64("256", 255, &n));
}
END_TEST

START_TEST(foreign_text_is_made_harmless)
{
    char out[WCI_SHOWN_SIZE];
    wci_show("a\n\x1b[31mb\xC3\xA9", out);
    ck_assert_str_eq(out, "a??[31mb??");
    char text[500];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    wci_show(text, out);
    ck_assert_uint_eq(strlen(out), WCI_SHOWN_SIZE - 1);
    ck_assert(wci_ends_with(out, "x..."));
    text[WCI_SHOWN_SIZE - 4] = '\0';
    wci_show(text, out);
    ck_assert_str_eq(out, text);
}
END_TEST

START_TEST(base64_is_strict)
{
    static const struct {
        const char *plain, *coded;
    } pairs[] = {{"", ""},         {"f", "Zg=="},         {"fo", "Zm8="},
                 {"foo", "Zm9v"},  {"foob", "Zm9vYg=="},  {"fooba", "Zm9vYmE="},
                 {"foobar", "Zm9vYmFy"}, {"\xff\xfe\xfd", "//79"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        size_t n = 99;
        char *coded = wci_base64_encode(pairs[i].plain, strlen(pairs[i].plain));
        char *plain = wci_base64_decode(pairs[i].coded, &n);
        ck_assert_str_eq(coded, pairs[i].coded);
        ck_assert_str_eq(plain, pairs[i].plain);
        ck_assert_uint_eq(n, strlen(pairs[i].plain));
        wci_free(coded);
        wci_free(plain);
    }
    static const char *const bad[] = {"A", "Zg=", "Z===", "Zg==Zg==", "Z g", "*"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        size_t n;
        ck_assert_msg(!wci_base64_decode(bad[i], &n), "%s", bad[i]);
    }
}
END_TEST

START_TEST(lists_hold_one_kind)
{
    wc_list *list;
    test_ok(wci_list_new(WCI_LIST_STRING, wci_free, &list, NULL));
    for (int i = 0; i < 100; i++)
        test_ok(wci_list_add(list, wci_asprintf("%d", i), NULL));
    test_code(wci_list_add(list, NULL, NULL), WC_E_NOMEM);
    ck_assert_uint_eq(wc_list_count(list), 100);
    ck_assert_str_eq(wc_list_string(list, 99), "99");
    ck_assert_ptr_null(wc_list_string(list, 100));
    ck_assert_ptr_null(wc_list_image(list, 0));
    ck_assert_ptr_null(wc_list_container_info(list, 0));
    wc_list_ref(list);
    wc_list_unref(list);
    ck_assert_str_eq(wc_list_string(list, 0), "0");
    wc_list_unref(list);
    ck_assert_uint_eq(wc_list_count(NULL), 0);
    wc_list_unref(NULL);
}
END_TEST

static char *take_line(wci_log *log, int32_t *level)
{
    wc_buf *message;
    int64_t when = 0;
    if (wci_log_take(log, level, &when, &message))
        return NULL;
    ck_assert_int_gt(when, 0);
    char *text = strdup(wc_buf_data(message));
    wc_buf_unref(message);
    return text;
}

START_TEST(log_keeps_what_its_level_says)
{
    wci_log *log;
    int32_t level;
    wc_buf *message;
    wci_log_printf(NULL, WC_LOG_ERROR, "nowhere");
    test_ok(wci_log_new(WC_LOG_NONE, &log, NULL));
    wci_log_printf(log, WC_LOG_ERROR, "silent");
    test_code(wci_log_take(log, &level, NULL, &message), WC_E_NOT_FOUND);
    wci_log_set_level(log, WC_LOG_WARN);
    wci_log_printf(log, WC_LOG_INFO, "too chatty");
    wci_log_printf(log, WC_LOG_WARN, "pull of %s", "x");
    char *line = take_line(log, &level);
    ck_assert_str_eq(line, "pull of x");
    ck_assert_int_eq(level, WC_LOG_WARN);
    free(line);
    ck_assert_ptr_null(take_line(log, &level));
    wci_log_free(log);
}
END_TEST

START_TEST(log_drops_the_oldest_and_says_so)
{
    wci_log *log;
    int32_t level;
    test_ok(wci_log_new(WC_LOG_DEBUG, &log, NULL));
    for (int i = 0; i < 1034; i++)
        wci_log_printf(log, WC_LOG_INFO, "%d", i);
    char *line = take_line(log, &level);
    ck_assert(wci_starts_with(line, "log: 10 lines were lost"));
    ck_assert_int_eq(level, WC_LOG_WARN);
    free(line);
    for (int i = 10; i < 1034; i++) {
        line = take_line(log, &level);
        ck_assert_int_eq(atoi(line), i);
        free(line);
    }
    ck_assert_ptr_null(take_line(log, &level));
    wci_log_free(log);
}
END_TEST

START_TEST(version_agrees_with_the_headers)
{
    char text[32];
    snprintf(text, sizeof text, "%d.%d.%d", WC_VERSION_MAJOR, WC_VERSION_MINOR, WC_VERSION_PATCH);
    ck_assert_str_eq(wc_version(), text);
    ck_assert_int_eq(wc_version_number(),
                     WC_VERSION_MAJOR * 1000000 + WC_VERSION_MINOR * 1000 + WC_VERSION_PATCH);
    ck_assert_int_eq(wc_has_feature("pull"), 1);
    ck_assert_int_eq(wc_has_feature("backend.process"), 1);
    ck_assert_int_eq(wc_has_feature("teleport"), 0);
    ck_assert_int_eq(wc_has_feature(""), 0);
    ck_assert_int_eq(wc_has_feature(NULL), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("core");
    TCase *tc = tcase_create("core");
    tcase_add_test(tc, reserved_room_left_unused_is_an_empty_text);
    tcase_add_test(tc, error_carries_code_and_text);
    tcase_add_test(tc, errno_chooses_code_and_keeps_number);
    tcase_add_test(tc, messages_are_plain);
    tcase_add_test(tc, wrapping_keeps_what_lies_underneath);
    tcase_add_test(tc, out_of_memory_needs_no_memory);
    tcase_add_test(tc, codes_have_names);
    tcase_add_test(tc, strings_grow_and_are_taken);
    tcase_add_test(tc, utf8_is_strict);
    tcase_add_test(tc, numbers_are_strict);
    tcase_add_test(tc, foreign_text_is_made_harmless);
    tcase_add_test(tc, base64_is_strict);
    tcase_add_test(tc, lists_hold_one_kind);
    tcase_add_test(tc, log_keeps_what_its_level_says);
    tcase_add_test(tc, log_drops_the_oldest_and_says_so);
    tcase_add_test(tc, version_agrees_with_the_headers);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
