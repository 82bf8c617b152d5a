/* SPDX-License-Identifier: Apache-2.0 */
/* Published ports are bound on the host, though the firewall carries their traffic: so the kernel tells when somebody
 * has one already, and gives it to nobody else while the container runs. */
#ifndef WC_HELPER_HOSTPORTS_H
#define WC_HELPER_HOSTPORTS_H

#include <jansson.h>
#include <stdint.h>

#include <wincontainer/error.h>

/* `ports` is the list of netavark's document. The descriptors stay open as long as we live: between two runs of a
 * container, too, so that a second call finds them held. WC_E_IN_USE naming the port. */
int32_t hostports_hold(json_t *ports, int has_ipv6, wc_error **err);
/* Each descriptor, which is taken over. */
typedef int32_t (*hostports_receiver)(void *owner, int fd, json_t *port, wc_error **err);
int32_t hostports_open(json_t *ports, int has_ipv6, hostports_receiver got, void *owner, wc_error **err);
/* Only whether they could be had now, for another program to have them. */
int32_t hostports_check(json_t *ports, int has_ipv6, wc_error **err);

#endif
