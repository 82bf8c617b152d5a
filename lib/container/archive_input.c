/* SPDX-License-Identifier: Apache-2.0 */
#include "container/archive_input.h"

#include <string.h>

#include "core/error.h"
#include "platform/process.h"

static int32_t read_stream(wci_archive_input *in, void *data, size_t size, size_t *got, wc_error **err)
{
    for (;;) {
        wci_poll_item items[] = {{in->fd, WCI_POLL_READ, 0}, {in->taker, WCI_POLL_READ, 0}};
        wc_error *why = NULL;
        int ready;
        int32_t rc = wci_poll(in->call, items, in->taker == WCI_FD_NONE ? 1 : 2, -1, &ready, err);
        if (rc)
            return rc;
        if (items[1].got) {
            in->taker_closed = 1;
            return wci_err(err, WC_E_CLOSED, "archive: nobody takes it any more");
        }
        rc = wci_fd_read_some(in->fd, data, size, got, &why);
        if (rc == WC_E_CLOSED) {
            wc_error_unref(why);
            *got = 0;
            return WC_OK;
        }
        if (rc)
            return wci_err_move(err, why);
        if (*got)
            return WC_OK;
    }
}

static int32_t read_input(void *self, void *data, size_t size, size_t *got, wc_error **err)
{
    wci_archive_input *in = self;
    size_t left = in->have - in->at;
    if (!left)
        return read_stream(in, data, size, got, err);
    *got = left < size ? left : size;
    memcpy(data, in->head + in->at, *got);
    in->at += *got;
    return WC_OK;
}

static int32_t read_head(wci_archive_input *in, wc_error **err)
{
    size_t got = 1;
    int32_t rc = WC_OK;
    while (!rc && got && in->have < sizeof in->head) {
        rc = read_stream(in, in->head + in->have, sizeof in->head - in->have, &got, err);
        in->have += rc ? 0 : got;
    }
    return rc;
}

int32_t wci_archive_input_open(wci_archive_input *in, wci_decoder **out, wc_error **err)
{
    const wci_source source = {read_input, in};
    int32_t rc = read_head(in, err);
    return rc ? rc : wci_decoder_new(wci_codec_guess(in->head, in->have), &source, out, err);
}
