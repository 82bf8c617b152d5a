/* SPDX-License-Identifier: Apache-2.0 */
/* Layers that mean harm, through a whole pull: nothing of them stays in the store. */
#include "support/layout.h"
#include "support/tarball.h"

#define TYPE_GZIP WCI_TYPE_OCI_LAYER "+gzip"
#define TYPE_ZSTD WCI_TYPE_OCI_LAYER "+zstd"

/* An image of one layer for `os`: the tar as it is, and as it is stored. */
static int32_t pull_layer(const char *os, const tarball *tar, const char *type, const tarball *stored)
{
    wci_digest diff_id;
    test_ok(wci_digest_of(WCI_SHA256, tar->data, tar->size, &diff_id, NULL));
    char *config = test_text("{\"os\":\"%s\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\","
                             "\"diff_ids\":[\"%s\"]}}",
                             os, diff_id.text);
    char *layer = layout_descriptor(type, stored->data, stored->size);
    char *descriptor = layout_descriptor(WCI_TYPE_OCI_CONFIG, config, strlen(config));
    int32_t code = layout_pull_manifest(layout_manifest(descriptor, layer, ""));
    free(config);
    free(layer);
    free(descriptor);
    return code;
}

static void assert_empty(const char *dir)
{
    char *command = test_text("ls -A %s/root/%s", layout_base, dir), *names;
    ck_assert_int_eq(test_run(command, &names), 0);
    ck_assert_msg(!*names, "left in %s: %s", dir, names);
    free(names);
    free(command);
}

static void assert_refused(int32_t code, int32_t want)
{
    test_code(code, want);
    ck_assert_ptr_nonnull(layout_error);
    ck_assert_uint_eq(layout_image_count(), 0);
    assert_empty("staging");
    assert_empty("trees");
    assert_empty("links");
    assert_empty("holds");
}

/* The ratio is beyond what any tar needs, and shows only once much has been written. */
START_TEST(case_16_bomb_leaves_nothing)
{
    const size_t zeros = 200 << 20;
    char block[512];
    tarball plain = TARBALL_INIT, bomb = TARBALL_INIT;
    tar_file(&plain, "before", "written before the bomb goes off");
    tar_header(block, &(tar_item){.name = "zeros"}, zeros);
    tar_bytes(&plain, block, sizeof block);
    tar_zeros(&plain, zeros);
    tar_end(&plain);
    tar_zstd(&bomb, plain.data, plain.size);
    assert_refused(pull_layer("linux", &plain, TYPE_ZSTD, &bomb), WC_E_LIMIT);
    tar_free(&plain);
    tar_free(&bomb);
}
END_TEST

START_TEST(case_17_truncated_layer_leaves_nothing)
{
    tarball plain = TARBALL_INIT, gzip = TARBALL_INIT;
    tar_file(&plain, "f", "x");
    tar_zeros(&plain, 1 << 20);
    tar_gzip(&gzip, plain.data, plain.size);
    gzip.size -= 20;
    assert_refused(pull_layer("linux", &plain, TYPE_GZIP, &gzip), WC_E_FORMAT);
    tar_free(&plain);
    tar_free(&gzip);
}
END_TEST

START_TEST(case_18_wrong_diff_id_leaves_nothing)
{
    tarball plain = TARBALL_INIT, other = TARBALL_INIT;
    tar_file(&plain, "f", "x");
    tar_end(&plain);
    tar_file(&other, "f", "y");
    tar_end(&other);
    assert_refused(pull_layer("linux", &plain, WCI_TYPE_OCI_LAYER, &other), WC_E_DIGEST);
    tar_free(&plain);
    tar_free(&other);
}
END_TEST

/* No record says that it is one of Windows, but the config does. */
START_TEST(case_21_layer_of_a_windows_image)
{
    tarball plain = TARBALL_INIT;
    tar_file(&plain, "Files/CON", "x");
    tar_end(&plain);
    assert_refused(pull_layer("windows", &plain, WCI_TYPE_OCI_LAYER, &plain), WC_E_FORMAT);
    test_ok(pull_layer("linux", &plain, WCI_TYPE_OCI_LAYER, &plain));
    tar_free(&plain);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("hostile pulls");
    TCase *tc = tcase_create("pulls");
    tcase_add_checked_fixture(tc, layout_setup, layout_teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, case_16_bomb_leaves_nothing);
    tcase_add_test(tc, case_17_truncated_layer_leaves_nothing);
    tcase_add_test(tc, case_18_wrong_diff_id_leaves_nothing);
    tcase_add_test(tc, case_21_layer_of_a_windows_image);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
