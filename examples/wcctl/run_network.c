/* SPDX-License-Identifier: Apache-2.0 */
#include "endpoint_words.h"
#include "run_options.h"

#include <stdlib.h>
#include <string.h>

static const char *hostname;
static text_list networks, ports, expose, dns, dns_search, dns_options, hosts;
static endpoint_words endpoint;
static int publish_all;

static const option options[] = {
    {'h', "hostname", OPTION_MAYBE, "NAME", "host name", &hostname},
    {0, "network", OPTION_WORDS, "NETWORK", "network: bridge, none, host, container:NAME or one that was created",
     &networks},
    {0, "net", OPTION_WORDS, "NETWORK", "same as --network", &networks},
    {0, "network-alias", OPTION_LIST, "NAME", "a further name on the network", &endpoint.aliases},
    {0, "net-alias", OPTION_LIST, "NAME", "same as --network-alias", &endpoint.aliases},
    {0, "ip", OPTION_MAYBE, "ADDRESS", "this IPv4 address", &endpoint.ip},
    {0, "ip6", OPTION_MAYBE, "ADDRESS", "this IPv6 address", &endpoint.ip6},
    {0, "mac-address", OPTION_MAYBE, "ADDRESS", "this hardware address", &endpoint.mac},
    {'p', "publish", OPTION_LIST, "[[IP:]HOST:]PORT[/tcp|udp|sctp]", "publish a port or range", &ports},
    {'P', "publish-all", OPTION_FLAG, NULL, "publish every exposed port at a free one", &publish_all},
    {0, "expose", OPTION_LIST, "PORT", "a port that it offers", &expose},
    {0, "dns", OPTION_LIST, "ADDRESS", "a name server", &dns},
    {0, "dns-search", OPTION_LIST, "DOMAIN", "a domain to search names in; .: none", &dns_search},
    {0, "dns-option", OPTION_LIST, "OPTION", "an option of the resolver", &dns_options},
    {0, "dns-opt", OPTION_LIST, "OPTION", "same as --dns-option", &dns_options},
    {0, "add-host", OPTION_LIST, "NAME:ADDRESS", "a line of /etc/hosts; address host-gateway: the host", &hosts},
};

/* ---- Networks ------------------------------------------------------------------------------------- */

/* "alias=a,ip=1.2.3.4" of NAME:alias=a,ip=1.2.3.4, cut in place. */
static void read_words(const char *text, char *rest, endpoint_words *words)
{
    char *word;
    while ((word = strsep(&rest, ","))) {
        char *value = strchr(word, '=');
        if (!value)
            die_usage("--network '%s': write NAME[:alias=…,ip=…,ip6=…,mac=…]", text);
        *value++ = '\0';
        if (!strcmp(word, "alias"))
            list_add(&words->aliases, value);
        else if (!strcmp(word, "ip"))
            words->ip = value;
        else if (!strcmp(word, "ip6"))
            words->ip6 = value;
        else if (!strcmp(word, "mac"))
            words->mac = value;
        else
            die_usage("--network '%s': unknown part '%s'", text, word);
    }
}

static int is_mode(const char *text)
{
    return !strcmp(text, "none") || !strcmp(text, "host") || !strcmp(text, "default") ||
           !strncmp(text, "container:", 10);
}

static void add_network(const char *text, const endpoint_words *common, wc_container_options *to)
{
    wc_error *err = NULL;
    endpoint_words words = common ? *common : (endpoint_words){0};
    char *name = xstrdup(text), *colon = strchr(name, ':');
    if (colon) {
        *colon = '\0';
        read_words(text, colon + 1, &words);
    }
    wc_endpoint_options *made = endpoint_options_make(&words);
    TRY(wc_container_options_add_network(to, name, made, &err));
    wc_endpoint_options_unref(made);
    free(name);
}

static void set_mode(const char *mode, wc_container_options *to)
{
    wc_error *err = NULL;
    if (networks.count > 1)
        die_usage("--network '%s': it cannot be had together with others", mode);
    if (endpoint.aliases.count)
        die_usage("--network-alias: conflicting options: it needs a network that was created");
    if ((endpoint.ip && *endpoint.ip) || (endpoint.ip6 && *endpoint.ip6))
        die_usage("--ip: user specified IP address is supported on user defined networks only");
    TRY(wc_container_options_set_network(to, mode, &err));
}

static void add_networks(wc_container_options *to)
{
    for (size_t i = 0; i < networks.count; i++)
        if (is_mode(networks.items[i]))
            set_mode(networks.items[i], to);
        else
            add_network(networks.items[i], i ? NULL : &endpoint, to);
    wc_endpoint_options *asked = networks.count ? NULL : endpoint_options_make(&endpoint);
    if (asked)
        add_network("bridge", &endpoint, to);
    wc_endpoint_options_unref(asked);
}

/* ---- Ports ---------------------------------------------------------------------------------------- */

typedef struct range {
    int32_t first, count;
} range;

static range read_range(const char *text, const char *what, const char *word)
{
    char *end;
    long first = strtol(word, &end, 10), last = first;
    if (end != word && *end == '-') {
        const char *second = end + 1;
        last = strtol(second, &end, 10);
        if (end == second)
            last = 0;
    }
    if (end == word || *end || *word == '+' || *word == '-' || first < 1 || last < first || last > 65535)
        die_usage("-p '%s': invalid %s '%s': ports are 1 to 65535", text, what, word);
    return (range){(int32_t)first, (int32_t)(last - first + 1)};
}

/* Cuts the address off: "[::1]:" or "127.0.0.1:", of which there are two colons then. */
static const char *cut_address(const char *text, char **rest)
{
    char *start = *rest, *end = strchr(start, ']'), *first = strchr(start, ':'), *last = strrchr(start, ':');
    if (*start == '[') {
        if (!end || end[1] != ':')
            die_usage("-p '%s': write [ADDRESS]:HOST:PORT", text);
        *end = '\0';
        *rest = end + 2;
        return start + 1;
    }
    if (first == last)
        return "";
    *first = '\0';
    *rest = first + 1;
    return start;
}

/* [[IP:]HOST:]PORT[/PROTOCOL], where HOST may be missing or empty: any that is free. */
static void add_port(const char *text, wc_container_options *to)
{
    wc_error *err = NULL;
    char *copy = xstrdup(text), *rest = copy, *slash = strchr(copy, '/');
    const char *protocol = "tcp";
    if (slash) {
        *slash = '\0';
        protocol = slash + 1;
    }
    const char *address = cut_address(text, &rest);
    char *colon = strchr(rest, ':');
    if (colon)
        *colon = '\0';
    range inside = read_range(text, "container port", colon ? colon + 1 : rest);
    range outside = colon && *rest ? read_range(text, "host port", rest) : (range){0, inside.count};
    if (outside.count != inside.count)
        die_usage("-p '%s': Invalid ranges specified for container and host Ports: they differ in length", text);
    TRY(wc_container_options_add_port(to, address, outside.first, inside.first, protocol, inside.count, &err));
    free(copy);
}

/* ---- Names ---------------------------------------------------------------------------------------- */

/* "name:address"; addresses of IPv6 have colons themselves. Also Docker's newer "name=address". */
static void add_host(const char *text, wc_container_options *to)
{
    wc_error *err = NULL;
    char *name = xstrdup(text), *at = strpbrk(name, ":=");
    if (!at)
        die_usage("--add-host '%s': bad format for add-host: write NAME:ADDRESS", text);
    *at++ = '\0';
    size_t size = strlen(at);
    if (*at == '[' && at[size - 1] == ']') {
        at[size - 1] = '\0';
        at++;
    }
    TRY(wc_container_options_add_host(to, name, at, &err));
    free(name);
}

static void each(const text_list *list, wc_container_options *to,
                 int32_t (*add)(wc_container_options *, const char *, wc_error **))
{
    wc_error *err = NULL;
    for (size_t i = 0; i < list->count; i++)
        TRY(add(to, list->items[i], &err));
}

static void apply(wc_container_options *to)
{
    wc_error *err = NULL;
    run_set(to, hostname, wc_container_options_set_hostname);
    add_networks(to);
    for (size_t i = 0; i < ports.count; i++)
        add_port(ports.items[i], to);
    for (size_t i = 0; i < hosts.count; i++)
        add_host(hosts.items[i], to);
    each(&expose, to, wc_container_options_add_exposed_port);
    each(&dns, to, wc_container_options_add_dns);
    each(&dns_search, to, wc_container_options_add_dns_search);
    each(&dns_options, to, wc_container_options_add_dns_option);
    if (publish_all)
        TRY(wc_container_options_set_publish_all(to, 1, &err));
}

const option_group run_network = {options, countof(options), apply};
