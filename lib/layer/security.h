/* SPDX-License-Identifier: Apache-2.0 */
/* Security descriptors of Windows, as layers carry them. */
#ifndef WCI_LAYER_SECURITY_H
#define WCI_LAYER_SECURITY_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/error.h>

/* WC_E_FORMAT unless the bytes are a self-relative security descriptor ([MS-DTYP] 2.4.6) all of whose
 * parts lie inside it. What it grants is not judged. */
int32_t wci_security_check(const void *data, size_t size, wc_error **err);

#endif
