/* SPDX-License-Identifier: Apache-2.0 */
#include "core/output.h"

#include <wincontainer/error.h>

#include "platform/process.h"

int32_t wci_output_write(const wc_call *call, wci_fd fd, const void *data, size_t size, wc_error **err)
{
    const char *p = data;
    while (size) {
        size_t put = 0;
        int32_t rc = wci_fd_write_some(fd, p, size, &put, err);
        if (rc)
            return rc;
        p += put;
        size -= put;
        wci_poll_item item = {fd, WCI_POLL_WRITE, 0};
        int ready;
        if (size && (rc = wci_poll(call, &item, 1, -1, &ready, err)))
            return rc;
    }
    return WC_OK;
}

int32_t wci_output_take(void *output, const void *data, size_t size, wc_error **err)
{
    const wci_output *out = output;
    return wci_output_write(out->call, out->fd, data, size, err);
}
