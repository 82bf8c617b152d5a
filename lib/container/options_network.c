/* SPDX-License-Identifier: Apache-2.0 */
/* Setters of wc_container_options and wc_endpoint_options about networks. */
#include <string.h>

#include <wincontainer/network.h>

#include "container/connect.h"
#include "container/options.h"
#include "core/alloc.h"
#include "core/error.h"
#include "network/allocate.h"
#include "network/mode.h"
#include "platform/net.h"

#define PORT_MAX 65535

/* ---- Endpoints ------------------------------------------------------------------------------------ */

int32_t wc_endpoint_options_new(wc_endpoint_options **out, wc_error **err)
{
    if (!out)
        return wci_err(err, WC_E_INVALID, "endpoint options: out must not be NULL");
    wc_endpoint_options *o = wci_calloc(1, sizeof *o);
    if (!o)
        return wci_err_nomem(err);
    *out = o;
    return WC_OK;
}

void wc_endpoint_options_unref(wc_endpoint_options *options)
{
    if (!options)
        return;
    wci_fields_free(&wci_endpoint_wish_fields, &options->wish);
    wci_free(options);
}

static int is_host_name(const char *text)
{
    size_t size = strlen(text);
    return size && size <= 253 && text[0] != '-' &&
           !text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")];
}

int32_t wc_endpoint_options_add_alias(wc_endpoint_options *options, const char *alias, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, alias, "network alias", err);
    if (!rc && !is_host_name(alias))
        rc = wci_err(err, WC_E_INVALID, "network alias '%.80s': it is no name of a host", alias);
    if (!rc && wci_strv_add(&options->wish.aliases, alias))
        rc = wci_err_nomem(err);
    return rc;
}

static int32_t set_address(wc_endpoint_options *options, char **field, const char *address, int size, wc_error **err)
{
    char text[WCI_ADDRESS_SIZE];
    wci_ip ip;
    int32_t rc = wci_option_check_text(options, address, "network address", err);
    if (rc)
        return rc;
    if (!wci_ip_parse(address, &ip) || ip.size != size)
        return wci_err(err, WC_E_INVALID, "network address '%.80s': it is no IPv%d address", address, size == 4 ? 4 : 6);
    wci_address_format(&ip, text);
    return wci_replace(field, text) ? wci_err_nomem(err) : WC_OK;
}

int32_t wc_endpoint_options_set_ipv4(wc_endpoint_options *options, const char *address, wc_error **err)
{
    return set_address(options, options ? &options->wish.ipv4 : NULL, address, 4, err);
}

int32_t wc_endpoint_options_set_ipv6(wc_endpoint_options *options, const char *address, wc_error **err)
{
    return set_address(options, options ? &options->wish.ipv6 : NULL, address, 16, err);
}

int32_t wc_endpoint_options_set_mac(wc_endpoint_options *options, const char *address, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, address, "hardware address", err);
    if (!rc && !wci_network_is_mac(address))
        rc = wci_err(err, WC_E_INVALID, "hardware address '%.80s': it is not like 02:42:ac:11:00:02", address);
    if (!rc && wci_replace(&options->wish.mac, address))
        rc = wci_err_nomem(err);
    return rc;
}

/* ---- Networks of a container ------------------------------------------------------------------------ */

/* What it is on is settled when it is created: a name may stand for "add this network" as well. */
int32_t wc_container_options_set_network(wc_container_options *options, const char *mode, wc_error **err)
{
    wci_network_mode parsed;
    int32_t rc = wci_option_check_text(options, mode, "network", err);
    if (!rc)
        rc = wci_network_mode_parse(strcmp(mode, "default") ? mode : WCI_NETWORK_DEFAULT, &parsed, err);
    if (!rc && parsed != WCI_NETWORK_NAMED && options->settings.endpoint_count)
        rc = wci_err(err, WC_E_INVALID, "network '%.80s': it cannot be had together with other networks", mode);
    return rc ? rc : wci_option_set_text(options, &options->settings.network, mode, "network", err);
}

int32_t wc_container_options_add_network(wc_container_options *options, const char *network,
                                         const wc_endpoint_options *endpoint, wc_error **err)
{
    wci_network_mode mode;
    int32_t rc = wci_option_check_text(options, network, "network", err);
    if (!rc)
        rc = wci_network_mode_parse(network, &mode, err);
    if (!rc && mode != WCI_NETWORK_NAMED)
        rc = wci_err(err, WC_E_INVALID, "network '%.80s': it is a mode, not one of several networks", network);
    if (rc)
        return rc;
    wci_config *c = &options->settings;
    if (c->network && *c->network && (wci_network_mode_parse(c->network, &mode, NULL) || mode != WCI_NETWORK_NAMED))
        return wci_err(err, WC_E_INVALID, "network '%.80s': it cannot be had together with '%.80s'", network, c->network);
    if ((!c->network || !*c->network) && wci_replace(&c->network, network))
        return wci_err_nomem(err);
    return wci_config_add_endpoint(c, network, endpoint ? &endpoint->wish : NULL, err);
}

/* ---- Ports ---------------------------------------------------------------------------------------- */

static int is_protocol(const char *text)
{
    return !strcmp(text, "tcp") || !strcmp(text, "udp") || !strcmp(text, "sctp");
}

static int32_t check_port(const char *host_ip, int32_t host_port, int32_t container_port, const char *protocol,
                          int32_t count, wc_error **err)
{
    wci_ip ip;
    if (!is_protocol(protocol))
        return wci_err(err, WC_E_INVALID, "port: the protocol is 'tcp', 'udp' or 'sctp', not '%.80s'", protocol);
    if (*host_ip && !wci_ip_parse(host_ip, &ip))
        return wci_err(err, WC_E_INVALID, "port: '%.80s' is no IP address of this host", host_ip);
    if (count < 1 || container_port < 1 || container_port > PORT_MAX || count > PORT_MAX - container_port + 1)
        return wci_err(err, WC_E_INVALID, "port %d of the container: ports are 1 to 65535", container_port);
    if (host_port < 0 || host_port > PORT_MAX || (host_port && count > PORT_MAX - host_port + 1))
        return wci_err(err, WC_E_INVALID, "port %d of the host: ports are 1 to 65535", host_port);
    return WC_OK;
}

int32_t wc_container_options_add_port(wc_container_options *options, const char *host_ip, int32_t host_port,
                                      int32_t container_port, const char *protocol, int32_t count, wc_error **err)
{
    host_ip = host_ip ? host_ip : "";
    int32_t rc = wci_option_check_text(options, protocol, "port: protocol", err);
    if (!rc)
        rc = check_port(host_ip, host_port, container_port, protocol, count, err);
    if (rc)
        return rc;
    wci_config *c = &options->settings;
    if (!wci_grow(&c->publish, &c->publish_cap, c->publish_count + 1, sizeof *c->publish))
        return wci_err_nomem(err);
    wci_port_wish wish = {wci_strdup(host_ip), wci_strdup(protocol), host_port, container_port, count};
    if (!wish.host_ip || !wish.protocol) {
        wci_free(wish.host_ip);
        wci_free(wish.protocol);
        return wci_err_nomem(err);
    }
    c->publish[c->publish_count++] = wish;
    return WC_OK;
}

/* Digits, perhaps a range, perhaps a protocol. */
static int is_exposed(const char *text)
{
    char first[6] = "", last[6] = "";
    uint64_t from, to;
    size_t n = strspn(text, "0123456789");
    if (!n || n >= sizeof first)
        return 0;
    memcpy(first, text, n);
    memcpy(last, first, sizeof last);
    text += n;
    if (*text == '-') {
        n = strspn(++text, "0123456789");
        if (!n || n >= sizeof last)
            return 0;
        memset(last, 0, sizeof last);
        memcpy(last, text, n);
        text += n;
    }
    return (!*text || (*text == '/' && is_protocol(text + 1))) && wci_parse_u64(first, PORT_MAX, &from) &&
           wci_parse_u64(last, PORT_MAX, &to) && from && from <= to;
}

int32_t wc_container_options_add_exposed_port(wc_container_options *options, const char *port, wc_error **err)
{
    int32_t rc = wci_option_check_text(options, port, "exposed port", err);
    if (!rc && !is_exposed(port))
        rc = wci_err(err, WC_E_INVALID, "exposed port '%.80s': it is not like 80, 80/tcp or 8000-8010/udp", port);
    if (rc)
        return rc;
    char *full = wci_asprintf("%s%s", port, strchr(port, '/') ? "" : "/tcp");
    if (full && wci_strv_contains(&options->settings.ports, full)) {
        wci_free(full);
        return WC_OK;
    }
    return wci_strv_add_take(&options->settings.ports, full) ? wci_err_nomem(err) : WC_OK;
}

int32_t wc_container_options_set_publish_all(wc_container_options *options, int32_t publish, wc_error **err)
{
    return wci_option_set_flag(options, options ? &options->settings.publish_all : NULL, publish, "publish all", err);
}

/* ---- Names ---------------------------------------------------------------------------------------- */

int32_t wc_container_options_set_hostname(wc_container_options *options, const char *hostname, wc_error **err)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    int32_t rc = wci_option_check_text(options, hostname, "hostname", err);
    if (rc)
        return rc;
    size_t size = strlen(hostname);
    if (!size || size > 64 || strspn(hostname, allowed) != size)
        return wci_err(err, WC_E_INVALID,
                       "hostname '%.80s': must be 1 to 64 letters, digits, '-', '.' or '_'", hostname);
    return wci_option_set_text(options, &options->settings.hostname, hostname, "hostname", err);
}

static int32_t add_word(wc_container_options *options, wci_strv *list, const char *text, const char *what,
                        wc_error **err)
{
    int32_t rc = wci_option_check_text(options, text, what, err);
    if (!rc && (!*text || strpbrk(text, " \t\r\n#;")))
        rc = wci_err(err, WC_E_INVALID, "%s '%.80s': it is one word of resolv.conf", what, text);
    if (!rc && wci_strv_add(list, text))
        rc = wci_err_nomem(err);
    return rc;
}

int32_t wc_container_options_add_dns(wc_container_options *options, const char *address, wc_error **err)
{
    wci_ip ip;
    int32_t rc = wci_option_check_text(options, address, "name server", err);
    if (!rc && !wci_ip_parse(address, &ip))
        rc = wci_err(err, WC_E_INVALID, "name server '%.80s': it is no IP address", address);
    return rc ? rc : add_word(options, &options->settings.dns, address, "name server", err);
}

int32_t wc_container_options_add_dns_search(wc_container_options *options, const char *domain, wc_error **err)
{
    return add_word(options, options ? &options->settings.dns_search : NULL, domain, "search domain", err);
}

int32_t wc_container_options_add_dns_option(wc_container_options *options, const char *option, wc_error **err)
{
    return add_word(options, options ? &options->settings.dns_options : NULL, option, "resolver option", err);
}

int32_t wc_container_options_add_host(wc_container_options *options, const char *name, const char *address,
                                      wc_error **err)
{
    wci_ip ip;
    int32_t rc = wci_option_check_text(options, name, "host name", err);
    if (!rc)
        rc = wci_option_check_text(options, address, "host address", err);
    if (!rc && !is_host_name(name))
        rc = wci_err(err, WC_E_INVALID, "host name '%.80s': it is no name of a host", name);
    if (!rc && strcmp(address, "host-gateway") && !wci_ip_parse(address, &ip))
        rc = wci_err(err, WC_E_INVALID, "host '%s': '%.80s' is neither an IP address nor 'host-gateway'", name, address);
    if (!rc && wci_strv_add_take(&options->settings.extra_hosts, wci_asprintf("%s:%s", name, address)))
        rc = wci_err_nomem(err);
    return rc;
}
