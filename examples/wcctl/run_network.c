/* SPDX-License-Identifier: Apache-2.0 */
#include "run_options.h"

static const char *hostname, *network;
static text_list ports;

static const option options[] = {
    {'h', "hostname", OPTION_MAYBE, "NAME", "host name", &hostname},
    {0, "network", OPTION_MAYBE, "none|host", "network", &network},
    {0, "net", OPTION_MAYBE, "none|host", "same as --network", &network},
    {'p', "publish", OPTION_LIST, "PORT", "not in this version", &ports},
};

static void apply(wc_container_options *to)
{
    if (ports.count)
        die_usage("-p: published ports are not in this version; use --network host");
    run_set(to, hostname, wc_container_options_set_hostname);
    run_set(to, network, wc_container_options_set_network);
}

const option_group run_network = {options, countof(options), apply};
