/* SPDX-License-Identifier: Apache-2.0 */
/* How a container is joined to the network. */
#ifndef WCI_NETWORK_MODE_H
#define WCI_NETWORK_MODE_H

#include <stdint.h>

#include <wincontainer/base.h>

typedef enum wci_network_mode {
    WCI_NETWORK_NONE,      /* loopback only */
    WCI_NETWORK_HOST,      /* the host's own */
    WCI_NETWORK_CONTAINER, /* another container's: "container:NAME" */
    WCI_NETWORK_NAMED,     /* networks of the store */
} wci_network_mode;

/* WC_E_INVALID for what is neither a mode nor a name of a network. */
int32_t wci_network_mode_parse(const char *text, wci_network_mode *out, wc_error **err);
/* NAME of "container:NAME". */
const char *wci_network_mode_target(const char *text);

#endif
