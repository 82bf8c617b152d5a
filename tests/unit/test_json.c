/* SPDX-License-Identifier: Apache-2.0 */
#include "support/support.h"

#include <wincontainer/error.h>

#include "core/alloc.h"
#include "core/json.h"
#include "core/json_stream.h"

static int32_t parse(const char *text, json_t **out)
{
    return wci_json_parse(text, strlen(text), 4096, "test", out, NULL);
}

static json_t *parsed(const char *text)
{
    json_t *value = NULL;
    test_ok(parse(text, &value));
    return value;
}

START_TEST(refuses_what_is_not_strict)
{
    static const char *const bad[] = {
        "",          "null",           "1",           "\"a\"",          "{",
        "{\"a\":1,}", "{\"a\":1}x",    "{\"a\":1}{}", "{'a':1}",        "{\"a\":1,\"a\":2}",
        "[1e400]",   "[-1e400]",       "[9223372036854775808]",         "[-9223372036854775809]",
        "[01]",      "[\"\\u0000\"]",  "[\"\xFF\"]",  "[\"\xED\xA0\x80\"]", "[NaN]",
        "[\"\\ud800\"]", "[tru]",      "{\"a\" 1}",   "[\"a\nb\"]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        json_t *value = NULL;
        ck_assert_msg(parse(bad[i], &value) == WC_E_FORMAT, "'%s' was accepted", bad[i]);
        ck_assert_ptr_null(value);
    }
    json_t *value = NULL;
    test_code(wci_json_parse("[1]\0[2]", 7, 100, "test", &value, NULL), WC_E_FORMAT);
}
END_TEST

START_TEST(accepts_the_limits)
{
    json_t *value = parsed("[9223372036854775807,-9223372036854775808,1.5,\"\\u00e9\",null]");
    ck_assert_int_eq(json_integer_value(json_array_get(value, 0)), INT64_MAX);
    ck_assert_int_eq(json_integer_value(json_array_get(value, 1)), INT64_MIN);
    json_decref(value);
}
END_TEST

START_TEST(depth_ends_at_64)
{
    char text[200];
    for (int depth = 60; depth <= 70; depth++) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        text[2 * depth] = '\0';
        json_t *value = NULL;
        test_code(parse(text, &value), depth <= 64 ? WC_OK : WC_E_FORMAT);
        json_decref(value);
    }
    size_t size = 200000;
    char *deep = malloc(size);
    memset(deep, '[', size);
    json_t *value = NULL;
    test_code(wci_json_parse(deep, size, size, "test", &value, NULL), WC_E_FORMAT);
    free(deep);
    /* Brackets in strings do not nest. */
    char in_string[300] = "[\"\\\"";
    memset(in_string + 4, '[', 100);
    memcpy(in_string + 104, "\"]", 3);
    json_decref(parsed(in_string));
}
END_TEST

START_TEST(size_is_limited)
{
    json_t *value = NULL;
    test_code(wci_json_parse("[1, 2]", 6, 5, "test", &value, NULL), WC_E_LIMIT);
    test_ok(wci_json_parse("[1, 2]", 6, 6, "test", &value, NULL));
    json_decref(value);
}
END_TEST

START_TEST(error_names_the_document_and_the_place)
{
    json_t *value = NULL;
    wc_error *err = NULL;
    const char *text = "{\"a\":\n \x1b}";
    test_code(wci_json_parse(text, strlen(text), 100, "manifest m", &value, &err), WC_E_FORMAT);
    ck_assert(strstr(wc_error_message(err), "manifest m: not valid JSON: line 2"));
    ck_assert_ptr_null(strchr(wc_error_message(err), '\x1b'));
    wc_error_unref(err);
}
END_TEST

START_TEST(readers_check_types)
{
    json_t *o = parsed("{\"s\":\"x\",\"i\":5,\"b\":true,\"o\":{},\"a\":[\"p\",\"q\"],\"n\":null,"
                       "\"mixed\":[\"p\",1]}");
    const char *text = "default";
    int64_t number = 7;
    int flag = 0;
    json_t *value = NULL;
    wci_strv v = WCI_STRV_INIT;

    test_ok(wci_json_get_string(o, "missing", "t", &text, NULL));
    test_ok(wci_json_get_string(o, "n", "t", &text, NULL));
    ck_assert_str_eq(text, "default");
    test_ok(wci_json_get_string(o, "s", "t", &text, NULL));
    ck_assert_str_eq(text, "x");
    test_code(wci_json_get_string(o, "i", "t", &text, NULL), WC_E_FORMAT);

    test_code(wci_json_get_int(o, "s", "t", 0, 10, &number, NULL), WC_E_FORMAT);
    test_code(wci_json_get_int(o, "i", "t", 6, 10, &number, NULL), WC_E_FORMAT);
    test_code(wci_json_get_int(o, "i", "t", 0, 4, &number, NULL), WC_E_FORMAT);
    ck_assert_int_eq(number, 7);
    test_ok(wci_json_get_int(o, "i", "t", 5, 5, &number, NULL));
    ck_assert_int_eq(number, 5);

    test_code(wci_json_get_bool(o, "i", "t", &flag, NULL), WC_E_FORMAT);
    test_ok(wci_json_get_bool(o, "b", "t", &flag, NULL));
    ck_assert_int_eq(flag, 1);

    test_code(wci_json_get_object(o, "a", "t", &value, NULL), WC_E_FORMAT);
    test_code(wci_json_get_array(o, "o", "t", &value, NULL), WC_E_FORMAT);
    ck_assert_ptr_null(value);
    test_ok(wci_json_get_object(o, "o", "t", &value, NULL));
    ck_assert(json_is_object(value));

    test_code(wci_json_get_strings(o, "mixed", "t", &v, NULL), WC_E_FORMAT);
    ck_assert_uint_eq(v.count, 0);
    test_ok(wci_json_get_strings(o, "a", "t", &v, NULL));
    ck_assert_uint_eq(v.count, 2);
    ck_assert_str_eq(v.items[1], "q");

    json_t *array = wci_json_from_strv(&v);
    char *dumped = wci_json_dump_text(array);
    ck_assert_str_eq(dumped, "[\"p\",\"q\"]");
    wci_free(dumped);
    json_decref(array);
    wci_strv_free(&v);
    json_decref(o);
}
END_TEST

START_TEST(keys_of_other_case_are_refused)
{
    static const char *const known[] = {"layers", "config", "mask", NULL};
    static const struct {
        const char *text;
        int32_t code;
    } cases[] = {
        {"{\"layers\":1,\"other\":2}", WC_OK},
        {"{\"Layers\":1}", WC_E_FORMAT},
        {"{\"layers\":1,\"LAYERS\":2}", WC_E_FORMAT},
        {"{\"layer\xC5\xBF\":1}", WC_E_FORMAT},     /* long s */
        {"{\"mas\xE2\x84\xAA\":1}", WC_E_FORMAT},   /* Kelvin sign */
        {"{\"configs\":1,\"confi\":2}", WC_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *o = parsed(cases[i].text);
        ck_assert_msg(wci_json_check_case(o, known, "t", NULL) == cases[i].code, "%s",
                      cases[i].text);
        json_decref(o);
    }
}
END_TEST

START_TEST(dump_keeps_order_and_bytes)
{
    json_t *o = parsed("{\"z\":1,\"a\":\"\xC3\xA9\",\"m\":[ ]}");
    wc_buf *text;
    test_ok(wci_json_dump(o, &text, NULL));
    ck_assert_str_eq(wc_buf_data(text), "{\"z\":1,\"a\":\"\xC3\xA9\",\"m\":[]}");
    wc_buf_unref(text);
    json_decref(o);
    ck_assert_ptr_null(wci_json_dump_text(NULL));
    test_code(wci_json_dump(NULL, &text, NULL), WC_E_NOMEM);
}
END_TEST

/* ---- Streams ---------------------------------------------------------------------------------- */

static int32_t count_element(void *self, json_t *element, wc_error **err)
{
    int64_t number = 0;
    int32_t rc = wci_json_get_int(element, "n", "test", 0, 1000000, &number, err);
    *(int64_t *)self += number;
    return rc;
}

/* Fed in pieces of that size; *sum is that of the elements' "n", *rest what is left, as text. */
static int32_t stream(const char *text, size_t piece, int64_t *sum, char **rest)
{
    const wci_json_stream_rules rules = {"test", "list", count_element, sum};
    wci_json_stream *s = NULL;
    json_t *value = NULL;
    size_t size = strlen(text);
    int32_t rc = wci_json_stream_new(&rules, &s, NULL);
    *sum = 0;
    *rest = NULL;
    for (size_t at = 0; !rc && at < size; at += piece)
        rc = wci_json_stream_feed(s, text + at, size - at < piece ? size - at : piece, NULL);
    if (!rc && !(rc = wci_json_stream_end(s, &value, NULL)))
        *rest = wci_json_dump_text(value);
    json_decref(value);
    wci_json_stream_free(s);
    return rc;
}

START_TEST(streams_give_elements_and_the_rest)
{
    static const struct {
        const char *text, *rest;
        int sum;
    } good[] = {
        {"{\"list\":[{\"n\":1},{\"n\":20}],\"a\":[{\"n\":5}]}", "{\"list\":[],\"a\":[{\"n\":5}]}", 21},
        {" { \"a\" : \"[\\\"list\\\":[\" , \"list\" : [ { \"n\" : 3 , \"x\": [\"]}\", {}] } ] } ",
         "{\"a\":\"[\\\"list\\\":[\",\"list\":[]}", 3},
        {"{\"list\":[]}", "{\"list\":[]}", 0},
        {"{\"in\":{\"list\":[{\"n\":7}]},\"list\":[{}]}", "{\"in\":{\"list\":[{\"n\":7}]},\"list\":[]}", 0},
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        for (size_t piece = 1; piece < 8; piece += 3) {
            int64_t sum;
            char *rest;
            test_ok(stream(good[i].text, piece, &sum, &rest));
            ck_assert_str_eq(rest, good[i].rest);
            ck_assert_int_eq(sum, good[i].sum);
            wci_free(rest);
        }
    }
}
END_TEST

START_TEST(streams_are_strict)
{
    static const char *const bad[] = {
        "", "{", "{}", "[]", "{\"list\":{}}", "{\"list\":[1]}", "{\"list\":[{\"n\":1},]}", "{\"list\":[,{}]}",
        "{\"list\":[{} {}]}", "{\"list\":[{}", "{\"list\":[{}]", "{\"list\":[{}]}}", "{\"list\":[{}]}x",
        "{\"list\":[{\"n\":1,\"n\":1}]}", "{\"list\":[{\"n\":\"x\"}]}", "{\"list\":[[]]}", "{\"list\":null}",
        "{\"list\":[],\"list\":[{}]}", "{\"list\":[{}],\"list\":[]}", "{\"\\u006cist\":[{}]}",
        "{\"a\\\"list\":[{}],\"list\":[]}", "{\"a\\\"list\":[{}]}", "[{\"list\":[{}]}]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t sum;
        char *rest;
        ck_assert_msg(stream(bad[i], 3, &sum, &rest) == WC_E_FORMAT, "'%s'", bad[i]);
    }
}
END_TEST

/* An endless string in an element, and one outside, take 1 MiB at most. */
START_TEST(streams_are_bounded)
{
    static const char *const begins[] = {"{\"list\":[{\"", "{\""};
    char *large = malloc((2 << 20) + 1);
    for (size_t i = 0; i < 2; i++) {
        int64_t sum;
        char *rest;
        memset(large, 'x', 2 << 20);
        large[2 << 20] = '\0';
        memcpy(large, begins[i], strlen(begins[i]));
        test_code(stream(large, 65536, &sum, &rest), WC_E_LIMIT);
    }
    free(large);
}
END_TEST

START_TEST(times_go_both_ways)
{
    static const struct {
        const char *text;
        int64_t ns;
        const char *back;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"},
        {"2000-02-29T12:34:56.5Z", 951827696500000000, "2000-02-29T12:34:56.5Z"},
        {"2024-12-31T23:59:59.123456789Z", 1735689599123456789, "2024-12-31T23:59:59.123456789Z"},
        {"2024-01-01T01:30:00+01:30", 1704067200000000000, "2024-01-01T00:00:00Z"},
        {"2023-12-31T19:00:00-05:00", 1704067200000000000, "2024-01-01T00:00:00Z"},
        {"2024-01-01t00:00:00.1234567891234z", 1704067200123456789,
         "2024-01-01T00:00:00.123456789Z"},
        {"1969-12-31T23:59:59.25Z", -750000000, "1969-12-31T23:59:59.25Z"},
        {"0001-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t ns = 1;
        char back[WCI_TIME_TEXT_SIZE];
        test_ok(wci_time_parse(cases[i].text, &ns, NULL));
        ck_assert_int_eq(ns, cases[i].ns);
        wci_time_format(ns, back);
        ck_assert_str_eq(back, cases[i].back);
    }
    char text[WCI_TIME_TEXT_SIZE];
    wci_time_format(INT64_MAX, text);
    ck_assert_str_eq(text, "2262-04-11T23:47:16.854775807Z");
    wci_time_format(INT64_MIN, text);
    ck_assert_str_eq(text, "1677-09-21T00:12:43.145224192Z");
}
END_TEST

START_TEST(bad_times_are_refused)
{
    static const char *const bad[] = {
        "", "2024", "2024-01-01", "2024-13-01T00:00:00Z", "2023-02-29T00:00:00Z",
        "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00.Z",
        "2024-01-01T00:00:00+0100", "2024-01-01T00:00:00Zx", "9999-01-01T00:00:00Z",
        "1600-01-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-01-00T00:00:00Z", "-024-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t ns = 42;
        ck_assert_msg(wci_time_parse(bad[i], &ns, NULL) == WC_E_FORMAT, "'%s'", bad[i]);
        ck_assert_int_eq(ns, 42);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json");
    TCase *tc = tcase_create("json");
    tcase_add_test(tc, refuses_what_is_not_strict);
    tcase_add_test(tc, accepts_the_limits);
    tcase_add_test(tc, depth_ends_at_64);
    tcase_add_test(tc, size_is_limited);
    tcase_add_test(tc, error_names_the_document_and_the_place);
    tcase_add_test(tc, readers_check_types);
    tcase_add_test(tc, keys_of_other_case_are_refused);
    tcase_add_test(tc, dump_keeps_order_and_bytes);
    tcase_add_test(tc, streams_give_elements_and_the_rest);
    tcase_add_test(tc, streams_are_strict);
    tcase_add_test(tc, streams_are_bounded);
    tcase_add_test(tc, times_go_both_ways);
    tcase_add_test(tc, bad_times_are_refused);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
