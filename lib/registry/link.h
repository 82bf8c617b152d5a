/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCI_REGISTRY_LINK_H
#define WCI_REGISTRY_LINK_H

#include <wincontainer/error.h>

/* The target of the link with rel="next" in a Link header (RFC 8288), as it stands there; *out is owned,
 * NULL when there is none. WC_E_FORMAT for what cannot be read. Also a fuzz target. */
int32_t wci_link_next(const char *header, char **out, wc_error **err);

#endif
