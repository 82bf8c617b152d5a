/* SPDX-License-Identifier: Apache-2.0 */
/* network create|ls|inspect|rm|prune|connect|disconnect, and port */
#include <stdlib.h>
#include <string.h>

#include "endpoint_words.h"
#include "template.h"
#include "wcctl.h"

static wc_network *open_network(const char *name)
{
    wc_error *err = NULL;
    wc_network *network = NULL;
    TRY(wc_network_open(app_context(), name, &network, &err));
    return network;
}

static json_t *describe(wc_network *network)
{
    wc_error *err = NULL;
    wc_buf *bytes = NULL;
    TRY(wc_network_inspect(network, &bytes, &err));
    json_t *json = json_loadb(wc_buf_data(bytes), wc_buf_size(bytes), 0, NULL);
    wc_buf_unref(bytes);
    return json;
}

/* ---- create --------------------------------------------------------------------------------------- */

typedef struct creation {
    const char *driver;
    int internal, ipv6, no_dns, attachable;
    text_list subnets, gateways, ranges, options, labels;
} creation;

static void each_pair(const text_list *list, const char *what, wc_network_options *options,
                      int32_t (*add)(wc_network_options *, const char *, const char *, wc_error **))
{
    wc_error *err = NULL;
    for (size_t i = 0; i < list->count; i++) {
        char *key;
        const char *value;
        if (!strcmp(what, "-o"))
            cut_pair(what, list->items[i], &key, &value);
        else
            cut_text(list->items[i], '=', &key, &value);
        TRY(add(options, key, value ? value : "", &err));
        free(key);
    }
}

/* The n-th gateway and range belong to the n-th subnet. */
static void add_subnets(const creation *c, wc_network_options *options)
{
    wc_error *err = NULL;
    if (c->gateways.count > c->subnets.count || c->ranges.count > c->subnets.count)
        die_usage("network create: every --gateway and --ip-range needs a --subnet before it");
    for (size_t i = 0; i < c->subnets.count; i++)
        TRY(wc_network_options_add_subnet(options, c->subnets.items[i],
                                          i < c->gateways.count ? c->gateways.items[i] : NULL,
                                          i < c->ranges.count ? c->ranges.items[i] : NULL, &err));
}

static wc_network_options *make_options(const creation *c, const char *name)
{
    wc_error *err = NULL;
    wc_network_options *options = NULL;
    TRY(wc_network_options_new(name, &options, &err));
    if (c->driver)
        TRY(wc_network_options_set_driver(options, c->driver, &err));
    TRY(wc_network_options_set_internal(options, c->internal, &err));
    TRY(wc_network_options_set_ipv6(options, c->ipv6, &err));
    TRY(wc_network_options_set_dns(options, !c->no_dns, &err));
    add_subnets(c, options);
    each_pair(&c->options, "-o", options, wc_network_options_add_option);
    each_pair(&c->labels, "--label", options, wc_network_options_add_label);
    return options;
}

static int create_command(int argc, char **argv)
{
    creation c = {0};
    wc_error *err = NULL;
    wc_network *network = NULL;
    const option options[] = {
        {'d', "driver", OPTION_TEXT, "bridge|macvlan|ipvlan", "kind of network, default bridge", &c.driver},
        {0, "subnet", OPTION_LIST, "ADDRESS/BITS", "a subnet, default: one that is free", &c.subnets},
        {0, "gateway", OPTION_LIST, "ADDRESS", "the host's address in the subnet", &c.gateways},
        {0, "ip-range", OPTION_LIST, "ADDRESS/BITS", "part of the subnet to choose addresses from", &c.ranges},
        {0, "internal", OPTION_FLAG, NULL, "no way out or in", &c.internal},
        {0, "ipv6", OPTION_FLAG, NULL, "IPv6 addresses as well", &c.ipv6},
        {0, "disable-dns", OPTION_FLAG, NULL, "containers do not find each other by name", &c.no_dns},
        {0, "attachable", OPTION_FLAG, NULL, "means nothing here; for scripts", &c.attachable},
        {'o', "opt", OPTION_LIST, "KEY=VALUE", "mtu, isolate, parent, mode", &c.options},
        {0, "label", OPTION_LIST, "KEY[=VALUE]", "set a label", &c.labels},
    };
    argc = options_read("network create", "[OPTIONS] NAME", "Creates a network.", options, countof(options), 0, argc, argv);
    if (argc != 1)
        die_usage("network create takes one NAME");
    wc_network_options *made = make_options(&c, argv[0]);
    TRY(wc_network_create(app_context(), made, wcctl.cancel, &network, &err));
    wc_network_options_unref(made);
    if (wcctl.json)
        print_texts("Id", wc_network_id(network), "Name", wc_network_name(network), NULL);
    else
        printf("%s\n", wc_network_id(network));
    wc_network_unref(network);
    return 0;
}

/* ---- ls, inspect ---------------------------------------------------------------------------------- */

static int has_label(json_t *network, const char *text)
{
    char *key;
    const char *value;
    cut_text(text, '=', &key, &value);
    const char *is = json_string_value(json_object_get(json_object_get(network, "Labels"), key));
    int fits = is && (!value || !strcmp(is, value));
    free(key);
    return fits;
}

static int fits_one(json_t *network, const char *filter)
{
    const char *value = strchr(filter, '=');
    size_t size = value ? (size_t)(value++ - filter) : 0;
    if (size == 4 && !memcmp(filter, "name", 4))
        return strstr(json_string_value(json_object_get(network, "Name")), value) != NULL;
    if (size == 2 && !memcmp(filter, "id", 2))
        return !strncmp(json_string_value(json_object_get(network, "Id")), value, strlen(value));
    if (size == 6 && !memcmp(filter, "driver", 6))
        return !strcmp(json_string_value(json_object_get(network, "Driver")), value);
    if (size == 5 && !memcmp(filter, "label", 5))
        return has_label(network, value);
    die_usage("--filter '%s': there are name=, id=, driver= and label=", filter);
}

static int fits(json_t *network, const text_list *filters)
{
    for (size_t i = 0; i < filters->count; i++)
        if (!fits_one(network, filters->items[i]))
            return 0;
    return 1;
}

static json_t *read_networks(const text_list *filters)
{
    wc_error *err = NULL;
    wc_list *list = NULL;
    json_t *all = json_array();
    TRY(wc_network_list(app_context(), &list, &err));
    for (size_t i = 0; i < wc_list_count(list); i++) {
        json_t *one = describe(wc_list_network(list, i));
        if (fits(one, filters))
            json_array_append(all, one);
        json_decref(one);
    }
    wc_list_unref(list);
    return all;
}

static json_t *row_of(json_t *network, int no_trunc)
{
    char text[16];
    const char *id = json_string_value(json_object_get(network, "Id"));
    json_t *labels = json_object_get(network, "Labels");
    return json_pack("{s:s, s:O, s:O, s:s, s:o, s:o, s:O, s:o, s:O}", "ID", no_trunc ? id : short_id(id, text), "Name",
                     json_object_get(network, "Name"), "Driver", json_object_get(network, "Driver"), "Scope", "local",
                     "IPv6", json_string(json_is_true(json_object_get(network, "EnableIPv6")) ? "true" : "false"),
                     "Internal", json_string(json_is_true(json_object_get(network, "Internal")) ? "true" : "false"),
                     "CreatedAt", json_object_get(network, "Created"), "Labels", json_pairs_text(labels), ".labels", labels);
}

static void print_networks(json_t *networks, int no_trunc, const char *format)
{
    json_t *rows = json_array(), *one;
    size_t i;
    json_array_foreach(networks, i, one)
        json_array_append_new(rows, row_of(one, no_trunc));
    json_t *headings = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "ID", "NETWORK ID", "Name", "NAME",
                                 "Driver", "DRIVER", "Scope", "SCOPE", "IPv6", "IPV6", "Internal", "INTERNAL",
                                 "CreatedAt", "CREATED AT", "Labels", "LABELS", ".labels", 1);
    format_rows(format, "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}", headings, rows);
}

static void print_ids(json_t *networks, int no_trunc)
{
    json_t *one;
    size_t i;
    json_array_foreach(networks, i, one)
    {
        char text[16];
        const char *id = json_string_value(json_object_get(one, "Id"));
        printf("%s\n", no_trunc ? id : short_id(id, text));
    }
}

static int ls_command(int argc, char **argv)
{
    int quiet = 0, no_trunc = 0;
    const char *format = NULL;
    text_list filters = {NULL, 0};
    const option options[] = {
        {'q', "quiet", OPTION_FLAG, NULL, "ids only", &quiet},
        {0, "no-trunc", OPTION_FLAG, NULL, "whole ids", &no_trunc},
        {'f', "filter", OPTION_LIST, "name=…|id=…|driver=…|label=…", "only these", &filters},
        {0, "format", OPTION_MAYBE, "TEMPLATE", "table, json, or what {{.Field}} says", &format},
    };
    options_read_all("network ls", "Lists networks.", options, countof(options), argc, argv);
    json_t *networks = read_networks(&filters);
    if (wcctl.json) {
        print_array(networks);
        return 0;
    }
    if (quiet)
        print_ids(networks, no_trunc);
    else
        print_networks(networks, no_trunc, format);
    json_decref(networks);
    return 0;
}

static int show_command(int argc, char **argv)
{
    int result = 0;
    const char *format = NULL;
    const option options[] = {FORMAT_OPTION(format)};
    json_t *all = json_array();
    argc = options_read("network inspect", "[OPTIONS] NETWORK [NETWORK ...]", "Shows all about networks.", options,
                        countof(options), 0, argc, argv);
    if (!argc)
        die_usage("network inspect takes at least one NETWORK");
    for (int i = 0; i < argc; i++) {
        wc_error *err = NULL;
        wc_network *network = NULL;
        if (wc_network_open(app_context(), argv[i], &network, &err)) {
            result = complain(err);
            continue;
        }
        json_array_append_new(all, describe(network));
        wc_network_unref(network);
    }
    format_found(wcctl.json ? NULL : format, all);
    return result;
}

/* ---- rm, prune ------------------------------------------------------------------------------------ */

static int remove_one(const char *name, int force)
{
    wc_error *err = NULL;
    wc_network *network = NULL;
    int32_t rc = wc_network_open(app_context(), name, &network, &err);
    if (!rc)
        rc = wc_network_remove(network, &err);
    wc_network_unref(network);
    if (rc == WC_E_NOT_FOUND && force) {
        wc_error_unref(err);
        return 0;
    }
    if (rc) {
        complain(err);
        return 1;
    }
    if (wcctl.json)
        print_texts("Removed", name, NULL);
    else
        printf("%s\n", name);
    return 0;
}

static int rm_command(int argc, char **argv)
{
    int result = 0, force = 0;
    const option options[] = {{'f', "force", OPTION_FLAG, NULL, "one that is not there is no error", &force}};
    argc = options_read("network rm", "[OPTIONS] NETWORK [NETWORK ...]", "Removes networks.", options, countof(options), 0,
                        argc, argv);
    if (!argc)
        die_usage("network rm takes at least one NETWORK");
    for (int i = 0; i < argc; i++)
        result |= remove_one(argv[i], force);
    return result;
}

static int prune_command(int argc, char **argv)
{
    int force = 0;
    wc_error *err = NULL;
    wc_list *removed = NULL;
    const option options[] = {{'f', "force", OPTION_FLAG, NULL, "nothing is asked; for scripts", &force}};
    options_read_all("network prune", "Removes networks that no container is joined to.", options, countof(options), argc,
                     argv);
    TRY(wc_network_prune(app_context(), wcctl.cancel, &removed, &err));
    if (wcctl.json) {
        json_t *object = json_object();
        json_object_set_new(object, "Removed", json_list(removed));
        print_object(object);
    }
    int is_told = !wcctl.json && wc_list_count(removed) > 0;
    printf("%s", is_told ? "Deleted Networks:\n" : "");
    for (size_t i = 0; is_told && i < wc_list_count(removed); i++)
        printf("%s\n", wc_list_string(removed, i));
    printf("%s", is_told ? "\n" : "");
    wc_list_unref(removed);
    return 0;
}

/* ---- connect, disconnect -------------------------------------------------------------------------- */

static int connect_command(int argc, char **argv)
{
    endpoint_words words = {0};
    wc_error *err = NULL;
    const option options[] = {
        {0, "alias", OPTION_LIST, "NAME", "a further name on the network", &words.aliases},
        {0, "ip", OPTION_MAYBE, "ADDRESS", "this IPv4 address", &words.ip},
        {0, "ip6", OPTION_MAYBE, "ADDRESS", "this IPv6 address", &words.ip6},
        {0, "mac-address", OPTION_MAYBE, "ADDRESS", "this hardware address", &words.mac},
    };
    argc = options_read("network connect", "[OPTIONS] NETWORK CONTAINER",
                        "Joins a container to a further network, at once when it runs.", options, countof(options), 0, argc,
                        argv);
    if (argc != 2)
        die_usage("network connect takes NETWORK and CONTAINER");
    wc_network *network = open_network(argv[0]);
    wc_container *container = open_container(argv[1]);
    wc_endpoint_options *endpoint = endpoint_options_make(&words);
    TRY(wc_network_connect(network, container, endpoint, wcctl.cancel, &err));
    wc_endpoint_options_unref(endpoint);
    if (wcctl.json)
        print_texts("Network", argv[0], "Container", argv[1], NULL);
    wc_container_unref(container);
    wc_network_unref(network);
    return 0;
}

static int disconnect_command(int argc, char **argv)
{
    int force = 0;
    wc_error *err = NULL;
    const option options[] = {{'f', "force", OPTION_FLAG, NULL, "for scripts: it always is", &force}};
    argc = options_read("network disconnect", "[OPTIONS] NETWORK CONTAINER", "Parts a container from a network.", options,
                        countof(options), 0, argc, argv);
    if (argc != 2)
        die_usage("network disconnect takes NETWORK and CONTAINER");
    wc_network *network = open_network(argv[0]);
    wc_container *container = open_container(argv[1]);
    TRY(wc_network_disconnect(network, container, wcctl.cancel, &err));
    if (wcctl.json)
        print_texts("Network", argv[0], "Container", argv[1], NULL);
    wc_container_unref(container);
    wc_network_unref(network);
    return 0;
}

static const command network_table[] = {
    {"create", create_command, "create a network"},
    {"ls", ls_command, "list networks"},
    {"inspect", show_command, "show all about networks"},
    {"rm", rm_command, "remove networks"},
    {"prune", prune_command, "remove networks that no container is joined to"},
    {"connect", connect_command, "join a container to a network"},
    {"disconnect", disconnect_command, "part a container from a network"},
    {NULL, NULL, NULL},
};

static int network_command(int argc, char **argv)
{
    return subcommand("network", network_table, argc, argv);
}

/* ---- port ----------------------------------------------------------------------------------------- */

static void add_ports(const char *port, json_t *bindings, char **text)
{
    json_t *one;
    size_t i;
    if (!json_is_array(bindings)) { /* offered, not published */
        char *longer = xasprintf("%s%s%s", *text, **text ? ", " : "", port);
        free(*text);
        *text = longer;
    }
    json_array_foreach(bindings, i, one)
    {
        const char *ip = json_string_value(json_object_get(one, "HostIp"));
        const char *host_port = json_string_value(json_object_get(one, "HostPort"));
        char *longer = xasprintf(strchr(ip, ':') ? "%s%s[%s]:%s->%s" : "%s%s%s:%s->%s", *text, **text ? ", " : "", ip,
                                 host_port, port);
        free(*text);
        *text = longer;
    }
}

static int by_port(const void *a, const void *b)
{
    return atoi(*(const char *const *)a) - atoi(*(const char *const *)b);
}

char *ports_text(const wc_container_info *info)
{
    json_t *ports = json_loads(wc_container_info_ports(info), 0, NULL);
    char *text = xstrdup("");
    const char **keys = template_keys(ports);
    qsort(keys, json_object_size(ports), sizeof *keys, by_port);
    for (size_t i = 0; keys[i]; i++)
        add_ports(keys[i], json_object_get(ports, keys[i]), &text);
    free(keys);
    json_decref(ports);
    return text;
}

static json_t *read_ports(const char *name)
{
    wc_error *err = NULL;
    wc_buf *bytes = NULL;
    wc_container *container = open_container(name);
    TRY(wc_container_ports(container, &bytes, &err));
    json_t *ports = json_loadb(wc_buf_data(bytes), wc_buf_size(bytes), 0, NULL);
    wc_buf_unref(bytes);
    wc_container_unref(container);
    return ports;
}

static void print_bindings(const char *port, json_t *bindings, int alone)
{
    json_t *one;
    size_t i;
    json_array_foreach(bindings, i, one)
    {
        const char *ip = json_string_value(json_object_get(one, "HostIp"));
        const char *host_port = json_string_value(json_object_get(one, "HostPort"));
        int is_v6 = strchr(ip, ':') != NULL;
        if (!alone)
            printf("%s -> ", port);
        printf(is_v6 ? "[%s]:%s\n" : "%s:%s\n", ip, host_port);
    }
}

static int port_command(int argc, char **argv)
{
    argc = options_read("port", "CONTAINER [PORT[/PROTOCOL]]", "Lists the published ports of a container.", NULL, 0, 0, argc,
                        argv);
    if (argc < 1 || argc > 2)
        die_usage("port takes CONTAINER and perhaps a PORT");
    json_t *ports = read_ports(argv[0]), *bindings;
    const char *key;
    char *wanted = argc == 2 ? xasprintf("%s%s", argv[1], strchr(argv[1], '/') ? "" : "/tcp") : NULL;
    if (wanted && !json_object_get(ports, wanted)) {
        fprintf(stderr, "wcctl: no public port '%s' published for %s\n", wanted, argv[0]);
        return 1;
    }
    if (wcctl.json) {
        print_object(ports);
        return 0;
    }
    json_object_foreach(ports, key, bindings)
        if (!wanted || !strcmp(wanted, key))
            print_bindings(key, bindings, wanted != NULL);
    free(wanted);
    json_decref(ports);
    return 0;
}

const command network_commands[] = {
    {"network", network_command, "make, list, remove and join networks"},
    {"port", port_command, "list the published ports of a container"},
    {NULL, NULL, NULL},
};
