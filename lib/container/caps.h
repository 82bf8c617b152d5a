/* SPDX-License-Identifier: Apache-2.0 */
/* Linux capabilities: Docker's default set, and what --cap-add and --cap-drop make of it. */
#ifndef WCI_CAPS_H
#define WCI_CAPS_H

#include <stdint.h>

#include "core/str.h"

/* "CAP_CHOWN" or "ALL" of "chown", "CAP_CHOWN", "all"; lent, static. NULL when not known. */
const char *wci_cap_normalise(const char *name);
/* The resulting set in the order of the kernel's numbers, without what this host could not give. */
int32_t wci_caps_resolve(const wci_strv *add, const wci_strv *drop, int privileged, wci_strv *out,
                         wc_error **err);

#endif
