/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCI_POSIX_KEYS_H
#define WCI_POSIX_KEYS_H

#include <openssl/evp.h>

#include "platform/keys.h"

struct wci_key {
    EVP_PKEY *pkey;
};

/* Takes the key over, also on failure; refuses kinds and sizes that nobody should trust. */
int32_t wci_key_adopt(EVP_PKEY *pkey, wci_key **out, wc_error **err);

#endif
