/* SPDX-License-Identifier: Apache-2.0 */
/* cp: out of and into containers that run and that do not, by paths that try to get out. */
#include "process_fixture.h"

static char tar_file[200], tree[200];

static void shell(const char *format, ...)
{
    char command[1024];
    va_list ap;
    va_start(ap, format);
    vsnprintf(command, sizeof command, format, ap);
    va_end(ap);
    ck_assert_msg(system(command) == 0, "%s", command);
}

static int32_t archive(container *c, wci_op op, const char *path)
{
    wc_response response;
    int fd = open(tar_file, op == WCI_OP_ARCHIVE_GET ? O_WRONLY | O_CREAT | O_TRUNC : O_RDONLY, 0600);
    ck_assert_int_ge(fd, 0);
    ok(wci_request_set_string(&c->request, "path", path));
    set_int(c, "fd", fd);
    int32_t rc = operate(c, op, &response);
    close(fd);
    return rc;
}

static void begin(void)
{
    setup();
    snprintf(tar_file, sizeof tar_file, "%s/x.tar", base);
    snprintf(tree, sizeof tree, "%s/tree", base);
    shell("mkdir %s && echo secret >%s/outside", tree, base);
}

static void end(void)
{
    teardown();
}

static void sleeper(container *c, int running)
{
    const char *args[] = {"sleep", "1000", NULL};
    container_new(c, args, NULL);
    if (running)
        start(c, 0);
}

static void put_and_get(int running)
{
    container c;
    sleeper(&c, running);
    shell("cd %s && mkdir d && echo text >d/f && ln -s f d/l && chmod 640 d/f && tar cf %s d", tree,
          tar_file);
    ok(archive(&c, WCI_OP_ARCHIVE_PUT, "/data"));
    shell("rm -r %s %s && mkdir %s", tree, tar_file, tree);
    ok(archive(&c, WCI_OP_ARCHIVE_GET, "/data/d"));
    shell("cd %s && tar xf %s && test \"$(cat d/f)\" = text && test \"$(readlink d/l)\" = f && "
          "test \"$(stat -c %%a d/f)\" = 640", tree, tar_file);
    ok(archive(&c, WCI_OP_ARCHIVE_GET, "/data/d/f"));
    shell("test \"$(tar tf %s)\" = f", tar_file);
    ok(archive(&c, WCI_OP_ARCHIVE_GET, "/data/d/."));
    shell("tar tf %s | grep -q '^\\(\\./\\)\\?f$'", tar_file);
    container_remove(&c);
}

START_TEST(to_and_from_a_stopped_container)
{
    put_and_get(0);
}
END_TEST

START_TEST(to_and_from_a_running_container)
{
    put_and_get(1);
}
END_TEST

START_TEST(what_was_put_is_there_at_the_start)
{
    container c;
    wci_str out = WCI_STR_INIT, errors = WCI_STR_INIT;
    const char *args[] = {"cat", "/data/f", NULL};
    container_new(&c, args, NULL);
    shell("cd %s && echo brought >f && tar cf %s f", tree, tar_file);
    ok(archive(&c, WCI_OP_ARCHIVE_PUT, "/data"));
    start(&c, WC_ATTACH_STDOUT);
    read_all(&c, &out, &errors);
    ck_assert_str_eq(out.data, "brought\n");
    wci_str_free(&out);
    wci_str_free(&errors);
    container_remove(&c);
}
END_TEST

START_TEST(sees_the_mounts_of_a_running_one)
{
    container c;
    const char *args[] = {"sh", "-c", "echo x >/dev/here; echo ready; sleep 1000", NULL};
    wci_str out = WCI_STR_INIT;
    container_new(&c, args, NULL);
    start(&c, WC_ATTACH_STDOUT);
    read_until(&c, &out, "ready");
    ok(archive(&c, WCI_OP_ARCHIVE_GET, "/dev/here"));
    shell("test \"$(tar xOf %s here)\" = x", tar_file);
    wci_str_free(&out);
    container_remove(&c);
}
END_TEST

/* A link in the container that leads to a host path leads to that path in the container. */
static void links_do_not_lead_out(int running)
{
    container c;
    sleeper(&c, running);
    shell("ln -s %s %s/abs; ln -s ../../../../../../../..%s %s/rel; tar cf %s -C %s abs rel", base,
          tree, base, tree, tar_file, tree);
    ok(archive(&c, WCI_OP_ARCHIVE_PUT, "/data"));
    fails(WC_E_NOT_FOUND, archive(&c, WCI_OP_ARCHIVE_GET, "/data/abs/outside"));
    fails(WC_E_NOT_FOUND, archive(&c, WCI_OP_ARCHIVE_GET, "/data/rel/outside"));
    fails(WC_E_NOT_FOUND, archive(&c, WCI_OP_ARCHIVE_GET, "/../../../../../outside"));
    shell("echo evil >%s/planted && tar cf %s -C %s planted", tree, tar_file, tree);
    fails(WC_E_NOT_FOUND, archive(&c, WCI_OP_ARCHIVE_PUT, "/data/abs"));
    ok(archive(&c, WCI_OP_ARCHIVE_PUT, "/data/../../.."));
    shell("test ! -e %s/planted && test ! -e /planted", base);
    ok(archive(&c, WCI_OP_ARCHIVE_GET, "/planted"));
    container_remove(&c);
}

START_TEST(links_of_a_stopped_container)
{
    links_do_not_lead_out(0);
}
END_TEST

START_TEST(links_of_a_running_container)
{
    links_do_not_lead_out(1);
}
END_TEST

START_TEST(tars_do_not_lead_out)
{
    container c;
    sleeper(&c, 0);
    shell("cd %s && mkdir d && echo evil >d/planted && ln -s %s link && "
          "tar cf %s link && rm link && mkdir link && cp d/planted link/ && "
          "tar rf %s link/planted && tar rPf %s --transform 's,^d,../../../../..%s,' d/planted",
          tree, base, tar_file, tar_file, tar_file, base);
    (void)archive(&c, WCI_OP_ARCHIVE_PUT, "/data"); /* refused or turned aside, either will do */
    wci_err_clear(&error);
    shell("test ! -e %s/planted", base);
    container_remove(&c);
}
END_TEST

START_TEST(names_what_is_not_there)
{
    container c;
    sleeper(&c, 0);
    fails(WC_E_NOT_FOUND, archive(&c, WCI_OP_ARCHIVE_GET, "/no/such"));
    fails(WC_E_NOT_FOUND, archive(&c, WCI_OP_ARCHIVE_GET, "/nothing"));
    shell("tar cf %s -C %s .", tar_file, tree);
    fails(WC_E_INVALID, archive(&c, WCI_OP_ARCHIVE_PUT, "/bin/busybox"));
    container_remove(&c);
}
END_TEST

START_TEST(giving_up_ends_the_work)
{
    container c;
    wc_response response;
    wc_cancel *cancel = NULL;
    int fds[2];
    sleeper(&c, 0);
    ck_assert_int_eq(pipe(fds), 0);
    ok(wc_cancel_new(&cancel, &error));
    wc_cancel_set_timeout(cancel, 200000000);
    call.cancel = cancel;
    ok(wci_request_set_string(&c.request, "path", "/data"));
    set_int(&c, "fd", fds[0]); /* nothing will ever come */
    fails(WC_E_TIMEOUT, operate(&c, WCI_OP_ARCHIVE_PUT, &response));
    call.cancel = NULL;
    start(&c, 0); /* and nothing stands in the way */
    wc_cancel_unref(cancel);
    close(fds[0]);
    close(fds[1]);
    container_remove(&c);
}
END_TEST

int main(void)
{
    skip_unless_able();
    Suite *suite = suite_create("process: archive");
    TCase *tcase = tcase_create("archive");
    tcase_add_checked_fixture(tcase, begin, end);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, to_and_from_a_stopped_container);
    tcase_add_test(tcase, to_and_from_a_running_container);
    tcase_add_test(tcase, what_was_put_is_there_at_the_start);
    tcase_add_test(tcase, sees_the_mounts_of_a_running_one);
    tcase_add_test(tcase, links_of_a_stopped_container);
    tcase_add_test(tcase, links_of_a_running_container);
    tcase_add_test(tcase, tars_do_not_lead_out);
    tcase_add_test(tcase, names_what_is_not_there);
    tcase_add_test(tcase, giving_up_ends_the_work);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
