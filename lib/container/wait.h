/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WCI_WAIT_H
#define WCI_WAIT_H

#include "container/container.h"

/* Waits until the backend says that the container of this record does not run, and records it. */
int32_t wci_ctr_wait_end(wc_call *call, wci_engine *engine, const wci_container_record *record,
                         int32_t *exit_code, wc_error **err);

#endif
