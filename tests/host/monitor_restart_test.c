/* SPDX-License-Identifier: Apache-2.0 */
/* When a container runs again: Docker's rules as a table. */
#include "backend/process/linux/helper/restart.h"
#include "support/support.h"

START_TEST(policies)
{
    static const struct {
        const char *policy;
        int64_t max, count;
        int exit_code, wanted;
    } cases[] = {
        {NULL, 0, 0, 1, 0},
        {"no", 0, 0, 1, 0},
        {"always", 0, 0, 0, 1},
        {"always", 0, 1000, 1, 1},
        {"unless-stopped", 0, 5, 0, 1},
        {"on-failure", 0, 0, 0, 0},
        {"on-failure", 0, 1000, 1, 1},
        {"on-failure", 2, 1, 137, 1},
        {"on-failure", 2, 2, 137, 0},
        {"on-failure", 2, 0, 0, 0},
        {"a later one", 0, 0, 1, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(restart_is_wanted(cases[i].policy, cases[i].max, cases[i].count, cases[i].exit_code) ==
                          cases[i].wanted,
                      "case %zu", i);
}
END_TEST

START_TEST(waits)
{
    static const int64_t expected[] = {100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 51200, 60000, 60000};
    int64_t delay = 0;
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        delay = restart_delay_ms(delay, 9999);
        ck_assert_int_eq(delay, expected[i]);
    }
    ck_assert_int_eq(restart_delay_ms(delay, 10000), 100);
    ck_assert_int_eq(restart_delay_ms(100, 10000), 100);
    ck_assert_int_eq(restart_delay_ms(0, 0), 100);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("restart");
    TCase *tests = tcase_create("rules");
    tcase_add_test(tests, policies);
    tcase_add_test(tests, waits);
    suite_add_tcase(suite, tests);
    return test_main(suite);
}
