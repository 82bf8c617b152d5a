/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and subnets, what networks keep of themselves, and what netavark is told and says. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "backend/process/netavark_answer.h"
#include "backend/process/slirp_answer.h"
#include "core/alloc.h"
#include "core/error.h"
#include "network/allocate.h"
#include "network/document.h"
#include "network/mode.h"
#include "support/support.h"

static wci_ip ip(const char *text)
{
    wci_ip out;
    ck_assert_msg(wci_ip_parse(text, &out), "%s", text);
    return out;
}

static wci_subnet subnet(const char *text)
{
    wci_subnet out;
    ck_assert_msg(wci_subnet_parse(text, &out), "%s", text);
    return out;
}

START_TEST(addresses_are_written_as_rfc_5952_says)
{
    static const char *const pairs[][2] = {
        {"10.0.0.1", "10.0.0.1"},         {"::", "::"},
        {"::1", "::1"},                   {"1::", "1::"},
        {"2001:DB8::0:1", "2001:db8::1"}, {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
        {"1:0:0:2:0:0:0:3", "1:0:0:2::3"}, {"1:0:0:2:3:0:0:4", "1::2:3:0:0:4"},
        {"0:0:1::", "0:0:1::"},           {"fd00:0:0:0:1:2:3:4", "fd00::1:2:3:4"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        char text[WCI_ADDRESS_SIZE];
        wci_ip parsed = ip(pairs[i][0]);
        wci_address_format(&parsed, text);
        ck_assert_str_eq(text, pairs[i][1]);
    }
}
END_TEST

START_TEST(subnets_hold_and_overlap)
{
    char text[WCI_SUBNET_SIZE];
    wci_subnet s = subnet("10.1.2.3/20"), odd = subnet("fd00:1::ff/57");
    wci_subnet_format(&s, text);
    ck_assert_str_eq(text, "10.1.0.0/20");
    wci_subnet_format(&odd, text);
    ck_assert_str_eq(text, "fd00:1::/57");
    wci_ip inside = ip("10.1.15.255"), outside = ip("10.1.16.0"), other = ip("fd00:1:0:7f::1");
    ck_assert(wci_subnet_contains(&s, &inside));
    ck_assert(!wci_subnet_contains(&s, &outside));
    ck_assert(!wci_subnet_contains(&s, &other));
    ck_assert(wci_subnet_contains(&odd, &other));
    ck_assert(!wci_subnet_is_usable(&s, &inside)); /* broadcast */
    wci_subnet small = subnet("10.1.8.0/24"), apart = subnet("10.2.0.0/16");
    ck_assert(wci_subnet_overlaps(&s, &small) && wci_subnet_overlaps(&small, &s));
    ck_assert(!wci_subnet_overlaps(&s, &apart));
    for (const char *const *bad = (const char *const[]){"10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "/8",
                                                        "10.0.0.0/-1", "10.0.0.0/8x", "::/129", "fe80::1%eth0/64", NULL};
         *bad; bad++)
        ck_assert_msg(!wci_subnet_parse(*bad, &s), "%s", *bad);
}
END_TEST

START_TEST(a_chosen_subnet_keeps_clear_of_what_is_there)
{
    wci_subnet taken[300], s;
    size_t count = 0;
    ck_assert(wci_subnet_choose(1, NULL, 0, &s));
    ck_assert_int_eq(s.bits, 16);
    taken[count++] = subnet("0.0.0.0/0"); /* the default route takes nothing */
    taken[count++] = subnet("172.16.0.0/12");
    ck_assert(wci_subnet_choose(1, taken, count, &s));
    ck_assert_int_eq(s.base.bytes[0], 10);
    for (int i = 0; i < 200; i++) {
        ck_assert(wci_subnet_choose(0, taken, count, &s));
        for (size_t j = 1; j < count; j++)
            ck_assert(!wci_subnet_overlaps(&s, &taken[j]));
        taken[count++] = s;
    }
    taken[count++] = subnet("10.0.0.0/8");
    ck_assert(!wci_subnet_choose(0, taken, count, &s));
    ck_assert(!wci_subnet_choose(1, taken, count, &s));
}
END_TEST

static wci_network_settings settings_with(const char *net, const char *gateway, const char *range)
{
    wci_network_settings s;
    wc_error *err = NULL;
    ck_assert_int_eq(wci_network_settings_init(&s, &err), WC_OK);
    s.has_ipv6 = strchr(net, ':') != NULL;
    ck_assert_int_eq(wci_network_add_subnet(&s, net, gateway, range, &err), WC_OK);
    return s;
}

static void expect_next(const wci_network_settings *s, wci_strv *taken, const char *expected)
{
    wci_ip chosen;
    char text[WCI_ADDRESS_SIZE];
    ck_assert_int_eq(wci_network_choose_address(&s->subnets[0], taken, &chosen, NULL), WC_OK);
    wci_address_format(&chosen, text);
    ck_assert_str_eq(text, expected);
    ck_assert_int_eq(wci_strv_add(taken, text), 0);
}

START_TEST(addresses_are_chosen_from_below)
{
    wci_strv taken = WCI_STRV_INIT;
    wci_network_settings s = settings_with("10.9.0.0/29", "10.9.0.3", NULL);
    ck_assert_int_eq(wci_strv_add(&taken, "10.9.0.5"), 0);
    ck_assert_int_eq(wci_strv_add(&taken, "10.9.0.1"), 0);
    expect_next(&s, &taken, "10.9.0.2");
    expect_next(&s, &taken, "10.9.0.4");
    expect_next(&s, &taken, "10.9.0.6");
    wci_ip none;
    wc_error *err = NULL;
    ck_assert_int_eq(wci_network_choose_address(&s.subnets[0], &taken, &none, &err), WC_E_LIMIT);
    wc_error_unref(err);
    wci_network_settings_free(&s);
    s = settings_with("fd00::/64", "fd00::1", "fd00::ff00/120");
    expect_next(&s, &taken, "fd00::ff00");
    expect_next(&s, &taken, "fd00::ff01");
    wci_network_settings_free(&s);
    s = settings_with("255.255.255.0/24", "255.255.255.1", "255.255.255.254/31"); /* nothing comes after it */
    expect_next(&s, &taken, "255.255.255.254");
    ck_assert_int_eq(wci_network_choose_address(&s.subnets[0], &taken, &none, NULL), WC_E_LIMIT);
    wci_network_settings_free(&s);
    wci_strv_free(&taken);
}
END_TEST

START_TEST(hardware_addresses_are_checked)
{
    char mac[WCI_MAC_SIZE];
    wci_ip address = ip("172.17.0.2");
    wci_network_mac(&address, mac);
    ck_assert_str_eq(mac, "02:42:ac:11:00:02");
    ck_assert(wci_network_is_mac(mac) && wci_network_is_mac("AA:bb:cc:00:11:22"));
    for (const char *const *bad = (const char *const[]){"", "02:42:ac:11:00", "02:42:ac:11:00:0g", "02-42-ac-11-00-02",
                                                        "01:42:ac:11:00:02", "02:42:ac:11:00:02:", NULL};
         *bad; bad++)
        ck_assert_msg(!wci_network_is_mac(*bad), "%s", *bad);
}
END_TEST

START_TEST(settings_come_back)
{
    wc_error *err = NULL;
    wci_network_settings out, in = settings_with("10.9.0.0/16", "10.9.0.3", "10.9.4.0/24");
    in.is_internal = 1;
    ck_assert_int_eq(wci_network_set_option(&in, "mtu", "9000", &err), WC_OK);
    ck_assert_int_eq(wci_network_set_option(&in, "isolate", "false", &err), WC_OK);
    ck_assert_int_eq(wci_network_set_label(&in, "a", "b", &err), WC_OK);
    ck_assert_int_eq(wci_network_set_label(&in, "a", "c", &err), WC_OK);
    char *text = wci_network_settings_to_json(&in);
    ck_assert_int_eq(wci_network_settings_from_json(text, &out, &err), WC_OK);
    ck_assert_int_eq(out.mtu, 9000);
    ck_assert(out.is_internal && !out.is_isolated && out.has_names && !out.has_ipv6);
    ck_assert_uint_eq(out.label_keys.count, 1);
    ck_assert_str_eq(out.label_values.items[0], "c");
    ck_assert_int_eq(wci_address_compare(&out.subnets[0].gateway, &in.subnets[0].gateway), 0);
    ck_assert(out.subnets[0].has_range);
    wci_network_settings_free(&in);
    wci_network_settings_free(&out);
    wci_free(text);
    for (const char *const *bad = (const char *const[]){"", "[]", "{\"mtu\":\"x\"}", "{\"subnets\":[{\"Subnet\":\"x\"}]}",
                                                        "{\"subnets\":[1]}", NULL};
         *bad; bad++) {
        ck_assert_msg(wci_network_settings_from_json(*bad, &out, &err) == WC_E_CORRUPT, "%s", *bad);
        wci_err_clear(&err);
    }
}
END_TEST

START_TEST(netavark_is_told_all)
{
    wci_network_settings s = settings_with("10.9.0.0/16", "10.9.0.3", NULL);
    wci_attachment a = {.network_id = "0123", .network = &s, .name = "wc-0123", .device = "br0",
                        .interface_name = "eth1", .mac = "02:42:00:00:00:01"};
    wci_published port = {"udp", "127.0.0.1", 5300, 53};
    wci_strv dns = WCI_STRV_INIT;
    s.mtu = 1400;
    ck_assert_int_eq(wci_strv_add(&a.addresses, "10.9.0.7"), 0);
    ck_assert_int_eq(wci_strv_add(&a.aliases, "www"), 0);
    ck_assert_int_eq(wci_strv_add(&dns, "192.0.2.1"), 0);
    json_t *d = wci_netavark_document("cid", "name", &a, 1, &port, 1, &dns);
    char *text = json_dumps(d, JSON_COMPACT | JSON_SORT_KEYS);
    ck_assert_str_eq(
        text,
        "{\"container_id\":\"cid\",\"container_name\":\"name\",\"dns_servers\":[\"192.0.2.1\"],\"network_info\":{"
        "\"wc-0123\":{\"dns_enabled\":true,\"driver\":\"bridge\",\"id\":\"0123\",\"internal\":false,\"ipam_options\":{"
        "\"driver\":\"host-local\"},\"ipv6_enabled\":false,\"name\":\"wc-0123\",\"network_interface\":\"br0\","
        "\"options\":{\"isolate\":\"true\",\"mtu\":\"1400\"},\"subnets\":[{\"gateway\":\"10.9.0.3\",\"subnet\":"
        "\"10.9.0.0/16\"}]}},\"networks\":{\"wc-0123\":{\"aliases\":[\"www\"],\"interface_name\":\"eth1\","
        "\"static_ips\":[\"10.9.0.7\"],\"static_mac\":\"02:42:00:00:00:01\"}},\"port_mappings\":[{\"container_port\":53,"
        "\"host_ip\":\"127.0.0.1\",\"host_port\":5300,\"protocol\":\"udp\",\"range\":1}]}");
    free(text);
    json_decref(d);
    wci_strv_free(&dns);
    wci_strv_free(&a.addresses);
    wci_strv_free(&a.aliases);
    wci_network_settings_free(&s);
}
END_TEST

/* Each address belongs to the subnet at its place, whatever order the network has them in. */
START_TEST(netavark_gets_subnets_as_addresses_stand)
{
    wc_error *err = NULL;
    wci_network_settings s = settings_with("fd00:9::/64", NULL, NULL);
    wci_attachment a = {.network_id = "0", .network = &s, .name = "n", .device = "br0", .interface_name = "eth0", .mac = ""};
    wci_strv dns = WCI_STRV_INIT;
    ck_assert_int_eq(wci_network_add_subnet(&s, "10.9.0.0/16", NULL, NULL, &err), WC_OK);
    ck_assert_int_eq(wci_network_add_subnet(&s, "10.8.0.0/16", NULL, NULL, &err), WC_OK);
    ck_assert_int_eq(wci_strv_add(&a.addresses, "10.8.0.7"), 0);
    ck_assert_int_eq(wci_strv_add(&a.addresses, "fd00:9::7"), 0);
    json_t *d = wci_netavark_document("cid", "name", &a, 1, NULL, 0, &dns);
    json_t *list = json_object_get(json_object_get(json_object_get(d, "network_info"), "n"), "subnets");
    ck_assert_uint_eq(json_array_size(list), 2);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(list, 0), "subnet")), "10.8.0.0/16");
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(list, 1), "subnet")), "fd00:9::/64");
    json_decref(d);
    wci_strv_free(&a.addresses);
    wci_network_settings_free(&s);
}
END_TEST

static void expect_answer(int failed, const char *answer, const char *complaint, const char *words)
{
    wc_error *err = NULL;
    int32_t rc = wci_netavark_answer(failed, answer, strlen(answer), complaint, &err);
    ck_assert_msg((rc == WC_OK) == !words, "%s: %s", answer, wc_error_message(err));
    if (words)
        ck_assert_msg(strstr(wc_error_message(err), words) != NULL, "%s", wc_error_message(err));
    wc_error_unref(err);
}

START_TEST(netavark_is_understood)
{
    expect_answer(0, "", "", NULL);
    expect_answer(0, "{\"wc-1\":{}}", "failed to connect to syslog", NULL);
    expect_answer(1, "{\"error\":\"create bridge: no\"}", "", "create bridge: no");
    expect_answer(1, "{\"error\":\"a\\nb\\u001b[1m\"}", "", "a b?[1m");
    expect_answer(1, "{\"error\":\"iptables: command not found\"}", "", "iptables is installed");
    expect_answer(1, "{\"error\":\"unknown network driver ipvlan\"}", "", "netavark 1.5");
    expect_answer(1, "{\"error\":\"IO: Read-only file system\"}", "", "writable /proc/sys");
    expect_answer(1, "", "remark\nthread panicked\n", "thread panicked");
    expect_answer(1, "{}", "", "did not say why");
    expect_answer(0, "nonsense", "", "no JSON");
    expect_answer(0, "{\"error\":1}", "", NULL);
}
END_TEST

static void expect_slirp(const char *answer, const char *words)
{
    wc_error *err = NULL;
    int32_t rc = wci_slirp_answer(answer, strlen(answer), &err);
    ck_assert_msg(rc == (words ? WC_E_RUNTIME : WC_OK), "%s: %d", answer, (int)rc);
    if (words)
        ck_assert_msg(strstr(wc_error_message(err), words) != NULL, "%s", wc_error_message(err));
    wc_error_unref(err);
}

START_TEST(slirp4netns_is_understood)
{
    expect_slirp("{\"return\":{\"id\":1}}", NULL);
    expect_slirp("{\"error\":{\"desc\":\"bad request: add_hostfwd: slirp_add_hostfwd failed\"}}",
                 "slirp_add_hostfwd failed");
    expect_slirp("{\"error\":{\"desc\":\"a\\nb\\u001b[1m\"},\"return\":{}}", "a b?[1m");
    expect_slirp("{\"error\":{}}", "did not say why");
    expect_slirp("{\"error\":\"x\"}", "did not say why");
    expect_slirp("{}", "no answer");
    expect_slirp("", "no answer");
    expect_slirp("{\"return\":", "no answer");
    expect_slirp("[1]", "no answer");
}
END_TEST

START_TEST(modes_are_told_apart)
{
    static const struct {
        const char *text;
        wci_network_mode mode;
    } good[] = {{"none", WCI_NETWORK_NONE}, {"host", WCI_NETWORK_HOST}, {"container:x", WCI_NETWORK_CONTAINER},
                {"bridge", WCI_NETWORK_NAMED}, {"a.b-c_1", WCI_NETWORK_NAMED}};
    wci_network_mode mode;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        ck_assert_int_eq(wci_network_mode_parse(good[i].text, &mode, NULL), WC_OK);
        ck_assert_int_eq(mode, good[i].mode);
    }
    for (const char *const *bad = (const char *const[]){"", "container:", "-x", "a b", "ns:/x", NULL}; *bad; bad++)
        ck_assert_int_eq(wci_network_mode_parse(*bad, &mode, NULL), WC_E_INVALID);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("network");
    tcase_add_test(t, addresses_are_written_as_rfc_5952_says);
    tcase_add_test(t, subnets_hold_and_overlap);
    tcase_add_test(t, a_chosen_subnet_keeps_clear_of_what_is_there);
    tcase_add_test(t, addresses_are_chosen_from_below);
    tcase_add_test(t, hardware_addresses_are_checked);
    tcase_add_test(t, settings_come_back);
    tcase_add_test(t, netavark_is_told_all);
    tcase_add_test(t, netavark_gets_subnets_as_addresses_stand);
    tcase_add_test(t, netavark_is_understood);
    tcase_add_test(t, slirp4netns_is_understood);
    tcase_add_test(t, modes_are_told_apart);
    Suite *suite = suite_create("network");
    suite_add_tcase(suite, t);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
