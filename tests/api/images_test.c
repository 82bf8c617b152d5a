/* SPDX-License-Identifier: Apache-2.0 */
/* Images made, exported and compared through the public functions: arguments, and what failures leave behind. */
#include <wincontainer/wincontainer.h>

#include "fixture.h"

/* ---- Edits ------------------------------------------------------------------------------------------ */

START_TEST(edits_refuse_nonsense)
{
    wc_image_edit *edit = NULL;
    wc_image_unref(two_layers());
    good(wc_image_edit_new(context, "two", &edit, &err));
    bad(wc_image_edit_set_squash(NULL, 1, &err), WC_E_INVALID);
    bad(wc_image_edit_add_instruction(NULL, "USER x", &err), WC_E_INVALID);
    bad(wc_image_edit_add_instruction(edit, NULL, &err), WC_E_INVALID);
    bad(wc_image_edit_add_instruction(edit, "RUN x", &err), WC_E_INVALID);
    bad(wc_image_edit_set_base(NULL, "a", "b", &err), WC_E_INVALID);
    bad(wc_image_edit_set_base(edit, NULL, "b", &err), WC_E_INVALID);
    bad(wc_image_edit_set_base(edit, "a", "", &err), WC_E_INVALID);
    bad(wc_image_edit_set_recompress(NULL, 1, &err), WC_E_INVALID);
    bad(wc_image_edit_drop_annotation(NULL, "a", &err), WC_E_INVALID);
    bad(wc_image_edit_drop_annotation(edit, "", &err), WC_E_INVALID);
    wc_image_edit_unref(edit);
}
END_TEST

START_TEST(edits_may_be_used_again)
{
    wc_image_edit *edit = NULL;
    wc_image *image = two_layers(), *one = NULL, *again = NULL;
    good(wc_image_edit_new(context, "two", &edit, &err));
    good(wc_image_edit_set_squash(edit, 0, &err));
    good(wc_image_edit_set_created(edit, 0, &err));
    good(wc_image_edit_apply(edit, "one", NULL, &one, &err));
    good(wc_image_edit_apply(edit, NULL, NULL, &again, &err));
    ck_assert_uint_eq(wc_image_layer_count(image), 2);
    ck_assert_uint_eq(wc_image_layer_count(one), 1);
    ck_assert_str_eq(wc_image_digest(one), wc_image_digest(again));
    good(wc_image_edit_set_squash(edit, 3, &err));
    bad(wc_image_edit_apply(edit, NULL, NULL, &again, &err), WC_E_INVALID);
    wc_image_unref(again);
    wc_image_unref(one);
    wc_image_unref(image);
    wc_image_edit_unref(edit);
}
END_TEST

START_TEST(cancelled_edits_leave_nothing)
{
    wc_image_edit *edit = NULL;
    wc_image *image = two_layers(), *out = NULL;
    wc_cancel *cancel = NULL;
    wc_list *list = NULL;
    good(wc_cancel_new(&cancel, &err));
    wc_cancel_trigger(cancel);
    good(wc_image_edit_new(context, "two", &edit, &err));
    good(wc_image_edit_set_squash(edit, 0, &err));
    bad(wc_image_edit_apply(edit, "none", cancel, &out, &err), WC_E_CANCELLED);
    good(wc_image_list(context, &list, &err));
    ck_assert_uint_eq(wc_list_count(list), 1);
    wc_list_unref(list);
    wc_cancel_unref(cancel);
    wc_image_edit_unref(edit);
    wc_image_unref(image);
}
END_TEST

/* ---- Exports ---------------------------------------------------------------------------------------- */

START_TEST(exports_refuse_nonsense)
{
    wc_image *image = two_layers();
    bad(wc_image_export(NULL, "/x", NULL, &err), WC_E_INVALID);
    bad(wc_image_export(image, "", NULL, &err), WC_E_INVALID);
    bad(wc_image_export(image, dir, NULL, &err), WC_E_INVALID); /* a directory */
    bad(wc_image_export(image, "/no/such/dir/x", NULL, &err), WC_E_NOT_FOUND);
    bad(wc_image_export_fd(NULL, 1, NULL, &err), WC_E_INVALID);
    bad(wc_image_export_fd(image, -1, NULL, &err), WC_E_INVALID);
    bad(wc_container_export(NULL, "/x", NULL, &err), WC_E_INVALID);
    bad(wc_container_export_fd(NULL, 1, NULL, &err), WC_E_INVALID);
    wc_image_unref(image);
}
END_TEST

START_TEST(exports_go_to_files_and_descriptors)
{
    wc_image *image = two_layers();
    char *path = path_of("out.tar"), *other = path_of("fd.tar"), *linked = path_of("link.tar");
    int fd = open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq(symlink("out.tar", linked), 0);
    good(wc_image_export(image, path, NULL, &err));
    good(wc_image_export(image, linked, NULL, &err));
    good(wc_image_export_fd(image, fd, NULL, &err));
    close(fd);
    run("cmp out.tar fd.tar && test -L link.tar && mkdir x && tar -C x -xf out.tar && diff -r x/d/f a/d/f && "
        "cmp x/d/big b/d/big && test $(ls *part-* 2>/dev/null | wc -l) = 0");
    free(path);
    free(other);
    free(linked);
    wc_image_unref(image);
}
END_TEST

START_TEST(exports_to_nobody_end)
{
    int ends[2];
    wc_cancel *cancel = NULL;
    wc_image *image = two_layers();
    ck_assert_int_eq(pipe(ends), 0);
    good(wc_cancel_new(&cancel, &err));
    wc_cancel_set_timeout(cancel, 200000000); /* the pipe is full, and nobody reads */
    bad(wc_image_export_fd(image, ends[1], cancel, &err), WC_E_TIMEOUT);
    close(ends[0]);
    bad(wc_image_export_fd(image, ends[1], NULL, &err), WC_E_CLOSED);
    close(ends[1]);
    wc_cancel_unref(cancel);
    wc_image_unref(image);
}
END_TEST

/* ---- Comparing -------------------------------------------------------------------------------------- */

START_TEST(images_are_compared)
{
    const char *const tars[] = {"a.tar"};
    wc_buf *changes = NULL;
    wc_image *one = make_image("one", tars, 1), *two = two_layers();
    bad(wc_image_diff(NULL, two, NULL, &changes, &err), WC_E_INVALID);
    bad(wc_image_diff(one, NULL, NULL, &changes, &err), WC_E_INVALID);
    bad(wc_image_diff(one, two, NULL, NULL, &err), WC_E_INVALID);
    good(wc_image_diff(one, two, NULL, &changes, &err));
    ck_assert_str_eq(wc_buf_data(changes), "[{\"Path\":\"/d/big\",\"Kind\":1,\"NewSize\":3000000},"
                                           "{\"Path\":\"/d/g\",\"Kind\":1,\"NewSize\":4}]");
    wc_buf_unref(changes);
    good(wc_image_diff(two, two, NULL, &changes, &err));
    ck_assert_str_eq(wc_buf_data(changes), "[]");
    wc_buf_unref(changes);
    wc_image_unref(one);
    wc_image_unref(two);
}
END_TEST

/* ---- Unpacking -------------------------------------------------------------------------------------- */

START_TEST(images_are_unpacked_and_packed)
{
    wc_buf *changes = NULL;
    wc_image *image = two_layers(), *same = NULL;
    char *path = test_text("%s/unpacked", dir), *file = test_text("%s/layers/2/fs/d/g", path);
    bad(wc_image_unpack(NULL, path, NULL, NULL, &err), WC_E_INVALID);
    bad(wc_image_unpack(image, "", NULL, NULL, &err), WC_E_INVALID);
    bad(wc_image_unpack(image, "/no/such/directory/x", NULL, NULL, &err), WC_E_NOT_FOUND);
    good(wc_image_unpack(image, path, NULL, NULL, &err));
    bad(wc_image_unpack(image, path, NULL, NULL, &err), WC_E_EXISTS);
    bad(wc_image_pack(NULL, path, "x", NULL, NULL, &same, NULL, &err), WC_E_INVALID);
    bad(wc_image_pack(context, "", "x", NULL, NULL, &same, NULL, &err), WC_E_INVALID);
    bad(wc_image_pack(context, path, "", NULL, NULL, &same, NULL, &err), WC_E_INVALID);
    bad(wc_image_pack(context, path, "A:b:c", NULL, NULL, &same, NULL, &err), WC_E_INVALID);
    bad(wc_image_pack(context, path, "x", NULL, NULL, NULL, NULL, &err), WC_E_INVALID);
    bad(wc_image_pack(context, "/no/such/directory", "x", NULL, NULL, &same, NULL, &err), WC_E_NOT_FOUND);
    bad(wc_image_pack(context, dir, "x", NULL, NULL, &same, NULL, &err), WC_E_FORMAT);
    good(wc_image_pack(context, path, NULL, NULL, NULL, &same, &changes, &err));
    ck_assert_str_eq(wc_image_digest(same), wc_image_digest(image));
    ck_assert_str_eq(wc_buf_data(changes), "[]");
    wc_buf_unref(changes);
    wc_image_unref(same);
    test_write_file(file, "changed", 7);
    good(wc_image_pack(context, path, "changed", NULL, NULL, &same, &changes, &err));
    ck_assert_str_ne(wc_image_digest(same), wc_image_digest(image));
    ck_assert_str_eq(wc_image_name(same, 0), "docker.io/library/changed:latest");
    ck_assert_str_eq(wc_buf_data(changes), "[{\"Layer\":2,\"Path\":\"d/g\",\"Kind\":0}]");
    wc_buf_unref(changes);
    wc_image_unref(same);
    wc_image_unref(image);
    free(file);
    free(path);
}
END_TEST

/* ---- Mounting --------------------------------------------------------------------------------------- */

START_TEST(mounts_refuse_nonsense)
{
    const char *const tars[] = {"a.tar"};
    wc_buf *list = NULL;
    wc_image *image = make_image("one", tars, 1);
    bad(wc_image_mount(NULL, "/mnt", &err), WC_E_INVALID);
    bad(wc_image_mount(image, "", &err), WC_E_INVALID);
    bad(wc_image_mount(image, "/no/such/directory", &err), geteuid() ? WC_E_PERMISSION : WC_E_NOT_FOUND);
    bad(wc_image_mount(image, "/etc/passwd", &err), geteuid() ? WC_E_PERMISSION : WC_E_INVALID);
    bad(wc_image_unmount(NULL, "/mnt", 0, &err), WC_E_INVALID);
    bad(wc_image_unmount(context, "", 0, &err), WC_E_INVALID);
    bad(wc_image_unmount(context, "/", 2, &err), WC_E_INVALID);
    bad(wc_image_unmount(context, "/", 0, &err), WC_E_NOT_FOUND);
    bad(wc_image_mounts(context, NULL, &err), WC_E_INVALID);
    good(wc_image_mounts(context, &list, &err));
    ck_assert_str_eq(wc_buf_data(list), "[]");
    wc_buf_unref(list);
    wc_image_unref(image);
}
END_TEST

/* ---- Indexes ---------------------------------------------------------------------------------------- */

START_TEST(indexes_are_made)
{
    const char *const tars[] = {"a.tar"}, *const images[] = {"one"}, *const twice[] = {"one", "two"}, *const gaps[] = {NULL};
    wc_image *one = make_image("one", tars, 1), *two = two_layers(), *many = NULL;
    bad(wc_image_index_create(NULL, "many", images, 1, 0, NULL, NULL, &many, &err), WC_E_INVALID);
    bad(wc_image_index_create(context, "", images, 1, 0, NULL, NULL, &many, &err), WC_E_INVALID);
    bad(wc_image_index_create(context, "many", images, 0, 0, NULL, NULL, &many, &err), WC_E_INVALID);
    bad(wc_image_index_create(context, "many", NULL, 1, 0, NULL, NULL, &many, &err), WC_E_INVALID);
    bad(wc_image_index_create(context, "many", gaps, 1, 0, NULL, NULL, &many, &err), WC_E_INVALID);
    bad(wc_image_index_create(context, "many", images, 1, 2, NULL, NULL, &many, &err), WC_E_INVALID);
    bad(wc_image_index_create(context, "many", twice, 2, 0, NULL, NULL, &many, &err), WC_E_INVALID); /* one platform */
    bad(wc_image_index_create(context, "many", images, 1, WC_INDEX_AMEND, NULL, NULL, &many, &err), WC_E_NOT_FOUND);
    ck_assert_ptr_null(many);
    good(wc_image_index_create(context, "many", images, 1, 0, NULL, NULL, NULL, &err));
    good(wc_image_index_create(context, "many", images, 1, WC_INDEX_AMEND, NULL, NULL, &many, &err));
    ck_assert_str_eq(wc_image_digest(many), wc_image_digest(one));
    ck_assert_str_eq(wc_image_name(many, 0), "docker.io/library/many:latest");
    ck_assert_int_eq(strncmp(wc_image_index_digest(many), "sha256:", 7), 0);
    ck_assert_str_eq(wc_image_index_digest(one), "");
    wc_buf *index = NULL;
    bad(wc_image_index(NULL, &index, &err), WC_E_INVALID);
    bad(wc_image_index(many, NULL, &err), WC_E_INVALID);
    bad(wc_image_index(one, &index, &err), WC_E_NOT_FOUND);
    good(wc_image_index(many, &index, &err));
    buf_has(index, wc_image_digest(one));
    wc_image_unref(many);
    wc_image_unref(one);
    wc_image_unref(two);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("images");
    TCase *tc = tcase_create("images");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, edits_refuse_nonsense);
    tcase_add_test(tc, edits_may_be_used_again);
    tcase_add_test(tc, cancelled_edits_leave_nothing);
    tcase_add_test(tc, exports_refuse_nonsense);
    tcase_add_test(tc, indexes_are_made);
    tcase_add_test(tc, images_are_unpacked_and_packed);
    tcase_add_test(tc, mounts_refuse_nonsense);
    tcase_add_test(tc, exports_go_to_files_and_descriptors);
    tcase_add_test(tc, exports_to_nobody_end);
    tcase_add_test(tc, images_are_compared);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
