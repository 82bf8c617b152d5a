/* SPDX-License-Identifier: Apache-2.0 */
/* Further processes in a running container. */
#include "conformance/harness.h"

static wc_exec_options *exec_options(const char *const *words)
{
    wc_exec_options *o = NULL;
    size_t count = 0;
    while (words[count])
        count++;
    good(wc_exec_options_new(words, count, &o, &err));
    return o;
}

static int32_t start_process(wc_container *c, const char *const *words, uint64_t attach,
                             wc_process **p, wc_stream **stream, wc_error **err)
{
    wc_exec_options *o = exec_options(words);
    int32_t rc = wc_container_exec(c, o, attach, NULL, p, stream, err);
    wc_exec_options_unref(o);
    return rc;
}

static int32_t process_exit_code(wc_process *p)
{
    int32_t code = -1;
    good(wc_process_wait(p, NULL, &code, &err));
    return code;
}

START_TEST(process_has_streams_and_code)
{
    wc_process *p = NULL;
    wc_stream *s = NULL;
    wc_container *c = start_new(SCRIPT("forever"));
    need(start_process(c, SCRIPT(PROGRAM, "outln:o", "errln:e", "exit:12"),
                       WC_ATTACH_STDOUT | WC_ATTACH_STDERR, &p, &s, &err));
    ck_assert_str_ne(wc_process_id(p), "");
    output o = read_all(s);
    ck_assert_str_eq(o.out, "o\n");
    ck_assert_str_eq(o.err, "e\n");
    output_free(&o);
    ck_assert_int_eq(process_exit_code(p), 12);
    ck_assert_int_eq(process_exit_code(p), 12); /* may be asked again */
    bad(wc_process_kill(p, "TERM", &err), WC_E_STATE);
    ck_assert_int_eq(status_of(c), WC_STATUS_RUNNING);
    wc_stream_unref(s);
    wc_process_unref(p);
}
END_TEST

START_TEST(process_reads_input)
{
    wc_process *p = NULL;
    wc_stream *s = NULL;
    wc_container *c = start_new(SCRIPT("forever"));
    need(
        start_process(c, SCRIPT(PROGRAM, "cat"), WC_ATTACH_STDIN | WC_ATTACH_STDOUT, &p, &s, &err));
    write_text(s, "through\n");
    good(wc_stream_close_write(s, &err));
    output o = read_all(s);
    ck_assert_str_eq(o.out, "through\n");
    output_free(&o);
    ck_assert_int_eq(process_exit_code(p), 0);
    wc_stream_unref(s);
    wc_process_unref(p);
}
END_TEST

START_TEST(two_processes_at_once)
{
    wc_process *a = NULL, *b = NULL;
    wc_container *c = start_new(SCRIPT("forever"));
    need(start_process(c, SCRIPT(PROGRAM, "sleep:200", "exit:1"), 0, &a, NULL, &err));
    good(start_process(c, SCRIPT(PROGRAM, "sleep:100", "exit:2"), 0, &b, NULL, &err));
    ck_assert_str_ne(wc_process_id(a), wc_process_id(b));
    ck_assert_int_eq(process_exit_code(a), 1);
    ck_assert_int_eq(process_exit_code(b), 2);
    wc_process_unref(a);
    wc_process_unref(b);
}
END_TEST

START_TEST(process_is_killed_alone)
{
    wc_process *p = NULL;
    wc_container *c = start_new(SCRIPT("forever"));
    need(start_process(c, SCRIPT(PROGRAM, "trap:TERM:33", "forever"), 0, &p, NULL, &err));
    usleep(200000);
    bad(wc_process_kill(p, "NO_SUCH", &err), WC_E_INVALID);
    good(wc_process_kill(p, "TERM", &err));
    ck_assert_int_eq(process_exit_code(p), 33);
    ck_assert_int_eq(status_of(c), WC_STATUS_RUNNING);
    wc_process_unref(p);
}
END_TEST

START_TEST(process_ends_with_its_container)
{
    wc_process *p = NULL;
    wc_container *c = start_new(SCRIPT("forever"));
    need(start_process(c, SCRIPT(PROGRAM, "ignore:TERM", "forever"), 0, &p, NULL, &err));
    good(wc_container_kill(c, "KILL", &err));
    ck_assert_int_eq(process_exit_code(p), 137);
    wc_process_unref(p);
}
END_TEST

START_TEST(process_options_reach_it)
{
    wc_process *p = NULL;
    wc_stream *s = NULL;
    wc_container_options *copts = options_for(SCRIPT("forever"));
    good(wc_container_options_add_env(copts, "OWN", "container", &err));
    wc_container *c = create_from(copts);
    good(wc_container_start(c, 0, NULL, NULL, &err));
    wc_exec_options *o =
        exec_options(SCRIPT(PROGRAM, "env:OWN", "env:MORE", "env:FROM_IMAGE", "workdir", "user"));
    good(wc_exec_options_add_env(o, "MORE", "exec", &err));
    good(wc_exec_options_set_workdir(o, "/tmp", &err));
    good(wc_exec_options_set_user(o, "12:34", &err));
    need(wc_container_exec(c, o, WC_ATTACH_STDOUT, NULL, &p, &s, &err));
    output out = read_all(s);
    ck_assert_str_eq(out.out, "container\nexec\nyes\n/tmp\n12:34\n");
    output_free(&out);
    wc_exec_options_unref(o);
    wc_stream_unref(s);
    wc_process_unref(p);
}
END_TEST

START_TEST(exec_needs_a_running_container)
{
    wc_process *p = NULL;
    wc_container *c = start_new(SCRIPT("forever"));
    need(start_process(c, SCRIPT(PROGRAM, "exit:0"), 0, &p, NULL, &err));
    wc_process_unref(p);
    p = NULL;
    good(wc_container_kill(c, "KILL", &err));
    exit_code_of(c);
    bad(start_process(c, SCRIPT(PROGRAM, "exit:0"), 0, &p, NULL, &err), WC_E_STATE);
    c = create(SCRIPT("forever"));
    bad(start_process(c, SCRIPT(PROGRAM, "exit:0"), 0, &p, NULL, &err), WC_E_STATE);
    ck_assert_ptr_null(p);
}
END_TEST

START_TEST(exec_of_nothing_is_told)
{
    wc_process *p = NULL;
    wc_container *c = start_new(SCRIPT("forever"));
    need(start_process(c, SCRIPT(PROGRAM, "exit:0"), 0, &p, NULL, &err));
    wc_process_unref(p);
    p = NULL;
    bad(start_process(c, SCRIPT("no-such-program"), 0, &p, NULL, &err), WC_E_COMMAND_NOT_FOUND);
    ck_assert_ptr_null(p);
    ck_assert_int_eq(status_of(c), WC_STATUS_RUNNING);
}
END_TEST

TCase *exec_tests(void)
{
    TCase *tc = tcase_create("exec");
    tcase_add_checked_fixture(tc, harness_setup, harness_teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, process_has_streams_and_code);
    tcase_add_test(tc, process_reads_input);
    tcase_add_test(tc, two_processes_at_once);
    tcase_add_test(tc, process_is_killed_alone);
    tcase_add_test(tc, process_ends_with_its_container);
    tcase_add_test(tc, process_options_reach_it);
    tcase_add_test(tc, exec_needs_a_running_container);
    tcase_add_test(tc, exec_of_nothing_is_told);
    return tc;
}
