/* SPDX-License-Identifier: Apache-2.0 */
/* What the setters of an edit say arrives in the image, and what the accessors of images and layers tell is that. */
#include "fixture.h"

static wc_image *apply(wc_image_edit *edit, const char *name)
{
    wc_image *image = NULL;
    good(wc_image_edit_apply(edit, name, NULL, &image, &err));
    wc_image_edit_unref(edit);
    return image;
}

static wc_image_edit *edit_of(const char *base)
{
    wc_image_edit *edit = NULL;
    good(wc_image_edit_new(context, base, &edit, &err));
    return edit;
}

static void config_has(wc_image *image, const char *part)
{
    wc_buf *config = NULL;
    good(wc_image_config(image, &config, &err));
    buf_has(config, part);
}

static void manifest_has(wc_image *image, const char *part)
{
    wc_buf *manifest = NULL;
    good(wc_image_manifest(image, &manifest, &err));
    buf_has(manifest, part);
}

START_TEST(texts_of_the_configuration)
{
    static const struct {
        int32_t (*set)(wc_image_edit *edit, const char *text, wc_error **err);
        const char *text, *said, *wrong;
    } setters[] = {
        {wc_image_edit_set_user, "5:6", "\"User\":\"5:6\"", NULL},
        {wc_image_edit_set_workdir, "/srv", "\"WorkingDir\":\"/srv\"", "srv"},
        {wc_image_edit_set_stop_signal, "SIGUSR1", "\"StopSignal\":\"SIGUSR1\"", ""},
        {wc_image_edit_add_port, "80/tcp", "\"ExposedPorts\":{\"80/tcp\":{}}", "tcp"},
        {wc_image_edit_add_volume, "/data", "\"Volumes\":{\"/data\":{}}", "data"},
        {wc_image_edit_set_author, "somebody", "\"author\":\"somebody\"", NULL},
        {wc_image_edit_set_comment, "a word", "\"comment\":\"a word\"", NULL},
        {wc_image_edit_set_platform, "linux/arm64/v8", "\"variant\":\"v8\"", "a/b/c/d"},
    };
    wc_image_unref(two_layers());
    for (size_t i = 0; i < sizeof setters / sizeof *setters; i++) {
        wc_image_edit *edit = edit_of("two");
        bad(setters[i].set(NULL, setters[i].text, &err), WC_E_INVALID);
        bad(setters[i].set(edit, NULL, &err), WC_E_INVALID);
        if (setters[i].wrong)
            bad(setters[i].set(edit, setters[i].wrong, &err), WC_E_INVALID);
        good(setters[i].set(edit, setters[i].text, &err));
        wc_image *image = apply(edit, "made");
        config_has(image, setters[i].said);
        wc_image_unref(image);
    }
}
END_TEST

START_TEST(pairs_of_the_configuration)
{
    wc_image_unref(two_layers());
    wc_image_edit *edit = edit_of("two");
    bad(wc_image_edit_add_label(NULL, "k", "v", &err), WC_E_INVALID);
    bad(wc_image_edit_add_label(edit, "", "v", &err), WC_E_INVALID);
    bad(wc_image_edit_add_annotation(edit, NULL, "v", &err), WC_E_INVALID);
    good(wc_image_edit_add_label(edit, "k", "old", &err));
    good(wc_image_edit_add_label(edit, "k", "v", &err));
    good(wc_image_edit_add_annotation(edit, "org.example", "note", &err));
    wc_image *image = apply(edit, "made");
    config_has(image, "\"Labels\":{\"k\":\"v\"}");
    manifest_has(image, "\"org.example\":\"note\"");
    wc_image_unref(image);
}
END_TEST

START_TEST(commands)
{
    static const char *const words[] = {"/bin/sh", "-c", "x y"};
    wc_image_unref(two_layers());
    wc_image_edit *edit = edit_of("two");
    bad(wc_image_edit_set_command(NULL, words, 3, &err), WC_E_INVALID);
    bad(wc_image_edit_set_command(edit, NULL, 3, &err), WC_E_INVALID);
    bad(wc_image_edit_set_entrypoint(edit, NULL, 1, &err), WC_E_INVALID);
    good(wc_image_edit_set_command(edit, words + 1, 2, &err));
    good(wc_image_edit_set_entrypoint(edit, words, 1, &err));
    wc_image *image = apply(edit, "made");
    config_has(image, "\"Cmd\":[\"-c\",\"x y\"]");
    config_has(image, "\"Entrypoint\":[\"/bin/sh\"]");
    wc_image_unref(image);
    edit = edit_of("made");
    good(wc_image_edit_set_entrypoint(edit, NULL, 0, &err));
    image = apply(edit, "bare");
    wc_buf *config = NULL;
    good(wc_image_config(image, &config, &err));
    ck_assert_ptr_null(strstr(wc_buf_data(config), "/bin/sh\"]"));
    wc_buf_unref(config);
    wc_image_unref(image);
}
END_TEST

START_TEST(directories_become_layers)
{
    wc_image_edit *edit = edit_of(NULL);
    char *path = path_of("a");
    bad(wc_image_edit_add_directory(NULL, path, &err), WC_E_INVALID);
    bad(wc_image_edit_add_directory(edit, "", &err), WC_E_INVALID);
    bad(wc_image_edit_set_compression(edit, "xz", &err), WC_E_INVALID);
    good(wc_image_edit_add_directory(edit, path, &err));
    good(wc_image_edit_set_compression(edit, "zstd", &err));
    good(wc_image_edit_set_platform(edit, "linux/arm/v7", &err));
    good(wc_image_edit_set_created(edit, INT64_C(1700000000000000000), &err));
    wc_image *image = apply(edit, "dir");
    ck_assert_str_eq(wc_image_os(image), "linux");
    ck_assert_str_eq(wc_image_architecture(image), "arm");
    ck_assert_str_eq(wc_image_variant(image), "v7");
    ck_assert_int_eq(wc_image_created(image), INT64_C(1700000000000000000));
    wc_layer *layer = wc_image_layer(image, 0);
    has(wc_layer_media_type(layer), "tar+zstd");
    ck_assert_str_eq(wc_layer_chain_id(layer), wc_layer_diff_id(layer)); /* the lowest one */
    ck_assert_str_ne(wc_layer_digest(layer), wc_layer_diff_id(layer));
    ck_assert_int_gt(wc_image_size(image), wc_layer_size(layer));
    ck_assert_int_ge(wc_layer_unpacked_size(layer), 4); /* "one" and a line end */
    config_has(image, wc_layer_diff_id(layer));
    manifest_has(image, wc_layer_digest(layer));
    wc_image_unref(image);
    free(path);
}
END_TEST

START_TEST(chains_tell_what_is_below)
{
    wc_image *image = two_layers();
    wc_layer *upper = wc_image_layer(image, 1);
    ck_assert_str_ne(wc_layer_chain_id(upper), wc_layer_diff_id(upper));
    wc_image_unref(image);
}
END_TEST

/* A container without changes of its own gives its image's layers, and one more without entries at most. */
START_TEST(containers_become_images)
{
    wc_image *from = two_layers(), *image = NULL;
    wc_container_options *options = NULL;
    wc_container *container = NULL;
    wc_image_edit *edit = NULL;
    static const char *const words[] = {"outln:x"};
    good(wc_container_options_new("two", &options, &err));
    good(wc_container_options_set_command(options, words, 1, &err));
    good(wc_container_create(context, options, NULL, &container, &err));
    bad(wc_image_edit_new_from_container(context, NULL, &edit, &err), WC_E_INVALID);
    good(wc_image_edit_new_from_container(context, container, &edit, &err));
    image = apply(edit, "committed");
    ck_assert_uint_ge(wc_image_layer_count(image), wc_image_layer_count(from));
    ck_assert_str_eq(wc_layer_diff_id(wc_image_layer(image, 1)), wc_layer_diff_id(wc_image_layer(from, 1)));
    wc_image_unref(image);
    wc_image_unref(from);
    wc_container_options_unref(options);
    wc_container_unref(container);
}
END_TEST

START_TEST(blobs_are_dropped)
{
    wc_image *image = two_layers();
    int64_t freed = -1;
    bad(wc_image_drop_blobs(NULL, NULL, &freed, &err), WC_E_INVALID);
    good(wc_image_drop_blobs(image, NULL, &freed, &err));
    ck_assert_int_gt(freed, 1000000); /* most of what /dev/urandom gave */
    good(wc_image_drop_blobs(image, NULL, &freed, &err));
    ck_assert_int_eq(freed, 0);
    wc_image_unref(image);
}
END_TEST

START_TEST(the_store_is_pruned_to_a_size)
{
    int64_t freed = -1;
    wc_list *removed = NULL;
    wc_image_unref(two_layers());
    bad(wc_system_prune_to_size(NULL, 0, NULL, &freed, NULL, &err), WC_E_INVALID);
    bad(wc_system_prune_to_size(context, -1, NULL, &freed, NULL, &err), WC_E_INVALID);
    good(wc_system_prune_to_size(context, INT64_C(1) << 40, NULL, &freed, NULL, &err));
    ck_assert_int_eq(freed, 0);
    good(wc_system_prune_to_size(context, 0, NULL, &freed, &removed, &err));
    ck_assert_int_gt(freed, 3000000);
    ck_assert_uint_ge(wc_list_count(removed), 1);
    wc_list_unref(removed);
    wc_list *left = NULL;
    good(wc_image_list(context, &left, &err));
    ck_assert_uint_eq(wc_list_count(left), 0);
    wc_list_unref(left);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("edits");
    TCase *c = case_with_store("edits");
    tcase_add_test(c, texts_of_the_configuration);
    tcase_add_test(c, pairs_of_the_configuration);
    tcase_add_test(c, commands);
    tcase_add_test(c, directories_become_layers);
    tcase_add_test(c, chains_tell_what_is_below);
    tcase_add_test(c, containers_become_images);
    tcase_add_test(c, blobs_are_dropped);
    tcase_add_test(c, the_store_is_pruned_to_a_size);
    suite_add_tcase(suite, c);
    return test_main(suite);
}
