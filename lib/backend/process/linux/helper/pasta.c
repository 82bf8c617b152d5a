/* SPDX-License-Identifier: Apache-2.0 */
/* Documentation: pasta(1). */
#include <string.h>

#include "backend/process/linux/helper/uplink.h"
#include "core/alloc.h"

static const char *text_of(json_t *port, const char *key)
{
    return json_string_value(json_object_get(port, key));
}

static int number_of(json_t *port, const char *key)
{
    return (int)json_integer_value(json_object_get(port, key));
}

/* "127.0.0.1/8080:80"; how many there were of the protocol, or -1. */
static int add_ports(json_t *ports, const char *protocol, const char *option, wci_strv *out)
{
    json_t *port;
    size_t i;
    int count = 0;
    json_array_foreach(ports, i, port)
    {
        if (strcmp(text_of(port, "protocol"), protocol))
            continue;
        const char *ip = text_of(port, "host_ip");
        char *spec = wci_asprintf("%s%s%d:%d", ip, *ip ? "/" : "", number_of(port, "host_port"),
                                  number_of(port, "container_port"));
        if (wci_strv_add(out, option) || wci_strv_add_take(out, spec))
            return -1;
        count++;
    }
    return count;
}

/* "none" where nothing is forwarded: by itself it forwards every port that somebody listens on, both ways. */
static int arguments(const uplink *u, wci_strv *out)
{
    static const struct {
        const char *protocol, *option;
    } kinds[] = {{"tcp", "-t"}, {"udp", "-u"}};
    const char *const fixed[] = {"--config-net", "--foreground", "--quiet", "--stderr", "--no-map-gw",
                                 "-T", "none", "-U", "none",
                                 "--netns", u->netns,
                                 "--pid", UPLINK_READY,
                                 "--ns-ifname", uplink_text(u, "interface"),
                                 "--address", uplink_text(u, "address"),
                                 "--netmask", uplink_text(u, "bits"),
                                 "--gateway", uplink_text(u, "gateway"),
                                 "--address", uplink_text(u, "address6"),
                                 "--gateway", uplink_text(u, "gateway6"),
                                 "--dns-forward", uplink_text(u, "dns"),
                                 "--mtu"};
    int failed = 0;
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        failed |= wci_strv_add(out, fixed[i]);
    failed |= wci_strv_add_take(out, wci_asprintf("%lld", (long long)uplink_mtu(u)));
    for (size_t i = 0; i < 2 && !failed; i++) {
        int count = add_ports(uplink_ports(u), kinds[i].protocol, kinds[i].option, out);
        failed = count < 0 || (!count && (wci_strv_add(out, kinds[i].option) || wci_strv_add(out, "none")));
    }
    return failed;
}

const uplink_kind uplink_pasta = {"pasta", arguments, NULL, 1};
