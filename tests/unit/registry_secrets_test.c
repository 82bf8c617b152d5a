/* SPDX-License-Identifier: Apache-2.0 */
/* No secret is left in memory that was given back, nor in an error: an allocator of our own looks at every block
 * before it goes. */
#include "registry_fixture.h"

#include <execinfo.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include <wincontainer/memory.h>

#include "core/error.h"
#include "mock_azure.h"
#include "registry/azure.h"
#include "registry/credentials.h"
#include "registry/helper.h"
#include "registry/login.h"

#define PASSWORD "Tr0ub4dor-and-3"
#define CODED "dXNlcjpUcjB1YjRkb3ItYW5kLTM" /* base64 of "user:" PASSWORD, without what depends on its end */

static const char *const secrets[] = {PASSWORD, CODED, "secret-token-", "refresh-me", "pr0xy-word", SIGNATURE, OPAQUE};

/* ---- The allocator ------------------------------------------------------------------------------------ */

static atomic_int leaks;
static int quiet;

static void report(const char *secret)
{
    void *frames[24];
    leaks++;
    if (quiet)
        return;
    printf("memory given back with '%s':\n", secret);
    fflush(stdout);
    backtrace_symbols_fd(frames, backtrace(frames, 24), 1);
}

static void look_at(const char *data, size_t size)
{
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        if (memmem(data, size, secrets[i], strlen(secrets[i])))
            report(secrets[i]);
}

typedef struct block {
    size_t size;
    max_align_t data[];
} block;

static block *block_of(void *ptr)
{
    return (block *)((char *)ptr - offsetof(block, data));
}

static void release(void *ptr, uintptr_t payload)
{
    (void)payload;
    look_at(ptr, block_of(ptr)->size);
    free(block_of(ptr));
}

/* Always to another place, where libc would sometimes grow the old one; and without what others, such as curl, left
 * there. */
static void *reallocate(void *ptr, size_t size, uintptr_t payload)
{
    block *fresh = calloc(1, sizeof *fresh + size);
    if (!fresh)
        return NULL;
    fresh->size = size;
    if (ptr) {
        size_t old = block_of(ptr)->size;
        memcpy(fresh->data, ptr, old < size ? old : size);
        release(ptr, payload);
    }
    return fresh->data;
}

/* ---- What is done with secrets ------------------------------------------------------------------------ */

static char dir[64], file[80], host[32];

static void make_dir(void)
{
    strcpy(dir, "/tmp/wc-secrets-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(file, sizeof file, "%s/auth.json", dir);
    snprintf(host, sizeof host, "127.0.0.1:%d", mock_port);
    mock_reset();
    leaks = 0;
}

static void remove_dir(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(leaks, 0);
}

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
}

static void write_auths(const char *entry)
{
    char text[1024];
    snprintf(text, sizeof text, "{\"auths\": {\"%s\": %s}}", host, entry);
    write_text(file, text);
}

/* An error may say much, but nothing of a secret. */
static void check_error(wc_error *err)
{
    wc_buf *text = NULL;
    if (!err)
        return;
    ck_assert_int_eq(wc_error_format(err, &text), WC_OK);
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++)
        ck_assert_msg(!strstr(wc_buf_data(text), secrets[i]), "%s", wc_buf_data(text));
    wc_buf_unref(text);
    wc_error_unref(err);
}

static void expect(const wci_registry_config *config, const char *repository, int32_t want)
{
    WCI_CALL_NONE(call);
    wc_buf *body = NULL;
    char *type = NULL;
    wci_digest digest;
    wc_error *err = NULL;
    wci_remote *remote = mock_open_with(config, repository);
    int32_t code = wci_remote_manifest(&call, remote, "v1", &body, &type, &digest, &err);
    ck_assert_msg(code == want, "%s: %s", repository, err ? wc_error_message(err) : "it went well");
    wci_remote_close(remote);
    wc_buf_unref(body);
    wci_free(type);
    check_error(err);
}

static wci_registry_config with_password(void)
{
    wci_registry_config config = mock_config();
    config.username = "user";
    config.password = PASSWORD;
    return config;
}

static wci_registry_config with_file(const char *entry)
{
    wci_registry_config config = mock_config();
    write_auths(entry);
    config.auth_file = file;
    return config;
}

START_TEST(password_given)
{
    wci_registry_config config = with_password();
    expect(&config, "basic/x", WC_OK);
    expect(&config, "bearerauth/x", WC_OK);
    expect(&config, "expire/x", WC_OK);
    expect(&config, "scopeonce/x", WC_OK);
    expect(&config, "openquote/x", WC_E_FORMAT);
    expect(&config, "tokendown/x", WC_E_NETWORK);
    config.password = PASSWORD "-wrong";
    expect(&config, "basic/x", WC_E_AUTH);
    expect(&config, "bearerauth/x", WC_E_AUTH);
}
END_TEST

START_TEST(password_in_a_file)
{
    wci_registry_config config = with_file("{\"auth\": \"" CODED "=\"}");
    expect(&config, "basic/x", WC_OK);
    expect(&config, "bearerauth/x", WC_OK);
    config = with_file("{\"username\": \"user\", \"password\": \"" PASSWORD "\"}");
    expect(&config, "basic/x", WC_OK);
    config = with_file("{\"auth\": \"" CODED "*\"}");
    expect(&config, "basic/x", WC_E_FORMAT);
    config = with_file("{\"auth\": \"" CODED "\" \"password\": \"" PASSWORD "\"}");
    expect(&config, "basic/x", WC_E_FORMAT);
    config = with_file("{\"auth\": [\"" CODED "\"], \"password\": {\"is\": \"" PASSWORD "\"}}");
    expect(&config, "basic/x", WC_E_FORMAT);
}
END_TEST

START_TEST(refresh_token)
{
    wci_registry_config config = with_file("{\"identitytoken\": \"refresh-me\"}");
    expect(&config, "bearer/x", WC_OK);
    config = with_file("{\"identitytoken\": \"refresh-me-not\"}");
    expect(&config, "bearerauth/x", WC_E_AUTH);
}
END_TEST

START_TEST(tokens_of_azure)
{
    wci_registry_config config = mock_config();
    config.username = WCI_AZURE_USER;
    config.password = ENTRA;
    expect(&config, "azure/x", WC_OK);
    config.password = OPAQUE;
    expect(&config, "azure/x", WC_OK);
    config.password = OWN;
    expect(&config, "azure/x", WC_OK);
    config.password = ENTRA "x";
    expect(&config, "azure/x", WC_E_AUTH);
}
END_TEST

static void make_helper(const char *script)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/docker-credential-test", dir);
    write_text(path, script);
    chmod(path, 0700);
    snprintf(path, sizeof path, "%s:%s", dir, getenv("PATH"));
    setenv("PATH", path, 1);
    write_text(file, "{\"credsStore\": \"test\"}");
}

START_TEST(helper)
{
    WCI_CALL_NONE(call);
    wci_registry_config config = with_password();
    config.auth_file = file;
    wc_error *err = NULL;
    make_helper("#!/bin/sh\ncase $1 in get) echo '{\"Username\": \"user\", \"Secret\": \"" PASSWORD "\"}' ;; *) cat >/dev/null ;; "
                "esac\n");
    ck_assert_int_eq(wci_login(&call, &config, host, &err), WC_OK);
    config.username = config.password = NULL;
    expect(&config, "basic/x", WC_OK);
    make_helper("#!/bin/sh\necho '{\"Username\": \"<token>\", \"Secret\": \"refresh-me\"}'\n");
    expect(&config, "bearer/x", WC_OK);
    make_helper("#!/bin/sh\necho '{\"Username\": \"user\", \"Secret\": [\"" PASSWORD "\"'\n");
    expect(&config, "basic/x", WC_E_FORMAT);
    make_helper("#!/bin/sh\nread -r line; echo \"$line\"\n"); /* says back what it was told */
    config = with_password();
    config.auth_file = file;
    ck_assert_int_eq(wci_login(&call, &config, host, &err), WC_E_AUTH);
    check_error(err);
}
END_TEST

START_TEST(login_and_logout)
{
    WCI_CALL_NONE(call);
    wci_registry_config config = with_password();
    wc_error *err = NULL;
    char *user = NULL;
    config.auth_file = file;
    ck_assert_int_eq(wci_login(&call, &config, host, &err), WC_OK);
    ck_assert_int_eq(wci_login(&call, &config, host, &err), WC_OK);
    ck_assert_int_eq(wci_login_user(&call, &config, host, &user, &err), WC_OK);
    ck_assert_str_eq(user, "user");
    wci_free(user);
    config.username = config.password = NULL;
    expect(&config, "basic/x", WC_OK);
    ck_assert_int_eq(wci_logout(&call, &config, host, &err), WC_OK);
    write_text(file, "[\"" PASSWORD "\"]");
    config = with_password();
    config.auth_file = file;
    ck_assert_int_eq(wci_login(&call, &config, host, &err), WC_E_FORMAT);
    check_error(err);
}
END_TEST

/* The mock answers for any host that it is asked for. */
START_TEST(proxy_with_a_password)
{
    WCI_CALL_NONE(call);
    wci_registry_config config = with_password();
    wci_remote *remote = NULL;
    wc_buf *body = NULL;
    char *type = NULL, proxy[96];
    wci_digest digest;
    wc_error *err = NULL;
    snprintf(proxy, sizeof proxy, "http://someone:pr0xy-word@127.0.0.1:%d", mock_port);
    setenv("http_proxy", proxy, 1);
    setenv("https_proxy", proxy, 1);
    config.tls_verify = 0;
    ck_assert_int_eq(wci_remote_open(&call, &config, "registry.example:80", "basic/x", &remote, NULL), WC_OK);
    int32_t code = wci_remote_manifest(&call, remote, "v1", &body, &type, &digest, &err);
    ck_assert_msg(!code, "%s", err ? error_text(err) : "");
    wci_remote_close(remote);
    wc_buf_unref(body);
    wci_free(type);
    ck_assert_int_gt(mock_count("\"proxy\": \"Basic c29tZW9uZTpwcjB4eS13b3Jk\""), 0);
    /* One that nobody listens at: neither its name nor its password is told. */
    setenv("http_proxy", "http://someone:pr0xy-word@127.0.0.1:1", 1);
    setenv("https_proxy", "http://someone:pr0xy-word@127.0.0.1:1", 1);
    ck_assert_int_eq(wci_remote_open(&call, &config, "registry.example:80", "basic/x", &remote, NULL), WC_OK);
    ck_assert_int_eq(wci_remote_manifest(&call, remote, "v1", &body, &type, &digest, &err), WC_E_NETWORK);
    wci_remote_close(remote);
    check_error(err);
}
END_TEST

/* The allocator would tell. */
START_TEST(the_allocator_sees)
{
    quiet = 1;
    wci_free(wci_strdup("x" PASSWORD));
    ck_assert_int_eq(leaks, 1);
    wci_secret_free(wci_strdup("x" PASSWORD));
    ck_assert_int_eq(leaks, 1);
    wci_str text = WCI_STR_INIT;
    for (int i = 0; i < 100; i++)
        wci_str_append(&text, PASSWORD);
    ck_assert_int_gt(leaks, 1);
    wci_str_free(&text);
    leaks = quiet = 0;
    text = (wci_str)WCI_SECRET_STR_INIT;
    for (int i = 0; i < 100; i++)
        wci_str_printf(&text, "%s", PASSWORD);
    ck_assert_uint_eq(text.size, 100 * strlen(PASSWORD));
    wci_str_clear(&text);
    wci_str_append(&text, PASSWORD);
    wc_buf *buf = NULL;
    ck_assert_int_eq(wci_str_to_buf(&text, &buf, NULL), WC_OK);
    wc_buf_unref(buf);
    ck_assert_int_eq(leaks, 0);
}
END_TEST

int main(void)
{
    const wc_allocator ours = {sizeof ours, reallocate, release, 0};
    if (wci_set_allocator(&ours, NULL))
        return EXIT_FAILURE;
    Suite *suite = suite_create("registry secrets");
    mock_password = PASSWORD;
    mock_start();
    TCase *t = tcase_create("secrets");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, make_dir, remove_dir);
    tcase_add_test(t, the_allocator_sees);
    tcase_add_test(t, password_given);
    tcase_add_test(t, password_in_a_file);
    tcase_add_test(t, refresh_token);
    tcase_add_test(t, tokens_of_azure);
    tcase_add_test(t, helper);
    tcase_add_test(t, login_and_logout);
    tcase_add_test(t, proxy_with_a_password);
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
