/* SPDX-License-Identifier: Apache-2.0 */
/* The registry client against a real registry: plain, with a login, and over TLS. */
#include "registry_fixture.h"

static char dir[64];
static server_process server;
static char address[64], ca[256];

static void stop_all(void)
{
    char command[128];
    server_stop(&server);
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    if (system(command))
        printf("%s was not removed\n", dir);
}

static int run(const char *command)
{
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* Starts the registry with the options and puts the image app/one:v1 into it. */
static void start(const char *option1, const char *option2, const char *option3)
{
    const char *const argv[] = {WC_TEST_SOURCE_DIR "/tests/support/registry.sh", "serve", dir,
                                option1, option2, option3, NULL};
    char command[1024], more[128] = "";
    strcpy(dir, "/tmp/wc-registry-XXXXXX");
    if (wci_streq(option1, "--user"))
        snprintf(more, sizeof more, "--dest-creds %s:%s", option2, option3);
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(server_start(&server, argv), 1);
    ck_assert_int_eq(sscanf(server.line, "%63s %255s", address, ca), 2);
    if (wci_streq(option2, "--client-auth"))
        snprintf(more, sizeof more, "--dest-cert-dir %s/client", dir);
    snprintf(command, sizeof command,
             "%s/tests/support/make_layout.py %s/layout v1 --layers 3 --size 200000 >%s/digest && "
             "skopeo copy -q --insecure-policy --dest-tls-verify=false %s oci:%s/layout:v1 "
             "docker://%s/app/one:v1",
             WC_TEST_SOURCE_DIR, dir, dir, more, dir, address);
    ck_assert_int_eq(run(command), 0);
}

static void start_plain(void)
{
    start(NULL, NULL, NULL);
}

static void start_login(void)
{
    start("--user", "me", "hunter2");
}

static void start_tls(void)
{
    start("--tls", NULL, NULL);
}

static void start_client_auth(void)
{
    start("--tls", "--client-auth", NULL);
}

static void pushed_digest(wci_digest *out)
{
    char path[128], text[128] = "";
    snprintf(path, sizeof path, "%s/digest", dir);
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(fgets(text, sizeof text, f));
    fclose(f);
    text[strcspn(text, "\n")] = '\0';
    ck_assert_int_eq(wci_digest_parse(text, out, NULL), WC_OK);
}

static int32_t pull_manifest(const wci_registry_config *config, const char *ref, wc_buf **body,
                             wc_error **err)
{
    WCI_CALL_NONE(call);
    wci_remote *remote = NULL;
    char *type = NULL;
    wci_digest digest, pushed;
    ck_assert_int_eq(wci_remote_open(&call, config, address, "app/one", &remote, NULL), WC_OK);
    int32_t code = wci_remote_manifest(&call, remote, ref, body, &type, &digest, err);
    wci_remote_close(remote);
    if (code)
        return code;
    pushed_digest(&pushed);
    ck_assert_str_eq(digest.text, pushed.text);
    ck_assert_str_eq(type, "application/vnd.oci.image.manifest.v1+json");
    wci_free(type);
    return WC_OK;
}

/* Fetches config and layers as the manifest names them. */
static void pull_blobs(const wci_registry_config *config, const wc_buf *body)
{
    WCI_CALL_NONE(call);
    wci_remote *remote = NULL;
    memory_fetch m[4];
    size_t count = 0;
    for (const char *p = wc_buf_data(body); (p = strstr(p, "\"sha256:")); p++) {
        char text[80];
        wci_digest digest;
        long long size;
        snprintf(text, 72, "%s", p + 1);
        ck_assert_int_eq(wci_digest_parse(text, &digest, NULL), WC_OK);
        ck_assert_int_eq(sscanf(strstr(p, "\"size\""), "\"size\": %lld", &size), 1);
        memory_init(&m[count++], &digest, size);
    }
    ck_assert_uint_eq(count, 4);
    ck_assert_int_eq(wci_remote_open(&call, config, address, "app/one", &remote, NULL), WC_OK);
    ck_assert_int_eq(memory_run(remote, m, count, NULL), WC_OK);
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(m[i].dones, 1);
        memory_free(&m[i]);
    }
    wci_remote_close(remote);
}

static void pull_image(const wci_registry_config *config)
{
    wc_buf *body = NULL;
    wc_error *err = NULL;
    if (pull_manifest(config, "v1", &body, &err))
        ck_abort_msg("%s", error_text(err));
    pull_blobs(config, body);
    wc_buf_unref(body);
}

START_TEST(plain_pull)
{
    wci_registry_config config = mock_config();
    wci_digest digest;
    wc_buf *body = NULL;
    pull_image(&config);
    pushed_digest(&digest);
    ck_assert_int_eq(pull_manifest(&config, digest.text, &body, NULL), WC_OK);
    wc_buf_unref(body);
}
END_TEST

START_TEST(plain_not_found)
{
    wci_registry_config config = mock_config();
    wc_buf *body = NULL;
    wc_error *err = NULL;
    ck_assert_int_eq(pull_manifest(&config, "none", &body, &err), WC_E_NOT_FOUND);
    assert_error_says(err, "app/one:none");
}
END_TEST

START_TEST(plain_resume)
{
    WCI_CALL_NONE(call);
    wci_registry_config config = mock_config();
    wci_remote *remote = NULL;
    wc_buf *body = NULL;
    wci_digest digest;
    memory_fetch m;
    char text[80];
    ck_assert_int_eq(pull_manifest(&config, "v1", &body, NULL), WC_OK);
    const char *layers = strstr(wc_buf_data(body), "\"layers\"");
    snprintf(text, 72, "%s", strstr(layers, "\"sha256:") + 1);
    wc_buf_unref(body);
    ck_assert_int_eq(wci_digest_parse(text, &digest, NULL), WC_OK);
    ck_assert_int_eq(wci_remote_open(&call, &config, address, "app/one", &remote, NULL), WC_OK);
    memory_init(&m, &digest, -1);
    ck_assert_int_eq(memory_run(remote, &m, 1, NULL), WC_OK);
    ck_assert_uint_gt(m.data.size, 100000);
    m.data.size = 70001;
    ck_assert_int_eq(memory_run(remote, &m, 1, NULL), WC_OK);
    ck_assert_int_eq(m.restarts, 0);
    memory_free(&m);
    wci_remote_close(remote);
}
END_TEST

START_TEST(login_pull)
{
    wci_registry_config config = mock_config();
    wc_buf *body = NULL;
    wc_error *err = NULL;
    ck_assert_int_eq(pull_manifest(&config, "v1", &body, &err), WC_E_AUTH);
    assert_error_says(err, "log in");
    config.username = "me";
    config.password = "hunter2";
    pull_image(&config);
    config.password = "hunter3";
    err = NULL;
    ck_assert_int_eq(pull_manifest(&config, "v1", &body, &err), WC_E_AUTH);
    char *text = error_text(err);
    ck_assert_ptr_null(strstr(text, "hunter"));
    free(text);
}
END_TEST

START_TEST(login_from_file)
{
    char file[128], command[512];
    wci_registry_config config = mock_config();
    snprintf(file, sizeof file, "%s/auth.json", dir);
    snprintf(command, sizeof command,
             "skopeo login --tls-verify=false --authfile '%s' -u me -p hunter2 %s >/dev/null", file,
             address);
    ck_assert_int_eq(run(command), 0);
    config.auth_file = file;
    pull_image(&config);
}
END_TEST

START_TEST(tls_pull)
{
    wci_registry_config config = mock_config();
    wc_buf *body = NULL;
    wc_error *err = NULL;
    ck_assert_int_eq(pull_manifest(&config, "v1", &body, &err), WC_E_NETWORK);
    assert_error_says(err, "certificate");
    config.ca_file = ca;
    pull_image(&config);
    config.ca_file = NULL;
    config.tls_verify = 0;
    pull_image(&config);
    config.tls_verify = 1;
    config.ca_file = "/nowhere/ca.pem";
    err = NULL;
    ck_assert_int_ne(pull_manifest(&config, "v1", &body, &err), WC_OK);
    wc_error_unref(err);
}
END_TEST

/* ---- Certificates of ours ----------------------------------------------------------------------------- */

static char *in_dir(const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

/* Runs a command in the registry's directory. */
static void shell(const char *command)
{
    char whole[1024];
    snprintf(whole, sizeof whole, "bash -c 'cd %s && . %s/tests/support/registry.sh && %s'", dir, WC_TEST_SOURCE_DIR,
             command);
    ck_assert_msg(!run(whole), "%s", command);
}

static void expect_refusal(const wci_registry_config *config, int32_t code, const char *says)
{
    wc_buf *body = NULL;
    wc_error *err = NULL;
    ck_assert_int_eq(pull_manifest(config, "v1", &body, &err), code);
    assert_error_says(err, says);
}

START_TEST(client_cert_given)
{
    wci_registry_config config = mock_config();
    config.ca_file = ca;
    expect_refusal(&config, WC_E_AUTH, "wants a certificate of ours");
    config.client_cert = in_dir("client/client.cert");
    config.client_key = in_dir("client/client.key");
    pull_image(&config);
    shell("cat client/* >both.pem");
    config.client_cert = in_dir("both.pem");
    config.client_key = NULL;
    pull_image(&config);
    config.tls_verify = 0;
    config.ca_file = NULL;
    pull_image(&config);
}
END_TEST

START_TEST(client_cert_unfit)
{
    wci_registry_config config = mock_config();
    config.ca_file = ca;
    shell("mkdir other && registry_make_certificate other && registry_make_client_certificate other client");
    config.client_cert = in_dir("other/client/client.cert");
    config.client_key = in_dir("other/client/client.key");
    expect_refusal(&config, WC_E_AUTH, "does not accept our certificate");
    config.client_key = in_dir("client/client.key");
    expect_refusal(&config, WC_E_AUTH, "fit each other");
    config.client_key = in_dir("nowhere.key");
    expect_refusal(&config, WC_E_AUTH, "cannot be used");
}
END_TEST

START_TEST(cert_dir_given)
{
    wci_registry_config config = mock_config();
    shell("mkdir -p certs && cp ca.pem certs/a.crt && cp client/* certs");
    config.cert_dir = in_dir("certs");
    pull_image(&config);
    shell("rm certs/client.key");
    expect_refusal(&config, WC_E_NOT_FOUND, "client.key");
    config.cert_dir = in_dir("nowhere");
    expect_refusal(&config, WC_E_NOT_FOUND, "nowhere");
    shell("rm certs/client.cert; echo nonsense >certs/a.crt");
    config.cert_dir = in_dir("certs");
    expect_refusal(&config, WC_E_INVALID, "malformed");
}
END_TEST

START_TEST(cert_dir_of_the_user)
{
    wci_registry_config config = mock_config();
    char command[512];
    setenv("HOME", dir, 1);
    expect_refusal(&config, WC_E_NETWORK, "not trusted");
    snprintf(command, sizeof command,
             "mkdir -p .config/containers/certs.d/%s && cd .config/containers/certs.d/%s && cp ../../../../ca.pem a.crt && "
             "cp ../../../../client/* .", address, address);
    shell(command);
    pull_image(&config);
    shell("mkdir empty"); /* the one that was given is the only one */
    config.cert_dir = in_dir("empty");
    expect_refusal(&config, WC_E_NETWORK, "not trusted");
}
END_TEST

static void add_case(Suite *suite, const char *name, void (*start_it)(void), const TTest **tests)
{
    TCase *t = tcase_create(name);
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, start_it, stop_all);
    for (; *tests; tests++)
        tcase_add_test(t, *tests);
    suite_add_tcase(suite, t);
}

int main(void)
{
    if (run("command -v docker-registry skopeo htpasswd openssl python3 setpriv >/dev/null")) {
        printf("SKIP: docker-registry, skopeo, htpasswd, openssl or python3 is not installed\n");
        return 77;
    }
    Suite *suite = suite_create("registry server");
    const TTest *plain[] = {plain_pull, plain_not_found, plain_resume, NULL};
    const TTest *login[] = {login_pull, login_from_file, NULL};
    const TTest *tls[] = {tls_pull, NULL};
    const TTest *client_auth[] = {client_cert_given, client_cert_unfit, cert_dir_given, cert_dir_of_the_user, NULL};
    add_case(suite, "plain", start_plain, plain);
    add_case(suite, "login", start_login, login);
    add_case(suite, "tls", start_tls, tls);
    add_case(suite, "client auth", start_client_auth, client_auth);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
