/* SPDX-License-Identifier: Apache-2.0 */
/* What checks of health mean: Docker's rules as a table. */
#include "backend/process/linux/helper/health_rules.h"
#include "support/support.h"

#define SECOND INT64_C(1000000000)

START_TEST(defaults)
{
    health_rules rules = health_rules_of(0, 0, 0, 0, 0);
    ck_assert_int_eq(rules.interval_ms, 30000);
    ck_assert_int_eq(rules.timeout_ms, 30000);
    ck_assert_int_eq(rules.start_period_ms, 0);
    ck_assert_int_eq(rules.start_interval_ms, 30000);
    ck_assert_int_eq(rules.retries, 3);
    rules = health_rules_of(2 * SECOND, SECOND, 5 * SECOND, 0, 1);
    ck_assert_int_eq(rules.start_interval_ms, 2000);
    ck_assert_int_eq(health_rules_of(1, 1, 1, 1, 1).interval_ms, 1);
}
END_TEST

typedef struct check {
    int64_t age_ms;
    int exit_code;
    wci_health health;
    int64_t streak;
} check;

static void run(const health_rules *rules, const check *checks, size_t count)
{
    health_state state = {WCI_HEALTH_STARTING, 0};
    for (size_t i = 0; i < count; i++) {
        state = health_after(rules, state, checks[i].age_ms, checks[i].exit_code);
        ck_assert_msg(state.health == checks[i].health && state.streak == checks[i].streak, "check %zu: %d, %lld", i,
                      (int)state.health, (long long)state.streak);
    }
}

START_TEST(retries_and_recovery)
{
    static const check checks[] = {
        {0, 1, WCI_HEALTH_STARTING, 1},  {0, 2, WCI_HEALTH_STARTING, 2}, {0, -1, WCI_HEALTH_UNHEALTHY, 3},
        {0, 1, WCI_HEALTH_UNHEALTHY, 4}, {0, 0, WCI_HEALTH_HEALTHY, 0},  {0, 1, WCI_HEALTH_HEALTHY, 1},
        {0, 0, WCI_HEALTH_HEALTHY, 0},   {0, 1, WCI_HEALTH_HEALTHY, 1},  {0, 1, WCI_HEALTH_HEALTHY, 2},
        {0, 1, WCI_HEALTH_UNHEALTHY, 3},
    };
    health_rules rules = health_rules_of(0, 0, 0, 0, 0);
    run(&rules, checks, sizeof checks / sizeof *checks);
}
END_TEST

START_TEST(start_period)
{
    static const check checks[] = {
        {1000, 1, WCI_HEALTH_STARTING, 0}, {4999, 1, WCI_HEALTH_STARTING, 0}, {5000, 1, WCI_HEALTH_STARTING, 1},
        {5001, 1, WCI_HEALTH_UNHEALTHY, 2},
    };
    static const check early[] = {
        {1000, 0, WCI_HEALTH_HEALTHY, 0}, {2000, 1, WCI_HEALTH_HEALTHY, 1}, {3000, 1, WCI_HEALTH_UNHEALTHY, 2},
    };
    health_rules rules = health_rules_of(0, 0, 5 * SECOND, SECOND, 2);
    run(&rules, checks, sizeof checks / sizeof *checks);
    run(&rules, early, sizeof early / sizeof *early);
    ck_assert_int_eq(health_wait_ms(&rules, WCI_HEALTH_STARTING, 0), 1000);
    ck_assert_int_eq(health_wait_ms(&rules, WCI_HEALTH_STARTING, 5000), 30000);
    ck_assert_int_eq(health_wait_ms(&rules, WCI_HEALTH_HEALTHY, 0), 30000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("health");
    TCase *tests = tcase_create("rules");
    tcase_add_test(tests, defaults);
    tcase_add_test(tests, retries_and_recovery);
    tcase_add_test(tests, start_period);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
