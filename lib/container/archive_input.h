/* SPDX-License-Identifier: Apache-2.0 */
/* An archive that comes from a descriptor of the caller's, compressed or not. */
#ifndef WCI_ARCHIVE_INPUT_H
#define WCI_ARCHIVE_INPUT_H

#include "core/call.h"
#include "layer/layer.h"

typedef struct wci_archive_input {
    const wc_call *call;
    wci_fd fd;
    wci_fd taker;     /* who takes it; its end is ours, as what it has no use for is not waited for. WCI_FD_NONE */
    int taker_closed;
    unsigned char head[8]; /* tells how it is compressed */
    size_t have, at;
} wci_archive_input;

/* Reads the beginning; *out gives the plain bytes, and the caller frees it before `in` goes. */
int32_t wci_archive_input_open(wci_archive_input *in, wci_decoder **out, wc_error **err);

#endif
