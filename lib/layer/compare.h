/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCI_LAYER_COMPARE_H
#define WCI_LAYER_COMPARE_H

#include "core/call.h"

/* Compares what two directories of stagings hold, `fs` and `records`: kinds, owners, modes, times,
 * extended attributes, overlay marks, targets, devices, links among files, content. *difference is
 * owned text about the first that was found ("'etc/passwd' has another content"), NULL when they
 * are the same. Ends early when the call does. */
int32_t wci_layer_compare(const wc_call *call, const char *dir, const char *expected_dir,
                          char **difference, wc_error **err);

#endif
