/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes through the public functions, and containers of the mock backend that use them. */
#include <fcntl.h>
#include <unistd.h>

#include "fixture.h"

static wc_volume *created(const char *name, const wc_volume_options *options)
{
    wc_volume *volume = NULL;
    good(wc_volume_create(context, name, options, NULL, &volume, &err));
    return volume;
}

static void inspect_has(wc_volume *volume, const char *part)
{
    wc_buf *text = NULL;
    good(wc_volume_inspect(volume, &text, &err));
    has(wc_buf_data(text), part);
    wc_buf_unref(text);
}

static size_t count_volumes(void)
{
    wc_list *list = NULL;
    good(wc_volume_list(context, &list, &err));
    size_t count = wc_list_count(list);
    for (size_t i = 0; i < count; i++)
        ck_assert(*wc_volume_name(wc_list_volume(list, i)));
    ck_assert_ptr_null(wc_list_volume(list, count));
    ck_assert_ptr_null(wc_list_image(list, 0));
    wc_list_unref(list);
    return count;
}

START_TEST(options_arrive)
{
    wc_volume_options *o = NULL;
    good(wc_volume_options_new(&o, &err));
    good(wc_volume_options_set_driver(o, "local", &err));
    bad(wc_volume_options_set_driver(o, "nfs", &err), WC_E_UNSUPPORTED);
    bad(wc_volume_options_set_driver(o, NULL, &err), WC_E_INVALID);
    good(wc_volume_options_add_label(o, "a", "1", &err));
    good(wc_volume_options_add_label(o, "a", "2", &err));
    bad(wc_volume_options_add_label(o, "", "2", &err), WC_E_INVALID);
    bad(wc_volume_options_add_label(NULL, "a", "2", &err), WC_E_INVALID);
    bad(wc_volume_options_add_option(o, "colour", "red", &err), WC_E_INVALID);
    bad(wc_volume_options_add_option(o, "size", "1g", &err), WC_E_UNSUPPORTED);
    bad(wc_volume_options_add_option(o, "type", "", &err), WC_E_INVALID);
    good(wc_volume_options_add_option(o, "type", "tmpfs", &err));
    wc_volume *volume = NULL;
    bad(wc_volume_create(context, "half", o, NULL, &volume, &err), WC_E_INVALID);
    good(wc_volume_options_add_option(o, "device", "tmpfs", &err));
    volume = created("whole", o);
    inspect_has(volume, "\"Labels\":{\"a\":\"2\"}");
    inspect_has(volume, "\"Options\":{\"device\":\"tmpfs\",\"type\":\"tmpfs\"}");
    bad(wc_volume_export_fd(volume, 1, NULL, &err), WC_E_UNSUPPORTED);
    wc_volume *again = NULL;
    bad(wc_volume_create(context, "whole", NULL, NULL, &again, &err), WC_E_EXISTS);
    wc_volume_unref(volume);
    wc_volume_options_unref(o);
    wc_volume_options_unref(NULL);
}
END_TEST

START_TEST(life_of_a_volume)
{
    wc_volume *one = created("one", NULL), *anonymous = created(NULL, NULL), *found = NULL;
    int64_t bytes = -1;
    ck_assert_uint_eq(strlen(wc_volume_name(anonymous)), 64);
    ck_assert_uint_eq(count_volumes(), 2);
    good(wc_volume_open(context, "one", &found, &err));
    ck_assert_str_eq(wc_volume_path(found), wc_volume_path(one));
    ck_assert_int_eq(access(wc_volume_path(one), F_OK), 0);
    good(wc_volume_size(one, NULL, &bytes, &err));
    ck_assert_int_ge(bytes, 0);
    bad(wc_volume_open(context, "on", &found, &err), WC_E_NOT_FOUND);
    bad(wc_volume_create(context, "../x", NULL, NULL, &found, &err), WC_E_INVALID);
    bad(wc_volume_remove(one, 2, NULL, &err), WC_E_INVALID);
    good(wc_volume_remove(one, 0, NULL, &err));
    bad(wc_volume_remove(one, 0, NULL, &err), WC_E_NOT_FOUND);
    good(wc_volume_remove(one, WC_VOLUME_FORCE, NULL, &err));
    bad(wc_volume_size(one, NULL, &bytes, &err), WC_E_NOT_FOUND);
    wc_buf *text = NULL;
    bad(wc_volume_inspect(one, &text, &err), WC_E_NOT_FOUND);
    ck_assert_str_eq(wc_volume_name(one), "one"); /* read before */
    wc_list *removed = NULL;
    good(wc_volume_prune(context, 0, NULL, &bytes, &removed, &err));
    ck_assert_str_eq(wc_list_string(removed, 0), wc_volume_name(anonymous));
    wc_list_unref(removed);
    bad(wc_volume_prune(context, 2, NULL, NULL, NULL, &err), WC_E_INVALID);
    ck_assert_ptr_eq(wc_volume_ref(found), found);
    wc_volume_unref(found);
    wc_volume_unref(found);
    wc_volume_unref(one);
    wc_volume_unref(anonymous);
    wc_volume_unref(NULL);
    ck_assert_str_eq(wc_volume_name(NULL), "");
    ck_assert_str_eq(wc_volume_path(NULL), "");
}
END_TEST

static void put_file(const wc_volume *volume, const char *name, const char *text)
{
    char path[600];
    snprintf(path, sizeof path, "%s/%s", wc_volume_path(volume), name);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(there_and_back_as_a_tar)
{
    wc_volume *from = created("from", NULL), *to = created("to", NULL);
    char path[600];
    FILE *tar = tmpfile();
    ck_assert_ptr_nonnull(tar);
    put_file(from, "file", "what it holds\n");
    good(wc_volume_export_fd(from, fileno(tar), NULL, &err));
    ck_assert_int_eq(lseek(fileno(tar), 0, SEEK_SET), 0);
    good(wc_volume_import_fd(to, fileno(tar), NULL, &err));
    snprintf(path, sizeof path, "%s/file", wc_volume_path(to));
    char *text = test_read_file(path, NULL);
    ck_assert_str_eq(text, "what it holds\n");
    free(text);
    fclose(tar);
    bad(wc_volume_export_fd(from, -1, NULL, &err), WC_E_INVALID);
    bad(wc_volume_import_fd(from, -1, NULL, &err), WC_E_INVALID);
    int null = open("/dev/null", O_RDONLY);
    wc_cancel *cancel = NULL;
    good(wc_cancel_new(&cancel, &err));
    wc_cancel_trigger(cancel);
    bad(wc_volume_import_fd(to, null, cancel, &err), WC_E_CANCELLED);
    wc_cancel_unref(cancel);
    close(null);
    wc_volume_unref(from);
    wc_volume_unref(to);
}
END_TEST

static wc_container *container_with(const char *source, const char *from)
{
    wc_container_options *o = NULL;
    wc_container *container = NULL;
    const char *word = "exit:0";
    good(wc_container_options_new("two", &o, &err));
    good(wc_container_options_set_command(o, &word, 1, &err));
    if (from)
        good(wc_container_options_add_volumes_from(o, from, &err));
    else
        good(wc_container_options_add_mount(o, "volume", source, "/data", NULL, &err));
    good(wc_container_create(context, o, NULL, &container, &err));
    wc_container_options_unref(o);
    return container;
}

START_TEST(containers_make_and_use_them)
{
    wc_volume *volume = NULL;
    wc_container *named = container_with("named", NULL), *anonymous = container_with(NULL, NULL);
    wc_container *other = container_with(NULL, wc_container_id(anonymous));
    ck_assert_uint_eq(count_volumes(), 2);
    good(wc_volume_open(context, "named", &volume, &err));
    inspect_has(volume, wc_container_id(named));
    bad(wc_volume_remove(volume, WC_VOLUME_FORCE, NULL, &err), WC_E_IN_USE);
    good(wc_container_remove(named, WC_REMOVE_VOLUMES, NULL, &err));
    good(wc_container_remove(anonymous, WC_REMOVE_VOLUMES, NULL, &err));
    ck_assert_uint_eq(count_volumes(), 2); /* a named one, and one that is still used */
    good(wc_container_remove(other, WC_REMOVE_VOLUMES, NULL, &err));
    ck_assert_uint_eq(count_volumes(), 1);
    good(wc_system_prune(context, WC_PRUNE_VOLUMES, NULL, NULL, NULL, &err));
    good(wc_volume_prune(context, WC_VOLUME_PRUNE_ALL, NULL, NULL, NULL, &err));
    ck_assert_uint_eq(count_volumes(), 0);
    wc_container_unref(named);
    wc_container_unref(anonymous);
    wc_container_unref(other);
    wc_volume_unref(volume);
}
END_TEST

START_TEST(mounts_that_cannot_be)
{
    wc_container_options *o = NULL;
    good(wc_container_options_new("two", &o, &err));
    bad(wc_container_options_add_mount(o, "glass", "one", "/x", NULL, &err), WC_E_INVALID);
    bad(wc_container_options_add_mount(o, "volume", "/one", "/x", NULL, &err), WC_E_INVALID);
    bad(wc_container_options_add_mount(o, "volume", "one", "x", NULL, &err), WC_E_INVALID);
    bad(wc_container_options_add_mount(o, "volume", "one", "/x", "rslave", &err), WC_E_INVALID);
    bad(wc_container_options_add_mount(o, "volume", "one", "/x", "subpath=a/../../b", &err), WC_E_INVALID);
    bad(wc_container_options_add_mount(o, "bind", "/tmp", "/x", "nocopy", &err), WC_E_INVALID);
    bad(wc_container_options_add_mount(o, "bind", "/tmp", "/x", "anonymous", &err), WC_E_INVALID);
    bad(wc_container_options_add_mount(o, "image", NULL, "/x", NULL, &err), WC_E_INVALID);
    bad(wc_container_options_add_mount(o, "image", "two", "/x", "rw", &err), WC_E_INVALID);
    bad(wc_container_options_add_volumes_from(o, "", &err), WC_E_INVALID);
    bad(wc_container_options_add_volumes_from(o, ":ro", &err), WC_E_INVALID);
    bad(wc_container_options_add_volumes_from(o, "one:z", &err), WC_E_INVALID);
    wc_container_options_unref(o);
}
END_TEST

static void setup_image(void)
{
    setup();
    wc_image_unref(two_layers());
}

int main(void)
{
    Suite *suite = suite_create("volumes");
    TCase *c = tcase_create("volumes");
    tcase_add_checked_fixture(c, setup_image, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, options_arrive);
    tcase_add_test(c, life_of_a_volume);
    tcase_add_test(c, there_and_back_as_a_tar);
    tcase_add_test(c, containers_make_and_use_them);
    tcase_add_test(c, mounts_that_cannot_be);
    suite_add_tcase(suite, c);
    return test_main(suite);
}
