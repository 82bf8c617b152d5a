/* SPDX-License-Identifier: Apache-2.0 */
/* How a container is joined to the network. */
#ifndef WCI_NETWORK_MODE_H
#define WCI_NETWORK_MODE_H

#include <stdint.h>

#include <wincontainer/base.h>

typedef enum wci_network_mode {
    WCI_NETWORK_NONE, /* loopback only */
    WCI_NETWORK_HOST, /* the host's own */
} wci_network_mode;

/* WC_E_UNSUPPORTED for Docker's other modes and for names of networks, WC_E_INVALID for "". */
int32_t wci_network_mode_parse(const char *text, wci_network_mode *out, wc_error **err);
const char *wci_network_mode_name(wci_network_mode mode);

#endif
