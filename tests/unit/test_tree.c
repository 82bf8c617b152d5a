/* SPDX-License-Identifier: Apache-2.0 */
/* Trees that may hold anything. */
#include "support/support.h"

#include <sys/xattr.h>

#include <wincontainer/error.h>

#include "core/alloc.h"
#include "platform/mount.h"
#include "platform/tree.h"

static char *dir, *outside;
static wci_fd root;

static void setup(void)
{
    dir = test_make_dir();
    outside = test_text("%s/outside", dir);
    char *tree = test_text("%s/tree", dir);
    ck_assert_int_eq(mkdir(outside, 0700), 0);
    ck_assert_int_eq(mkdir(tree, 0700), 0);
    test_ok(wci_tree_open_root(tree, &root, NULL));
    free(tree);
}

static void teardown(void)
{
    wci_fd_close(root);
    free(outside);
    test_remove_dir(dir);
}

static void make_file(const char *name, const char *text)
{
    wci_fd fd;
    test_ok(wci_tree_create_file(root, name, 0600, &fd, NULL));
    test_ok(wci_fd_write(fd, text, strlen(text), NULL));
    wci_fd_close(fd);
}

static wci_node_info info_of(const char *name)
{
    wci_node_info info;
    test_ok(wci_tree_stat(root, name, &info, NULL));
    return info;
}

START_TEST(names_are_single_components)
{
    static const char *const bad[] = {"", ".", "..", "a/b", "/", "../x", "/etc"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        wci_fd fd;
        wci_node_info info;
        char *text;
        wc_buf *buf;
        wci_strv v = WCI_STRV_INIT;
        test_code(wci_tree_open_dir(root, bad[i], &fd, NULL), WC_E_INVALID);
        test_code(wci_tree_open_file(root, bad[i], &fd, NULL), WC_E_INVALID);
        test_code(wci_tree_create_file(root, bad[i], 0600, &fd, NULL), WC_E_INVALID);
        test_code(wci_tree_make_dir(root, bad[i], 0700, NULL), WC_E_INVALID);
        test_code(wci_tree_make_symlink(root, bad[i], "x", NULL), WC_E_INVALID);
        test_code(wci_tree_make_node(root, bad[i], WCI_NODE_FIFO, 0, 0, 0, NULL), WC_E_INVALID);
        test_code(wci_tree_link(root, bad[i], root, "ok", NULL), WC_E_INVALID);
        test_code(wci_tree_link(root, "ok", root, bad[i], NULL), WC_E_INVALID);
        test_code(wci_tree_remove(root, bad[i], NULL), WC_E_INVALID);
        test_code(wci_tree_stat(root, bad[i], &info, NULL), WC_E_INVALID);
        test_code(wci_tree_read_link(root, bad[i], &text, NULL), WC_E_INVALID);
        test_code(wci_tree_chown(root, bad[i], 0, 0, NULL), WC_E_INVALID);
        test_code(wci_tree_chmod(root, bad[i], 0, NULL), WC_E_INVALID);
        test_code(wci_tree_set_mtime(root, bad[i], 0, 0, NULL), WC_E_INVALID);
        test_code(wci_tree_set_xattr(root, bad[i], "user.x", "", 0, NULL), WC_E_INVALID);
        test_code(wci_tree_get_xattr(root, bad[i], "user.x", &buf, NULL), WC_E_INVALID);
        test_code(wci_tree_list_xattrs(root, bad[i], &v, NULL), WC_E_INVALID);
    }
}
END_TEST

START_TEST(symbolic_links_are_refused)
{
    wci_fd fd;
    wc_error *err = NULL;
    char *target;
    test_ok(wci_tree_make_symlink(root, "dirlink", outside, NULL));
    char *file = test_text("%s/f", outside);
    test_write_file(file, "secret", 6);
    test_ok(wci_tree_make_symlink(root, "filelink", file, NULL));
    test_code(wci_tree_open_dir(root, "dirlink", &fd, &err), WC_E_INVALID);
    ck_assert(strstr(wc_error_message(err), "symbolic link"));
    wc_error_unref(err);
    test_code(wci_tree_open_file(root, "filelink", &fd, NULL), WC_E_INVALID);
    test_code(wci_tree_create_file(root, "filelink", 0600, &fd, NULL), WC_E_EXISTS);
    test_code(wci_tree_make_dir(root, "dirlink", 0700, NULL), WC_E_EXISTS);
    ck_assert_int_eq(info_of("dirlink").type, WCI_NODE_SYMLINK);
    test_ok(wci_tree_read_link(root, "dirlink", &target, NULL));
    ck_assert_str_eq(target, outside);
    wci_free(target);
    test_ok(wci_tree_remove(root, "dirlink", NULL));
    test_ok(wci_tree_remove(root, "filelink", NULL));
    ck_assert_int_eq(access(file, F_OK), 0);
    free(file);
}
END_TEST

START_TEST(attributes_do_not_go_through_links)
{
    struct stat before, after;
    char *file = test_text("%s/f", outside);
    test_write_file(file, "secret", 6);
    test_ok(wci_tree_make_symlink(root, "link", file, NULL));
    ck_assert_int_eq(stat(file, &before), 0);
    test_ok(wci_tree_chmod(root, "link", 0777, NULL));
    test_ok(wci_tree_set_mtime(root, "link", 1000, 5, NULL));
    if (geteuid() == 0) {
        test_ok(wci_tree_chown(root, "link", 123, 456, NULL));
        ck_assert_uint_eq(info_of("link").uid, 123);
    }
    wci_tree_set_xattr(root, "link", "user.x", "y", 1, NULL);
    wci_tree_set_xattr(root, "link", "trusted.x", "y", 1, NULL);
    ck_assert_int_eq(info_of("link").mtime_sec, 1000);
    ck_assert_int_eq(info_of("link").mtime_nsec, 5);
    ck_assert_int_eq(stat(file, &after), 0);
    ck_assert_uint_eq(before.st_mode, after.st_mode);
    ck_assert_uint_eq(before.st_uid, after.st_uid);
    ck_assert_int_eq(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
    ck_assert_int_lt(getxattr(file, "user.x", NULL, 0), 0);
    ck_assert_int_lt(getxattr(file, "trusted.x", NULL, 0), 0);
    free(file);
}
END_TEST

START_TEST(a_hard_link_to_a_link_is_a_link)
{
    test_ok(wci_tree_make_symlink(root, "link", outside, NULL));
    test_ok(wci_tree_link(root, "link", root, "copy", NULL));
    ck_assert_int_eq(info_of("copy").type, WCI_NODE_SYMLINK);
    ck_assert_uint_eq(info_of("copy").links, 2);
}
END_TEST

START_TEST(modes_are_exact)
{
    mode_t old = umask(0077);
    test_ok(wci_tree_make_dir(root, "d", 01777, NULL));
    ck_assert_uint_eq(info_of("d").mode, 01777);
    test_ok(wci_tree_make_node(root, "fifo", WCI_NODE_FIFO, 0666, 0, 0, NULL));
    ck_assert_uint_eq(info_of("fifo").mode, 0666);
    ck_assert_int_eq(info_of("fifo").type, WCI_NODE_FIFO);
    test_ok(wci_tree_chmod(root, "fifo", 0, NULL));
    ck_assert_uint_eq(info_of("fifo").mode, 0);
    test_ok(wci_tree_chmod(root, NULL, 0755, NULL));
    ck_assert_uint_eq(info_of(NULL).mode, 0755);
    wci_fd fd;
    test_ok(wci_tree_create_file(root, "f", 0600, &fd, NULL));
    test_ok(wci_tree_finish_file(fd, geteuid(), getegid(), 06755, -100, 999999999, NULL));
    wci_fd_close(fd);
    wci_node_info info = info_of("f");
    ck_assert_uint_eq(info.mode, 06755);
    ck_assert_int_eq(info.mtime_sec, -100);
    ck_assert_int_eq(info.mtime_nsec, 999999999);
    umask(old);
}
END_TEST

START_TEST(only_regular_files_are_opened)
{
    wci_fd fd;
    size_t got;
    char text[8] = "";
    test_ok(wci_tree_make_node(root, "fifo", WCI_NODE_FIFO, 0600, 0, 0, NULL));
    test_code(wci_tree_open_file(root, "fifo", &fd, NULL), WC_E_INVALID);
    test_ok(wci_tree_make_dir(root, "d", 0700, NULL));
    test_code(wci_tree_open_file(root, "d", &fd, NULL), WC_E_INVALID);
    test_code(wci_tree_open_file(root, "no", &fd, NULL), WC_E_NOT_FOUND);
    make_file("f", "hello");
    test_code(wci_tree_open_dir(root, "f", &fd, NULL), WC_E_INVALID);
    test_ok(wci_tree_open_file(root, "f", &fd, NULL));
    test_ok(wci_fd_read(fd, text, sizeof text, &got, NULL));
    ck_assert_str_eq(text, "hello");
    wci_fd_close(fd);
}
END_TEST

START_TEST(device_numbers_have_a_range)
{
    test_code(wci_tree_make_node(root, "n", WCI_NODE_CHAR, 0600, 4096, 0, NULL), WC_E_INVALID);
    test_code(wci_tree_make_node(root, "n", WCI_NODE_BLOCK, 0600, 0, 1 << 20, NULL), WC_E_INVALID);
    test_code(wci_tree_make_node(root, "n", WCI_NODE_DIR, 0600, 0, 0, NULL), WC_E_INVALID);
    int32_t rc = wci_tree_make_node(root, "n", WCI_NODE_CHAR, 0600, 4095, (1 << 20) - 1, NULL);
    if (rc == WC_E_PERMISSION)
        return; /* a host that allows no devices */
    test_ok(rc);
    ck_assert_uint_eq(info_of("n").dev_major, 4095);
    ck_assert_uint_eq(info_of("n").dev_minor, (1 << 20) - 1);
}
END_TEST

START_TEST(extended_attributes)
{
    wc_buf *value = NULL;
    wci_strv keys = WCI_STRV_INIT;
    make_file("f", "");
    int32_t rc = wci_tree_set_xattr(root, "f", "user.a", "1\0002", 3, NULL);
    if (rc == WC_E_UNSUPPORTED)
        return;
    test_ok(rc);
    test_ok(wci_tree_set_xattr(root, "f", "user.b", "", 0, NULL));
    test_ok(wci_tree_get_xattr(root, "f", "user.a", &value, NULL));
    ck_assert_uint_eq(wc_buf_size(value), 3);
    ck_assert(!memcmp(wc_buf_data(value), "1\0002", 3));
    wc_buf_unref(value);
    test_ok(wci_tree_get_xattr(root, "f", "user.b", &value, NULL));
    ck_assert_uint_eq(wc_buf_size(value), 0);
    wc_buf_unref(value);
    test_code(wci_tree_get_xattr(root, "f", "user.c", &value, NULL), WC_E_NOT_FOUND);
    test_ok(wci_tree_list_xattrs(root, "f", &keys, NULL));
    ck_assert(wci_strv_contains(&keys, "user.a") && wci_strv_contains(&keys, "user.b"));
    wci_strv_free(&keys);
    test_ok(wci_tree_set_xattr(root, NULL, "user.dir", "x", 1, NULL));
    test_ok(wci_tree_get_xattr(root, NULL, "user.dir", &value, NULL));
    wc_buf_unref(value);
}
END_TEST

START_TEST(overlay_marks)
{
    test_ok(wci_tree_make_dir(root, "d", 0755, NULL));
    ck_assert(!wci_tree_is_opaque(root, "d"));
    int32_t rc = wci_tree_set_opaque(root, "d", NULL);
    if (rc != WC_E_UNSUPPORTED) {
        test_ok(rc);
        ck_assert(wci_tree_is_opaque(root, "d"));
        wci_fd d;
        test_ok(wci_tree_open_dir(root, "d", &d, NULL));
        ck_assert(wci_tree_is_opaque(d, NULL));
        wci_fd_close(d);
    }
    rc = wci_tree_make_whiteout(root, "gone", NULL);
    if (rc == WC_E_PERMISSION)
        return; /* before Linux 5.8 only root may */
    test_ok(rc);
    wci_node_info info = info_of("gone"), other = info_of("d");
    ck_assert(wci_tree_is_whiteout(&info));
    ck_assert(!wci_tree_is_whiteout(&other));
}
END_TEST

START_TEST(lists_are_sorted_and_repeatable)
{
    wci_strv names = WCI_STRV_INIT;
    make_file("b", "");
    make_file(".a", "");
    make_file("...", "");
    for (int i = 0; i < 2; i++) {
        test_ok(wci_tree_list(root, &names, NULL));
        ck_assert_uint_eq(names.count, 3);
        ck_assert_str_eq(names.items[0], "...");
        ck_assert_str_eq(names.items[1], ".a");
        ck_assert_str_eq(names.items[2], "b");
        wci_strv_free(&names);
    }
}
END_TEST

START_TEST(removing_a_deep_tree)
{
    int fd = dup((int)root);
    for (int i = 0; i < 5000; i++) {
        ck_assert_int_eq(mkdirat(fd, "d", 0700), 0);
        int next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(next, 0);
        int f = openat(next, "f", O_CREAT | O_WRONLY | O_CLOEXEC, 0);
        close(f);
        ck_assert_int_eq(symlinkat(outside, next, "link"), 0);
        close(fd);
        fd = next;
    }
    close(fd);
    test_ok(wci_tree_remove(root, "d", NULL));
    test_code(wci_tree_remove(root, "d", NULL), WC_E_NOT_FOUND);
    ck_assert_int_eq(access(outside, F_OK), 0);
}
END_TEST

START_TEST(resolving_stays_inside)
{
    wci_fd fd;
    struct stat st;
    char text[8] = "";
    size_t got;
    test_ok(wci_tree_make_dir(root, "etc", 0755, NULL));
    make_file("f", "inside");
    test_ok(wci_tree_make_symlink(root, "abs", "/f", NULL));
    test_ok(wci_tree_make_symlink(root, "up", "../../../../f", NULL));
    test_ok(wci_tree_make_symlink(root, "out", outside, NULL));
    test_ok(wci_tree_make_symlink(root, "loop", "loop", NULL));
    static const char *const same[] = {"f", "/f", "abs", "up", "/etc/../../../f", "etc/../abs"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        test_ok(wci_tree_resolve(root, same[i], &fd, NULL));
        test_ok(wci_fd_read(fd, text, sizeof text, &got, NULL));
        ck_assert_uint_eq(got, 6);
        ck_assert(!memcmp(text, "inside", 6));
        wci_fd_close(fd);
    }
    test_code(wci_tree_resolve(root, "out", &fd, NULL), WC_E_NOT_FOUND);
    test_code(wci_tree_resolve(root, "loop", &fd, NULL), WC_E_INVALID);
    test_ok(wci_tree_resolve(root, "", &fd, NULL));
    ck_assert_int_eq(fstat((int)fd, &st), 0);
    ck_assert_uint_eq(st.st_ino, info_of(NULL).inode);
    wci_fd_close(fd);
    test_ok(wci_tree_make_node(root, "fifo", WCI_NODE_FIFO, 0600, 0, 0, NULL));
    test_ok(wci_tree_resolve(root, "fifo", &fd, NULL)); /* at once: it is not really opened */
    wci_fd_close(fd);
}
END_TEST

/* The kernel only says "invalid". */
START_TEST(an_overlay_of_too_many)
{
    wci_strv layers = WCI_STRV_INIT;
    wc_error *err = NULL;
    for (int i = 0; i < 501; i++)
        test_ok(wci_strv_add(&layers, dir));
    test_code(wci_overlay_mount_paths(&layers, outside, "none", outside, dir, &err), WC_E_LIMIT);
    ck_assert_ptr_nonnull(strstr(wc_error_message(err), "501 layers: Linux takes at most 500"));
    wc_error_unref(err);
    wci_strv_free(&layers);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tree");
    TCase *tc = tcase_create("tree");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, names_are_single_components);
    tcase_add_test(tc, symbolic_links_are_refused);
    tcase_add_test(tc, attributes_do_not_go_through_links);
    tcase_add_test(tc, a_hard_link_to_a_link_is_a_link);
    tcase_add_test(tc, modes_are_exact);
    tcase_add_test(tc, only_regular_files_are_opened);
    tcase_add_test(tc, device_numbers_have_a_range);
    tcase_add_test(tc, extended_attributes);
    tcase_add_test(tc, overlay_marks);
    tcase_add_test(tc, lists_are_sorted_and_repeatable);
    tcase_add_test(tc, removing_a_deep_tree);
    tcase_add_test(tc, resolving_stays_inside);
    tcase_add_test(tc, an_overlay_of_too_many);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
