/* SPDX-License-Identifier: Apache-2.0 */
/* The fence around addresses: a registry may send us elsewhere (redirects, token realms, foreign
 * layer places), but not into the user's own networks. Decided on the address that is really being
 * connected to, so that no name, no odd spelling and no late DNS answer gets past. */
#ifndef WCI_REGISTRY_ADDRESS_H
#define WCI_REGISTRY_ADDRESS_H

#include "platform/net.h"

typedef enum wci_address_class {
    WCI_ADDRESS_PUBLIC,
    WCI_ADDRESS_PRIVATE,
    WCI_ADDRESS_LOOPBACK,
    WCI_ADDRESS_LINK_LOCAL, /* with the metadata services of the clouds */
    WCI_ADDRESS_SPECIAL,    /* unspecified, multicast, reserved */
} wci_address_class;

#define WCI_ADDRESS_BIT(class) (1u << (class))
#define WCI_ADDRESS_ANY (~0u)

wci_address_class wci_address_classify(const wci_ip *ip);
const char *wci_address_class_name(wci_address_class class);
/* For numeric hosts and "localhost"; 0 for names, which only the resolver can tell. IPv6 comes
 * with or without brackets. */
int wci_address_of_host(const char *host, wci_address_class *out);

/* The classes that a server other than the registry may have, when the registry has `class`. */
unsigned wci_address_fence(wci_address_class class);

#endif
