/* SPDX-License-Identifier: Apache-2.0 */
/* Images out of the store and in again: the same bytes, whatever lies between. */
#include "support/layout.h"
#include "support/tarball.h"

#include "image/copy.h"
#include "image/inspect.h"
#include "image/names.h"

static const wci_transfer plain_transfer = WCI_TRANSFER_INIT;
static char *manifest_digest, *config_digest;

/* An image "a:1" of one zstd, one gzip and one plain layer. */
static void pull_sample(void)
{
    static const char *const types[] = {WCI_TYPE_OCI_LAYER "+zstd", WCI_TYPE_OCI_LAYER "+gzip", WCI_TYPE_OCI_LAYER};
    wci_transfer transfer = WCI_TRANSFER_INIT;
    char *layers = strdup(""), *ids = strdup("");
    for (int i = 0; i < 3; i++) {
        tarball t = TARBALL_INIT, packed = TARBALL_INIT;
        wci_digest id;
        tar_put(&t, .name = "f", .text = types[i]);
        tar_end(&t);
        test_ok(wci_digest_of(WCI_SHA256, t.data, t.size, &id, NULL));
        if (i == 0)
            tar_zstd(&packed, t.data, t.size);
        else if (i == 1)
            tar_gzip(&packed, t.data, t.size);
        else
            tar_bytes(&packed, t.data, t.size);
        char *layer = layout_descriptor(types[i], packed.data, packed.size);
        char *more = test_text("%s%s%s", layers, i ? "," : "", layer);
        char *more_ids = test_text("%s%s\"%s\"", ids, i ? "," : "", id.text);
        free(layer);
        free(layers);
        free(ids);
        layers = more;
        ids = more_ids;
        tar_free(&t);
        tar_free(&packed);
    }
    char *config = layout_config(ids, ",\"config\":{\"Cmd\":[\"x\"]}");
    char *descriptor = layout_descriptor(WCI_TYPE_OCI_CONFIG, config, strlen(config));
    char *manifest = layout_manifest(descriptor, layers, ",\"annotations\":{\"odd\": \"spacing \"}");
    layout_index(layout_descriptor(WCI_TYPE_OCI_MANIFEST, manifest, strlen(manifest)));
    ck_assert_int_eq(wci_strv_add(&transfer.names, "a:1"), 0);
    wci_image_record *record = NULL;
    test_ok(layout_pull_with(NULL, &transfer, &record));
    manifest_digest = strdup(record->manifest.text);
    config_digest = strdup(record->config.text);
    wci_image_record_free(record);
    wci_strv_free(&transfer.names);
    free(layers);
    free(ids);
    free(config);
    free(descriptor);
    free(manifest);
}

static void setup(void)
{
    layout_setup();
    pull_sample();
}

static void teardown(void)
{
    free(manifest_digest);
    free(config_digest);
    layout_teardown();
}

static char *place(const char *kind, const char *name)
{
    return test_text("%s:%s/%s", kind, layout_base, name);
}

static int32_t copy(const char *from, const char *to)
{
    wc_call call = {0};
    wci_err_clear(&layout_error);
    return wci_image_copy(&call, layout_store, from, to, &plain_transfer, &layout_error);
}

static int32_t save(const char *name, const char *to)
{
    wc_call call = {0};
    wci_err_clear(&layout_error);
    return wci_image_save(&call, layout_store, &name, 1, to, &plain_transfer, &layout_error);
}

/* Removes everything and brings the image in from there. */
static wci_image_record *bring_back(const char *from)
{
    wc_call call = {0};
    wci_strv lines = WCI_STRV_INIT;
    wci_place parsed = WCI_PLACE_INIT;
    wci_image_record *record = NULL;
    test_ok(wci_image_forget(&call, layout_store, "a:1", 1, &lines, NULL));
    ck_assert_uint_eq(layout_image_count(), 0);
    test_ok(wci_place_parse(from, &parsed, NULL));
    wci_err_clear(&layout_error);
    int32_t code = wci_image_pull(&call, layout_store, &parsed, &plain_transfer, &record, &layout_error);
    ck_assert_msg(!code, "%s", layout_error ? wc_error_message(layout_error) : "");
    wci_place_free(&parsed);
    wci_strv_free(&lines);
    return record;
}

static const char *const exact_kinds[] = {"oci-archive", "oci"};

START_TEST(byte_for_byte_through)
{
    char *to = place(exact_kinds[_i], "out");
    test_ok(_i ? copy("wc-store:a:1", to) : save("a:1", to));
    wci_image_record *record = bring_back(to);
    ck_assert_str_eq(record->manifest.text, manifest_digest);
    ck_assert_str_eq(record->config.text, config_digest);
    wci_image_record_free(record);
    free(to);
}
END_TEST

/* Directories come by name and before what is in them: skopeo without root needs that. */
START_TEST(oci_archive_names_its_directories)
{
    char *to = place("oci-archive", "out"), *first;
    char *list = test_text("tar -tf %s/out | head -3", layout_base);
    test_ok(save("a:1", to));
    ck_assert_int_eq(test_run(list, &first), 0);
    const char *wanted = "blobs/\nblobs/sha256/\nblobs/sha256/";
    ck_assert_msg(!strncmp(first, wanted, strlen(wanted)), "%s", first);
    free(first);
    free(list);
    free(to);
}
END_TEST

START_TEST(docker_archive_keeps_id_and_contents)
{
    char *to = place("docker-archive", "out.tar"), *from = test_text("%s:a:1", to);
    test_ok(save("a:1", to));
    wci_image_record *record = bring_back(from);
    ck_assert_str_eq(record->config.text, config_digest);
    char *first = strdup(record->manifest.text);
    wci_image_record_free(record);
    /* What is made from it is always the same. */
    wci_transfer transfer = WCI_TRANSFER_INIT;
    wc_call call = {0};
    wci_place parsed = WCI_PLACE_INIT;
    test_ok(wci_place_parse(from, &parsed, NULL));
    test_ok(wci_image_pull(&call, layout_store, &parsed, &transfer, &record, NULL));
    ck_assert_str_eq(record->manifest.text, first);
    wci_place_free(&parsed);
    wci_image_record_free(record);
    free(first);
    free(from);
    free(to);
}
END_TEST

START_TEST(same_input_same_archive)
{
    static const char *const kinds[] = {"oci-archive", "docker-archive"};
    for (int i = 0; i < 2; i++) {
        char *a = place(kinds[i], "a.tar"), *b = place(kinds[i], "b.tar");
        test_ok(save("a:1", a));
        test_ok(save("a:1", b));
        char *command = test_text("cmp %s/a.tar %s/b.tar", layout_base, layout_base);
        ck_assert_int_eq(test_run(command, NULL), 0);
        free(command);
        free(a);
        free(b);
    }
}
END_TEST

START_TEST(compressed_archives_are_read)
{
    static const char *const programs[] = {"gzip", "zstd -q"};
    static const char *const names[] = {"gzip", "zstd"};
    if (!test_have_program(names[_i]))
        return;
    wc_call call = {0};
    wci_transfer transfer = {.trust_names = 1, .registry = WCI_REGISTRY_CONFIG_INIT};
    wci_image_record **records = NULL;
    size_t count = 0;
    char *to = place("oci-archive", "x.tar"), *packed = test_text("%s/x.packed", layout_base);
    char *command = test_text("%s -c <%s/x.tar >%s", programs[_i], layout_base, packed);
    test_ok(save("a:1", to));
    ck_assert_int_eq(test_run(command, NULL), 0);
    test_ok(wci_image_load(&call, layout_store, packed, &transfer, &records, &count, NULL));
    ck_assert_uint_eq(count, 1);
    ck_assert_str_eq(records[0]->manifest.text, manifest_digest);
    ck_assert_str_eq(records[0]->names.items[0], "docker.io/library/a:1");
    wci_image_records_free(records, count);
    free(command);
    free(packed);
    free(to);
}
END_TEST

START_TEST(a_layout_takes_several)
{
    char *one = place("oci", "dir:one"), *two = place("oci", "dir:two"), *dir = place("oci", "dir");
    test_ok(copy("wc-store:a:1", one));
    test_ok(copy("wc-store:a:1", two));
    test_ok(copy("wc-store:a:1", two));
    char *command = test_text("grep -o '\"digest\"' %s/dir/index.json | wc -l", layout_base), *lines;
    test_run(command, &lines);
    ck_assert_int_eq(atoi(lines), 2);
    wci_image_record *record = bring_back(one);
    ck_assert_str_eq(record->manifest.text, manifest_digest);
    wci_image_record_free(record);
    free(lines);
    free(command);
    free(one);
    free(two);
    free(dir);
}
END_TEST

START_TEST(between_places_nothing_is_kept)
{
    char *layout = test_text("oci:%s", layout_dir), *archive = place("docker-archive", "x.tar:b:2");
    char *dir = place("oci", "dir"), *from = place("docker-archive", "x.tar");
    test_ok(copy(layout, archive));
    test_ok(copy(from, dir));
    ck_assert_uint_eq(layout_image_count(), 1);
    test_code(copy(layout, "docker://127.0.0.1:1/x"), WC_E_NETWORK); /* nobody listens */
    test_code(copy(layout, "wc-store:b@sha256:0000000000000000000000000000000000000000000000000000000000000000"),
              WC_E_INVALID);
    test_ok(copy(from, "wc-store:c:3"));
    wci_image_record *record = NULL;
    test_ok(wci_image_lookup(layout_store, "c:3", &record, NULL, NULL));
    ck_assert_str_eq(record->config.text, config_digest);
    wci_image_record_free(record);
    free(layout);
    free(archive);
    free(dir);
    free(from);
}
END_TEST

START_TEST(a_failed_save_leaves_no_file)
{
    char *to = place("oci-archive", "x.tar");
    test_code(save("nosuch", to), WC_E_NOT_FOUND);
    wci_image_record *record = NULL;
    test_ok(wci_image_lookup(layout_store, "a:1", &record, NULL, NULL));
    char *blob = wci_blob_path(layout_store, &record->layers[1].digest);
    chmod(blob, 0600);
    test_write_file(blob, "x", 1);
    test_code(save("a:1", to), WC_E_DIGEST);
    char *command = test_text("ls %s | grep x.tar", layout_base), *left;
    test_run(command, &left);
    ck_assert_str_eq(left, "");
    wci_image_record_free(record);
    wci_free(blob);
    free(left);
    free(command);
    free(to);
}
END_TEST

START_TEST(inspected)
{
    wci_image_record *record = NULL;
    wc_buf *text = NULL;
    test_ok(wci_image_lookup(layout_store, "a:1", &record, NULL, NULL));
    test_ok(wci_image_inspect(layout_store, record, &text, NULL));
    char *parts[] = {test_text("\"Id\":\"%s\"", config_digest), strdup("\"RepoTags\":[\"a:1\"]"),
                     test_text("\"RepoDigests\":[\"a@%s\"]", manifest_digest),
                     strdup("\"Config\":{\"Cmd\":[\"x\"],"), strdup("\"RootFS\":{\"Type\":\"layers\",\"Layers\":[")};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        ck_assert_msg(strstr(wc_buf_data(text), parts[i]) != NULL, "%s: %s", parts[i], wc_buf_data(text));
        free(parts[i]);
    }
    wc_buf_unref(text);
    wci_image_record_free(record);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("image_out");
    TCase *c = tcase_create("out");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, byte_for_byte_through, 0, 2);
    tcase_add_test(c, oci_archive_names_its_directories);
    tcase_add_test(c, docker_archive_keeps_id_and_contents);
    tcase_add_test(c, same_input_same_archive);
    tcase_add_loop_test(c, compressed_archives_are_read, 0, 2);
    tcase_add_test(c, a_layout_takes_several);
    tcase_add_test(c, between_places_nothing_is_kept);
    tcase_add_test(c, a_failed_save_leaves_no_file);
    tcase_add_test(c, inspected);
    suite_add_tcase(s, c);
    return test_main(s);
}
