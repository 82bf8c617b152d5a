/* SPDX-License-Identifier: Apache-2.0 */
/* What test programs share: temporary directories, skipping, and running commands. */
#ifndef WC_TEST_SUPPORT_H
#define WC_TEST_SUPPORT_H

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TEST_HELPER __attribute__((unused)) static

/* Ends the whole program as skipped; call it in main(), before any suite runs. */
TEST_HELPER void test_skip(const char *why)
{
    printf("SKIP: %s\n", why);
    fflush(stdout);
    _exit(77);
}

TEST_HELPER void test_need_root(void)
{
    if (geteuid() != 0)
        test_skip("needs root");
}

/* Owned text, as printf. */
__attribute__((format(printf, 1, 2))) TEST_HELPER char *test_text(const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        abort();
    va_end(ap);
    return text;
}

/* A new directory below $TMPDIR or /tmp; owned text. */
TEST_HELPER char *test_make_dir(void)
{
    const char *base = getenv("TMPDIR");
    char *path = test_text("%s/wc-test-XXXXXX", base && base[0] == '/' ? base : "/tmp");
    if (!mkdtemp(path)) {
        perror(path);
        abort();
    }
    return path;
}

TEST_HELPER int test_remove_entry(const char *path, const struct stat *st, int type,
                                  struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    remove(path);
    return 0;
}

TEST_HELPER int test_open_up(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)where;
    if (type == FTW_D || type == FTW_DNR)
        chmod(path, 0700);
    return 0;
}

/* Removes a tree, whatever its modes, and releases the text. */
TEST_HELPER void test_remove_dir(char *path)
{
    if (!path)
        return;
    nftw(path, test_open_up, 16, FTW_PHYS | FTW_MOUNT);
    nftw(path, test_remove_entry, 16, FTW_PHYS | FTW_MOUNT | FTW_DEPTH);
    free(path);
}

TEST_HELPER void test_write_file(const char *path, const void *data, size_t size)
{
    FILE *f = fopen(path, "we");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f)) {
        perror(path);
        abort();
    }
}

/* The whole stream with a zero behind it; owned. */
TEST_HELPER char *test_read_stream(FILE *f, size_t *size)
{
    char *data = NULL;
    size_t used = 0, cap = 0;
    for (;;) {
        if (used + 4096 > cap && !(data = realloc(data, cap = cap * 2 + 8192)))
            abort();
        size_t n = fread(data + used, 1, cap - used - 1, f);
        used += n;
        if (!n)
            break;
    }
    data[used] = '\0';
    if (size)
        *size = used;
    return data;
}

/* Owned bytes with a zero behind them, or NULL. */
TEST_HELPER char *test_read_file(const char *path, size_t *size)
{
    FILE *f = fopen(path, "re");
    if (!f)
        return NULL;
    char *data = test_read_stream(f, size);
    fclose(f);
    return data;
}

/* Runs a shell command. *output gets its standard output, owned (NULL: thrown away). Gives the exit
 * code, 128 + N when signal N ended it. */
TEST_HELPER int test_run(const char *command, char **output)
{
    FILE *f = popen(command, "re");
    if (!f)
        abort();
    char *text = test_read_stream(f, NULL);
    int status = pclose(f);
    if (output)
        *output = text;
    else
        free(text);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

TEST_HELPER int test_have_program(const char *name)
{
    char *command = test_text("command -v %s >/dev/null 2>&1", name);
    int rc = test_run(command, NULL);
    free(command);
    return rc == 0;
}

/* Runs a suite; the result is for main(). WC_TEST_NOFORK=1 helps in a debugger. */
TEST_HELPER int test_main(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    if (getenv("WC_TEST_NOFORK"))
        srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}

/* The code is WC_OK. Needs <wincontainer/error.h>. */
#define test_ok(call)                                                                              \
    do {                                                                                           \
        int32_t test_rc_ = (call);                                                                 \
        ck_assert_msg(test_rc_ == 0, "%s gave %s", #call, wc_code_name(test_rc_));                 \
    } while (0)
#define test_code(call, want)                                                                      \
    do {                                                                                           \
        int32_t test_rc_ = (call), test_want_ = (want);                                            \
        ck_assert_msg(test_rc_ == test_want_, "%s gave %s instead of %s", #call,                   \
                      wc_code_name(test_rc_), wc_code_name(test_want_));                           \
    } while (0)

#endif
