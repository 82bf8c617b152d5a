/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms, and what is read from manifests, indexes and configs. */
#include "support/support.h"

#include <wincontainer/error.h>

#include "core/error.h"
#include "image/config.h"
#include "image/documents.h"
#include "image/platform.h"
#include "platform/host.h"

/* ---- Platforms ---------------------------------------------------------------------------------- */

static int rank(const char *wanted, const char *offered)
{
    wci_platform a = {NULL, NULL, NULL, NULL}, b = {NULL, NULL, NULL, NULL};
    test_ok(wci_platform_parse(wanted, &a, NULL));
    test_ok(wci_platform_parse(offered, &b, NULL));
    int result = wci_platform_rank(&a, &b);
    wci_platform_clear(&a);
    wci_platform_clear(&b);
    return result;
}

static char *parsed(const char *text)
{
    wci_platform p = {NULL, NULL, NULL, NULL};
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
                                      "linux/am d64", "linux//v7", "linux/amd64/"};
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
    ck_assert_int_eq(rank("linux/s390x", "linux/s390x"), 0);
}
END_TEST

static int rank_windows(const char *wanted, const char *offered)
{
    wci_platform a = {NULL, NULL, NULL, NULL}, b = {NULL, NULL, NULL, NULL};
    test_ok(wci_platform_set(&a, "windows", "amd64", NULL, wanted, NULL));
    test_ok(wci_platform_set(&b, "windows", "amd64", NULL, offered, NULL));
    int result = wci_platform_rank(&a, &b);
    wci_platform_clear(&a);
    wci_platform_clear(&b);
    return result;
}

START_TEST(windows_builds)
{
    ck_assert_int_eq(rank_windows("10.0.20348.1", "10.0.20348.2700"), 0);
    ck_assert_int_lt(rank_windows("10.0.17763.1", "10.0.20348.2700"), 0);
    ck_assert_int_gt(rank_windows("10.0.20348.1", "10.0.17763.2"), 0);
    ck_assert_int_eq(rank_windows("", "10.0.17763.2"), 0);
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
