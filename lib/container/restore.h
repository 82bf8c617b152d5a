/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCI_RESTORE_H
#define WCI_RESTORE_H

#include "container/engine.h"
#include "core/str.h"

/* Starts what has a restart policy and does not run; ids of what was started, also when others failed. */
int32_t wci_restore(wc_call *call, wci_engine *engine, wci_strv *started, wc_error **err);

#endif
