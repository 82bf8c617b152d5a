/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/proxy.h"

#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "platform/host.h"
#include "registry/address.h"

static const char *first_set(const char *const *names)
{
    for (; *names; names++) {
        const char *value = wci_host_env(*names);
        if (value && *value)
            return value;
    }
    return NULL;
}

static int parse_ip(const char *host, wci_ip *out)
{
    char bare[64];
    size_t n = strlen(host);
    int bracketed = n >= 2 && host[0] == '[' && host[n - 1] == ']';
    if (n >= sizeof bare)
        return 0;
    memcpy(bare, host + bracketed, n + 1 - (size_t)bracketed);
    if (bracketed)
        bare[n - 2] = '\0';
    return wci_ip_parse(bare, out);
}

static int in_block(const wci_ip *ip, const wci_ip *block, uint64_t bits)
{
    if (ip->size != block->size || bits > (uint64_t)block->size * 8)
        return 0;
    for (uint64_t i = 0; i < bits; i++)
        if ((ip->bytes[i / 8] ^ block->bytes[i / 8]) & (0x80u >> (i % 8)))
            return 0;
    return 1;
}

static int ip_matches(char *entry, const char *host)
{
    wci_ip ip, block;
    uint64_t bits = 128;
    char *slash = strchr(entry, '/');
    if (slash) {
        *slash = '\0';
        if (!wci_parse_u64(slash + 1, 128, &bits))
            return 0;
    }
    if (!parse_ip(host, &ip) || !parse_ip(entry, &block))
        return 0;
    return in_block(&ip, &block, slash ? bits : (uint64_t)block.size * 8);
}

static int name_matches(const char *entry, const char *host)
{
    if (wci_starts_with(entry, "*."))
        entry++;
    if (*entry == '.')
        entry++;
    size_t n = strlen(entry), m = strlen(host);
    if (!n || m < n || wci_strcasecmp(host + m - n, entry))
        return 0;
    return m == n || host[m - n - 1] == '.';
}

/* Cuts ":port" off; 0 when there is one and it is another port. */
static int port_matches(char *entry, uint16_t port)
{
    char *colon = strrchr(entry, ':');
    uint64_t number;
    if (!colon || !wci_parse_u64(colon + 1, UINT16_MAX, &number))
        return 1;
    if (colon != strchr(entry, ':') && colon[-1] != ']') /* bare IPv6 */
        return 1;
    *colon = '\0';
    return number == port;
}

static int entry_covers(char *entry, const char *host, uint16_t port)
{
    if (!strcmp(entry, "*"))
        return 1;
    return port_matches(entry, port) && (name_matches(entry, host) || ip_matches(entry, host));
}

int wci_no_proxy_covers(const char *list, const char *host, uint16_t port)
{
    while (*list) {
        char entry[256];
        list += strspn(list, ", \t");
        size_t n = strcspn(list, ", \t");
        if (n && n < sizeof entry) {
            memcpy(entry, list, n);
            entry[n] = '\0';
            if (entry_covers(entry, host, port))
                return 1;
        }
        list += n;
    }
    return 0;
}

int32_t wci_proxy_for(const wci_url *url, char **out, wc_error **err)
{
    /* HTTP_PROXY in capitals is left out: CGI programs get it from the client's headers. */
    static const char *const for_http[] = {"http_proxy", "all_proxy", "ALL_PROXY", NULL};
    static const char *const for_https[] = {"https_proxy", "HTTPS_PROXY", "all_proxy",
                                            "ALL_PROXY", NULL};
    static const char *const exceptions[] = {"no_proxy", "NO_PROXY", NULL};
    const char *proxy = first_set(url->plain ? for_http : for_https);
    const char *none = first_set(exceptions);
    wci_address_class class;
    int is_loopback = wci_address_of_host(url->host, &class) && class == WCI_ADDRESS_LOOPBACK;
    if (!proxy || is_loopback || (none && wci_no_proxy_covers(none, url->host, url->port))) {
        *out = NULL;
        return WC_OK;
    }
    char *text = wci_strdup(proxy);
    if (!text)
        return wci_err_nomem(err);
    *out = text;
    return WC_OK;
}
