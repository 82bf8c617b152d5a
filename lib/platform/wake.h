/* SPDX-License-Identifier: Apache-2.0 */
/* A latch with a descriptor: set once, readable for ever after. */
#ifndef WCI_WAKE_H
#define WCI_WAKE_H

#include <wincontainer/error.h>

#include "platform/file.h"

int32_t wci_wake_new(wci_fd *out, wc_error **err);
/* Safe in a signal handler and on any thread. */
void wci_wake_set(wci_fd wake);
void wci_wake_free(wci_fd wake);

#endif
