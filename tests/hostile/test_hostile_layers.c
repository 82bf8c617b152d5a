/* SPDX-License-Identifier: Apache-2.0 */
/* Layers whose names, links and attributes mean harm. The numbers are those of "Hostile layers" in
 * docs/layers.md. */
#include "hostile_layers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/xattr.h>

#include "layer/path.h"
#include "platform/host.h"
#include "platform/tree.h"

char *hostile_dir, *hostile_outside;
static int unpacked;

void hostile_setup(void)
{
    hostile_dir = test_make_dir();
    hostile_outside = test_text("%s/outside", hostile_dir);
    char *secret = test_text("%s/secret", hostile_outside);
    ck_assert_int_eq(mkdir(hostile_outside, 0755), 0);
    test_write_file(secret, "secret", 6);
    ck_assert_int_eq(chmod(secret, 0640), 0);
    free(secret);
    unpacked = 0;
}

void hostile_teardown(void)
{
    struct stat st;
    size_t size;
    char *secret = test_text("%s/secret", hostile_outside);
    char *text = test_read_file(secret, &size), *names;
    ck_assert_ptr_nonnull(text);
    ck_assert_str_eq(text, "secret");
    ck_assert_int_eq(stat(secret, &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0640);
    ck_assert_int_eq(st.st_nlink, 1);
    char *command = test_text("ls -A %s", hostile_outside);
    test_run(command, &names);
    ck_assert_str_eq(names, "secret\n");
    free(command);
    free(names);
    free(text);
    free(secret);
    free(hostile_outside);
    test_remove_dir(hostile_dir);
}

static char *next_dir(void)
{
    char *dir = test_text("%s/t%d", hostile_dir, unpacked++);
    ck_assert_int_eq(mkdir(dir, 0700), 0);
    return dir;
}

char *hostile_unpack(tarball *t)
{
    wc_error *err = NULL;
    char *dir = next_dir();
    tar_end(t);
    int32_t rc = unpack_tar(t, dir, NULL, NULL, &err);
    ck_assert_msg(rc == 0, "%s: %s", wc_code_name(rc), err ? wc_error_message(err) : "");
    char *fs = test_text("%s/fs", dir);
    free(dir);
    tar_free(t);
    return fs;
}

void hostile_refused_with(tarball *t, const wci_limits *limits, int32_t want)
{
    wc_error *err = NULL;
    char *dir = next_dir();
    expect_refused(unpack_tar(t, dir, limits, NULL, &err), &err, want);
    free(dir);
    tar_free(t);
}

void hostile_refused(tarball *t, int32_t want)
{
    tar_end(t);
    hostile_refused_with(t, NULL, want);
}

char *hostile_path(const char *fs, const char *name)
{
    return test_text("%s/%s", fs, name);
}

mode_t hostile_type(const char *fs, const char *name)
{
    struct stat st;
    char *path = hostile_path(fs, name);
    int rc = lstat(path, &st);
    free(path);
    return rc ? 0 : st.st_mode & S_IFMT;
}

int hostile_exists(const char *fs, const char *name)
{
    return hostile_type(fs, name) != 0;
}

void hostile_assert_text(const char *fs, const char *name, const char *want)
{
    char *path = hostile_path(fs, name);
    char *text = test_read_file(path, NULL);
    ck_assert_msg(text != NULL, "no file %s", name);
    ck_assert_str_eq(text, want);
    free(text);
    free(path);
}

START_TEST(case_01_dotdot)
{
    static const char *const out[] = {"../x", "a/../../x", "/../x", "./../x", "a/b/../../../x"};
    for (size_t i = 0; i < sizeof out / sizeof *out; i++) {
        tarball t = TARBALL_INIT;
        tar_file(&t, out[i], "x");
        hostile_refused(&t, WC_E_FORMAT);
    }
}
END_TEST

START_TEST(case_01_absolute_names_stay_inside)
{
    tarball t = TARBALL_INIT;
    tar_file(&t, "/etc/wc-hostile", "x");
    char *fs = hostile_unpack(&t);
    hostile_assert_text(fs, "etc/wc-hostile", "x");
    ck_assert(access("/etc/wc-hostile", F_OK) != 0);
    free(fs);
}
END_TEST

static void layer_through_link(const char *target)
{
    tarball t = TARBALL_INIT;
    tar_symlink(&t, "d", target);
    tar_file(&t, "d/f", "x");
    char *fs = hostile_unpack(&t);
    ck_assert_int_eq(hostile_type(fs, "d"), S_IFDIR); /* the last one wins */
    hostile_assert_text(fs, "d/f", "x");
    free(fs);
}

START_TEST(case_02_symlink_then_entry_below)
{
    layer_through_link(hostile_outside);
    layer_through_link("../../outside");
}
END_TEST

START_TEST(case_02_absolute_symlinks_are_kept)
{
    char target[256];
    tarball t = TARBALL_INIT;
    tar_symlink(&t, "d", hostile_outside);
    char *fs = hostile_unpack(&t), *path = hostile_path(fs, "d");
    ssize_t n = readlink(path, target, sizeof target - 1);
    ck_assert_int_gt(n, 0);
    target[n] = '\0';
    ck_assert_str_eq(target, hostile_outside);
    free(path);
    free(fs);
}
END_TEST

START_TEST(case_03_symlink_chain)
{
    tarball t = TARBALL_INIT;
    tar_dir(&t, "a/b/");
    tar_symlink(&t, "a/b/up", "..");
    tar_symlink(&t, "a/b/up/up2", "../..");
    tar_symlink(&t, "c", "a/b/up/up2/../../outside");
    tar_file(&t, "c/f", "x");
    char *fs = hostile_unpack(&t);
    hostile_assert_text(fs, "c/f", "x");
    free(fs);
}
END_TEST

/* Each link is inside by its letters; the kernel goes up once more, since "up" has led to the root already. */
START_TEST(case_03_inside_by_name_outside_by_the_kernel)
{
    tarball t = TARBALL_INIT;
    tar_dir(&t, "deep/er/");
    tar_symlink(&t, "deep/er/up", "../..");
    tar_symlink(&t, "x", "deep/er/up/../../outside");
    tar_file(&t, "x/.wh.secret", "");
    tar_put(&t, .name = "x/", .type = '5', .mode = 0700, .uid = 1);
    tar_hardlink(&t, "stolen", "x/secret");
    tar_file(&t, "x/secret", "x");
    char *fs = hostile_unpack(&t);
    hostile_assert_text(fs, "x/secret", "x");
    ck_assert_int_eq(hostile_type(fs, "x"), S_IFDIR);
    ck_assert_int_eq(hostile_type(fs, "deep/er/up"), S_IFLNK);
    ck_assert(hostile_type(fs, "stolen") != S_IFREG);
    free(fs);
}
END_TEST

START_TEST(case_04_hardlink_out)
{
    static const char *const out[] = {"../outside/secret", "a/../../outside/secret"};
    for (size_t i = 0; i < 2; i++) {
        tarball t = TARBALL_INIT;
        tar_hardlink(&t, "h", out[i]);
        hostile_refused(&t, WC_E_FORMAT);
    }
}
END_TEST

START_TEST(case_04_hardlink_names_are_from_the_root)
{
    tarball t = TARBALL_INIT;
    char *back = getcwd(NULL, 0), *secret = test_text("%s/secret", hostile_outside);
    ck_assert_int_eq(chdir(hostile_outside), 0);
    tar_file(&t, "d/secret", "mine");
    tar_hardlink(&t, "d/h", "/d/secret");
    tar_hardlink(&t, "d/plain", "secret"); /* of the root: not in this layer */
    tar_hardlink(&t, "d/absolute", secret);
    char *fs = hostile_unpack(&t);
    ck_assert_int_eq(chdir(back), 0);
    hostile_assert_text(fs, "d/h", "mine");
    ck_assert(hostile_type(fs, "d/plain") != S_IFREG);
    ck_assert(hostile_type(fs, "d/absolute") != S_IFREG);
    free(fs);
    free(back);
    free(secret);
}
END_TEST

START_TEST(case_05_hardlink_to_symlink)
{
    char *secret = test_text("%s/secret", hostile_outside);
    tarball t = TARBALL_INIT;
    tar_symlink(&t, "s", secret);
    tar_pax(&t, "SCHILY.xattr.user.x", "y", 0);
    tar_put(&t, .name = "h", .type = '1', .link = "s", .mode = 04777, .uid = 1234);
    char *fs = hostile_unpack(&t);
    ck_assert_int_eq(hostile_type(fs, "h"), S_IFLNK);
    free(fs);
    free(secret);
}
END_TEST

START_TEST(case_06_root_as_symlink)
{
    static const char *const roots[] = {".", "/", "./", "a/.."};
    for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
        tarball t = TARBALL_INIT;
        tar_symlink(&t, roots[i], hostile_outside);
        hostile_refused(&t, WC_E_FORMAT);
        tar_hardlink(&t, roots[i], "x");
        hostile_refused(&t, WC_E_FORMAT);
        tar_file(&t, roots[i], "x");
        hostile_refused(&t, WC_E_FORMAT);
    }
}
END_TEST

/* Swaps <dir>/t0/fs/d with a link to outside as fast as it can. */
typedef struct swapper {
    char *d, *link;
    atomic_int stop;
} swapper;

static void *swap_parent(void *arg)
{
    swapper *s = arg;
    while (!atomic_load(&s->stop)) {
        renameat2(AT_FDCWD, s->d, AT_FDCWD, s->link, RENAME_EXCHANGE);
    }
    return NULL;
}

START_TEST(case_07_parent_swapped_meanwhile)
{
    pthread_t thread;
    char name[32];
    wc_error *err = NULL;
    tarball t = TARBALL_INIT;
    swapper s = {test_text("%s/t0/fs/d", hostile_dir), test_text("%s/link", hostile_dir), 0};
    ck_assert_int_eq(symlink(hostile_outside, s.link), 0);
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "d/e%d/f", i);
        tar_file(&t, name, "x");
    }
    tar_end(&t);
    char *dir = next_dir();
    pthread_create(&thread, NULL, swap_parent, &s);
    int32_t rc = unpack_tar(&t, dir, NULL, NULL, &err); /* may fail, must not lead out */
    atomic_store(&s.stop, 1);
    pthread_join(thread, NULL);
    if (rc)
        wc_error_unref(err);
    unlink(s.d); /* whichever of the two is the link now */
    unlink(s.link);
    tar_free(&t);
    free(dir);
    free(s.d);
    free(s.link);
}
END_TEST

START_TEST(case_08_whiteouts_of_nothing)
{
    static const char *const bad[] = {".wh.", ".wh..", ".wh...", "d/.wh.", "d/.wh..", "d/.wh...",
                                      ".wh.d/f"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tarball t = TARBALL_INIT;
        tar_dir(&t, "d/");
        tar_file(&t, bad[i], "");
        hostile_refused(&t, WC_E_FORMAT);
    }
}
END_TEST

START_TEST(case_09_whiteout_below_symlink)
{
    tarball t = TARBALL_INIT;
    tar_symlink(&t, "d", hostile_outside);
    tar_file(&t, "d/.wh.secret", "");
    tar_file(&t, "d/.wh..wh..opq", "");
    char *fs = hostile_unpack(&t);
    ck_assert_int_eq(hostile_type(fs, "d"), S_IFLNK); /* nothing of ours to hide there */
    free(fs);
}
END_TEST

START_TEST(case_10_whiteout_and_file)
{
    for (int order = 0; order < 2; order++) {
        tarball t = TARBALL_INIT;
        if (order)
            tar_file(&t, ".wh.f", "");
        tar_file(&t, "f", "stays");
        if (!order)
            tar_file(&t, ".wh.f", "");
        char *fs = hostile_unpack(&t);
        hostile_assert_text(fs, "f", "stays");
        free(fs);
    }
}
END_TEST

START_TEST(case_10_opaque_after_siblings)
{
    tarball t = TARBALL_INIT;
    tar_file(&t, "d/f", "stays");
    tar_file(&t, "d/.wh..wh..opq", "");
    tar_file(&t, "d/g", "too");
    char *fs = hostile_unpack(&t);
    hostile_assert_text(fs, "d/f", "stays");
    hostile_assert_text(fs, "d/g", "too");
    ck_assert(!hostile_exists(fs, "d/.wh..wh..opq"));
    free(fs);
}
END_TEST

START_TEST(case_11_type_changes)
{
    char *secret = test_text("%s/secret", hostile_outside);
    tarball t = TARBALL_INIT;
    tar_symlink(&t, "a", secret); /* link, then file: never written through */
    tar_file(&t, "a", "file");
    tar_file(&t, "b", "file"); /* file, then directory, then file */
    tar_file(&t, "b/x", "x");
    tar_file(&t, "b", "again");
    tar_dir(&t, "c/"); /* directory, then link, then directory */
    tar_file(&t, "c/x", "x");
    tar_symlink(&t, "c", hostile_outside);
    tar_put(&t, .name = "c", .type = '5', .mode = 0711);
    tar_dir(&t, "d/"); /* directory, then fifo */
    tar_put(&t, .name = "d", .type = '6');
    tar_file(&t, "e", "one");
    tar_hardlink(&t, "e2", "e");
    tar_file(&t, "e", "two"); /* a new file: the other name keeps the old one */
    char *fs = hostile_unpack(&t);
    hostile_assert_text(fs, "a", "file");
    hostile_assert_text(fs, "b", "again");
    ck_assert_int_eq(hostile_type(fs, "c"), S_IFDIR);
    ck_assert(!hostile_exists(fs, "c/x"));
    ck_assert_int_eq(hostile_type(fs, "d"), S_IFIFO);
    hostile_assert_text(fs, "e", "two");
    hostile_assert_text(fs, "e2", "one");
    free(fs);
    free(secret);
}
END_TEST

START_TEST(case_12_devices_out_of_range)
{
    tarball t = TARBALL_INIT;
    tar_put(&t, .name = "dev", .type = '3', .major = 4096, .minor = 1);
    hostile_refused(&t, WC_E_FORMAT);
    tar_put(&t, .name = "dev", .type = '4', .major = 1, .minor = 1 << 20);
    hostile_refused(&t, WC_E_FORMAT);
    char block[512];
    tar_header(block, &(tar_item){.name = "dev", .type = '3'}, 0);
    memcpy(block + 329, "\xff\xff\xff\xff\xff\xff\xff\xff", 8); /* -1 in base 256 */
    tar_sign(block);
    tar_bytes(&t, block, sizeof block);
    hostile_refused(&t, WC_E_FORMAT);
}
END_TEST

START_TEST(case_12_owners_out_of_range)
{
    static const char *const bad[] = {"4294967295", "-1", "18446744073709551616", "x", "1x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tarball t = TARBALL_INIT;
        tar_pax(&t, i % 2 ? "uid" : "gid", bad[i], 0);
        tar_file(&t, "f", "");
        hostile_refused(&t, WC_E_FORMAT);
    }
}
END_TEST

/* What follows in this test's own process is done by nobody. */
static void give_up_root(char *dir)
{
    if (!wci_host_is_root())
        return;
    ck_assert_int_eq(chmod(hostile_dir, 0755), 0);
    ck_assert_int_eq(chown(dir, 65534, 65534), 0);
    ck_assert_int_eq(setresgid(65534, 65534, 0), 0);
    ck_assert_int_eq(setresuid(65534, 65534, 0), 0);
}

static void be_root_again(void)
{
    ck_assert_int_eq(seteuid(getuid() == 65534 ? 0 : geteuid()), 0);
    ck_assert_int_eq(setegid(getgid() == 65534 ? 0 : getegid()), 0);
}

/* A device is refused by name: a tree without it would not be what its DiffID says. */
START_TEST(case_12_device_without_privilege)
{
    wci_unpack_stats stats;
    wc_error *err = NULL;
    tarball t = TARBALL_INIT;
    tar_put(&t, .name = "dev/null", .type = '3', .major = 1, .minor = 3);
    tar_end(&t);
    char *dir = next_dir();
    give_up_root(dir);
    int32_t rc = unpack_tar(&t, dir, NULL, &stats, &err);
    be_root_again();
    ck_assert_int_eq(rc, WC_E_PERMISSION);
    ck_assert_ptr_nonnull(strstr(wc_error_message(err), "dev/null"));
    ck_assert_ptr_nonnull(strstr(wc_error_message(wc_error_cause(err)), "root"));
    wc_error_unref(err);
    tar_free(&t);
    free(dir);
}
END_TEST

/* They give nobody a right that he has not: the file belongs to him. */
START_TEST(case_12_fifo_and_setuid_without_privilege)
{
    wci_unpack_stats stats;
    wc_error *err = NULL;
    tarball t = TARBALL_INIT;
    struct stat st;
    tar_put(&t, .name = "pipe", .type = '6');
    tar_put(&t, .name = "suid", .mode = 04755, .text = "x");
    tar_end(&t);
    char *dir = next_dir();
    int was_root = wci_host_is_root();
    give_up_root(dir);
    int32_t rc = unpack_tar(&t, dir, NULL, &stats, &err);
    be_root_again();
    ck_assert_msg(rc == 0, "%s", err ? wc_error_message(err) : "");
    ck_assert_uint_eq(stats.skipped.count, 0);
    char *fs = test_text("%s/fs", dir), *suid = test_text("%s/suid", fs);
    ck_assert_int_eq(hostile_type(fs, "pipe"), S_IFIFO);
    ck_assert_int_eq(stat(suid, &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 04755);
    ck_assert_uint_eq(st.st_uid, was_root ? 65534 : getuid());
    wci_strv_free(&stats.skipped);
    tar_free(&t);
    free(suid);
    free(fs);
    free(dir);
}
END_TEST

START_TEST(case_47_planted_overlay_attributes)
{
    char list[512];
    tarball t = TARBALL_INIT;
    tar_pax(&t, "SCHILY.xattr.trusted.overlay.redirect", "/etc", 0);
    tar_pax(&t, "SCHILY.xattr.trusted.overlay.opaque", "y", 0);
    tar_pax(&t, "SCHILY.xattr.user.overlay.metacopy", "y", 0);
    tar_pax(&t, "SCHILY.xattr.user.overlay.redirect", "/etc", 0);
    tar_dir(&t, "d/");
    tar_pax(&t, "SCHILY.xattr.trusted.overlay.metacopy", "y", 0);
    tar_file(&t, "f", "x");
    char *fs = hostile_unpack(&t);
    for (int i = 0; i < 2; i++) {
        char *path = hostile_path(fs, i ? "f" : "d");
        ssize_t n = llistxattr(path, list, sizeof list);
        for (ssize_t at = 0; at < n; at += (ssize_t)strlen(list + at) + 1)
            ck_assert_msg(!strstr(list + at, "overlay"), "%s has %s", path, list + at);
        free(path);
    }
    free(fs);
}
END_TEST

static TCase *layer_cases(void)
{
    TCase *tc = tcase_create("layers");
    tcase_set_timeout(tc, 60);
    tcase_add_checked_fixture(tc, hostile_setup, hostile_teardown);
    tcase_add_test(tc, case_01_dotdot);
    tcase_add_test(tc, case_01_absolute_names_stay_inside);
    tcase_add_test(tc, case_02_symlink_then_entry_below);
    tcase_add_test(tc, case_02_absolute_symlinks_are_kept);
    tcase_add_test(tc, case_03_symlink_chain);
    tcase_add_test(tc, case_03_inside_by_name_outside_by_the_kernel);
    tcase_add_test(tc, case_04_hardlink_out);
    tcase_add_test(tc, case_04_hardlink_names_are_from_the_root);
    tcase_add_test(tc, case_05_hardlink_to_symlink);
    tcase_add_test(tc, case_06_root_as_symlink);
    tcase_add_test(tc, case_07_parent_swapped_meanwhile);
    tcase_add_test(tc, case_08_whiteouts_of_nothing);
    tcase_add_test(tc, case_09_whiteout_below_symlink);
    tcase_add_test(tc, case_10_whiteout_and_file);
    tcase_add_test(tc, case_10_opaque_after_siblings);
    tcase_add_test(tc, case_11_type_changes);
    tcase_add_test(tc, case_12_devices_out_of_range);
    tcase_add_test(tc, case_12_owners_out_of_range);
    tcase_add_test(tc, case_12_device_without_privilege);
    tcase_add_test(tc, case_12_fifo_and_setuid_without_privilege);
    tcase_add_test(tc, case_47_planted_overlay_attributes);
    return tc;
}

int main(void)
{
    Suite *suite = suite_create("hostile layers");
    suite_add_tcase(suite, layer_cases());
    suite_add_tcase(suite, hostile_stream_cases());
    suite_add_tcase(suite, hostile_chunked_cases());
    suite_add_tcase(suite, hostile_windows_cases());
    return test_main(suite);
}
