/* SPDX-License-Identifier: Apache-2.0 */
/* Signal names as Docker accepts them. The numbers are Linux's: they are for the container. */
#ifndef WCI_SIGNAL_H
#define WCI_SIGNAL_H

#include <stdint.h>

#include <wincontainer/base.h>

#define WCI_SIGKILL 9
#define WCI_SIGTERM 15

/* "TERM", "sigterm", "15", "RTMIN+3". WC_E_INVALID otherwise. */
int32_t wci_signal_parse(const char *text, int *number, wc_error **err);
/* "SIGTERM", "SIGRTMIN+3"; `out` holds 16 bytes. */
#define WCI_SIGNAL_NAME_SIZE 16
void wci_signal_name(int number, char out[WCI_SIGNAL_NAME_SIZE]);

#endif
