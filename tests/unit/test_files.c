/* SPDX-License-Identifier: Apache-2.0 */
/* Files, directories and paths of our own. */
#include "support/support.h"

#include <sys/mount.h>
#include <sys/stat.h>

#include <wincontainer/error.h>

#include "core/alloc.h"
#include "core/str.h"
#include "platform/file.h"

static char *dir;

static void setup(void)
{
    dir = test_make_dir();
}

static void teardown(void)
{
    test_remove_dir(dir);
}

/* A path in the directory; lent until the same slot is used again. */
static const char *in(const char *name)
{
    static char paths[4][600];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

static unsigned mode_of(const char *path)
{
    struct stat st;
    ck_assert_int_eq(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

START_TEST(modes_do_not_depend_on_the_umask)
{
    wci_fd fd;
    mode_t old = umask(0077);
    test_ok(wci_file_open(in("f"), WCI_OPEN_WRITE | WCI_OPEN_CREATE, 0666, &fd, NULL));
    wci_fd_close(fd);
    ck_assert_uint_eq(mode_of(in("f")), 0666);
    test_ok(wci_file_open(in("f"), WCI_OPEN_WRITE | WCI_OPEN_CREATE, 0600, &fd, NULL));
    wci_fd_close(fd);
    ck_assert_uint_eq(mode_of(in("f")), 0666); /* it was there already */
    test_ok(wci_dir_make(in("a/b/c"), 0755, NULL));
    ck_assert_uint_eq(mode_of(in("a")), 0755);
    ck_assert_uint_eq(mode_of(in("a/b/c")), 0755);
    test_ok(wci_file_write_atomic(in("g"), "x", 1, 0644, 0, NULL));
    ck_assert_uint_eq(mode_of(in("g")), 0644);
    ck_assert_uint_eq(umask(old), 0077);
}
END_TEST

START_TEST(opening_says_what_is_wrong)
{
    wci_fd fd = 77;
    test_code(wci_file_open(in("no"), WCI_OPEN_READ, 0, &fd, NULL), WC_E_NOT_FOUND);
    test_write_file(in("f"), "x", 1);
    test_code(wci_file_open(in("f"), WCI_OPEN_WRITE | WCI_OPEN_CREATE | WCI_OPEN_EXCL, 0600, &fd,
                            NULL),
              WC_E_EXISTS);
    ck_assert_int_eq(symlink("f", in("link")), 0);
    test_code(wci_file_open(in("link"), WCI_OPEN_READ | WCI_OPEN_NOFOLLOW, 0, &fd, NULL),
              WC_E_INVALID);
    ck_assert_int_eq(fd, 77);
    test_ok(wci_file_open(in("link"), WCI_OPEN_READ, 0, &fd, NULL));
    ck_assert(fcntl((int)fd, F_GETFD) & FD_CLOEXEC);
    wci_fd_close(fd);
    ck_assert_int_eq(symlink("later", in("dangling")), 0);
    test_ok(wci_file_open(in("dangling"), WCI_OPEN_WRITE | WCI_OPEN_CREATE, 0600, &fd, NULL));
    wci_fd_close(fd);
    ck_assert(wci_file_exists(in("later")));
}
END_TEST

START_TEST(read_write_and_copy)
{
    wci_fd a, b;
    char data[100000], back[100000];
    size_t got;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (char)(i * 7);
    test_ok(wci_file_open(in("a"), WCI_OPEN_READ | WCI_OPEN_WRITE | WCI_OPEN_CREATE, 0600, &a,
                          NULL));
    test_ok(wci_fd_write(a, data, sizeof data, NULL));
    test_ok(wci_fd_pread(a, back, sizeof back, 10, &got, NULL));
    ck_assert_uint_eq(got, sizeof data - 10);
    ck_assert(!memcmp(back, data + 10, got));
    test_ok(wci_file_open(in("b"), WCI_OPEN_READ | WCI_OPEN_WRITE | WCI_OPEN_CREATE, 0600, &b,
                          NULL));
    test_ok(wci_fd_write(b, "head", 4, NULL));
    test_ok(wci_fd_copy(a, 1000, 50000, b, NULL));
    test_ok(wci_fd_pread(b, back, sizeof back, 0, &got, NULL));
    ck_assert_uint_eq(got, 50004);
    ck_assert(!memcmp(back + 4, data + 1000, 50000));
    test_code(wci_fd_copy(a, sizeof data - 5, 10, b, NULL), WC_E_IO);
    test_ok(wci_fd_truncate(b, 3, NULL));
    wci_file_info info;
    test_ok(wci_fd_info(b, &info, NULL));
    ck_assert_uint_eq(info.size, 3);
    test_ok(wci_fd_sync(b, NULL));
    wci_fd_close(a);
    wci_fd_close(b);
}
END_TEST

START_TEST(copies_into_a_pipe_too)
{
    int ends[2];
    wci_fd a;
    char back[16] = "";
    test_write_file(in("a"), "0123456789", 10);
    test_ok(wci_file_open(in("a"), WCI_OPEN_READ, 0, &a, NULL));
    ck_assert_int_eq(pipe(ends), 0);
    test_ok(wci_fd_copy(a, 2, 5, ends[1], NULL));
    ck_assert_int_eq(read(ends[0], back, sizeof back), 5);
    ck_assert_str_eq(back, "23456");
    close(ends[0]);
    close(ends[1]);
    wci_fd_close(a);
}
END_TEST

START_TEST(whole_files_have_a_limit)
{
    wc_buf *buf = NULL;
    test_write_file(in("f"), "hello", 5);
    test_ok(wci_file_read_all(in("f"), 5, &buf, NULL));
    ck_assert_uint_eq(wc_buf_size(buf), 5);
    ck_assert_str_eq(wc_buf_data(buf), "hello");
    wc_buf_unref(buf);
    buf = NULL;
    test_code(wci_file_read_all(in("f"), 4, &buf, NULL), WC_E_LIMIT);
    test_code(wci_file_read_all("/dev/zero", 20000, &buf, NULL), WC_E_LIMIT);
    ck_assert_ptr_null(buf);
    test_ok(wci_file_read_all("/proc/self/status", 20000, &buf, NULL)); /* says that it is empty */
    ck_assert_uint_gt(wc_buf_size(buf), 100);
    wc_buf_unref(buf);
}
END_TEST

START_TEST(atomic_writing_leaves_old_or_new)
{
    wci_strv names = WCI_STRV_INIT;
    test_ok(wci_file_write_atomic(in("f"), "one", 3, 0600, 1, NULL));
    test_ok(wci_file_write_atomic(in("f"), "three", 5, 0600, 0, NULL));
    char *text = test_read_file(in("f"), NULL);
    ck_assert_str_eq(text, "three");
    free(text);
    ck_assert_int_eq(mkdir(in("d"), 0700), 0);
    ck_assert_int_ne(wci_file_write_atomic(in("d"), "x", 1, 0600, 0, NULL), WC_OK);
    test_code(wci_file_write_atomic(in("no/f"), "x", 1, 0600, 0, NULL), WC_E_NOT_FOUND);
    test_ok(wci_dir_list(dir, &names, NULL));
    ck_assert_uint_eq(names.count, 2); /* nothing was left beside */
    wci_strv_free(&names);
}
END_TEST

static int entries_of(const char *path)
{
    wci_strv names = WCI_STRV_INIT;
    test_ok(wci_dir_list(path, &names, NULL));
    int count = (int)names.count;
    wci_strv_free(&names);
    return count;
}

START_TEST(unseen_files_come_whole_or_not_at_all)
{
    char *sub = test_text("%s/unseen", dir), *path = test_text("%s/file", sub), *beside = NULL;
    wci_fd fd;
    test_ok(wci_dir_make(sub, 0755, NULL));
    test_ok(wci_file_open_unseen(path, 0640, &fd, &beside, NULL));
    test_ok(wci_fd_write(fd, "one", 3, NULL));
    ck_assert_int_eq(entries_of(sub), beside ? 1 : 0);
    test_ok(wci_file_publish(fd, beside, path, NULL));
    wci_fd_close(fd);
    wci_free(beside);
    for (int i = 0; i < 2; i++) { /* one is there, which it replaces; and one that is given up */
        test_ok(wci_file_open_unseen(path, 0640, &fd, &beside, NULL));
        test_ok(wci_fd_write(fd, "other", 5, NULL));
        if (i == 0)
            test_ok(wci_file_publish(fd, beside, path, NULL));
        else if (beside)
            test_ok(wci_file_remove(beside, NULL));
        wci_fd_close(fd);
        wci_free(beside);
    }
    size_t size;
    char *text = test_read_file(path, &size);
    ck_assert_str_eq(text, "other");
    ck_assert_int_eq(entries_of(sub), 1);
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0640);
    wc_error *err = NULL;
    ck_assert_int_eq(wci_file_open_unseen("/no/such/dir/file", 0640, &fd, &beside, &err), WC_E_NOT_FOUND);
    wc_error_unref(err);
    free(text);
    free(path);
    free(sub);
}
END_TEST

START_TEST(renaming_can_refuse)
{
    test_write_file(in("a"), "a", 1);
    test_write_file(in("b"), "b", 1);
    test_code(wci_file_rename_new(in("a"), in("b"), NULL), WC_E_EXISTS);
    test_ok(wci_file_rename_new(in("a"), in("c"), NULL));
    test_ok(wci_file_rename(in("c"), in("b"), NULL));
    char *text = test_read_file(in("b"), NULL);
    ck_assert_str_eq(text, "a");
    free(text);
    test_ok(wci_file_remove(in("b"), NULL));
    test_ok(wci_file_remove(in("b"), NULL));
    ck_assert(!wci_file_exists(in("b")));
}
END_TEST

START_TEST(directories_are_made_and_listed)
{
    wci_strv names = WCI_STRV_INIT;
    test_ok(wci_dir_make(in("x/y"), 0700, NULL));
    test_ok(wci_dir_make(in("x/y"), 0700, NULL));
    test_code(wci_dir_make_new(in("x"), 0700, NULL), WC_E_EXISTS);
    test_write_file(in("f"), "", 0);
    test_code(wci_dir_make(in("f"), 0700, NULL), WC_E_EXISTS);
    test_code(wci_dir_make(in("f/g"), 0700, NULL), WC_E_INVALID);
    test_write_file(in("b"), "", 0);
    test_ok(wci_dir_list(dir, &names, NULL));
    ck_assert_uint_eq(names.count, 3);
    ck_assert_str_eq(names.items[0], "b");
    ck_assert_str_eq(names.items[2], "x");
    wci_strv_free(&names);
    test_code(wci_dir_remove_empty(in("x"), NULL), WC_E_EXISTS);
    test_ok(wci_dir_remove_empty(in("x/y"), NULL));
    test_ok(wci_dir_sync(dir, NULL));
    test_ok(wci_fs_sync(dir, NULL));
}
END_TEST

START_TEST(removing_takes_all_and_follows_nothing)
{
    test_ok(wci_dir_make(in("keep"), 0700, NULL));
    test_write_file(in("keep/f"), "x", 1);
    test_ok(wci_dir_make(in("t/a/b"), 0700, NULL));
    test_write_file(in("t/a/f"), "x", 1);
    ck_assert_int_eq(symlink(in("keep"), in("t/a/link")), 0);
    ck_assert_int_eq(mkfifo(in("t/a/fifo"), 0), 0);
    ck_assert_int_eq(chmod(in("t/a/b"), 0), 0);
    ck_assert_int_eq(chmod(in("t/a"), 0500), 0);
    test_ok(wci_dir_remove_all(in("t/"), NULL));
    ck_assert(!wci_file_exists(in("t")));
    ck_assert(wci_file_exists(in("keep/f")));
    test_ok(wci_dir_remove_all(in("t"), NULL));
    ck_assert_int_eq(symlink("keep", in("link")), 0);
    test_ok(wci_dir_remove_all(in("link"), NULL));
    ck_assert(!wci_file_exists(in("link")));
    ck_assert(wci_file_exists(in("keep/f")));
}
END_TEST

/* As an ordinary user, whom modes do keep out. */
START_TEST(removing_overrides_modes_for_users)
{
    if (geteuid() == 0) {
        ck_assert_int_eq(chmod(dir, 0777), 0);
        ck_assert_int_eq(seteuid(65534), 0);
    }
    test_ok(wci_dir_make(in("t/a/b"), 0700, NULL));
    test_write_file(in("t/a/b/f"), "x", 1);
    ck_assert_int_eq(chmod(in("t/a/b"), 0), 0);
    ck_assert_int_eq(chmod(in("t/a"), 0), 0);
    ck_assert_int_eq(chmod(in("t"), 0500), 0);
    test_ok(wci_dir_remove_all(in("t"), NULL));
    ck_assert(!wci_file_exists(in("t")));
    if (getuid() == 0)
        ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

static void make_deep(int depth)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < depth; i++) {
        ck_assert_int_eq(mkdirat(fd, "d", 0700), 0);
        int next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(next, 0);
        close(fd);
        fd = next;
    }
    close(fd);
}

START_TEST(depth_costs_neither_stack_nor_descriptors)
{
    uint64_t bytes, entries;
    make_deep(20000);
    test_ok(wci_dir_usage(in("d"), &bytes, &entries, NULL));
    ck_assert_uint_eq(entries, 20000);
    test_ok(wci_dir_remove_all(in("d"), NULL));
    ck_assert(!wci_file_exists(in("d")));
}
END_TEST

START_TEST(mounts_are_not_crossed)
{
    if (geteuid() != 0 || mkdir(in("m"), 0700) || mkdir(in("m/n"), 0700) ||
        mkdir(in("other"), 0700))
        return;
    test_write_file(in("other/f"), "x", 1);
    if (mount(in("other"), in("m/n"), NULL, MS_BIND, NULL))
        return; /* not allowed here */
    int32_t inside = wci_dir_remove_all(in("m"), NULL);
    int32_t itself = wci_dir_remove_all(in("m/n"), NULL);
    umount2(in("m/n"), MNT_DETACH);
    test_code(inside, WC_E_IN_USE);
    ck_assert_int_ne(itself, WC_OK);
    ck_assert(wci_file_exists(in("other/f")));
}
END_TEST

START_TEST(usage_counts_hard_links_once)
{
    uint64_t one, two, bytes, entries;
    char data[20000];
    memset(data, 'x', sizeof data);
    test_ok(wci_dir_make(in("u/v"), 0700, NULL));
    test_write_file(in("u/f"), data, sizeof data);
    test_ok(wci_dir_usage(in("u"), &one, &entries, NULL));
    ck_assert_uint_eq(entries, 3);
    for (int i = 0; i < 300; i++) {
        char name[32];
        snprintf(name, sizeof name, "u/v/%d", i);
        ck_assert_int_eq(link(in("u/f"), in(name)), 0);
    }
    test_ok(wci_dir_usage(in("u"), &two, &entries, NULL));
    ck_assert_uint_eq(entries, 303);
    ck_assert_uint_ge(one, sizeof data);
    ck_assert_uint_lt(two, one + sizeof data);
    test_code(wci_dir_usage(in("no"), &bytes, &entries, NULL), WC_E_NOT_FOUND);
}
END_TEST

START_TEST(file_systems_have_names)
{
    uint64_t free_bytes, total;
    const char *name;
    test_ok(wci_fs_info("/proc", &free_bytes, &total, &name, NULL));
    ck_assert_str_eq(name, "proc");
    test_ok(wci_fs_info(dir, &free_bytes, &total, NULL, NULL));
    ck_assert(total > 0 && free_bytes <= total);
    test_code(wci_fs_info(in("no"), NULL, NULL, &name, NULL), WC_E_NOT_FOUND);
}
END_TEST

static void check_path(char *got, const char *expected)
{
    ck_assert_str_eq(got, expected);
    wci_free(got);
}

START_TEST(paths_are_put_together_and_taken_apart)
{
    check_path(wci_path_join("/a", "b"), "/a/b");
    check_path(wci_path_join("/", "b"), "/b");
    check_path(wci_path_join3("a/", "b", "c"), "a/b/c");
    check_path(wci_path_parent("/a/b"), "/a");
    check_path(wci_path_parent("/a/b//"), "/a");
    check_path(wci_path_parent("/a"), "/");
    check_path(wci_path_parent("/"), "/");
    check_path(wci_path_parent("a"), ".");
    ck_assert_str_eq(wci_path_base("/a/b"), "b");
    ck_assert_str_eq(wci_path_base("b"), "b");
    ck_assert(wci_path_is_absolute("/a") && !wci_path_is_absolute("a"));

    char *path, *cwd = getcwd(NULL, 0);
    test_ok(wci_path_absolute("/a//b/./../c/..", &path, NULL));
    check_path(path, "/a");
    test_ok(wci_path_absolute("/../..", &path, NULL));
    check_path(path, "/");
    test_ok(wci_path_absolute(".", &path, NULL));
    check_path(path, cwd);
    free(cwd);
    ck_assert_int_eq(symlink("/proc", in("p")), 0);
    test_ok(wci_path_real(in("p"), &path, NULL));
    check_path(path, "/proc");
    test_code(wci_path_real(in("no"), &path, NULL), WC_E_NOT_FOUND);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("files");
    TCase *tc = tcase_create("files");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 100);
    tcase_add_test(tc, modes_do_not_depend_on_the_umask);
    tcase_add_test(tc, opening_says_what_is_wrong);
    tcase_add_test(tc, read_write_and_copy);
    tcase_add_test(tc, copies_into_a_pipe_too);
    tcase_add_test(tc, whole_files_have_a_limit);
    tcase_add_test(tc, atomic_writing_leaves_old_or_new);
    tcase_add_test(tc, unseen_files_come_whole_or_not_at_all);
    tcase_add_test(tc, renaming_can_refuse);
    tcase_add_test(tc, directories_are_made_and_listed);
    tcase_add_test(tc, removing_takes_all_and_follows_nothing);
    tcase_add_test(tc, removing_overrides_modes_for_users);
    tcase_add_test(tc, depth_costs_neither_stack_nor_descriptors);
    tcase_add_test(tc, mounts_are_not_crossed);
    tcase_add_test(tc, usage_counts_hard_links_once);
    tcase_add_test(tc, file_systems_have_names);
    tcase_add_test(tc, paths_are_put_together_and_taken_apart);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
