/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that nobody is to find in memory afterwards. */
#ifndef WCI_SECRET_H
#define WCI_SECRET_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/memory.h>

/* Overwrites, also where the compiler sees that nobody reads it again. */
void wci_wipe(void *data, size_t size);
/* The same for the last reference to a buffer, which is dropped. NULL accepted. */
void wci_buf_wipe(wc_buf *buf);

typedef struct wci_secret {
    char *data; /* a zero byte that does not count follows */
    size_t size;
} wci_secret;

#define WCI_SECRET_INIT {NULL, 0}

/* Room for `size` bytes. */
int32_t wci_secret_make(size_t size, wci_secret *out, wc_error **err);
void wci_secret_clear(wci_secret *secret);

#endif
