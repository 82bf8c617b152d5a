/* SPDX-License-Identifier: Apache-2.0 */
#include "container/merge.h"

#include "core/signal.h"
#include "core/alloc.h"
#include "core/error.h"

int32_t wci_merge_life(const wci_merge *in, wci_config *c, wc_error **err)
{
    const char *text = c->stop_signal && *c->stop_signal ? c->stop_signal : in->image->stop_signal;
    char name[WCI_SIGNAL_NAME_SIZE];
    int number = WCI_SIGTERM;
    int32_t rc = *text ? wci_signal_parse(text, &number, err) : WC_OK;
    if (rc)
        return rc;
    wci_signal_name(number, name);
    return wci_replace(&c->stop_signal, name) ? wci_err_nomem(err) : WC_OK;
}
