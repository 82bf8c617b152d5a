/* SPDX-License-Identifier: Apache-2.0 */
/* A file written front to back, with holes where its content is long runs of zeros. */
#ifndef WCI_LAYER_HOLES_H
#define WCI_LAYER_HOLES_H

#include <stddef.h>

#include "platform/file.h"

typedef struct wci_holes {
    wci_fd file;    /* new and empty */
    uint64_t size;  /* so far */
    uint64_t zeros; /* at its end, which may not have been written */
} wci_holes;

int32_t wci_holes_write(wci_holes *holes, const void *data, size_t size, wc_error **err);
/* Gives the file its size. */
int32_t wci_holes_end(const wci_holes *holes, wc_error **err);

#endif
