/* SPDX-License-Identifier: Apache-2.0 */
/* Looking at registries, logging in, and signatures, through the public functions, against docker-registry; what that
 * one cannot do, against the mock. */
#include "fixture.h"
#include "support/server_process.h"

#define NOWHERE "127.0.0.1:1"

static server_process server, mock;
static char address[64], mock_address[64], *base;

static void start_servers(void)
{
    base = test_make_dir();
    const char *const real[] = {WC_TEST_SOURCE_DIR "/tests/support/registry.sh", "serve", base, "--user", "me", "secret", NULL};
    const char *const small[] = {"python3", WC_TEST_SOURCE_DIR "/tests/support/mock_registry.py", NULL};
    int port = 0;
    if (server_start(&server, real) != 1 || sscanf(server.line, "%63s", address) != 1)
        test_skip("docker-registry or htpasswd is not installed");
    if (server_start(&mock, small) != 1 || sscanf(mock.line, "%d", &port) != 1)
        test_skip("python3 is not installed");
    snprintf(mock_address, sizeof mock_address, "127.0.0.1:%d", port);
}

static void stop_servers(void)
{
    server_stop(&server);
    server_stop(&mock);
    test_remove_dir(base);
}

/* With the right password, and no policy of whoever runs the tests. */
static wc_transfer_options *options_of(const char *password)
{
    wc_transfer_options *options = NULL;
    good(wc_transfer_options_new(&options, &err));
    if (password)
        good(wc_transfer_options_set_credentials(options, "me", password, &err));
    good(wc_transfer_options_set_auth_file(options, WC_TEST_SOURCE_DIR "/tests/support/no-credentials.json", &err));
    return options;
}

/* The image "two" under this name of the real registry; owned. */
static char *pushed(const char *name, const wc_transfer_options *options)
{
    char *target = test_text("%s/%s", address, name);
    wc_image_unref(two_layers());
    good(wc_image_push(context, "two", target, options, NULL, &err));
    return target;
}

START_TEST(looking)
{
    wc_transfer_options *options = options_of("secret");
    char *name = pushed("api/look:1", options);
    wc_buf *out = NULL;
    wc_list *list = NULL;
    wc_image *image = NULL;
    good(wc_image_open(context, "two", &image, &err));
    good(wc_registry_look(context, name, options, NULL, &out, &err));
    buf_has(out, wc_image_digest(image));
    good(wc_registry_manifest(context, name, options, NULL, &out, &err));
    buf_has(out, wc_layer_digest(wc_image_layer(image, 1)));
    good(wc_registry_referrers(context, name, options, NULL, &out, &err));
    buf_has(out, "\"manifests\":[]");
    good(wc_registry_catalog(context, address, options, NULL, &list, &err));
    ck_assert_uint_ge(wc_list_count(list), 1);
    wc_list_unref(list);
    char *missing = test_text("%s/api/none:1", address);
    bad(wc_registry_look(context, missing, options, NULL, &out, &err), WC_E_NOT_FOUND);
    bad(wc_registry_manifest(context, missing, options, NULL, &out, &err), WC_E_NOT_FOUND);
    bad(wc_registry_search(context, "x", 101, options, NULL, &out, &err), WC_E_INVALID);
    free(missing);
    free(name);
    wc_image_unref(image);
    wc_transfer_options_unref(options);
}
END_TEST

START_TEST(artifacts)
{
    wc_transfer_options *options = options_of("secret");
    char *image = pushed("api/box:1", options), *name = test_text("%s/api/box:list", address), *file = test_text("%s/list.txt", base);
    wc_artifact *artifact = NULL;
    wc_buf *out = NULL;
    wc_list *files = NULL;
    test_write_file(file, "one\n", 4);
    bad(wc_artifact_new(context, "no type", &artifact, &err), WC_E_INVALID);
    good(wc_artifact_new(context, "application/example", &artifact, &err));
    bad(wc_artifact_add_file(artifact, "", NULL, &err), WC_E_INVALID);
    bad(wc_artifact_add_file(artifact, file, "none", &err), WC_E_INVALID);
    bad(wc_artifact_add_annotation(artifact, "a=b", "c", &err), WC_E_INVALID);
    bad(wc_artifact_set_subject(artifact, "a/b", &err), WC_E_INVALID);
    good(wc_artifact_add_file(artifact, file, "text/plain", &err));
    good(wc_artifact_add_annotation(artifact, "k", "v", &err));
    good(wc_artifact_set_subject(artifact, "1", &err));
    bad(wc_artifact_push(artifact, "", options, NULL, &out, &err), WC_E_INVALID);
    good(wc_artifact_push(artifact, name, options, NULL, &out, &err));
    buf_has(out, "application/example");
    good(wc_registry_referrers(context, image, options, NULL, &out, &err));
    buf_has(out, "application/example");
    bad(wc_artifact_pull(context, name, base, options, NULL, &files, &err), WC_E_EXISTS);
    ck_assert_int_eq(unlink(file), 0);
    good(wc_artifact_pull(context, name, base, options, NULL, &files, &err));
    ck_assert_str_eq(wc_list_string(files, 0), "list.txt");
    ck_assert_int_eq(access(file, R_OK), 0);
    wc_list_unref(files);
    wc_artifact_unref(artifact);
    wc_transfer_options_unref(options);
    free(image);
    free(name);
    free(file);
}
END_TEST

START_TEST(searching)
{
    wc_transfer_options *options = options_of(NULL);
    char *term = test_text("%s/box", mock_address);
    wc_buf *out = NULL;
    good(wc_registry_search(context, term, 10, options, NULL, &out, &err));
    buf_has(out, "\"found/box\"");
    bad(wc_registry_search(context, "", 10, options, NULL, &out, &err), WC_E_INVALID);
    free(term);
    wc_transfer_options_unref(options);
}
END_TEST

START_TEST(deleting)
{
    wc_transfer_options *options = options_of("secret");
    char *name = pushed("api/delete:1", options);
    wc_image *image = NULL;
    wc_buf *out = NULL;
    good(wc_image_open(context, "two", &image, &err));
    char *exact = test_text("%s/api/delete@%s", address, wc_image_digest(image));
    good(wc_registry_delete(context, exact, options, NULL, &err));
    bad(wc_registry_look(context, name, options, NULL, &out, &err), WC_E_NOT_FOUND);
    bad(wc_registry_delete(context, exact, options, NULL, &err), WC_E_NOT_FOUND);
    free(exact);
    free(name);
    wc_image_unref(image);
    wc_transfer_options_unref(options);
}
END_TEST

START_TEST(deleting_blobs)
{
    wc_transfer_options *options = options_of("secret");
    char *name = pushed("api/blob:1", options);
    wc_image *image = NULL;
    good(wc_image_open(context, "two", &image, &err));
    char *exact = test_text("%s/api/blob@%s", address, wc_layer_digest(wc_image_layer(image, 1)));
    good(wc_registry_delete_blob(context, exact, options, NULL, &err));
    bad(wc_registry_delete_blob(context, exact, options, NULL, &err), WC_E_NOT_FOUND);
    bad(wc_registry_delete_blob(context, name, options, NULL, &err), WC_E_INVALID);
    free(exact);
    free(name);
    wc_image_unref(image);
    wc_transfer_options_unref(options);
}
END_TEST

START_TEST(logging_in)
{
    wc_transfer_options *options = options_of(NULL);
    char *file = path_of("auth.json");
    wc_buf *out = NULL;
    good(wc_transfer_options_set_auth_file(options, file, &err));
    bad(wc_registry_login(context, address, "me", "wrong", options, NULL, &err), WC_E_AUTH);
    ck_assert(access(file, F_OK) != 0);
    good(wc_registry_login(context, address, "me", "secret", options, NULL, &err));
    good(wc_registry_login_user(context, address, options, NULL, &out, &err));
    ck_assert_str_eq(wc_buf_data(out), "me");
    wc_buf_unref(out);
    free(pushed("api/login:1", options));
    good(wc_registry_logout(context, address, options, NULL, &err));
    bad(wc_registry_logout(context, address, options, NULL, &err), WC_E_NOT_FOUND);
    good(wc_registry_login_user(context, address, options, NULL, &out, &err));
    ck_assert_uint_eq(wc_buf_size(out), 0);
    wc_buf_unref(out);
    free(file);
    wc_transfer_options_unref(options);
}
END_TEST

static void write_key(const char *name, wc_buf *buf)
{
    char *path = path_of(name);
    test_write_file(path, wc_buf_data(buf), wc_buf_size(buf));
    wc_buf_unref(buf);
    free(path);
}

/* A pair NAME.key and NAME.pub. */
static void make_keys(const char *name, const char *passphrase)
{
    wc_buf *private_key = NULL, *public_key = NULL;
    char *key = test_text("%s.key", name), *pub = test_text("%s.pub", name);
    good(wc_sign_key_new(passphrase, &private_key, &public_key, &err));
    has(wc_buf_data(private_key), "ENCRYPTED");
    has(wc_buf_data(public_key), "BEGIN PUBLIC KEY");
    write_key(key, private_key);
    write_key(pub, public_key);
    free(key);
    free(pub);
}

START_TEST(signing)
{
    wc_transfer_options *options = options_of("secret");
    char *name = pushed("api/sign:1", options), *key = path_of("a.key"), *good_pub = path_of("a.pub"),
         *bad_pub = path_of("b.pub");
    wc_buf *out = NULL;
    make_keys("a", "word");
    make_keys("b", "");
    bad(wc_image_sign(context, name, 0, options, NULL, &err), WC_E_INVALID); /* no key */
    good(wc_transfer_options_set_sign_key(options, key, "other", &err));
    bad(wc_image_sign(context, name, 0, options, NULL, &err), WC_E_AUTH);
    good(wc_transfer_options_set_sign_key(options, key, "word", &err));
    bad(wc_image_sign(context, name, 8, options, NULL, &err), WC_E_INVALID);
    good(wc_transfer_options_set_policy_key(options, good_pub, &err));
    bad(wc_image_verify(context, name, options, NULL, &out, &err), WC_E_UNTRUSTED);
    good(wc_image_sign(context, name, 0, options, NULL, &err));
    good(wc_image_verify(context, name, options, NULL, &out, &err));
    buf_has(out, "\"sigstore\"");
    good(wc_transfer_options_set_policy_key(options, bad_pub, &err));
    bad(wc_image_verify(context, name, options, NULL, &out, &err), WC_E_UNTRUSTED);
    free(name);
    free(key);
    free(good_pub);
    free(bad_pub);
    wc_transfer_options_unref(options);
}
END_TEST

START_TEST(policies_and_identities)
{
    static const char reject[] = "{\"default\":[{\"type\":\"reject\"}]}";
    wc_transfer_options *options = options_of("secret");
    char *name = pushed("api/policy:1", options), *key = path_of("a.key"), *pub = path_of("a.pub"),
         *policy = path_of("policy.json");
    wc_buf *out = NULL;
    wc_image *image = NULL;
    make_keys("a", "");
    good(wc_transfer_options_set_sign_key(options, key, "", &err));
    good(wc_transfer_options_set_sign_identity(options, "example.org/other:2", &err));
    good(wc_image_sign(context, name, 0, options, NULL, &err));
    good(wc_transfer_options_set_policy_key(options, pub, &err));
    bad(wc_image_verify(context, name, options, NULL, &out, &err), WC_E_UNTRUSTED); /* it claims to be another */
    wc_transfer_options_unref(options);
    options = options_of("secret");
    test_write_file(policy, reject, sizeof reject - 1);
    good(wc_transfer_options_set_policy_file(options, policy, &err));
    bad(wc_image_pull(context, name, options, NULL, &image, &err), WC_E_UNTRUSTED);
    free(name);
    free(key);
    free(pub);
    free(policy);
    wc_transfer_options_unref(options);
}
END_TEST

START_TEST(nonsense_is_refused)
{
    wc_transfer_options *options = options_of(NULL);
    wc_buf *out = NULL, *more = NULL;
    bad(wc_transfer_options_set_max_transfers(options, 0, &err), WC_E_INVALID);
    bad(wc_transfer_options_set_max_transfers(options, 65, &err), WC_E_INVALID);
    good(wc_transfer_options_set_max_transfers(options, 64, &err));
    bad(wc_transfer_options_set_tls_verify(NULL, 1, &err), WC_E_INVALID);
    bad(wc_transfer_options_set_trust_names(NULL, 1, &err), WC_E_INVALID);
    bad(wc_transfer_options_set_policy_file(options, NULL, &err), WC_E_INVALID);
    bad(wc_transfer_options_set_policy_key(options, "", &err), WC_E_INVALID);
    bad(wc_transfer_options_set_sign_key(options, NULL, NULL, &err), WC_E_INVALID);
    bad(wc_transfer_options_set_sign_identity(options, "", &err), WC_E_INVALID);
    bad(wc_sign_key_new(NULL, &out, &more, &err), WC_E_INVALID);
    bad(wc_registry_login(context, address, "", "x", options, NULL, &err), WC_E_INVALID);
    bad(wc_registry_catalog(context, "", options, NULL, NULL, &err), WC_E_INVALID);
    bad(wc_registry_delete(context, NULL, options, NULL, &err), WC_E_INVALID);
    bad(wc_registry_look(context, NOWHERE "/x:1", options, NULL, &out, &err), WC_E_NETWORK);
    wc_transfer_options_unref(options);
}
END_TEST

/* Plain HTTP beyond loopback is refused unless it was asked for. */
START_TEST(tls_is_verified_unless_asked_otherwise)
{
    wc_transfer_options *options = options_of(NULL);
    char *name = test_text("localhost%s/plain/x:1", strchr(mock_address, ':'));
    wc_buf *out = NULL;
    good(wc_transfer_options_set_tls_verify(options, 1, &err));
    good(wc_registry_look(context, name, options, NULL, &out, &err));
    wc_buf_unref(out);
    good(wc_transfer_options_set_tls_verify(options, 0, &err));
    good(wc_registry_look(context, name, options, NULL, &out, &err));
    wc_buf_unref(out);
    free(name);
    wc_transfer_options_unref(options);
}
END_TEST

START_TEST(names_of_archives_are_trusted_when_asked)
{
    wc_transfer_options *options = options_of(NULL);
    const char *const names[] = {"two"};
    char *archive = path_of("archive.tar");
    for (int trust = 0; trust < 2; trust++) {
        wc_list *list = NULL;
        wc_image_unref(two_layers());
        char *target = test_text("docker-archive:%s", archive);
        unlink(archive);
        good(wc_image_save(context, names, 1, target, NULL, NULL, &err));
        good(wc_image_remove(context, "two", WC_REMOVE_FORCE, NULL, NULL, &err));
        good(wc_transfer_options_set_trust_names(options, trust, &err));
        good(wc_image_load(context, archive, options, NULL, &list, &err));
        ck_assert_uint_eq(wc_image_name_count(wc_list_image(list, 0)), (size_t)trust);
        wc_list_unref(list);
        free(target);
    }
    free(archive);
    wc_transfer_options_unref(options);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("registries");
    TCase *c = case_with_store("registries");
    start_servers();
    tcase_add_test(c, looking);
    tcase_add_test(c, artifacts);
    tcase_add_test(c, searching);
    tcase_add_test(c, deleting);
    tcase_add_test(c, deleting_blobs);
    tcase_add_test(c, logging_in);
    tcase_add_test(c, signing);
    tcase_add_test(c, policies_and_identities);
    tcase_add_test(c, nonsense_is_refused);
    tcase_add_test(c, tls_is_verified_unless_asked_otherwise);
    tcase_add_test(c, names_of_archives_are_trusted_when_asked);
    suite_add_tcase(suite, c);
    int failed = test_main(suite);
    stop_servers();
    return failed;
}
