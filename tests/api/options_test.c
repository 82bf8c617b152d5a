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

START_TEST(limits_of_every_kind)
{
    taken(wc_container_options_set_memory_reservation(options, 6 << 20, NULL));
    refused(wc_container_options_set_memory_reservation(options, 1, &err), "memory reservation", "6 MiB");
    taken(wc_container_options_set_memory_swappiness(options, 100, NULL));
    refused(wc_container_options_set_memory_swappiness(options, 101, &err), "swappiness 101", "0 to 100");
    refused(wc_container_options_set_oom_kill_disable(options, 2, &err), "killer", "0 nor 1");
    refused(wc_container_options_set_oom_score_adj(options, -1001, &err), "-1001", "-1000 to 1000");
    refused(wc_container_options_set_shm_size(options, -1, &err), "/dev/shm", "64 MiB");
    taken(wc_container_options_set_cpu_quota(options, 1000, 1000, NULL));
    taken(wc_container_options_set_cpu_quota(options, 0, -1, NULL));
    refused(wc_container_options_set_cpu_quota(options, 1000001, 1000, &err), "quota", "1000000");
    refused(wc_container_options_set_cpu_quota(options, 0, 999, &err), "quota 999", "1000");
    refused(wc_container_options_set_cpu_quota(NULL, 0, 1000, &err), "quota", "NULL");
    refused(wc_container_options_set_cpu_realtime(options, 1000, 1001, &err), "real-time", "above the period");
    refused(wc_container_options_set_cpuset_mems(options, "x", &err), "memory nodes 'x'", "such as");
    refused(wc_container_options_set_blkio_weight(options, 1001, &err), "1001", "10 to 1000");
}
END_TEST

START_TEST(paths_of_control_groups)
{
    taken(wc_container_options_set_cgroup_parent(options, "", NULL));
    taken(wc_container_options_set_cgroup_parent(options, "a/b/", NULL));
    refused(wc_container_options_set_cgroup_parent(options, "/a/../b", &err), "/a/../b", "without '..'");
    refused(wc_container_options_set_cgroup_parent(options, "//a", &err), "//a", "such as");
    refused(wc_container_options_set_cgroup_parent(options, "a:b", &err), "a:b", "':'");
    refused(wc_container_options_set_cgroup_parent(options, NULL, &err), "cgroup parent", "NULL");
}
END_TEST

START_TEST(sysctls_of_its_own)
{
    taken(wc_container_options_add_sysctl(options, "net.core.somaxconn", "99", NULL));
    taken(wc_container_options_add_sysctl(options, "fs.mqueue.msg_max", "9", NULL));
    refused(wc_container_options_add_sysctl(options, "kernel.core_pattern", "|/x", &err), "core_pattern", "not allowed");
    refused(wc_container_options_add_sysctl(options, "net.../../kernel/core_pattern", "x", &err), "core_pattern",
            "not allowed");
    refused(wc_container_options_add_sysctl(options, "net./x", "x", &err), "net./x", "not allowed");
}
END_TEST

START_TEST(devices_of_every_kind)
{
    taken(wc_container_options_add_device(options, "/dev/null", NULL, NULL, NULL));
    refused(wc_container_options_add_device(options, "dev", NULL, NULL, &err), "'dev'", "absolute");
    refused(wc_container_options_add_device(options, "/dev/null", "x", NULL, &err), "'x'", "absolute");
    refused(wc_container_options_add_device(options, "/dev/null", NULL, "rr", &err), "'rr'", "'rwm'");
    taken(wc_container_options_add_device_rule(options, "a *:* rwm", NULL));
    refused(wc_container_options_add_device_rule(options, "c 1 rwm", &err), "'c 1 rwm'", "such as");
    refused(wc_container_options_add_device_rule(options, "c 1:99999999999 r", &err), "99999999999", "such as");
    refused(wc_container_options_add_device_rule(options, "", &err), "''", "such as");
    taken(wc_container_options_add_cdi_device(options, "vendor.com/class=0:1", NULL));
    refused(wc_container_options_add_cdi_device(options, "vendor.com/=x", &err), "'vendor.com/=x'", "such as");
    refused(wc_container_options_add_cdi_device(options, "../a/b=x", &err), "'../a/b=x'", "such as");
    taken(wc_container_options_add_blkio_device(options, "/dev/x", "read-bps", 1, NULL));
    refused(wc_container_options_add_blkio_device(options, "/x", "read-bps", 1, &err), "'/x'", "/dev/");
    refused(wc_container_options_add_blkio_device(options, "/dev/x", "bps", 1, &err), "'bps'", "read-iops");
    refused(wc_container_options_add_blkio_device(options, "/dev/x", "weight", 9, &err), "weight 9", "10 to 1000");
    refused(wc_container_options_add_blkio_device(options, "/dev/x", "write-iops", 0, &err), "0", "at least 1");
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
    tcase_add_test(tc, limits_of_every_kind);
    tcase_add_test(tc, paths_of_control_groups);
    tcase_add_test(tc, sysctls_of_its_own);
    tcase_add_test(tc, devices_of_every_kind);
    suite_add_tcase(suite, tc);
    return test_main(suite);
}
