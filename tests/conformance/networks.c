/* SPDX-License-Identifier: Apache-2.0 */
/* Networks: made and listed, containers joined to them, ports. */
#include <jansson.h>

#include "conformance/harness.h"

/* The process backend changes interfaces and rules of the host: only where that is one of its own. */
static int has_host(const char *test)
{
    const char *inside = getenv("WC_TEST_NETNS");
    if (strcmp(settings.backend, "process") != 0 || (inside && !strcmp(inside, "inside")))
        return 1;
    harness_note_skip(test, "not in a network of its own: see tests/support/netns.sh");
    return 0;
}

#define need_host()                                                                                \
    do {                                                                                           \
        if (!has_host(__func__))                                                                   \
            return;                                                                                \
    } while (0)

static wc_network *make(const char *name, const char *subnet)
{
    wc_network_options *o = NULL;
    wc_network *network = NULL;
    good(wc_network_options_new(name, &o, &err));
    if (subnet)
        good(wc_network_options_add_subnet(o, subnet, NULL, NULL, &err));
    good(wc_network_create(context, o, NULL, &network, &err));
    wc_network_options_unref(o);
    return network;
}

/* With its containers. */
static void discard(wc_network *network)
{
    harness_remove_containers();
    good(wc_network_remove(network, &err));
    wc_network_unref(network);
}

static json_t *inspect(wc_network *network)
{
    wc_buf *bytes = NULL;
    good(wc_network_inspect(network, &bytes, &err));
    json_t *json = json_loadb(wc_buf_data(bytes), wc_buf_size(bytes), JSON_REJECT_DUPLICATES, NULL);
    ck_assert_ptr_nonnull(json);
    wc_buf_unref(bytes);
    return json;
}

static json_t *container_networks(wc_container *c)
{
    wc_container_info *info = NULL;
    good(wc_container_inspect(c, &info, &err));
    json_t *json = json_loads(wc_container_info_json(info), 0, NULL);
    json_t *networks = json_incref(json_object_get(json_object_get(json, "NetworkSettings"), "Networks"));
    json_decref(json);
    wc_container_info_unref(info);
    return networks;
}

static const char *text(json_t *json, const char *key)
{
    const char *value = json_string_value(json_object_get(json, key));
    ck_assert_msg(value != NULL, "no text %s", key);
    return value;
}

/* options_for() says network none. */
static wc_container_options *options_on(const char *network, const wc_endpoint_options *endpoint,
                                        const char *const *words)
{
    wc_container_options *o = options_for(words);
    good(wc_container_options_set_network(o, network, &err));
    if (endpoint)
        good(wc_container_options_add_network(o, network, endpoint, &err));
    return o;
}

START_TEST(a_network_is_made_found_and_removed)
{
    wc_network_options *o = NULL;
    wc_network *network = NULL, *found = NULL;
    good(wc_network_options_new("made", &o, &err));
    good(wc_network_options_set_driver(o, "bridge", &err));
    good(wc_network_options_set_internal(o, 1, &err));
    good(wc_network_options_set_ipv6(o, 1, &err));
    good(wc_network_options_set_dns(o, 0, &err));
    good(wc_network_options_add_subnet(o, "10.201.0.0/16", "10.201.0.9", "10.201.4.0/24", &err));
    good(wc_network_options_add_option(o, "mtu", "1400", &err));
    good(wc_network_options_add_label(o, "tier", "front", &err));
    good(wc_network_create(context, o, NULL, &network, &err));
    bad(wc_network_create(context, o, NULL, &found, &err), WC_E_EXISTS);
    wc_network_options_unref(o);
    ck_assert_str_eq(wc_network_name(network), "made");
    ck_assert_str_eq(wc_network_driver(network), "bridge");
    ck_assert_uint_eq(strlen(wc_network_id(network)), 64);
    good(wc_network_open(context, wc_network_id(network), &found, &err));
    ck_assert_str_eq(wc_network_name(found), "made");
    wc_network_unref(found);
    json_t *json = inspect(network);
    json_t *subnet = json_array_get(json_object_get(json_object_get(json, "IPAM"), "Config"), 0);
    ck_assert_str_eq(text(subnet, "Gateway"), "10.201.0.9");
    ck_assert_str_eq(text(subnet, "IPRange"), "10.201.4.0/24");
    ck_assert_str_eq(text(json_object_get(json, "Labels"), "tier"), "front");
    ck_assert(json_is_true(json_object_get(json, "Internal")));
    ck_assert_uint_eq(json_array_size(json_object_get(json_object_get(json, "IPAM"), "Config")), 2);
    json_decref(json);
    good(wc_network_remove(network, &err));
    bad(wc_network_remove(network, &err), WC_E_NOT_FOUND);
    bad(wc_network_open(context, "made", &found, &err), WC_E_NOT_FOUND);
    wc_network_unref(network);
}
END_TEST

START_TEST(networks_are_listed_and_pruned)
{
    wc_list *list = NULL;
    wc_network *network = make("pruned", NULL), *other = NULL;
    good(wc_network_list(context, &list, &err));
    ck_assert_uint_eq(wc_list_count(list), 2);
    ck_assert_str_eq(wc_network_name(wc_list_network(list, 0)), "bridge");
    other = wc_network_ref(wc_list_network(list, 1));
    ck_assert_ptr_null(wc_list_network(list, 2));
    wc_list_unref(list);
    ck_assert_str_eq(wc_network_name(other), "pruned"); /* outlives the list */
    wc_network_unref(other);
    good(wc_network_prune(context, NULL, &list, &err));
    ck_assert_uint_eq(wc_list_count(list), 1);
    ck_assert_str_eq(wc_list_string(list, 0), "pruned");
    wc_list_unref(list);
    wc_network_unref(network);
    good(wc_network_open(context, "bridge", &network, &err));
    bad(wc_network_remove(network, &err), WC_E_INVALID);
    wc_network_unref(network);
}
END_TEST

START_TEST(what_no_network_can_be_is_refused)
{
    static const char *const names[] = {"", "-a", "a b", "host", "none", "container", "a/b"};
    wc_network_options *o = NULL;
    wc_network *network = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        bad(wc_network_options_new(names[i], &o, &err), WC_E_INVALID);
    good(wc_network_options_new("bad", &o, &err));
    bad(wc_network_options_set_driver(o, "overlay", &err), WC_E_UNSUPPORTED);
    bad(wc_network_options_add_subnet(o, "10.1.0.0", NULL, NULL, &err), WC_E_INVALID);
    bad(wc_network_options_add_subnet(o, "10.1.0.0/33", NULL, NULL, &err), WC_E_INVALID);
    bad(wc_network_options_add_subnet(o, "10.1.0.0/24", "10.2.0.1", NULL, &err), WC_E_INVALID);
    bad(wc_network_options_add_subnet(o, "10.1.0.0/24", NULL, "10.1.0.0/16", &err), WC_E_INVALID);
    bad(wc_network_options_add_option(o, "mtu", "12", &err), WC_E_INVALID);
    bad(wc_network_options_add_option(o, "colour", "red", &err), WC_E_UNSUPPORTED);
    good(wc_network_options_add_subnet(o, "fd00:9::/64", NULL, NULL, &err));
    bad(wc_network_create(context, o, NULL, &network, &err), WC_E_INVALID); /* without IPv6 */
    wc_network_options_unref(o);
}
END_TEST

START_TEST(a_container_has_the_address_that_it_asks_for)
{
    need_host();
    wc_endpoint_options *e = NULL;
    wc_network *network = make("fixed", "10.202.0.0/24");
    good(wc_endpoint_options_new(&e, &err));
    good(wc_endpoint_options_add_alias(e, "other", &err));
    good(wc_endpoint_options_set_ipv4(e, "10.202.0.77", &err));
    good(wc_endpoint_options_set_mac(e, "02:42:00:00:00:77", &err));
    bad(wc_endpoint_options_set_ipv6(e, "10.202.0.77", &err), WC_E_INVALID);
    bad(wc_endpoint_options_set_mac(e, "01:42:00:00:00:77", &err), WC_E_INVALID);
    wc_container *c = create_from(options_on("fixed", e, SCRIPT("sleep:60000")));
    wc_container *d = create_from(options_on("fixed", e, SCRIPT("sleep:60000")));
    wc_endpoint_options_unref(e);
    need(wc_container_start(c, 0, NULL, NULL, &err));
    json_t *networks = container_networks(c), *fixed = json_object_get(networks, "fixed");
    ck_assert_str_eq(text(fixed, "IPAddress"), "10.202.0.77");
    ck_assert_str_eq(text(fixed, "MacAddress"), "02:42:00:00:00:77");
    json_decref(networks);
    json_t *json = inspect(network);
    ck_assert_str_eq(text(json_object_get(json_object_get(json, "Containers"), wc_container_id(c)), "IPv4Address"),
                     "10.202.0.77/24");
    json_decref(json);
    bad(wc_container_start(d, 0, NULL, NULL, &err), WC_E_IN_USE);
    bad(wc_network_remove(network, &err), WC_E_IN_USE);
    discard(network);
}
END_TEST

START_TEST(containers_are_joined_and_parted)
{
    need_host();
    wc_network *first = make("first", NULL), *second = make("second", NULL);
    wc_container *c = create_from(options_on("first", NULL, SCRIPT("sleep:60000")));
    wc_container *alone = create(SCRIPT("exit:0"));
    good(wc_network_connect(second, c, NULL, NULL, &err));
    bad(wc_network_connect(second, c, NULL, NULL, &err), WC_E_EXISTS);
    bad(wc_network_connect(second, alone, NULL, NULL, &err), WC_E_STATE);
    good(wc_network_disconnect(second, c, NULL, &err));
    bad(wc_network_disconnect(second, c, NULL, &err), WC_E_NOT_FOUND);
    need(wc_container_start(c, 0, NULL, NULL, &err));
    need(wc_network_connect(second, c, NULL, NULL, &err));
    json_t *networks = container_networks(c);
    ck_assert_uint_eq(json_object_size(networks), 2);
    ck_assert(*text(json_object_get(networks, "second"), "IPAddress"));
    json_decref(networks);
    good(wc_network_disconnect(first, c, NULL, &err));
    networks = container_networks(c);
    ck_assert_uint_eq(json_object_size(networks), 1);
    json_decref(networks);
    discard(first);
    discard(second);
}
END_TEST

static json_t *ports_of(wc_container *c)
{
    wc_buf *bytes = NULL;
    good(wc_container_ports(c, &bytes, &err));
    json_t *json = json_loadb(wc_buf_data(bytes), wc_buf_size(bytes), 0, NULL);
    wc_buf_unref(bytes);
    return json;
}

START_TEST(ports_are_published)
{
    need_host();
    wc_network *network = make("open", NULL);
    wc_container_options *o = options_on("open", NULL, SCRIPT("sleep:60000"));
    good(wc_container_options_add_port(o, NULL, 0, 80, "tcp", 2, &err));
    good(wc_container_options_add_port(o, "127.0.0.1", 48123, 53, "udp", 1, &err));
    good(wc_container_options_add_exposed_port(o, "9000", &err));
    good(wc_container_options_set_publish_all(o, 1, &err));
    bad(wc_container_options_add_port(o, NULL, 0, 0, "tcp", 1, &err), WC_E_INVALID);
    bad(wc_container_options_add_port(o, NULL, 65535, 1, "tcp", 2, &err), WC_E_INVALID);
    bad(wc_container_options_add_port(o, NULL, 1, 1, "icmp", 1, &err), WC_E_INVALID);
    bad(wc_container_options_add_port(o, "here", 1, 1, "tcp", 1, &err), WC_E_INVALID);
    bad(wc_container_options_add_exposed_port(o, "9000-8000/tcp", &err), WC_E_INVALID);
    wc_container *c = create_from(o);
    json_t *ports = ports_of(c);
    ck_assert_uint_eq(json_object_size(ports), 0);
    json_decref(ports);
    need(wc_container_start(c, 0, NULL, NULL, &err));
    ports = ports_of(c);
    ck_assert_uint_eq(json_object_size(ports), 4);
    json_t *fixed = json_array_get(json_object_get(ports, "53/udp"), 0);
    ck_assert_str_eq(text(fixed, "HostIp"), "127.0.0.1");
    ck_assert_str_eq(text(fixed, "HostPort"), "48123");
    ck_assert_int_ge(atoi(text(json_array_get(json_object_get(ports, "9000/tcp"), 0), "HostPort")), 32768);
    json_decref(ports);
    discard(network);
}
END_TEST

START_TEST(names_are_options_of_the_container)
{
    wc_container_options *o = options_for(SCRIPT("exit:0"));
    good(wc_container_options_add_dns(o, "192.0.2.1", &err));
    good(wc_container_options_add_dns_search(o, "example.org", &err));
    good(wc_container_options_add_dns_option(o, "ndots:2", &err));
    good(wc_container_options_add_host(o, "db", "10.0.0.7", &err));
    good(wc_container_options_add_host(o, "up", "host-gateway", &err));
    bad(wc_container_options_add_dns(o, "ns.example.org", &err), WC_E_INVALID);
    bad(wc_container_options_add_dns_search(o, "a b", &err), WC_E_INVALID);
    bad(wc_container_options_add_host(o, "a b", "10.0.0.7", &err), WC_E_INVALID);
    bad(wc_container_options_add_host(o, "db", "there", &err), WC_E_INVALID);
    bad(wc_container_options_add_network(o, "bridge", NULL, &err), WC_E_INVALID); /* beside "none" */
    bad(wc_container_options_set_network(o, "a b", &err), WC_E_INVALID);
    wc_container *c = create_from(o);
    wc_container_info *info = NULL;
    good(wc_container_inspect(c, &info, &err));
    json_t *json = json_loads(wc_container_info_json(info), 0, NULL), *host = json_object_get(json, "HostConfig");
    ck_assert_str_eq(json_string_value(json_array_get(json_object_get(host, "Dns"), 0)), "192.0.2.1");
    ck_assert_str_eq(json_string_value(json_array_get(json_object_get(host, "ExtraHosts"), 1)), "up:host-gateway");
    json_decref(json);
    wc_container_info_unref(info);
}
END_TEST

TCase *network_tests(void)
{
    TCase *t = tcase_create("networks");
    tcase_add_checked_fixture(t, harness_setup, harness_teardown);
    tcase_add_test(t, a_network_is_made_found_and_removed);
    tcase_add_test(t, networks_are_listed_and_pruned);
    tcase_add_test(t, what_no_network_can_be_is_refused);
    tcase_add_test(t, a_container_has_the_address_that_it_asks_for);
    tcase_add_test(t, containers_are_joined_and_parted);
    tcase_add_test(t, ports_are_published);
    tcase_add_test(t, names_are_options_of_the_container);
    return t;
}
