/* SPDX-License-Identifier: Apache-2.0 */
/* One store, several contexts and processes. */
#include "conformance/harness.h"

START_TEST(second_context_sees_and_acts)
{
    wc_container *mine = start_new(SCRIPT("exit:7"));
    wc_context *other = harness_open_context();
    wc_container *theirs = NULL;
    good(wc_container_open(other, wc_container_id(mine), &theirs, &err));
    ck_assert_int_eq(exit_code_of(theirs), 7);
    ck_assert_int_eq(status_of(mine), WC_STATUS_EXITED);
    good(wc_container_remove(theirs, 0, NULL, &err));
    wc_container_info *info = NULL;
    bad(wc_container_inspect(mine, &info, &err), WC_E_NOT_FOUND);
    wc_container_unref(theirs);
    wc_context_unref(other);
}
END_TEST

START_TEST(handles_outlive_their_context)
{
    wc_context *other = harness_open_context();
    wc_container *c = start_new(SCRIPT("exit:2")), *theirs = NULL;
    good(wc_container_open(other, wc_container_id(c), &theirs, &err));
    wc_context_unref(other);
    ck_assert_int_eq(exit_code_of(theirs), 2);
    wc_container_unref(theirs);
}
END_TEST

START_TEST(other_process_waits_and_reads)
{
    char *printed = NULL;
    wc_container *c = start_new(SCRIPT("outln:seen by all", "sleep:200", "exit:4"));
    ck_assert_int_eq(run_role("wait", wc_container_id(c), &printed), 4);
    free(printed);
    ck_assert_int_eq(status_of(c), WC_STATUS_EXITED);
}
END_TEST

START_TEST(other_process_kills)
{
    wc_container *c = start_new(SCRIPT("forever"));
    need(wc_container_kill(c, "WINCH", &err));
    ck_assert_int_eq(run_role("kill", wc_container_id(c), NULL), 0);
    ck_assert_int_eq(exit_code_of(c), 137);
}
END_TEST

START_TEST(container_outlives_its_starter)
{
    char *id = NULL;
    wc_container *c = NULL;
    ck_assert_int_eq(run_role("start", "sleep:2000", &id), 0);
    id[strcspn(id, "\n")] = '\0';
    good(wc_container_open(context, id, &c, &err));
    ck_assert_int_eq(status_of(c), WC_STATUS_RUNNING);
    ck_assert_int_eq(exit_code_of(c), 0);
    wc_logs *logs = NULL;
    need(wc_container_logs(c, NULL, &logs, &err));
    wc_logs_unref(logs);
    char *text = read_log(c, NULL);
    ck_assert_str_eq(text, "1:begin\n1:end\n");
    free(text);
    free(id);
    wc_container_unref(c);
}
END_TEST

START_TEST(name_is_taken_for_other_processes)
{
    wc_container_options *o = options_for(SCRIPT("exit:0"));
    good(wc_container_options_set_name(o, "ours", &err));
    create_from(o);
    ck_assert_int_eq(run_role("create", "ours", NULL), -WC_E_EXISTS);
}
END_TEST

START_TEST(handles_are_useless_after_fork)
{
    wc_container *c = create(SCRIPT("exit:0"));
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        wc_container_info *info = NULL;
        _exit(wc_container_inspect(c, &info, NULL) == WC_E_FORKED ? 0 : 1);
    }
    int status = -1;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

/* ---- What the other process does ------------------------------------------------------------ */

static int role_start(const char *word)
{
    wc_container *c = start_new(SCRIPT("outln:begin", word, "outln:end"));
    printf("%s\n", wc_container_id(c));
    return 0;
}

static int role_create(const char *name)
{
    wc_container *c = NULL;
    wc_container_options *o = options_for(SCRIPT("exit:0"));
    good(wc_container_options_set_name(o, name, &err));
    int32_t rc = wc_container_create(context, o, NULL, &c, NULL);
    wc_container_options_unref(o);
    wc_container_unref(c);
    return -rc;
}

static int role_on_container(const char *role, const char *id)
{
    wc_container *c = NULL;
    int32_t code = 0;
    good(wc_container_open(context, id, &c, &err));
    if (strcmp(role, "wait") == 0)
        code = exit_code_of(c);
    else
        good(wc_container_kill(c, "KILL", &err));
    wc_container_unref(c);
    return code;
}

int sharing_role(const char *role, const char *argument)
{
    int rc;
    context = harness_open_context();
    if (strcmp(role, "start") == 0)
        rc = role_start(argument);
    else if (strcmp(role, "create") == 0)
        rc = role_create(argument);
    else
        rc = role_on_container(role, argument);
    harness_release();
    return rc;
}

TCase *sharing_tests(void)
{
    TCase *tc = tcase_create("sharing");
    tcase_add_checked_fixture(tc, harness_setup, harness_teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, second_context_sees_and_acts);
    tcase_add_test(tc, handles_outlive_their_context);
    tcase_add_test(tc, other_process_waits_and_reads);
    tcase_add_test(tc, other_process_kills);
    tcase_add_test(tc, container_outlives_its_starter);
    tcase_add_test(tc, name_is_taken_for_other_processes);
    tcase_add_test(tc, handles_are_useless_after_fork);
    return tc;
}
