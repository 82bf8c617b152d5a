/* SPDX-License-Identifier: Apache-2.0 */
/* Names for containers that nobody named: "calm_heron". */
#ifndef WCI_NAMES_H
#define WCI_NAMES_H

#include <stdint.h>

#include <wincontainer/base.h>

#define WCI_NAME_SIZE 48
/* `attempt` counts from 0; later attempts end in digits, so that a name is found soon even among
 * very many containers. */
int32_t wci_name_make(int attempt, char out[WCI_NAME_SIZE], wc_error **err);
/* [a-zA-Z0-9][a-zA-Z0-9_.-]+, WC_E_INVALID otherwise. */
int32_t wci_name_check(const char *name, wc_error **err);

#endif
