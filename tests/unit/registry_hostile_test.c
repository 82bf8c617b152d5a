/* SPDX-License-Identifier: Apache-2.0 */
/* What a hostile or broken registry may answer, and what must come of it. */
#include "registry_fixture.h"

static int32_t manifest_of(const wci_registry_config *config, const char *repository, const char *ref, wc_error **err)
{
    WCI_CALL_NONE(call);
    wc_buf *body = NULL;
    char *type = NULL;
    wci_digest digest;
    wci_remote *remote = mock_open_with(config, repository);
    int32_t code = wci_remote_manifest(&call, remote, ref, &body, &type, &digest, err);
    wci_remote_close(remote);
    wc_buf_unref(body);
    wci_free(type);
    return code;
}

static int32_t manifest_with(wci_registry_config *config, const char *repository, const char *ref, wc_error **err)
{
    config->username = "user";
    config->password = "secret";
    config->retries = 2;
    return manifest_of(config, repository, ref, err);
}

static int32_t manifest(const char *repository, const char *ref, wc_error **err)
{
    wci_registry_config config = mock_config();
    return manifest_with(&config, repository, ref, err);
}

static int32_t blob(const char *repository, int size, int have, memory_fetch *m, wc_error **err)
{
    wci_registry_config config = mock_config();
    wci_digest digest = mock_digest(size);
    config.retries = 2;
    memory_init(m, &digest, size);
    if (have) {
        wci_remote *plain = mock_open("plain/x");
        ck_assert_int_eq(memory_run(plain, m, 1, NULL), WC_OK);
        m->data.size = (size_t)have;
        m->dones = 0;
        wci_remote_close(plain);
        mock_reset();
    }
    wci_remote *remote = mock_open_with(&config, repository);
    int32_t code = memory_run(remote, m, 1, err);
    wci_remote_close(remote);
    return code;
}

/* ---- 25, 26: documents ------------------------------------------------------------------------ */

START_TEST(case_25_pinned_digest_other_body)
{
    wc_error *err = NULL;
    ck_assert_int_eq(manifest("plain/x",
                              "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab"
                              "cdef",
                              &err),
                     WC_E_DIGEST);
    assert_error_says(err, "0123456789abcdef");
}
END_TEST

START_TEST(case_25_header_does_not_fit_body)
{
    ck_assert_int_eq(manifest("wrongdigest/x", "v1", NULL), WC_E_DIGEST);
}
END_TEST

START_TEST(case_26_endless_manifest)
{
    wc_error *err = NULL;
    ck_assert_int_eq(manifest("hugemanifest/x", "v1", &err), WC_E_LIMIT);
    assert_error_says(err, "larger than allowed");
}
END_TEST

START_TEST(case_26_endless_token)
{
    ck_assert_int_eq(manifest("hugetoken/x", "v1", NULL), WC_E_LIMIT);
}
END_TEST

START_TEST(case_26_endless_refusal)
{
    wc_error *err = NULL;
    int32_t code = manifest("hugeerror/x", "v1", &err);
    ck_assert_msg(code == WC_E_LIMIT || code == WC_E_NOT_FOUND, "%s", wc_code_name(code));
    char *text = error_text(err);
    ck_assert_uint_lt(strlen(text), 4096);
    free(text);
}
END_TEST

/* ---- 37: where a realm may lie ---------------------------------------------------------------- */

static const char *const realms[] = {"metarealm/x", "badrealm/x", "zerorealm/x"};

START_TEST(case_37_realm)
{
    wc_error *err = NULL;
    int32_t code = manifest(realms[_i], "v1", &err);
    ck_assert_msg(code == WC_E_PERMISSION || code == WC_E_FORMAT, "%s: %s", realms[_i], wc_code_name(code));
    char *text = error_text(err);
    ck_assert_ptr_null(strstr(text, "secret"));
    free(text);
    ck_assert_int_eq(mock_count("/token"), 0);
}
END_TEST

/* With TLS checks off plain HTTP is allowed anywhere, so that only the address is left to judge. */
START_TEST(case_37_address_at_connect_time)
{
    static const char *const names[] = {"metarealm/x", "zerorealm/x", "bearer-movedmeta/x", "bearer-movedzero/x"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        wci_registry_config config = mock_config();
        wc_error *err = NULL;
        config.tls_verify = 0;
        ck_assert_int_eq(manifest_with(&config, names[i], "v1", &err), WC_E_PERMISSION);
        assert_error_says(err, "may not send us");
    }
    ck_assert_int_eq(mock_count("/token/plain"), 0);
    ck_assert_int_eq(mock_count("/moved"), 0);
}
END_TEST

START_TEST(case_37_token_server_that_leads_away)
{
    static const char *const names[] = {"bearer-movedmeta/x", "bearer-movedzero/x"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        wc_error *err = NULL;
        ck_assert_int_eq(manifest(names[i], "v1", &err), WC_E_PERMISSION);
        char *text = error_text(err);
        ck_assert_ptr_null(strstr(text, "secret"));
        free(text);
    }
    ck_assert_int_eq(mock_count("/moved"), 0);
}
END_TEST

/* ---- 38: redirects ---------------------------------------------------------------------------- */

static const struct {
    const char *repository;
    int32_t code;
} redirects[] = {
    {"redirectmeta/x", WC_E_PERMISSION}, {"redirectzero/x", WC_E_PERMISSION},
    {"redirectfile/x", WC_E_FORMAT},     {"redirectuser/x", WC_E_FORMAT},
    {"redirectloop/x", WC_E_NETWORK},
};

START_TEST(case_38_redirects)
{
    memory_fetch m;
    wc_error *err = NULL;
    ck_assert_int_eq(blob(redirects[_i].repository, 1000, 0, &m, &err), redirects[_i].code);
    ck_assert_uint_eq(m.data.size, 0);
    char *text = error_text(err);
    ck_assert_ptr_null(strstr(text, "pass@"));
    free(text);
    memory_free(&m);
}
END_TEST

/* With TLS checks off plain HTTP is allowed anywhere, so that only the address is left to judge. */
START_TEST(case_38_address_at_connect_time)
{
    static const char *const names[] = {"redirectmeta/x", "redirectzero/x"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        wci_registry_config config = mock_config();
        wci_digest digest = mock_digest(1000);
        memory_fetch m;
        wc_error *err = NULL;
        config.tls_verify = 0;
        memory_init(&m, &digest, 1000);
        wci_remote *remote = mock_open_with(&config, names[i]);
        ck_assert_int_eq(memory_run(remote, &m, 1, &err), WC_E_PERMISSION);
        assert_error_says(err, "may not send us");
        wci_remote_close(remote);
        memory_free(&m);
    }
    ck_assert_int_eq(mock_count("/stored/"), 0);
}
END_TEST

/* The mock over TLS in the place of the plain one, and a certificate of ours. */
static char tls_dir[32], tls_ca[64], own_cert[64], own_key[64];
static server_process tls;
static int plain_port;

static void start_tls(void)
{
    char command[512], cert[64], key[64];
    strcpy(tls_dir, "/tmp/wc-hostile-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(tls_dir));
    snprintf(command, sizeof command,
             "bash -c '. %s/tests/support/registry.sh && registry_need openssl && registry_make_certificate %s && "
             "registry_make_client_certificate %s ours'",
             WC_TEST_SOURCE_DIR, tls_dir, tls_dir);
    ck_assert_int_eq(system(command), 0);
    snprintf(cert, sizeof cert, "%s/server.pem", tls_dir);
    snprintf(key, sizeof key, "%s/server.key", tls_dir);
    snprintf(tls_ca, sizeof tls_ca, "%s/ca.pem", tls_dir);
    snprintf(own_cert, sizeof own_cert, "%s/ours/ours.cert", tls_dir);
    snprintf(own_key, sizeof own_key, "%s/ours/ours.key", tls_dir);
    const char *const argv[] = {"python3", WC_TEST_SOURCE_DIR "/tests/support/mock_registry.py", "--tls", cert, key,
                                "--client-ca", tls_ca, NULL};
    ck_assert_int_eq(server_start(&tls, argv), 1);
    plain_port = mock_port;
    ck_assert_int_eq(sscanf(tls.line, "%d", &mock_port), 1);
}

static void stop_tls(void)
{
    char command[64];
    server_stop(&tls);
    mock_port = plain_port;
    snprintf(command, sizeof command, "rm -rf %s", tls_dir);
    ck_assert_int_eq(system(command), 0);
}

static wci_registry_config tls_config(void)
{
    wci_registry_config config = mock_config();
    config.ca_file = tls_ca;
    return config;
}

START_TEST(case_38_https_to_plain)
{
    wci_digest digest = mock_digest(1000);
    start_tls();
    wci_registry_config config = tls_config();
    wci_remote *remote = mock_open_with(&config, "redirectplain/x");
    memory_fetch m;
    wc_error *err = NULL;
    memory_init(&m, &digest, 1000);
    ck_assert_int_eq(memory_run(remote, &m, 1, &err), WC_E_PERMISSION);
    assert_error_says(err, "from HTTPS to plain HTTP");
    wci_remote_close(remote);
    memory_free(&m);
    stop_tls();
}
END_TEST

/* A password that went to the registry through TLS does not go on without. */
START_TEST(case_37_realm_without_tls)
{
    start_tls();
    wci_registry_config config = tls_config();
    wc_error *err = NULL;
    ck_assert_int_eq(manifest_with(&config, "plainrealm/x", "v1", &err), WC_E_PERMISSION);
    assert_error_says(err, "from HTTPS to plain HTTP");
    stop_tls();
}
END_TEST

/* What the mock over TLS says; it has one answer to everything that is not below /v2/. */
static char *ask_tls(const char *path)
{
    char command[256], *text = calloc(1, 65536);
    snprintf(command, sizeof command, "curl -s --cacert %s https://127.0.0.1:%d%s", tls_ca, mock_port, path);
    FILE *f = popen(command, "r");
    ck_assert_uint_gt(fread(text, 1, 65535, f), 0);
    ck_assert_int_eq(pclose(f), 0);
    return text;
}

START_TEST(case_38_own_certificate_stays)
{
    start_tls();
    wci_registry_config config = tls_config();
    config.client_cert = own_cert;
    config.client_key = own_key;
    wci_digest digest;
    char *text = ask_tls("/digests/1000");
    ck_assert_int_eq(wci_digest_parse(text, &digest, NULL), WC_OK);
    free(text);
    memory_fetch m;
    memory_init(&m, &digest, 1000);
    wci_remote *remote = mock_open_with(&config, "redirect/x");
    ck_assert_int_eq(memory_run(remote, &m, 1, NULL), WC_OK);
    text = ask_tls("/requests");
    char *elsewhere = strstr(text, "/stored/");
    ck_assert_ptr_nonnull(elsewhere);
    ck_assert_ptr_nonnull(strstr(elsewhere, "\"cert\": null"));
    *elsewhere = '\0';
    ck_assert_ptr_nonnull(strstr(text, "\"cert\": \"ours\""));
    free(text);
    memory_free(&m);
    wci_remote_close(remote);
    stop_tls();
}
END_TEST

START_TEST(case_38_signed_query_is_not_shown)
{
    memory_fetch m;
    wc_error *err = NULL;
    /* the object store ends the body short: the error names the place, without its signature */
    wci_digest digest = mock_digest(1000);
    memory_init(&m, &digest, 999);
    wci_remote *remote = mock_open("redirect/x");
    ck_assert_int_eq(memory_run(remote, &m, 1, &err), WC_E_DIGEST);
    char *text = error_text(err);
    ck_assert_ptr_nonnull(strstr(text, "/stored/"));
    ck_assert_ptr_null(strstr(text, "hidden"));
    free(text);
    memory_free(&m);
    wci_remote_close(remote);
}
END_TEST

/* ---- 39: foreign places ----------------------------------------------------------------------- */

START_TEST(case_39_foreign_place_with_challenge)
{
    wci_registry_config config = mock_config();
    wci_digest digest = mock_digest(1000);
    wci_strv urls = WCI_STRV_INIT;
    char url[256];
    memory_fetch m;
    config.username = "user";
    config.password = "secret";
    snprintf(url, sizeof url, "http://127.0.0.1:%d/v2/basic/x/blobs/%s", mock_other_port,
             digest.text);
    wci_strv_add(&urls, url);
    wci_strv_add(&urls, "file:///etc/passwd");
    memory_init(&m, &digest, 1000);
    m.fetch.urls = &urls;
    wci_remote *remote = mock_open_with(&config, "missing-basic/x");
    ck_assert_int_ne(memory_run(remote, &m, 1, NULL), WC_OK);
    char other[32];
    snprintf(other, sizeof other, "\"port\": %d", mock_other_port);
    ck_assert_int_eq(mock_count(other), 1); /* asked once, and the challenge not answered */
    ck_assert_int_eq(mock_count("\"auth\": null"), 2);
    memory_free(&m);
    wci_strv_free(&urls);
    wci_remote_close(remote);
}
END_TEST

START_TEST(case_39_only_http)
{
    static const char *const places[] = {"file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1/x",
                                         "http://user:secret@127.0.0.1/x", "/etc/passwd"};
    wci_digest digest = mock_digest(1000);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        wci_strv urls = WCI_STRV_INIT;
        wc_error *err = NULL;
        memory_fetch m;
        wci_strv_add(&urls, places[i]);
        memory_init(&m, &digest, 1000);
        m.fetch.urls = &urls;
        wci_remote *remote = mock_open("missing/x");
        mock_reset();
        ck_assert_int_ne(memory_run(remote, &m, 1, &err), WC_OK);
        char *text = error_text(err);
        ck_assert_ptr_null(strstr(text, "secret@"));
        free(text);
        ck_assert_uint_eq(m.data.size, 0);
        ck_assert_int_eq(mock_count("\"path\""), mock_count("/blobs/"));
        memory_free(&m);
        wci_strv_free(&urls);
        wci_remote_close(remote);
    }
}
END_TEST

/* ---- 40: credentials that cannot be had ------------------------------------------------------------- */

/* The file has a password for the Docker Hub, which neither the registry nor the Hub may see. */
START_TEST(case_40_broken_store_of_credentials)
{
    static const char text[] = "{\"credsStore\":\"wc-not-there\",\"auths\":{\"https://index.docker.io/v1/\":"
                               "{\"auth\":\"dXNlcjpzZWNyZXQ=\"}}}";
    char file[] = "/tmp/wc-hostile-XXXXXX", proxy[64];
    int fd = mkstemp(file);
    ck_assert_int_eq(write(fd, text, sizeof text - 1), (ssize_t)sizeof text - 1);
    close(fd);
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", mock_port);
    setenv("https_proxy", proxy, 1);
    wci_registry_config config = mock_config();
    wc_error *err = NULL;
    config.auth_file = file;
    ck_assert_int_eq(manifest_of(&config, "basic/x", "v1", &err), WC_E_MISSING);
    char *said = error_text(err);
    ck_assert_ptr_nonnull(strstr(said, "wc-not-there"));
    ck_assert_ptr_null(strstr(said, "secret"));
    free(said);
    unsetenv("https_proxy");
    ck_assert_int_eq(mock_count("\"auth\": \"Basic"), 0);
    ck_assert_int_eq(mock_count("CONNECT"), 0);
    unlink(file);
}
END_TEST

/* ---- 41, 42: bytes ---------------------------------------------------------------------------- */

START_TEST(case_41_wrong_range_is_not_spliced)
{
    memory_fetch m;
    ck_assert_int_eq(blob("wrongrange/x", 300000, 100000, &m, NULL), WC_OK);
    ck_assert_uint_eq(m.data.size, 300000);
    ck_assert_int_eq(mock_count("\"range\": null"), 1); /* asked again without */
    memory_free(&m);
}
END_TEST

START_TEST(case_41_lying_range_is_found_out)
{
    memory_fetch m;
    ck_assert_int_eq(blob("lyingrange/x", 300000, 100000, &m, NULL), WC_OK);
    ck_assert_int_eq(m.restarts, 1);
    memory_free(&m);
}
END_TEST

START_TEST(case_41_no_range)
{
    memory_fetch m;
    ck_assert_int_eq(blob("norange/x", 300000, 100000, &m, NULL), WC_OK);
    ck_assert_uint_eq(m.data.size, 300000);
    ck_assert_int_eq(m.restarts, 0); /* the first bytes were passed over */
    memory_free(&m);
}
END_TEST

static const struct {
    const char *repository;
    int32_t code;
} bodies[] = {
    {"shift/x", WC_E_DIGEST},
    {"long/x", WC_E_DIGEST},
    {"short/x", WC_E_DIGEST},
};

START_TEST(case_41_other_bytes)
{
    memory_fetch m;
    ck_assert_int_eq(blob(bodies[_i].repository, 300000, 0, &m, NULL), bodies[_i].code);
    ck_assert_uint_le(m.data.size, 300000);
    memory_free(&m);
}
END_TEST

START_TEST(case_41_cut_again_and_again)
{
    memory_fetch m;
    wc_error *err = NULL;
    ck_assert_int_eq(blob("cut/x", 3000000, 0, &m, &err), WC_E_NETWORK);
    ck_assert_int_eq(wc_error_retryable(err), 1);
    wc_error_unref(err);
    ck_assert_uint_eq(m.data.size, 3 * 65536); /* what came is kept */
    memory_free(&m);
}
END_TEST

START_TEST(case_42_content_encoding)
{
    memory_fetch m;
    ck_assert_int_eq(blob("gzip/x", 300000, 0, &m, NULL), WC_OK);
    memory_free(&m);
}
END_TEST

/* ---- 43: challenges --------------------------------------------------------------------------- */

static const struct {
    const char *repository;
    int32_t code;
} challenges[] = {
    {"openquote/x", WC_E_FORMAT},
    {"norealm/x", WC_E_FORMAT},
    {"hugechallenge/x", WC_E_FORMAT},
    {"megachallenge/x", WC_E_LIMIT},
    {"nochallenge/x", WC_E_AUTH},
    {"badtoken/x", WC_E_FORMAT},
    {"tokendown/x", WC_E_NETWORK},
};

START_TEST(case_43_challenges)
{
    wc_error *err = NULL;
    int32_t code = manifest(challenges[_i].repository, "v1", &err);
    ck_assert_msg(code == challenges[_i].code, "%s: %s", challenges[_i].repository,
                  wc_code_name(code));
    char *text = error_text(err), host[32];
    snprintf(host, sizeof host, "127.0.0.1:%d", mock_port);
    ck_assert_msg(strstr(text, host) != NULL, "%s", text);
    free(text);
}
END_TEST

int main(void)
{
#define COUNT(a) ((int)(sizeof a / sizeof *a))
    Suite *suite = suite_create("registry hostile");
    mock_start();
    TCase *t = tcase_create("hostile");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, mock_reset, NULL);
    tcase_add_test(t, case_25_pinned_digest_other_body);
    tcase_add_test(t, case_25_header_does_not_fit_body);
    tcase_add_test(t, case_26_endless_manifest);
    tcase_add_test(t, case_26_endless_token);
    tcase_add_test(t, case_26_endless_refusal);
    tcase_add_loop_test(t, case_37_realm, 0, COUNT(realms));
    tcase_add_test(t, case_37_address_at_connect_time);
    tcase_add_test(t, case_37_token_server_that_leads_away);
    tcase_add_test(t, case_37_realm_without_tls);
    tcase_add_loop_test(t, case_38_redirects, 0, COUNT(redirects));
    tcase_add_test(t, case_38_address_at_connect_time);
    tcase_add_test(t, case_38_https_to_plain);
    tcase_add_test(t, case_38_own_certificate_stays);
    tcase_add_test(t, case_38_signed_query_is_not_shown);
    tcase_add_test(t, case_39_foreign_place_with_challenge);
    tcase_add_test(t, case_39_only_http);
    tcase_add_test(t, case_40_broken_store_of_credentials);
    tcase_add_test(t, case_41_wrong_range_is_not_spliced);
    tcase_add_test(t, case_41_lying_range_is_found_out);
    tcase_add_test(t, case_41_no_range);
    tcase_add_loop_test(t, case_41_other_bytes, 0, COUNT(bodies));
    tcase_add_test(t, case_41_cut_again_and_again);
    tcase_add_test(t, case_42_content_encoding);
    tcase_add_loop_test(t, case_43_challenges, 0, COUNT(challenges));
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
