/* SPDX-License-Identifier: Apache-2.0 */
#include "support/support.h"

#include <wincontainer/error.h>

#include "core/alloc.h"
#include "core/str.h"
#include "platform/host.h"
#include "platform/process.h"

START_TEST(randomness_is_hex_and_new)
{
    char a[33], b[33];
    memset(a, 'z', sizeof a);
    test_ok(wci_random_hex(16, a, NULL));
    test_ok(wci_random_hex(16, b, NULL));
    ck_assert_uint_eq(strlen(a), 32);
    ck_assert_uint_eq(strspn(a, "0123456789abcdef"), 32);
    ck_assert_str_ne(a, b);
}
END_TEST

START_TEST(a_process_is_named_by_pid_and_start)
{
    int64_t pid = wci_host_pid(), start = wci_host_process_start(pid);
    ck_assert_int_gt(start, 0);
    ck_assert_int_eq(wci_process_alive(pid, start), 1);
    ck_assert_int_eq(wci_process_alive(pid, start + 1), 0);
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    int64_t child_start = wci_host_process_start(child);
    siginfo_t info;
    waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
    ck_assert_int_gt(child_start, 0);
    ck_assert_int_eq(wci_process_alive(child, child_start), 0); /* a zombie */
    waitpid(child, NULL, 0);
    ck_assert_int_eq(wci_process_alive(child, child_start), 0);
    ck_assert_int_eq(wci_host_process_start(child), 0);
}
END_TEST

START_TEST(clocks_move)
{
    int64_t a = wci_monotonic_ns(), wall = wci_now_ns();
    usleep(2000);
    ck_assert_int_ge(wci_monotonic_ns() - a, 2000000);
    ck_assert_int_gt(wall, 1577836800000000000); /* 2020 */
}
END_TEST

static void check_root(const char *expected)
{
    char *root = wci_host_default_root();
    ck_assert_str_eq(root, expected);
    wci_free(root);
}

START_TEST(default_directories)
{
    int root = geteuid() == 0;
    if (root) {
        check_root("/var/lib/wincontainer");
        char *run = wci_host_default_run_root();
        ck_assert_str_eq(run, "/run/wincontainer");
        wci_free(run);
        ck_assert_int_eq(seteuid(65534), 0);
    }
    setenv("HOME", "/home/x", 1);
    setenv("XDG_DATA_HOME", "/data", 1);
    check_root("/data/wincontainer");
    setenv("XDG_DATA_HOME", "relative", 1);
    check_root("/home/x/.local/share/wincontainer");
    setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
    char *run = wci_host_default_run_root();
    ck_assert_str_eq(run, "/run/user/7/wincontainer");
    wci_free(run);
    unsetenv("XDG_RUNTIME_DIR");
    run = wci_host_default_run_root();
    ck_assert_str_eq(run, "/home/x/.local/share/wincontainer/run");
    wci_free(run);
    if (root)
        ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(programs_are_found)
{
    char *dir = test_make_dir();
    char *mine = test_text("%s/wc-test-program", dir);
    test_write_file(mine, "x", 1);
    setenv("PATH", dir, 1);
    ck_assert_ptr_null(wci_host_find_program("wc-test-program")); /* not executable */
    chmod(mine, 0755);
    char *found = wci_host_find_program("wc-test-program");
    ck_assert_str_eq(found, mine);
    wci_free(found);
    found = wci_host_find_program("sh"); /* not on this PATH, but where systems have it */
    ck_assert(found && wci_ends_with(found, "/sh"));
    wci_free(found);
    ck_assert_ptr_null(wci_host_find_program(""));
    ck_assert_ptr_null(wci_host_find_program("../sh"));
    ck_assert_ptr_null(wci_host_find_program("wc-no-such-program"));
    ck_assert_int_eq(chdir(dir), 0);
    setenv("PATH", ".", 1);
    ck_assert_ptr_null(wci_host_find_program("wc-test-program"));
    ck_assert_int_eq(chdir("/"), 0);
    free(mine);
    test_remove_dir(dir);
}
END_TEST

START_TEST(the_library_knows_its_file)
{
    char *path = wci_host_library_path(), *self = realpath("/proc/self/exe", NULL);
    ck_assert_str_eq(path, self);
    wci_free(path);
    free(self);
}
END_TEST

START_TEST(words_of_the_image_specification)
{
    ck_assert_str_eq(wci_host_os(), "linux");
    char *machine;
    ck_assert_int_eq(test_run("uname -m", &machine), 0);
    if (!strcmp(machine, "x86_64\n"))
        ck_assert_str_eq(wci_host_arch(), "amd64");
    else if (!strcmp(machine, "aarch64\n"))
        ck_assert_str_eq(wci_host_arch(), "arm64");
    free(machine);
    ck_assert(*wci_host_kernel());
    char name[256];
    ck_assert_str_eq(wci_host_name(name, sizeof name), name);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("host");
    TCase *tc = tcase_create("host");
    tcase_add_test(tc, randomness_is_hex_and_new);
    tcase_add_test(tc, a_process_is_named_by_pid_and_start);
    tcase_add_test(tc, clocks_move);
    tcase_add_test(tc, default_directories);
    tcase_add_test(tc, programs_are_found);
    tcase_add_test(tc, the_library_knows_its_file);
    tcase_add_test(tc, words_of_the_image_specification);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
