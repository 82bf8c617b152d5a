/* SPDX-License-Identifier: Apache-2.0 */
/* What a container of an ordinary user has instead of the default network: a connection of its own, always the same
 * seen from inside, as slirp4netns makes it. */
#ifndef WCI_NETWORK_UPLINK_H
#define WCI_NETWORK_UPLINK_H

#define WCI_UPLINK_INTERFACE "eth0"
#define WCI_UPLINK_SUBNET "10.0.2.0/24"
#define WCI_UPLINK_ADDRESS "10.0.2.100"
#define WCI_UPLINK_BITS "24"
#define WCI_UPLINK_GATEWAY "10.0.2.2"
#define WCI_UPLINK_DNS "10.0.2.3" /* asks whom the host asks */
#define WCI_UPLINK_ADDRESS6 "fd00::100"
#define WCI_UPLINK_GATEWAY6 "fd00::2"
#define WCI_UPLINK_MTU 65520

#endif
