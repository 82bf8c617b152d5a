/* SPDX-License-Identifier: Apache-2.0 */
/* NaCl's crypto_secretbox: XSalsa20 with Poly1305. It is here because cosign's key files are made with it and
 * OpenSSL has no Salsa20. Specification: D. J. Bernstein, "Cryptography in NaCl" and "Extending the Salsa20
 * nonce". */
#ifndef WCI_SECRETBOX_H
#define WCI_SECRETBOX_H

#include <stddef.h>
#include <stdint.h>

#include "core/secret.h"

#define WCI_SECRETBOX_KEY 32
#define WCI_SECRETBOX_NONCE 24
#define WCI_SECRETBOX_TAG 16 /* what a box is longer than its content; it comes first */

/* A nonce is good for one box of a key. `box` has room for the size and the tag. */
int32_t wci_secretbox_seal(const unsigned char *key, const unsigned char *nonce, const void *data, size_t size,
                           unsigned char *box, wc_error **err);
/* WC_E_AUTH when the box was not made with this key, or has been changed since. */
int32_t wci_secretbox_open(const unsigned char *key, const unsigned char *nonce, const unsigned char *box,
                           size_t size, wci_secret *out, wc_error **err);

#endif
