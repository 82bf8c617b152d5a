/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms, and what is read from manifests, indexes and configs. */
#include "support/support.h"

#include <wincontainer/error.h>

#include "core/error.h"
#include "image/config.h"
#include "image/documents.h"
#include "image/offers.h"
#include "image/platform.h"
#include "platform/host.h"

/* ---- Platforms ---------------------------------------------------------------------------------- */

static int rank(const char *wanted, const char *offered)
{
    wci_platform a = WCI_PLATFORM_INIT, b = WCI_PLATFORM_INIT;
    test_ok(wci_platform_parse(wanted, &a, NULL));
    test_ok(wci_platform_parse(offered, &b, NULL));
    int result = wci_platform_rank(&a, WCI_ISOLATION_PROCESS, &b);
    wci_platform_clear(&a);
    wci_platform_clear(&b);
    return result;
}

static char *parsed(const char *text)
{
    wci_platform p = WCI_PLATFORM_INIT;
    if (wci_platform_parse(text, &p, NULL))
        return NULL;
    wci_str s = WCI_STR_INIT;
    wci_platform_format(&p, &s);
    char *copy = strdup(s.data);
    wci_str_free(&s);
    wci_platform_clear(&p);
    return copy;
}

START_TEST(platform_spellings)
{
    static const char *const pairs[][2] = {
        {"linux/amd64", "linux/amd64"},       {"linux/x86_64", "linux/amd64"},
        {"Linux/AARCH64", "linux/arm64"},     {"linux/armhf", "linux/arm/v7"},
        {"linux/arm/v6", "linux/arm/v6"},     {"linux/i686", "linux/386"},
        {"windows/amd64", "windows/amd64"},   {"macos/arm64", "darwin/arm64"},
        {"windows/amd64:10.0.20348.587", "windows/amd64:10.0.20348.587"},
        {"windows(10.0.20348)/amd64", "windows/amd64:10.0.20348"},
        {"windows/arm/v7:10.0.6", "windows/arm/v7:10.0.6"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char *text = parsed(pairs[i][0]);
        ck_assert_str_eq(text, pairs[i][1]);
        free(text);
    }
}
END_TEST

START_TEST(platforms_that_are_none)
{
    static const char *const bad[] = {"", "linux", "linux/", "/amd64", "linux/amd64/v1/x",
                                      "linux/am d64", "linux//v7", "linux/amd64/",
                                      "windows/amd64:", "windows()/amd64", "windows(10.0)amd64", "windows(10.0/amd64",
                                      "windows(1)/amd64:2", "windows/amd64:1", "windows/amd64:10.0", "linux/amd64:10.0.1", ":1", "(1)/amd64", "windows/amd64:1:2", "windows/amd64(1)",
                                      "windows)/(amd64", "windows/amd64:1/2"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!parsed(bad[i]), "'%s' was accepted", bad[i]);
}
END_TEST

START_TEST(platform_ranks)
{
    ck_assert_int_eq(rank("linux/amd64", "linux/amd64"), 0);
    ck_assert_int_lt(rank("linux/amd64", "linux/arm64"), 0);
    ck_assert_int_lt(rank("linux/amd64", "windows/amd64"), 0);
    ck_assert_int_lt(rank("linux/amd64", "linux/amd64/v3"), 0);
    ck_assert_int_eq(rank("linux/amd64", "linux/amd64/v1"), 0);
    ck_assert_int_eq(rank("linux/arm64", "linux/arm64/v8"), 0);
    ck_assert_int_eq(rank("linux/arm64/v8", "linux/arm64"), 0);
    ck_assert_int_eq(rank("linux/arm", "linux/arm/v7"), 0);
    ck_assert_int_lt(rank("linux/arm/v6", "linux/arm/v7"), 0);
    ck_assert_int_gt(rank("linux/arm/v7", "linux/arm/v6"), 0);
    ck_assert_int_gt(rank("linux/arm/v8", "linux/arm/v5"), rank("linux/arm/v8", "linux/arm/v6"));
    ck_assert_int_gt(rank("linux/arm64/v8.2", "linux/arm64"), 0);
    ck_assert_int_lt(rank("linux/arm64", "linux/arm64/v8.2"), 0);
    ck_assert_int_gt(rank("linux/arm64/v9", "linux/arm64/v8.5"), 0);
    ck_assert_int_lt(rank("linux/arm64/v9", "linux/arm64/v8.6"), 0);
    ck_assert_int_gt(rank("linux/arm64/v9.1", "linux/arm64/v8.6"), 0);
    ck_assert_int_lt(rank("linux/arm64/v8.9", "linux/arm64/v9"), 0);
    ck_assert_int_eq(rank("linux/arm64/v9.0", "linux/arm64/v9"), 0);
    ck_assert_int_gt(rank("linux/amd64/v3", "linux/amd64/v2"), 0);
    ck_assert_int_lt(rank("linux/amd64/v2", "linux/amd64/v3"), 0);
    ck_assert_int_lt(rank("linux/amd64/v3", "linux/amd64/strange"), 0);
    ck_assert_int_eq(rank("linux/s390x", "linux/s390x"), 0);
}
END_TEST

static wci_platform windows(const char *version)
{
    wci_platform p = WCI_PLATFORM_INIT;
    test_ok(wci_platform_set(&p, "windows", "amd64", NULL, version, NULL));
    return p;
}

static int rank_windows(const char *wanted, wci_isolation isolation, const char *offered)
{
    wci_platform a = windows(wanted), b = windows(offered);
    int result = wci_platform_rank(&a, isolation, &b);
    wci_platform_clear(&a);
    wci_platform_clear(&b);
    return result;
}

/* Host build, image build, whether it runs with process isolation and under Hyper-V. */
static const struct {
    const char *host, *image;
    int process, hyperv;
} windows_rows[] = {
    {"10.0.17763.1", "10.0.17763.9999", 1, 1}, /* revisions do not matter */
    {"10.0.17763.5", "10.0.17763.1", 1, 1},
    {"10.0.17763.1", "10.0.14393.1", 0, 1},
    {"10.0.17763.1", "10.0.20348.1", 0, 0},
    {"10.0.18363.1", "10.0.17763.1", 0, 1},
    {"10.0.19041.1", "10.0.19041.2", 1, 1},
    {"10.0.20347.1", "10.0.20347.1", 1, 1},
    {"10.0.20347.1", "10.0.20346.1", 0, 1},
    {"10.0.20348.1", "10.0.20348.2700", 1, 1},
    {"10.0.20348.1", "10.0.17763.1", 0, 1},
    {"10.0.20348.1", "10.0.20349.1", 0, 0},
    {"10.0.20348.1", "10.0.26100.1", 0, 0},
    {"10.0.20349.1", "10.0.20348.1", 1, 1},
    {"10.0.22631.1", "10.0.20348.1", 1, 1},
    {"10.0.22631.1", "10.0.22621.1", 1, 1},
    {"10.0.22631.1", "10.0.22631.1", 1, 1},
    {"10.0.22631.1", "10.0.20347.1", 0, 1},
    {"10.0.22631.1", "10.0.26100.1", 0, 0},
    {"10.0.26099.1", "10.0.25398.1", 1, 1}, /* 23H2 */
    {"10.0.26100.1", "10.0.20348.1", 1, 1},
    {"10.0.26100.1", "10.0.26100.1", 1, 1},
    {"10.0.26100.1", "10.0.17763.1", 0, 1},
    {"10.0.26100.1", "10.0.26200.1", 0, 0},
    {"10.0.26200.1", "10.0.26100.1", 1, 1},
    {"10.0.100000.1", "10.0.26100.1", 1, 1}, /* numbers, not text */
    {"10.0.9600.1", "10.0.17763.1", 0, 0},
    {"10.0.17763", "10.0.17763.1", 1, 1},
    {"", "10.0.17763.2", 1, 1},
    {"10.0.20348.1", "", 1, 1},
    {"10.0.20348.1", "10.0.x.1", 1, 1}, /* who knows */
    {"10.0.20348.1", "10.0.99999999999999999999.1", 1, 1},
};

START_TEST(windows_builds)
{
    for (size_t i = 0; i < sizeof windows_rows / sizeof *windows_rows; i++) {
        const char *host = windows_rows[i].host, *image = windows_rows[i].image;
        ck_assert_msg((rank_windows(host, WCI_ISOLATION_PROCESS, image) >= 0) == windows_rows[i].process,
                      "%s on %s, process", image, host);
        ck_assert_msg((rank_windows(host, WCI_ISOLATION_HYPERV, image) >= 0) == windows_rows[i].hyperv,
                      "%s on %s, hyperv", image, host);
    }
}
END_TEST

static int is_newer(const char *wanted, const char *a, const char *b)
{
    wci_platform w = windows(wanted), x = windows(a), y = windows(b);
    int result = wci_platform_is_newer(&w, &x, &y);
    wci_platform_clear(&w);
    wci_platform_clear(&x);
    wci_platform_clear(&y);
    return result;
}

START_TEST(windows_builds_are_preferred)
{
    const wci_isolation process = WCI_ISOLATION_PROCESS;
    const char *host = "10.0.26100.1";
    ck_assert_int_eq(rank_windows(host, process, "10.0.26100.7"), 0);
    ck_assert_int_lt(rank_windows(host, process, "10.0.25398.1"), rank_windows(host, process, "10.0.20348.1"));
    ck_assert_int_lt(rank_windows(host, process, "10.0.20348.1"), rank_windows(host, process, ""));
    ck_assert(is_newer("", "10.0.20348.1", "10.0.9600.1"));
    ck_assert(!is_newer("", "10.0.9600.1", "10.0.20348.1"));
    ck_assert(is_newer("", "10.0.20348.1000", "10.0.20348.999"));
    ck_assert(is_newer("", "10.0.20348.1000", ""));
    ck_assert(!is_newer("10.0.20348.999", "10.0.20348.1000", "10.0.20348.999"));
    ck_assert(is_newer("10.0.20348.999", "10.0.20348.999", "10.0.20348.1000"));
    ck_assert(!is_newer("", "10.0.20348.1", "10.0.20348.1"));
}
END_TEST

static char *refusal(const char *wanted, wci_isolation isolation, const char *const *offered)
{
    wci_platform w = WCI_PLATFORM_INIT;
    wci_offers offers = WCI_OFFERS_INIT;
    wc_error *err = NULL;
    wc_buf *text = NULL;
    test_ok(wci_platform_parse(wanted, &w, NULL));
    for (; *offered; offered++) {
        wci_platform p = WCI_PLATFORM_INIT;
        test_ok(wci_platform_parse(*offered, &p, NULL));
        test_ok(wci_offers_add(&offers, &w, &p, NULL));
        wci_platform_clear(&p);
    }
    test_code(wci_offers_refuse(&offers, &w, isolation, &err), WC_E_PLATFORM);
    test_ok(wc_error_format(err, &text));
    char *copy = strdup(wc_buf_data(text));
    wc_buf_unref(text);
    wc_error_unref(err);
    wci_offers_free(&offers);
    wci_platform_clear(&w);
    return copy;
}

/* Which build the host has, which there are, and what would run. */
START_TEST(windows_builds_that_do_not_run)
{
    static const struct {
        const char *wanted;
        wci_isolation isolation;
        const char *offered[4];
        const char *parts[5], *without;
    } rows[] = {
        {"windows/amd64:10.0.17763.1", WCI_ISOLATION_PROCESS, {"windows/amd64:10.0.26100.1", "windows/amd64:10.0.20348.1"},
         {"Windows build 17763", "process isolation", "build 17763 alone", "is build 26100, 20348", "'ltsc2019'"}, "Hyper-V"},
        {"windows/amd64:10.0.17763.1", WCI_ISOLATION_PROCESS, {"windows/amd64:10.0.26100.1", "linux/amd64"},
         {"on a host of build 26100"}, "linux"},
        {"windows/amd64:10.0.20348.1", WCI_ISOLATION_PROCESS, {"windows/amd64:10.0.17763.1"},
         {"build 17763", "Hyper-V isolation, which takes builds up to 20348", "'ltsc2022'"}, "on a host of"},
        {"windows/amd64:10.0.26200.1", WCI_ISOLATION_PROCESS, {"windows/amd64:10.0.17763.1"},
         {"builds 20348 to 26200", "'ltsc2025'"}, "on a host of"},
        {"windows/amd64:10.0.20348.1", WCI_ISOLATION_HYPERV, {"windows/amd64:10.0.26100.1"},
         {"with Hyper-V isolation builds up to 20348", "'ltsc2022'", "on a host of build 26100"}, "which takes"},
        {"windows/amd64:10.0.20348.1", WCI_ISOLATION_PROCESS, {"linux/amd64", "windows/arm64:10.0.26100.1"},
         {"nothing fits windows/amd64:10.0.20348.1", "there is linux/amd64, windows/arm64:10.0.26100.1"}, "build 20348"},
        {"linux/amd64", WCI_ISOLATION_PROCESS, {NULL}, {"no image for any platform"}, "Windows"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = refusal(rows[i].wanted, rows[i].isolation, rows[i].offered);
        for (size_t k = 0; k < 5 && rows[i].parts[k]; k++)
            ck_assert_msg(strstr(text, rows[i].parts[k]) != NULL, "'%s' is not in: %s", rows[i].parts[k], text);
        ck_assert_msg(!strstr(text, rows[i].without), "'%s' is in: %s", rows[i].without, text);
        free(text);
    }
}
END_TEST

START_TEST(many_platforms_are_not_all_told)
{
    wci_platform wanted = WCI_PLATFORM_INIT;
    wci_offers offers = WCI_OFFERS_INIT;
    test_ok(wci_platform_parse("windows/amd64:10.0.17763", &wanted, NULL));
    for (int i = 0; i < 200; i++) {
        wci_platform p = WCI_PLATFORM_INIT;
        char *text = test_text("windows/amd64:10.0.%d.1", 20000 + i);
        test_ok(wci_platform_parse(text, &p, NULL));
        test_ok(wci_offers_add(&offers, &wanted, &p, NULL));
        wci_platform_clear(&p);
        free(text);
    }
    ck_assert_uint_eq(offers.build_count, WCI_OFFERS_BUILDS);
    test_code(wci_offers_refuse(&offers, &wanted, WCI_ISOLATION_PROCESS, NULL), WC_E_PLATFORM);
    wci_offers_free(&offers);
    wci_platform_clear(&wanted);
}
END_TEST

static int rank_with_features(const char *features)
{
    wci_platform wanted = windows("10.0.20348.1"), offered = WCI_PLATFORM_INIT;
    char *text = test_text("{\"os\":\"windows\",\"architecture\":\"amd64\",\"os.version\":\"10.0.20348.1\","
                           "\"os.features\":%s}", features);
    json_t *json = json_loads(text, 0, NULL);
    test_ok(wci_platform_read(json, "x", &offered, NULL));
    int result = wci_platform_rank(&wanted, WCI_ISOLATION_PROCESS, &offered);
    json_decref(json);
    free(text);
    wci_platform_clear(&offered);
    wci_platform_clear(&wanted);
    return result;
}

START_TEST(features_of_the_system)
{
    ck_assert_int_eq(rank_with_features("[]"), 0);
    ck_assert_int_eq(rank_with_features("[\"win32k\"]"), 0);
    ck_assert_int_lt(rank_with_features("[\"win32k\",\"other\"]"), 0);
}
END_TEST

/* ---- Documents ---------------------------------------------------------------------------------- */

#define EMPTY "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define DESCRIPTOR(type) "{\"mediaType\":\"" type "\",\"digest\":\"" EMPTY "\",\"size\":7}"
#define MANIFEST(own, config, layer)                                                               \
    "{\"schemaVersion\":2," own "\"config\":" DESCRIPTOR(config) ",\"layers\":[" DESCRIPTOR(layer) "]}"
#define DOCKER_LAYER "application/vnd.docker.image.rootfs.diff.tar.gzip"

static wci_document *parse(const char *text, const char *type)
{
    wci_document *document = NULL;
    wc_error *err = NULL;
    int32_t code = wci_document_parse(text, strlen(text), type, "test", &document, &err);
    ck_assert_msg(!code, "%s", wc_error_message(err));
    return document;
}

static int32_t parse_code(const char *text, const char *type)
{
    wci_document *document = NULL;
    int32_t code = wci_document_parse(text, strlen(text), type, "test", &document, NULL);
    wci_document_free(document);
    return code;
}

START_TEST(manifests_of_both_kinds)
{
    wci_document *d = parse(MANIFEST("", WCI_TYPE_OCI_CONFIG, WCI_TYPE_OCI_LAYER "+zstd"), NULL);
    ck_assert_int_eq(d->kind, WCI_DOCUMENT_MANIFEST);
    ck_assert_str_eq(d->media_type, WCI_TYPE_OCI_MANIFEST);
    ck_assert_uint_eq(d->count, 1);
    ck_assert_int_eq(d->items[0].size, 7);
    test_ok(wci_manifest_check_image(d, "test", NULL));
    wci_document_free(d);
    d = parse(MANIFEST("\"mediaType\":\"" WCI_TYPE_DOCKER_MANIFEST "\",", WCI_TYPE_DOCKER_CONFIG,
                       DOCKER_LAYER),
              WCI_TYPE_DOCKER_MANIFEST "; charset=utf-8");
    ck_assert_str_eq(d->media_type, WCI_TYPE_DOCKER_MANIFEST);
    test_ok(wci_manifest_check_image(d, "test", NULL));
    wci_document_free(d);
}
END_TEST

START_TEST(types_that_say_nothing)
{
    const char *text = MANIFEST("", WCI_TYPE_OCI_CONFIG, WCI_TYPE_OCI_LAYER);
    test_ok(parse_code(text, "application/json"));
    test_ok(parse_code(text, "text/plain; charset=utf-8"));
    test_ok(parse_code(text, ""));
    test_code(parse_code(text, "text/html"), WC_E_UNSUPPORTED);
    test_code(parse_code(text, WCI_TYPE_OCI_INDEX), WC_E_FORMAT);
}
END_TEST

START_TEST(artifacts_and_odd_layers)
{
    wci_document *d = parse(MANIFEST("", "application/vnd.oci.empty.v1+json", "text/plain"), NULL);
    test_code(wci_manifest_check_image(d, "test", NULL), WC_E_UNSUPPORTED);
    wci_document_free(d);
    d = parse(MANIFEST("", WCI_TYPE_OCI_CONFIG, WCI_TYPE_OCI_LAYER "+encrypted"), NULL);
    test_code(wci_manifest_check_image(d, "test", NULL), WC_E_UNSUPPORTED);
    wci_document_free(d);
}
END_TEST

START_TEST(index_entries)
{
    wci_document *d = parse(
        "{\"schemaVersion\":2,\"mediaType\":\"" WCI_TYPE_DOCKER_LIST "\",\"manifests\":["
        "{\"mediaType\":\"" WCI_TYPE_DOCKER_MANIFEST "\",\"digest\":\"" EMPTY "\",\"size\":1,"
        "\"platform\":{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":\"v7\","
        "\"os.features\":[]}},"
        "{\"mediaType\":\"" WCI_TYPE_OCI_MANIFEST "\",\"digest\":\"" EMPTY "\",\"size\":1,"
        "\"annotations\":{\"org.opencontainers.image.ref.name\":\"r\",\"io.containerd.image.name\":"
        "\"n\"}}]}",
        NULL);
    ck_assert_int_eq(d->kind, WCI_DOCUMENT_INDEX);
    ck_assert_uint_eq(d->count, 2);
    ck_assert(d->items[0].has_platform);
    ck_assert_str_eq(d->items[0].platform.variant, "v7");
    ck_assert(!d->items[1].has_platform);
    ck_assert_str_eq(d->items[1].ref_name, "r");
    ck_assert_str_eq(d->items[1].image_name, "n");
    wci_document_free(d);
}
END_TEST

/* ---- Configs ------------------------------------------------------------------------------------ */

START_TEST(a_whole_config)
{
    static const char text[] =
        "{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\","
        "\"created\":\"2024-01-02T03:04:05Z\","
        "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" EMPTY "\"]},"
        "\"config\":{\"Entrypoint\":[\"/e\",\"x\"],\"Cmd\":[\"c\"],\"Env\":[\"A=1\",\"B=\"],"
        "\"WorkingDir\":\"/w\",\"User\":\"u:g\",\"StopSignal\":\"SIGQUIT\",\"Labels\":{\"k=\":\"v\"},"
        "\"Volumes\":{\"/data\":{}},\"ExposedPorts\":{\"80/tcp\":{}},"
        "\"Healthcheck\":{\"Test\":[\"CMD\",\"t\"]},\"ArgsEscaped\":true,\"OnBuild\":null}}";
    wci_image_config *c = NULL;
    test_ok(wci_image_config_parse(text, strlen(text), "test", &c, NULL));
    ck_assert_str_eq(c->platform.arch, "arm64");
    ck_assert_str_eq(c->platform.variant, "v8");
    ck_assert_int_eq(c->created_ns, 1704164645000000000);
    ck_assert_uint_eq(c->diff_id_count, 1);
    ck_assert_uint_eq(c->entrypoint.count, 2);
    ck_assert_str_eq(c->entrypoint.items[1], "x");
    ck_assert_str_eq(c->cmd.items[0], "c");
    ck_assert_str_eq(c->env.items[1], "B=");
    ck_assert_str_eq(c->working_dir, "/w");
    ck_assert_str_eq(c->user, "u:g");
    ck_assert_str_eq(c->stop_signal, "SIGQUIT");
    ck_assert_str_eq(c->label_names.items[0], "k=");
    ck_assert_str_eq(c->label_values.items[0], "v");
    ck_assert_str_eq(c->volumes.items[0], "/data");
    ck_assert_str_eq(c->exposed_ports.items[0], "80/tcp");
    ck_assert_str_eq(c->healthcheck, "{\"Test\":[\"CMD\",\"t\"]}");
    ck_assert_int_eq(c->args_escaped, 1);
    wci_image_config_free(c);
}
END_TEST

START_TEST(a_bare_config)
{
    static const char text[] = "{\"rootfs\":{\"diff_ids\":[]},\"config\":null,\"history\":null,"
                               "\"created\":\"0001-01-01T00:00:00Z\"}";
    wci_image_config *c = NULL;
    test_ok(wci_image_config_parse(text, strlen(text), "test", &c, NULL));
    ck_assert_str_eq(c->user, "");
    ck_assert_str_eq(c->platform.os, "");
    ck_assert_uint_eq(c->cmd.count, 0);
    ck_assert_ptr_null(c->healthcheck);
    ck_assert_int_eq(c->created_ns, 0);
    wci_image_config_free(c);
}
END_TEST

START_TEST(configs_with_wrong_types)
{
    static const char *const members[] = {"\"User\":1", "\"Env\":{}", "\"Cmd\":[1]", "\"Labels\":[]",
                                          "\"Labels\":{\"a\":1}", "\"Volumes\":\"x\"",
                                          "\"Healthcheck\":[]", "\"ArgsEscaped\":\"yes\"", "\"USER\":\"x\""};
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        char *text = test_text("{\"rootfs\":{\"diff_ids\":[]},\"config\":{%s}}", members[i]);
        wci_image_config *c = NULL;
        test_code(wci_image_config_parse(text, strlen(text), "test", &c, NULL), WC_E_FORMAT);
        free(text);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("image_documents");
    TCase *c = tcase_create("documents");
    tcase_add_test(c, platform_spellings);
    tcase_add_test(c, platforms_that_are_none);
    tcase_add_test(c, platform_ranks);
    tcase_add_test(c, windows_builds_are_preferred);
    tcase_add_test(c, windows_builds_that_do_not_run);
    tcase_add_test(c, many_platforms_are_not_all_told);
    tcase_add_test(c, features_of_the_system);
    tcase_add_test(c, windows_builds);
    tcase_add_test(c, manifests_of_both_kinds);
    tcase_add_test(c, types_that_say_nothing);
    tcase_add_test(c, artifacts_and_odd_layers);
    tcase_add_test(c, index_entries);
    tcase_add_test(c, a_whole_config);
    tcase_add_test(c, a_bare_config);
    tcase_add_test(c, configs_with_wrong_types);
    suite_add_tcase(s, c);
    return test_main(s);
}
