/* SPDX-License-Identifier: Apache-2.0 */
/* How cosign encrypts private keys: JSON that names scrypt and nacl/secretbox, and what goes into them. */
#ifndef WCI_TRUST_KEY_BOX_H
#define WCI_TRUST_KEY_BOX_H

#include "core/secret.h"

#define WCI_KEY_BOX_LABEL "ENCRYPTED COSIGN PRIVATE KEY"

/* WC_E_AUTH when the passphrase is not the right one. */
int32_t wci_key_box_open(const char *json, size_t size, const char *passphrase, wci_secret *out, wc_error **err);
int32_t wci_key_box_make(const void *data, size_t size, const char *passphrase, wc_buf **json, wc_error **err);

#endif
