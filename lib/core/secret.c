/* SPDX-License-Identifier: Apache-2.0 */
#include "core/secret.h"

#include "core/alloc.h"
#include "core/error.h"

void wci_wipe(void *data, size_t size)
{
    volatile char *p = data;
    for (size_t i = 0; i < size; i++)
        p[i] = '\0';
}

void wci_buf_wipe(wc_buf *buf)
{
    if (buf)
        wci_wipe((void *)(uintptr_t)wc_buf_data(buf), wc_buf_size(buf));
    wc_buf_unref(buf);
}

int32_t wci_secret_make(size_t size, wci_secret *out, wc_error **err)
{
    char *data = wci_calloc(size + 1, 1);
    if (!data)
        return wci_err_nomem(err);
    *out = (wci_secret){data, size};
    return WC_OK;
}

void wci_secret_clear(wci_secret *secret)
{
    if (secret->data)
        wci_wipe(secret->data, secret->size);
    wci_free(secret->data);
    *secret = (wci_secret)WCI_SECRET_INIT;
}
