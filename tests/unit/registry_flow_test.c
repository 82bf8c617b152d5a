/* SPDX-License-Identifier: Apache-2.0 */
/* The registry client against a registry that behaves, and one that fails now and then. */
#include "registry_fixture.h"

#include <signal.h>
#include <time.h>

#include "core/cancel.h"
#include "platform/thread.h"

#define MIB (1024 * 1024)

static int32_t get_manifest(wci_remote *remote, const char *ref, wc_error **err)
{
    WCI_CALL_NONE(call);
    wc_buf *body = NULL;
    char *type = NULL;
    wci_digest digest;
    int32_t code = wci_remote_manifest(&call, remote, ref, &body, &type, &digest, err);
    if (!code) {
        wci_digest real;
        ck_assert_str_eq(type, "application/vnd.oci.image.manifest.v1+json");
        wci_digest_of(WCI_SHA256, wc_buf_data(body), wc_buf_size(body), &real, NULL);
        ck_assert(wci_digest_equal(&real, &digest));
    }
    wc_buf_unref(body);
    wci_free(type);
    return code;
}

/* Fetches one blob of the size, of which `have` bytes are there already. */
static int32_t fetch_one(wci_remote *remote, int size, int have, memory_fetch *m, wc_error **err)
{
    wci_digest digest = mock_digest(size);
    memory_init(m, &digest, size);
    if (have) {
        wci_remote *plain = mock_open("plain/x");
        memory_fetch whole;
        memory_init(&whole, &digest, size);
        ck_assert_int_eq(memory_run(plain, &whole, 1, NULL), WC_OK);
        wci_str_append_n(&m->data, whole.data.data, (size_t)have);
        memory_free(&whole);
        wci_remote_close(plain);
    }
    return memory_run(remote, m, 1, err);
}

static void expect_blob(const char *repository, int size, int have)
{
    wci_remote *remote = mock_open(repository);
    memory_fetch m;
    wc_error *err = NULL;
    int32_t code = fetch_one(remote, size, have, &m, &err);
    ck_assert_msg(!code, "%s: %s", repository, err ? error_text(err) : "");
    ck_assert_uint_eq(m.data.size, (size_t)size);
    memory_free(&m);
    wci_remote_close(remote);
}

static int64_t now_ms(void)
{
    return wci_monotonic_ns() / 1000000;
}

/* ---- Manifests -------------------------------------------------------------------------------- */

START_TEST(manifest_by_tag)
{
    wci_remote *remote = mock_open("plain/x");
    ck_assert_int_eq(get_manifest(remote, "v1", NULL), WC_OK);
    ck_assert_int_eq(get_manifest(remote, "v1", NULL), WC_OK);
    ck_assert_int_eq(mock_count("\"method\""), 2); /* nothing but the two requests */
    ck_assert_int_eq(mock_count("\"encoding\": \"identity\""), 2);
    wci_remote_close(remote);
}
END_TEST

START_TEST(manifest_type_from_document)
{
    wci_remote *remote = mock_open("notype/x");
    ck_assert_int_eq(get_manifest(remote, "v1", NULL), WC_OK);
    wci_remote_close(remote);
}
END_TEST

START_TEST(manifest_missing)
{
    wci_remote *remote = mock_open("plain/x");
    wc_error *err = NULL;
    ck_assert_int_eq(get_manifest(remote, "none", &err), WC_E_NOT_FOUND);
    ck_assert_int_eq(wc_error_domain(err), WC_DOMAIN_HTTP);
    ck_assert_int_eq(wc_error_native(err), 404);
    char *text = error_text(err), name[64];
    snprintf(name, sizeof name, "127.0.0.1:%d/plain/x:none", mock_port);
    ck_assert_ptr_nonnull(strstr(text, name));
    ck_assert_ptr_nonnull(strstr(text, "manifest unknown"));
    ck_assert_ptr_nonnull(strstr(text, "404"));
    free(text);
    wci_remote_close(remote);
}
END_TEST

START_TEST(manifest_bad_arguments)
{
    WCI_CALL_NONE(call);
    wci_registry_config config = mock_config();
    wci_remote *remote = NULL;
    static const char *const tags[] = {"../x", "", "a/b", "a?b", "sha256:../../x"};
    ck_assert_int_eq(wci_remote_open(&call, &config, "h/x", "a", &remote, NULL), WC_E_INVALID);
    ck_assert_int_eq(wci_remote_open(&call, &config, "u@h", "a", &remote, NULL), WC_E_INVALID);
    ck_assert_int_eq(wci_remote_open(&call, &config, "h", "a/../b", &remote, NULL), WC_E_INVALID);
    ck_assert_int_eq(wci_remote_open(&call, &config, "h", "a?b", &remote, NULL), WC_E_INVALID);
    remote = mock_open("plain/x");
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        ck_assert_int_ne(get_manifest(remote, tags[i], NULL), WC_OK);
    ck_assert_int_eq(mock_count("\"method\""), 0);
    wci_remote_close(remote);
}
END_TEST

START_TEST(server_not_there)
{
    WCI_CALL_NONE(call);
    wci_registry_config config = mock_config();
    wci_remote *remote = NULL;
    wc_error *err = NULL;
    int64_t began = now_ms();
    ck_assert_int_eq(wci_remote_open(&call, &config, "127.0.0.1:1", "a", &remote, NULL), WC_OK);
    ck_assert_int_eq(get_manifest(remote, "v1", &err), WC_E_NETWORK);
    ck_assert_int_lt(now_ms() - began, 1500); /* no retries of what never was */
    assert_error_says(err, "127.0.0.1:1");
    wci_remote_close(remote);
}
END_TEST

/* ---- Logging in ------------------------------------------------------------------------------- */

START_TEST(token_anonymous)
{
    wci_remote *remote = mock_open("bearer/x");
    ck_assert_int_eq(get_manifest(remote, "v1", NULL), WC_OK);
    ck_assert_int_eq(get_manifest(remote, "v2", NULL), WC_OK);
    ck_assert_int_eq(mock_count("/token/"), 1); /* kept for the second */
    ck_assert_int_eq(mock_count("/manifests/"), 3);
    wci_remote_close(remote);
}
END_TEST

START_TEST(token_variants)
{
    static const char *const names[] = {"noscope/x", "relrealm/x", "expire/x", "bearer-twoheaders/x",
                                        "bearer-accesstoken/x", "bearer-forbidden/x"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        wci_remote *remote = mock_open(names[i]);
        ck_assert_msg(!get_manifest(remote, "v1", NULL), "%s", names[i]);
        ck_assert_msg(!get_manifest(remote, "v2", NULL), "%s", names[i]);
        wci_remote_close(remote);
    }
}
END_TEST

START_TEST(token_insufficient_scope_once)
{
    wci_remote *remote = mock_open("scopeonce/x");
    ck_assert_int_eq(get_manifest(remote, "v1", NULL), WC_OK);
    ck_assert_int_eq(mock_count("/token/"), 2);
    wci_remote_close(remote);
}
END_TEST

START_TEST(token_with_password)
{
    wci_registry_config config = mock_config();
    config.username = "user";
    config.password = "secret";
    wci_remote *remote = mock_open_with(&config, "bearerauth/x");
    ck_assert_int_eq(get_manifest(remote, "v1", NULL), WC_OK);
    ck_assert_int_eq(mock_count("account=user"), 1);
    wci_remote_close(remote);

    config.password = "wr0ng-pw";
    wc_error *err = NULL;
    remote = mock_open_with(&config, "bearerauth/x");
    ck_assert_int_eq(get_manifest(remote, "v1", &err), WC_E_AUTH);
    char *text = error_text(err);
    ck_assert_ptr_null(strstr(text, "wr0ng"));
    ck_assert_ptr_nonnull(strstr(text, "refused the login"));
    free(text);
    wci_remote_close(remote);
}
END_TEST

/* The password is for the server that the registry named, not for where that one sends us. */
START_TEST(token_server_that_moved)
{
    wci_registry_config config = mock_config();
    char other[32];
    config.username = "user";
    config.password = "secret";
    wci_remote *remote = mock_open_with(&config, "bearer-movedrealm/x");
    ck_assert_int_eq(get_manifest(remote, "v1", NULL), WC_OK);
    snprintf(other, sizeof other, "\"port\": %d, \"auth\": null", mock_other_port);
    ck_assert_int_eq(mock_count(other), 1);
    ck_assert_int_eq(mock_count("\"auth\": \"Basic "), 1);
    wci_remote_close(remote);
}
END_TEST

START_TEST(token_from_refresh_token)
{
    char dir[] = "/tmp/wc-flow-XXXXXX", file[64];
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(file, sizeof file, "%s/config.json", dir);
    FILE *f = fopen(file, "w");
    fprintf(f, "{\"auths\":{\"127.0.0.1:%d\":{\"identitytoken\":\"refresh-me\"}}}", mock_port);
    fclose(f);
    wci_registry_config config = mock_config();
    config.auth_file = file;
    wci_remote *remote = mock_open_with(&config, "bearer/x");
    ck_assert_int_eq(get_manifest(remote, "v1", NULL), WC_OK);
    ck_assert_int_eq(mock_count("grant_type=refresh_token"), 1);
    wci_remote_close(remote);
    unlink(file);
    rmdir(dir);
}
END_TEST

START_TEST(basic_login)
{
    wci_registry_config config = mock_config();
    wc_error *err = NULL;
    wci_remote *remote = mock_open_with(&config, "basic/x");
    ck_assert_int_eq(get_manifest(remote, "v1", &err), WC_E_AUTH);
    assert_error_says(err, "log in");
    wci_remote_close(remote);

    config.username = "user";
    config.password = "secret";
    remote = mock_open_with(&config, "basic/x");
    ck_assert_int_eq(get_manifest(remote, "v1", NULL), WC_OK);
    wci_remote_close(remote);

    config.password = "wr0ng-pw";
    err = NULL;
    remote = mock_open_with(&config, "basic/x");
    mock_reset();
    ck_assert_int_eq(get_manifest(remote, "v1", &err), WC_E_AUTH);
    ck_assert_int_eq(mock_count("/manifests/"), 2); /* asked once, not for ever */
    char *text = error_text(err);
    ck_assert_ptr_null(strstr(text, "wr0ng"));
    ck_assert_ptr_nonnull(strstr(text, "401"));
    free(text);
    wci_remote_close(remote);
}
END_TEST

/* ---- Blobs ------------------------------------------------------------------------------------ */

START_TEST(blob_plain)
{
    expect_blob("plain/x", 3 * MIB, 0);
    expect_blob("plain/x", 0, 0);
    expect_blob("plain/x", 1, 0);
    ck_assert_int_eq(mock_count("/blobs/"), 2); /* the empty one needs no request */
}
END_TEST

START_TEST(blob_size_unknown)
{
    wci_remote *remote = mock_open("plain/x");
    wci_digest digest = mock_digest(100000);
    memory_fetch m;
    memory_init(&m, &digest, -1);
    ck_assert_int_eq(memory_run(remote, &m, 1, NULL), WC_OK);
    ck_assert_uint_eq(m.data.size, 100000);
    memory_free(&m);
    wci_remote_close(remote);
}
END_TEST

START_TEST(blobs_many)
{
    enum { COUNT = 20 };
    wci_remote *remote = mock_open("bearer/x");
    memory_fetch m[COUNT];
    for (int i = 0; i < COUNT; i++) {
        wci_digest digest = mock_digest(i * 10007);
        memory_init(&m[i], &digest, i * 10007);
    }
    ck_assert_int_eq(memory_run(remote, m, COUNT, NULL), WC_OK);
    ck_assert_int_eq(mock_count("/token/"), 1); /* however many were challenged */
    for (int i = 0; i < COUNT; i++) {
        ck_assert_int_eq(m[i].dones, 1);
        memory_free(&m[i]);
    }
    wci_remote_close(remote);
}
END_TEST

START_TEST(blobs_at_once_are_limited_and_parallel)
{
    wci_registry_config config = mock_config();
    config.max_transfers = 4;
    wci_remote *remote = mock_open_with(&config, "slowstart/x");
    memory_fetch m[8];
    for (int i = 0; i < 8; i++) {
        wci_digest digest = mock_digest(1000 + i);
        memory_init(&m[i], &digest, 1000 + i);
    }
    int64_t began = now_ms();
    ck_assert_int_eq(memory_run(remote, m, 8, NULL), WC_OK);
    int64_t took = now_ms() - began;
    ck_assert_int_ge(took, 600);  /* two rounds of four */
    ck_assert_int_lt(took, 1800); /* eight in a row would take 2400 */
    for (int i = 0; i < 8; i++)
        memory_free(&m[i]);
    wci_remote_close(remote);
}
END_TEST

START_TEST(blob_resumed)
{
    expect_blob("plain/x", 500000, 123456);
    ck_assert_int_eq(mock_count("bytes=123456-"), 1);
    mock_reset();
    expect_blob("cutonce/x", 500000, 0);
    ck_assert_int_eq(mock_count("bytes=65536-"), 1);
    mock_reset();
    expect_blob("plain/x", 5000, 5000); /* all there: the digest only */
    ck_assert_int_eq(mock_count("\"range\": \"bytes=5000-\""), 0);
}
END_TEST

START_TEST(blob_resumed_over_bad_bytes)
{
    wci_remote *remote = mock_open("plain/x");
    wci_digest digest = mock_digest(100000);
    memory_fetch m;
    memory_init(&m, &digest, 100000);
    for (int i = 0; i < 5000; i++)
        wci_str_append_c(&m.data, 'z');
    ck_assert_int_eq(memory_run(remote, &m, 1, NULL), WC_OK);
    ck_assert_int_eq(m.restarts, 1);
    ck_assert_int_eq(m.dones, 2);
    memory_free(&m);
    wci_remote_close(remote);
}
END_TEST

START_TEST(blob_too_much_there)
{
    wci_remote *remote = mock_open("plain/x");
    wci_digest digest = mock_digest(1000);
    memory_fetch m;
    memory_init(&m, &digest, 1000);
    for (int i = 0; i < 5000; i++)
        wci_str_append_c(&m.data, 'z');
    ck_assert_int_eq(memory_run(remote, &m, 1, NULL), WC_OK);
    ck_assert_int_eq(m.restarts, 1);
    memory_free(&m);
    wci_remote_close(remote);
}
END_TEST

START_TEST(blob_missing)
{
    wci_remote *remote = mock_open("missing/x");
    memory_fetch m;
    wc_error *err = NULL;
    ck_assert_int_eq(fetch_one(remote, 1000, 0, &m, &err), WC_E_NOT_FOUND);
    ck_assert_int_eq(m.gave_up, 1);
    assert_error_says(err, m.fetch.digest.text);
    memory_free(&m);
    wci_remote_close(remote);
}
END_TEST

START_TEST(blob_from_foreign_url)
{
    wci_digest digest = mock_digest(200000);
    wci_strv urls = WCI_STRV_INIT;
    char url[256];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/stored/%s", mock_other_port, digest.text);
    wci_strv_add(&urls, "file:///etc/passwd");
    wci_strv_add(&urls, "http://127.0.0.1:1/x");
    wci_strv_add(&urls, url);
    wci_remote *remote = mock_open("missing-bearer/x");
    memory_fetch m;
    memory_init(&m, &digest, 200000);
    m.fetch.urls = &urls;
    ck_assert_int_eq(memory_run(remote, &m, 1, NULL), WC_OK);
    ck_assert_int_eq(mock_count("/stored/"), 1);
    ck_assert_int_eq(mock_count("\"path\": \"/stored/"), 1);
    char *all = mock_ask("GET", "/requests");
    char *stored = strstr(all, "/stored/");
    ck_assert_ptr_nonnull(strstr(stored, "\"auth\": null")); /* no credentials there */
    free(all);
    memory_free(&m);
    wci_strv_free(&urls);
    wci_remote_close(remote);
}
END_TEST

/* ---- In parts --------------------------------------------------------------------------------- */

enum { LARGE = 28 * MIB };

/* Requests for a range with an end. */
static int count_parts(void)
{
    char *all = mock_ask("GET", "/requests"), *save = NULL;
    int count = 0;
    for (char *line = strtok_r(all, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        const char *range = strstr(line, "bytes="), *dash = range ? strchr(range, '-') : NULL;
        count += dash && dash[1] >= '0' && dash[1] <= '9';
    }
    free(all);
    return count;
}

START_TEST(a_large_blob_over_narrow_connections_comes_in_parts)
{
    expect_blob("narrow/x", LARGE, 0);
    ck_assert_int_ge(count_parts(), 4);
    ck_assert_int_le(count_parts(), LARGE / (4 * MIB)); /* each once */
    ck_assert_int_eq(mock_count("/blobs/"), count_parts() + 1);
}
END_TEST

START_TEST(parts_that_break_off_go_on)
{
    expect_blob("narrow-cutparts/x", LARGE, 0);
    ck_assert_int_ge(count_parts(), 6);
}
END_TEST

START_TEST(a_server_that_gives_no_parts_gives_the_whole)
{
    expect_blob("narrow-wholeparts/x", LARGE, 0);
    ck_assert_int_ge(count_parts(), 1);
    ck_assert_int_le(count_parts(), 4);
    ck_assert_int_eq(mock_count("/blobs/"), count_parts() + 2);
}
END_TEST

START_TEST(parts_with_other_bytes_are_noticed)
{
    expect_blob("narrow-lyingrange/x", LARGE, 0);
    ck_assert_int_ge(count_parts(), 1);
}
END_TEST

START_TEST(where_one_transfer_is_allowed_nothing_is_split)
{
    wci_registry_config config = mock_config();
    config.max_transfers = 1;
    wci_remote *remote = mock_open_with(&config, "narrow/x");
    wci_digest digest = mock_digest(LARGE);
    memory_fetch m;
    memory_init(&m, &digest, LARGE);
    ck_assert_int_eq(memory_run(remote, &m, 1, NULL), WC_OK);
    ck_assert_int_eq(count_parts(), 0);
    memory_free(&m);
    wci_remote_close(remote);
}
END_TEST

/* ---- What the calls of a context share -------------------------------------------------------- */

typedef struct sharer {
    wci_traffic *traffic;
    const char *repository;
    int count, size;
    int32_t code;
} sharer;

static void fetch_sharing(void *arg)
{
    sharer *s = arg;
    wc_call call = {.traffic = s->traffic};
    wci_registry_config config = mock_config();
    config.stall_ms = 1000;
    wci_remote *remote = mock_open_with(&config, s->repository);
    memory_fetch m[8];
    wci_fetch *list[8];
    for (int i = 0; i < s->count; i++) {
        wci_digest digest = mock_digest(s->size + i);
        memory_init(&m[i], &digest, s->size + i);
        list[i] = &m[i].fetch;
    }
    s->code = wci_remote_fetch(&call, remote, list, (size_t)s->count, NULL, 0, NULL);
    for (int i = 0; i < s->count; i++)
        memory_free(&m[i]);
    wci_remote_close(remote);
}

/* Two calls at once; how long both took. */
static int64_t share(uint32_t transfers, uint64_t bandwidth, const sharer *what)
{
    sharer s[2] = {*what, *what};
    wci_thread *threads[2];
    wci_traffic *traffic;
    ck_assert_int_eq(wci_traffic_new(transfers, bandwidth, &traffic, NULL), WC_OK);
    int64_t began = now_ms();
    for (int i = 0; i < 2; i++) {
        s[i].traffic = traffic;
        ck_assert_int_eq(wci_thread_start(&threads[i], fetch_sharing, &s[i], NULL), WC_OK);
    }
    for (int i = 0; i < 2; i++) {
        wci_thread_join(threads[i]);
        ck_assert_int_eq(s[i].code, WC_OK);
    }
    wci_traffic_free(traffic);
    return now_ms() - began;
}

START_TEST(one_bound_for_transfers_of_all_calls)
{
    const sharer what = {NULL, "slowstart/x", 4, 1000, 0};
    ck_assert_int_ge(share(2, 0, &what), 1200); /* eight, two at a time, 0.3 s each */
}
END_TEST

START_TEST(one_bandwidth_for_all_calls)
{
    const sharer what = {NULL, "plain/x", 2, 256 * 1024, 0};
    ck_assert_int_ge(share(0, 512 * 1024, &what), 1800); /* 1 MiB, less what a pause allows at once */
}
END_TEST

/* Each piece waits longer than a server may be silent. */
START_TEST(our_own_slowness_is_no_stall)
{
    const sharer what = {NULL, "plain/x", 1, 300 * 1024, 0};
    ck_assert_int_ge(share(0, 200 * 1024, &what), 2500);
}
END_TEST

START_TEST(one_failure_ends_all)
{
    wci_remote *remote = mock_open("plain/x");
    memory_fetch m[3];
    wci_digest digest = mock_digest(1000);
    memory_init(&m[0], &digest, 1000);
    digest.text[10] = digest.text[10] == '0' ? '1' : '0';
    memory_init(&m[1], &digest, 1000);
    digest = mock_digest(20 * MIB);
    memory_init(&m[2], &digest, 20 * MIB);
    ck_assert_int_eq(memory_run(remote, m, 3, NULL), WC_E_NOT_FOUND);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(m[i].dones, 1);
        memory_free(&m[i]);
    }
    wci_remote_close(remote);
}
END_TEST

static int32_t write_no_space(wci_fetch *fetch, const void *data, size_t size, wc_error **err)
{
    (void)fetch, (void)data, (void)size, (void)err;
    return WC_E_NO_SPACE;
}

START_TEST(writer_failure_is_final)
{
    wci_remote *remote = mock_open("plain/x");
    wci_digest digest = mock_digest(100000);
    memory_fetch m;
    memory_init(&m, &digest, 100000);
    m.fetch.write = write_no_space;
    ck_assert_int_eq(memory_run(remote, &m, 1, NULL), WC_E_NO_SPACE);
    ck_assert_int_eq(m.gave_up, 1);
    ck_assert_int_eq(mock_count("/blobs/"), 1);
    memory_free(&m);
    wci_remote_close(remote);
}
END_TEST

START_TEST(redirect_without_credentials)
{
    wci_registry_config config = mock_config();
    config.username = "user";
    config.password = "secret";
    wci_remote *remote = mock_open_with(&config, "basic-redirect/x");
    wci_digest digest = mock_digest(300000);
    memory_fetch m;
    memory_init(&m, &digest, 300000);
    ck_assert_int_eq(memory_run(remote, &m, 1, NULL), WC_OK);
    char *all = mock_ask("GET", "/requests");
    char *stored = strstr(all, "/stored/");
    ck_assert_ptr_nonnull(strstr(stored, "\"auth\": null"));
    free(all);
    memory_free(&m);
    wci_remote_close(remote);
}
END_TEST

/* ---- Failures that pass ----------------------------------------------------------------------- */

START_TEST(transient_statuses)
{
    static const char *const names[] = {"busy/x", "busyodd/x", "flaky/x"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        wci_remote *remote = mock_open(names[i]);
        ck_assert_msg(!get_manifest(remote, "v1", NULL), "%s", names[i]);
        wci_remote_close(remote);
        expect_blob(names[i], 1000 + (int)i, 0);
    }
}
END_TEST

START_TEST(retries_end)
{
    wci_registry_config config = mock_config();
    config.retries = 2;
    wci_remote *remote = mock_open_with(&config, "down/x");
    wc_error *err = NULL;
    ck_assert_int_eq(get_manifest(remote, "v1", &err), WC_E_NETWORK);
    ck_assert_int_eq(wc_error_retryable(err), 1);
    ck_assert_int_eq(wc_error_native(err), 503);
    wc_error_unref(err);
    ck_assert_int_eq(mock_count("/manifests/"), 3);
    wci_remote_close(remote);
}
END_TEST

START_TEST(stall_is_noticed)
{
    wci_registry_config config = mock_config();
    config.stall_ms = 400;
    wci_remote *remote = mock_open_with(&config, "stallonce/x");
    memory_fetch m;
    int64_t began = now_ms();
    ck_assert_int_eq(fetch_one(remote, 300000, 0, &m, NULL), WC_OK);
    ck_assert_int_ge(now_ms() - began, 400);
    ck_assert_int_lt(now_ms() - began, 3000);
    ck_assert_int_eq(mock_count("bytes=65536-"), 1);
    memory_free(&m);
    wci_remote_close(remote);
}
END_TEST

/* ---- Ending from outside ---------------------------------------------------------------------- */

typedef struct trigger {
    wc_cancel *cancel;
    int64_t at_ms;
} trigger;

static void pull_trigger(void *arg)
{
    trigger *t = arg;
    struct timespec pause = {0, 300 * 1000000};
    nanosleep(&pause, NULL);
    t->at_ms = now_ms();
    wc_cancel_trigger(t->cancel);
}

static int32_t write_nothing(wci_fetch *fetch, const void *data, size_t size, wc_error **err)
{
    (void)fetch, (void)data, (void)size, (void)err;
    return WC_OK;
}

static int32_t any_request(wc_call *call, wci_remote *remote, int is_blob)
{
    wci_digest digest = mock_digest(1000000);
    memory_fetch m;
    memory_init(&m, &digest, -1);
    m.fetch.write = write_nothing;
    wci_fetch *list[] = {&m.fetch};
    wc_buf *body = NULL;
    char *type = NULL;
    int32_t code = is_blob ? wci_remote_fetch(call, remote, list, 1, NULL, 0, NULL)
                           : wci_remote_manifest(call, remote, "v1", &body, &type, &digest, NULL);
    ck_assert_int_eq(m.gave_up, is_blob);
    memory_free(&m);
    return code;
}

static const struct {
    const char *repository;
    int is_blob;
    int may_end; /* the server's answers may reach a limit before */
} cancel_phases[] = {
    {"hang/x", 0, 0}, {"hang/x", 1, 0},      {"stall/x", 1, 0}, {"down/x", 0, 0},
    {"down/x", 1, 0}, {"hugetoken/x", 0, 1}, {"endless/x", 1, 0},
};

/* Cancels 300 ms after the beginning; how long the call took to notice, or -1 when it had ended by
 * itself before. */
static int64_t cancel_once(const char *repository, int is_blob)
{
    trigger t = {NULL, 0};
    wci_thread *thread;
    wci_registry_config config = mock_config();
    config.retries = 1000;
    ck_assert_int_eq(wc_cancel_new(&t.cancel, NULL), WC_OK);
    wci_remote *remote = mock_open_with(&config, repository);
    wc_call call = {.cancel = t.cancel};
    ck_assert_int_eq(wci_thread_start(&thread, pull_trigger, &t, NULL), WC_OK);
    int32_t code = any_request(&call, remote, is_blob);
    int64_t ended = now_ms();
    wci_thread_join(thread);
    ck_assert_int_ne(code, WC_OK);
    wci_remote_close(remote);
    wc_cancel_unref(t.cancel);
    return code == WC_E_CANCELLED ? ended - t.at_ms : -1;
}

START_TEST(cancel_in_any_phase)
{
    const char *repository = cancel_phases[_i].repository;
    int64_t took = cancel_once(repository, cancel_phases[_i].is_blob);
    /* a busy machine may be late, but not every time */
    for (int i = 0; i < 4 && took >= 100; i++)
        took = cancel_once(repository, cancel_phases[_i].is_blob);
    ck_assert_int_lt(took, 100);
    if (!cancel_phases[_i].may_end)
        ck_assert_int_ge(took, 0);
}
END_TEST

START_TEST(deadline)
{
    wc_cancel *cancel;
    ck_assert_int_eq(wc_cancel_new(&cancel, NULL), WC_OK);
    wci_remote *remote = mock_open("stall/x");
    wc_call call = {.cancel = cancel};
    int64_t began = now_ms();
    wc_cancel_set_timeout(cancel, (int64_t)300 * 1000000);
    ck_assert_int_eq(any_request(&call, remote, 1), WC_E_TIMEOUT);
    ck_assert_int_ge(now_ms() - began, 290);
    ck_assert_int_lt(now_ms() - began, 900);
    wci_remote_close(remote);
    wc_cancel_unref(cancel);
}
END_TEST

static int ticks;

static int32_t tick(uintptr_t payload, wc_error **err)
{
    (void)err;
    return ++ticks >= (int)payload ? WC_E_LIMIT : WC_OK;
}

START_TEST(ticks_come_and_end)
{
    WCI_CALL_NONE(call);
    wci_remote *remote = mock_open("stall/x");
    wci_digest digest = mock_digest(1000000);
    memory_fetch m;
    wc_error *err = NULL;
    memory_init(&m, &digest, 1000000);
    wci_fetch *list[] = {&m.fetch};
    int64_t began = now_ms();
    ck_assert_int_eq(wci_remote_fetch(&call, remote, list, 1, tick, 6, &err), WC_E_LIMIT);
    ck_assert_int_lt(now_ms() - began, 1000);
    ck_assert_int_eq(m.gave_up, 1);
    wc_error_unref(err);
    memory_free(&m);
    wci_remote_close(remote);
}
END_TEST

/* ---- The host process ------------------------------------------------------------------------- */

START_TEST(signals_untouched)
{
    sigset_t mask;
    struct sigaction before, after;
    sigaction(SIGPIPE, NULL, &before);
    ck_assert(before.sa_handler == SIG_DFL);
    expect_blob("cutonce/x", 300000, 0);
    sigaction(SIGPIPE, NULL, &after);
    ck_assert(after.sa_handler == SIG_DFL);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    for (int s = 1; s < 32; s++)
        ck_assert_msg(sigismember(&mask, s) == 0, "signal %d is blocked", s);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("registry flow");
    mock_start();
    TCase *t = tcase_create("flow");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, mock_reset, NULL);
    tcase_add_test(t, manifest_by_tag);
    tcase_add_test(t, manifest_type_from_document);
    tcase_add_test(t, manifest_missing);
    tcase_add_test(t, manifest_bad_arguments);
    tcase_add_test(t, server_not_there);
    tcase_add_test(t, token_anonymous);
    tcase_add_test(t, token_variants);
    tcase_add_test(t, token_insufficient_scope_once);
    tcase_add_test(t, token_with_password);
    tcase_add_test(t, token_server_that_moved);
    tcase_add_test(t, token_from_refresh_token);
    tcase_add_test(t, basic_login);
    tcase_add_test(t, blob_plain);
    tcase_add_test(t, blob_size_unknown);
    tcase_add_test(t, blobs_many);
    tcase_add_test(t, blobs_at_once_are_limited_and_parallel);
    tcase_add_test(t, blob_resumed);
    tcase_add_test(t, blob_resumed_over_bad_bytes);
    tcase_add_test(t, blob_too_much_there);
    tcase_add_test(t, blob_missing);
    tcase_add_test(t, blob_from_foreign_url);
    tcase_add_test(t, a_large_blob_over_narrow_connections_comes_in_parts);
    tcase_add_test(t, parts_that_break_off_go_on);
    tcase_add_test(t, a_server_that_gives_no_parts_gives_the_whole);
    tcase_add_test(t, parts_with_other_bytes_are_noticed);
    tcase_add_test(t, where_one_transfer_is_allowed_nothing_is_split);
    tcase_add_test(t, one_bound_for_transfers_of_all_calls);
    tcase_add_test(t, one_bandwidth_for_all_calls);
    tcase_add_test(t, our_own_slowness_is_no_stall);
    tcase_add_test(t, one_failure_ends_all);
    tcase_add_test(t, writer_failure_is_final);
    tcase_add_test(t, redirect_without_credentials);
    tcase_add_test(t, transient_statuses);
    tcase_add_test(t, retries_end);
    tcase_add_test(t, stall_is_noticed);
    tcase_add_loop_test(t, cancel_in_any_phase, 0,
                        (int)(sizeof cancel_phases / sizeof *cancel_phases));
    tcase_add_test(t, deadline);
    tcase_add_test(t, ticks_come_and_end);
    tcase_add_test(t, signals_untouched);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
