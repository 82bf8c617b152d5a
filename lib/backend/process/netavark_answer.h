/* SPDX-License-Identifier: Apache-2.0 */
/* What netavark says when it has ended: the interfaces that it made, or an error. */
#ifndef WCI_PROCESS_NETAVARK_ANSWER_H
#define WCI_PROCESS_NETAVARK_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include <wincontainer/error.h>

/* `failed`: its exit status was not 0. WC_OK, or WC_E_RUNTIME with its own words: from its answer, a JSON object with
 * "error", or else from what came on its standard error. */
int32_t wci_netavark_answer(int failed, const char *answer, size_t size, const char *complaint, wc_error **err);

#endif
