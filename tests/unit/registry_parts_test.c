/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the registry client that need no server. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/base64.h"
#include "registry/address.h"
#include "registry/credentials.h"
#include "registry/headers.h"
#include "registry/proxy.h"
#include "registry/registry.h"
#include "registry/retry.h"
#include "registry/url.h"

/* ---- Challenges ------------------------------------------------------------------------------- */

static size_t parse(const char *header, wci_challenge **out)
{
    size_t count = 0;
    ck_assert_msg(!wci_challenges_parse(header, strlen(header), out, &count, NULL), "%s", header);
    return count;
}

START_TEST(challenge_bearer)
{
    wci_challenge *c;
    ck_assert_uint_eq(parse("Bearer realm=\"https://auth.docker.io/token\",service=\"r.d.io\","
                            "scope=\"repository:a/b:pull,push repository:c:pull\"",
                            &c),
                      1);
    ck_assert_str_eq(c[0].scheme, "bearer");
    ck_assert_str_eq(c[0].realm, "https://auth.docker.io/token");
    ck_assert_str_eq(c[0].service, "r.d.io");
    ck_assert_str_eq(c[0].scope, "repository:a/b:pull,push repository:c:pull");
    ck_assert_ptr_null(c[0].error);
    wci_challenges_free(c, 1);
}
END_TEST

START_TEST(challenge_several)
{
    wci_challenge *c;
    ck_assert_uint_eq(parse(", Negotiate, NTLM TlRMTVNTUAAC==,Basic REALM = \"a, \\\"b\\\"\" , "
                            "bEaReR Realm=x service=\"s\" error=insufficient_scope, foo=bar",
                            &c),
                      4);
    ck_assert_str_eq(c[0].scheme, "negotiate");
    ck_assert_str_eq(c[1].scheme, "ntlm");
    ck_assert_ptr_null(c[1].realm);
    ck_assert_str_eq(c[2].scheme, "basic");
    ck_assert_str_eq(c[2].realm, "a, \"b\"");
    ck_assert_str_eq(c[3].scheme, "bearer");
    ck_assert_str_eq(c[3].realm, "x");
    ck_assert_str_eq(c[3].service, "s");
    ck_assert_str_eq(c[3].error, "insufficient_scope");
    wci_challenges_free(c, 4);
}
END_TEST

START_TEST(challenge_first_value_counts)
{
    wci_challenge *c;
    ck_assert_uint_eq(parse("Bearer realm=https://a/t, realm=https://b/t", &c), 1);
    ck_assert_str_eq(c[0].realm, "https://a/t");
    wci_challenges_free(c, 1);
}
END_TEST

static const char *const bad_challenges[] = {
    "", " , ", "Bearer realm=\"open", "Bearer realm=\"open\\\"", "=", "\"x\"", "Bearer realm=\"a\nb\"",
    "Bearer\x01", "(x)", "Bearer realm=x \"y\"",
};

START_TEST(challenge_malformed)
{
    wci_challenge *c = (wci_challenge *)7;
    size_t count = 7;
    wc_error *err = NULL;
    const char *text = bad_challenges[_i];
    ck_assert_msg(wci_challenges_parse(text, strlen(text), &c, &count, &err) == WC_E_FORMAT, "%s",
                  text);
    ck_assert_ptr_eq(c, (wci_challenge *)7);
    wc_error_unref(err);
}
END_TEST

START_TEST(challenge_size)
{
    char *text = malloc(1 << 20);
    wci_challenge *c;
    size_t count;
    memset(text, 'a', 1 << 20);
    memcpy(text, "Bearer realm=", 13);
    ck_assert_int_eq(wci_challenges_parse(text, 1 << 20, &c, &count, NULL), WC_E_FORMAT);
    ck_assert_int_eq(wci_challenges_parse(text, 16 * 1024, &c, &count, NULL), WC_OK);
    wci_challenges_free(c, count);
    ck_assert_int_eq(wci_challenges_parse("Bearer\0x", 8, &c, &count, NULL), WC_E_FORMAT);
    free(text);
}
END_TEST

/* ---- Headers ---------------------------------------------------------------------------------- */

START_TEST(headers_are_kept_in_one_form)
{
    wci_strv h = WCI_STRV_INIT;
    static const char *const lines[] = {"X-A:1", "x-a:\t two words ", "no colon", "X-AB: 3", "Empty:"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        ck_assert_int_eq(wci_headers_add(&h, lines[i], strlen(lines[i])), WC_OK);
    ck_assert_int_eq(wci_headers_add(&h, "x-a: \0z", 7), WC_OK);
    ck_assert_str_eq(wci_headers_get(&h, "x-a", 0), "1");
    ck_assert_str_eq(wci_headers_get(&h, "x-a", 1), "two words");
    ck_assert_ptr_null(wci_headers_get(&h, "x-a", 2));
    ck_assert_str_eq(wci_headers_get(&h, "empty", 0), "");
    ck_assert_int_eq(wci_headers_status("HTTP/1.1 206 Partial", 20), 206);
    ck_assert_int_eq(wci_headers_status("HTTP/2 404", 10), 404);
    ck_assert_int_eq(wci_headers_status("HTTP/2 40", 9), 0);
    ck_assert_int_eq(wci_headers_status("HTTP/2 abc", 10), 0);
    wci_strv_free(&h);
}
END_TEST

static const struct {
    const char *text;
    int is_good;
    uint64_t from, total;
} content_ranges[] = {
    {"bytes 0-9/10", 1, 0, 10},
    {"bytes  5-", 1, 5, UINT64_MAX},
    {"bytes 5-9/*", 1, 5, UINT64_MAX},
    {"bytes */10", 0, 0, 0},
    {"bytes -9/10", 0, 0, 0},
    {"bytes 5", 0, 0, 0},
    {"items 0-9/10", 0, 0, 0},
    {"bytes 0-9/-1", 0, 0, 0},
    {"bytes 0-9/9223372036854775808", 0, 0, 0},
    {"bytes 00000000000000000000000000000-9/10", 0, 0, 0},
};

START_TEST(content_range)
{
    uint64_t from = 0, total = 0;
    int is_good = wci_header_content_range(content_ranges[_i].text, &from, &total);
    ck_assert_msg(is_good == content_ranges[_i].is_good, "%s", content_ranges[_i].text);
    if (is_good)
        ck_assert_msg(from == content_ranges[_i].from && total == content_ranges[_i].total, "%s",
                      content_ranges[_i].text);
}
END_TEST

START_TEST(upload_range)
{
    uint64_t arrived = 7;
    ck_assert(wci_header_upload_range("0-99", &arrived) && arrived == 100);
    ck_assert(wci_header_upload_range("bytes=0-1", &arrived) && arrived == 2);
    ck_assert(wci_header_upload_range("0-0", &arrived) && arrived == 0);
    ck_assert(!wci_header_upload_range("1-99", &arrived) && !wci_header_upload_range("0-", &arrived));
    ck_assert(!wci_header_upload_range("0-18446744073709551615", &arrived));
}
END_TEST

START_TEST(media_type)
{
    char *type = wci_header_media_type("Application/JSON; charset=UTF-8");
    ck_assert_str_eq(type, "application/json");
    wci_free(type);
}
END_TEST

/* ---- Retry ------------------------------------------------------------------------------------ */

#define NOW ((int64_t)1700000000 * 1000000000) /* 2023-11-14T22:13:20Z */

static const struct {
    const char *value;
    int64_t ms;
} retry_after[] = {
    {NULL, -1},
    {"", -1},
    {"0", 0},
    {"2", 2000},
    {"60", 60000},
    {"61", 60000},
    {"99999999999999999999999", -1},
    {"18446744073709551615", 60000},
    {"-1", -1},
    {"1.5", -1},
    {"880.092\xc2\xb5s", -1},
    {"Tue, 14 Nov 2023 22:13:25 GMT", 5000},
    {"Tue, 14 Nov 2023 22:13:15 GMT", -1},
    {"Thu, 01 Jan 2099 00:00:00 GMT", 60000},
    {"soon GMT", -1},
};

START_TEST(retry_after_values)
{
    ck_assert_msg(wci_retry_after_ms(retry_after[_i].value, NOW) == retry_after[_i].ms, "%s",
                  retry_after[_i].value);
}
END_TEST

START_TEST(retry_backoff)
{
    for (uint32_t attempt = 0; attempt < 40; attempt++) {
        int64_t whole = attempt < 6 ? 200 << attempt : 10000;
        for (int i = 0; i < 20; i++) {
            int64_t ms = wci_retry_backoff_ms(attempt);
            ck_assert_int_ge(ms, whole / 2);
            ck_assert_int_le(ms, whole);
        }
    }
    ck_assert(wci_retry_status(429) && wci_retry_status(503) && !wci_retry_status(501));
    ck_assert(!wci_retry_status(404) && !wci_retry_status(200));
}
END_TEST

/* ---- Addresses -------------------------------------------------------------------------------- */

static const struct {
    const char *text;
    wci_address_class class;
} addresses[] = {
    {"8.8.8.8", WCI_ADDRESS_PUBLIC},
    {"172.15.0.1", WCI_ADDRESS_PUBLIC},
    {"172.32.0.1", WCI_ADDRESS_PUBLIC},
    {"2001:4860:4860::8888", WCI_ADDRESS_PUBLIC},
    {"127.0.0.1", WCI_ADDRESS_LOOPBACK},
    {"127.255.255.254", WCI_ADDRESS_LOOPBACK},
    {"::1", WCI_ADDRESS_LOOPBACK},
    {"[::1]", WCI_ADDRESS_LOOPBACK},
    {"localhost", WCI_ADDRESS_LOOPBACK},
    {"LocalHost", WCI_ADDRESS_LOOPBACK},
    {"10.1.2.3", WCI_ADDRESS_PRIVATE},
    {"172.16.0.1", WCI_ADDRESS_PRIVATE},
    {"172.31.255.255", WCI_ADDRESS_PRIVATE},
    {"192.168.0.1", WCI_ADDRESS_PRIVATE},
    {"100.64.0.1", WCI_ADDRESS_PRIVATE},
    {"100.100.100.200", WCI_ADDRESS_PRIVATE},
    {"fd00:ec2::254", WCI_ADDRESS_PRIVATE},
    {"169.254.169.254", WCI_ADDRESS_LINK_LOCAL},
    {"168.63.129.16", WCI_ADDRESS_LINK_LOCAL},
    {"fe80::1", WCI_ADDRESS_LINK_LOCAL},
    {"0.0.0.0", WCI_ADDRESS_SPECIAL},
    {"0.1.2.3", WCI_ADDRESS_SPECIAL},
    {"::", WCI_ADDRESS_SPECIAL},
    {"255.255.255.255", WCI_ADDRESS_SPECIAL},
    {"224.0.0.1", WCI_ADDRESS_SPECIAL},
    {"ff02::1", WCI_ADDRESS_SPECIAL},
    {"2001::1", WCI_ADDRESS_SPECIAL},
    {"::ffff:127.0.0.1", WCI_ADDRESS_LOOPBACK},
    {"::ffff:8.8.8.8", WCI_ADDRESS_PUBLIC},
    {"::127.0.0.1", WCI_ADDRESS_LOOPBACK},
    {"64:ff9b::10.0.0.1", WCI_ADDRESS_PRIVATE},
    {"64:ff9b::a9fe:a9fe", WCI_ADDRESS_LINK_LOCAL},
    {"2002:7f00:1::", WCI_ADDRESS_LOOPBACK},
    {"2002:808:808::", WCI_ADDRESS_PUBLIC},
};

START_TEST(address_classes)
{
    wci_address_class class;
    ck_assert_msg(wci_address_of_host(addresses[_i].text, &class), "%s", addresses[_i].text);
    ck_assert_msg(class == addresses[_i].class, "%s is %s", addresses[_i].text,
                  wci_address_class_name(class));
}
END_TEST

START_TEST(address_names)
{
    wci_address_class class;
    ck_assert(!wci_address_of_host("example.com", &class));
    ck_assert(!wci_address_of_host("127.0.0.1.example.com", &class));
    ck_assert(!wci_address_of_host("localhost.example.com", &class));
    ck_assert(!wci_address_of_host("", &class));
    ck_assert(!wci_address_of_host("[]", &class));
}
END_TEST

START_TEST(address_fence)
{
    unsigned public = WCI_ADDRESS_BIT(WCI_ADDRESS_PUBLIC);
    ck_assert_uint_eq(wci_address_fence(WCI_ADDRESS_PUBLIC), public);
    ck_assert_uint_eq(wci_address_fence(WCI_ADDRESS_LINK_LOCAL), public);
    ck_assert_uint_eq(wci_address_fence(WCI_ADDRESS_PRIVATE),
                      public | WCI_ADDRESS_BIT(WCI_ADDRESS_PRIVATE));
    ck_assert_uint_eq(wci_address_fence(WCI_ADDRESS_LOOPBACK),
                      public | WCI_ADDRESS_BIT(WCI_ADDRESS_LOOPBACK));
}
END_TEST

/* ---- URLs and proxies ------------------------------------------------------------------------- */

START_TEST(url_good)
{
    wci_url base = WCI_URL_INIT, url = WCI_URL_INIT;
    ck_assert_int_eq(wci_url_parse("https://h.x/v2/a?sig=s#f", NULL, &base, NULL), WC_OK);
    ck_assert_str_eq(base.text, "https://h.x/v2/a?sig=s");
    ck_assert_str_eq(base.shown, "https://h.x/v2/a");
    ck_assert_str_eq(base.host, "h.x");
    ck_assert_uint_eq(base.port, 443);
    ck_assert(!base.plain);
    ck_assert_int_eq(wci_url_parse("../b", &base, &url, NULL), WC_OK);
    ck_assert_str_eq(url.text, "https://h.x/b");
    ck_assert(wci_url_same_origin(&base, &url));
    ck_assert_int_eq(wci_url_parse("https://H.X:443/", &base, &url, NULL), WC_OK);
    ck_assert(wci_url_same_origin(&base, &url));
    ck_assert_int_eq(wci_url_parse("//other/c", &base, &url, NULL), WC_OK);
    ck_assert_str_eq(url.text, "https://other/c");
    ck_assert(!wci_url_same_origin(&base, &url));
    ck_assert_int_eq(wci_url_parse("http://h.x/", &base, &url, NULL), WC_OK);
    ck_assert(url.plain && url.port == 80 && !wci_url_same_origin(&base, &url));
    ck_assert_int_eq(wci_url_parse("https://h.x:444/", &base, &url, NULL), WC_OK);
    ck_assert(!wci_url_same_origin(&base, &url));
    ck_assert_int_eq(wci_url_parse("http://[::1]:5000/", NULL, &url, NULL), WC_OK);
    ck_assert_str_eq(url.host, "[::1]");
    wci_url_free(&base);
    wci_url_free(&url);
}
END_TEST

static const char *const bad_urls[] = {"",           "file:///etc/passwd", "ftp://a/b",
                                       "gopher://a", "http://u:p@h/",      "http://u@h/",
                                       "http://",    "http://a:99999/",    "http://a b/",
                                       "relative",   "http://a/\r\nX: y",  "javascript:x"};

START_TEST(url_bad)
{
    wci_url url = WCI_URL_INIT;
    ck_assert_msg(wci_url_parse(bad_urls[_i], NULL, &url, NULL) == WC_E_FORMAT, "%s",
                  bad_urls[_i]);
    ck_assert_ptr_null(url.text);
}
END_TEST

START_TEST(url_query)
{
    wci_str s = WCI_STR_INIT;
    wci_str_append(&s, "https://h/t");
    wci_url_add_query(&s, "service", "a b&c");
    wci_url_add_query(&s, "scope", "repository:h:5000/x:pull,push");
    ck_assert_str_eq(s.data, "https://h/t?service=a%20b%26c&scope=repository:h:5000/x:pull,push");
    wci_str_free(&s);
}
END_TEST

START_TEST(no_proxy)
{
    const char *list = "example.com, .corp.net *.dev, 10.0.0.0/8,h:81,[::1],fd00::/8,::2";
    ck_assert(wci_no_proxy_covers("*", "x", 1));
    ck_assert(wci_no_proxy_covers(list, "example.com", 443));
    ck_assert(wci_no_proxy_covers(list, "a.Example.com", 443));
    ck_assert(!wci_no_proxy_covers(list, "notexample.com", 443));
    ck_assert(wci_no_proxy_covers(list, "a.corp.net", 443));
    ck_assert(wci_no_proxy_covers(list, "x.dev", 443));
    ck_assert(wci_no_proxy_covers(list, "10.9.8.7", 443));
    ck_assert(!wci_no_proxy_covers(list, "11.9.8.7", 443));
    ck_assert(wci_no_proxy_covers(list, "h", 81));
    ck_assert(!wci_no_proxy_covers(list, "h", 80));
    ck_assert(wci_no_proxy_covers(list, "[::1]", 80));
    ck_assert(wci_no_proxy_covers(list, "[::2]", 80));
    ck_assert(wci_no_proxy_covers(list, "[fd00::7]", 80));
    ck_assert(!wci_no_proxy_covers(list, "[fe00::7]", 80));
    ck_assert(!wci_no_proxy_covers("", "x", 80));
}
END_TEST

static char *proxy_of(const char *text)
{
    wci_url url = WCI_URL_INIT;
    char *proxy = NULL;
    ck_assert_int_eq(wci_url_parse(text, NULL, &url, NULL), WC_OK);
    ck_assert_int_eq(wci_proxy_for(&url, &proxy, NULL), WC_OK);
    wci_url_free(&url);
    return proxy;
}

START_TEST(proxy_from_environment)
{
    setenv("https_proxy", "http://p:1", 1);
    setenv("http_proxy", "http://p:2", 1);
    setenv("no_proxy", "direct.net", 1);
    char *a = proxy_of("https://x/"), *b = proxy_of("http://x/");
    ck_assert_str_eq(a, "http://p:1");
    ck_assert_str_eq(b, "http://p:2");
    wci_free(a);
    wci_free(b);
    ck_assert_ptr_null(proxy_of("https://a.direct.net/"));
    ck_assert_ptr_null(proxy_of("http://localhost:5000/"));
    ck_assert_ptr_null(proxy_of("http://127.0.0.1/"));
}
END_TEST

/* ---- Credentials ------------------------------------------------------------------------------ */

static char dir[] = "/tmp/wc-credentials-XXXXXX";
static char file[64];

static void make_dir(void)
{
    strcpy(dir + sizeof dir - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(file, sizeof file, "%s/auth.json", dir);
}

static void remove_dir(void)
{
    unlink(file);
    rmdir(dir);
}

static void write_file(const char *text)
{
    FILE *f = fopen(file, "w");
    fputs(text, f);
    fclose(f);
}

/* user names are the keys, so that a lookup tells which entry it took: base64("key:pw") */
static void write_auths(const char *const *keys)
{
    wci_str s = WCI_STR_INIT;
    wci_str_append(&s, "{\"auths\":{");
    for (size_t i = 0; keys[i]; i++) {
        char *pair = wci_asprintf("n%zu:p:w", i), *coded = wci_base64_encode(pair, strlen(pair));
        wci_str_printf(&s, "%s\"%s\":{\"auth\":\"%s\"}", i ? "," : "", keys[i], coded);
        wci_free(pair);
        wci_free(coded);
    }
    wci_str_append(&s, "}}");
    write_file(s.data);
    wci_str_free(&s);
}

static void expect(const char *host, const char *repository, const char *user)
{
    wci_credentials c = WCI_CREDENTIALS_INIT;
    ck_assert_int_eq(wci_credentials_find(file, host, repository, &c, NULL), WC_OK);
    ck_assert_pstr_eq(c.username, user);
    if (user)
        ck_assert_str_eq(c.password, "p:w");
    wci_credentials_free(&c);
}

START_TEST(credentials_longest_path)
{
    static const char *const keys[] = {"h:5000", "h:5000/a", "h:5000/a/b", "https://x/v1/",
                                       "https://index.docker.io/v1/", NULL};
    write_auths(keys);
    expect("h:5000", "z", "n0");
    expect("h:5000", "a/z", "n1");
    expect("h:5000", "ab", "n0");
    expect("h:5000", "a/b", "n2");
    expect("h:5000", "a/b/c", "n2");
    expect("x", "a", "n3");
    expect("docker.io", "library/alpine", "n4");
    expect("h", "a", NULL);
    expect("h:50", "a", NULL);
}
END_TEST

START_TEST(credentials_kinds)
{
    wci_credentials c = WCI_CREDENTIALS_INIT;
    write_file("{\"auths\":{\"a\":{\"auth\":\"PHRva2VuPjo=\",\"identitytoken\":\"rt\"},"
               "\"b\":{\"username\":\"u\",\"password\":\"p\"},\"c\":{},\"d\":{}},"
               "\"credHelpers\":{\"c\":\"gcloud\"},\"credsStore\":\"desktop\"}");
    ck_assert_int_eq(wci_credentials_find(file, "a", "x", &c, NULL), WC_OK);
    ck_assert_str_eq(c.identity_token, "rt");
    wci_credentials_free(&c);
    ck_assert_int_eq(wci_credentials_find(file, "b", "x", &c, NULL), WC_OK);
    ck_assert_str_eq(c.username, "u");
    wci_credentials_free(&c);
    ck_assert_int_eq(wci_credentials_find(file, "c", "x", &c, NULL), WC_OK);
    ck_assert_str_eq(c.helper, "gcloud");
    ck_assert_ptr_null(c.username);
    wci_credentials_free(&c);
    ck_assert_int_eq(wci_credentials_find(file, "d", "x", &c, NULL), WC_OK);
    ck_assert_str_eq(c.helper, "desktop");
    wci_credentials_free(&c);
}
END_TEST

START_TEST(credentials_malformed_without_secrets)
{
    static const char *const texts[] = {
        "{\"auths\":{\"h\":{\"auth\":\"c2VjcmV0c2VjcmV0\"}}}", /* no colon inside */
        "{\"auths\":{\"h\":{\"auth\":\"hunter2!\"}}}",
        "{\"auths\":{\"h\":{\"auth\": hunter2}}}",
        "{\"auths\":[]}",
        "hunter2",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        wci_credentials c = WCI_CREDENTIALS_INIT;
        wc_error *err = NULL;
        wc_buf *text = NULL;
        write_file(texts[i]);
        ck_assert_msg(wci_credentials_find(file, "h", "x", &c, &err) == WC_E_FORMAT, "%s", texts[i]);
        ck_assert_ptr_null(c.username);
        wc_error_format(err, &text);
        ck_assert_msg(!strstr(wc_buf_data(text), "hunter2"), "%s", wc_buf_data(text));
        ck_assert_msg(!strstr(wc_buf_data(text), "c2Vj"), "%s", wc_buf_data(text));
        wc_buf_unref(text);
        wc_error_unref(err);
    }
}
END_TEST

START_TEST(credentials_usual_places)
{
    static const char *const keys[] = {"h", NULL};
    wci_credentials c = WCI_CREDENTIALS_INIT;
    write_auths(keys);
    setenv("HOME", dir, 1);
    unsetenv("XDG_RUNTIME_DIR");
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("DOCKER_CONFIG");
    unsetenv("REGISTRY_AUTH_FILE");
    ck_assert_int_eq(wci_credentials_find(NULL, "h", "x", &c, NULL), WC_OK);
    ck_assert_ptr_null(c.username);
    setenv("REGISTRY_AUTH_FILE", file, 1);
    ck_assert_int_eq(wci_credentials_find(NULL, "h", "x", &c, NULL), WC_OK);
    ck_assert_str_eq(c.username, "n0");
    wci_credentials_free(&c);
    ck_assert_int_eq(wci_credentials_find("/nowhere/x", "h", "x", &c, NULL), WC_E_NOT_FOUND);
}
END_TEST

int main(void)
{
#define COUNT(a) ((int)(sizeof a / sizeof *a))
    Suite *suite = suite_create("registry parts");
    TCase *t = tcase_create("challenge");
    tcase_add_test(t, challenge_bearer);
    tcase_add_test(t, challenge_several);
    tcase_add_test(t, challenge_first_value_counts);
    tcase_add_loop_test(t, challenge_malformed, 0, COUNT(bad_challenges));
    tcase_add_test(t, challenge_size);
    suite_add_tcase(suite, t);
    t = tcase_create("headers");
    tcase_add_test(t, headers_are_kept_in_one_form);
    tcase_add_loop_test(t, content_range, 0, COUNT(content_ranges));
    tcase_add_test(t, upload_range);
    tcase_add_test(t, media_type);
    suite_add_tcase(suite, t);
    t = tcase_create("retry");
    tcase_add_loop_test(t, retry_after_values, 0, COUNT(retry_after));
    tcase_add_test(t, retry_backoff);
    suite_add_tcase(suite, t);
    t = tcase_create("address");
    tcase_add_loop_test(t, address_classes, 0, COUNT(addresses));
    tcase_add_test(t, address_names);
    tcase_add_test(t, address_fence);
    suite_add_tcase(suite, t);
    t = tcase_create("url");
    tcase_add_test(t, url_good);
    tcase_add_loop_test(t, url_bad, 0, COUNT(bad_urls));
    tcase_add_test(t, url_query);
    tcase_add_test(t, no_proxy);
    tcase_add_test(t, proxy_from_environment);
    suite_add_tcase(suite, t);
    t = tcase_create("credentials");
    tcase_add_checked_fixture(t, make_dir, remove_dir);
    tcase_add_test(t, credentials_longest_path);
    tcase_add_test(t, credentials_kinds);
    tcase_add_test(t, credentials_malformed_without_secrets);
    tcase_add_test(t, credentials_usual_places);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
