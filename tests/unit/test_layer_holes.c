/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of zeros become holes, whatever pieces the content comes in, and read as what they were. */
#include "support/support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "layer/holes.h"

#define MAX ((size_t)2 << 20)

static char *dir, *path;
static unsigned char *content;

static void setup(void)
{
    dir = test_make_dir();
    path = test_text("%s/file", dir);
    content = calloc(1, MAX);
    ck_assert_ptr_nonnull(content);
}

static void teardown(void)
{
    free(content);
    free(path);
    test_remove_dir(dir);
}

/* `piece` 0: pieces of any size. */
static void write_content(size_t size, size_t piece)
{
    unlink(path);
    wci_holes holes = {.file = WCI_FD_NONE};
    test_ok(wci_file_open(path, WCI_OPEN_WRITE | WCI_OPEN_CREATE, 0600, &holes.file, NULL));
    for (size_t at = 0, n; at < size; at += n) {
        n = piece ? piece : 1 + (size_t)rand() % 300000;
        if (n > size - at)
            n = size - at;
        test_ok(wci_holes_write(&holes, content + at, n, NULL));
    }
    test_ok(wci_holes_end(&holes, NULL));
    wci_fd_close(holes.file);
}

static void expect_content(size_t size)
{
    size_t got = 0;
    char *read = test_read_file(path, &got);
    ck_assert_uint_eq(got, size);
    ck_assert(!memcmp(read, content, size));
    free(read);
}

static size_t space(void)
{
    struct stat info;
    ck_assert_int_eq(stat(path, &info), 0);
    return (size_t)info.st_blocks * 512;
}

/* Whether the file system has holes at all. */
static int knows_holes(void)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    ck_assert(fd >= 0 && !ftruncate(fd, MAX));
    close(fd);
    return space() < MAX / 2;
}

START_TEST(zeros_take_no_space)
{
    static const size_t pieces[] = {0, 512, 4096, 262144 - 512, MAX};
    int knows = knows_holes();
    memset(content + 1000000, 'x', 5);
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        write_content(MAX, pieces[i]);
        expect_content(MAX);
        if (knows)
            ck_assert_uint_le(space(), 16384);
    }
}
END_TEST

START_TEST(any_content_comes_back)
{
    srand((unsigned)_i);
    for (size_t at = 0; at < MAX;) {
        size_t data = (size_t)rand() % 100000, zeros = (size_t)rand() % (rand() % 2 ? 10000 : 200000);
        for (; data && at < MAX; data--)
            content[at++] = (unsigned char)(rand() % 3);
        at += zeros;
    }
    size_t size = MAX - (size_t)rand() % 200000;
    write_content(size, 0);
    expect_content(size);
}
END_TEST

START_TEST(small_files)
{
    for (size_t size = 0; size < 10; size++) {
        write_content(size, 0);
        if (size)
            expect_content(size);
    }
    content[0] = 1;
    write_content(4097, 0);
    expect_content(4097);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("layer_holes");
    TCase *c = tcase_create("holes");
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    tcase_add_test(c, zeros_take_no_space);
    tcase_add_loop_test(c, any_content_comes_back, 0, 40);
    tcase_add_test(c, small_files);
    suite_add_tcase(s, c);
    return test_main(s);
}
