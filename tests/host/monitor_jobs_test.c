/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of a monitor: programs one after the other, times, and children that end. */
#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend/process/linux/helper/client.h"
#include "backend/process/linux/helper/job.h"

#define PATIENCE_MS 30000

static loop the_loop;
static jobs queue;
static int done_count;
static job *order[8];

static void done(job *j, void *owner)
{
    ck_assert_ptr_eq(owner, &queue);
    order[done_count++] = j;
}

static void setup(void)
{
    ck_assert_int_eq(loop_init(&the_loop, NULL), 0);
    queue = (jobs){&the_loop, NULL};
    done_count = 0;
}

static void teardown(void)
{
    ck_assert_ptr_null(the_loop.watches);
    ck_assert_ptr_null(the_loop.timers);
    ck_assert_ptr_null(the_loop.children);
    loop_close(&the_loop);
}

static void turn_until(int count)
{
    int64_t end = monotonic_ms() + PATIENCE_MS;
    while (done_count < count && monotonic_ms() < end)
        loop_turn(&the_loop, NULL, 0, 1000);
    ck_assert_int_eq(done_count, count);
}

static job make_job(const char *const *argv, const char *input, int timeout_ms)
{
    return (job){.argv = argv, .input = input, .timeout_ms = timeout_ms, .done = done, .owner = &queue};
}

static void expect_text(const wci_str *got, const char *text)
{
    ck_assert_uint_eq(got->size, strlen(text));
    ck_assert(!got->size || !memcmp(got->data, text, got->size));
}

START_TEST(a_program_gets_its_input_and_gives_its_output)
{
    const char *argv[] = {"/bin/sh", "-c", "cat; echo wrong >&2; exit 3", NULL};
    job j = make_job(argv, "question", PATIENCE_MS);
    job_run(&queue, &j);
    turn_until(1);
    expect_text(&j.out, "question");
    expect_text(&j.err, "wrong\n");
    ck_assert(WIFEXITED(j.status) && WEXITSTATUS(j.status) == 3);
    ck_assert(!j.failed && !j.timed_out);
    job_free(&j);
}
END_TEST

START_TEST(much_goes_both_ways)
{
    static char input[300001];
    memset(input, 'x', sizeof input - 1);
    const char *argv[] = {"/bin/cat", NULL};
    job j = make_job(argv, input, PATIENCE_MS);
    job_run(&queue, &j);
    turn_until(1);
    expect_text(&j.out, input);
    job_free(&j);
}
END_TEST

START_TEST(one_after_the_other)
{
    const char *first[] = {"/bin/sh", "-c", "test ! -e mark && : >mark && sleep 0.1 && rm mark", NULL};
    job jobs_to_do[3];
    char dir[] = "/tmp/wc-jobs-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(chdir(dir), 0);
    for (int i = 0; i < 3; i++) {
        jobs_to_do[i] = make_job(first, NULL, PATIENCE_MS);
        job_run(&queue, &jobs_to_do[i]);
    }
    turn_until(3);
    for (int i = 0; i < 3; i++) {
        ck_assert_ptr_eq(order[i], &jobs_to_do[i]);
        ck_assert_int_eq(jobs_to_do[i].status, 0);
        job_free(&jobs_to_do[i]);
    }
    ck_assert_int_eq(chdir("/"), 0);
    ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

START_TEST(its_time_ends)
{
    const char *argv[] = {"/bin/sleep", "1000", NULL};
    job j = make_job(argv, NULL, 50);
    job_run(&queue, &j);
    turn_until(1);
    ck_assert(j.timed_out);
    ck_assert(WIFSIGNALED(j.status) && WTERMSIG(j.status) == SIGKILL);
    job_free(&j);
}
END_TEST

/* A service that the program leaves behind, with its output open. */
START_TEST(what_it_leaves_running_is_not_waited_for)
{
    const char *argv[] = {"/bin/sh", "-c", "sleep 1000 & echo $!", NULL};
    job j = make_job(argv, NULL, PATIENCE_MS);
    job_run(&queue, &j);
    turn_until(1);
    ck_assert(!j.timed_out && j.status == 0);
    wci_str_append_n(&j.out, "", 1);
    pid_t left = (pid_t)atoi(j.out.data);
    ck_assert_int_eq(kill(left, SIGKILL), 0);
    job_free(&j);
}
END_TEST

START_TEST(no_such_program)
{
    const char *argv[] = {"/nowhere/program", NULL}, *good[] = {"/bin/true", NULL};
    job bad = make_job(argv, "input", PATIENCE_MS), next = make_job(good, NULL, PATIENCE_MS);
    job_run(&queue, &bad);
    job_run(&queue, &next);
    turn_until(2);
    ck_assert(WIFEXITED(bad.status) && WEXITSTATUS(bad.status) == 127);
    ck_assert_int_eq(next.status, 0);
    job_free(&bad);
    job_free(&next);
}
END_TEST

static void count(void *owner)
{
    ++*(int *)owner;
}

START_TEST(timers_fire_once_in_order)
{
    int early = 0, late = 0;
    int64_t now = monotonic_ms();
    loop_timer a = {now + 30, count, &late, NULL}, b = {now + 10, count, &early, NULL}, c = {now + 20, count, &late, NULL};
    loop_add_timer(&the_loop, &a);
    loop_add_timer(&the_loop, &b);
    loop_add_timer(&the_loop, &c);
    loop_remove_timer(&the_loop, &c);
    while (!early)
        loop_turn(&the_loop, NULL, 0, -1);
    while (!late)
        loop_turn(&the_loop, NULL, 0, -1);
    ck_assert_int_ge(monotonic_ms(), now + 30);
    loop_turn(&the_loop, NULL, 0, 0);
    ck_assert_int_eq(early, 1);
    ck_assert_int_eq(late, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("jobs of a monitor");
    TCase *tcase = tcase_create("all");
    signal(SIGPIPE, SIG_IGN);
    tcase_set_timeout(tcase, 60);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_program_gets_its_input_and_gives_its_output);
    tcase_add_test(tcase, much_goes_both_ways);
    tcase_add_test(tcase, one_after_the_other);
    tcase_add_test(tcase, its_time_ends);
    tcase_add_test(tcase, what_it_leaves_running_is_not_waited_for);
    tcase_add_test(tcase, no_such_program);
    tcase_add_test(tcase, timers_fire_once_in_order);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
