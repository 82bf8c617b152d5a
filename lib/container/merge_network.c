/* SPDX-License-Identifier: Apache-2.0 */
#include "container/merge.h"

#include <string.h>

#include "core/error.h"
#include "network/mode.h"
#include "platform/host.h"

static int32_t set_hostname(const char *id, wci_config *c, wc_error **err)
{
    char name[256];
    wci_network_mode mode;
    int32_t rc = wci_network_mode_parse(c->network, &mode, err);
    if (rc)
        return rc;
    if (mode == WCI_NETWORK_HOST)
        return wci_merge_default(&c->hostname, wci_host_name(name, sizeof name), err);
    memcpy(name, id, 12);
    name[12] = '\0';
    return wci_merge_default(&c->hostname, name, err);
}

int32_t wci_merge_network(const wci_merge *in, wci_config *c, wc_error **err)
{
    int32_t rc = wci_merge_default(&c->network, "none", err);
    if (!rc)
        rc = set_hostname(in->id, c, err);
    if (!rc && wci_strv_copy(&c->ports, &in->image->exposed_ports))
        rc = wci_err_nomem(err);
    return rc;
}
