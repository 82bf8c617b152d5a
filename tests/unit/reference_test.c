/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "image/place.h"
#include "image/reference.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "sha256:" HEX64

typedef struct good {
    const char *text, *whole, *familiar, *target;
} good;

static const good goods[] = {
    {"alpine", "docker.io/library/alpine:latest", "alpine:latest", "latest"},
    {"alpine:3.19", "docker.io/library/alpine:3.19", "alpine:3.19", "3.19"},
    {"alpine@" DIGEST, "docker.io/library/alpine@" DIGEST, "alpine@" DIGEST, DIGEST},
    {"alpine:3@" DIGEST, "docker.io/library/alpine:3@" DIGEST, "alpine:3@" DIGEST, DIGEST},
    {"user/app", "docker.io/user/app:latest", "user/app:latest", "latest"},
    {"docker.io/alpine", "docker.io/library/alpine:latest", "alpine:latest", "latest"},
    {"index.docker.io/a/b:1", "docker.io/a/b:1", "a/b:1", "1"},
    {"library/alpine", "docker.io/library/alpine:latest", "alpine:latest", "latest"},
    {"library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest", "latest"},
    {"foo:5000", "docker.io/library/foo:5000", "foo:5000", "5000"},
    {"foo:5000/x", "foo:5000/x:latest", "foo:5000/x:latest", "latest"},
    {"localhost/x", "localhost/x:latest", "localhost/x:latest", "latest"},
    {"localhost:5000/x:y", "localhost:5000/x:y", "localhost:5000/x:y", "y"},
    {"[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000/x:latest", "latest"},
    {"[fe80::1]/x:t", "[fe80::1]/x:t", "[fe80::1]/x:t", "t"},
    {"Host/x", "Host/x:latest", "Host/x:latest", "latest"},
    {"quay.io/a.b/c__d/e---f_g:T_1.2-3", "quay.io/a.b/c__d/e---f_g:T_1.2-3",
     "quay.io/a.b/c__d/e---f_g:T_1.2-3", "T_1.2-3"},
    {"docker.io/localhost/x", "docker.io/localhost/x:latest", "docker.io/localhost/x:latest",
     "latest"},
    {HEX64 ":t", "docker.io/library/" HEX64 ":t", "library/" HEX64 ":t", "t"},
    {"127.0.0.1:1/a", "127.0.0.1:1/a:latest", "127.0.0.1:1/a:latest", "latest"},
};

START_TEST(good_references)
{
    const good *g = &goods[_i];
    wci_reference ref;
    ck_assert_int_eq(wci_reference_parse(g->text, &ref, NULL), WC_OK);
    char *whole = wci_reference_format(&ref), *familiar = wci_reference_familiar(&ref);
    ck_assert_str_eq(whole, g->whole);
    ck_assert_str_eq(familiar, g->familiar);
    ck_assert_str_eq(wci_reference_target(&ref), g->target);
    wci_reference_free(&ref);

    /* both forms name the same image again */
    const char *const again[] = {whole, familiar};
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(wci_reference_parse(again[i], &ref, NULL), WC_OK);
        char *twice = wci_reference_format(&ref);
        ck_assert_str_eq(twice, g->whole);
        wci_free(twice);
        wci_reference_free(&ref);
    }
    wci_free(whole);
    wci_free(familiar);
}
END_TEST

static const char *const bads[] = {
    "", "/", "/a", "a/", "a//b", ":", ":a", "@", "a@", "a:", "a:@" DIGEST, "Alpine", "a/B", "a b",
    "a\n", "-a", "a-", "a..b", "a.-b", "a___b", "_a", "a/.", "a/..", "../a", "a/../b",
    "a:.x", "a:-x", "a:x/y:", "a:\xff", "a\xc3\xa9", HEX64, "a@sha256:abc",
    "a@sha256:../../x", "a@md5:0123456789abcdef0123456789abcdef", "a@sha512:" HEX64,
    "a@SHA256:" HEX64, "a@" DIGEST "0", "a@" DIGEST "@" DIGEST, "http://a/b", "https://a.b/c",
    "host:port/x", "host:/x", "host:70000/x", "host.:1/x", ".host/x", "-host.a/x", "a.b-/x",
    "[::1/x", "[]/x", "[::g]/x", "a?b", "a#b", "a%2fb", "a\\b", "user@host/x", "a:b:c",
    "docker.io/", "docker.io//x",
};

START_TEST(bad_references)
{
    wci_reference ref = {(char *)1, (char *)2, (char *)3, {"x"}};
    wc_error *err = NULL;
    ck_assert_msg(wci_reference_parse(bads[_i], &ref, &err) == WC_E_INVALID, "'%s' was accepted",
                  bads[_i]);
    ck_assert_ptr_nonnull(err);
    ck_assert_ptr_eq(ref.host, (char *)1); /* untouched */
    wc_error_unref(err);
}
END_TEST

START_TEST(long_references)
{
    char text[600];
    wci_reference ref;
    memset(text, 'a', sizeof text);
    memcpy(text, "x.y/", 4);
    text[4 + 255] = '\0';
    ck_assert_int_eq(wci_reference_parse(text, &ref, NULL), WC_OK);
    wci_reference_free(&ref);
    text[4 + 255] = 'a';
    text[4 + 256] = '\0';
    ck_assert_int_eq(wci_reference_parse(text, &ref, NULL), WC_E_INVALID);
    strcpy(text, "a:");
    memset(text + 2, 't', 128);
    text[130] = '\0';
    ck_assert_int_eq(wci_reference_parse(text, &ref, NULL), WC_OK);
    wci_reference_free(&ref);
    text[130] = 't';
    text[131] = '\0';
    ck_assert_int_eq(wci_reference_parse(text, &ref, NULL), WC_E_INVALID);
}
END_TEST

static const struct {
    const char *text;
    int32_t code;
    wci_place_kind kind;
    const char *path, *ref;
} places[] = {
    {"alpine", WC_OK, WCI_PLACE_REGISTRY, NULL, "docker.io/library/alpine:latest"},
    {"docker://alpine:1", WC_OK, WCI_PLACE_REGISTRY, NULL, "docker.io/library/alpine:1"},
    {"docker://localhost:5000/a:b", WC_OK, WCI_PLACE_REGISTRY, NULL, "localhost:5000/a:b"},
    {"oci:/a/b", WC_OK, WCI_PLACE_OCI, "/a/b", NULL},
    {"oci:dir:tag", WC_OK, WCI_PLACE_OCI, "dir", "tag"},
    {"oci:dir:any:name/x", WC_OK, WCI_PLACE_OCI, "dir", "any:name/x"},
    {"oci-archive:f.tar:t", WC_OK, WCI_PLACE_OCI_ARCHIVE, "f.tar", "t"},
    {"oci-archive:f.tar", WC_OK, WCI_PLACE_OCI_ARCHIVE, "f.tar", NULL},
    {"docker-archive:f.tar", WC_OK, WCI_PLACE_DOCKER_ARCHIVE, "f.tar", NULL},
    {"docker-archive:f.tar:h:5/x:t", WC_OK, WCI_PLACE_DOCKER_ARCHIVE, "f.tar", "h:5/x:t"},
    {"docker-archive:f:a", WC_OK, WCI_PLACE_DOCKER_ARCHIVE, "f", "docker.io/library/a:latest"},
    {"docker-archive:f:A", WC_E_INVALID, WCI_PLACE_REGISTRY, NULL, NULL},
    {"docker://", WC_E_INVALID, WCI_PLACE_REGISTRY, NULL, NULL},
    {"docker:alpine:1", WC_E_INVALID, WCI_PLACE_REGISTRY, NULL, NULL},
    {"oci:", WC_E_INVALID, WCI_PLACE_REGISTRY, NULL, NULL},
    {"oci::tag", WC_E_INVALID, WCI_PLACE_REGISTRY, NULL, NULL},
    {"oci:dir:", WC_E_INVALID, WCI_PLACE_REGISTRY, NULL, NULL},
    {"docker-daemon:a:b", WC_OK, WCI_PLACE_DOCKER_DAEMON, NULL, "docker.io/library/a:b"},
    {"docker-daemon:A B", WC_E_INVALID, WCI_PLACE_REGISTRY, NULL, NULL},
    {"dir:/x", WC_E_UNSUPPORTED, WCI_PLACE_REGISTRY, NULL, NULL},
};

START_TEST(all_places)
{
    wci_place place = WCI_PLACE_INIT;
    ck_assert_int_eq(wci_place_parse(places[_i].text, &place, NULL), places[_i].code);
    ck_assert_int_eq(place.kind, places[_i].kind);
    ck_assert_pstr_eq(place.path, places[_i].path);
    ck_assert_pstr_eq(place.ref, places[_i].ref);
    if (!places[_i].code) {
        char *text = wci_place_format(&place);
        wci_place again;
        ck_assert_int_eq(wci_place_parse(text, &again, NULL), WC_OK);
        ck_assert_pstr_eq(again.ref, place.ref);
        ck_assert_pstr_eq(again.path, place.path);
        wci_place_free(&again);
        wci_free(text);
    }
    wci_place_free(&place);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reference");
    TCase *t = tcase_create("reference");
    tcase_add_loop_test(t, good_references, 0, sizeof goods / sizeof *goods);
    tcase_add_loop_test(t, bad_references, 0, sizeof bads / sizeof *bads);
    tcase_add_test(t, long_references);
    tcase_add_loop_test(t, all_places, 0, sizeof places / sizeof *places);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
