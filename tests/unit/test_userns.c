/* SPDX-License-Identifier: Apache-2.0 */
/* What /etc/subuid and /etc/subgid give to a user. */
#include "support/support.h"

#include "platform/host.h"
#include "platform/userns.h"

static void expect(const char *text, const char *want)
{
    wci_id_map map = {{{0, 1001, 1}}, 1};
    wci_id_map_add_text(&map, text, "ann", 1001);
    char *got = wci_id_map_text(&map);
    ck_assert_str_eq(got, want);
    free(got);
}

START_TEST(ranges_follow_each_other)
{
    expect("", "0:1001:1");
    expect("ann:100000:65536\n", "0:1001:1,1:100000:65536");
    expect("ann:100000:65536", "0:1001:1,1:100000:65536");
    expect("bob:1:2\nann:100000:10\n1001:300000:5\n1002:7:7\n", "0:1001:1,1:100000:10,11:300000:5");
}
END_TEST

START_TEST(lines_that_mean_nothing_are_passed_over)
{
    expect("ann\nann:\nann::\nann:1\nann:1:\nann::1\n:1:1\n\n", "0:1001:1");
    expect("ann:-1:5\nann:1:-5\nann:x:5\nann:1:5x\nann: 1:5\nann:1:5:6\nanna:1:5\nan:1:5\n", "0:1001:1");
    expect("ann:1:0\nann:4294967295:1\nann:1:4294967295\nann:99999999999999999999:1\nann:1:4294967296\n", "0:1001:1");
    expect("01001x:1:1\nann:4294967294:1\n", "0:1001:1,1:4294967294:1");
}
END_TEST

START_TEST(too_many_are_cut)
{
    wci_id_map map = {{{0, 0, 0}}, 0};
    for (int i = 0; i < 2 * WCI_ID_RANGES_MAX; i++)
        wci_id_map_add_text(&map, "ann:5:2\n", "ann", 0);
    ck_assert_uint_eq(map.count, WCI_ID_RANGES_MAX);
    ck_assert_uint_eq(map.ranges[WCI_ID_RANGES_MAX - 1].inside, 2 * (WCI_ID_RANGES_MAX - 1));
}
END_TEST

START_TEST(own_ids_come_first)
{
    wci_user_ids ids;
    wci_user_ids_read(&ids);
    ck_assert_uint_ge(ids.uids.count, 1);
    ck_assert_uint_eq(ids.uids.ranges[0].outside, wci_host_uid());
    ck_assert_uint_eq(ids.gids.ranges[0].outside, wci_host_gid());
    ck_assert_uint_eq(ids.uids.ranges[0].inside, 0);
    ck_assert_uint_eq(ids.uids.ranges[0].count, 1);
    if (ids.lacking[0]) {
        ck_assert_uint_eq(ids.uids.count, 1);
        ck_assert_uint_eq(ids.gids.count, 1);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("userns");
    TCase *c = tcase_create("ids");
    tcase_add_test(c, ranges_follow_each_other);
    tcase_add_test(c, lines_that_mean_nothing_are_passed_over);
    tcase_add_test(c, too_many_are_cut);
    tcase_add_test(c, own_ids_come_first);
    suite_add_tcase(suite, c);
    return test_main(suite);
}
