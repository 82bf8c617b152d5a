/* SPDX-License-Identifier: Apache-2.0 */
/* The host and the store as documents. */
#ifndef WCI_SYSTEM_H
#define WCI_SYSTEM_H

#include "container/engine.h"

int32_t wci_system_info(wc_call *call, wci_engine *engine, wc_buf **out, wc_error **err);
int32_t wci_system_df(wc_call *call, wci_engine *engine, wc_buf **out, wc_error **err);

#endif
