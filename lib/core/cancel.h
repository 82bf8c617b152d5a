/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCI_CANCEL_H
#define WCI_CANCEL_H

#include <stdint.h>

#include <wincontainer/cancel.h>

/* NULL accepted by all. The descriptor turns readable once triggered; never read from it. */
intptr_t wci_cancel_fd(const wc_cancel *cancel);
/* Deadline on the monotonic clock, INT64_MAX when there is none. */
int64_t wci_cancel_deadline(const wc_cancel *cancel);

#endif
