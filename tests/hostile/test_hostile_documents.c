/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests, indexes, configs and archives that mean harm. Each test builds its input and says what
 * must come of it; after every refusal no image is visible. */
#include "support/layout.h"
#include "support/tarball.h"

#include "image/config.h"

static char *good_layer, *good_diff_id, *good_config;

static void setup(void)
{
    layout_setup();
    good_layer = layout_empty_layer(&good_diff_id);
    char *ids = test_text("\"%s\"", good_diff_id), *config = layout_config(ids, "");
    good_config = layout_descriptor(WCI_TYPE_OCI_CONFIG, config, strlen(config));
    free(ids);
    free(config);
}

static void teardown(void)
{
    free(good_layer);
    free(good_diff_id);
    free(good_config);
    layout_teardown();
}

#define refused(code, pull)                                                                        \
    do {                                                                                           \
        test_code(pull, code);                                                                     \
        ck_assert_ptr_nonnull(layout_error);                                                       \
        ck_assert_uint_eq(layout_image_count(), 0);                                                \
    } while (0)

static char *good_manifest(const char *more)
{
    return layout_manifest(good_config, good_layer, more);
}

START_TEST(the_good_image_is_taken)
{
    test_ok(layout_pull_manifest(good_manifest("")));
    ck_assert_uint_eq(layout_image_count(), 1);
}
END_TEST

START_TEST(case_22_manifest_and_index_in_one)
{
    refused(WC_E_FORMAT, layout_pull_manifest(good_manifest(",\"manifests\":[]")));
    char *index = test_text("{\"schemaVersion\":2,\"mediaType\":\"" WCI_TYPE_OCI_INDEX
                            "\",\"manifests\":[],\"layers\":[]}");
    layout_index(layout_descriptor(WCI_TYPE_OCI_INDEX, index, strlen(index)));
    free(index);
    refused(WC_E_FORMAT, layout_pull());
}
END_TEST

START_TEST(case_22_announced_as_something_else)
{
    char *manifest = good_manifest("");
    layout_index(layout_descriptor(WCI_TYPE_DOCKER_MANIFEST, manifest, strlen(manifest)));
    refused(WC_E_FORMAT, layout_pull());
    layout_index(layout_descriptor(WCI_TYPE_OCI_INDEX, manifest, strlen(manifest)));
    refused(WC_E_FORMAT, layout_pull());
    free(manifest);
}
END_TEST

static const char *const double_keys[] = {
    ",\"Layers\":[]", ",\"layers\":[]", ",\"mediatype\":\"x\"", ",\"CONFIG\":{}",
    ",\"\xC5\xBF" "chemaVersion\":1", /* Go folds the long s */
};

START_TEST(case_23_keys_twice_or_in_other_case)
{
    refused(WC_E_FORMAT, layout_pull_manifest(good_manifest(double_keys[_i])));
}
END_TEST

START_TEST(case_23_config_keys_in_other_case)
{
    char *ids = test_text("\"%s\"", good_diff_id);
    refused(WC_E_FORMAT, layout_pull_config(layout_config(ids, ",\"RootFS\":{}")));
    refused(WC_E_FORMAT,
            layout_pull_config(layout_config(ids, ",\"config\":{\"User\":\"a\",\"user\":\"b\"}")));
    free(ids);
}
END_TEST

/* The same within the parts of a document: who takes the first and who takes the last see two images. */
START_TEST(case_23_keys_twice_further_in)
{
    const char *other = "\"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"";
    const char *const more[] = {"digest", "Digest", "size", "SIZE"};
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        char *twice = test_text("%.*s,\"%s\":%s}", (int)strlen(good_layer) - 1, good_layer, more[i],
                                i < 2 ? other : "1");
        refused(WC_E_FORMAT, layout_pull_manifest(layout_manifest(good_config, twice, "")));
        refused(WC_E_FORMAT, layout_pull_manifest(layout_manifest(twice, good_layer, "")));
        layout_index(twice);
        refused(WC_E_FORMAT, layout_pull());
    }
    char *ids = test_text("\"%s\"],\"Diff_IDs\":[%s", good_diff_id, other);
    refused(WC_E_FORMAT, layout_pull_config(layout_config(ids, "")));
    free(ids);
    ids = test_text("\"%s\"],\"diff_ids\":[%s", good_diff_id, other);
    refused(WC_E_FORMAT, layout_pull_config(layout_config(ids, "")));
    free(ids);
}
END_TEST

static const char *const bad_digests[] = {
    "sha256:../../x",
    "sha256:../../../../../../../../../../../../../../../../../../../etc/passwd",
    "sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",
    "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85",
    "md5:d41d8cd98f00b204e9800998ecf8427e",
    "sha512:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "",
};

START_TEST(case_24_digests_that_are_none)
{
    char *bad = test_text("{\"mediaType\":\"" WCI_TYPE_OCI_LAYER "\",\"digest\":\"%s\",\"size\":1}",
                          bad_digests[_i]);
    refused(WC_E_FORMAT, layout_pull_manifest(layout_manifest(good_config, bad, "")));
    refused(WC_E_FORMAT, layout_pull_manifest(layout_manifest(bad, good_layer, "")));
    layout_index(strdup(bad));
    refused(WC_E_FORMAT, layout_pull());
    char *id = test_text("\"%s\"", bad_digests[_i]);
    refused(WC_E_FORMAT, layout_pull_config(layout_config(id, "")));
    free(id);
    free(bad);
}
END_TEST

/* Overwrites the blob of that digest. */
static void spoil(const char *digest, const char *text)
{
    char *path = test_text("%s/blobs/sha256/%s", layout_dir, digest + 7);
    test_write_file(path, text, strlen(text));
    free(path);
}

START_TEST(case_25_other_bytes_under_a_digest)
{
    char *manifest = good_manifest(""), *other = good_manifest("");
    other[1] = ' '; /* of the same length */
    char *digest = layout_blob(manifest, strlen(manifest));
    layout_index(layout_descriptor(WCI_TYPE_OCI_MANIFEST, manifest, strlen(manifest)));
    spoil(digest, other);
    refused(WC_E_DIGEST, layout_pull());
    spoil(digest, "{}");
    refused(WC_E_DIGEST, layout_pull());
    free(digest);
    free(manifest);
    free(other);
}
END_TEST

START_TEST(case_25_layer_and_config_with_other_bytes)
{
    static const char other[1024] = "x";
    char *manifest = good_manifest("");
    char *path = test_text("%s/blobs/sha256/%s", layout_dir, good_diff_id + 7);
    test_write_file(path, other, sizeof other);
    refused(WC_E_DIGEST, layout_pull_manifest(manifest));
    free(path);
}
END_TEST

START_TEST(case_26_too_large)
{
    size_t size = 5 << 20;
    char *blanks = malloc(size + 1);
    memset(blanks, ' ', size);
    blanks[size] = '\0';
    refused(WC_E_LIMIT, layout_pull_manifest(test_text("{%s}", blanks)));
    refused(WC_E_LIMIT, layout_pull_config(test_text("{%s}", blanks)));
    char *path = test_text("%s/index.json", layout_dir);
    test_write_file(path, blanks, size);
    refused(WC_E_LIMIT, layout_pull());
    free(path);
    free(blanks);
}
END_TEST

static char *repeat(const char *text, size_t count)
{
    size_t n = strlen(text);
    char *all = malloc(n * count + 1);
    for (size_t i = 0; i < count; i++)
        memcpy(all + i * n, text, n);
    all[n * count] = '\0';
    return all;
}

START_TEST(case_27_depth)
{
    char *open = repeat("[", 100000), *close = repeat("]", 100000);
    char *deep = test_text(",\"annotations\":%s%s", open, close);
    refused(WC_E_FORMAT, layout_pull_manifest(good_manifest(deep)));
    free(open);
    free(close);
    free(deep);
}
END_TEST

START_TEST(case_27_many_layers)
{
    char *many = repeat("{},", 1000000);
    many[3 * 1000000 - 1] = '\0';
    refused(WC_E_LIMIT, layout_pull_manifest(layout_manifest(good_config, many, "")));
    free(many);
}
END_TEST

static const char *const bad_sizes[] = {"-1", "9223372036854775808", "1e400", "1.5", "\"1\"", "null"};

START_TEST(case_27_sizes)
{
    char *layer = test_text("{\"mediaType\":\"" WCI_TYPE_OCI_LAYER "\",\"digest\":\"%s\",\"size\":%s}",
                            good_diff_id, bad_sizes[_i]);
    refused(WC_E_FORMAT, layout_pull_manifest(layout_manifest(good_config, layer, "")));
    free(layer);
}
END_TEST

START_TEST(case_27_sizes_whose_sum_overflows)
{
    char *huge = test_text("{\"mediaType\":\"" WCI_TYPE_OCI_LAYER
                           "\",\"digest\":\"%s\",\"size\":9223372036854775807}",
                           good_diff_id);
    refused(WC_E_LIMIT, layout_pull_manifest(layout_manifest(good_config, huge, "")));
    free(huge);
}
END_TEST

START_TEST(case_28_no_config)
{
    refused(WC_E_FORMAT, layout_pull_manifest(layout_manifest("null", good_layer, "")));
    refused(WC_E_FORMAT, layout_pull_manifest(layout_manifest("{}", good_layer, "")));
    refused(WC_E_FORMAT, layout_pull_manifest(layout_manifest("[]", good_layer, "")));
    refused(WC_E_FORMAT, layout_pull_manifest(test_text("{\"schemaVersion\":2,\"layers\":[%s]}", good_layer)));
}
END_TEST

static const char *const bad_configs[] = {
    "null", "[]", "{}", "{\"rootfs\":null}", "{\"rootfs\":{}}", "{\"rootfs\":{\"diff_ids\":null}}",
    "{\"rootfs\":{\"diff_ids\":[1]}}", "{\"rootfs\":{\"diff_ids\":[null]}}",
};

START_TEST(case_28_configs_without_layers)
{
    refused(WC_E_FORMAT, layout_pull_config(strdup(bad_configs[_i])));
}
END_TEST

START_TEST(case_28_counts_differ)
{
    char *one = test_text("\"%s\"", good_diff_id), *two = test_text("%s,%s", one, one);
    refused(WC_E_FORMAT, layout_pull_config(layout_config(two, "")));
    refused(WC_E_FORMAT, layout_pull_config(layout_config("", "")));
    refused(WC_E_FORMAT, layout_pull_config(layout_config(one, ",\"history\":[{},{}]")));
    refused(WC_E_FORMAT,
            layout_pull_config(layout_config(one, ",\"history\":[{\"empty_layer\":true}]")));
    refused(WC_E_FORMAT, layout_pull_config(layout_config(one, ",\"history\":[1]")));
    test_ok(layout_pull_config(
        layout_config(one, ",\"history\":[{\"empty_layer\":true},{\"created_by\":\"x\"}]")));
    free(one);
    free(two);
}
END_TEST

START_TEST(case_28_wrong_diff_id)
{
    char *id = test_text("\"sha256:%064d\"", 0);
    refused(WC_E_DIGEST, layout_pull_config(layout_config(id, "")));
    free(id);
}
END_TEST

/* An index that holds this descriptor, which is released, as a descriptor. */
static char *wrap(char *entry)
{
    char *index = test_text("{\"schemaVersion\":2,\"mediaType\":\"" WCI_TYPE_OCI_INDEX
                            "\",\"manifests\":[%s]}",
                            entry);
    char *descriptor = layout_descriptor(WCI_TYPE_OCI_INDEX, index, strlen(index));
    free(index);
    free(entry);
    return descriptor;
}

START_TEST(case_29_indexes_in_indexes)
{
    char *manifest = good_manifest("");
    char *entry = layout_descriptor(WCI_TYPE_OCI_MANIFEST, manifest, strlen(manifest));
    free(manifest);
    for (int i = 0; i < 20; i++)
        entry = wrap(entry);
    layout_index(entry);
    refused(WC_E_LIMIT, layout_pull());
}
END_TEST

/* No digest can be that of a text with itself in it, so this is found out before it goes round. */
START_TEST(case_29_index_that_names_itself)
{
    static const char digest[] = "sha256:00000000000000000000000000000000000000000000000000000000000000aa";
    char *self = test_text("{\"schemaVersion\":2,\"mediaType\":\"" WCI_TYPE_OCI_INDEX "\",\"manifests\":[{"
                           "\"mediaType\":\"" WCI_TYPE_OCI_INDEX "\",\"digest\":\"%s\",\"size\":262}]}",
                           digest);
    char *path = test_text("%s/blobs/sha256/%s", layout_dir, digest + 7);
    char *entry = test_text("{\"mediaType\":\"" WCI_TYPE_OCI_INDEX "\",\"digest\":\"%s\",\"size\":%zu}", digest,
                            strlen(self));
    test_write_file(path, self, strlen(self));
    layout_index(entry);
    refused(WC_E_DIGEST, layout_pull());
    free(self);
    free(path);
}
END_TEST

START_TEST(case_29_wide_indexes)
{
    char *all = strdup("");
    for (int i = 0; i < 200; i++) {
        char *index = test_text("{\"schemaVersion\":2,\"manifests\":[],\"annotations\":{\"n\":\"%d\"}}", i);
        char *entry = layout_descriptor(WCI_TYPE_OCI_INDEX, index, strlen(index));
        char *more = test_text("%s%s%s", all, i ? "," : "", entry);
        free(all);
        free(entry);
        free(index);
        all = more;
    }
    layout_index(wrap(all));
    refused(WC_E_LIMIT, layout_pull());
}
END_TEST

START_TEST(case_30_data_that_does_not_match)
{
    char *layer = strdup(good_layer), *bad;
    layer[strlen(layer) - 1] = '\0';
    bad = test_text("%s,\"data\":\"aGVsbG8=\"}", layer);
    refused(WC_E_DIGEST, layout_pull_manifest(layout_manifest(good_config, bad, "")));
    free(bad);
    bad = test_text("%s,\"data\":\"*\"}", layer);
    refused(WC_E_FORMAT, layout_pull_manifest(layout_manifest(good_config, bad, "")));
    free(bad);
    free(layer);
}
END_TEST

START_TEST(case_30_data_that_matches)
{
    char *layer = test_text("{\"mediaType\":\"" WCI_TYPE_OCI_LAYER "\",\"size\":0,\"data\":\"\",\"digest\":"
                            "\"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"}");
    char *id = layout_blob("", 0), *ids = test_text("\"%s\"", id), *config = layout_config(ids, "");
    char *descriptor = layout_descriptor(WCI_TYPE_OCI_CONFIG, config, strlen(config));
    /* A layer of no bytes at all is a layer without entries. */
    test_ok(layout_pull_manifest(layout_manifest(descriptor, layer, "")));
    ck_assert_uint_eq(layout_image_count(), 1);
    free(layer);
    free(id);
    free(ids);
    free(config);
    free(descriptor);
}
END_TEST

static wci_image_config *load_config(void)
{
    wci_image_record **all = NULL;
    wci_image_config *config = NULL;
    size_t count = 0;
    test_ok(wci_image_list(layout_store, &all, &count, NULL));
    ck_assert_uint_eq(count, 1);
    test_ok(wci_image_config_load(layout_store, all[0], &config, NULL));
    wci_image_records_free(all, count);
    return config;
}

START_TEST(case_31_33_volumes_users_and_labels_are_data)
{
    char *ids = test_text("\"%s\"", good_diff_id);
    test_ok(layout_pull_config(layout_config(
        ids, ",\"config\":{\"Volumes\":{\"/../../etc\":{}},\"User\":\"4294967296\","
             "\"Labels\":{\"io.kubernetes.cri.sandbox\":\"../x\"}}")));
    wci_image_config *config = load_config();
    ck_assert_str_eq(config->volumes.items[0], "/../../etc");
    ck_assert_str_eq(config->user, "4294967296");
    ck_assert_str_eq(config->label_names.items[0], "io.kubernetes.cri.sandbox");
    ck_assert_str_eq(config->label_values.items[0], "../x");
    wci_image_config_free(config);
    free(ids);
}
END_TEST

/* ---- Archives ----------------------------------------------------------------------------------- */

static int32_t load_tar(tarball *t, int trust, wci_image_record ***out, size_t *count)
{
    wc_call call = {0};
    wci_transfer transfer = WCI_TRANSFER_INIT;
    transfer.trust_names = trust;
    char *path = test_text("%s/archive.tar", layout_base);
    tar_end(t);
    test_write_file(path, t->data, t->size);
    tar_free(t);
    wci_err_clear(&layout_error);
    int32_t code =
        wci_image_load(&call, layout_store, path, &transfer, out, count, &layout_error);
    free(path);
    return code;
}

static int32_t load_refused(tarball *t)
{
    wci_image_record **records = NULL;
    size_t count = 0;
    int32_t code = load_tar(t, 0, &records, &count);
    wci_image_records_free(records, count);
    return code;
}

/* A docker archive with one empty layer that manifest.json calls `layer`. */
static tarball docker_archive(const char *layer, const char *tags)
{
    static const char empty[1024];
    tarball t = TARBALL_INIT;
    char *ids = test_text("\"%s\"", good_diff_id), *config = layout_config(ids, "");
    char *list = test_text("[{\"Config\":\"config.json\",\"RepoTags\":%s,\"Layers\":[\"%s\"]}]", tags,
                           layer);
    tar_file(&t, "config.json", config);
    tar_put(&t, .name = "layer.tar", .text = empty, .size = sizeof empty);
    tar_file(&t, "manifest.json", list);
    free(ids);
    free(config);
    free(list);
    return t;
}

static const char *const bad_members[] = {"../../x", "/etc/passwd", "nosuch.tar", ""};

START_TEST(case_34_layers_out_of_the_archive)
{
    tarball t = docker_archive(bad_members[_i], "null");
    refused(WC_E_FORMAT, load_refused(&t));
}
END_TEST

START_TEST(case_34_links_in_a_circle)
{
    tarball t = docker_archive("a", "null");
    tar_symlink(&t, "a", "b");
    tar_symlink(&t, "b", "a");
    refused(WC_E_FORMAT, load_refused(&t));
}
END_TEST

START_TEST(case_34_links_out_of_the_archive)
{
    tarball t = docker_archive("a", "null");
    tar_symlink(&t, "a", "../../../../etc/passwd");
    refused(WC_E_FORMAT, load_refused(&t));
}
END_TEST

START_TEST(case_34_blob_of_a_layout_as_a_link)
{
    char *link = test_text("%s/blobs/sha256/%s", layout_dir, good_diff_id + 7);
    char *outside = test_text("%s/outside", layout_base);
    ck_assert_int_eq(rename(link, outside), 0);
    ck_assert_int_eq(symlink(outside, link), 0);
    int32_t code = layout_pull_manifest(good_manifest(""));
    ck_assert_int_ne(code, WC_OK);
    ck_assert_uint_eq(layout_image_count(), 0);
    free(link);
    free(outside);
}
END_TEST

START_TEST(case_34_directory_of_a_layout_as_a_link)
{
    char *manifest = good_manifest("");
    layout_index(layout_descriptor(WCI_TYPE_OCI_MANIFEST, manifest, strlen(manifest)));
    char *dir = test_text("%s/blobs/sha256", layout_dir), *outside = test_text("%s/outside", layout_base);
    ck_assert_int_eq(rename(dir, outside), 0);
    ck_assert_int_eq(symlink(outside, dir), 0);
    int32_t code = layout_pull();
    ck_assert_int_ne(code, WC_OK);
    ck_assert_uint_eq(layout_image_count(), 0);
    free(manifest);
    free(dir);
    free(outside);
}
END_TEST

/* What we do not decode ourselves is refused rather than given to a program that may have been planted. */
START_TEST(case_20_packed_archives_run_no_program)
{
    static const struct {
        const char *head;
        size_t size;
        int32_t code;
    } packed[] = {
        {"\xFD" "7zXZ\0\0\4", 8, WC_E_UNSUPPORTED}, {"BZh91AY&SY", 10, WC_E_UNSUPPORTED},
        {"\x89LZO\0\r\n\x1a\n", 9, WC_E_FORMAT},    {"LRZI\0\6", 6, WC_E_FORMAT},
        {"GRZip II", 8, WC_E_FORMAT},              {"\x1f\x9d\x90", 3, WC_E_FORMAT},
    };
    static const char *const names[] = {"xz", "unxz", "bzip2", "lzop", "lrzip", "grzip", "uncompress", "gzip", "sh"};
    char *bin = test_text("%s/bin", layout_base), *mark = test_text("%s/mark", layout_base);
    char *script = test_text("#!/bin/sh\necho run >%s\nexec /bin/cat\n", mark);
    ck_assert_int_eq(mkdir(bin, 0755), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = test_text("%s/%s", bin, names[i]);
        test_write_file(path, script, strlen(script));
        ck_assert_int_eq(chmod(path, 0755), 0);
        free(path);
    }
    setenv("PATH", bin, 1);
    for (size_t i = 0; i < sizeof packed / sizeof *packed; i++) {
        tarball t = TARBALL_INIT;
        tar_bytes(&t, packed[i].head, packed[i].size);
        tar_zeros(&t, 4096);
        refused(packed[i].code, load_refused(&t));
    }
    setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
    ck_assert(access(mark, F_OK) != 0);
    free(bin);
    free(mark);
    free(script);
}
END_TEST

START_TEST(case_34_config_name_that_lies)
{
    tarball t = TARBALL_INIT;
    char *ids = test_text("\"%s\"", good_diff_id), *config = layout_config(ids, "");
    char *name = test_text("%064d.json", 1);
    char *list = test_text("[{\"Config\":\"%s\",\"Layers\":[]}]", name);
    tar_file(&t, name, config);
    tar_file(&t, "manifest.json", list);
    refused(WC_E_DIGEST, load_refused(&t));
    free(ids);
    free(config);
    free(name);
    free(list);
}
END_TEST

START_TEST(case_26_archive_documents_too_large)
{
    tarball t = TARBALL_INIT;
    char *blanks = repeat(" ", 5 << 20);
    tar_file(&t, "manifest.json", blanks);
    refused(WC_E_LIMIT, load_refused(&t));
    tar_file(&t, "manifest.json", "[{\"Config\":\"c\",\"Layers\":[]}]");
    tar_file(&t, "c", blanks);
    refused(WC_E_LIMIT, load_refused(&t));
    free(blanks);
}
END_TEST

START_TEST(case_35_names_of_an_archive)
{
    wci_image_record **records = NULL;
    size_t count = 0;
    const char *tags = "[\"docker.io/library/debian:12\",\"..bad..\"]";
    tarball t = docker_archive("layer.tar", tags);
    test_ok(load_tar(&t, 0, &records, &count));
    ck_assert_uint_eq(count, 1);
    ck_assert_uint_eq(records[0]->names.count, 0);
    wci_image_records_free(records, count);
    t = docker_archive("layer.tar", tags);
    test_ok(load_tar(&t, 1, &records, &count));
    ck_assert_uint_eq(records[0]->names.count, 1);
    ck_assert_str_eq(records[0]->names.items[0], "docker.io/library/debian:12");
    wci_image_records_free(records, count);
}
END_TEST

START_TEST(case_36_titles_name_no_files)
{
    char *layer = strdup(good_layer);
    layer[strlen(layer) - 1] = '\0';
    char *titled = test_text("%s,\"annotations\":{\"org.opencontainers.image.title\":\"../../evil\"}}", layer);
    test_ok(layout_pull_manifest(layout_manifest(good_config, titled, "")));
    char *command = test_text("find %s -name evil", layout_base), *found;
    test_run(command, &found);
    ck_assert_str_eq(found, "");
    free(found);
    free(command);
    free(titled);
    free(layer);
}
END_TEST

/* ---- What is no image --------------------------------------------------------------------------- */

static const char *const other_documents[] = {
    "{\"schemaVersion\":1,\"fsLayers\":[],\"name\":\"x\"}",
    "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.example+json\"}",
    "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/vnd.cncf.helm.config.v1+json\",\"digest\":"
    "\"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\",\"size\":0},\"layers\":[]}",
};

START_TEST(other_documents_are_named)
{
    char *document = strdup(other_documents[_i]);
    layout_index(layout_descriptor(_i == 1 ? "application/vnd.example+json" : WCI_TYPE_OCI_MANIFEST,
                                   document, strlen(document)));
    refused(WC_E_UNSUPPORTED, layout_pull());
    free(document);
}
END_TEST

#define COUNT(array) (int)(sizeof(array) / sizeof *(array))

static Suite *suite(void)
{
    Suite *s = suite_create("hostile_documents");
    TCase *c = tcase_create("documents");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, the_good_image_is_taken);
    tcase_add_test(c, case_22_manifest_and_index_in_one);
    tcase_add_test(c, case_22_announced_as_something_else);
    tcase_add_loop_test(c, case_23_keys_twice_or_in_other_case, 0, COUNT(double_keys));
    tcase_add_test(c, case_23_config_keys_in_other_case);
    tcase_add_test(c, case_23_keys_twice_further_in);
    tcase_add_loop_test(c, case_24_digests_that_are_none, 0, COUNT(bad_digests));
    tcase_add_test(c, case_25_other_bytes_under_a_digest);
    tcase_add_test(c, case_25_layer_and_config_with_other_bytes);
    tcase_add_test(c, case_26_too_large);
    tcase_add_test(c, case_26_archive_documents_too_large);
    tcase_add_test(c, case_27_depth);
    tcase_add_test(c, case_27_many_layers);
    tcase_add_loop_test(c, case_27_sizes, 0, COUNT(bad_sizes));
    tcase_add_test(c, case_27_sizes_whose_sum_overflows);
    tcase_add_test(c, case_28_no_config);
    tcase_add_loop_test(c, case_28_configs_without_layers, 0, COUNT(bad_configs));
    tcase_add_test(c, case_28_counts_differ);
    tcase_add_test(c, case_28_wrong_diff_id);
    tcase_add_test(c, case_29_indexes_in_indexes);
    tcase_add_test(c, case_29_index_that_names_itself);
    tcase_add_test(c, case_29_wide_indexes);
    tcase_add_test(c, case_30_data_that_does_not_match);
    tcase_add_test(c, case_30_data_that_matches);
    tcase_add_test(c, case_31_33_volumes_users_and_labels_are_data);
    tcase_add_loop_test(c, case_34_layers_out_of_the_archive, 0, COUNT(bad_members));
    tcase_add_test(c, case_34_links_in_a_circle);
    tcase_add_test(c, case_34_links_out_of_the_archive);
    tcase_add_test(c, case_34_blob_of_a_layout_as_a_link);
    tcase_add_test(c, case_34_directory_of_a_layout_as_a_link);
    tcase_add_test(c, case_34_config_name_that_lies);
    tcase_add_test(c, case_20_packed_archives_run_no_program);
    tcase_add_test(c, case_35_names_of_an_archive);
    tcase_add_test(c, case_36_titles_name_no_files);
    tcase_add_loop_test(c, other_documents_are_named, 0, COUNT(other_documents));
    suite_add_tcase(s, c);
    return s;
}

int main(void)
{
    return test_main(suite());
}
