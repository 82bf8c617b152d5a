/* SPDX-License-Identifier: Apache-2.0 */
#include "support/support.h"

#include <wincontainer/error.h>

#include "core/alloc.h"
#include "core/json.h"
#include "core/toml.h"

static int32_t parse(const char *text, json_t **out, wc_error **err)
{
    return wci_toml_parse(text, strlen(text), 65536, "test", out, err);
}

static const struct {
    const char *toml, *json;
} good[] = {
    {"", "{}"},
    {"# nothing\n \t\n\r\n", "{}"},
    {"a = 1 # one\nb=true\r\n'c d' = \"x\"", "{\"a\":1,\"b\":true,\"c d\":\"x\"}"},
    {"a=-7\nb=+0\nc=9223372036854775807", "{\"a\":-7,\"b\":0,\"c\":9223372036854775807}"},
    {"\"\" = ''", "{\"\":\"\"}"},
    {"a = \"\\b\\t\\n\\f\\r\\\"\\\\\\u00e9\\U0001F600\"", "{\"a\":\"\\b\\t\\n\\f\\r\\\"\\\\\303\251\360\237\230\200\"}"},
    {"a = 'c:\\x\"y'", "{\"a\":\"c:\\\\x\\\"y\"}"},
    {"a = []\nb = [ 'x', # first\n\n 'y', ]", "{\"a\":[],\"b\":[\"x\",\"y\"]}"},
    {"a = [[1], {b = 2, c.d = 3}]", "{\"a\":[[1],{\"b\":2,\"c\":{\"d\":3}}]}"},
    {"a = {}\n", "{\"a\":{}}"},
    {"a.b . c = 1\na.d = 2", "{\"a\":{\"b\":{\"c\":1},\"d\":2}}"},
    {"[a]\nx=1\n[ a . 'b' ]\ny=2\n[c]", "{\"a\":{\"x\":1,\"b\":{\"y\":2}},\"c\":{}}"},
    {"[a.b]\nx=1\n[a]\ny=2", "{\"a\":{\"b\":{\"x\":1},\"y\":2}}"},
    {"[[r]]\nx=1\n[[r.m]]\ny=1\n[[r.m]]\ny=2\n[[r]]\nx=2\n[r.t]\nz=3",
     "{\"r\":[{\"x\":1,\"m\":[{\"y\":1},{\"y\":2}]},{\"x\":2,\"t\":{\"z\":3}}]}"},
};

START_TEST(reads)
{
    json_t *value = NULL;
    wc_error *err = NULL;
    int32_t code = parse(good[_i].toml, &value, &err);
    ck_assert_msg(!code, "%s: %s", good[_i].toml, err ? wc_error_message(err) : "");
    char *text = wci_json_dump_text(value);
    ck_assert_str_eq(text, good[_i].json);
    wci_free(text);
    json_decref(value);
}
END_TEST

static const struct {
    const char *toml, *says;
} bad[] = {
    {"a", "'=' is missing"},
    {"= 1", "a key is missing"},
    {"a =", "no value"},
    {"a = 1 2", "more follows"},
    {"a = 1\na = 2", "line 2: 'a' is there twice"},
    {"a = 1.5", "no value that is read here"},
    {"a = 0x10", "no value that is read here"},
    {"a = 01", "no value that is read here"},
    {"a = 9223372036854775808", "no value that is read here"},
    {"a = 1979-05-27", "no value that is read here"},
    {"a = True", "no value that is read here"},
    {"a = \"\"\"x\"\"\"", "over several lines"},
    {"a = '''x'''", "over several lines"},
    {"a = \"x", "does not end"},
    {"a = \"x\n\"", "does not end"},
    {"a = 'x\n'", "does not end"},
    {"a = \"\\x41\"", "escape"},
    {"a = \"\\", "escape"},
    {"a = \"\\u12\"", "hexadecimal"},
    {"a = \"\\u0000\"", "no character"},
    {"a = \"\\ud800\"", "no character"},
    {"a = \"\\U00110000\"", "no character"},
    {"a = [1 2]", "',' or ']'"},
    {"a = [,]", "no value"},
    {"a = [1", "',' or ']'"},
    {"a = {b = 1,}", "a key is missing"},
    {"a = {b = 1\n}", "',' or '}'"},
    {"a = {b = 1, b = 2}", "twice"},
    {"a = {b = 1}\na.c = 2", "no table to go on with"},
    {"a = {b = 1}\n[a]", "twice"},
    {"a = {b = 1}\n[a.c]", "no table to go on with"},
    {"a = [1]\n[[a]]", "no list of tables"},
    {"a = [{}]\n[a.b]", "no table to go on with"},
    {"a = 1\n[a]", "twice"},
    {"a = 1\n[a.b]", "no table to go on with"},
    {"[a]\n[a]", "line 2: 'a' is there twice"},
    {"[[a]]\n[a]", "twice"},
    {"[a]\n[[a]]", "no list of tables"},
    {"[a", "']' is missing"},
    {"[[a]", "']' is missing"},
    {"[]", "a key is missing"},
    {"[a] x = 1", "more follows"},
    {"a = 1\v", "control character"},
    {"a = 1\rb = 2", "control character"},
    {"a = \"\x01\"", "control character"},
    {"# \x7f", "control character"},
    {"a = \"\xff\"", "UTF-8"},
    {"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a = 1", "too many parts"},
    {"a = [[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "too deeply"},
};

START_TEST(refuses)
{
    json_t *value = NULL;
    wc_error *err = NULL;
    ck_assert_msg(parse(bad[_i].toml, &value, &err) == WC_E_FORMAT, "'%s' was accepted", bad[_i].toml);
    ck_assert_ptr_null(value);
    ck_assert_msg(strstr(wc_error_message(err), bad[_i].says) != NULL, "%s", wc_error_message(err));
    wc_error_unref(err);
}
END_TEST

START_TEST(has_limits)
{
    json_t *value = NULL;
    char *text = calloc(1, 60000);
    test_code(wci_toml_parse("a = 1", 5, 4, "test", &value, NULL), WC_E_LIMIT);
    test_code(wci_toml_parse("a\0 = 1", 6, 100, "test", &value, NULL), WC_E_FORMAT);
    for (int i = 0; i < 5000; i++)
        strcat(text + i * 6, "[[a]]\n");
    test_ok(parse(text, &value, NULL));
    ck_assert_uint_eq(json_array_size(json_object_get(value, "a")), 5000);
    json_decref(value);
    value = NULL;
    for (int i = 0; i < 5000; i++)
        snprintf(text + i * 9, 10, "a%04d={}\n", i);
    test_code(parse(text, &value, NULL), WC_E_LIMIT);
    free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("toml");
    TCase *t = tcase_create("toml");
    tcase_add_loop_test(t, reads, 0, (int)(sizeof good / sizeof *good));
    tcase_add_loop_test(t, refuses, 0, (int)(sizeof bad / sizeof *bad));
    tcase_add_test(t, has_limits);
    suite_add_tcase(suite, t);
    return test_main(suite);
}
