/* SPDX-License-Identifier: Apache-2.0 */
/* Option values that no host can give are refused by the setters, which say what is possible. */
#include <sched.h>

#include <wincontainer/wincontainer.h>

#include "support/support.h"

#define CPU INT64_C(1000000000)

static wc_container_options *options;

static void setup(void)
{
    ck_assert_int_eq(wc_container_options_new("image", &options, NULL), WC_OK);
}

static void teardown(void)
{
    wc_container_options_unref(options);
}

static int64_t processors(void)
{
    cpu_set_t set;
    ck_assert_int_eq(sched_getaffinity(0, sizeof set, &set), 0);
    return CPU_COUNT(&set);
}

/* The call, with &err as its last argument, gives WC_E_INVALID with both parts in its message. */
#define refused(call, one, other)                                                                  \
    do {                                                                                           \
        wc_error *err = NULL;                                                                      \
        ck_assert_int_eq(call, WC_E_INVALID);                                                      \
        const char *said_ = wc_error_message(err);                                                 \
        ck_assert_msg(strstr(said_, one) && strstr(said_, other), "%s", said_);                    \
        wc_error_unref(err);                                                                       \
    } while (0)
#define taken(call) ck_assert_int_eq(call, WC_OK)

START_TEST(processors_are_those_of_the_host)
{
    char most[32];
    snprintf(most, sizeof most, "to %lld", (long long)processors());
    taken(wc_container_options_set_nano_cpus(options, 0, NULL));
    taken(wc_container_options_set_nano_cpus(options, CPU / 100, NULL));
    taken(wc_container_options_set_nano_cpus(options, processors() * CPU, NULL));
    refused(wc_container_options_set_nano_cpus(options, processors() * CPU + 1, &err), "processor limit", most);
    refused(wc_container_options_set_nano_cpus(options, CPU * CPU, &err), "1000000000", most);
    refused(wc_container_options_set_nano_cpus(options, CPU / 100 - 1, &err), "0.01", most);
    refused(wc_container_options_set_nano_cpus(options, -CPU, &err), "-1", most);
    refused(wc_container_options_set_nano_cpus(NULL, CPU, &err), "processor limit", "NULL");
}
END_TEST

START_TEST(processor_numbers_are_those_of_the_host)
{
    char none[32];
    snprintf(none, sizeof none, "%ld", sysconf(_SC_NPROCESSORS_CONF));
    taken(wc_container_options_set_cpuset(options, "0", NULL));
    taken(wc_container_options_set_cpuset(options, "", NULL));
    refused(wc_container_options_set_cpuset(options, none, &err), none, "this host has 0 to");
    refused(wc_container_options_set_cpuset(options, "0,99999999999999999999", &err), "99999999999999999999", "this host");
    refused(wc_container_options_set_cpuset(options, "1-0", &err), "1-0", "such as");
}
END_TEST

START_TEST(process_limits_are_those_of_linux)
{
    taken(wc_container_options_set_pids_limit(options, -1, NULL));
    taken(wc_container_options_set_pids_limit(options, 0, NULL));
    taken(wc_container_options_set_pids_limit(options, 4194304, NULL));
    refused(wc_container_options_set_pids_limit(options, 4194305, &err), "process limit 4194305", "4194304");
    refused(wc_container_options_set_pids_limit(options, -2, &err), "process limit -2", "-1 or 0");
}
END_TEST

static int32_t tmpfs(const char *flags, wc_error **err)
{
    static int number;
    char target[32];
    snprintf(target, sizeof target, "/tmpfs-%d", number++);
    return wc_container_options_add_mount(options, "tmpfs", NULL, target, flags, err);
}

START_TEST(tmpfs_values_are_numbers)
{
    taken(tmpfs("size=64m,mode=1777,uid=5,gid=6,nr_inodes=10k", NULL));
    taken(tmpfs("size=50%", NULL));
    refused(tmpfs("size=foo", &err), "size=foo", "64m");
    refused(tmpfs("size=64mm", &err), "size=64mm", "64m");
    refused(tmpfs("mode=9", &err), "mode=9", "octal");
    refused(tmpfs("uid=1k", &err), "uid=1k", "number");
}
END_TEST

START_TEST(another_image)
{
    taken(wc_container_options_set_image(options, "another:1", NULL));
    refused(wc_container_options_set_image(options, "", &err), "image", "empty");
    refused(wc_container_options_set_image(options, NULL, &err), "image", "NULL");
    refused(wc_container_options_set_image(NULL, "another", &err), "image", "NULL");
}
END_TEST

START_TEST(platforms_of_transfers_are_read_at_once)
{
    wc_transfer_options *transfer = NULL;
    taken(wc_transfer_options_new(&transfer, NULL));
    taken(wc_transfer_options_add_platform(transfer, "linux/amd64", NULL));
    refused(wc_transfer_options_add_platform(transfer, "linux", &err), "'linux'", "OS/ARCH");
    refused(wc_transfer_options_add_platform(transfer, "", &err), "''", "OS/ARCH");
    taken(wc_transfer_options_add_platform(transfer, "linux/arm64/v8", NULL));
    refused(wc_transfer_options_add_platform(transfer, NULL, &err), "platform", "NULL");
    refused(wc_transfer_options_add_platform(NULL, "linux/amd64", &err), "options", "NULL");
    taken(wc_transfer_options_set_platform(transfer, "windows/amd64:10.0.20348.587", NULL));
    refused(wc_transfer_options_set_platform(transfer, "windows/amd64:", &err), "'windows/amd64:'", ":VERSION");
    taken(wc_transfer_options_set_isolation(transfer, "hyperv", NULL));
    taken(wc_transfer_options_set_isolation(transfer, "process", NULL));
    refused(wc_transfer_options_set_isolation(transfer, "vm", &err), "'process'", "'hyperv'");
    refused(wc_transfer_options_set_isolation(transfer, NULL, &err), "'process'", "'hyperv'");
    refused(wc_transfer_options_set_isolation(NULL, "hyperv", &err), "options", "NULL");
    taken(wc_transfer_options_set_all(transfer, 1, NULL));
    refused(wc_transfer_options_set_all(NULL, 1, &err), "options", "NULL");
    taken(wc_transfer_options_set_nondistributable(transfer, 1, NULL));
    refused(wc_transfer_options_set_nondistributable(NULL, 1, &err), "options", "NULL");
    taken(wc_transfer_options_set_referrers(transfer, 1, NULL));
    refused(wc_transfer_options_set_referrers(NULL, 1, &err), "options", "NULL");
    taken(wc_transfer_options_set_partial(transfer, 1, NULL));
    refused(wc_transfer_options_set_partial(NULL, 1, &err), "options", "NULL");
    wc_transfer_options_unref(transfer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("options");
    TCase *tc = tcase_create("values");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, processors_are_those_of_the_host);
    tcase_add_test(tc, processor_numbers_are_those_of_the_host);
    tcase_add_test(tc, process_limits_are_those_of_linux);
    tcase_add_test(tc, tmpfs_values_are_numbers);
    tcase_add_test(tc, platforms_of_transfers_are_read_at_once);
    tcase_add_test(tc, another_image);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
