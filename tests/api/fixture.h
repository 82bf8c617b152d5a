/* SPDX-License-Identifier: Apache-2.0 */
/* A store on the mock backend for each test, calls that say what went wrong, and images made of small tars. */
#ifndef WC_API_FIXTURE_H
#define WC_API_FIXTURE_H

#include <wincontainer/wincontainer.h>

#include "support/support.h"

static char *dir;
static wc_context *context;
static wc_error *err;

TEST_HELPER void good(int32_t code)
{
    ck_assert_msg(code == WC_OK, "%s: %s", wc_code_name(code), err ? wc_error_message(err) : "");
}

/* The code, with an error that has it. */
TEST_HELPER void bad(int32_t code, int32_t want)
{
    ck_assert_msg(code == want, "%s: %s", wc_code_name(code), err ? wc_error_message(err) : "");
    ck_assert_int_eq(wc_error_code(err), want);
    wc_error_unref(err);
    err = NULL;
}

TEST_HELPER char *path_of(const char *name)
{
    return test_text("%s/%s", dir, name);
}

TEST_HELPER void run(const char *command)
{
    char *text = test_text("cd %s && %s", dir, command);
    ck_assert_int_eq(test_run(text, NULL), 0);
    free(text);
}

/* An image of as many layers as there are tars. */
TEST_HELPER wc_image *make_image(const char *name, const char *const *tars, size_t count)
{
    wc_image_edit *edit = NULL;
    wc_image *image = NULL;
    good(wc_image_edit_new(context, NULL, &edit, &err));
    for (size_t i = 0; i < count; i++) {
        char *path = path_of(tars[i]);
        good(wc_image_edit_add_tar(edit, path, &err));
        free(path);
    }
    good(wc_image_edit_apply(edit, name, NULL, &image, &err));
    wc_image_edit_unref(edit);
    return image;
}

TEST_HELPER void setup_with(const char *backend, int32_t log_level)
{
    wc_context_options *options = NULL;
    dir = test_make_dir();
    char *root = path_of("root"), *run_root = path_of("run");
    good(wc_context_options_new(&options, &err));
    good(wc_context_options_set_root(options, root, &err));
    good(wc_context_options_set_run_root(options, run_root, &err));
    good(wc_context_options_set_backend(options, backend, &err));
    good(wc_context_options_set_log_level(options, log_level, &err));
    good(wc_context_open(options, NULL, &context, &err));
    wc_context_options_unref(options);
    run("mkdir -p a/d b/d && echo one >a/d/f && echo two >b/d/g && head -c 3000000 /dev/urandom >b/d/big");
    run("tar -C a -cf a.tar d && tar -C b -cf b.tar d");
    free(root);
    free(run_root);
}

TEST_HELPER void setup(void)
{
    setup_with("mock", WC_LOG_NONE);
}

TEST_HELPER void teardown(void)
{
    wc_context_unref(context);
    test_remove_dir(dir);
}

TEST_HELPER wc_image *two_layers(void)
{
    const char *const tars[] = {"a.tar", "b.tar"};
    return make_image("two", tars, 2);
}

/* The text holds the part. */
TEST_HELPER void has(const char *text, const char *part)
{
    ck_assert_msg(text && strstr(text, part), "no %s in %s", part, text ? text : "NULL");
}

/* The same of bytes, which are released. */
TEST_HELPER void buf_has(wc_buf *buf, const char *part)
{
    has(wc_buf_data(buf), part);
    wc_buf_unref(buf);
}

/* One test case with the store around each of its tests. */
TEST_HELPER TCase *case_with_store(const char *name)
{
    TCase *c = tcase_create(name);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    return c;
}

#endif
