/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing addresses for containers. */
#ifndef WCI_NETWORK_ALLOCATE_H
#define WCI_NETWORK_ALLOCATE_H

#include <wincontainer/error.h>

#include "network/settings.h"

/* The lowest address of the subnet, or its range, that is not in `taken` (texts, in no order) and not the gateway's.
 * WC_E_LIMIT when there is none. */
int32_t wci_network_choose_address(const wci_network_subnet *subnet, const wci_strv *taken, wci_ip *out,
                                   wc_error **err);
/* Whether a container may have this address: *which becomes the subnet that it belongs to. WC_E_INVALID. */
int32_t wci_network_check_address(const wci_network_settings *s, const char *address, wci_ip *out,
                                  const wci_network_subnet **which, wc_error **err);

#define WCI_MAC_SIZE 18
/* One of its own for each address, as Docker makes it. */
void wci_network_mac(const wci_ip *ip, char out[WCI_MAC_SIZE]);
/* "02:42:ac:11:00:02", not a group's; 1 when it is one. */
int wci_network_is_mac(const char *text);

#endif
