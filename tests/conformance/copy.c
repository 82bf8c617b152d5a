/* SPDX-License-Identifier: Apache-2.0 */
/* Files between host and container. */
#include <fcntl.h>
#include <jansson.h>

#include "conformance/harness.h"

/* A path in the directory of the suite; static. */
static const char *host(const char *name)
{
    static char paths[4][4096];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", settings.dir, name);
    return path;
}

static void expect_file(const char *path, const char *text)
{
    char *found = test_read_file(path, NULL);
    ck_assert_msg(found != NULL, "'%s' is missing", path);
    ck_assert_str_eq(found, text);
    free(found);
}

static void expect_in(wc_container *c, const char *path, const char *text)
{
    unlink(host("came-out"));
    good(wc_container_copy_out(c, path, host("came-out"), NULL, &err));
    expect_file(host("came-out"), text);
}

static void shell(const char *command)
{
    char *all = test_text("cd '%s' && %s", settings.dir, command);
    ck_assert_msg(test_run(all, NULL) == 0, "%s", command);
    free(all);
}

START_TEST(files_come_and_go)
{
    test_write_file(host("copy-in"), "payload\n", 8);
    wc_container *c = create(SCRIPT("exit:0")), *other = create(SCRIPT("exit:0"));
    need(wc_container_copy_in(c, host("copy-in"), "/data/new", NULL, &err));
    expect_in(c, "/data/new", "payload\n");
    expect_in(c, "/marker", "conformance\n"); /* the image's */
    good(wc_container_copy_in(c, host("copy-in"), "/data", NULL, &err));
    expect_in(c, "/data/copy-in", "payload\n");
    good(wc_container_copy_in(c, host("copy-in"), "/marker", NULL, &err));
    expect_in(c, "/marker", "payload\n");
    expect_in(other, "/marker", "conformance\n");
    bad(wc_container_copy_out(other, "/data/new", host("came-out"), NULL, &err), WC_E_NOT_FOUND);
    bad(wc_container_copy_out(c, "/data/none", host("came-out"), NULL, &err), WC_E_NOT_FOUND);
    bad(wc_container_copy_in(c, host("copy-in"), "/none/new", NULL, &err), WC_E_NOT_FOUND);
    bad(wc_container_copy_in(c, host("none"), "/data", NULL, &err), WC_E_NOT_FOUND);
}
END_TEST

START_TEST(trees_come_and_go)
{
    wc_container *c = create(SCRIPT("exit:0"));
    shell("rm -rf tree back && mkdir -p tree/sub back && echo deep >tree/sub/deep && chmod 640 tree/sub/deep && "
          "ln -s sub/deep tree/link && ln tree/sub/deep tree/same && ln -s /etc tree/abs");
    need(wc_container_copy_in(c, host("tree"), "/data", NULL, &err));
    expect_in(c, "/data/tree/sub/deep", "deep\n");
    good(wc_container_copy_out(c, "/data", host("back"), NULL, &err));
    shell("test \"$(cat back/data/tree/sub/deep)\" = deep && test \"$(readlink back/data/tree/link)\" = sub/deep && "
          "test back/data/tree/same -ef back/data/tree/sub/deep && test -f back/data/plain && "
          "test \"$(stat -c %a back/data/tree/sub/deep)\" = 640");
    good(wc_container_copy_out(c, "/data/.", host("back/contents"), NULL, &err));
    shell("test -f back/contents/plain && test -d back/contents/tree/sub");
    good(wc_container_copy_out(c, "/data/tree/abs", host("back/abs"), NULL, &err));
    shell("test \"$(readlink back/abs)\" = /etc");
    expect_in(c, "/data/tree/abs/../marker", "conformance\n"); /* links are followed inside */
    good(wc_container_copy_in(c, host("back/contents/."), "/data/tree/sub", NULL, &err));
    expect_in(c, "/data/tree/sub/tree/same", "deep\n");
}
END_TEST

START_TEST(a_running_container_has_them_as_well)
{
    wc_container *c = start_new(SCRIPT("forever"));
    test_write_file(host("copy-in"), "running\n", 8);
    need(wc_container_copy_in(c, host("copy-in"), "/tmp/new", NULL, &err));
    expect_in(c, "/tmp/new", "running\n");
    ck_assert_int_eq(status_of(c), WC_STATUS_RUNNING);
}
END_TEST

START_TEST(the_program_sees_them)
{
    output o;
    int32_t code = -1;
    need_files();
    test_write_file(host("copy-in"), "payload\n", 8);
    wc_container *c = create(SCRIPT("file:/data/new"));
    need(wc_container_copy_in(c, host("copy-in"), "/data/new", NULL, &err));
    good(run_attached(c, &o, &code, &err));
    ck_assert_str_eq(o.out, "payload\n");
    output_free(&o);
    expect_in(c, "/data/new", "payload\n");
}
END_TEST

static int kind_of(json_t *changes, const char *path)
{
    size_t i;
    json_t *change;
    json_array_foreach(changes, i, change)
        if (strcmp(json_string_value(json_object_get(change, "Path")), path) == 0)
            return (int)json_integer_value(json_object_get(change, "Kind"));
    return -1;
}

START_TEST(they_are_changes_of_the_container)
{
    wc_buf *text = NULL;
    test_write_file(host("copy-in"), "payload\n", 8);
    wc_container *c = create(SCRIPT("exit:0"));
    need(wc_container_copy_in(c, host("copy-in"), "/data/new", NULL, &err));
    good(wc_container_diff(c, NULL, &text, &err));
    json_t *changes = json_loads(wc_buf_data(text), 0, NULL);
    ck_assert_int_eq(kind_of(changes, "/data"), 0);
    ck_assert_int_eq(kind_of(changes, "/data/new"), 1);
    ck_assert_uint_eq(json_array_size(changes), 2);
    json_decref(changes);
    wc_buf_unref(text);
}
END_TEST

static int open_file(const char *name, int flags)
{
    int fd = open(host(name), flags | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    return fd;
}

START_TEST(archives_go_through_descriptors)
{
    int tar = open_file("archive.tar", O_RDWR | O_CREAT | O_TRUNC);
    wc_container *c = create(SCRIPT("exit:0"));
    need(wc_container_get_archive(c, "/marker", tar, NULL, &err));
    lseek(tar, 0, SEEK_SET);
    good(wc_container_put_archive(c, "/data", tar, NULL, &err));
    expect_in(c, "/data/marker", "conformance\n");
    close(tar);
}
END_TEST

START_TEST(archives_that_cannot_go_are_told)
{
    int ends[2], null = open("/dev/null", O_RDWR | O_CLOEXEC), bytes = open_file("no.tar", O_RDWR | O_CREAT | O_TRUNC);
    wc_container *c = create(SCRIPT("exit:0"));
    need(wc_container_get_archive(c, "/marker", null, NULL, &err));
    bad(wc_container_get_archive(c, "/data/none", null, NULL, &err), WC_E_NOT_FOUND);
    bad(wc_container_put_archive(c, "/data/none", null, NULL, &err), WC_E_NOT_FOUND);
    bad(wc_container_put_archive(c, "/marker", null, NULL, &err), WC_E_INVALID);
    ck_assert_int_eq(write(bytes, "no tar, but some bytes", 22), 22);
    lseek(bytes, 0, SEEK_SET);
    bad(wc_container_put_archive(c, "/data", bytes, NULL, &err), WC_E_FORMAT);
    ck_assert_int_eq(pipe(ends), 0);
    bad(wc_container_put_archive(c, "/data/none", ends[0], NULL, &err), WC_E_NOT_FOUND); /* though nothing comes */
    close(ends[0]);
    bad(wc_container_get_archive(c, PROGRAM, ends[1], NULL, &err), WC_E_CLOSED);
    close(ends[1]);
    close(bytes);
    close(null);
}
END_TEST

TCase *copy_tests(void)
{
    TCase *tc = tcase_create("copy");
    tcase_add_checked_fixture(tc, harness_setup, harness_teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, files_come_and_go);
    tcase_add_test(tc, trees_come_and_go);
    tcase_add_test(tc, a_running_container_has_them_as_well);
    tcase_add_test(tc, the_program_sees_them);
    tcase_add_test(tc, they_are_changes_of_the_container);
    tcase_add_test(tc, archives_go_through_descriptors);
    tcase_add_test(tc, archives_that_cannot_go_are_told);
    return tc;
}
