/* SPDX-License-Identifier: Apache-2.0 */
/* The files in /etc that tell a container its names: hosts, hostname and resolv.conf. */
#include <string.h>

#include "container/net_plan.h"
#include "core/alloc.h"
#include "core/error.h"
#include "network/uplink.h"
#include "platform/file.h"
#include "platform/host.h"
#include "platform/net.h"

#define HOST_FILE_MAX ((size_t)1 << 20)
/* What resolvers read of a list of name servers. */
#define SERVERS_MAX 3

/* ---- hosts ---------------------------------------------------------------------------------------- */

/* Without root the gateway is not the host, which answers at its own address. */
static void find_gateway(const wci_net_plan *plan, char out[WCI_ADDRESS_SIZE])
{
    wci_ip own;
    if (plan->endpoint_count && !wci_host_is_root() && wci_net_own_address(&own)) {
        wci_address_format(&own, out);
        return;
    }
    memcpy(out, "127.0.0.1", sizeof "127.0.0.1");
    for (size_t i = 0; i < plan->endpoint_count; i++)
        if (*plan->endpoints[i].state.gateway) {
            memcpy(out, plan->endpoints[i].state.gateway, WCI_ADDRESS_SIZE);
            return;
        }
}

/* "name:address" as options.h checked it. */
static void add_extra(const wci_net_plan *plan, const wci_config *config, wci_str *out)
{
    char gateway[WCI_ADDRESS_SIZE];
    find_gateway(plan, gateway);
    for (size_t i = 0; i < config->extra_hosts.count; i++) {
        const char *entry = config->extra_hosts.items[i], *colon = strchr(entry, ':');
        const char *address = colon ? colon + 1 : "";
        wci_str_printf(out, "%s\t%.*s\n", !strcmp(address, "host-gateway") ? gateway : address,
                       (int)(colon ? colon - entry : 0), entry);
    }
}

/* As Docker: the full name first. */
static void add_names(const wci_config *config, wci_str *out)
{
    if (*config->domainname)
        wci_str_printf(out, "%s.%s ", config->hostname, config->domainname);
    wci_str_append(out, config->hostname);
}

static void add_line(const char *address, const wci_config *config, wci_str *out)
{
    if (!*address)
        return;
    wci_str_printf(out, "%s\t", address);
    add_names(config, out);
    wci_str_append(out, "\n");
}

static void make_hosts(const wci_net_plan *plan, const wci_config *config, wci_str *out)
{
    int is_alone = !plan->endpoint_count;
    wci_str_append(out, is_alone ? "127.0.0.1\tlocalhost " : "127.0.0.1\tlocalhost");
    if (is_alone)
        add_names(config, out);
    wci_str_append(out, "\n");
    wci_str_append(out, "::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\nff00::\tip6-mcastprefix\n"
                        "ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n");
    add_extra(plan, config, out);
    for (size_t i = 0; i < plan->endpoint_count; i++) {
        const wci_endpoint_state *s = &plan->endpoints[i].state;
        add_line(s->address, config, out);
        add_line(s->address6, config, out);
    }
}

/* ---- resolv.conf ---------------------------------------------------------------------------------- */

/* Words of one line, without what follows a comment sign. */
typedef struct line {
    const char *key, *value;
    size_t key_size, value_size;
} line;

static int next_line(const char **at, const char *end, line *out)
{
    if (*at >= end)
        return 0;
    const char *stop = memchr(*at, '\n', (size_t)(end - *at));
    stop = stop ? stop : end;
    const char *p = *at;
    *at = stop + (stop < end);
    out->key = p;
    while (p < stop && *p != ' ' && *p != '\t')
        p++;
    out->key_size = (size_t)(p - out->key);
    while (p < stop && (*p == ' ' || *p == '\t'))
        p++;
    while (stop > p && (stop[-1] == ' ' || stop[-1] == '\t' || stop[-1] == '\r'))
        stop--;
    out->value = p;
    out->value_size = (size_t)(stop - p);
    return 1;
}

static int is_key(const line *l, const char *key)
{
    return l->key_size == strlen(key) && !memcmp(l->key, key, l->key_size) && l->value_size;
}

/* A server of the host's loopback cannot be reached from inside. */
static int is_reachable(const line *l)
{
    return !(l->value_size >= 4 && !memcmp(l->value, "127.", 4)) && !(l->value_size == 3 && !memcmp(l->value, "::1", 3));
}

static void add_host_lines(const wc_buf *file, const char *key, wci_str *out)
{
    const char *at = file ? wc_buf_data(file) : "", *end = at + (file ? wc_buf_size(file) : 0);
    line l;
    while (next_line(&at, end, &l))
        if (is_key(&l, key) && (strcmp(key, "nameserver") || is_reachable(&l)))
            wci_str_printf(out, "%s %.*s\n", key, (int)l.value_size, l.value);
}

static void add_joined(const char *key, const wci_strv *words, wci_str *out)
{
    wci_str_append(out, key);
    for (size_t i = 0; i < words->count; i++)
        wci_str_printf(out, " %s", words->items[i]);
    wci_str_append(out, "\n");
}

/* The gateways of networks that know names: there aardvark-dns listens. 0 when there are none. */
static int add_own_servers(const wci_net_plan *plan, wci_str *out)
{
    int count = 0;
    for (size_t i = 0; i < plan->endpoint_count; i++) {
        const wci_endpoint *e = &plan->endpoints[i];
        for (size_t j = 0; e->settings.has_names && j < e->settings.subnet_count && count < SERVERS_MAX; j++) {
            char text[WCI_ADDRESS_SIZE];
            wci_address_format(&e->settings.subnets[j].gateway, text);
            wci_str_printf(out, "nameserver %s\n", text);
            count++;
        }
    }
    return count;
}

static void add_servers(const wci_net_plan *plan, const wci_config *config, const wc_buf *host, wci_str *out)
{
    size_t before = out->size;
    if (add_own_servers(plan, out))
        return;
    for (size_t i = 0; i < config->dns.count; i++)
        wci_str_printf(out, "nameserver %s\n", config->dns.items[i]);
    if (out->size == before && wci_net_is_uplink(plan))
        wci_str_append(out, "nameserver " WCI_UPLINK_DNS "\n");
    if (out->size == before)
        add_host_lines(host, "nameserver", out);
    if (out->size == before) /* as Docker, where the host has none that could be reached */
        wci_str_append(out, "nameserver 8.8.8.8\nnameserver 8.8.4.4\n");
}

static void make_resolv(const wci_net_plan *plan, const wci_config *config, wci_str *out)
{
    wc_buf *host = NULL;
    (void)wci_file_read_all("/etc/resolv.conf", HOST_FILE_MAX, &host, NULL);
    if (config->dns_search.count && !(config->dns_search.count == 1 && !strcmp(config->dns_search.items[0], ".")))
        add_joined("search", &config->dns_search, out);
    else if (!config->dns_search.count)
        add_host_lines(host, "search", out);
    add_servers(plan, config, host, out);
    if (config->dns_options.count)
        add_joined("options", &config->dns_options, out);
    else
        add_host_lines(host, "options", out);
    wc_buf_unref(host);
}

/* ---- Writing -------------------------------------------------------------------------------------- */

/* A running container has the file itself mounted: another one in its place it would not see. */
static int32_t write_in_place(const char *path, const wci_str *text, wc_error **err)
{
    wci_fd fd = WCI_FD_NONE;
    int32_t rc = wci_file_open(path, WCI_OPEN_WRITE | WCI_OPEN_CREATE | WCI_OPEN_TRUNC | WCI_OPEN_NOFOLLOW, 0644, &fd,
                               err);
    if (!rc)
        rc = wci_fd_write(fd, text->data, text->size, err);
    wci_fd_close(fd);
    return rc;
}

static int32_t write_text(const wci_net_plan *plan, const char *name, wci_str *text, int in_place, wc_error **err)
{
    char *path = wci_path_join(plan->etc_dir, name);
    int32_t rc = path && !text->failed ? WC_OK : wci_err_nomem(err);
    if (!rc)
        rc = in_place ? write_in_place(path, text, err)
                      : wci_file_write_atomic(path, text->data ? text->data : "", text->size, 0644, 0, err);
    wci_free(path);
    wci_str_free(text);
    return rc;
}

/* 1 when the host's own file went into `out`. */
static int take_host_file(const char *path, wci_str *out)
{
    wc_buf *file = NULL;
    if (wci_file_read_all(path, HOST_FILE_MAX, &file, NULL))
        return 0;
    wci_str_append_n(out, wc_buf_data(file), wc_buf_size(file));
    wc_buf_unref(file);
    return 1;
}

static int32_t write_hosts(const wci_net_plan *plan, const wci_config *config, int in_place, wc_error **err)
{
    wci_str text = WCI_STR_INIT;
    if (plan->mode == WCI_NETWORK_HOST && take_host_file("/etc/hosts", &text))
        add_extra(plan, config, &text);
    else
        make_hosts(plan, config, &text);
    return write_text(plan, "hosts", &text, in_place, err);
}

static int32_t write_resolv(const wci_net_plan *plan, const wci_config *config, int in_place, wc_error **err)
{
    wci_str text = WCI_STR_INIT;
    int has_own = config->dns.count || config->dns_search.count || config->dns_options.count;
    if (plan->mode != WCI_NETWORK_HOST || has_own || !take_host_file("/etc/resolv.conf", &text)) {
        if (plan->endpoint_count || has_own)
            make_resolv(plan, config, &text);
    }
    return write_text(plan, "resolv.conf", &text, in_place, err);
}

int32_t wci_net_files_write(const wci_net_plan *plan, const wci_config *config, int in_place, wc_error **err)
{
    wci_str name = WCI_STR_INIT;
    if (plan->target) /* they are that container's */
        return WC_OK;
    wci_str_printf(&name, "%s\n", config->hostname);
    int32_t rc = wci_dir_make(plan->etc_dir, 0711, err);
    if (!rc)
        rc = write_hosts(plan, config, in_place, err);
    if (!rc)
        rc = write_resolv(plan, config, in_place, err);
    if (!rc && !in_place)
        rc = write_text(plan, "hostname", &name, 0, err);
    wci_str_free(&name);
    return rc;
}
