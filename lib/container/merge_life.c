/* SPDX-License-Identifier: Apache-2.0 */
#include "container/merge.h"

#include <string.h>

#include "core/signal.h"
#include "core/alloc.h"
#include "core/error.h"

static int32_t merge_stop_signal(const wci_merge *in, wci_config *c, wc_error **err)
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

static int32_t merge_restart(wci_config *c, wc_error **err)
{
    int32_t rc = wci_merge_default(&c->restart_policy, "no", err);
    if (!rc && c->auto_remove && strcmp(c->restart_policy, "no") != 0)
        rc = wci_err(err, WC_E_INVALID,
                     "restart policy '%s': a container that is removed at its end cannot run again; leave one of the two out",
                     c->restart_policy);
    return rc;
}

int32_t wci_merge_life(const wci_merge *in, wci_config *c, wc_error **err)
{
    int32_t rc = merge_stop_signal(in, c, err);
    return rc ? rc : merge_restart(c, err);
}
