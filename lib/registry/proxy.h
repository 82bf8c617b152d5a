/* SPDX-License-Identifier: Apache-2.0 */
/* Which proxy a URL goes through: http_proxy, https_proxy, all_proxy and no_proxy, as in curl and
 * Go. We decide rather than curl because the address fence has to know: behind a proxy the address
 * connected to is the proxy's own. */
#ifndef WCI_REGISTRY_PROXY_H
#define WCI_REGISTRY_PROXY_H

#include "registry/url.h"

/* *out: owned text for CURLOPT_PROXY, or NULL for a direct connection. */
int32_t wci_proxy_for(const wci_url *url, char **out, wc_error **err);

/* Whether a no_proxy list covers the host: "*", names with their subdomains, addresses, CIDR
 * blocks, each with an optional port. */
int wci_no_proxy_covers(const char *list, const char *host, uint16_t port);

#endif
