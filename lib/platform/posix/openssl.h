/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCI_POSIX_OPENSSL_H
#define WCI_POSIX_OPENSSL_H

/* Before anything of OpenSSL is used. */
void wci_openssl_prepare(void);

#endif
