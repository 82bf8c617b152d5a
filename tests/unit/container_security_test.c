/* SPDX-License-Identifier: Apache-2.0 */
/* What documents say of security modules, ids, namespaces and hidden paths, also where this host has none of it. */
#include <check.h>
#include <string.h>

#include "backend/process/apparmor.h"
#include "container/idmap.h"
#include "container/keep_id.h"
#include "container/lsm.h"
#include "container/namespace.h"
#include "container/system_paths.h"
#include "core/alloc.h"
#include "core/error.h"

static wci_config settings(const char *json)
{
    wci_config config;
    ck_assert_int_eq(wci_config_from_json(json, &config, NULL), WC_OK);
    return config;
}

START_TEST(apparmor)
{
    static const struct {
        const char *json;
        wci_apparmor_host host;
        int32_t rc;
        const char *profile;
    } cases[] = {
        {"{}", WCI_APPARMOR_ABSENT, WC_OK, ""},
        {"{}", WCI_APPARMOR_NAMED, WC_OK, ""},
        {"{}", WCI_APPARMOR_LOADABLE, WC_OK, "wincontainer-default"},
        {"{\"privileged\": true}", WCI_APPARMOR_LOADABLE, WC_OK, "unconfined"},
        {"{\"privileged\": true, \"apparmor\": \"mine\"}", WCI_APPARMOR_LOADABLE, WC_OK, "mine"},
        {"{\"apparmor\": \"mine\"}", WCI_APPARMOR_NAMED, WC_OK, "mine"},
        {"{\"apparmor\": \"unconfined\"}", WCI_APPARMOR_LOADABLE, WC_OK, "unconfined"},
        {"{\"apparmor\": \"unconfined\"}", WCI_APPARMOR_ABSENT, WC_OK, ""},
        {"{\"apparmor\": \"mine\"}", WCI_APPARMOR_ABSENT, WC_E_UNSUPPORTED, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *profile = NULL;
        wci_config config = settings(cases[i].json);
        ck_assert_int_eq(wci_apparmor_profile(&config, cases[i].host, &profile, NULL), cases[i].rc);
        ck_assert_str_eq(profile, cases[i].profile);
        wci_config_free(&config);
    }
}
END_TEST

START_TEST(loaded_profiles)
{
    static const char list[] = "docker-default (enforce)\n/usr/sbin/ntpd (complain)\nmine//child (enforce)\nmine (kill)\n";
    const struct {
        const char *name;
        int is;
    } cases[] = {{"docker-default", 1}, {"docker", 0}, {"mine", 1}, {"default", 0}, {"/usr/sbin/ntpd", 1}, {"", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert_msg(wci_apparmor_is_listed(list, cases[i].name) == cases[i].is, "%s", cases[i].name);
}
END_TEST

START_TEST(selinux)
{
    static const struct {
        const char *json;
        int host_has_it;
        const char *process, *mount;
    } cases[] = {
        {"{}", 1, NULL, NULL},
        {"{\"selinuxLabels\": [\"type:spc_t\"]}", 0, NULL, NULL},
        {"{\"selinuxLabels\": [\"type:spc_t\"]}", 1, "system_u:system_r:spc_t:s0", NULL},
        {"{\"selinuxLabels\": [\"type:a\", \"disable\"]}", 1, NULL, NULL},
        {"{\"selinuxLabels\": [\"user:u\", \"role:r\", \"level:s0:c1,c2\", \"filetype:f_t\"]}", 1,
         "u:r:container_t:s0:c1,c2", "system_u:object_r:f_t:s0:c1,c2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *process = NULL, *mount = NULL;
        wci_config config = settings(cases[i].json);
        ck_assert_int_eq(wci_selinux_labels(&config, cases[i].host_has_it, &process, &mount, NULL), WC_OK);
        ck_assert_pstr_eq(process, cases[i].process);
        ck_assert_pstr_eq(mount, cases[i].mount);
        wci_free(process);
        wci_free(mount);
        wci_config_free(&config);
    }
}
END_TEST

START_TEST(maps_of_ids)
{
    static const char *const bad[] = {"", "0", "0:1", "0:1:", "0:1:0", ":1:1", "0:1:1:1", "-1:1:1", "0: 1:1", "a:1:1",
                                      "0:4294967295:1", "4294967290:0:6", "0:4294967290:6", "0:1:99999999999999999999"};
    wci_idmap map;
    uint32_t host = 0;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(wci_idmap_parse(bad[i], &map, NULL) == WC_E_INVALID, "%s", bad[i]);
    ck_assert_int_eq(wci_idmap_parse("4294967294:4294967294:1", &map, NULL), WC_OK);
    wci_config config = settings("{\"uidMaps\": [\"0:1000:1\", \"1:100000:65535\"]}");
    ck_assert(wci_idmap_find(&config.uid_maps, 0, &host));
    ck_assert_uint_eq(host, 1000);
    ck_assert(wci_idmap_find(&config.uid_maps, 65535, &host));
    ck_assert_uint_eq(host, 165534);
    ck_assert(!wci_idmap_find(&config.uid_maps, 65536, &host));
    ck_assert_int_eq(wci_ns_mode_of(&config, WCI_NS_USER), WCI_NS_PRIVATE);
    wci_config_free(&config);
}
END_TEST

START_TEST(ids_that_are_kept)
{
    static const char *const good[] = {"keep-id", "keep-id:uid=0", "keep-id:gid=5", "keep-id:uid=5,gid=6",
                                       "keep-id:gid=6,uid=2147483647"};
    static const char *const bad[] = {"", "keep", "keep-id:", "keep-id,uid=5", "keep-id:uid=", "keep-id:uid=5,", "keep-id:5",
                                      "keep-id:uid=-1", "keep-id:uid=5,uid=6", "keep-id:uid=5:gid=6", "keep-id:size=5",
                                      "keep-id:uid=2147483648", "keep-id: uid=5", "keep-id:uid=5 ", "host"};
    wci_ns_mode mode;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert_msg(wci_keep_id_is(good[i]), "%s", good[i]);
        ck_assert_int_eq(wci_ns_mode_parse(WCI_NS_USER, good[i], &mode, NULL), WC_OK);
        ck_assert_int_eq(mode, WCI_NS_PRIVATE);
        ck_assert_int_eq(wci_ns_mode_parse(WCI_NS_PID, good[i], &mode, NULL), WC_E_INVALID);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(!wci_keep_id_is(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(hidden_paths)
{
    static const struct {
        const char *json;
        size_t hidden, read_only;
    } cases[] = {
        {"{}", 12, 5},
        {"{\"privileged\": true}", 0, 0},
        {"{\"unmask\": [\"ALL\"]}", 0, 0},
        {"{\"unmask\": [\"ALL\"], \"mask\": [\"/etc\"]}", 1, 0},
        {"{\"unmask\": [\"/proc/timer*\", \"/proc/sys\"]}", 10, 4},
        {"{\"unmask\": [\"/proc*\", \"/proc\", \"/sys/*\"]}", 11, 5},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        wci_strv hidden = WCI_STRV_INIT, read_only = WCI_STRV_INIT;
        wci_config config = settings(cases[i].json);
        ck_assert_int_eq(wci_system_paths(&config, &hidden, &read_only), 0);
        ck_assert_msg(hidden.count == cases[i].hidden && read_only.count == cases[i].read_only, "%s: %zu %zu",
                      cases[i].json, hidden.count, read_only.count);
        wci_strv_free(&hidden);
        wci_strv_free(&read_only);
        wci_config_free(&config);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("container security");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, apparmor);
    tcase_add_test(tcase, loaded_profiles);
    tcase_add_test(tcase, selinux);
    tcase_add_test(tcase, maps_of_ids);
    tcase_add_test(tcase, ids_that_are_kept);
    tcase_add_test(tcase, hidden_paths);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? 1 : 0;
}
