/* SPDX-License-Identifier: Apache-2.0 */
/* An Azure container registry: tokens of Azure in the place of a password. */
#include "registry_fixture.h"

#include "mock_azure.h"
#include "registry/azure.h"
#include "registry/login.h"

static char file[] = "/tmp/wc-azure-XXXXXX";

static void make_file(void)
{
    strcpy(file + sizeof file - 7, "XXXXXX");
    int fd = mkstemp(file);
    ck_assert_int_ge(fd, 0);
    close(fd);
    mock_reset();
    unsetenv("AZURE_TENANT_ID");
}

static void remove_file(void)
{
    unlink(file);
}

static int32_t pull(const char *user, const char *secret, const char *repository, int times, wc_error **err)
{
    WCI_CALL_NONE(call);
    wci_registry_config config = mock_config();
    config.username = user;
    config.password = secret;
    wci_remote *remote = mock_open_with(&config, repository);
    int32_t code = WC_OK;
    for (int i = 0; i < times && !code; i++) {
        wc_buf *body = NULL;
        char *type = NULL;
        wci_digest digest;
        code = wci_remote_manifest(&call, remote, "v1", &body, &type, &digest, err);
        wc_buf_unref(body);
        wci_free(type);
    }
    wci_remote_close(remote);
    return code;
}

START_TEST(kinds)
{
    static const struct {
        const char *secret, *tenant;
        wci_azure_kind kind;
    } known[] = {
        {ENTRA, TENANT, WCI_AZURE_ACCESS},
        {OWN, NULL, WCI_AZURE_REGISTRY_REFRESH},
        {OPAQUE, NULL, WCI_AZURE_REFRESH},
        {"", NULL, WCI_AZURE_REFRESH},
        {"a.b.c", NULL, WCI_AZURE_REFRESH},
        {"e30.e30.e30", NULL, WCI_AZURE_ACCESS},
        {"e30.e30.e30.e30", NULL, WCI_AZURE_REFRESH},
        {"e30.W10.e30", NULL, WCI_AZURE_ACCESS},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        wci_azure_kind kind;
        char *tenant = NULL;
        ck_assert_int_eq(wci_azure_kind_of(known[i].secret, &kind, &tenant, NULL), WC_OK);
        ck_assert_msg(kind == known[i].kind, "%s", known[i].secret);
        ck_assert_pstr_eq(tenant, known[i].tenant);
        wci_free(tenant);
    }
}
END_TEST

static int meant(const char *user, const char *password, const char *host, const char *base, const char *realm)
{
    const wci_credentials c = {.username = (char *)user, .password = (char *)password};
    wci_url at = WCI_URL_INIT, to = WCI_URL_INIT;
    ck_assert_int_eq(wci_url_parse(base, NULL, &at, NULL), WC_OK);
    ck_assert_int_eq(wci_url_parse(realm, NULL, &to, NULL), WC_OK);
    int yes = wci_azure_is_meant(&c, host, &at, &to);
    wci_url_free(&at);
    wci_url_free(&to);
    return yes;
}

START_TEST(who_is_meant)
{
    ck_assert(meant(WCI_AZURE_USER, "t", "x.azurecr.io", "https://x.azurecr.io/", "https://x.azurecr.io/oauth2/token"));
    ck_assert(meant(WCI_AZURE_USER, "t", "x.azurecr.io", "https://x.azurecr.io/", "https://x.azurecr.io/other"));
    ck_assert(meant(WCI_AZURE_USER, "t", "own.net", "https://own.net/", "https://own.net/oauth2/token?x=y"));
    ck_assert(!meant(WCI_AZURE_USER, "t", "own.net", "https://own.net/", "https://own.net/token"));
    ck_assert(!meant(WCI_AZURE_USER, "t", "own.net", "https://own.net/", "https://own.net/a/oauth2/token"));
    ck_assert(!meant(WCI_AZURE_USER, "t", "x.azurecr.io", "https://x.azurecr.io/", "https://evil.net/oauth2/token"));
    ck_assert(!meant(WCI_AZURE_USER, "t", "x.azurecr.io", "https://x.azurecr.io/", "http://x.azurecr.io/oauth2/token"));
    ck_assert(!meant(WCI_AZURE_USER, "", "x.azurecr.io", "https://x.azurecr.io/", "https://x.azurecr.io/oauth2/token"));
    ck_assert(!meant("me", "t", "x.azurecr.io", "https://x.azurecr.io/", "https://x.azurecr.io/oauth2/token"));
}
END_TEST

START_TEST(access_token_is_exchanged)
{
    ck_assert_int_eq(pull(WCI_AZURE_USER, ENTRA, "azure/x", 2, NULL), WC_OK);
    ck_assert_int_eq(mock_count("/oauth2/exchange"), 1);
    ck_assert_int_eq(mock_count("tenant=" TENANT), 1);
    ck_assert_int_eq(mock_count("/oauth2/token"), 1);
    ck_assert_int_eq(mock_count("Basic "), 0); /* nowhere as a password */
}
END_TEST

START_TEST(refresh_token_is_exchanged)
{
    ck_assert_int_eq(pull(WCI_AZURE_USER, OPAQUE, "azure/x", 1, NULL), WC_OK);
    ck_assert_int_eq(mock_count("tenant="), 0);
    setenv("AZURE_TENANT_ID", TENANT, 1);
    ck_assert_int_eq(pull(WCI_AZURE_USER, OPAQUE, "azure/x", 1, NULL), WC_OK);
    ck_assert_int_eq(mock_count("tenant=" TENANT), 1);
}
END_TEST

START_TEST(own_refresh_token_is_used)
{
    ck_assert_int_eq(pull(WCI_AZURE_USER, OWN, "azure/x", 1, NULL), WC_OK);
    ck_assert_int_eq(mock_count("/oauth2/exchange"), 0);
}
END_TEST

START_TEST(refused)
{
    wc_error *err = NULL;
    ck_assert_int_eq(pull(WCI_AZURE_USER, ENTRA "x", "azure/x", 1, &err), WC_E_AUTH);
    char *text = error_text(err);
    ck_assert_ptr_nonnull(strstr(text, "does not take the Azure token"));
    ck_assert_ptr_null(strstr(text, "c2lnbmF0dXJl"));
    free(text);
    ck_assert_int_eq(mock_count("/oauth2/token"), 0);
}
END_TEST

/* A registry that is not Azure's gets it as the password that it is there. */
START_TEST(elsewhere)
{
    ck_assert_int_eq(pull(WCI_AZURE_USER, ENTRA, "bearerauth/x", 1, NULL), WC_E_AUTH);
    ck_assert_int_eq(mock_count("/oauth2/"), 0);
}
END_TEST

START_TEST(answers)
{
    static const struct {
        const char *text;
        int32_t code;
    } known[] = {
        {"{\"refresh_token\": \"t\"}", WC_OK}, {"{\"refresh_token\": \"\"}", WC_E_FORMAT},
        {"{\"refresh_token\": 1}", WC_E_FORMAT}, {"{}", WC_E_FORMAT}, {"{\"refresh_token\": \"hunter2\"", WC_E_FORMAT},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char *token = NULL;
        wc_error *err = NULL;
        ck_assert_int_eq(wci_azure_take_answer(known[i].text, strlen(known[i].text), "answer", &token, &err), known[i].code);
        ck_assert(!token == (known[i].code != WC_OK));
        ck_assert(!err || !strstr(wc_error_message(err), "hunter2"));
        wci_secret_free(token);
        wc_error_unref(err);
    }
}
END_TEST

/* What is kept is the registry's refresh token, where docker keeps such. */
START_TEST(login_keeps_what_lasts)
{
    WCI_CALL_NONE(call);
    static const char *const argv[] = {"python3", WC_TEST_SOURCE_DIR "/tests/support/mock_registry.py", "--azure", NULL};
    server_process azure;
    wci_registry_config config = mock_config();
    char text[2048] = "", host[32];
    int port;
    wc_error *err = NULL;
    ck_assert_int_eq(server_start(&azure, argv), 1);
    ck_assert_int_eq(sscanf(azure.line, "%d", &port), 1);
    snprintf(host, sizeof host, "127.0.0.1:%d", port);
    unlink(file);
    config.auth_file = file;
    config.username = WCI_AZURE_USER;
    config.password = ENTRA;
    int32_t code = wci_login(&call, &config, host, &err);
    ck_assert_msg(!code, "%s", err ? error_text(err) : "");
    FILE *f = fopen(file, "r");
    ck_assert_uint_gt(fread(text, 1, sizeof text - 1, f), 0);
    fclose(f);
    ck_assert_ptr_nonnull(strstr(text, "\"identitytoken\": \"" OWN "\""));
    ck_assert_ptr_nonnull(strstr(text, "MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAwOg==")); /* no password */
    ck_assert_ptr_null(strstr(text, ENTRA));
    config.username = config.password = NULL;
    mock_port = port;
    wci_remote *remote = mock_open_with(&config, "azure/x");
    wc_buf *body = NULL;
    char *type = NULL;
    wci_digest digest;
    ck_assert_int_eq(wci_remote_manifest(&call, remote, "v1", &body, &type, &digest, NULL), WC_OK);
    wc_buf_unref(body);
    wci_free(type);
    wci_remote_close(remote);
    ck_assert_int_eq(mock_count("/oauth2/exchange"), 1); /* at the login alone */
    server_stop(&azure);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("registry azure");
    mock_start();
    TCase *t = tcase_create("azure");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, make_file, remove_file);
    tcase_add_test(t, kinds);
    tcase_add_test(t, who_is_meant);
    tcase_add_test(t, access_token_is_exchanged);
    tcase_add_test(t, refresh_token_is_exchanged);
    tcase_add_test(t, own_refresh_token_is_used);
    tcase_add_test(t, refused);
    tcase_add_test(t, elsewhere);
    tcase_add_test(t, answers);
    tcase_add_test(t, login_keeps_what_lasts);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
