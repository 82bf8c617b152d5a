/* SPDX-License-Identifier: Apache-2.0 */
/* Libraries that are loaded when they are first needed. libcurl and libarchive bring some forty others
 * with them; linking them would cost every program that links us 7 ms at its start and 2 MB, also one
 * that only runs containers. OpenSSL's libcrypto alone would cost half a millisecond, ISA-L a tenth of one.
 * Their functions keep their names: the platform defines them anew, and hands each call on. */
#ifndef WCI_LAZY_H
#define WCI_LAZY_H

#include <wincontainer/error.h>

/* Ask before the first use: WC_E_MISSING, with the package's name. Any thread. */
int32_t wci_lazy_curl(wc_error **err);
int32_t wci_lazy_archive(wc_error **err);
int32_t wci_lazy_crypto(wc_error **err); /* wci_openssl_prepare() asks */
int32_t wci_lazy_isal(wc_error **err);   /* zlib does its work where it is not there */

#endif
