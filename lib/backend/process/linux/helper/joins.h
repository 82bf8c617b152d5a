/* SPDX-License-Identifier: Apache-2.0 */
/* Namespaces of other containers, which the runtime finds as files `ns-TYPE` in the run directory, bound there in the
 * monitor's own mount namespace; and the shared memory of the one whose ipc namespace it is, mounted at `shm`. */
#ifndef WC_HELPER_JOINS_H
#define WC_HELPER_JOINS_H

#include "backend/process/linux/helper/helper.h"
#include "backend/process/state.h"

/* An array of objects `type` and `container`; NULL: nothing. */
int32_t joins_read(json_t *joins, request *out, wc_error **err);
void joins_free(request *req);
/* In the run directory. WC_E_STATE when one of them does not run. */
int32_t joins_begin(const request *req, wc_error **err);
void joins_end(const request *req);
/* The first process of another container. WC_E_STATE when it does not run. */
int32_t joins_find_process(const request *req, const char *container, wci_run_state *state, wc_error **err);

#endif
