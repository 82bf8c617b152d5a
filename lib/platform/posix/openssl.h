/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCI_POSIX_OPENSSL_H
#define WCI_POSIX_OPENSSL_H

#include <wincontainer/error.h>

/* Before anything of OpenSSL is used: by whatever makes the first object. WC_E_MISSING. */
int32_t wci_openssl_prepare(wc_error **err);

#endif
