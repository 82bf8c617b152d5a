/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCI_CANCEL_H
#define WCI_CANCEL_H

#include <stdint.h>

#include <wincontainer/cancel.h>

/* NULL accepted by all. The descriptor turns readable once triggered; never read from it. */
intptr_t wci_cancel_fd(const wc_cancel *cancel);
/* Deadline on the monotonic clock, INT64_MAX when there is none. */
int64_t wci_cancel_deadline(const wc_cancel *cancel);
/* WC_E_FORKED in a process that inherited the handle: it would share the parent's descriptor. */
int32_t wci_cancel_check_fork(const wc_cancel *cancel, wc_error **err);

#endif
