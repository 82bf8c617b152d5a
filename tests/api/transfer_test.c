/* SPDX-License-Identifier: Apache-2.0 */
/* The options of transfers: their arguments, and that what they say arrives. */
#include <wincontainer/wincontainer.h>

#include "support/support.h"

static wc_transfer_options *fresh(void)
{
    wc_transfer_options *options = NULL;
    test_ok(wc_transfer_options_new(&options, NULL));
    return options;
}

typedef int32_t (*text_setter)(wc_transfer_options *options, const char *text, wc_error **err);

static const text_setter setters[] = {
    wc_transfer_options_set_platform,      wc_transfer_options_set_ca_file,         wc_transfer_options_set_cert_dir,
    wc_transfer_options_set_auth_file,     wc_transfer_options_set_target_cert_dir, wc_transfer_options_add_name,
    wc_transfer_options_set_registries_conf,
};

START_TEST(texts)
{
    wc_transfer_options *options = fresh();
    wc_error *err = NULL;
    test_code(setters[_i](NULL, "linux/amd64", &err), WC_E_INVALID);
    ck_assert_ptr_nonnull(err);
    wc_error_unref(err);
    test_code(setters[_i](options, NULL, NULL), WC_E_INVALID);
    test_code(setters[_i](options, "", NULL), WC_E_INVALID);
    test_ok(setters[_i](options, "linux/amd64", NULL));
    test_ok(setters[_i](options, "linux/arm64", NULL));
    wc_transfer_options_unref(options);
}
END_TEST

START_TEST(pairs)
{
    wc_transfer_options *options = fresh();
    test_code(wc_transfer_options_set_client_cert(NULL, "c", "k", NULL), WC_E_INVALID);
    test_code(wc_transfer_options_set_client_cert(options, NULL, "k", NULL), WC_E_INVALID);
    test_code(wc_transfer_options_set_client_cert(options, "", "k", NULL), WC_E_INVALID);
    test_code(wc_transfer_options_set_client_cert(options, "c", "", NULL), WC_E_INVALID);
    test_ok(wc_transfer_options_set_client_cert(options, "c", "k", NULL));
    test_ok(wc_transfer_options_set_client_cert(options, "c", NULL, NULL));
    test_code(wc_transfer_options_set_credentials(NULL, "u", "p", NULL), WC_E_INVALID);
    test_code(wc_transfer_options_set_credentials(options, "", "p", NULL), WC_E_INVALID);
    test_code(wc_transfer_options_set_credentials(options, "u", NULL, NULL), WC_E_INVALID);
    test_ok(wc_transfer_options_set_credentials(options, "u", "", NULL));
    test_ok(wc_transfer_options_set_target_credentials(options, "u", "p", NULL));
    wc_transfer_options_unref(options);
}
END_TEST

START_TEST(registries_conf_is_heard)
{
    char *dir = test_make_dir(), *conf = test_text("%s/registries.conf", dir), *root = test_text("%s/root", dir);
    wc_transfer_options *options = fresh();
    wc_context_options *settings = NULL;
    wc_context *context = NULL;
    wc_error *err = NULL;
    FILE *f = fopen(conf, "w");
    fputs("[[registry]]\nlocation = '127.0.0.1:1/bad'\nblocked = true\n[aliases]\nshort = '127.0.0.1:1/bad/image'\n", f);
    fclose(f);
    test_ok(wc_context_options_new(&settings, NULL));
    test_ok(wc_context_options_set_root(settings, root, NULL));
    test_ok(wc_context_open(settings, NULL, &context, NULL));
    test_ok(wc_transfer_options_set_registries_conf(options, conf, NULL));
    static const char *const names[] = {"127.0.0.1:1/bad/image", "short"};
    for (size_t i = 0; i < 2; i++) {
        wc_image *image = NULL;
        test_code(wc_image_pull(context, names[i], options, NULL, &image, &err), WC_E_PERMISSION);
        wc_buf *text = NULL;
        test_ok(wc_error_format(err, &text));
        ck_assert_msg(strstr(wc_buf_data(text), "blocked in") != NULL, "%s", wc_buf_data(text));
        wc_buf_unref(text);
        wc_error_unref(err);
        err = NULL;
    }
    wc_transfer_options_unref(options);
    wc_context_unref(context);
    wc_context_options_unref(settings);
    free(conf);
    free(root);
    test_remove_dir(dir);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("transfer");
    TCase *t = tcase_create("transfer");
    tcase_add_loop_test(t, texts, 0, (int)(sizeof setters / sizeof *setters));
    tcase_add_test(t, pairs);
    tcase_add_test(t, registries_conf_is_heard);
    suite_add_tcase(suite, t);
    return test_main(suite);
}
