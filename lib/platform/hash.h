/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-2 by the system's library, which knows the processor's own instructions. */
#ifndef WCI_HASH_H
#define WCI_HASH_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/error.h>

#define WCI_HASH_MAX_SIZE 64

typedef struct wci_hash wci_hash;

/* `bits` 256 or 512. */
int32_t wci_hash_new(int bits, wci_hash **out, wc_error **err);
/* 1, or 0 when the system's library failed. */
int wci_hash_update(wci_hash *hash, const void *data, size_t size);
int wci_hash_final(wci_hash *hash, unsigned char out[WCI_HASH_MAX_SIZE]);
void wci_hash_free(wci_hash *hash); /* NULL accepted */

#endif
