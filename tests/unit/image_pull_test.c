/* SPDX-License-Identifier: Apache-2.0 */
/* From layouts into the store: choosing a platform, what is shared and what is kept on failure,
 * several pulls at once, cancelling, names. */
#include "support/layout.h"
#include "support/tarball.h"

#include <pthread.h>
#include <stdatomic.h>

#include "image/check.h"
#include "image/inspect.h"
#include "image/names.h"

static const wci_transfer plain_transfer = WCI_TRANSFER_INIT;

/* A gzip layer with one file; its descriptor, owned. */
static char *file_layer(const char *name, const char *text, size_t size, char **diff_id)
{
    tarball t = TARBALL_INIT, packed = TARBALL_INIT;
    wci_digest digest;
    tar_put(&t, .name = name, .text = text, .size = size);
    tar_end(&t);
    test_ok(wci_digest_of(WCI_SHA256, t.data, t.size, &digest, NULL));
    tar_gzip(&packed, t.data, t.size);
    char *descriptor = layout_descriptor(WCI_TYPE_OCI_LAYER "+gzip", packed.data, packed.size);
    *diff_id = strdup(digest.text);
    tar_free(&t);
    tar_free(&packed);
    return descriptor;
}

/* The manifest's text of an image with `count` layers that hold f0, f1 … with `seed` in them, for
 * "arch" or "arch/variant". */
static char *make_manifest(const char *seed, int count, const char *arch)
{
    const char *variant = strchr(arch, '/') ? strchr(arch, '/') + 1 : "";
    char *layers = strdup(""), *ids = strdup("");
    for (int i = 0; i < count; i++) {
        char *name = test_text("f%d", i), *text = test_text("%s%d", seed, i), *id;
        char *layer = file_layer(name, text, strlen(text), &id);
        char *more = test_text("%s%s%s", layers, i ? "," : "", layer);
        char *more_ids = test_text("%s%s\"%s\"", ids, i ? "," : "", id);
        free(layers);
        free(ids);
        free(name);
        free(text);
        free(id);
        free(layer);
        layers = more;
        ids = more_ids;
    }
    char *config = test_text("{\"os\":\"linux\",\"architecture\":\"%.*s\",\"variant\":\"%s\","
                             "\"rootfs\":{\"diff_ids\":[%s]}}",
                             (int)strcspn(arch, "/"), arch, variant, ids);
    char *descriptor = layout_descriptor(WCI_TYPE_OCI_CONFIG, config, strlen(config));
    char *manifest = layout_manifest(descriptor, layers, "");
    free(layers);
    free(ids);
    free(config);
    free(descriptor);
    return manifest;
}

static char *entry_of(char *manifest, const char *more)
{
    char *entry = layout_descriptor(WCI_TYPE_OCI_MANIFEST, manifest, strlen(manifest));
    entry[strlen(entry) - 1] = '\0';
    char *whole = test_text("%s%s}", entry, more);
    free(entry);
    free(manifest);
    return whole;
}

static wci_image_record *pull_ok(const char *ref, const wci_transfer *transfer)
{
    wci_image_record *record = NULL;
    int32_t code = layout_pull_with(ref, transfer, &record);
    ck_assert_msg(!code, "%s", layout_error ? wc_error_message(layout_error) : "?");
    return record;
}

static void check_clean(void)
{
    wc_call call = {0};
    wci_strv findings = WCI_STRV_INIT;
    test_ok(wci_store_check(&call, layout_store, 0, &findings, NULL));
    test_ok(wci_images_check(&call, layout_store, 0, &findings, NULL));
    ck_assert_msg(!findings.count, "%s", findings.count ? findings.items[0] : "");
    wci_strv_free(&findings);
}

START_TEST(layers_are_unpacked)
{
    layout_index(entry_of(make_manifest("x", 3, "amd64"), ""));
    wci_image_record *record = pull_ok(NULL, &plain_transfer);
    ck_assert_uint_eq(record->layer_count, 3);
    for (size_t i = 0; i < 3; i++) {
        char *tree = NULL;
        size_t size;
        test_ok(wci_tree_path(layout_store, WCI_TREE_LAYER, &record->layers[i].diff_id, &tree, NULL));
        char *path = test_text("%s/f%zu", tree, i), *want = test_text("x%zu", i);
        char *text = test_read_file(path, &size);
        ck_assert_str_eq(text, want);
        free(text);
        free(path);
        free(want);
        wci_free(tree);
    }
    wci_image_record_free(record);
    check_clean();
}
END_TEST

START_TEST(an_image_without_layers)
{
    layout_index(entry_of(make_manifest("x", 0, "amd64"), ""));
    wci_image_record_free(pull_ok(NULL, &plain_transfer));
    check_clean();
}
END_TEST

START_TEST(one_layer_twice)
{
    char *id, *layer = file_layer("f", "x", 1, &id);
    char *config = test_text("{\"rootfs\":{\"diff_ids\":[\"%s\",\"%s\"]}}", id, id);
    char *descriptor = layout_descriptor(WCI_TYPE_OCI_CONFIG, config, strlen(config));
    char *layers = test_text("%s,%s", layer, layer);
    test_ok(layout_pull_manifest(layout_manifest(descriptor, layers, "")));
    free(layers);
    free(config);
    free(descriptor);
    config = test_text("{\"rootfs\":{\"diff_ids\":[\"%s\",\"sha256:%064d\"]}}", id, 0);
    descriptor = layout_descriptor(WCI_TYPE_OCI_CONFIG, config, strlen(config));
    layers = test_text("%s,%s", layer, layer);
    test_code(layout_pull_manifest(layout_manifest(descriptor, layers, "")), WC_E_FORMAT);
    free(layers);
    free(config);
    free(descriptor);
    free(id);
    free(layer);
    check_clean();
}
END_TEST

#define PLATFORM(arch, variant)                                                                    \
    ",\"platform\":{\"os\":\"linux\",\"architecture\":\"" arch "\",\"variant\":\"" variant "\"}"

static void make_index(int with_platforms)
{
    static const char *const archs[] = {"amd64", "arm64", "arm/v7", "arm/v6"};
    static const char *const platforms[] = {PLATFORM("amd64", ""), PLATFORM("arm64", "v8"),
                                            PLATFORM("arm", "v7"), PLATFORM("arm", "v6")};
    char *entries = strdup("");
    for (int i = 0; i < 4; i++) {
        char *seed = test_text("p%d-", i);
        char *entry = entry_of(make_manifest(seed, 1, archs[i]), with_platforms ? platforms[i] : "");
        char *more = test_text("%s%s%s", entries, i ? "," : "", entry);
        free(entries);
        free(entry);
        free(seed);
        entries = more;
    }
    char *index = test_text("{\"schemaVersion\":2,\"mediaType\":\"" WCI_TYPE_OCI_INDEX
                            "\",\"manifests\":[%s]}",
                            entries);
    layout_index(layout_descriptor(WCI_TYPE_OCI_INDEX, index, strlen(index)));
    free(index);
    free(entries);
}

static int32_t pull_platform(const char *platform, wci_image_record **out)
{
    wci_transfer transfer = WCI_TRANSFER_INIT;
    test_ok(wci_platform_parse(platform, &transfer.platform, NULL));
    transfer.has_platform = 1;
    int32_t code = layout_pull_with(NULL, &transfer, out);
    wci_platform_clear(&transfer.platform);
    return code;
}

START_TEST(the_platform_is_chosen)
{
    static const char *const wanted[][2] = {{"linux/arm64", "arm64"}, {"linux/arm/v6", "arm"},
                                            {"linux/amd64", "amd64"}, {"linux/armhf", "arm"}};
    make_index(_i);
    for (size_t i = 0; i < 4; i++) {
        wci_image_record *record = NULL;
        test_ok(pull_platform(wanted[i][0], &record));
        ck_assert_str_eq(record->arch, wanted[i][1]);
        ck_assert(wci_digest_is_set(&record->index));
        wc_buf *index = NULL;
        test_ok(wci_blob_read(layout_store, &record->index, WCI_MANIFEST_MAX, &index, NULL));
        wc_buf_unref(index);
        wci_image_record_free(record);
    }
    check_clean();
}
END_TEST

START_TEST(a_platform_that_is_not_there)
{
    wci_image_record *record = NULL;
    make_index(_i);
    test_code(pull_platform("linux/s390x", &record), WC_E_PLATFORM);
    wc_buf *text = NULL;
    test_ok(wc_error_format(layout_error, &text));
    ck_assert_ptr_nonnull(strstr(wc_buf_data(text), "linux/s390x"));
    ck_assert_ptr_nonnull(strstr(wc_buf_data(text), "linux/arm64"));
    wc_buf_unref(text);
    /* One image that says itself what it is for. */
    layout_index(entry_of(make_manifest("x", 1, "arm64"), ""));
    test_code(pull_platform("linux/amd64", &record), WC_E_PLATFORM);
    test_ok(pull_platform("linux/arm64/v8", &record));
    wci_image_record_free(record);
}
END_TEST

START_TEST(several_images_want_a_name)
{
    char *a = entry_of(make_manifest("a", 1, "amd64"), ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"a\"}");
    char *b = entry_of(make_manifest("b", 1, "amd64"), ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"b\"}");
    layout_index(test_text("%s,%s", a, b));
    free(a);
    free(b);
    wci_image_record *record = NULL;
    test_code(layout_pull_with(NULL, &plain_transfer, &record), WC_E_INVALID);
    test_code(layout_pull_with("c", &plain_transfer, &record), WC_E_NOT_FOUND);
    record = pull_ok("b", &plain_transfer);
    ck_assert_uint_eq(record->names.count, 1);
    ck_assert_str_eq(record->names.items[0], "docker.io/library/b:latest");
    wci_image_record_free(record);
}
END_TEST

/* Nobody has asked for the name that the layout states, so it stays with the image that has it. */
START_TEST(a_name_that_is_only_stated_is_not_taken)
{
    const char *annotation = ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"a\"}";
    layout_index(entry_of(make_manifest("mine", 1, "amd64"), annotation));
    wci_image_record *mine = pull_ok("a", &plain_transfer), *found = NULL;
    layout_index(entry_of(make_manifest("other", 1, "amd64"), annotation));
    wci_image_record *other = pull_ok(NULL, &plain_transfer);
    ck_assert_uint_eq(other->names.count, 0);
    test_ok(wci_image_find(layout_store, "docker.io/library/a:latest", &found, NULL));
    ck_assert(wci_digest_equal(&found->manifest, &mine->manifest));
    wci_image_record_free(mine);
    wci_image_record_free(other);
    wci_image_record_free(found);
}
END_TEST

/* ---- Several at once ---------------------------------------------------------------------------- */

typedef struct puller {
    pthread_t thread, self;
    char *dir;
    int32_t code;
    wci_digest manifest;
    int done, existed;
} puller;

static int32_t count_ends(const wc_progress *progress, uintptr_t payload)
{
    puller *p = (puller *)payload;
    p->done += wc_progress_kind(progress) == WC_PROGRESS_DONE;
    p->existed += wc_progress_kind(progress) == WC_PROGRESS_EXISTS;
    return !pthread_equal(pthread_self(), p->self);
}

static void *pull_thread(void *arg)
{
    puller *p = arg;
    p->self = pthread_self();
    wc_call call = {.progress = count_ends, .progress_payload = (uintptr_t)p};
    wci_place place = {.kind = WCI_PLACE_OCI, .path = p->dir};
    wci_image_record *record = NULL;
    wc_error *err = NULL;
    p->code = wci_image_pull(&call, layout_store, &place, &plain_transfer, &record, &err);
    if (!p->code)
        p->manifest = record->manifest;
    else
        fprintf(stderr, "%s\n", wc_error_message(err));
    wc_error_unref(err);
    wci_image_record_free(record);
    return NULL;
}

START_TEST(many_threads_pull_one_image)
{
    puller pullers[8] = {0};
    layout_index(entry_of(make_manifest("x", 12, "amd64"), ""));
    for (int i = 0; i < 8; i++) {
        pullers[i].dir = layout_dir;
        ck_assert_int_eq(pthread_create(&pullers[i].thread, NULL, pull_thread, &pullers[i]), 0);
    }
    for (int i = 0; i < 8; i++)
        pthread_join(pullers[i].thread, NULL);
    for (int i = 0; i < 8; i++) {
        test_ok(pullers[i].code);
        ck_assert(wci_digest_equal(&pullers[i].manifest, &pullers[0].manifest));
        ck_assert_int_eq(pullers[i].done + pullers[i].existed, 12);
    }
    ck_assert_uint_eq(layout_image_count(), 1);
    check_clean();
}
END_TEST

START_TEST(pulled_again_nothing_is_done)
{
    puller p = {.dir = layout_dir};
    layout_index(entry_of(make_manifest("x", 3, "amd64"), ""));
    pull_thread(&p);
    test_ok(p.code);
    ck_assert_int_eq(p.done, 3);
    p.done = 0;
    pull_thread(&p);
    ck_assert_int_eq(p.done, 0);
    ck_assert_int_eq(p.existed, 3);
}
END_TEST

/* ---- Ending early ------------------------------------------------------------------------------- */

static int32_t refuse_unpack(const wc_progress *progress, uintptr_t payload)
{
    (void)payload;
    return wc_progress_kind(progress) == WC_PROGRESS_DOWNLOAD && wc_progress_current(progress) > 0;
}

START_TEST(a_callback_ends_the_pull)
{
    size_t size = 64 << 20;
    char *noise = calloc(1, size + 1), *id;
    unsigned x = 1;
    for (size_t i = 0; i < size; i += 4)
        memcpy(noise + i, &(unsigned){x = x * 1664525 + 1013904223}, 4);
    char *layer = file_layer("big", noise, size, &id);
    free(noise);
    char *config = test_text("{\"rootfs\":{\"diff_ids\":[\"%s\"]}}", id);
    char *descriptor = layout_descriptor(WCI_TYPE_OCI_CONFIG, config, strlen(config));
    char *manifest = layout_manifest(descriptor, layer, "");
    layout_index(layout_descriptor(WCI_TYPE_OCI_MANIFEST, manifest, strlen(manifest)));
    wc_call call = {.progress = refuse_unpack};
    wci_place place = {.kind = WCI_PLACE_OCI, .path = layout_dir};
    wci_image_record *record = NULL;
    test_code(wci_image_pull(&call, layout_store, &place, &plain_transfer, &record, NULL), WC_E_CANCELLED);
    ck_assert_uint_eq(layout_image_count(), 0);
    check_clean();
    /* What came so far is gone on with. */
    test_ok(layout_pull());
    check_clean();
    free(manifest);
    free(descriptor);
    free(config);
    free(layer);
    free(id);
}
END_TEST

START_TEST(a_bad_layer_leaves_nothing)
{
    char *id, *good = file_layer("f", "x", 1, &id);
    char *bad = layout_descriptor(WCI_TYPE_OCI_LAYER "+gzip", "\x1f\x8b\x08 no gzip", 11);
    char *config = test_text("{\"rootfs\":{\"diff_ids\":[\"%s\",\"sha256:%064d\"]}}", id, 1);
    char *descriptor = layout_descriptor(WCI_TYPE_OCI_CONFIG, config, strlen(config));
    char *layers = test_text("%s,%s", good, bad);
    test_code(layout_pull_manifest(layout_manifest(descriptor, layers, "")), WC_E_FORMAT);
    ck_assert_uint_eq(layout_image_count(), 0);
    check_clean();
    free(layers);
    free(descriptor);
    free(config);
    free(bad);
    free(good);
    free(id);
}
END_TEST

START_TEST(a_wrong_digest_is_told_rather_than_a_bad_layer)
{
    char *id, *layer = file_layer("f", "x", 1, &id);
    char *config = test_text("{\"rootfs\":{\"diff_ids\":[\"%s\"]}}", id);
    char *descriptor = layout_descriptor(WCI_TYPE_OCI_CONFIG, config, strlen(config));
    char *digest = strstr(layer, "sha256:") + 7;
    char *path = test_text("%s/blobs/sha256/%.64s", layout_dir, digest);
    size_t size;
    char *bytes = test_read_file(path, &size);
    bytes[size / 2] ^= 1;
    test_write_file(path, bytes, size);
    test_code(layout_pull_manifest(layout_manifest(descriptor, layer, "")), WC_E_DIGEST);
    ck_assert_uint_eq(layout_image_count(), 0);
    free(bytes);
    free(path);
    free(descriptor);
    free(config);
    free(layer);
    free(id);
}
END_TEST

/* ---- Names -------------------------------------------------------------------------------------- */

static wci_image_record *pull_named(const char *a, const char *b)
{
    wci_transfer transfer = WCI_TRANSFER_INIT;
    layout_index(entry_of(make_manifest("x", 2, "amd64"), ""));
    ck_assert_int_eq(wci_strv_add(&transfer.names, a), 0);
    if (b)
        ck_assert_int_eq(wci_strv_add(&transfer.names, b), 0);
    wci_image_record *record = pull_ok(NULL, &transfer);
    wci_strv_free(&transfer.names);
    return record;
}

static int found(const char *text)
{
    wci_image_record *record = NULL;
    int32_t code = wci_image_lookup(layout_store, text, &record, NULL, NULL);
    wci_image_record_free(record);
    return code == WC_OK;
}

START_TEST(looked_up_in_every_way)
{
    wci_image_record *record = pull_named("alpine:3", "example.com/x/y");
    char *pinned = test_text("example.com/x/y@%s", record->manifest.text);
    char *other = test_text("example.com/other@%s", record->manifest.text);
    char *prefix = strndup(wci_digest_hex(&record->config), 12);
    ck_assert(found("alpine:3"));
    ck_assert(found("docker.io/library/alpine:3"));
    ck_assert(!found("alpine"));
    ck_assert(found("example.com/x/y:latest"));
    ck_assert(found("example.com/x/y"));
    ck_assert(found(record->config.text));
    ck_assert(found(record->manifest.text));
    ck_assert(found(wci_digest_hex(&record->config)));
    ck_assert(found(prefix));
    ck_assert(found(pinned));
    ck_assert(!found(other));
    ck_assert(!found("!!"));
    free(pinned);
    free(other);
    free(prefix);
    wci_image_record_free(record);
}
END_TEST

static int32_t forget(const char *name, int force, wci_strv *lines)
{
    wc_call call = {0};
    return wci_image_forget(&call, layout_store, name, force, lines, NULL);
}

START_TEST(removed_as_docker_does)
{
    wci_image_record *record = pull_named("a", "b");
    wci_strv lines = WCI_STRV_INIT;
    test_code(forget("nosuch", 0, &lines), WC_E_NOT_FOUND);
    test_code(forget(record->config.text, 0, &lines), WC_E_IN_USE);
    ck_assert_uint_eq(lines.count, 0);
    test_ok(forget("a", 0, &lines));
    ck_assert_uint_eq(lines.count, 1);
    ck_assert_str_eq(lines.items[0], "Untagged: docker.io/library/a:latest");
    ck_assert_uint_eq(layout_image_count(), 1);
    test_ok(forget("b", 0, &lines));
    ck_assert_uint_eq(layout_image_count(), 0);
    ck_assert_str_eq(lines.items[1], "Untagged: docker.io/library/b:latest");
    ck_assert(!strncmp(lines.items[2], "Deleted: sha256:", 16));
    wci_strv_free(&lines);
    wci_image_record_free(record);
    record = pull_named("a", "b");
    test_ok(forget(record->config.text, 1, &lines));
    ck_assert_uint_eq(layout_image_count(), 0);
    wci_strv_free(&lines);
    wci_image_record_free(record);
    check_clean();
}
END_TEST

START_TEST(names_with_digests_are_refused)
{
    char *name = NULL;
    char *text = test_text("a@sha256:%064d", 1);
    test_code(wci_name_normalise_tag(text, &name, NULL), WC_E_INVALID);
    test_ok(wci_name_normalise(text, &name, NULL));
    char *want = test_text("docker.io/library/a@sha256:%064d", 1);
    ck_assert_str_eq(name, want);
    wci_free(name);
    free(want);
    free(text);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("image_pull");
    TCase *c = tcase_create("pull");
    tcase_add_checked_fixture(c, layout_setup, layout_teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, layers_are_unpacked);
    tcase_add_test(c, an_image_without_layers);
    tcase_add_test(c, one_layer_twice);
    tcase_add_loop_test(c, the_platform_is_chosen, 0, 2);
    tcase_add_loop_test(c, a_platform_that_is_not_there, 0, 2);
    tcase_add_test(c, several_images_want_a_name);
    tcase_add_test(c, a_name_that_is_only_stated_is_not_taken);
    tcase_add_test(c, many_threads_pull_one_image);
    tcase_add_test(c, pulled_again_nothing_is_done);
    tcase_add_test(c, a_callback_ends_the_pull);
    tcase_add_test(c, a_bad_layer_leaves_nothing);
    tcase_add_test(c, a_wrong_digest_is_told_rather_than_a_bad_layer);
    tcase_add_test(c, looked_up_in_every_way);
    tcase_add_test(c, removed_as_docker_does);
    tcase_add_test(c, names_with_digests_are_refused);
    suite_add_tcase(s, c);
    return test_main(s);
}
