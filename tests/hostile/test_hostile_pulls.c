/* SPDX-License-Identifier: Apache-2.0 */
/* Layers that mean harm, through a whole pull: nothing of them stays in the store. */
#include "support/chunked.h"
#include "support/layout.h"

#define TYPE_GZIP WCI_TYPE_OCI_LAYER "+gzip"
#define TYPE_ZSTD WCI_TYPE_OCI_LAYER "+zstd"

static const char *annotation, *old_annotation; /* of the layer: the digest of its table of contents */

/* With the closing brace of the descriptor moved. */
static void annotate(char **layer)
{
    const char *now = annotation ? annotation : "", *old = old_annotation ? old_annotation : "";
    if (!*now && !*old)
        return;
    char *text = test_text("%.*s,\"annotations\":{\"%s\":\"%s\",\"%s\":\"%s\"}}", (int)strlen(*layer) - 1,
                           *layer, *now ? WCI_ANNOTATION_TABLE : "x", now,
                           *old ? WCI_ANNOTATION_OLD_TABLE : "y", old);
    free(*layer);
    *layer = text;
}

/* An image of one layer for `os` in the layout: the tar as it is, and as it is stored. */
static void put_layer(const char *os, const tarball *tar, const char *type, const tarball *stored)
{
    wci_digest diff_id;
    test_ok(wci_digest_of(WCI_SHA256, tar->data, tar->size, &diff_id, NULL));
    char *config = test_text("{\"os\":\"%s\",\"architecture\":\"amd64\",\"rootfs\":{\"type\":\"layers\","
                             "\"diff_ids\":[\"%s\"]}}",
                             os, diff_id.text);
    char *layer = layout_descriptor(type, stored->data, stored->size);
    annotate(&layer);
    char *descriptor = layout_descriptor(WCI_TYPE_OCI_CONFIG, config, strlen(config));
    char *manifest = layout_manifest(descriptor, layer, "");
    layout_index(layout_descriptor(WCI_TYPE_OCI_MANIFEST, manifest, strlen(manifest)));
    free(config);
    free(layer);
    free(descriptor);
    free(manifest);
}

static int32_t pull_layer(const char *os, const tarball *tar, const char *type, const tarball *stored)
{
    put_layer(os, tar, type, stored);
    return layout_pull();
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

static int32_t pull_chunked(const chunked *c)
{
    return pull_layer("linux", &c->tar, TYPE_ZSTD, &c->stored);
}

START_TEST(case_19_table_of_the_annotation)
{
    static const char other[] = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    chunked c = {0};
    chunked_sample(&c);
    chunked_end(&c);
    annotation = other;
    assert_refused(pull_chunked(&c), WC_E_FORMAT);
    old_annotation = c.table.text;
    assert_refused(pull_chunked(&c), WC_E_FORMAT);
    annotation = "";
    test_ok(pull_chunked(&c));
    chunked_free(&c);
}
END_TEST

/* The annotation is all that others look at. */
START_TEST(case_19_annotation_without_a_table)
{
    chunked c = {0};
    chunked_sample(&c);
    chunked_end(&c);
    annotation = c.table.text;
    test_ok(pull_chunked(&c));
    tar_zeros(&c.tar, 512); /* another layer */
    tarball gzip = TARBALL_INIT;
    tar_gzip(&gzip, c.tar.data, c.tar.size);
    test_code(pull_layer("linux", &c.tar, TYPE_GZIP, &gzip), WC_E_FORMAT);
    ck_assert_uint_eq(layout_image_count(), 1);
    tar_free(&gzip);
    chunked_free(&c);
}
END_TEST

START_TEST(case_19_lying_table_leaves_nothing)
{
    chunked c = {0};
    chunked_sample(&c);
    chunked_replace(&c.contents, "\"mode\":493", "\"mode\":2541");
    chunked_end(&c);
    annotation = c.table.text;
    assert_refused(pull_chunked(&c), WC_E_FORMAT);
    chunked_free(&c);
}
END_TEST

/* Copies the layout's image to another, its layers as zstd:chunked, which is then the layout. */
static void convert_with_skopeo(void)
{
    char *to = test_text("%s/converted", layout_base);
    char *convert = test_text("skopeo copy -q --dest-compress-format zstd:chunked oci:%s oci:%s:x", layout_dir, to);
    char *look = test_text("grep -l zstd-chunked.manifest-checksum %s/blobs/sha256/*", to);
    ck_assert_int_eq(test_run(convert, NULL), 0);
    ck_assert_int_eq(test_run(look, NULL), 0);
    free(look);
    free(convert);
    free(layout_dir);
    layout_dir = to;
}

/* What a tool in use writes is taken; that it has a table, its annotation tells. */
START_TEST(zstd_chunked_of_skopeo)
{
    chunked c = {0};
    tarball gzip = TARBALL_INIT;
    if (!test_have_program("skopeo")) {
        printf("SKIPPED PART: zstd_chunked_of_skopeo: skopeo is not installed\n");
        return;
    }
    chunked_sample(&c);
    char *large = malloc(3000000);
    for (int i = 0; i < 3000000; i++)
        large[i] = (char)(i < 2000000 ? i * 7 % 251 + i / 1000 : 0);
    chunked_put(&c, .name = "large", .text = large, .size = 3000000);
    free(large);
    tar_zeros(&c.tar, 1024);
    tar_gzip(&gzip, c.tar.data, c.tar.size);
    put_layer("linux", &c.tar, TYPE_GZIP, &gzip);
    convert_with_skopeo();
    test_ok(layout_pull());
    tar_free(&gzip);
    chunked_free(&c);
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
    tcase_add_test(tc, case_19_table_of_the_annotation);
    tcase_add_test(tc, case_19_annotation_without_a_table);
    tcase_add_test(tc, case_19_lying_table_leaves_nothing);
    tcase_add_test(tc, zstd_chunked_of_skopeo);
    tcase_add_test(tc, case_21_layer_of_a_windows_image);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
