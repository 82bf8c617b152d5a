/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a directory of its own, and short ways to fill it. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/str.h"
#include "platform/file.h"
#include "platform/host.h"
#include "platform/thread.h"
#include "store/internal.h"

#define FIXTURE_UNUSED __attribute__((unused))

static char fixture_base[256];
static char fixture_root[300], fixture_run[300];
static wci_store *store;
static wc_error *error;
static wc_call call;

/* Fails with the error's text. */
#define ok(expression)                                                                             \
    do {                                                                                           \
        int32_t ok_rc = (expression);                                                              \
        ck_assert_msg(ok_rc == WC_OK, "%s: %s: %s", #expression, wc_code_name(ok_rc),              \
                      error ? wc_error_message(error) : "");                                       \
    } while (0)
#define fails(code, expression)                                                                    \
    do {                                                                                           \
        int32_t fails_rc = (expression);                                                           \
        ck_assert_msg(fails_rc == (code), "%s: %s instead of %s: %s", #expression,                 \
                      wc_code_name(fails_rc), #code, error ? wc_error_message(error) : "");        \
        ck_assert_ptr_nonnull(error);                                                              \
        ck_assert_int_eq(wc_error_code(error), code);                                              \
        wci_err_clear(&error);                                                                     \
    } while (0)

FIXTURE_UNUSED static void open_store(void)
{
    ok(wci_store_open(&call, fixture_root, fixture_run, 0, &store, &error));
}

FIXTURE_UNUSED static void close_store(void)
{
    wci_store_unref(store);
    store = NULL;
}

FIXTURE_UNUSED static void fixture_paths(const char *base)
{
    snprintf(fixture_base, sizeof fixture_base, "%s", base);
    snprintf(fixture_root, sizeof fixture_root, "%s/root", base);
    snprintf(fixture_run, sizeof fixture_run, "%s/run", base);
}

FIXTURE_UNUSED static void setup(void)
{
    const char *tmp = getenv("TMPDIR");
    char base[200];
    snprintf(base, sizeof base, "%s/wc-store-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(base));
    fixture_paths(base);
    open_store();
}

FIXTURE_UNUSED static void teardown(void)
{
    close_store();
    ok(wci_dir_remove_all(fixture_base, &error));
}

FIXTURE_UNUSED static wci_digest digest_of(const void *data, size_t size)
{
    wci_digest digest;
    ok(wci_digest_of(WCI_SHA256, data, size, &digest, &error));
    return digest;
}

FIXTURE_UNUSED static wci_digest digest_of_text(const char *text)
{
    return digest_of(text, strlen(text));
}

FIXTURE_UNUSED static wci_hold *new_hold(void)
{
    wci_hold *hold = NULL;
    ok(wci_hold_new(store, &hold, &error));
    return hold;
}

FIXTURE_UNUSED static wci_digest put_text(wci_hold *hold, const char *text)
{
    wci_digest digest = digest_of_text(text);
    ok(wci_blob_put(&call, hold, &digest, text, strlen(text), &error));
    return digest;
}

FIXTURE_UNUSED static void write_file(const char *path, const void *data, size_t size)
{
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(data, 1, size, f), size);
    ck_assert_int_eq(fclose(f), 0);
}

/* A tree with one directory and one file. */
FIXTURE_UNUSED static void fill_tree(const char *dir, const char *text)
{
    char path[600];
    snprintf(path, sizeof path, "%s/fs/d", dir);
    ok(wci_dir_make(path, 0755, &error));
    snprintf(path, sizeof path, "%s/fs/d/file", dir);
    write_file(path, text, strlen(text));
}

/* NULL when the tree is there already. */
FIXTURE_UNUSED static wci_staging *make_tree(wci_hold *hold, wci_tree_kind kind,
                                             const wci_digest *key, int is_empty)
{
    wci_staging *staging = NULL;
    ok(wci_staging_begin(&call, hold, kind, key, &staging, &error));
    if (!staging)
        return NULL;
    if (!is_empty)
        fill_tree(wci_staging_dir(staging), key->text);
    ok(wci_staging_commit(staging, 100, 2, is_empty, &error));
    return staging;
}

/* An image with the layers named by `layers` ("ab": two layers 'a' and 'b', shared by all images
 * that name them), unpacked; every second X is empty. Returns the manifest's digest. */
FIXTURE_UNUSED static int32_t try_publish(const char *name, const char *layers, wci_digest *out,
                                          wc_error **err)
{
    wci_hold *hold = new_hold();
    wci_image_record *record = wci_calloc(1, sizeof *record);
    size_t count = strlen(layers);
    wci_staging *stagings[64] = {NULL};
    char text[200];
    snprintf(text, sizeof text, "config %s", layers);
    record->config = put_text(hold, text);
    snprintf(text, sizeof text, "manifest %s", layers);
    record->manifest = put_text(hold, text);
    record->media_type = wci_strdup("application/vnd.oci.image.manifest.v1+json");
    record->os = wci_strdup("linux");
    record->arch = wci_strdup("amd64");
    record->variant = wci_strdup("");
    record->os_version = wci_strdup("");
    record->created_ns = 1000;
    record->size = 3;
    record->layers = wci_calloc(count ? count : 1, sizeof *record->layers);
    record->layer_count = count;
    wci_digest chain = {""};
    for (size_t i = 0; i < count; i++) {
        wci_layer_record *layer = &record->layers[i];
        snprintf(text, sizeof text, "layer %c", layers[i]);
        layer->digest = put_text(hold, text);
        layer->size = strlen(text);
        snprintf(text, sizeof text, "diff %c", layers[i]);
        layer->diff_id = digest_of_text(text);
        ok(wci_digest_chain(&chain, &layer->diff_id, &error));
        layer->chain_id = chain;
        layer->media_type = wci_strdup("application/vnd.oci.image.layer.v1.tar");
        stagings[2 * i] = make_tree(hold, WCI_TREE_LAYER, &layer->diff_id, 0);
        stagings[2 * i + 1] = make_tree(hold, WCI_TREE_LINKS, &layer->chain_id, i % 2 == 0);
    }
    if (name)
        ck_assert_int_eq(wci_strv_add(&record->names, name), 0);
    int32_t rc = wci_image_publish(&call, store, record, "pull", stagings, 2 * count, err);
    if (!rc)
        *out = record->manifest;
    for (size_t i = 0; i < 2 * count && rc; i++)
        wci_staging_free(stagings[i]);
    wci_image_record_free(record);
    wci_hold_free(hold);
    return rc;
}

FIXTURE_UNUSED static wci_digest publish_image(const char *name, const char *layers)
{
    wci_digest manifest;
    ok(try_publish(name, layers, &manifest, &error));
    return manifest;
}

FIXTURE_UNUSED static wci_digest diff_id_of(char layer)
{
    char text[8];
    snprintf(text, sizeof text, "diff %c", layer);
    return digest_of_text(text);
}

FIXTURE_UNUSED static wci_digest blob_of(char layer)
{
    char text[8];
    snprintf(text, sizeof text, "layer %c", layer);
    return digest_of_text(text);
}

FIXTURE_UNUSED static int has_blob(const wci_digest *digest)
{
    uint64_t size;
    return wci_blob_stat(store, digest, &size, NULL) == WC_OK;
}

FIXTURE_UNUSED static int has_tree(char layer)
{
    wci_digest key = diff_id_of(layer);
    char *path = NULL;
    int there = wci_tree_path(store, WCI_TREE_LAYER, &key, &path, NULL) == WC_OK;
    wci_free(path);
    return there;
}

FIXTURE_UNUSED static int count_in(const char *dir)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", fixture_root, dir);
    wci_strv names = WCI_STRV_INIT;
    ok(wci_dir_list(path, &names, &error));
    int count = (int)names.count;
    wci_strv_free(&names);
    return count;
}

/* Fails with the lines when the check finds anything. */
FIXTURE_UNUSED static void check_clean(void)
{
    wci_strv findings = WCI_STRV_INIT;
    ok(wci_store_check(&call, store, 0, &findings, &error));
    ck_assert_msg(findings.count == 0, "check: %s", findings.count ? findings.items[0] : "");
    wci_strv_free(&findings);
}

FIXTURE_UNUSED static void insert_container(const char *id, const char *name,
                                            const wci_digest *image)
{
    wci_container_record record = {.name = (char *)name,
                                   .backend = (char *)"mock",
                                   .image_name = (char *)"image",
                                   .config = (char *)"{}",
                                   .error = (char *)"",
                                   .created_ns = wci_now_ns()};
    snprintf(record.id, sizeof record.id, "%s", id);
    if (image)
        record.image = *image;
    ok(wci_container_insert(store, &record, &error));
}

/* Runs this program again with these arguments, and waits when `status` is given. */
FIXTURE_UNUSED static pid_t run_self(const char *what, const char *a, const char *b)
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        execl("/proc/self/exe", "store-test-child", what, fixture_base, a ? a : "", b ? b : "",
              (char *)NULL);
        _exit(127);
    }
    return pid;
}

FIXTURE_UNUSED static int wait_for(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        ck_assert_int_eq(errno, EINTR);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

FIXTURE_UNUSED static int run_tests(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

#endif
